//! What is shown of this node's health: to metrics, to `/readyz`, to the API.

use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::gauge;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    LOOPS,
    beat::{Beat, Covers, Leg},
    health::{Database, Facts, Health, health},
    store,
};
use crate::{clock::Time, server::App, store::Tx};

/// How the service watches itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchView {
    /// This process among those that share a database; new at each start.
    pub node: String,
    pub started_at: DateTime<Utc>,
    /// What is wrong, in words; empty when nothing is.
    pub troubles: Vec<String>,
    /// The last heartbeat of this node; `null` before the first and when they are off.
    pub heartbeat: Option<HeartbeatView>,
    /// When the last complete one ended.
    pub complete_at: Option<DateTime<Utc>>,
    /// Milliseconds since each loop came round.
    pub loops: Vec<LoopView>,
    /// When the auditor last looked for open incidents without a next action, and how many it found (and put right).
    pub audited_at: Option<DateTime<Utc>>,
    pub without_next_action: Option<usize>,
    /// How often the wall clock was moved by more than a second since the start; when last, and by how many seconds.
    pub clock_steps: u64,
    pub clock_stepped_at: Option<DateTime<Utc>>,
    pub clock_step_seconds: Option<f64>,
    /// Where the database lies; `null` when that is not on this machine.
    pub disk_free_bytes: Option<u64>,
}

/// One loop.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoopView {
    pub name: &'static str,
    pub idle_ms: u64,
}

/// One heartbeat.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeartbeatView {
    pub begun_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub complete: bool,
    pub carrier: String,
    pub covers: Covers,
    /// The legs that it passed.
    pub legs: Vec<LegView>,
    /// The leg it did not get past.
    pub stuck_at: Option<Leg>,
    /// In a sentence.
    pub words: String,
}

/// One leg, passed.
#[derive(Debug, Serialize, ToSchema)]
pub struct LegView {
    pub leg: Leg,
    pub ms: f64,
}

impl From<&Beat> for HeartbeatView {
    fn from(beat: &Beat) -> Self {
        let legs = beat.legs().into_iter();
        HeartbeatView {
            begun_at: beat.begun_at,
            ended_at: beat.ended_at,
            complete: beat.is_complete(),
            carrier: beat.carrier.to_string(),
            covers: beat.covers,
            legs: legs
                .map(|(leg, took)| LegView { leg, ms: took.num_microseconds().unwrap_or(i64::MAX) as f64 / 1000.0 })
                .collect(),
            stuck_at: beat.failed,
            words: beat.words(),
        }
    }
}

/// How this node is, given how its database is.
pub fn of(app: &App, database: Database) -> Health {
    let known = app.watch.known();
    health(&Facts {
        now: app.clock.now(),
        started_at: app.watch.started_at,
        database,
        stalled: app.watch.stalled(),
        disk_free: app.watch.room.free(),
        disk_floor: app.settings.watch.disk_floor,
        every: app.settings.watch.heartbeat.as_ref().map(|heartbeat| heartbeat.every),
        complete_at: known.complete.as_ref().and_then(|beat| beat.ended_at),
        last: known.last,
        audit: known.audit,
    })
}

/// For the API.
pub fn view(app: &App) -> WatchView {
    let (watch, known) = (&app.watch, app.watch.known());
    let health = of(app, Database::Answers);
    WatchView {
        node: watch.node.clone(),
        started_at: watch.started_at,
        troubles: health.reasons.into_iter().chain(health.notes).collect(),
        heartbeat: known.last.as_ref().map(Into::into),
        complete_at: known.complete.as_ref().and_then(|beat| beat.ended_at),
        loops: ages(app).map(|(name, age)| LoopView { name, idle_ms: age.as_millis() as u64 }).collect(),
        audited_at: known.audit.map(|(at, _)| at),
        without_next_action: known.audit.map(|(_, found)| found),
        clock_steps: known.steps,
        clock_stepped_at: known.last_step.map(|(at, _)| at),
        clock_step_seconds: known.last_step.map(|(_, step)| step.as_seconds_f64()),
        disk_free_bytes: watch.room.free(),
    }
}

fn ages(app: &App) -> impl Iterator<Item = (&'static str, Duration)> {
    LOOPS.iter().zip(app.watch.pulses()).map(|((name, _), pulse)| (*name, pulse.age())).collect::<Vec<_>>().into_iter()
}

/// Sets the gauges that are worked out when somebody asks: those of this process, and those of the database.
pub async fn measure(app: &App, tx: &mut Tx, now: Time) -> sqlx::Result<()> {
    of_the_process(app, now);
    let oldest = store::oldest_pending_page(tx, now).await?;
    gauge!("ringdown_oldest_pending_page_seconds").set(oldest.map_or(0.0, |made| seconds(now, made)));
    let leases = store::leases(tx, now).await?;
    for (work, count) in [("timers", leases.timers), ("attempts", leases.attempts), ("mails", leases.mails)] {
        gauge!("ringdown_leases_held", "work" => work).set(count as f64);
    }
    gauge!("ringdown_database_bytes").set(store::size(tx).await? as f64);
    Ok(())
}

/// Those that need no database.
pub fn of_the_process(app: &App, now: Time) {
    let known = app.watch.known();
    if app.settings.watch.heartbeat.is_some() {
        let complete = known.complete.as_ref().and_then(|beat| beat.ended_at);
        gauge!("ringdown_heartbeat_age_seconds").set(seconds(now, complete.unwrap_or(app.watch.started_at)));
        if let Some(took) = known.complete.as_ref().and_then(Beat::total) {
            gauge!("ringdown_heartbeat_seconds").set(took.as_seconds_f64());
        }
    }
    for (name, age) in ages(app) {
        gauge!("ringdown_loop_last_turn_seconds", "loop" => name).set(age.as_secs_f64());
    }
    let audited = known.audit.map_or(app.watch.started_at, |(at, _)| at);
    gauge!("ringdown_audit_age_seconds").set(seconds(now, audited));
    if let Some(free) = app.watch.room.free() {
        gauge!("ringdown_disk_free_bytes").set(free as f64);
    }
    if let Some(wal) = app.watch.room.wal() {
        gauge!("ringdown_wal_bytes").set(wal as f64);
    }
}

fn seconds(now: Time, since: Time) -> f64 {
    (now - since).as_seconds_f64().max(0.0)
}
