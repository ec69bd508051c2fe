//! Writes down that this node runs: so that a report can tell when none did, and the others whom they are with.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::{
    presence::{self, Run},
    skew, store, wire,
};
use crate::{
    clock::Time,
    mail, paging,
    report::downtime::{BEAT, STALL},
    server::App,
    store::{Tx, retry::retried},
    timer,
};

/// How this machine's clock was last judged: like the database's; unlike it, and nobody knows which is wrong; or unlike
/// the others', and corrected.
const RIGHT: u8 = 0;
const DIFFERS: u8 = 1;
const CORRECTED: u8 = 2;

/// How long the last words of a node that stops may take.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Longer than a transaction takes. Real time: a database runs no faster in a demo.
const A_MOMENT: Duration = Duration::from_millis(30);

/// The first word of a node, before it does anything: whose clock is wrong is known from then on.
pub async fn begin(app: &App) -> sqlx::Result<()> {
    let ahead = measure(app).await;
    let mut tx = app.db.begin().await?;
    correct(app, ahead, &others(&mut tx, app, ahead).await?);
    let run = store::begin_run(&mut tx, word(app, ahead), app.clock.now()).await?;
    tx.commit().await?;
    app.node.goes_on_as(&run);
    Ok(())
}

/// Writes down every ten seconds that the run goes on.
///
/// A node that slept through, or could not write, for longer than [`STALL`] served nobody either: a new run begins, and
/// the time between is a gap.
pub async fn keep(app: App, stop: CancellationToken) {
    let mut refused_since: Option<Time> = None;
    loop {
        let before = app.clock.now();
        if stop.run_until_cancelled(app.clock.sleep(BEAT)).await.is_none() {
            return;
        }
        let now = app.clock.now();
        let stalled = now - before > STALL || refused_since.is_some_and(|since| now - since > STALL);
        match beat(&app, stalled).await {
            Ok(()) => refused_since = None,
            Err(error) => {
                refused_since.get_or_insert(before);
                tracing::warn!(%error, "it cannot be written down that the service runs");
            }
        }
    }
}

async fn beat(app: &App, stalled: bool) -> sqlx::Result<()> {
    let ahead = measure(app).await;
    let mut tx = app.db.begin().await?;
    correct(app, ahead, &others(&mut tx, app, ahead).await?);
    let now = app.clock.now();
    let run = match app.node.run().filter(|_| !stalled) {
        Some(run) => run,
        None => store::begin_run(&mut tx, word(app, ahead), now).await?,
    };
    store::go_on(&mut tx, &run, word(app, ahead), now).await?;
    tx.commit().await?;
    app.node.goes_on_as(&run);
    Ok(())
}

/// It takes nothing new from now on.
pub async fn leave(app: &App) {
    let leaving = async {
        let Some(run) = app.node.run() else { return Ok(()) };
        let mut tx = app.db.begin().await?;
        store::stopping(&mut tx, &run, app.clock.now()).await?;
        tx.commit().await
    };
    match tokio::time::timeout(LAST_WORDS, leaving).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "it cannot be written down that this node stops"),
        Err(_) => tracing::warn!("it cannot be written down in time that this node stops"),
    }
}

/// Whatever this node still has in hand is anybody's from now on, and it is gone. What cannot be given back is left to
/// its leases.
pub async fn hand_back(app: &App) {
    let given = tokio::time::timeout(LAST_WORDS, hand_all_back(app)).await;
    match given {
        Ok(Ok(0)) => {}
        Ok(Ok(count)) => tracing::info!(count, "what was still in hand is given back"),
        Ok(Err(error)) => tracing::warn!(%error, "what is in hand cannot be given back; its leases will end"),
        Err(_) => tracing::warn!("what is in hand could not be given back in time; its leases will end"),
    }
    wire::tell(app, wire::Topic::Work).await;
}

async fn hand_all_back(app: &App) -> sqlx::Result<u64> {
    let mut given = 0;
    loop {
        let more = retried(|| try_to_hand_back(app)).await?;
        if more == 0 {
            return Ok(given);
        }
        given += more;
        // Rows that somebody was changing were left out; a moment later nobody is.
        tokio::time::sleep(A_MOMENT).await;
    }
}

async fn try_to_hand_back(app: &App) -> sqlx::Result<u64> {
    let (now, node) = (app.clock.now(), app.node.id());
    let mut tx = app.db.begin().await?;
    let given = timer::claim::release_of(&mut tx, node).await?
        + paging::store::release_of(&mut tx, node, now).await?
        + mail::store::release_of(&mut tx, node, now).await?;
    if let Some(run) = app.node.run() {
        store::end_run(&mut tx, &run, now).await?;
    }
    tx.commit().await?;
    Ok(given)
}

