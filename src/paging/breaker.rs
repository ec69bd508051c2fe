//! Whether a carrier is worth asking: after a run of failures it is left alone for a while, then tried once. Pure.

use chrono::TimeDelta;

use crate::{carrier::ErrorClass, clock::Time};

/// Failures in a row that open the breaker.
const FAILURES: u32 = 4;

/// How long an open breaker stays open the first time; it doubles up to [`LONGEST`].
const FIRST: TimeDelta = TimeDelta::seconds(10);

/// The longest a carrier is left alone.
const LONGEST: TimeDelta = TimeDelta::seconds(120);

/// What is known of one carrier's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    /// Not asked before this, while something else can be.
    open_until: Option<Time>,
    opened: u32,
}

impl Breaker {
    /// Whether it may be asked. After the pause one request goes through; the next ones wait for how that ends.
    pub fn allows(&self, now: Time) -> bool {
        self.open_until.is_none_or(|until| now >= until)
    }

    /// Until when it is left alone, if it is.
    pub fn open_until(&self) -> Option<Time> {
        self.open_until
    }

    /// It is about to be asked: an open breaker lets nobody else through for as long as it was open.
    pub fn asked(&mut self, now: Time) {
        if self.open_until.is_some_and(|until| now >= until) {
            self.open_until = Some(now + FIRST);
        }
    }

    /// It answered: well, or with an error of this class. A refusal for the address's sake is the carrier at work.
    pub fn heard(&mut self, error: Option<ErrorClass>, now: Time) {
        match error {
            None | Some(ErrorClass::PermanentContact | ErrorClass::PermanentRequest) => self.worked(),
            Some(_) => self.failed(now),
        }
    }

    /// It answered as it should, whatever the answer meant for the person called.
    pub fn worked(&mut self) {
        *self = Breaker::default();
    }

    /// It did not answer, or refused us altogether.
    pub fn failed(&mut self, now: Time) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            let pause = FIRST * (1 << self.opened.min(4));
            self.open_until = Some(now + pause.min(LONGEST));
            self.opened = self.opened.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        "2026-11-01T12:00:00Z".parse::<Time>().unwrap() + TimeDelta::seconds(seconds)
    }

    #[test]
    fn four_failures_in_a_row_open_it_and_one_success_closes_it() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            breaker.failed(at(0));
            assert!(breaker.allows(at(0)));
        }
        breaker.failed(at(0));
        assert!(!breaker.allows(at(9)));
        assert!(breaker.allows(at(10)));
        breaker.asked(at(10));
        assert!(!breaker.allows(at(11)), "only one goes through");
        breaker.worked();
        assert!(breaker.allows(at(11)));
    }

    #[test]
    fn each_failure_after_the_pause_doubles_it_up_to_two_minutes() {
        let mut breaker = Breaker::default();
        let (mut now, mut pauses) = (0, Vec::new());
        for _ in 0..3 {
            breaker.failed(at(now));
        }
        for _ in 0..6 {
            breaker.failed(at(now));
            let pause = (0..).find(|wait| breaker.allows(at(now + wait))).unwrap();
            pauses.push(pause);
            now += pause;
        }
        assert_eq!(pauses, [10, 20, 40, 80, 120, 120]);
    }
}
