//! Whose PIN was keyed in. Slow on purpose (argon2), so outside of any transaction, a few at a time, and not for long:
//! the caller waits.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use chrono::TimeDelta;

use super::{
    call::{CallRecord, Step},
    conversation::Input,
    report, store,
};
use crate::{
    access::turns::Turns, clock::Time, config::Config, customer, id::CustomerKey, incident::door::Door, store::Tx,
};

/// Wrong PINs are counted over this long.
const LOCK_MINUTES: i64 = 15;
/// So many of one caller lock the PIN for this caller.
const CALLER_FAILURES: i64 = 10;
/// So many on one hotline, whoever calls, lock it for all: callers' numbers can be forged.
const HOTLINE_FAILURES: i64 = 50;
/// A carrier waits 15 seconds for an answer; the caller should wait less.
const PATIENCE: Duration = Duration::from_secs(6);
/// Each check takes a processor and some 20 MB.
static CHECKS: LazyLock<Turns> = LazyLock::new(|| Turns::new(2));

/// What became of the PIN in a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// There is none in this turn, or it is nobody's.
    Nobody,
    Of(CustomerKey),
    /// It could not be checked in time: not counted as wrong.
    Unchecked,
}

/// Whether too many wrong PINs were keyed in lately.
///
/// # Errors
/// When the database does not answer.
pub async fn locked(tx: &mut Tx, call: &CallRecord, now: Time) -> sqlx::Result<bool> {
    let (caller, hotline) = store::wrong_pins(tx, call, now - TimeDelta::minutes(LOCK_MINUTES)).await?;
    Ok(caller >= CALLER_FAILURES || hotline >= HOTLINE_FAILURES)
}

/// Whose PIN these keys are, if they answer the question for one.
///
/// # Errors
/// When the database does not answer.
pub async fn check(door: &Door, config: &Config, carrier: &str, sid: &str, input: &Input) -> sqlx::Result<Pin> {
    let keys = input.keys.as_deref().unwrap_or("").trim_end_matches('#');
    if input.step != "pin" || keys.is_empty() {
        return Ok(Pin::Nobody);
    }
    let mut tx = door.db.read().await?;
    let Some(call) = store::peek(&mut tx, carrier, sid).await? else { return Ok(Pin::Nobody) };
    let asked = matches!(call.current(), Some((n, Step::Pin { .. })) if n == input.n);
    if !asked || locked(&mut tx, &call, door.clock.now()).await? {
        return Ok(Pin::Nobody);
    }
    drop(tx);
    let deadline = Instant::now() + PATIENCE;
    let (keys, hashes) = (keys.to_owned(), hashes(config, &call));
    let found = CHECKS.take(PATIENCE / 2, move || {
        for (customer, hash) in hashes {
            if Instant::now() > deadline {
                return Pin::Unchecked;
            }
            if customer::pin::verify(&keys, &hash) {
                return Pin::Of(customer);
            }
        }
        Pin::Nobody
    });
    let found = found.await.unwrap_or(Pin::Unchecked);
    if found == Pin::Unchecked {
        tracing::warn!("a PIN could not be checked in time; the caller goes on without");
    }
    Ok(found)
}

/// Every customer with a PIN; those of the hotline's own team first, who dial it most.
fn hashes(config: &Config, call: &CallRecord) -> Vec<(CustomerKey, String)> {
    let team = report::hotline(config, call).map(|hotline| &hotline.team);
    let mut customers: Vec<_> = config.customers.values().filter(|customer| customer.pin_hash.is_some()).collect();
    customers.sort_by_key(|customer| Some(&customer.team) != team);
    customers.into_iter().filter_map(|customer| Some((customer.key.clone(), customer.pin_hash.clone()?))).collect()
}
