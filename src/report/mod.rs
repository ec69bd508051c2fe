//! What was promised and what was kept, for those who ask afterwards: exports that can be verified without a server,
//! and the daily anchors that they hang on, whose pure part is [`crate::incident::ledger`]; and reports over a period.
//!
//! A report does not trust what was written down when a promise was kept or missed: [`judge`] works every verdict out
//! again from the events, as `ringdown verify` does, and [`tally`] adds them up. [`signed`] is the same as a file that can be
//! verified.

pub mod anchor;
pub mod chart;
pub mod compliance;
pub mod csv;
pub mod downtime;
pub mod export;
pub mod gather;
pub mod judge;
mod key;
pub mod page;
pub mod period;
pub mod signed;
pub mod store;
pub mod table;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod wording;

pub use key::key;
