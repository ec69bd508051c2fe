//! Is somebody always on call, and who is next?

use chrono::TimeDelta;
use serde::Serialize;

use super::{Override, Schedule, Shift, roster};
use crate::{clock::Time, id::PersonKey};

/// One person hands the pager to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Handoff {
    pub at: Time,
    /// `None`: nobody was on call.
    pub from: Option<PersonKey>,
    /// `None`: nobody takes it.
    pub to: Option<PersonKey>,
}

/// The stretches of `[from, to)` in which nobody is on call, in order.
pub fn gaps(schedule: &Schedule, overrides: &[Override], from: Time, to: Time) -> Vec<Shift> {
    roster::walk(schedule, overrides, from, to).filter(|shift| shift.person.is_none()).collect()
}

/// The first hand-off after `at` and before `until`: who is on next, and when. `None`: whoever is on now (or nobody)
/// stays so until then.
pub fn next_handoff(schedule: &Schedule, overrides: &[Override], at: Time, until: Time) -> Option<Handoff> {
    let mut shifts = roster::walk(schedule, overrides, at, until);
    let from = shifts.next()?.person;
    let next = shifts.find(|shift| shift.person != from)?;
    Some(Handoff { at: next.start, from, to: next.person })
}

/// The shift that `at` is in, looked for no further than `reach` to either side and cut to that.
pub fn shift_at(schedule: &Schedule, overrides: &[Override], at: Time, reach: TimeDelta) -> Option<Shift> {
    let from = at.checked_sub_signed(reach)?;
    let to = at.checked_add_signed(reach)?;
    roster::walk(schedule, overrides, from, to).find(|shift| shift.start <= at && at < shift.end)
}

/// What an override would change: the stretches it would put its person on, beside the overrides there are. Empty:
/// it changes nothing (its `instead_of` is never on then, or somebody's later override wins), and its writer should know.
pub fn taken(schedule: &Schedule, overrides: &[Override], wanted: &Override) -> Vec<Shift> {
    let without: Vec<Override> = overrides.iter().filter(|o| o.id != wanted.id).cloned().collect();
    let mut with = without.clone();
    with.push(wanted.clone());
    let before = roster::shifts(schedule, &without, wanted.start, wanted.end);
    roster::walk(schedule, &with, wanted.start, wanted.end)
        .filter(|shift| shift.person.as_ref() == Some(&wanted.person))
        .flat_map(|shift| {
            let differs = before.iter().filter(|old| old.person != shift.person);
            let cut: Vec<Shift> = differs
                .filter(|old| old.start < shift.end && shift.start < old.end)
                .map(|old| Shift { start: old.start.max(shift.start), end: old.end.min(shift.end), ..shift.clone() })
                .collect();
            cut
        })
        .collect()
}
