//! One layer of a schedule: a rotation, and the hours it holds.

use chrono::{NaiveTime, Weekday};

use super::Rotation;

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
