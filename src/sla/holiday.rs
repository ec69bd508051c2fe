//! Which dates are holidays: rules that hold for every year, and dates written out one by one.

use std::{collections::BTreeMap, fmt, str::FromStr};

use chrono::{Datelike, Month, NaiveDate, TimeDelta, Weekday};
use serde::{Deserialize, Serialize};

use super::easter::{Church, easter};
use crate::id::HolidaySetKey;

/// The holidays of one country or firm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolidaySet {
    /// The name of its file in `schedules/holidays/`.
    pub key: HolidaySetKey,
    /// For people.
    pub title: String,
    pub holidays: Vec<Holiday>,
}

/// One holiday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    pub name: String,
    pub day: Day,
    #[serde(default, skip_serializing_if = "Observed::is_never")]
    pub observed: Observed,
    /// The first year it holds; since ever if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i32>,
    /// The last year it holds; for good if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i32>,
}

/// On which day of a year. Written as people say it: `December 25`, `third Monday of January`,
/// `last Monday of May`, `Orthodox Easter + 50`, or one date, `2026-06-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Day {
    /// The same date every year; February 29 only in leap years.
    Fixed(Month, u8),
    /// The first (1) to fifth such weekday of a month; a fifth that does not come is no holiday.
    Nth(u8, Weekday, Month),
    /// The last such weekday of a month.
    Last(Weekday, Month),
    /// So many days after Easter Sunday.
    Easter(Church, i16),
    /// One date of one year.
    Once(NaiveDate),
}

/// When a holiday that falls on a weekend is taken: on the nearest such weekday, as well as on its own date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturday: Option<Weekday>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunday: Option<Weekday>,
}

impl HolidaySet {
    /// The holidays of these years, both included, with their names.
    pub fn dates(&self, from: i32, to: i32) -> BTreeMap<NaiveDate, &str> {
        let mut dates = BTreeMap::new();
        for holiday in &self.holidays {
            // New Year's Day may be taken in the old year.
            let years = from.saturating_sub(1).max(holiday.from.unwrap_or(i32::MIN))
                ..=to.saturating_add(1).min(holiday.to.unwrap_or(i32::MAX));
            let days = years.filter_map(|year| holiday.day.in_year(year));
            for day in days.flat_map(|day| [Some(day), holiday.observed.shifted(day)]).flatten() {
                if (from..=to).contains(&day.year()) {
                    dates.entry(day).or_insert(holiday.name.as_str());
                }
            }
        }
        dates
    }

    /// The last year any of it holds; `None` when some of it holds for good.
    pub fn last_year(&self) -> Option<i32> {
        let last = |holiday: &Holiday| match holiday.day {
            Day::Once(date) => Some(date.year()),
            _ => holiday.to,
        };
        self.holidays.iter().map(last).collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

impl Day {
    /// The date in a year, if there is one.
    pub fn in_year(self, year: i32) -> Option<NaiveDate> {
        match self {
            Day::Fixed(month, day) => NaiveDate::from_ymd_opt(year, month.number_from_month(), day.into()),
            Day::Nth(n, weekday, month) => {
                NaiveDate::from_weekday_of_month_opt(year, month.number_from_month(), weekday, n)
            }
            Day::Last(weekday, month) => (4..=5).rev().find_map(|n| Day::Nth(n, weekday, month).in_year(year)),
            Day::Easter(church, days) => easter(church, year)?.checked_add_signed(TimeDelta::days(days.into())),
            Day::Once(date) => (date.year() == year).then_some(date),
        }
    }
}

impl Observed {
    /// Always on its own date.
    pub fn is_never(&self) -> bool {
        *self == Observed::default()
    }

    fn shifted(self, date: NaiveDate) -> Option<NaiveDate> {
        let to = match date.weekday() {
            Weekday::Sat => self.saturday?,
            Weekday::Sun => self.sunday?,
            _ => return None,
        };
        // The nearest: Saturday to Friday is the day before, to Monday the day after the next.
        let ahead = i64::from(to.days_since(date.weekday()));
        date.checked_add_signed(TimeDelta::days(if ahead > 3 { ahead - 7 } else { ahead }))
    }
}

/// Not a day of the year.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a day of the year; write for example `December 25`, `third Monday of January`, `last Monday of May`, \
     `Western Easter - 2`, `Orthodox Easter + 50` or `2026-06-01`"
)]
pub struct BadDay(String);

const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

impl FromStr for Day {
    type Err = BadDay;

    fn from_str(text: &str) -> Result<Self, BadDay> {
        read(&text.to_ascii_lowercase()).ok_or_else(|| BadDay(text.chars().take(40).collect()))
    }
}

fn read(text: &str) -> Option<Day> {
    if let Ok(date) = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d") {
        return (1970..=2200).contains(&date.year()).then_some(Day::Once(date));
    }
    let spaced = text.replace('+', " + ").replace('-', " - ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    match words[..] {
        ["western", "easter", ref rest @ ..] => Some(Day::Easter(Church::Western, offset(rest)?)),
        ["orthodox", "easter", ref rest @ ..] => Some(Day::Easter(Church::Orthodox, offset(rest)?)),
        ["last", weekday, "of" | "in", month] => Some(Day::Last(weekday.parse().ok()?, month.parse().ok()?)),
        [nth, weekday, "of" | "in", month] => {
            let n = ORDINALS.iter().position(|ordinal| *ordinal == nth)? + 1;
            Some(Day::Nth(n as u8, weekday.parse().ok()?, month.parse().ok()?))
        }
        [month, day] => {
            let day = Day::Fixed(month.parse().ok()?, whole(day)?.try_into().ok()?);
            // A leap year has every date there is.
            day.in_year(2024).map(|_| day)
        }
        _ => None,
    }
}

