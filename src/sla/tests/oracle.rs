//! The oracle steps minute by minute, reads the wall clock and looks at the openings, one by one. Nothing of it is
//! shared with the code it judges but the calendar itself.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, NaiveDate, TimeDelta, Weekday};
use proptest::{prelude::*, sample::Index};

use super::*;
use crate::{
    sla::{
        calendar::{Hours, Opening, WEEK},
        holiday::{Day, Holiday},
    },
    span::Span,
};

/// Zones with the days around which something happens to their clocks.
const EVENTS: [(&str, &str); 28] = [
    ("UTC", "2026-05-10"),
    ("UTC", "2025-04-17"),
    ("Asia/Kathmandu", "2026-05-10"),
    ("Asia/Kolkata", "2026-03-01"),
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("Europe/Bucharest", "2026-03-29"),
    ("Europe/Bucharest", "2026-10-25"),
    ("Europe/Dublin", "2027-03-28"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("America/Chicago", "2037-11-01"),
    ("America/Chicago", "2050-03-13"),
    ("America/Vancouver", "2026-11-01"),
    ("America/Havana", "2025-11-02"),
    ("America/Sao_Paulo", "2017-10-15"),
    ("America/Caracas", "2016-05-01"),
    ("America/St_Johns", "2006-10-29"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Cairo", "2023-04-28"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Antarctica/Troll", "2026-10-25"),
    ("Asia/Pyongyang", "2018-05-05"),
    ("Asia/Tehran", "2021-03-22"),
    ("Pacific/Apia", "2011-12-30"),
    ("Pacific/Kwajalein", "1993-08-21"),
    ("Pacific/Chatham", "2026-04-05"),
];

/// Days before the event at which the oracle's minutes begin, and how many days they cover.
const BEFORE: i64 = 3;
const DAYS: i64 = 8;
const MINUTES: i64 = DAYS * 24 * 60;

/// One question: seconds after the window's beginning, seconds of open time, seconds until another instant.
type Question = (i64, i64, i64);

#[derive(Clone, Debug)]
struct Trial {
    calendar: Calendar,
    begin: i64,
    questions: Vec<Question>,
}

fn hours() -> impl Strategy<Value = Hours> {
    // Quarters of an hour make touching and overlapping hours likely; odd minutes come too.
    let minute = || prop_oneof![4 => (0..=96u16).prop_map(|quarter| quarter * 15), 1 => 0..=1440u16];
    (minute(), minute()).prop_filter_map("no length", |(from, to)| Hours::new(from, to))
}

fn opening() -> impl Strategy<Value = Opening> {
    let days = prop_oneof![
        Just(WEEK.to_vec()),
        Just(WEEK[..5].to_vec()),
        proptest::sample::subsequence(WEEK.to_vec(), 1..=7),
    ];
    (days, prop_oneof![6 => hours(), 1 => Just(Hours::ALL_DAY)]).prop_map(|(days, hours)| Opening { days, hours })
}

fn trial(questions: usize) -> impl Strategy<Value = Trial> {
    let exceptions = prop::collection::btree_map(0..DAYS, prop::collection::vec(hours(), 0..3), 0..3);
    let holidays = prop::collection::btree_set(0..DAYS, 0..4);
    let question = (0..MINUTES * 60, prop_oneof![Just(0), 1..7200i64, 1..200_000i64], 0..200_000i64);
    let questions = prop::collection::vec(question, questions);
    let openings = prop::collection::vec(opening(), 1..4);
    (any::<Index>(), openings, exceptions, holidays, questions).prop_map(
        |(event, openings, exceptions, holidays, questions)| {
            let (zone, day) = EVENTS[event.index(EVENTS.len())];
            let first = day.parse::<NaiveDate>().unwrap() - TimeDelta::days(BEFORE);
            let date = |n: i64| first + TimeDelta::days(n);
            let holiday = |n| Holiday {
                name: "a day".into(),
                day: Day::Once(date(n)),
                observed: Default::default(),
                from: None,
                to: None,
            };
            let holidays = holidays.into_iter().map(holiday).collect();
            let set = HolidaySet { key: "days".into(), title: "Days".into(), holidays };
            let calendar = Calendar {
                key: "random".into(),
                title: "Random".into(),
                zone: zone.parse().unwrap(),
                openings,
                holidays: vec![Arc::new(set)],
                exceptions: exceptions.into_iter().map(|(n, hours)| (date(n), hours)).collect::<BTreeMap<_, _>>(),
                day: Span::minutes(480),
            };
            let begin = first.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
            Trial { calendar, begin, questions }
        },
    )
}

/// Whether each minute of the window is open.
fn minutes(trial: &Trial) -> Vec<bool> {
    let zone = jiff::tz::TimeZone::get(trial.calendar.zone.name()).unwrap();
    (0..MINUTES)
        .map(|minute| {
            let wall = jiff::Timestamp::from_second(trial.begin + minute * 60).unwrap();
            let wall = zone.to_datetime(wall);
            let date = NaiveDate::from_ymd_opt(wall.year().into(), wall.month() as u32, wall.day() as u32).unwrap();
            open_at(&trial.calendar, date, wall.hour() as u16 * 60 + wall.minute() as u16)
        })
        .collect()
}

/// Does the calendar say open when the clock on the wall shows this?
fn open_at(calendar: &Calendar, date: NaiveDate, minute: u16) -> bool {
    use chrono::Datelike;
    let is_holiday = |date: NaiveDate| {
        calendar.holidays.iter().flat_map(|set| &set.holidays).any(|holiday| holiday.day == Day::Once(date))
    };
    let in_week = |weekday: Weekday, minute: u16| {
        calendar.openings.iter().any(|opening| {
            opening.days.contains(&weekday) && (opening.hours.from()..opening.hours.to()).contains(&minute)
        })
    };
    let began = |date: NaiveDate, minute: u16| match calendar.exceptions.get(&date) {
        Some(hours) => hours.iter().any(|hours| (hours.from()..hours.to()).contains(&minute)),
        None => !is_holiday(date) && in_week(date.weekday(), minute),
    };
    let closed_to_yesterday = calendar.exceptions.contains_key(&date) || is_holiday(date);
    began(date, minute) || (!closed_to_yesterday && began(date.pred_opt().unwrap(), minute + 1440))
}

/// Steps from `start` until `open` seconds were open: `None` if the window ends first.
fn step_due(minutes: &[bool], start: i64, mut open: i64) -> Option<i64> {
    let mut now = start;
    while open > 0 {
        let next = (now / 60 + 1) * 60;
        if *minutes.get((now / 60) as usize)? {
            if open <= next - now {
                return Some(now + open);
            }
            open -= next - now;
        }
        now = next;
    }
    Some(now)
}

fn step_elapsed(minutes: &[bool], from: i64, to: i64) -> i64 {
    let (mut now, mut open) = (from, 0);
    while now < to {
        let next = ((now / 60 + 1) * 60).min(to);
        open += if minutes[(now / 60) as usize] { next - now } else { 0 };
        now = next;
    }
    open
}

fn judge(trial: &Trial) -> Result<(), TestCaseError> {
    let minutes = minutes(trial);
    let compiled = Compiled::new(trial.calendar.clone());
    let instant = |offset: i64| DateTime::from_timestamp(trial.begin + offset, 0).unwrap();
    let end = MINUTES * 60;
    for (start, open, further) in &trial.questions {
        let (from, until) = (instant(*start), (start + further).min(end));
        let due = compiled.due_in(from, TimeDelta::seconds(*open));
        match step_due(&minutes, *start, *open) {
            Some(expected) => prop_assert_eq!(due, Ok(instant(expected)), "due {} {}", from, open),
            None => prop_assert!(due.is_err() || due.unwrap() >= instant(end), "due {} {}: {:?}", from, open, due),
        }
        let elapsed = TimeDelta::seconds(step_elapsed(&minutes, *start, until));
        prop_assert_eq!(compiled.elapsed(from, instant(until)), Ok(elapsed), "elapsed {} {}", from, instant(until));
        let open_now = minutes[(start / 60) as usize];
        prop_assert_eq!(compiled.is_open(from), Ok(open_now), "is open {}", from);
        let next = (start / 60..MINUTES).find(|minute| minutes[*minute as usize]);
        let next = next.map(|minute| (minute * 60).max(*start));
        match (next, compiled.next_open(from)) {
            (Some(next), found) => prop_assert_eq!(found, Ok(instant(next)), "next open {}", from),
            (None, found) => prop_assert!(found.is_err() || found.unwrap() >= instant(end), "next open {}", from),
        }
    }
    Ok(())
}

/// 100,000 questions in the suite; `RINGDOWN_ORACLE_CASES=10000000` for a long run.
#[test]
fn the_arithmetic_agrees_with_a_clock_that_steps_by_the_minute() {
    const EACH: u32 = 500;
    let cases = std::env::var("RINGDOWN_ORACLE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100_000u32);
    let config = ProptestConfig { cases: cases.div_ceil(EACH), max_shrink_iters: 300, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let found = runner.run(&trial(EACH as usize), |trial| judge(&trial));
    if let Err(error) = found {
        panic!("{error}");
    }
}
