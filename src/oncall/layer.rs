//! One layer of a schedule: a rotation, and the hours it holds.

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, Weekday};

use super::{Rotation, rotation::wall};
use crate::{
    clock::Time,
    id::PersonKey,
    sla::{Zone, zone::instant_of},
};

/// A rotation that holds at certain hours.
#[derive(Clone, Debug)]
pub struct Layer {
    pub name: String,
    pub rotation: Rotation,
    /// Empty: at all hours. Otherwise the layer holds when any of these does.
    pub restrictions: Vec<Restriction>,
}

/// Hours of the week, in the schedule's zone, by the wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// The days on which the stretch begins; empty means every day.
    pub days: Vec<Weekday>,
    pub from: NaiveTime,
    /// Not included. Not later than `from`: on the next day (equal: a whole day).
    pub to: NaiveTime,
}

impl Layer {
    /// Who this layer puts on call; `None` outside its hours. Turns go on being taken outside them.
    pub fn person_at(&self, zone: &Zone, at: Time) -> Option<&PersonKey> {
        if self.in_force(zone, at) { self.rotation.person_at(zone, at) } else { None }
    }

    /// Whether the layer holds at an instant.
    pub fn in_force(&self, zone: &Zone, at: Time) -> bool {
        self.restrictions.is_empty() || self.restrictions.iter().any(|hours| hours.in_force(zone, at))
    }

    /// The next instant after `at` at which [`Layer::person_at`] may change; it does not change before. `None`: never.
    pub fn next_change(&self, zone: &Zone, at: Time) -> Option<Time> {
        let hours = self.restrictions.iter().filter_map(|hours| hours.next_change(zone, at)).min();
        let handoff = if self.rotation.changes() && self.in_force(zone, at) {
            self.rotation.next_handoff(zone, at)
        } else {
            None
        };
        hours.into_iter().chain(handoff).min()
    }
}

impl Restriction {
    /// Whether an instant is in these hours.
    pub fn in_force(&self, zone: &Zone, at: Time) -> bool {
        // A stretch is a day long at most, but the wall clock may be a day off where a zone crossed the date line.
        self.stretches(zone, at, -3..=1).any(|(start, end)| start <= at && at < end)
    }

    /// The next instant after `at` at which these hours begin or end. `None` only at the end of the calendar.
    pub fn next_change(&self, zone: &Zone, at: Time) -> Option<Time> {
        // Every day of the week comes up within seven days, whatever the zone does to one of them.
        self.stretches(zone, at, -3..=9).flat_map(|(start, end)| [start, end]).filter(|change| *change > at).min()
    }

    /// The stretches that begin on the days around `at`. Both ends are read as a hand-off is, so hours that meet on
    /// the wall meet on the night the clocks change too, without a hole.
    fn stretches<'a>(
        &'a self,
        zone: &'a Zone,
        at: Time,
        days: std::ops::RangeInclusive<i64>,
    ) -> impl Iterator<Item = (Time, Time)> + 'a {
        let today = wall(zone, at).date();
        days.filter_map(move |offset| today.checked_add_signed(TimeDelta::days(offset)))
            .filter(|day| self.days.is_empty() || self.days.contains(&day.weekday()))
            .filter_map(|day| self.stretch(zone, day))
    }

    fn stretch(&self, zone: &Zone, day: NaiveDate) -> Option<(Time, Time)> {
        let last = if self.to > self.from { day } else { day.succ_opt()? };
        let (start, end) = (instant_of(zone, day.and_time(self.from)), instant_of(zone, last.and_time(self.to)));
        // From inside a gap to just after it: nothing of it is left that night.
        (start < end).then_some((start, end))
    }
}
