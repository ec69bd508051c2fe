//! A rotation: people who take turns, handing off at a wall time in the schedule's zone.

use chrono::{NaiveDate, NaiveTime, Weekday};

use crate::id::PersonKey;

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
