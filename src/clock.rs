//! Time as an argument. The running service reads one [`Clock`]; tests, rehearsals and the demo hand in another.
//!
//! tokio's own paused time is not used: it breaks the database pool.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use futures::future::BoxFuture;
use tokio::sync::watch;

/// An instant, in UTC, to the microsecond (PostgreSQL keeps no more).
pub type Time = DateTime<Utc>;

/// Where the service gets the time of day from, and how it waits for one.
#[derive(Clone)]
pub struct Clock(Arc<dyn Source>);

trait Source: Send + Sync {
    fn now(&self) -> Time;
    fn sleep_until(&self, at: Time) -> BoxFuture<'static, ()>;

    /// Waits for so much time to pass, where that is not the same as waiting for an instant. `None`: it is.
    fn sleep(&self, span: TimeDelta) -> Option<BoxFuture<'static, ()>> {
        let _ = span;
        None
    }

    /// Whether it is the machine's, which others set.
    fn is_the_machines(&self) -> bool {
        false
    }
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Clock(Arc::new(System))
    }

    /// A clock that starts at `start` and runs `rate` times as fast as the machine's, and the lever to change that.
    pub fn scaled(start: Time, rate: f64) -> (Self, Speed) {
        let gear = Arc::new(Mutex::new(Gear { start, since: Instant::now(), rate }));
        (Clock(Arc::new(Scaled(gear.clone()))), Speed(gear))
    }

    /// A clock that stands still until it is moved, and the hand that moves it.
    pub fn manual(start: Time) -> (Self, ManualHand) {
        let (sender, receiver) = watch::channel(start.trunc_subsecs(6));
        (Clock(Arc::new(Manual { receiver })), ManualHand { sender: Arc::new(Mutex::new(sender)) })
    }

    /// The time now, truncated to the microsecond so that both databases give back what was stored.
    pub fn now(&self) -> Time {
        self.0.now().trunc_subsecs(6)
    }

    /// Waits until the clock shows `at` or later. Returns at once for the past.
    pub async fn sleep_until(&self, at: Time) {
        while self.now() < at {
            self.0.sleep_until(at).await;
        }
    }

    /// Waits for `span` of this clock's time to pass. The machine's clock may be set meanwhile: neither makes that the
    /// wait longer, as waiting for an instant would be, nor shorter.
    pub async fn sleep(&self, span: TimeDelta) {
        match self.0.sleep(span) {
            Some(sleep) => sleep.await,
            None => self.sleep_until(self.now() + span).await,
        }
    }

    /// Whether it is the machine's, which others set.
    pub fn is_the_machines(&self) -> bool {
        self.0.is_the_machines()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

struct System;

impl Source for System {
    fn now(&self) -> Time {
        Utc::now()
    }

    fn sleep_until(&self, at: Time) -> BoxFuture<'static, ()> {
        nap(at - Utc::now())
    }

    fn sleep(&self, span: TimeDelta) -> Option<BoxFuture<'static, ()>> {
        Some(steady(span))
    }

    fn is_the_machines(&self) -> bool {
        true
    }
}

/// A part of a wait for an instant. Looked at again every second, so that a step of the wall clock cannot oversleep.
fn nap(left: TimeDelta) -> BoxFuture<'static, ()> {
    let wait = left.to_std().unwrap_or_default();
    Box::pin(tokio::time::sleep(wait.clamp(Duration::from_micros(200), Duration::from_secs(1))))
}

/// By the clock that only goes on: what is done every minute is done every minute, whatever day it is set to.
fn steady(span: TimeDelta) -> BoxFuture<'static, ()> {
    Box::pin(tokio::time::sleep(span.to_std().unwrap_or_default()))
}

/// How a scaled clock runs since its rate was last changed.
struct Gear {
    start: Time,
    since: Instant,
    rate: f64,
}

impl Gear {
    fn now(&self) -> Time {
        self.start + TimeDelta::microseconds((self.since.elapsed().as_micros() as f64 * self.rate) as i64)
    }
}

struct Scaled(Arc<Mutex<Gear>>);

impl Source for Scaled {
    fn now(&self) -> Time {
        self.0.lock().expect("clock").now()
    }

    fn sleep_until(&self, at: Time) -> BoxFuture<'static, ()> {
        let gear = self.0.lock().expect("clock");
        let wait = (at - gear.now()).to_std().unwrap_or_default().div_f64(gear.rate.max(0.001));
        // The rate may change meanwhile.
        Box::pin(tokio::time::sleep(wait.clamp(Duration::from_micros(200), Duration::from_millis(20))))
    }
}

