//! The hotline as a conversation.
//!
//! A customer dials, and from the first ring there is a [`CallRecord`]. The carrier asks us, turn by turn, what to say
//! next; each answer is a pure function of that record, the turn it answers and what was pressed or said
//! ([`conversation`]), so a webhook that comes twice, late or after a restart changes nothing. The incident is opened
//! the moment the priority is known, while the caller goes on talking; whatever is told later is added to it. A call
//! that ends early, at whatever step, still leaves an incident.

mod about;
mod bridge;
pub mod call;
pub mod conversation;
pub mod live;
pub mod number;
pub mod phrases;
mod pin;
pub mod report;
pub mod script;
mod shell;
pub mod store;
pub mod summary;
#[cfg(test)]
mod tests;

pub use bridge::{Over, Talk, over, take, waiting};
pub use call::{Answers, Asked, CallRecord, Lead, Step};
pub use summary::Summary;

use crate::{
    carrier::{Document, Receipt, Recording, Turn, Unavailable},
    server::App,
};

/// What to say next on an inbound call. A turn that was answered before is answered the same way, with no second
/// effect.
///
/// # Errors
/// When the database does not take it; nothing was recorded then, and the carrier asks again.
pub async fn turn(app: &App, turn: Turn) -> Result<Document, Unavailable> {
    shell::turn(&app.door, turn).await
}

/// An inbound call ended, at whatever step. Harmless when said twice; a call we never heard of is ignored.
///
/// # Errors
/// When the database does not take it; [`sweep`] makes up for it if the carrier does not say it again.
pub async fn call_ended(app: &App, receipt: Receipt) -> Result<(), Unavailable> {
    shell::call_ended(&app.door, receipt).await
}

/// What the caller said became available: where it can be heard, or its words. Harmless when said twice.
///
/// # Errors
/// When the database does not take it.
pub async fn recording(app: &App, recording: Recording) -> Result<(), Unavailable> {
    shell::recording(&app.door, recording).await
}

/// Treats calls as hung up that began more than ten minutes ago, never ended as far as we were told, and have no
/// incident: the carrier's word of their end was lost. Forgets old wrong PINs. Answers how many calls it closed. To be
/// called about once a minute.
///
/// # Errors
/// When the database does not take it; what was closed before stays closed.
pub async fn sweep(app: &App) -> sqlx::Result<usize> {
    shell::sweep(&app.door).await
}
