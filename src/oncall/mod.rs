//! Whose shift is it? Schedules of layered rotations, and the overrides laid over them.

pub mod layer;
pub mod roster;
pub mod rotation;
pub mod store;

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
