//! What a page's call asks of the hotline: whether the caller waits on the line, who talks to them, and that it is over.
//! All of it in the transaction of the page's turn.

use super::{
    call::CallRecord,
    live::{self, Claim, Taken},
    store,
};
use crate::{
    clock::Time,
    id::{AttemptId, IncidentId, PersonKey},
    incident::Command,
    store::Tx,
};

/// What becomes of an engineer who wants to talk to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Talk {
    /// To be connected with whoever waits in the incident's queue.
    Join,
    /// Somebody else talks to the caller.
    Busy(PersonKey),
    /// Nobody waits, or on another carrier, which cannot be connected with this one.
    Nobody,
}

/// Whether the caller of an incident waits on the line of this carrier.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(tx: &mut Tx, incident: &IncidentId, carrier: &str, now: Time) -> sqlx::Result<bool> {
    Ok(store::on_the_line(tx, incident, carrier).await?.iter().any(|call| live::waits(call, now)))
}

/// An engineer wants to talk to the caller. The first has them, and has them still when asked again.
///
/// # Errors
/// When the database does not take it.
pub async fn take(tx: &mut Tx, incident: &IncidentId, carrier: &str, by: Taken) -> sqlx::Result<Talk> {
    let mut talk = Talk::Nobody;
    for mut call in store::on_the_line(tx, incident, carrier).await? {
        match live::claim(&mut call, by.clone()) {
            Claim::Join => {
                store::save(tx, &call).await?;
                return Ok(Talk::Join);
            }
            Claim::Busy(person) => talk = Talk::Busy(person),
            Claim::Gone => {}
        }
    }
    Ok(talk)
}

/// What is known of a talk that is over, as the engineer's call tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// The two were connected.
    pub met: bool,
    /// What is to be recorded, unless the caller's side told it before.
    pub command: Option<Command>,
}

/// The engineer's side of a talk is over; `seconds` as the carrier says, if it does.
///
/// # Errors
/// When the database does not take it.
pub async fn over(
    tx: &mut Tx,
    incident: &IncidentId,
    attempt: &AttemptId,
    seconds: Option<u32>,
    now: Time,
) -> sqlx::Result<Over> {
    let taken = |call: &CallRecord| {
        let live = call.answers.live.as_ref();
        live.and_then(|live| live.taken.as_ref()).is_some_and(|taken| taken.attempt == *attempt)
    };
    let Some(mut call) = store::of_incident(tx, incident).await?.into_iter().find(taken) else {
        return Ok(Over { met: false, command: None });
    };
    let before = call.clone();
    let command = live::talked(&mut call, seconds, now);
    let met = call.answers.live.as_ref().is_some_and(|live| live.met.is_some());
    if call != before {
        store::save(tx, &call).await?;
    }
    Ok(Over { met, command })
}