/// The lever of a scaled clock.
#[derive(Clone)]
pub struct Speed(Arc<Mutex<Gear>>);

impl Speed {
    /// From now on, `rate` times as fast as the machine's clock.
    pub fn set(&self, rate: f64) {
        let mut gear = self.0.lock().expect("clock");
        *gear = Gear { start: gear.now(), since: Instant::now(), rate };
    }
}

struct Manual {
    receiver: watch::Receiver<Time>,
}

impl Source for Manual {
    fn now(&self) -> Time {
        *self.receiver.borrow()
    }

    fn sleep_until(&self, at: Time) -> BoxFuture<'static, ()> {
        let mut receiver = self.receiver.clone();
        Box::pin(async move {
            if receiver.wait_for(|now| *now >= at).await.is_err() {
                // The hand is gone: this clock will never move again.
                std::future::pending::<()>().await;
            }
        })
    }
}

/// Moves a manual clock. Only forward: a test of a backward step uses its own clock.
#[derive(Clone)]
pub struct ManualHand {
    sender: Arc<Mutex<watch::Sender<Time>>>,
}

impl ManualHand {
    /// What the clock shows.
    pub fn now(&self) -> Time {
        *self.sender.lock().expect("clock").borrow()
    }

    /// Puts the clock to `at`; an earlier instant is ignored.
    pub fn set(&self, at: Time) {
        let sender = self.sender.lock().expect("clock");
        sender.send_if_modified(|now| {
            let later = at > *now;
            if later {
                *now = at.trunc_subsecs(6);
            }
            later
        });
    }
}

#[cfg(test)]
pub mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// A machine whose wall clock is set while it runs: off by so many seconds.
    #[derive(Clone, Default)]
    pub struct Set(Arc<AtomicI64>);

    impl Set {
        pub fn clock(&self) -> Clock {
            Clock(Arc::new(self.clone()))
        }

        pub fn by(&self, seconds: i64) {
            self.0.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    impl Source for Set {
        fn now(&self) -> Time {
            Utc::now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
        }

        fn sleep_until(&self, at: Time) -> BoxFuture<'static, ()> {
            nap(at - self.now())
        }

        fn sleep(&self, span: TimeDelta) -> Option<BoxFuture<'static, ()>> {
            Some(steady(span))
        }

        fn is_the_machines(&self) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn a_clock_set_forward_wakes_who_is_due_within_a_second_and_one_set_back_wakes_nobody_early() {
        let wait = |seconds| Duration::from_millis(seconds);
        for (set, left, due) in [(7200, 3600, true), (-3600, 1, false)] {
            let machine = Set::default();
            let clock = machine.clock();
            let sleeper = tokio::spawn(async move { clock.sleep_until(clock.now() + TimeDelta::seconds(left)).await });
            tokio::time::sleep(wait(100)).await;
            machine.by(set);
            tokio::time::sleep(wait(1600)).await;
            assert_eq!(sleeper.is_finished(), due, "set by {set}");
            machine.by(7200);
            tokio::time::timeout(wait(1600), sleeper).await.expect("it never sleeps past its instant").unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_done_every_so_often_is_not_put_off_by_a_clock_set_back() {
        let machine = Set::default();
        let clock = machine.clock();
        let sleeper = tokio::spawn(async move { clock.sleep(TimeDelta::milliseconds(300)).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        machine.by(-3600);
        tokio::time::timeout(Duration::from_secs(2), sleeper).await.expect("not an hour").unwrap();
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_its_sleepers_only_when_moved() {
        let start = "2026-11-01T00:00:00Z".parse().unwrap();
        let (clock, hand) = Clock::manual(start);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(start + TimeDelta::minutes(5)).await }
        });
        hand.set(start + TimeDelta::minutes(4));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!sleeper.is_finished());
        hand.set(start + TimeDelta::minutes(5));
        sleeper.await.unwrap();
    }

    #[tokio::test]
    async fn a_scaled_clock_runs_as_fast_as_it_is_told() {
        let start = "2026-11-01T00:00:00Z".parse().unwrap();
        let (clock, speed) = Clock::scaled(start, 0.001);
        speed.set(60_000.0);
        clock.sleep(TimeDelta::minutes(20)).await;
        assert!(clock.now() >= start + TimeDelta::minutes(20));
    }

    #[test]
    fn a_clock_keeps_no_more_than_microseconds() {
        assert_eq!(Clock::system().now().timestamp_subsec_nanos() % 1000, 0);
    }
}
