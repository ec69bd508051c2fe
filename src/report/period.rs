//! The stretch of time that a report is about. Pure.

use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};

use crate::{clock::Time, sla::Zone};

/// The longest period of one report.
pub const LONGEST: TimeDelta = TimeDelta::days(400);

/// From an instant (included) to another (not included).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: Time,
    pub to: Time,
}

/// Why something is no period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPeriod {
    #[error("`{0}` must be a date such as 2026-11-01, or an instant with its offset such as 2026-11-01T00:00:00Z")]
    Unreadable(&'static str),
    #[error("`to` must be after `from`")]
    Backwards,
    #[error("a report covers {} days at most", LONGEST.num_days())]
    TooLong,
}

impl Period {
    /// From two dates or instants. A date means its first moment in the zone, so that `to` is the first day that is no
    /// longer in the period. Without `to`, until `now`.
    pub fn read(from: &str, to: Option<&str>, zone: &Zone, now: Time) -> Result<Period, BadPeriod> {
        let from = bound(from, zone).ok_or(BadPeriod::Unreadable("from"))?;
        let to = match to {
            Some(to) => bound(to, zone).ok_or(BadPeriod::Unreadable("to"))?,
            None => now,
        };
        match to - from {
            length if length <= TimeDelta::zero() => Err(BadPeriod::Backwards),
            length if length > LONGEST => Err(BadPeriod::TooLong),
            _ => Ok(Period { from, to }),
        }
    }

    /// Whether an instant is in it.
    pub fn has(&self, at: Time) -> bool {
        self.from <= at && at < self.to
    }
}

/// A date's first moment, or an instant.
fn bound(text: &str, zone: &Zone) -> Option<Time> {
    let text = text.trim();
    match text.len() {
        10 => start_of(text.parse().ok()?, zone),
        11..=40 => Some(chrono::DateTime::parse_from_rfc3339(text).ok()?.to_utc()),
        _ => None,
    }
}

/// The first moment of a day. Some days begin late, and some are left out: then it is the first moment after.
fn start_of(day: NaiveDate, zone: &Zone) -> Option<Time> {
    let midnight = day.and_time(NaiveTime::MIN);
    // No zone ever left out more than a day; changes are by whole quarters of an hour, or older than we are.
    let steps = (0..=4 * 48).filter_map(|quarter| midnight.checked_add_signed(TimeDelta::minutes(15 * quarter)));
    steps.filter_map(|local| zone.from_local_datetime(&local).earliest()).map(|at| at.to_utc()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn read(from: &str, to: &str, zone: &str) -> Result<Period, BadPeriod> {
        Period::read(from, Some(to), &zone.parse().unwrap(), at("2026-11-22T06:00:00Z"))
    }

    #[test]
    fn a_date_is_its_first_moment_where_the_zone_is() {
        let november = read("2026-11-01", "2026-12-01", "America/New_York").unwrap();
        assert_eq!((november.from, november.to), (at("2026-11-01T04:00:00Z"), at("2026-12-01T05:00:00Z")));
        assert!(november.has(november.from) && !november.has(november.to));
        // Beirut's clocks go from midnight to one; Samoa had no 30 December in 2011.
        assert_eq!(read("2026-03-29", "2026-03-30", "Asia/Beirut").unwrap().from, at("2026-03-28T22:00:00Z"));
        assert_eq!(read("2011-12-30", "2012-01-01", "Pacific/Apia").unwrap().from, at("2011-12-30T10:00:00Z"));
    }

    #[test]
    fn an_instant_is_itself_and_without_an_end_the_period_ends_now() {
        let mixed = read("2026-11-01T01:30:00-05:00", "2026-11-02", "UTC").unwrap();
        assert_eq!((mixed.from, mixed.to), (at("2026-11-01T06:30:00Z"), at("2026-11-02T00:00:00Z")));
        let open = Period::read("2026-11-01", None, &Zone::utc(), at("2026-11-22T06:00:00Z")).unwrap();
        assert_eq!(open.to, at("2026-11-22T06:00:00Z"));
    }

    #[test]
    fn what_is_no_period_is_refused_with_the_reason() {
        for (from, to, expected) in [
            ("yesterday", "2026-11-02", BadPeriod::Unreadable("from")),
            ("2026-11-01", "2026-11-31", BadPeriod::Unreadable("to")),
            ("2026-11-01", "2026-11-02T00:00:00", BadPeriod::Unreadable("to")),
            ("", "", BadPeriod::Unreadable("from")),
            ("2026-11-01", "2026-11-01", BadPeriod::Backwards),
            ("2026-11-02", "2026-11-01", BadPeriod::Backwards),
            ("2025-01-01", "2026-11-01", BadPeriod::TooLong),
        ] {
            assert_eq!(read(from, to, "UTC"), Err(expected), "{from} {to}");
        }
    }
}
