//! Clock times, spans and hours as people say them.

use chrono::{Datelike, MappedLocalTime, NaiveDate, Offset, TimeDelta, TimeZone, Weekday};

use crate::{
    clock::Time,
    sla::{
        Compiled, Plan, Term, Zone,
        calendar::{Hours, Opening, WEEK},
    },
};

/// More openings than this are not told one by one.
const MOST_OPENINGS: usize = 4;

/// Whose clock and whose plan the words are about.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub plan: &'a Plan,
    /// The customer's.
    pub zone: &'a Zone,
    pub not_before: Option<Time>,
}

impl<'a> Words<'a> {
    /// The calendar of a term, if it is ever closed.
    pub fn calendar(self, term: &Term) -> Option<&'a Compiled> {
        let calendar = self.plan.calendars.get(&term.calendar)?;
        (!calendar.calendar().is_always_open()).then_some(calendar)
    }

    /// `30 min, around the clock`, `8 h of Support hours, Chicago (Mon-Fri 08:00-17:00)`. The calendar's zone is named
    /// where it is not the customer's.
    pub fn term(self, term: &Term) -> String {
        let Some(calendar) = self.calendar(term) else {
            return format!("{}, around the clock", spoken(self.plan.length(term)));
        };
        let calendar = calendar.calendar();
        let amount = match term.within.to_string().split_once("bd") {
            Some((days, rest)) => {
                let plural = if days == "1" { "" } else { "s" };
                let rest = rest.parse::<crate::span::Span>().map(|rest| format!(" and {}", hours(rest.delta())));
                let day = hours(calendar.day.delta());
                let each = if days == "1" { "" } else { " each" };
                format!("{days} business day{plural} ({day}{each}){}", rest.unwrap_or_default())
            }
            None => hours(self.plan.length(term)),
        };
        let zone = match calendar.zone == *self.zone {
            true => String::new(),
            false => format!(" {} time", place(&calendar.zone)),
        };
        format!("{amount} of {} ({}{zone})", calendar.title, openings(&calendar.openings))
    }

    /// An amount of open time of a term's calendar: never in days, which are of another length there.
    pub fn open(self, open: TimeDelta, term: &Term) -> String {
        if self.calendar(term).is_some() { hours(open) } else { spoken(open) }
    }

    /// A day and a clock time: `Fri 20 Nov 2026 16:30`.
    pub fn dated(self, at: Time) -> String {
        if at.year() > 9999 {
            return "at no time there is".into();
        }
        let there = at.with_timezone(self.zone);
        format!("{} {}", there.format("%a %-d %b %Y"), self.clock(at))
    }

    /// A clock time, with the day when it is not that of `near`, and the offset where the clocks were changed between
    /// them.
    pub fn told(self, at: Time, near: Time) -> String {
        if at.year() > 9999 || near.year() > 9999 {
            return self.dated(at);
        }
        let (there, near) = (at.with_timezone(self.zone), near.with_timezone(self.zone));
        let mut clock = self.clock(at);
        if there.offset().fix() != near.offset().fix() && !twice(at, self.zone) {
            clock.push_str(&format!(" (UTC{})", there.offset().fix()));
        }
        match day(there.date_naive(), near.date_naive()) {
            day if day.is_empty() => clock,
            day => format!("{day} {clock}"),
        }
    }

    /// To the second, unless it is a full minute; with the offset when the clocks show this time twice.
    fn clock(self, at: Time) -> String {
        let there = at.with_timezone(self.zone);
        let clock = there.format(if at.timestamp() % 60 != 0 { "%H:%M:%S" } else { "%H:%M" }).to_string();
        if twice(at, self.zone) { format!("{clock} (UTC{})", there.offset().fix()) } else { clock }
    }
}

/// A date as one says it on the date `near`: nothing, `Mon`, `Mon 30 Nov`, with the year where that is another.
pub(super) fn day(date: NaiveDate, near: NaiveDate) -> String {
    let form = match (date - near).num_days() {
        0 => return String::new(),
        1..=6 => "%a",
        _ if date.year() == near.year() => "%a %-d %b",
        _ => "%a %-d %b %Y",
    };
    date.format(form).to_string()
}

/// How long after it was due it was written down.
pub(super) fn after(due: Time, at: Time) -> String {
    if at - due < TimeDelta::minutes(1) { "at once".into() } else { format!("{} later", length(due, at)) }
}

/// From one instant to a later one.
pub(super) fn length(from: Time, to: Time) -> String {
    spoken((to - from).max(TimeDelta::zero()))
}

/// `1 d 1 h 30 min`.
pub(super) fn spoken(span: TimeDelta) -> String {
    in_units(span, &[(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")])
}

/// The same without days.
pub(super) fn hours(span: TimeDelta) -> String {
    in_units(span, &[(3600, "h"), (60, "min"), (1, "s")])
}

fn in_units(span: TimeDelta, units: &[(i64, &str)]) -> String {
    let mut rest = span.num_seconds();
    let mut parts = Vec::new();
    for (unit, name) in units {
        if rest >= *unit {
            parts.push(format!("{} {name}", rest / unit));
            rest %= unit;
        }
    }
    if parts.is_empty() { "0 s".into() } else { parts.join(" ") }
}

/// `Mon-Fri 08:00-17:00`.
fn openings(openings: &[Opening]) -> String {
    let told = openings.iter().take(MOST_OPENINGS).map(|opening| match opening.hours {
        Hours::ALL_DAY => format!("{} all day", weekdays(&opening.days)),
        hours => format!("{} {hours}", weekdays(&opening.days)),
    });
    let more = (openings.len() > MOST_OPENINGS).then(|| "and more".to_owned());
    told.chain(more).collect::<Vec<_>>().join(", ")
}

/// `Mon-Fri`, `Sat`, `Mon+Wed`.
fn weekdays(days: &[Weekday]) -> String {
    let mut runs: Vec<(Weekday, Weekday)> = Vec::new();
    for day in WEEK.into_iter().filter(|day| days.contains(day)) {
        match runs.last_mut() {
            Some((_, last)) if last.succ() == day => *last = day,
            _ => runs.push((day, day)),
        }
    }
    let told =
        runs.iter().map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
    told.collect::<Vec<_>>().join("+")
}

/// Whether the clocks show this time twice, because they are put back.
fn twice(at: Time, zone: &Zone) -> bool {
    let local = at.with_timezone(zone).naive_local();
    matches!(zone.from_local_datetime(&local), MappedLocalTime::Ambiguous(..))
}

/// `New York` of `America/New_York`.
pub(super) fn place(zone: &Zone) -> String {
    zone.name().rsplit('/').next().unwrap_or_default().replace('_', " ")
}
