//! Who watches the watchman: a heartbeat through the whole path of a page, and a thread that looks after the loops.
//!
//! Once a minute [`heartbeat`] knocks at our own door ([`door`]), as monitoring would; what it writes down goes through
//! the commit, the outbox, a pager and a carrier, and its receipt comes back. Each complete one is told to a dead-man
//! service outside ([`outside`]): when that hears nothing any more, whatever the reason, it calls somebody. The
//! [`overseer`] needs no runtime: it looks at the last turn of each loop ([`Pulse`]), feeds the supervisor's watchdog,
//! and notices when the wall clock is moved. [`health`] puts all of it into words.

pub mod answers;
pub mod beat;
pub mod disk;
pub mod door;
pub mod figures;
pub mod health;
pub mod heartbeat;
pub mod outside;
pub mod overseer;
pub mod pulse;
pub mod stall;
pub mod step;
pub mod store;

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;

pub use self::{beat::Beat, pulse::Pulse};
use crate::{clock::Time, id::AttemptId};

/// The loops that are looked after, and whether the supervisor restarts us for it: mails can wait.
pub const LOOPS: [(&str, bool); 3] = [("timers", true), ("pager", true), ("postman", false)];

/// What this process knows of its own health. Nothing here waits for the runtime or the database.
#[derive(Debug)]
pub struct Watch {
    /// This process among those that share a database.
    pub node: String,
    /// What our own knock shows at our own door.
    key: String,
    pub started_at: Time,
    pub timers: Pulse,
    pub pager: Pulse,
    pub postman: Pulse,
    /// Seconds that each of [`LOOPS`] has stalled for; 0: it goes on.
    stalled: [AtomicU64; 3],
    pub room: disk::Room,
    /// How the carriers answered.
    pub carriers: answers::Book,
    known: Mutex<Known>,
}

/// What changes rarely.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The last heartbeat of this node that ended.
    pub last: Option<Beat>,
    /// The last that was complete.
    pub complete: Option<Beat>,
    /// When the auditor finished its last round, and what it found.
    pub audit: Option<(Time, usize)>,
    /// How often the wall clock was moved, when last, and how far.
    pub steps: u64,
    pub last_step: Option<(Time, TimeDelta)>,
}

/// What the id of a heartbeat, and of its attempt, begins with.
const PREFIX: &str = "hbt";

/// Whether this is the attempt of a heartbeat.
pub fn is_heartbeat(attempt: &AttemptId) -> bool {
    attempt.as_str().strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('_'))
}

impl Watch {
    /// Nothing is known yet.
    pub fn new(node: &str, now: Time) -> Watch {
        Watch {
            node: node.into(),
            key: hex::encode(rand::random::<[u8; 32]>()),
            started_at: now,
            timers: Pulse::default(),
            pager: Pulse::default(),
            postman: Pulse::default(),
            stalled: Default::default(),
            room: disk::Room::default(),
            carriers: answers::Book::default(),
            known: Mutex::default(),
        }
    }

    /// The pulses of [`LOOPS`].
    pub fn pulses(&self) -> [&Pulse; 3] {
        [&self.timers, &self.pager, &self.postman]
    }

    /// What is known now.
    pub fn known(&self) -> Known {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A heartbeat ended.
    pub fn ended(&self, beat: &Beat) {
        let mut known = self.lock();
        known.last = Some(beat.clone());
        if beat.is_complete() {
            known.complete = Some(beat.clone());
        }
    }

    /// The auditor finished a round and found so many.
    pub fn audited(&self, now: Time, found: usize) {
        metrics::gauge!("ringdown_incidents_without_next_action").set(found as f64);
        self.lock().audit = Some((now, found));
    }

    /// The wall clock was moved.
    pub fn stepped(&self, now: Time, step: TimeDelta) {
        let mut known = self.lock();
        known.steps += 1;
        known.last_step = Some((now, step));
    }

    /// The loops that make no turns, and for how long.
    pub fn stalled(&self) -> Vec<(&'static str, Duration)> {
        let stalled = LOOPS.iter().zip(&self.stalled);
        stalled
            .map(|((name, _), seconds)| (*name, Duration::from_secs(seconds.load(Ordering::Relaxed))))
            .filter(|(_, silent)| !silent.is_zero())
            .collect()
    }
}
