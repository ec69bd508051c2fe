//! What was promised and what was kept, for those who ask afterwards: exports that can be verified without a server,
//! and the daily anchors that they hang on. The pure part is [`crate::incident::ledger`].

pub mod anchor;
pub mod export;
mod key;
pub mod store;

pub use key::key;
