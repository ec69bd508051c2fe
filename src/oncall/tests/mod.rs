//! The roster held against tables worked out by hand and against an oracle that steps minute by minute.

mod facts;
mod oracle;
mod overrides;
mod properties;

use chrono::{NaiveTime, Weekday};

use super::{Layer, Override, Restriction, Rotation, Schedule, Shift, Turn};
use crate::clock::Time;

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn rotation(people: &[&str], turn: Turn, start: &str, handoff: &str) -> Rotation {
    Rotation {
        people: people.iter().map(|person| (*person).into()).collect(),
        turn,
        start: start.parse().unwrap(),
        handoff: clock(handoff),
    }
}

fn clock(text: &str) -> NaiveTime {
    NaiveTime::parse_from_str(text, "%H:%M").unwrap()
}

fn hours(days: &[Weekday], from: &str, to: &str) -> Restriction {
    Restriction { days: days.to_vec(), from: clock(from), to: clock(to) }
}

fn layer(rotation: Rotation, restrictions: Vec<Restriction>) -> Layer {
    Layer { name: "layer".into(), rotation, restrictions }
}

fn schedule(zone: &str, layers: Vec<Layer>) -> Schedule {
    Schedule { key: "field".into(), name: "Field".into(), zone: zone.parse().unwrap(), layers }
}

/// Somebody all the time.
fn always(person: &str) -> Layer {
    layer(rotation(&[person], Turn::Days(1), "2026-01-01", "00:00"), vec![])
}

fn stand_in(id: &str, person: &str, instead_of: Option<&str>, start: &str, end: &str) -> Override {
    Override {
        id: id.into(),
        schedule: "field".into(),
        person: person.into(),
        instead_of: instead_of.map(Into::into),
        start: time(start),
        end: time(end),
        created_by: "test".into(),
        created_at: time("2026-01-01T00:00:00Z"),
    }
}

/// As people read it: a line a shift, in the schedule's zone.
fn told(schedule: &Schedule, shifts: &[Shift]) -> String {
    let lines = shifts.iter().map(|shift| {
        let wall = |at: Time| at.with_timezone(&schedule.zone).format("%a %d %H:%M").to_string();
        let person = shift.person.as_ref().map_or("nobody", |person| person.as_str());
        let mark = if shift.overridden { " (override)" } else { "" };
        let length = shift.end - shift.start;
        let minutes = length.num_minutes();
        format!("{} - {}  {:>2}:{:02}h  {person}{mark}", wall(shift.start), wall(shift.end), minutes / 60, minutes % 60)
    });
    lines.collect::<Vec<_>>().join("\n")
}
