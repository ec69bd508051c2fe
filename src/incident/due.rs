//! What happens when something is due.

use super::{
    agenda::{self, Due},
    command::Actor,
    draft::Draft,
    effect::Cause,
    event::Event,
    state::Phase,
    words,
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
            Due::Response | Due::WindowEnd { .. } | Due::Resolution | Due::Rca { .. } => {
                raise = run_out(draft, due, action).or(raise);
            }
            Due::Begin => begin(draft, due),
            Due::ResolutionReminder => {
                let due = draft.incident.resolution.map_or(due, |resolution| resolution.due);
                draft.record(Event::ResolutionReminded { due });
                remind(draft, Cause::ResolutionDue);
            }
            Due::RcaReminder { stage } => {
                let promised =
                    draft.incident.rca.as_mut().and_then(|rca| rca.stage(stage).map(|promised| promised.due));
                draft.record(Event::RcaReminded { stage, due: promised.unwrap_or(due) });
                remind(draft, Cause::RcaDue);
            }
            Due::AskAgain => ask_again(draft),
            Due::IdleWarning => warn_of_closing(draft),
            Due::IdleClose => {
                draft.record_settling(Event::ClosedIdle { due });
                let text = words::closed_idle(&draft.incident);
                draft.tell_customer(text);
            }
            Due::Lapse => lapse(draft),
            Due::Review => review(draft),
        }
    }
    raise_for(draft, raise);
}

/// A missed promise raises the level, of an incident that is still somebody's business.
fn raise_for(draft: &mut Draft<'_>, missed: Option<Cause>) {
    if let Some(cause) = missed.filter(|_| matches!(draft.incident.phase, Phase::Open | Phase::Resolved)) {
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
        let promise =
            |action: &Due| matches!(action, Due::Response | Due::WindowEnd { .. } | Due::Resolution | Due::Rca { .. });
        over.retain(|(due, action)| *due < draft.now && promise(action));
        let Some((due, action)) = over.into_iter().min() else { break };
        raise = run_out(draft, due, action).or(raise);
    }
    raise_for(draft, raise);
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
        Due::Resolution => {
            draft.record(Event::ResolutionMissed { due });
            Some(Cause::ResolutionMissed)
        }
        Due::Rca { stage } => {
            draft.record(Event::RcaMissed { stage, due });
            Some(Cause::RcaMissed)
        }
        _ => {
            draft.record(Event::ResponseMissed { due });
            Some(Cause::CallbackMissed)
        }
    }
}

/// Whoever has it is reminded of the callback, the commander of everything else. Where nobody has it, people are being
/// paged already; if not, because it woke nobody, now is the time to.
fn remind(draft: &mut Draft<'_>, cause: Cause) {
    let incident = &draft.incident;
    let commander = incident.commander.clone().filter(|_| cause != Cause::CallbackAtRisk);
    let holder = incident.holder.as_ref().map(|holder| holder.who.clone());
    let last = incident.responders.last().filter(|_| !incident.is_open()).cloned();
    match (commander, holder, last) {
        (Some(person), _, _) | (None, Some(Actor::Person(person)), _) | (None, None, Some(person)) => {
            draft.page(person, None, cause);
        }
        (None, None, None) if incident.climb.next_at.is_none() => draft.page_first_level(cause),
        _ => {}
    }
}

/// Office hours, or the time the customer asked for: people are paged now.
fn begin(draft: &mut Draft<'_>, due: Time) {
    draft.record(Event::Begun { due });
    if draft.incident.holder.is_some() || draft.incident.climb.next_at.is_some() {
        return;
    }
    if draft.incident.wakes() {
        draft.climb_to(0, 0, Cause::Begins);
    } else {
        draft.page_first_level(Cause::Begins);
    }
}

/// The customer did not answer: once more.
fn ask_again(draft: &mut Draft<'_>) {
    let requests = draft.incident.waiting.as_ref().map_or(0, |waiting| waiting.requests);
    draft.record(Event::CustomerAsked { request: requests.saturating_add(1) });
    let text = words::waiting(&draft.incident, draft.now);
    draft.tell_customer(text);
}

fn warn_of_closing(draft: &mut Draft<'_>) {
    let Some(closes_at) = draft.incident.waiting.as_ref().and_then(|waiting| waiting.close_at) else { return };
    draft.record(Event::IdleWarned { closes_at });
    let text = words::closes_soon(&draft.incident, closes_at, draft.now);
    draft.tell_customer(text);
    if let Some(Actor::Person(person)) = draft.incident.holder.as_ref().map(|holder| holder.who.clone()) {
        let told = format!("{}: the customer is silent; it is closed soon.", draft.incident.reference);
        draft.tell(&person, told);
    }
}

/// Nothing happened for long. Where people should be paged, somebody has it or the ladder begins anew: that it was
/// climbed in vain once is no reason to leave it lying.
fn review(draft: &mut Draft<'_>) {
    draft.record(Event::ReviewDue);
    let incident = &draft.incident;
    let forsaken = incident.holder.is_none() && incident.waiting.is_none() && incident.climb.next_at.is_none();
    if forsaken && incident.wakes() {
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
