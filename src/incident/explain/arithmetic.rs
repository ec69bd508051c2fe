//! The sum of a term, day by day: how much of it each day of the calendar gave.

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta};

use super::clock::{Words, day, hours};
use crate::{
    clock::Time,
    incident::ledger::reckon::Count,
    sla::{Calendar, Compiled, zone::instant_of},
};

/// The days in between are told one by one up to so many.
const FEW: usize = 2;
/// So many closed dates are named.
const MOST_CLOSED: usize = 5;
/// A term over more days is not told day by day.
const LONGEST: i64 = 4000;

/// How a term was counted.
#[derive(Default)]
pub(super) struct Sum {
    /// `30 min were left that day, then Mon 7 h 30 min`; empty where it is plain without.
    pub steps: String,
    /// Sentences about the holidays on the way, each after a blank.
    pub closed: String,
}

/// How a term was counted up to when it would have been due had it never stood still; the holidays up to when it is.
pub(super) fn counted(count: &Count, words: Words<'_>) -> Sum {
    let first_due = count.pauses.first().map_or(count.due, |pause| pause.was_due);
    let Some(calendar) = words.calendar(&count.term) else { return Sum::default() };
    sum(calendar, (count.from, first_due), count.due, words).unwrap_or_default()
}

/// The same for any calendar and two instants; `None` where there is nothing to tell.
pub(super) fn sum(calendar: &Compiled, (from, due): (Time, Time), end: Time, words: Words<'_>) -> Option<Sum> {
    let zone = &calendar.calendar().zone;
    if end.year() > 2199 || (end - from).num_days() > LONGEST {
        return None;
    }
    let date = |at: Time| at.with_timezone(zone).date_naive();
    let midnight = |date: NaiveDate| instant_of(zone, date.and_time(NaiveTime::MIN));
    let (first, last) = (date(from), date(due));
    let mut days = Vec::new();
    for date in first.iter_days().take_while(|date| *date <= last) {
        let (start, end) = (midnight(date).max(from), midnight(date.succ_opt()?).min(due));
        let open = calendar.elapsed(start, end).ok()?;
        if open > TimeDelta::zero() {
            days.push((date, open));
        }
    }
    let (begins, (_, begin_open)) = (calendar.next_open(from).ok()?, *days.first()?);
    let mut steps = Vec::new();
    if days.len() > 1 || begins > from {
        let open = hours(begin_open);
        steps.push(match (begins > from, days.len() > 1) {
            (true, true) => format!("{open} counted from {}", words.told(begins, from)),
            (true, false) => format!("counted from {}", words.told(begins, from)),
            (false, _) if begin_open == TimeDelta::hours(1) => format!("{open} was left that day"),
            (false, _) => format!("{open} were left that day"),
        });
    }
    if days.len() > 1 {
        let middle = &days[1..days.len() - 1];
        if middle.len() > FEW {
            steps.push(format!("then {} whole days", middle.len()));
        } else {
            steps.extend(middle.iter().map(|(date, open)| format!("then {}", told(*date, *open, first))));
        }
        steps.extend(days.last().map(|(date, open)| format!("then {}", told(*date, *open, first))));
    }
    Some(Sum { steps: steps.join(", "), closed: closed(calendar.calendar(), first, date(end)) })
}

fn told(date: NaiveDate, open: TimeDelta, near: NaiveDate) -> String {
    format!("{} {}", day(date, near), hours(open))
}

/// The dates on the way that are not as their weekday is.
fn closed(calendar: &Calendar, first: NaiveDate, last: NaiveDate) -> String {
    let holidays = calendar.holidays(first.year() - 1, last.year());
    let name = |date: NaiveDate| {
        let of = |set: &crate::sla::HolidaySet| {
            set.dates(date.year(), date.year()).get(&date).map(|name| (*name).to_owned())
        };
        calendar.holidays.iter().find_map(|set| of(set))
    };
    let ordinary = |date: NaiveDate| calendar.openings.iter().any(|opening| opening.days.contains(&date.weekday()));
    let mut special = Vec::new();
    for date in first.iter_days().take_while(|date| *date <= last) {
        let told = date.format("%a %-d %b");
        match calendar.exceptions.get(&date) {
            Some(open) if open.is_empty() => special.push(format!("{told} is closed")),
            Some(open) => {
                let open: Vec<String> = open.iter().map(ToString::to_string).collect();
                special.push(format!("{told} is open {}", open.join(" and ")));
            }
            None if holidays.contains(&date) && ordinary(date) => {
                special.push(format!("{told} is {}", name(date).unwrap_or_else(|| "a holiday".into())));
            }
            None => {}
        }
    }
    let more = special.len().saturating_sub(MOST_CLOSED);
    special.truncate(MOST_CLOSED);
    match (special.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(" {}.", special.join(", ")),
        (false, more) => format!(" {}, and {more} more days are not as usual.", special.join(", ")),
    }
}
