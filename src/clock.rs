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

    /// Whether it means to show the time of day, and not one of its own.
    fn is_wall(&self) -> bool {
        false
    }

    /// The lever by which it is made to run faster, where it has one.
    fn speed(&self) -> Option<Speed> {
        None
    }
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Clock::set_wrong(TimeDelta::zero())
    }

    /// The clock of a machine whose clock is ahead by this, or behind.
    pub fn set_wrong(ahead: TimeDelta) -> Self {
        Clock(Arc::new(System { ahead }))
    }

    /// The same clock, until the [`Correction`] sets it to another time.
    pub fn correctable(self) -> (Self, Correction) {
        let correction = Correction { own: self.clone(), set: Arc::default() };
        (Clock(Arc::new(Corrected { own: self.0, set: correction.set.clone() })), correction)
    }

    /// Whether it means to show the time of day, so that it can be held against another that does.
    pub fn is_wall(&self) -> bool {
        self.0.is_wall()
    }

    /// The lever of a clock that runs as fast as it is told ([`Clock::scaled`]); the machine's has none.
    pub fn speed(&self) -> Option<Speed> {
        self.0.speed()
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
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

struct System {
    ahead: TimeDelta,
}

impl Source for System {
    fn now(&self) -> Time {
        Utc::now() + self.ahead
    }

    fn sleep_until(&self, at: Time) -> BoxFuture<'static, ()> {
        nap(at - self.now())
    }

    fn sleep(&self, span: TimeDelta) -> Option<BoxFuture<'static, ()>> {
        Some(steady(span))
    }

    fn is_wall(&self) -> bool {
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

struct Corrected {
    own: Arc<dyn Source>,
    set: Arc<Mutex<Option<Set>>>,
}

/// A clock that was set: it goes on from there by itself, whatever becomes of the one it was set from, which somebody
/// may put right at any moment.
#[derive(Clone, Copy, Debug)]
struct Set {
    start: Time,
    since: Instant,
    back: TimeDelta,
}

impl Set {
    fn now(&self) -> Time {
        self.start + TimeDelta::from_std(self.since.elapsed()).unwrap_or_default()
    }
}

impl Corrected {
    fn set(&self) -> Option<Set> {
        *self.set.lock().expect("clock")
    }
}

impl Source for Corrected {
    fn now(&self) -> Time {
        self.set().map_or_else(|| self.own.now(), |set| set.now())
    }

    fn sleep_until(&self, at: Time) -> BoxFuture<'static, ()> {
        let Some(set) = self.set() else { return self.own.sleep_until(at) };
        nap(at - set.now())
    }

    fn sleep(&self, span: TimeDelta) -> Option<BoxFuture<'static, ()>> {
        self.own.sleep(span)
    }

    fn is_wall(&self) -> bool {
        self.own.is_wall()
    }

    fn speed(&self) -> Option<Speed> {
        self.own.speed()
    }
}

/// By how much a clock is moved back ([`Clock::correctable`]). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Correction {
    own: Clock,
    set: Arc<Mutex<Option<Set>>>,
}

impl Correction {
    /// The clock as it shows without being corrected.
    pub fn own(&self) -> &Clock {
        &self.own
    }

    /// What it was moved back by when it was last set; negative when it was moved on, zero when it is as it is.
    pub fn get(&self) -> TimeDelta {
        self.set.lock().expect("clock").map_or_else(TimeDelta::zero, |set| set.back)
    }

    /// Sets it to what its own shows now, less this, from where it goes on by the machine's even beat: a step of the
    /// wall clock does not move it any more. Zero: it is its own again.
    pub fn set(&self, back: TimeDelta) {
        let set = Set { start: self.own.now() - back, since: Instant::now(), back };
        *self.set.lock().expect("clock") = (!back.is_zero()).then_some(set);
    }
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

    fn speed(&self) -> Option<Speed> {
        Some(Speed(self.0.clone()))
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

    /// How many times as fast as the machine's clock it runs now.
    pub fn rate(&self) -> f64 {
        self.0.lock().expect("clock").rate
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

        fn is_wall(&self) -> bool {
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
        assert_eq!(clock.correctable().0.speed().map(|speed| speed.rate()), Some(60_000.0));
        assert!(Clock::system().speed().is_none());
    }

    #[tokio::test]
    async fn a_corrected_clock_shows_and_waits_for_the_corrected_time() {
        let (fast, correction) = Clock::set_wrong(TimeDelta::hours(1)).correctable();
        assert!(fast.is_wall() && fast.now() > Utc::now() + TimeDelta::minutes(59));
        correction.set(TimeDelta::hours(1));
        assert!((fast.now() - Utc::now()).abs() < TimeDelta::seconds(1));
        assert!(correction.own().now() > Utc::now() + TimeDelta::minutes(59));
        let soon = Utc::now() + TimeDelta::milliseconds(50);
        fast.sleep_until(soon).await;
        assert!(Utc::now() >= soon - TimeDelta::milliseconds(1));
    }

    #[tokio::test]
    async fn a_corrected_clock_does_not_follow_when_the_one_it_was_set_from_is_put_right() {
        let start = "2026-11-01T00:00:00Z".parse().unwrap();
        let (slow, hand) = Clock::manual(start);
        let (clock, correction) = slow.correctable();
        correction.set(-TimeDelta::hours(1));
        hand.set(start + TimeDelta::hours(1));
        assert!(clock.now() - (start + TimeDelta::hours(1)) < TimeDelta::minutes(1), "{clock:?}");
        correction.set(TimeDelta::zero());
        assert_eq!(clock.now(), start + TimeDelta::hours(1));
    }

    #[test]
    fn a_clock_keeps_no_more_than_microseconds() {
        assert_eq!(Clock::system().now().timestamp_subsec_nanos() % 1000, 0);
    }
}
