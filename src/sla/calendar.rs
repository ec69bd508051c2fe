//! When a promise's clock runs: openings of the week in a zone, less holidays, but for dated exceptions.
//!
//! A calendar is open at an instant when the wall clock of its zone shows an open time at that instant. So an hour
//! skipped in spring is never open, an hour that comes twice in autumn is open twice, and a date the zone skips
//! altogether does not count.
//!
//! A date belongs to itself: a holiday or an exception holds from midnight to midnight, and ends an opening that
//! began the evening before.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    sync::Arc,
};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use super::{Zone, holiday::HolidaySet};
use crate::{id::CalendarKey, span::Span};

/// Minutes of a day.
pub const DAY: u16 = 24 * 60;
/// All seven days, Monday first.
pub const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// The key of the calendar that is never closed; it exists whether or not it is written.
pub const ALWAYS: &str = "always";

/// A calendar, complete in itself: what it was pinned to stays known when the file changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    pub key: CalendarKey,
    /// For people.
    pub title: String,
    pub zone: Zone,
    /// When it is open in an ordinary week.
    pub openings: Vec<Opening>,
    /// Closed on their dates.
    pub holidays: Vec<Arc<HolidaySet>>,
    /// Dates with hours of their own, holiday or not; none means closed.
    pub exceptions: BTreeMap<NaiveDate, Vec<Hours>>,
    /// How much open time one business day is.
    pub day: Span,
}

/// The same hours on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub days: Vec<Weekday>,
    pub hours: Hours,
}

/// Hours that begin on one day and may end on the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    from: u16,
    to: u16,
}

impl Hours {
    /// All of a day.
    pub const ALL_DAY: Hours = Hours { from: 0, to: DAY };

    /// From one minute of the day to another. When the second is earlier it is of the next day; hours without
    /// length are refused.
    pub fn new(from: u16, to: u16) -> Option<Self> {
        let sound = from < DAY && to <= DAY && from != to;
        sound.then_some(Hours { from, to: if to > from { to } else { to + DAY } })
    }

    /// Minutes after the midnight they begin on.
    pub fn from(self) -> u16 {
        self.from
    }

    /// Minutes after the same midnight, more than a day's if they end on the next.
    pub fn to(self) -> u16 {
        self.to
    }
}

impl Calendar {
    /// The one that needs no file: open around the clock, in UTC.
    pub fn always() -> Self {
        Calendar {
            key: ALWAYS.into(),
            title: "Around the clock".into(),
            zone: Zone::utc(),
            openings: vec![Opening { days: WEEK.to_vec(), hours: Hours::ALL_DAY }],
            holidays: Vec::new(),
            exceptions: BTreeMap::new(),
            day: Span::minutes(DAY as u32),
        }
    }

    /// Whether it is never closed.
    pub fn is_always_open(&self) -> bool {
        let no_holidays = self.holidays.iter().all(|set| set.holidays.is_empty());
        let whole = |weekday: &Weekday| {
            let before = self.weekly(weekday.pred()).map(|hours| (0, hours.to.saturating_sub(DAY)));
            let own = self.weekly(*weekday).map(|hours| (hours.from, hours.to.min(DAY)));
            merged(before.chain(own).collect()) == [(0, DAY)]
        };
        no_holidays && self.exceptions.is_empty() && WEEK.iter().all(whole)
    }

    /// The dates of these years that are holidays.
    pub fn holidays(&self, from: i32, to: i32) -> BTreeSet<NaiveDate> {
        self.holidays.iter().flat_map(|set| set.dates(from, to).into_keys()).collect()
    }

    /// The open stretches of one date, in minutes after its midnight, in order and not touching each other.
    /// `holidays` must know this date and the one before.
    pub fn open_on(&self, date: NaiveDate, holidays: &BTreeSet<NaiveDate>) -> Vec<(u16, u16)> {
        let mut stretches: Vec<_> =
            self.beginning_on(date, holidays).into_iter().map(|hours| (hours.from, hours.to.min(DAY))).collect();
        let ordinary = !self.exceptions.contains_key(&date) && !holidays.contains(&date);
        if let Some(before) = date.pred_opt().filter(|_| ordinary) {
            let over_midnight = self.beginning_on(before, holidays).into_iter().filter(|hours| hours.to > DAY);
            stretches.extend(over_midnight.map(|hours| (0, hours.to - DAY)));
        }
        merged(stretches)
    }

