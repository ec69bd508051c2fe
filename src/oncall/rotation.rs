//! A rotation: people who take turns, handing off at a wall time in the schedule's zone.
//!
//! Turn 0 is the first person's first; turns are numbered backwards from it too, so every instant is in one.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};

use crate::{
    clock::Time,
    id::PersonKey,
    sla::{Zone, zone::instant_of},
};

/// People who take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// In turn; never empty once loaded.
    pub people: Vec<PersonKey>,
    pub turn: Turn,
    /// The day of the first person's first turn. Turns run backwards from here too.
    pub start: NaiveDate,
    /// The wall time of every hand-off (for hourly turns, of the first one).
    pub handoff: NaiveTime,
}

/// How long one turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// So many days, handing off at the wall time: 1 is daily.
    Days(u16),
    /// So many weeks, handing off on this day at the wall time.
    Weeks(u16, Weekday),
    /// So many elapsed hours, whatever the wall clock does.
    Hours(u16),
}

impl Turn {
    /// The length on the clock that counts: the wall's for days and weeks, elapsed time for hours. A length of 0,
    /// which the loader refuses, is read as 1.
    fn length(self) -> TimeDelta {
        match self {
            Turn::Days(count) => TimeDelta::days(count.max(1).into()),
            Turn::Weeks(count, _) => TimeDelta::weeks(count.max(1).into()),
            Turn::Hours(count) => TimeDelta::hours(count.max(1).into()),
        }
    }
}

impl Rotation {
    /// Whose turn it is. `None` only when nobody takes turns.
    pub fn person_at(&self, zone: &Zone, at: Time) -> Option<&PersonKey> {
        let count = i64::try_from(self.people.len()).ok().filter(|count| *count > 0)?;
        self.people.get(self.turn_at(zone, at).rem_euclid(count) as usize)
    }

    /// The first hand-off after `at`. `None` beyond the year 9999.
    pub fn next_handoff(&self, zone: &Zone, at: Time) -> Option<Time> {
        Some(self.begins(zone, self.turn_at(zone, at) + 1)).filter(|next| *next > at)
    }

    /// The last hand-off not after `at`: the beginning of the turn `at` is in. `None` before the year 1.
    pub fn last_handoff(&self, zone: &Zone, at: Time) -> Option<Time> {
        Some(self.begins(zone, self.turn_at(zone, at))).filter(|last| *last <= at)
    }

    /// Whether a hand-off ever changes anything.
    pub(super) fn changes(&self) -> bool {
        self.people.windows(2).any(|pair| pair[0] != pair[1])
    }

    /// The number of the turn: the last that has begun. Where two begin at once (a day the zone left out), the
    /// earlier has no length.
    fn turn_at(&self, zone: &Zone, at: Time) -> i64 {
        let at = within_reach(at);
        let passed = match self.turn {
            Turn::Hours(_) => at - self.begins(zone, 0),
            Turn::Days(_) | Turn::Weeks(..) => wall(zone, at) - self.first(),
        };
        let mut turn = passed.num_seconds().div_euclid(self.turn.length().num_seconds());
        // The wall clock may mislead by what a fold, a gap or a changed offset is worth: a step or two at most.
        while self.begins(zone, turn) > at {
            turn -= 1;
        }
        while self.begins(zone, turn + 1) <= at {
            turn += 1;
        }
        turn
    }

    /// The instant a turn begins.
    fn begins(&self, zone: &Zone, turn: i64) -> Time {
        let offset = TimeDelta::seconds(self.turn.length().num_seconds().saturating_mul(turn));
        match self.turn {
            Turn::Hours(_) => {
                let first = instant_of(zone, self.first());
                first.checked_add_signed(offset).unwrap_or(if turn < 0 { Time::MIN_UTC } else { Time::MAX_UTC })
            }
            Turn::Days(_) | Turn::Weeks(..) => {
                let edge = if turn < 0 { NaiveDateTime::MIN } else { NaiveDateTime::MAX };
                instant_of(zone, tame(self.first().checked_add_signed(offset).unwrap_or(edge)))
            }
        }
    }

    /// The wall time turn 0 begins: with weekly turns, on the hand-off day that `start` is in the week of.
    fn first(&self) -> NaiveDateTime {
        let day = match self.turn {
            Turn::Weeks(_, handoff) => {
                let back = self.start.weekday().days_since(handoff);
                self.start.checked_sub_days(Days::new(back.into())).unwrap_or(self.start)
            }
            Turn::Days(_) | Turn::Hours(_) => self.start,
        };
        tame(day.and_time(self.handoff))
    }
}

/// What the clock on the wall shows in a zone.
pub(super) fn wall(zone: &Zone, at: Time) -> NaiveDateTime {
    within_reach(at).with_timezone(zone).naive_local()
}

/// An instant of the years 1 to 9999, which is what the time-zone database covers; the nearest one to `at`.
fn within_reach(at: Time) -> Time {
    const FIRST: Time = Time::from_timestamp(-62_135_596_800, 0).expect("the year 1");
    const LAST: Time = Time::from_timestamp(253_370_764_800, 0).expect("the year 9999");
    at.clamp(FIRST, LAST)
}

/// Away from the ends of what chrono can hold, so that adding an offset cannot leave it.
fn tame(local: NaiveDateTime) -> NaiveDateTime {
    let margin = TimeDelta::days(3);
    local.clamp(NaiveDateTime::MIN + margin, NaiveDateTime::MAX - margin)
}
