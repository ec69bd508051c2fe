//! Whose shift is it? Schedules of layered rotations, and the overrides laid over them.
//!
//! A *schedule* answers one question: who is on call at this instant? It is a pile of *layers*. Each is a *rotation*,
//! people who take turns, that holds at all hours or only at some (its *restrictions*). From the top down, the first
//! layer that holds says who. An *override* puts somebody else on between two instants. Laid out over time, the
//! answers are *shifts*; a shift of nobody is a *gap*.
//!
//! Hand-offs and restrictions are wall times in the schedule's zone, so they stay where people expect them when the
//! clocks change: that night's shift is an hour shorter or longer. A wall time that the clocks leave out counts from
//! the moment they jump; one that comes twice is taken the first time.

pub mod coverage;
pub mod feed;
pub mod layer;
pub mod roster;
pub mod rotation;
pub mod stand_in;
pub mod store;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use layer::{Layer, Restriction};
pub use rotation::{Rotation, Turn};

use crate::{
    clock::Time,
    id::{PersonKey, ScheduleKey},
    sla::Zone,
};

/// Who is on call, as layers over one another.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub key: ScheduleKey,
    pub name: String,
    pub zone: Zone,
    /// Upper first, as written in the file: where an upper layer has somebody, the lower ones are not asked.
    pub layers: Vec<Layer>,
}

/// Somebody stands in for the schedule between two instants. Kept in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// `ovr_…`
    pub id: String,
    pub schedule: ScheduleKey,
    /// Who takes the time.
    pub person: PersonKey,
    /// Only where this person would be on call; `None` replaces whoever it is.
    pub instead_of: Option<PersonKey>,
    pub start: Time,
    /// Not included.
    pub end: Time,
    /// Who wrote it down, and when; the later of two that overlap wins.
    pub created_by: String,
    pub created_at: Time,
}

/// One unbroken stretch of one person being on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// `None` is a gap: nobody is on call.
    pub person: Option<PersonKey>,
    pub start: Time,
    /// Not included.
    pub end: Time,
    /// Whether an override put them there.
    pub overridden: bool,
}
