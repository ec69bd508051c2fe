//! The date of Easter, by the two reckonings in use.

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

/// Whose Easter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Church {
    /// The Gregorian reckoning.
    Western,
    /// The Julian reckoning, given as a date of today's calendar.
    Orthodox,
}

/// Easter Sunday of a year; `None` before 1583, when there was only one calendar, or outside what a date can hold.
pub fn easter(church: Church, year: i32) -> Option<NaiveDate> {
    if !(1583..=9999).contains(&year) {
        return None;
    }
    match church {
        Church::Western => western(year),
        Church::Orthodox => orthodox(year),
    }
}

/// The anonymous Gregorian computus (Meeus, Astronomical Algorithms, chapter 8).
fn western(year: i32) -> Option<NaiveDate> {
    let golden = year % 19;
    let (century, of_century) = (year / 100, year % 100);
    let moon_shift = (8 * century + 13) / 25;
    let epact = (19 * golden + century - century / 4 - moon_shift + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    month_and_day(year, epact + weekday - 7 * late + 114)
}

/// The Julian computus (same chapter), moved to the Gregorian calendar.
fn orthodox(year: i32) -> Option<NaiveDate> {
    let epact = (19 * (year % 19) + 15) % 30;
    let weekday = (2 * (year % 4) + 4 * (year % 7) - epact + 34) % 7;
    // Both calendars agree on the names of days in March and April, so the difference is one of days alone.
    let behind = year / 100 - year / 400 - 2;
    month_and_day(year, epact + weekday + 114)?.checked_add_signed(TimeDelta::days(behind.into()))
}

fn month_and_day(year: i32, n: i32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, u32::try_from(n / 31).ok()?, u32::try_from(n % 31 + 1).ok()?)
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, Weekday};

    use super::*;

    #[test]
    fn easter_falls_where_the_almanacs_say() {
        for (year, western, orthodox) in [
            (1961, "1961-04-02", "1961-04-09"),
            (2000, "2000-04-23", "2000-04-30"),
            (2008, "2008-03-23", "2008-04-27"),
            (2017, "2017-04-16", "2017-04-16"),
            (2024, "2024-03-31", "2024-05-05"),
            (2025, "2025-04-20", "2025-04-20"),
            (2026, "2026-04-05", "2026-04-12"),
            (2038, "2038-04-25", "2038-04-25"),
        ] {
            assert_eq!(easter(Church::Western, year).unwrap().to_string(), western);
            assert_eq!(easter(Church::Orthodox, year).unwrap().to_string(), orthodox);
        }
    }

    #[test]
    fn easter_is_a_sunday_in_spring_in_every_year() {
        for year in 1583..=3000 {
            for church in [Church::Western, Church::Orthodox] {
                let date = easter(church, year).unwrap();
                assert_eq!((date.year(), date.weekday()), (year, Weekday::Sun), "{church:?}");
                assert!((3..=5).contains(&date.month()), "{date}");
            }
        }
        assert_eq!(easter(Church::Western, 1582), None);
    }
}
