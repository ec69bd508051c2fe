//! The loop that carries out what is due.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::claim::{self, Claimed};
use crate::{
    clock::Time,
    incident::{Command, Refusal, door::DoorError, store},
    server::{App, bell},
    store::retry::retried,
};

/// Timers claimed at a time: not so many that other nodes stand idle meanwhile.
const BATCH: i64 = 200;

/// Timers carried out in one transaction: they share its way to the disk, and nobody waits long for the next.
const TOGETHER: usize = 25;

/// Carries out what is due until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let next = match turn(&app).await {
            Ok(next) => {
                app.watch.timers.turn();
                next
            }
            Err(error) => {
                tracing::error!(%error, "the timers cannot be read; trying again");
                if let DoorError::Database(error) = &error {
                    app.watch.timers.failed(app.db.is_ours_alone(), error);
                }
                None
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.bell.timers() => {}
            () = until(&app, next) => {}
            // Whatever the bell and the clock do, look again.
            () = bell::poll() => {}
        }
    }
}

async fn until(app: &App, next: Option<Time>) {
    match next {
        Some(at) => app.clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Carries out everything that is due now; returns when the next timer is due.
async fn turn(app: &App) -> Result<Option<Time>, DoorError> {
    loop {
        let now = app.clock.now();
        let mut read = app.db.read().await?;
        let next = claim::next(&mut read).await?;
        drop(read);
        if next.is_none_or(|at| at > now) {
            return Ok(next);
        }
        let mut tx = app.db.begin().await?;
        let lease = app.settings.lease;
        let claimed = claim::claim(&mut tx, app.node.id(), lease, now, BATCH).await?;
        tx.commit().await?;
        if claimed.is_empty() {
            // Others have what is due in hand, this very moment.
            return Ok(None);
        }
        for together in claimed.chunks(TOGETHER) {
            // Locked in the order of their ids, as by everybody who changes several incidents at once.
            let mut together = together.to_vec();
            together.sort_by(|a, b| a.incident.cmp(&b.incident));
            if app.clock.now() >= now + lease {
                // Too slow, or asleep meanwhile: what is left may be another node's by now.
                break;
            }
            let Err(error) = try_to(app, &together).await else {
                // After an outage there is much to do; that is no stall.
                app.watch.timers.turn();
                continue;
            };
            // One of them is ill: by itself it holds up no other.
            tracing::error!(%error, "due actions failed together; trying each by itself");
            for timer in &together {
                match try_to(app, std::slice::from_ref(timer)).await {
                    Ok(()) => app.watch.timers.turn(),
                    Err(error) => {
                        tracing::error!(incident = %timer.incident, %error, "a due action failed; it comes again");
                    }
                }
            }
        }
    }
}

/// Carries them out; a panic over one of them is an error like any other, so that it stops no other incident.
async fn try_to(app: &App, timers: &[Claimed]) -> Result<(), String> {
    match AssertUnwindSafe(retried(|| carry_out(app, timers))).catch_unwind().await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("a bug: it panicked".into()),
    }
}

/// Carries out what is due for these incidents, all in one transaction.
async fn carry_out(app: &App, timers: &[Claimed]) -> Result<(), DoorError> {
    let mut tx = app.db.begin().await?;
    for timer in timers {
        match app.door.execute_in(&mut tx, &timer.incident, Command::TimerFired).await {
            Ok(_) | Err(DoorError::Refused(Refusal::Closed | Refusal::Unknown)) => {}
            Err(error) => return Err(error),
        }
    }
    tx.commit().await?;
    app.bell.ring();
    for timer in timers {
        let lateness = (app.clock.now() - timer.due_at).to_std().unwrap_or_default();
        metrics::histogram!("ringdown_timer_lateness_seconds").record(lateness.as_secs_f64());
    }
    Ok(())
}

/// Looks for open incidents that nothing would ever look at again, and gives them back their timer. There should be
/// none: one found is a bug, and is said so.
pub async fn audit(app: &App) -> sqlx::Result<usize> {
    let mut read = app.db.read().await?;
    let lost = store::without_timer(&mut read).await?;
    drop(read);
    for id in &lost {
        tracing::error!(incident = %id, "an open incident had no next due action; looking at it now");
        metrics::counter!("ringdown_incidents_without_next_action_total").increment(1);
        // It may have ended since, or another node have seen it too: what the state says now is what counts.
        retried(|| async {
            let mut tx = app.db.begin().await?;
            if let Some(incident) = store::load_for_update(&mut tx, id).await? {
                store::set_timer(&mut tx, &incident).await?;
            }
            tx.commit().await
        })
        .await?;
    }
    if !lost.is_empty() {
        app.bell.ring();
    }
    app.watch.audited(app.clock.now(), lost.len());
    Ok(lost.len())
}
