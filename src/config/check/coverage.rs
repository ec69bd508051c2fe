//! Is somebody on call at every hour, and is every layer ever asked?

use chrono::{NaiveTime, TimeDelta, Timelike, Weekday};

use crate::{
    clock::Time,
    config::{
        finding::Severity::{Error, Warning},
        load::Loaded,
    },
    oncall::{Layer, Schedule, Shift},
};

/// How far ahead is looked, in days.
const DAYS: i64 = 90;
const MINUTES_OF_WEEK: usize = 7 * 24 * 60;

/// What [`crate::oncall::roster::shifts`] does, without overrides.
pub trait Shifts: Fn(&Schedule, Time, Time) -> Vec<Shift> {}
impl<F: Fn(&Schedule, Time, Time) -> Vec<Shift>> Shifts for F {}

/// Notes gaps in the next 90 days, and layers that are never asked.
pub fn check(loaded: &mut Loaded, now: Time, shifts: impl Shifts) {
    let mut notes = Vec::new();
    for (key, schedule) in &loaded.config.schedules {
        let place = format!("schedules.{key}");
        if loaded.failed(&format!("{place}.layers")) || loaded.failed(&format!("{place}.zone")) {
            continue;
        }
        for i in hidden(schedule) {
            let message = format!(
                "the layers above hold at every hour of this one, so `{}` is never asked; take it out, move it up or \
                 restrict those above",
                schedule.layers[i].name
            );
            notes.push((format!("{place}.layers[{i}]"), Warning, message));
        }
        if loaded.gaps_allowed.contains(key) {
            continue;
        }
        if let Some(message) = gaps(schedule, &shifts(schedule, now, now + TimeDelta::days(DAYS))) {
            notes.push((place, Error, message));
        }
    }
    for (key, severity, message) in notes {
        loaded.note(&key, severity, message);
    }
}

fn gaps(schedule: &Schedule, shifts: &[Shift]) -> Option<String> {
    let gaps: Vec<&Shift> = shifts.iter().filter(|shift| shift.person.is_none()).collect();
    let first = gaps.first()?;
    let wall = |at: Time| at.with_timezone(&schedule.zone).format("%a %Y-%m-%d %H:%M");
    let minutes: i64 = gaps.iter().map(|gap| (gap.end - gap.start).num_minutes()).sum();
    let more = match gaps.len() {
        1 => String::new(),
        n => format!(" ({n} gaps, {}h{:02} in the next {DAYS} days)", minutes / 60, minutes % 60),
    };
    Some(format!(
        "nobody is on call from {} to {}, {}{more}; add people or a layer without restrictions, or write \
         `gaps = \"allowed\"`",
        wall(first.start),
        wall(first.end),
        schedule.zone
    ))
}

/// The layers whose every hour belongs to a layer above.
fn hidden(schedule: &Schedule) -> Vec<usize> {
    let mut taken = vec![false; MINUTES_OF_WEEK];
    let mut hidden = Vec::new();
    for (i, layer) in schedule.layers.iter().enumerate() {
        let hours = hours(layer);
        if hours.iter().zip(&taken).all(|(holds, taken)| *taken || !holds) {
            hidden.push(i);
        }
        taken.iter_mut().zip(hours).for_each(|(taken, holds)| *taken |= holds);
    }
    hidden
}

/// The minutes of the week at which a layer holds, by the wall clock.
fn hours(layer: &Layer) -> Vec<bool> {
    let mut week = vec![layer.restrictions.is_empty(); MINUTES_OF_WEEK];
    let minute = |time: NaiveTime| (time.num_seconds_from_midnight() / 60) as usize;
    for restriction in &layer.restrictions {
        let (from, to) = (minute(restriction.from), minute(restriction.to));
        let length = if to > from { to - from } else { 24 * 60 - from + to };
        let every_day = restriction.days.is_empty();
        for day in (0..7u8).filter(|day| every_day || restriction.days.contains(&weekday(*day))) {
            let start = usize::from(day) * 24 * 60 + from;
            (start..start + length).for_each(|at| week[at % MINUTES_OF_WEEK] = true);
        }
    }
    week
}

fn weekday(day: u8) -> Weekday {
    Weekday::try_from(day).unwrap_or(Weekday::Mon)
}
