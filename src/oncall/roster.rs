//! Who is on call: a total, single-valued function of the instant.
//!
//! The upper layer wins, an override wins over the layers, and of two overrides the later written wins.

use super::{Override, Schedule, Shift};
use crate::{clock::Time, id::PersonKey};

/// Who is on call at an instant; `None` in a gap.
pub fn on_call(schedule: &Schedule, overrides: &[Override], at: Time) -> Option<PersonKey> {
    holder(schedule, overrides.iter(), at).person.cloned()
}

/// The shifts that touch `[from, to)`, cut to it, without a hole: a gap is a shift of nobody. Empty when the range is.
///
/// The work grows with the hand-offs in the range, so the caller bounds the range; [`walk`] does no more than is taken.
pub fn shifts(schedule: &Schedule, overrides: &[Override], from: Time, to: Time) -> Vec<Shift> {
    walk(schedule, overrides, from, to).collect()
}

/// [`shifts`], one at a time.
pub fn walk<'a>(
    schedule: &'a Schedule,
    overrides: &'a [Override],
    from: Time,
    to: Time,
) -> impl Iterator<Item = Shift> + 'a {
    let overrides: Vec<&Override> = overrides.iter().filter(|o| o.start < to && from < o.end).collect();
    let mut next = from;
    std::iter::from_fn(move || {
        if next >= to {
            return None;
        }
        let start = next;
        let here = holder(schedule, overrides.iter().copied(), start);
        while next < to && holder(schedule, overrides.iter().copied(), next) == here {
            next = next_change(schedule, overrides.iter().copied(), next).map_or(to, |change| change.min(to));
        }
        Some(Shift { person: here.person.cloned(), start, end: next, overridden: here.overridden })
    })
}

/// Whether this person, or nobody, is on call all the time from `from` to `to`.
pub fn is_theirs(
    schedule: &Schedule,
    overrides: &[Override],
    person: Option<&PersonKey>,
    from: Time,
    to: Time,
) -> bool {
    walk(schedule, overrides, from, to).all(|shift| shift.person.as_ref() == person)
}

/// Who holds the pager, and by what right.
#[derive(PartialEq, Eq)]
struct Holder<'a> {
    person: Option<&'a PersonKey>,
    overridden: bool,
}

fn holder<'a>(schedule: &'a Schedule, overrides: impl Iterator<Item = &'a Override>, at: Time) -> Holder<'a> {
    let scheduled = schedule.layers.iter().find_map(|layer| layer.person_at(&schedule.zone, at));
    // `instead_of` means who the layers say, not who another override says: so two people can swap a week with one
    // override each, and neither undoes the other.
    let stand_in = overrides
        .filter(|o| o.schedule == schedule.key && o.start <= at && at < o.end)
        .filter(|o| o.instead_of.is_none() || o.instead_of.as_ref() == scheduled)
        .max_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    match stand_in {
        Some(stand_in) => Holder { person: Some(&stand_in.person), overridden: true },
        None => Holder { person: scheduled, overridden: false },
    }
}

/// The next instant after `at` at which [`holder`] may change; it does not change before.
fn next_change<'a>(schedule: &'a Schedule, overrides: impl Iterator<Item = &'a Override>, at: Time) -> Option<Time> {
    let mut next = overrides
        .filter(|o| o.schedule == schedule.key)
        .flat_map(|o| [o.start, o.end])
        .filter(|change| *change > at)
        .min();
    for layer in &schedule.layers {
        next = next.into_iter().chain(layer.next_change(&schedule.zone, at)).min();
        if layer.person_at(&schedule.zone, at).is_some() {
            // The layers below are not asked until this one changes.
            break;
        }
    }
    next
}
