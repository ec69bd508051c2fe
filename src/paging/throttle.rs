//! How often one number may be rung. Carriers block a caller that rings too often, and a person who is rung
//! without end switches the phone off.

use crate::{clock::Time, people::Channel, span::Span};

/// At most `count` in any stretch of `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub count: u16,
    pub per: Span,
}

/// The limits for one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub voice: Vec<Limit>,
    pub sms: Vec<Limit>,
}

impl Default for Limits {
    fn default() -> Self {
        let limit = |count, minutes| Limit { count, per: Span::minutes(minutes) };
        Limits {
            voice: vec![limit(1, 1), limit(3, 15), limit(5, 60)],
            sms: vec![limit(5, 1), limit(20, 15), limit(60, 60)],
        }
    }
}

impl Limits {
    /// When this number may next be tried, given when it was tried (`recent`, in any order). `now` or earlier: at once.
    pub fn free_at(&self, channel: Channel, recent: &[Time], now: Time) -> Time {
        let limits = match channel {
            Channel::Voice => &self.voice,
            Channel::Sms => &self.sms,
        };
        let mut tried: Vec<Time> = recent.iter().copied().filter(|at| *at <= now).collect();
        tried.sort_unstable();
        let free = |limit: &Limit| match tried.len().checked_sub(limit.count.into()) {
            // The oldest of the last `count` must have left the stretch.
            Some(oldest) if limit.count > 0 => tried[oldest] + limit.per.delta(),
            _ => now,
        };
        limits.iter().map(free).max().unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_number_is_rung_once_a_minute_three_times_a_quarter_and_five_times_an_hour() {
        let limits = Limits::default();
        let now: Time = "2026-11-01T12:00:00Z".parse().unwrap();
        let ago = |minutes: i64| now - TimeDelta::minutes(minutes);
        let free = |recent: &[Time]| (limits.free_at(Channel::Voice, recent, now) - now).num_seconds();
        assert_eq!(free(&[]), 0);
        assert_eq!(free(&[now - TimeDelta::seconds(20)]), 40);
        assert!(free(&[ago(2), ago(1)]) <= 0);
        assert_eq!(free(&[ago(6), ago(4), ago(2)]), 9 * 60);
        assert_eq!(free(&[ago(50), ago(40), ago(30), ago(20), ago(16)]), 10 * 60);
    }
}
