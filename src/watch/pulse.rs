//! When a loop last came round. Written by the loop, read from anywhere, also when the runtime stands still.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The turns of one loop.
#[derive(Debug)]
pub struct Pulse {
    base: Instant,
    /// Turns of any kind.
    turns: AtomicU64,
    /// Turns that found the database in order.
    good: AtomicU64,
    /// When the last was, in milliseconds since `base`.
    last: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        Pulse { base: Instant::now(), turns: AtomicU64::new(0), good: AtomicU64::new(0), last: AtomicU64::new(0) }
    }
}

impl Pulse {
    /// The loop came round, and did what it had to.
    pub fn turn(&self) {
        self.good.fetch_add(1, Ordering::Relaxed);
        self.came_round();
    }

    /// The loop came round, and could not do what it had to. It is not stuck: a restart would not help.
    pub fn came_round(&self) {
        self.last.store(self.base.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.turns.fetch_add(1, Ordering::Release);
    }

    /// The loop could not do what it had to, for this reason. Where nobody else can hold the connections of an embedded
    /// database, one that is not to be had for long is held by something of ours that is stuck: that is no turn.
    pub fn failed(&self, ours_alone: bool, error: &sqlx::Error) {
        if !(ours_alone && matches!(error, sqlx::Error::PoolTimedOut)) {
            self.came_round();
        }
    }

    /// How often it came round.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Acquire)
    }

    /// How often it did what it had to.
    pub fn good(&self) -> u64 {
        self.good.load(Ordering::Acquire)
    }

    /// Since it last came round, or since the process started.
    pub fn age(&self) -> Duration {
        self.base.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_a_turn_and_our_own_connection_that_is_never_free_is_none() {
        for (ours, error, turns) in [
            (true, sqlx::Error::PoolTimedOut, 0),
            (false, sqlx::Error::PoolTimedOut, 1),
            (true, sqlx::Error::PoolClosed, 1),
        ] {
            let pulse = Pulse::default();
            pulse.failed(ours, &error);
            assert_eq!((pulse.turns(), pulse.good()), (turns, 0), "{ours} {error}");
        }
    }
}
