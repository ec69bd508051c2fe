//! Who is on call, worked out the slow way: minute by minute, turn by turn, with the wall clock as the only truth.
//!
//! It shares no arithmetic with the roster: turns are walked one after another, and the instant of a wall time is
//! found by watching the wall clock until it shows it.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};

use super::*;
use crate::id::PersonKey;

/// Two months around a night, with what the wall clock shows at each minute of them.
pub struct Window {
    pub zone: &'static str,
    pub start: Time,
    wall: Vec<NaiveDateTime>,
}

const NIGHTS: [(&str, &str); 9] = [
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Asia/Kolkata", "2026-03-29"),
    ("America/Vancouver", "2026-03-08"),
    ("America/Vancouver", "2026-11-01"),
];

pub static WINDOWS: LazyLock<Vec<Window>> =
    LazyLock::new(|| NIGHTS.iter().map(|(zone, night)| Window::around(zone, night.parse().unwrap())).collect());

impl Window {
    const DAYS: i64 = 50;

    fn around(name: &'static str, night: NaiveDate) -> Self {
        let start = night.and_time(clock("12:00")).and_utc() - TimeDelta::days(Self::DAYS / 2);
        let zone: crate::sla::Zone = name.parse().unwrap();
        let wall = (0..Self::DAYS * 24 * 60)
            .map(|minute| (start + TimeDelta::minutes(minute)).with_timezone(&zone).naive_local())
            .collect();
        Window { zone: name, start, wall }
    }

    /// The middle of it: the night.
    pub fn night(&self) -> NaiveDate {
        self.wall[self.wall.len() / 2].date()
    }

    pub fn instant(&self, minute: usize) -> Time {
        self.start + TimeDelta::minutes(minute as i64)
    }

    pub fn wall(&self, minute: usize) -> NaiveDateTime {
        self.wall[minute]
    }

    /// The minute at which the wall clock first shows this; of a time it jumps over, as if it had not jumped.
    /// `None` when it is not shown in this window.
    fn minute_of(&self, shown: NaiveDateTime) -> Option<usize> {
        if shown < self.wall[0] {
            return None;
        }
        let reached = self.wall.iter().position(|wall| *wall >= shown)?;
        if reached == 0 {
            return Some(0);
        }
        Some(reached - 1 + (shown - self.wall[reached - 1]).num_minutes() as usize)
    }

    /// Whose turn each minute is.
    fn turns(&self, rotation: &Rotation) -> Vec<PersonKey> {
        let count = rotation.people.len();
        // Turns as (the minute they begin, who), from before the window to after it.
        let mut turns: Vec<(i64, usize)> = Vec::new();
        if let Turn::Hours(hours) = rotation.turn {
            let first = self.minute_of(rotation.start.and_time(rotation.handoff)).expect("starts in the window") as i64;
            let step = i64::from(hours) * 60;
            let (mut minute, mut person) = (first, 0);
            while minute > 0 {
                minute -= step;
                person = (person + count - 1) % count;
            }
            while minute < self.wall.len() as i64 {
                turns.push((minute, person));
                minute += step;
                person = (person + 1) % count;
            }
        } else {
            let mut day = rotation.start;
            let days = match rotation.turn {
                Turn::Weeks(weeks, weekday) => {
                    while day.weekday() != weekday {
                        day = day.pred_opt().unwrap();
                    }
                    i64::from(weeks) * 7
                }
                Turn::Days(days) => days.into(),
                Turn::Hours(_) => unreachable!(),
            };
            let mut person = 0;
            while day.and_time(rotation.handoff) > self.wall[0] {
                day -= TimeDelta::days(days);
                person = (person + count - 1) % count;
            }
            turns.push((0, person));
            loop {
                day += TimeDelta::days(days);
                person = (person + 1) % count;
                match self.minute_of(day.and_time(rotation.handoff)) {
                    Some(minute) => turns.push((minute as i64, person)),
                    None => break,
                }
            }
        }
        let mut turns = turns.into_iter().peekable();
        let mut on = turns.next().expect("a turn before the window").1;
        (0..self.wall.len() as i64)
            .map(|minute| {
                while let Some((_, person)) = turns.next_if(|(begins, _)| *begins <= minute) {
                    on = person;
                }
                rotation.people[on].clone()
            })
            .collect()
    }

    /// Whether each minute is in a layer's hours.
    fn held(&self, layer: &Layer) -> Vec<bool> {
        let mut held = vec![layer.restrictions.is_empty(); self.wall.len()];
        for hours in &layer.restrictions {
            let mut day = self.wall[0].date() - TimeDelta::days(2);
            while day <= self.wall[self.wall.len() - 1].date() {
                if hours.days.is_empty() || hours.days.contains(&day.weekday()) {
                    let begins = day.and_time(hours.from);
                    let mut ends = day.and_time(hours.to);
                    if ends <= begins {
                        ends += TimeDelta::days(1);
                    }
                    if ends > self.wall[0] {
                        let first = if begins <= self.wall[0] { Some(0) } else { self.minute_of(begins) };
                        let last = self.minute_of(ends).unwrap_or(self.wall.len());
                        for minute in first.unwrap_or(self.wall.len())..last {
                            held[minute] = true;
                        }
                    }
                }
                day += TimeDelta::days(1);
            }
        }
        held
    }

    /// Who is on call at each minute, and whether by an override.
    pub fn on_call(&self, schedule: &Schedule, overrides: &[Override]) -> Vec<(Option<PersonKey>, bool)> {
        let mut scheduled: Vec<Option<PersonKey>> = vec![None; self.wall.len()];
        for layer in schedule.layers.iter().rev() {
            let (turns, held) = (self.turns(&layer.rotation), self.held(layer));
            for (minute, person) in turns.into_iter().enumerate().filter(|(minute, _)| held[*minute]) {
                scheduled[minute] = Some(person);
            }
        }
        let mut on: Vec<(Option<PersonKey>, bool)> = scheduled.iter().map(|person| (person.clone(), false)).collect();
        // In the order they were written, each over what was there.
        let mut written: Vec<&Override> = overrides.iter().filter(|o| o.schedule == schedule.key).collect();
        written.sort_by_key(|o| (o.created_at, o.id.clone()));
        for stand_in in written {
            for minute in 0..on.len() {
                let at = self.instant(minute);
                let applies = stand_in.instead_of.is_none() || stand_in.instead_of == scheduled[minute];
                if stand_in.start <= at && at < stand_in.end && applies {
                    on[minute] = (Some(stand_in.person.clone()), true);
                }
            }
        }
        on
    }
}
