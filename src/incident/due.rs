//! What happens when something is due.

use super::{
    agenda::{self, Due},
    command::Actor,
    draft::Draft,
    effect::Cause,
    event::Event,
};
use crate::clock::Time;

/// Does everything that is due by now, in due order. After down time of our own that may be many things: each
/// missed promise is recorded with its due instant, and the level is raised once.
pub(super) fn all(draft: &mut Draft<'_>) {
    let mut raise = None;
    while let Some((due, action)) = agenda::next(&draft.incident).filter(|(due, _)| *due <= draft.now) {
        match action {
            Due::Climb => draft.raise(Cause::NotAcknowledged),
            Due::ResponseReminder { percent } => {
                draft.record(Event::ResponseReminded { percent });
                remind(draft, Cause::CallbackAtRisk);
            }
            Due::UpdateReminder { window } => {
                let due = draft.incident.window_due().unwrap_or(due);
                draft.record(Event::UpdateReminded { window, due });
                remind(draft, Cause::UpdateDue);
            }
            Due::Response | Due::WindowEnd { .. } => raise = run_out(draft, due, action).or(raise),
            Due::Lapse => lapse(draft),
            Due::Review => review(draft),
        }
    }
    if let Some(cause) = raise {
        draft.raise(cause);
    }
}

/// Records the promises that ran out before now and that the timer has not come to yet. Done before anything else
/// happens to an incident, so that an update or a callback that comes late never meets what was missed, however late
/// the timer is.
pub(super) fn promises(draft: &mut Draft<'_>) {
    let mut raise = None;
    loop {
        let mut over = agenda::all(&draft.incident);
        over.retain(|(due, action)| *due < draft.now && matches!(action, Due::Response | Due::WindowEnd { .. }));
        let Some((due, action)) = over.into_iter().min() else { break };
        raise = run_out(draft, due, action).or(raise);
    }
    if let Some(cause) = raise {
        draft.raise(cause);
    }
}

/// The time of a promise is over. Why the level must be raised, if it was not kept.
fn run_out(draft: &mut Draft<'_>, due: Time, action: Due) -> Option<Cause> {
    match action {
        Due::WindowEnd { window } if draft.incident.updates.met => {
            draft.record(Event::UpdateMet { window, due });
            None
        }
        Due::WindowEnd { window } => {
            draft.record(Event::UpdateMissed { window, due });
            Some(Cause::UpdateMissed)
        }
        _ => {
            draft.record(Event::ResponseMissed { due });
            Some(Cause::CallbackMissed)
        }
    }
}

/// The commander is reminded of updates, whoever has it of the callback. Where nobody has it, people are being paged
/// already.
fn remind(draft: &mut Draft<'_>, cause: Cause) {
    let holder = draft.incident.holder.as_ref().map(|holder| holder.who.clone());
    let commander = draft.incident.commander.clone().filter(|_| cause == Cause::UpdateDue);
    match (commander, holder) {
        (Some(person), _) | (None, Some(Actor::Person(person))) => draft.page(person, None, cause),
        _ => {}
    }
}

/// Nothing happened for long. Where people should be paged, somebody has it or the ladder begins anew: that it was
/// climbed in vain once is no reason to leave it lying.
fn review(draft: &mut Draft<'_>) {
    draft.record(Event::ReviewDue);
    let incident = &draft.incident;
    let forsaken = incident.holder.is_none() && incident.waiting.is_none() && incident.climb.next_at.is_none();
    if forsaken && incident.priority.pages() {
        draft.climb_to(0, 0, Cause::NotAcknowledged);
    }
}

/// Acknowledged, then silence: as if nobody had it, and whoever had it is paged too. A climb that is under way for
/// another reason goes on from where it is: beginning anew would be slower.
fn lapse(draft: &mut Draft<'_>) {
    let Some(holder) = draft.incident.holder.as_ref().map(|holder| holder.who.clone()) else { return };
    draft.record(Event::AcknowledgementLapsed { holder: holder.clone() });
    if draft.incident.climb.next_at.is_none() {
        draft.climb_to(0, 0, Cause::Forgotten);
    }
    if let Actor::Person(person) = holder {
        let paged = draft.incident.open_pages().any(|(_, page)| page.person == person && page.at == draft.now);
        if !paged {
            draft.page(person, draft.incident.climb.level, Cause::Forgotten);
        }
    }
}

/// A person cannot be reached for a page. When that is certain for everybody on the level, the next level need not
/// wait its time.
pub(super) fn page_exhausted(draft: &mut Draft<'_>, number: u32, definite: bool) {
    let Some(page) = draft.incident.pages.get(&number) else { return };
    if !page.open || page.exhausted.is_some() {
        return;
    }
    let level = page.level;
    draft.record(Event::PageExhausted { page: number, definite });
    let climb = &draft.incident.climb;
    let waits_for_this_level = climb.next_at.is_some() && level.is_some() && climb.level == level;
    let nobody_left = draft
        .incident
        .open_pages()
        .filter(|(_, page)| page.level == level)
        .all(|(_, page)| page.exhausted == Some(true));
    if waits_for_this_level && nobody_left {
        draft.raise(Cause::NotAcknowledged);
    }
}
