//! Writes down that this node runs, so that a report can tell when none did.

use tokio_util::sync::CancellationToken;

use super::{
    downtime::{BEAT, STALL},
    store,
};
use crate::{clock::Time, server::App};

/// Writes down every ten seconds that the run goes on, and at the end that it ended in order.
///
/// A node that slept through, or could not write, for longer than [`STALL`] served nobody either: a new run begins, and
/// the time between is a gap.
pub async fn keep(app: App, stop: CancellationToken, mut run: String) {
    let mut refused_since: Option<Time> = None;
    loop {
        let before = app.clock.now();
        if stop.run_until_cancelled(app.clock.sleep(BEAT)).await.is_none() {
            break;
        }
        let now = app.clock.now();
        let stalled = now - before > STALL || refused_since.is_some_and(|since| now - since > STALL);
        match beat(&app, &run, stalled, now).await {
            Ok(goes_on) => (run, refused_since) = (goes_on, None),
            Err(error) => {
                refused_since.get_or_insert(before);
                tracing::warn!(%error, "it cannot be written down that the service runs");
            }
        }
    }
    if let Err(error) = end(&app, &run).await {
        tracing::warn!(%error, "it cannot be written down that the service ended");
    }
}

/// Gives the id of the run that goes on.
async fn beat(app: &App, run: &str, stalled: bool, now: Time) -> sqlx::Result<String> {
    let mut tx = app.db.begin().await?;
    let run = if stalled { store::begin_run(&mut tx, now).await? } else { run.into() };
    store::go_on(&mut tx, &run, now).await?;
    tx.commit().await?;
    Ok(run)
}

async fn end(app: &App, run: &str) -> sqlx::Result<()> {
    let mut tx = app.db.begin().await?;
    store::end_run(&mut tx, run, app.clock.now()).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;

    use super::*;
    use crate::{
        clock::ManualHand,
        config::Config,
        report::{
            downtime::{Gap, Run, gaps},
            period::Period,
        },
        server::settings::Settings,
    };

    async fn runs(app: &App, period: &Period) -> Vec<Run> {
        store::runs(&mut app.db.read().await.unwrap(), period).await.unwrap()
    }

    /// Moves the clock on, again and again, until what is written down is so.
    async fn wake(app: &App, hand: &ManualHand, period: &Period, step: TimeDelta, so: impl Fn(&[Run]) -> bool) {
        for _ in 0..200 {
            if so(&runs(app, period).await) {
                return;
            }
            hand.set(app.clock.now() + step);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never: {:?}", runs(app, period).await);
    }

    #[tokio::test]
    async fn a_machine_that_slept_was_unavailable_and_one_that_ended_in_order_says_so() {
        let (app, hand, _folder) =
            App::for_test(Settings::default(), "2026-11-18T08:00:00Z", Config::default(), vec![]).await;
        let start = app.clock.now();
        let period = Period { from: start, to: start + TimeDelta::days(100) };
        let mut tx = app.db.begin().await.unwrap();
        let run = store::begin_run(&mut tx, start).await.unwrap();
        tx.commit().await.unwrap();
        let stop = CancellationToken::new();
        let keeper = tokio::spawn(keep(app.clone(), stop.clone(), run));

        wake(&app, &hand, &period, TimeDelta::seconds(11), |runs| runs[0].last_seen_at > start).await;
        let awake = runs(&app, &period).await;
        assert_eq!(gaps(&awake, &period, app.clock.now()), []);
        wake(&app, &hand, &period, TimeDelta::hours(2), |runs| runs.len() == 2).await;
        let woken = runs(&app, &period).await;
        assert_eq!(woken[0], awake[0], "nothing was written meanwhile");
        let slept = Gap { from: awake[0].last_seen_at, to: woken[1].started_at };
        assert_eq!(gaps(&woken, &period, app.clock.now()), [slept]);
        assert!(slept.to - slept.from >= TimeDelta::hours(2));

        hand.set(app.clock.now() + TimeDelta::seconds(3));
        stop.cancel();
        keeper.await.unwrap();
        let last = runs(&app, &period).await[1];
        assert_eq!((last.last_seen_at, last.ended), (app.clock.now(), true));
    }
}
