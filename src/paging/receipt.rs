//! What became of an attempt.

use super::{Attempt, Outcome, Purpose, attempt::Said, draft, progress, store};
use crate::{
    carrier::{Carrier, Receipt, Unavailable},
    clock::Time,
    incident::{Command, door::DoorError},
    people::Channel,
    server::App,
    store::Tx,
    watch,
};

/// Keeps the receipt and merges it up the lattice; an attempt that ended moves its page on.
pub async fn record(app: &App, receipt: Receipt) -> Result<(), Unavailable> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    // Nobody asks what became of a heartbeat's text years from now: its receipts are noted, and not kept.
    let beats = receipt.attempt.as_ref().is_some_and(watch::is_heartbeat);
    if beats || store::keep_receipt(&mut tx, &receipt, now).await? {
        let attempt = match &receipt.attempt {
            Some(id) => store::load_in_order(&mut tx, id).await?,
            None => None,
        };
        if let Some(mut attempt) = attempt.filter(|attempt| attempt.channel == receipt.channel) {
            let before = attempt.outcome;
            if beats {
                watch::store::receipt(&mut tx, &attempt.id, now).await?;
            }
            let said = Said {
                carrier: receipt.carrier.into(),
                sid: receipt.sid,
                status: receipt.status,
                answered_by: receipt.answered_by,
                error_code: receipt.error_code,
            };
            attempt.say(&said, now);
            if before.is_none() && attempt.outcome == Some(Outcome::Unreachable) {
                once_more(app, &mut tx, &attempt, now).await?;
            }
            keep(app, &mut tx, &attempt, before, now).await?;
        }
    }
    tx.commit().await?;
    app.bell.ring();
    Ok(())
}

/// A text that was taken and then lost goes once more, if that may help.
async fn once_more(app: &App, tx: &mut Tx, lost: &Attempt, now: Time) -> sqlx::Result<()> {
    let meaning = lost.error_code.as_deref().and_then(|code| carrier_of(app, lost)?.meaning(code));
    let Some(due) = progress::once_more_at(lost, meaning, now) else { return Ok(()) };
    let Some(incident) = &lost.incident else { return Ok(()) };
    let before = store::of_incident(tx, incident).await?;
    if !before.iter().any(|other| lost.same_again(other)) {
        store::insert(tx, &draft::again(lost, due, now)).await?;
    }
    Ok(())
}

fn carrier_of<'a>(app: &'a App, attempt: &Attempt) -> Option<&'a dyn Carrier> {
    let key = attempt.carrier.as_ref()?;
    app.carriers.iter().find(|carrier| carrier.key() == key).map(AsRef::as_ref)
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
    if attempt.purpose == Purpose::Heartbeat {
        watch::store::passed(tx, attempt, now).await?;
        return Ok(true);
    }
    let Some(outcome) = attempt.outcome.filter(|_| before.is_none()) else { return Ok(true) };
    let opted_out = |code: &String| carrier_of(app, attempt).is_some_and(|carrier| carrier.opted_out(code));
    if attempt.channel == Channel::Sms && attempt.error_code.as_ref().is_some_and(opted_out) {
        tracing::warn!(to = %attempt.address, "the carrier says that this number refused texts (STOP)");
        let carrier = attempt.carrier.as_ref().map_or("", |carrier| carrier.as_str());
        store::keep_reply(tx, store::Handled::stop(carrier, attempt.id.as_str(), &attempt.address), now).await?;
    }
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
    let all = store::of_page(tx, page).await?;
    let config = app.config.load_full();
    let person = attempt.person.as_ref().and_then(|key| config.people.get(key));
    let definite = match progress::step(&all, attempt, person, now) {
        progress::Step::Wait => return Ok(()),
        progress::Step::Hasten(id) => return store::hasten(tx, &id, now).await,
        progress::Step::Add(call) => return store::insert(tx, &call).await,
        progress::Step::Exhausted { definite } => definite,
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
