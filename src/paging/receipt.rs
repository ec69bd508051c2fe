//! What became of an attempt.

use super::{Attempt, Outcome, attempt::Said, progress, store};
use crate::{
    carrier::{Receipt, Unavailable},
    clock::Time,
    incident::{Command, door::DoorError},
    server::App,
    store::Tx,
};

/// Keeps the receipt and merges it up the lattice; an attempt that ended moves its page on.
pub async fn record(app: &App, receipt: Receipt) -> Result<(), Unavailable> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if store::keep_receipt(&mut tx, &receipt, now).await? {
        let attempt = match &receipt.attempt {
            Some(id) => store::load(&mut tx, id).await?,
            None => None,
        };
        if let Some(mut attempt) = attempt.filter(|attempt| attempt.channel == receipt.channel) {
            let before = attempt.outcome;
            let said = Said {
                carrier: receipt.carrier.into(),
                sid: receipt.sid,
                status: receipt.status,
                answered_by: receipt.answered_by,
                error_code: receipt.error_code,
            };
            attempt.say(&said, now);
            keep(app, &mut tx, &attempt, before, now).await?;
        }
    }
    tx.commit().await?;
    app.bell.ring();
    Ok(())
}

/// Saves an attempt that was loaded in this transaction. If it ended just now, its page goes on: the next method at
/// once, or the word to the incident that there is none. False: somebody else claimed it meanwhile, nothing was kept.
pub(super) async fn keep(
    app: &App,
    tx: &mut Tx,
    attempt: &Attempt,
    before: Option<Outcome>,
    now: Time,
) -> sqlx::Result<bool> {
    if !store::save(tx, attempt).await? {
        tracing::warn!(attempt = %attempt.id, "the lease of an attempt was lost; whoever has it looks it up");
        return Ok(false);
    }
    let Some(outcome) = attempt.outcome.filter(|_| before.is_none()) else { return Ok(true) };
    let outcome = super::send::outcome_word(outcome);
    metrics::counter!("ringdown_pages_total", "channel" => attempt.channel.as_str(), "outcome" => outcome).increment(1);
    tracing::info!(attempt = %attempt.id, channel = attempt.channel.as_str(), outcome, "attempt over");
    if attempt.is_page() {
        go_on(app, tx, attempt, now).await?;
    }
    Ok(true)
}

async fn go_on(app: &App, tx: &mut Tx, attempt: &Attempt, now: Time) -> sqlx::Result<()> {
    let Some(page) = &attempt.page else { return Ok(()) };
    let definite = match progress::next(&store::of_page(tx, page).await?, &attempt.id) {
        progress::Next::Wait => return Ok(()),
        progress::Next::Hasten(id) => return store::hasten(tx, &id, now).await,
        progress::Next::Exhausted { definite } => definite,
    };
    let Some((incident, page)) = page.parts() else { return Ok(()) };
    match app.door.execute_in(tx, &incident, Command::PageExhausted { page, definite }).await {
        Ok(_) => Ok(()),
        Err(DoorError::Refused(refusal)) => {
            tracing::debug!(%incident, page, %refusal, "nobody waits for this page any more");
            Ok(())
        }
        Err(DoorError::Database(error)) => Err(error),
    }
}
