//! Whoever tries out tokens of links is slowed down, by the network they come from.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{access::session::From, api::Problem, clock::Time};

/// So many wrong tokens a minute are looked up for one network, after which it gets none looked up, right or wrong. A
/// token has 80 random bits: at this rate even ten thousand networks would guess for 10^11 years. So the bound is there
/// for the database's sake, and far above what a whole office does by a link pasted badly in a bad night.
const MOST: u32 = 600;

/// More networks are not remembered within a minute; those share one account.
const MOST_NETWORKS: usize = 10_000;

/// Wrong tokens of the minute that runs. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Guesses(Arc<Mutex<Minute>>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    wrong: BTreeMap<String, u32>,
}

impl Guesses {
    /// 429 for whoever guessed wrong too often in this minute.
    pub(super) fn admit(&self, from: &From, now: Time) -> Result<(), Problem> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minute.of(now);
        let wrong = minute.wrong.get(minute.account(from)).copied().unwrap_or_default();
        if wrong < MOST { Ok(()) } else { Err(Problem::too_many("Too many wrong links. Wait a minute.", 60)) }
    }

    /// One more wrong one.
    pub(super) fn wrong(&self, from: &From, now: Time) {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minute.of(now);
        let account = minute.account(from).to_owned();
        *minute.wrong.entry(account).or_default() += 1;
    }
}

impl Minute {
    fn of(&mut self, now: Time) -> &mut Minute {
        let number = now.timestamp().div_euclid(60);
        if self.number != number {
            *self = Minute { number, wrong: BTreeMap::new() };
        }
        self
    }

    /// Under what its wrong ones are counted: its own name while there is room, else the one that the rest share.
    fn account<'a>(&self, from: &'a From) -> &'a str {
        let own = self.wrong.contains_key(&from.network) || self.wrong.len() < MOST_NETWORKS;
        if own { &from.network } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        "2026-11-01T12:00:00Z".parse::<Time>().unwrap() + chrono::TimeDelta::seconds(seconds)
    }

    fn from(network: &str) -> From {
        From { network: network.into(), agent: None }
    }

    #[test]
    fn whoever_guesses_waits_until_the_minute_is_over_and_others_do_not() {
        let guesses = Guesses::default();
        for _ in 0..MOST {
            assert!(guesses.admit(&from("203.0.113.0/24"), at(1)).is_ok());
            guesses.wrong(&from("203.0.113.0/24"), at(1));
        }
        let refused = guesses.admit(&from("203.0.113.0/24"), at(59)).unwrap_err();
        assert_eq!((refused.status, refused.retry_after), (429, Some(60)));
        assert!(guesses.admit(&from("203.0.114.0/24"), at(59)).is_ok());
        assert!(guesses.admit(&from("203.0.113.0/24"), at(60)).is_ok());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let guesses = Guesses::default();
        (0..20_000).for_each(|n| guesses.wrong(&from(&n.to_string()), at(0)));
        assert!(guesses.0.lock().unwrap().wrong.len() <= MOST_NETWORKS + 1);
        assert!(guesses.admit(&from("one more"), at(0)).is_err(), "those without an account of their own share one");
    }
}