fn word(app: &App, clock_ahead: Option<TimeDelta>) -> store::Word<'_> {
    store::Word {
        node: app.node.name(),
        process: app.node.id(),
        version: env!("CARGO_PKG_VERSION"),
        revision: app.config.load().revision,
        clock_ahead,
    }
}

/// How far this machine's clock is ahead of the database's; `None` when it has none, or does not say.
async fn measure(app: &App) -> Option<TimeDelta> {
    let own = app.node.correction().own();
    if !own.is_wall() {
        return None;
    }
    match app.db.clock_ahead(own).await {
        Ok(ahead) => ahead,
        Err(error) => {
            tracing::warn!(%error, "the database's clock cannot be read");
            None
        }
    }
}

/// The runs of other nodes that are live, by this machine's clock or by the database's: either may be the wrong one.
async fn others(tx: &mut Tx, app: &App, ahead: Option<TimeDelta>) -> sqlx::Result<Vec<Run>> {
    let own = app.node.correction().own().now();
    let theirs = own - ahead.unwrap_or_default();
    let mut runs = store::recent(tx, own.min(theirs)).await?;
    runs.retain(|run| (run.is_live(own) || run.is_live(theirs)) && run.process.as_deref() != Some(app.node.id()));
    Ok(runs)
}

/// Goes by the time of the others, if this clock is the one that is wrong; and tells what is not as it should be.
fn correct(app: &App, ahead: Option<TimeDelta>, others: &[Run]) {
    metrics::gauge!("ringdown_nodes").set((others.len() + 1) as f64);
    let handsets = !others.is_empty() && app.settings.has_handsets();
    if app.node.0.handsets_told.swap(handsets, Ordering::Relaxed) != handsets && handsets {
        tracing::error!(
            nodes = others.len() + 1,
            "the built-in handsets ring on the node that pages alone, and several run: set a real carrier"
        );
    }
    let Some(ahead) = ahead else { return };
    metrics::gauge!("ringdown_clock_skew_seconds").set(ahead.as_seconds_f64());
    // One voice a machine: this one's earlier process, killed a moment ago, is none.
    let mut clocks: BTreeMap<&str, TimeDelta> = BTreeMap::new();
    for (name, theirs) in others.iter().filter_map(|run| run.node.as_deref().zip(run.clock_ahead)) {
        if name != app.node.name() {
            clocks.entry(name).or_insert(theirs);
        }
    }
    let clocks: Vec<TimeDelta> = clocks.into_values().collect();
    let before = app.node.correction().get();
    let back = skew::correction(ahead, &clocks, !before.is_zero());
    app.node.correction().set(back);
    metrics::gauge!("ringdown_clock_correction_seconds").set(back.as_seconds_f64());
    let (seconds, by) = (ahead.as_seconds_f64(), back.as_seconds_f64());
    let judged = match (back.is_zero(), ahead.abs() > skew::TOLERANCE) {
        (false, _) => CORRECTED,
        (true, true) => DIFFERS,
        (true, false) => RIGHT,
    };
    // Told once; the gauges tell it all the time.
    if app.node.0.clock_judged.swap(judged, Ordering::Relaxed) == judged {
        return;
    }
    match judged {
        CORRECTED => tracing::warn!(
            ahead = seconds,
            corrected = by,
            "this machine's clock is wrong; going by the others until it is set"
        ),
        DIFFERS => {
            tracing::warn!(ahead = seconds, "this machine's clock and the database's differ; one of them is wrong")
        }
        _ => tracing::info!(ahead = seconds, "this machine's clock is right again"),
    }
}

/// Everybody who runs, or did within the last day.
pub async fn nodes(app: &App) -> sqlx::Result<Vec<presence::Presence>> {
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    Ok(presence::nodes(&store::recent(&mut tx, now).await?, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::ManualHand,
        config::Config,
        report::{
            downtime::{Gap, Run as Ran, gaps},
            period::Period,
            store as reports,
        },
        server::settings::Settings,
    };

    async fn runs(app: &App, period: &Period) -> Vec<Ran> {
        reports::runs(&mut app.db.read().await.unwrap(), period).await.unwrap()
    }

    /// Moves the clock on, again and again, until what is written down is so.
    async fn wake(app: &App, hand: &ManualHand, period: &Period, step: TimeDelta, so: impl Fn(&[Ran]) -> bool) {
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
        begin(&app).await.unwrap();
        let stop = CancellationToken::new();
        let keeper = tokio::spawn(keep(app.clone(), stop.clone()));

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
        leave(&app).await;
        assert_eq!(nodes(&app).await.unwrap()[0].state, presence::State::Stopping);
        hand_back(&app).await;
        assert_eq!(nodes(&app).await.unwrap()[0].state, presence::State::Stopped);
        let last = runs(&app, &period).await[1];
        assert_eq!((last.last_seen_at, last.ended), (app.clock.now(), true));
    }
}