    fn beginning_on(&self, date: NaiveDate, holidays: &BTreeSet<NaiveDate>) -> Vec<Hours> {
        match self.exceptions.get(&date) {
            Some(hours) => hours.clone(),
            None if holidays.contains(&date) => Vec::new(),
            None => self.weekly(date.weekday()).collect(),
        }
    }

    fn weekly(&self, weekday: Weekday) -> impl Iterator<Item = Hours> {
        self.openings.iter().filter(move |opening| opening.days.contains(&weekday)).map(|opening| opening.hours)
    }
}

fn merged(mut stretches: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    stretches.retain(|(from, to)| from < to);
    stretches.sort_unstable();
    let mut merged: Vec<(u16, u16)> = Vec::with_capacity(stretches.len());
    for (from, to) in stretches {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// Not a pair of times of day.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` are not hours; write for example `09:00-17:00`")]
pub struct BadHours(String);

/// Minutes after midnight of `09:30`; `24:00` is the end of the day.
pub fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str| {
        (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse::<u16>().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60).then_some(hours * 60 + minutes).filter(|minute| *minute <= DAY)
}

impl FromStr for Hours {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let read = || {
            let (from, to) = text.split_once('-')?;
            Hours::new(minute_of_day(from)?, minute_of_day(to)?)
        };
        read().ok_or_else(|| BadHours(text.chars().take(20).collect()))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = if self.to > DAY { self.to - DAY } else { self.to };
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.from / 60, self.from % 60, to / 60, to % 60)
    }
}

impl TryFrom<String> for Hours {
    type Error = BadHours;

    fn try_from(text: String) -> Result<Self, BadHours> {
        text.parse()
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> String {
        hours.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str) -> Hours {
        text.parse().unwrap()
    }

    /// Nights on weekdays, 22:00 to 06:00.
    fn nights() -> Calendar {
        Calendar {
            openings: vec![Opening { days: WEEK[..5].to_vec(), hours: hours("22:00-06:00") }],
            ..Calendar::always()
        }
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn hours_read_and_write_the_same() {
        for text in ["09:00-17:00", "22:00-06:00", "00:00-24:00", "18:00-24:00", "12:00-11:59"] {
            assert_eq!(hours(text).to_string(), text);
        }
        for text in
            ["09:00-09:00", "9:00-17:00", "24:00-06:00", "09:00-25:00", "09:60-10:00", "09:00", "09:00-24:01", ""]
        {
            assert!(text.parse::<Hours>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_night_belongs_to_two_dates() {
        let none = BTreeSet::new();
        assert_eq!(nights().open_on(date("2026-06-01"), &none), [(1320, 1440)], "Monday");
        assert_eq!(nights().open_on(date("2026-06-02"), &none), [(0, 360), (1320, 1440)], "Tuesday");
        assert_eq!(nights().open_on(date("2026-06-06"), &none), [(0, 360)], "Saturday");
        assert_eq!(nights().open_on(date("2026-06-07"), &none), [], "Sunday");
    }

    #[test]
    fn a_holiday_is_closed_from_midnight_to_midnight() {
        let tuesday = BTreeSet::from([date("2026-06-02")]);
        assert_eq!(nights().open_on(date("2026-06-02"), &tuesday), []);
        assert_eq!(
            nights().open_on(date("2026-06-03"), &tuesday),
            [(1320, 1440)],
            "nothing began on the evening before"
        );
    }

    #[test]
    fn an_exception_stands_in_place_of_the_week_and_of_a_holiday() {
        let mut calendar = nights();
        calendar.exceptions.insert(date("2026-06-02"), vec![hours("10:00-12:00"), hours("23:00-01:00")]);
        let tuesday = BTreeSet::from([date("2026-06-02")]);
        assert_eq!(calendar.open_on(date("2026-06-02"), &tuesday), [(600, 720), (1380, 1440)]);
        assert_eq!(calendar.open_on(date("2026-06-03"), &tuesday), [(0, 60), (1320, 1440)]);
    }

    #[test]
    fn around_the_clock_is_known_however_it_is_written() {
        assert!(Calendar::always().is_always_open());
        let mut halves = Calendar::always();
        let half = |text| Opening { days: WEEK.to_vec(), hours: hours(text) };
        halves.openings = vec![half("06:00-18:00"), half("18:00-06:00")];
        assert!(halves.is_always_open());
        halves.exceptions.insert(date("2026-12-25"), vec![]);
        assert!(!halves.is_always_open());
        assert!(!nights().is_always_open());
    }
}
