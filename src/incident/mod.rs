//! What we know of a trouble, and what is done about it.
//!
//! There is one door: [`door::Door::execute`] runs a [`Command`] through the pure [`decide`] and carries the result
//! out in one transaction.

mod acts;
pub mod agenda;
pub mod changes;
pub mod command;
mod customer;
pub mod decide;
pub mod door;
mod draft;
mod due;
pub mod effect;
pub mod event;
pub mod explain;
mod fold;
pub mod ledger;
mod promises;
pub mod rca;
pub mod rehearsal;
pub mod state;
pub mod store;
#[cfg(test)]
mod tests;
pub mod timeline;
pub mod untried;
pub mod words;

pub use command::{Actor, Command, Contact, Evidence, RcaStage, Report, Source, Via};
pub use decide::{Decision, Refusal, World, decide};
pub use effect::{Cause, Effect};
pub use event::{Event, Recorded};
pub use state::{Incident, Phase};
