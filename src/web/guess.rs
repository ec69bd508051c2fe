//! Whoever tries out tokens of links is slowed down, by where they come from.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use axum::extract::ConnectInfo;

use crate::{api::Problem, clock::Time};

/// So many wrong tokens a minute are looked up for one address.
const MOST: u32 = 30;

/// The same for one of this machine or the own network: a proxy stands for everybody behind it.
const MOST_OF_PROXY: u32 = 600;

/// More addresses are not remembered within a minute; those share one account.
const MOST_ADDRESSES: usize = 10_000;

/// Wrong tokens of the minute that runs. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Guesses(Arc<Mutex<Minute>>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    wrong: BTreeMap<Option<IpAddr>, u32>,
}

/// Where a request comes from, as the listener noted it.
pub(super) type From = Option<axum::Extension<ConnectInfo<SocketAddr>>>;

/// The address whose account it is: of IPv6, the network of one household.
pub(super) fn address(from: &From) -> Option<IpAddr> {
    from.as_ref().map(|from| match from.0.0.ip().to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & (u128::MAX << 64)).into()),
        four => four,
    })
}

impl Guesses {
    /// 429 for whoever guessed wrong too often in this minute.
    pub(super) fn admit(&self, from: Option<IpAddr>, now: Time) -> Result<(), Problem> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = minute.of(now).wrong.get(&from).copied().unwrap_or_default();
        let most = if from.is_some_and(near) { MOST_OF_PROXY } else { MOST };
        if wrong < most { Ok(()) } else { Err(Problem::too_many("Too many wrong links. Wait a minute.", 60)) }
    }

    /// One more wrong one.
    pub(super) fn wrong(&self, from: Option<IpAddr>, now: Time) {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minute.of(now);
        let known = minute.wrong.contains_key(&from) || minute.wrong.len() < MOST_ADDRESSES;
        *minute.wrong.entry(from.filter(|_| known)).or_default() += 1;
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
}

/// Of this machine, or of a network that is not the internet.
fn near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => (ip.to_bits() >> 64) == 0 || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        "2026-11-01T12:00:00Z".parse::<Time>().unwrap() + chrono::TimeDelta::seconds(seconds)
    }

    fn from(address: &str) -> Option<IpAddr> {
        let ip: IpAddr = address.parse().unwrap();
        super::address(&Some(axum::Extension(ConnectInfo(SocketAddr::new(ip, 1)))))
    }

    #[test]
    fn whoever_guesses_waits_until_the_minute_is_over_and_others_do_not() {
        let guesses = Guesses::default();
        for _ in 0..MOST {
            assert!(guesses.admit(from("203.0.113.9"), at(1)).is_ok());
            guesses.wrong(from("203.0.113.9"), at(1));
        }
        let refused = guesses.admit(from("203.0.113.9"), at(59)).unwrap_err();
        assert_eq!((refused.status, refused.retry_after), (429, Some(60)));
        assert!(guesses.admit(from("203.0.113.10"), at(59)).is_ok());
        assert!(guesses.admit(from("203.0.113.9"), at(60)).is_ok());
    }

    #[test]
    fn a_household_is_one_and_a_proxy_is_many() {
        assert_eq!(from("2001:db8:1:2::1"), from("2001:db8:1:2:ffff::9"));
        assert_ne!(from("2001:db8:1:2::1"), from("2001:db8:1:3::1"));
        assert_eq!(from("::ffff:203.0.113.9"), from("203.0.113.9"));
        let guesses = Guesses::default();
        for near in ["127.0.0.1", "10.0.0.7", "::1", "fd00::1"] {
            (0..MOST).for_each(|_| guesses.wrong(from(near), at(0)));
            assert!(guesses.admit(from(near), at(0)).is_ok(), "{near}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let guesses = Guesses::default();
        for n in 0..20_000u32 {
            guesses.wrong(Some(IpAddr::V4((0x0100_0000 + n).into())), at(0));
        }
        assert!(guesses.0.lock().unwrap().wrong.len() <= MOST_ADDRESSES + 1);
    }
}
