//! Who is on call: a total, single-valued function of the instant.

use super::{Override, Schedule, Shift};
use crate::{clock::Time, id::PersonKey};

/// Who is on call at an instant; `None` in a gap.
pub fn on_call(schedule: &Schedule, overrides: &[Override], at: Time) -> Option<PersonKey> {
    let _ = (schedule, overrides, at);
    todo!()
}

/// The shifts that touch `[from, to)`, cut to it, without a hole: a gap is a shift of nobody.
pub fn shifts(schedule: &Schedule, overrides: &[Override], from: Time, to: Time) -> Vec<Shift> {
    let _ = (schedule, overrides, from, to);
    todo!()
}