fn offset(words: &[&str]) -> Option<i16> {
    match words {
        [] => Some(0),
        ["+", days] => whole(days),
        ["-", days] => Some(-whole(days)?),
        _ => None,
    }
    .filter(|days| (-100..=200).contains(days))
}

fn whole(digits: &str) -> Option<i16> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Day::Fixed(month, day) => write!(f, "{} {day}", month.name()),
            Day::Nth(n, weekday, month) => {
                let ordinal = ORDINALS.get(usize::from(*n).wrapping_sub(1)).unwrap_or(&"fifth");
                write!(f, "{ordinal} {} of {}", long(*weekday), month.name())
            }
            Day::Last(weekday, month) => write!(f, "last {} of {}", long(*weekday), month.name()),
            Day::Easter(church, days) => {
                let church = if *church == Church::Western { "Western" } else { "Orthodox" };
                match days {
                    0 => write!(f, "{church} Easter"),
                    _ => write!(f, "{church} Easter {} {}", if *days < 0 { '-' } else { '+' }, days.unsigned_abs()),
                }
            }
            Day::Once(date) => date.fmt(f),
        }
    }
}

fn long(weekday: Weekday) -> &'static str {
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        [weekday.num_days_from_monday() as usize]
}

impl TryFrom<String> for Day {
    type Error = BadDay;

    fn try_from(text: String) -> Result<Self, BadDay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holiday(day: &str, observed: Observed) -> Holiday {
        Holiday { name: day.into(), day: day.parse().unwrap(), observed, from: None, to: None }
    }

    fn dates(holidays: Vec<Holiday>, from: i32, to: i32) -> Vec<String> {
        let set = HolidaySet { key: "x".into(), title: "X".into(), holidays };
        set.dates(from, to).keys().map(ToString::to_string).collect()
    }

    #[test]
    fn days_are_written_as_people_say_them() {
        for (text, written, in_2026) in [
            ("december 25", "December 25", Some("2026-12-25")),
            ("Feb 29", "February 29", None),
            ("third monday of january", "third Monday of January", Some("2026-01-19")),
            ("Fourth Thursday in November", "fourth Thursday of November", Some("2026-11-26")),
            ("fifth Monday of February", "fifth Monday of February", None),
            ("last Monday of May", "last Monday of May", Some("2026-05-25")),
            ("last sun of feb", "last Sunday of February", Some("2026-02-22")),
            ("Western Easter - 2", "Western Easter - 2", Some("2026-04-03")),
            ("orthodox easter+50", "Orthodox Easter + 50", Some("2026-06-01")),
            ("Orthodox Easter", "Orthodox Easter", Some("2026-04-12")),
            ("2026-07-09", "2026-07-09", Some("2026-07-09")),
            ("2025-07-09", "2025-07-09", None),
        ] {
            let day: Day = text.parse().unwrap();
            assert_eq!(day.to_string(), written);
            assert_eq!(written.parse::<Day>().unwrap(), day);
            assert_eq!(day.in_year(2026).map(|date| date.to_string()).as_deref(), in_2026, "{text}");
        }
    }

    #[test]
    fn what_is_no_day_of_the_year_is_refused() {
        for text in [
            "",
            "easter",
            "December",
            "December 32",
            "February 30",
            "April 31",
            "sixth Monday of May",
            "zeroth Monday of May",
            "first Moonday of May",
            "2026-02-29",
            "1666-09-02",
            "Western Easter + 900",
            "December +25",
            "May 1 2026",
            "Western Easter + -2",
            "December 999999",
        ] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_holiday_on_a_weekend_is_taken_on_the_weekday_named() {
        let federal = Observed { saturday: Some(Weekday::Fri), sunday: Some(Weekday::Mon) };
        assert_eq!(
            dates(vec![holiday("July 4", federal)], 2026, 2027),
            ["2026-07-03", "2026-07-04", "2027-07-04", "2027-07-05"]
        );
        // Christmas and Boxing Day in England.
        let christmas = Observed { saturday: Some(Weekday::Mon), sunday: Some(Weekday::Tue) };
        assert_eq!(
            dates(vec![holiday("December 25", christmas)], 2021, 2022),
            ["2021-12-25", "2021-12-27", "2022-12-25", "2022-12-27"]
        );
    }

    #[test]
    fn new_years_day_may_be_taken_in_the_old_year() {
        let federal = Observed { saturday: Some(Weekday::Fri), sunday: None };
        assert_eq!(dates(vec![holiday("January 1", federal)], 2027, 2027), ["2027-01-01", "2027-12-31"]);
    }

    #[test]
    fn a_holiday_holds_in_its_years_only() {
        let mut june = holiday("June 19", Observed::default());
        (june.from, june.to) = (Some(2021), Some(2022));
        assert_eq!(dates(vec![june.clone()], 2019, 2026), ["2021-06-19", "2022-06-19"]);
        let set = |holidays| HolidaySet { key: "x".into(), title: "X".into(), holidays };
        assert_eq!(set(vec![june.clone(), holiday("2023-01-02", Observed::default())]).last_year(), Some(2023));
        assert_eq!(set(vec![june, holiday("May 1", Observed::default())]).last_year(), None);
    }
}
