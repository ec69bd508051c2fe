//! What the customer may ask for: somebody higher, that it goes on, that we come back.

use super::{
    command::{Actor, Report, Source},
    decide::Refusal,
    draft::Draft,
    effect::Cause,
    event::Event,
    words,
};
use crate::{
    clock::Time,
    sla::{IntakeChannel, Required},
};

/// The longest reply that is kept, in characters.
const LONGEST_REPLY: usize = 2000;

/// What the plan asks of a report and this one does not have. It is worked on all the same: no formality is a reason to
/// leave an outage lying.
pub(super) fn unmet(report: &Report) -> Vec<String> {
    let promise = report.plan.promise(report.priority);
    let channel = match report.source {
        Source::Phone { .. } => IntakeChannel::Phone,
        Source::Integration { .. } => IntakeChannel::Monitoring,
        // A program tells what reached it by mail or on the web; it does not say which.
        Source::Api { .. } if promise.channels.contains(&IntakeChannel::Mail) => IntakeChannel::Mail,
        Source::Api { .. } => IntakeChannel::Web,
    };
    let mut unmet = Vec::new();
    // What monitoring sees, nobody need phone in.
    if !promise.channels.is_empty() && channel != IntakeChannel::Monitoring && !promise.channels.contains(&channel) {
        let names: Vec<&str> = promise.channels.iter().map(|channel| channel_name(*channel)).collect();
        unmet.push(format!("the plan wants {} reported {}", report.priority, names.join(" or ")));
    }
    for required in &promise.requires {
        match required {
            Required::CallbackNumber if report.contact.number.is_none() => {
                unmet.push("no call-back number was given".into());
            }
            // On the phone the name is asked for after the incident is open.
            Required::ContactName if report.contact.name.is_none() && matches!(report.source, Source::Api { .. }) => {
                unmet.push("no contact name was given".into());
            }
            _ => {}
        }
    }
    unmet
}

fn channel_name(channel: IntakeChannel) -> &'static str {
    match channel {
        IntakeChannel::Phone => "by phone",
        IntakeChannel::Mail => "by mail",
        IntakeChannel::Web => "on the web",
        IntakeChannel::Monitoring => "by monitoring",
    }
}

/// The customer wants somebody higher, or it got worse.
pub(super) fn escalates(draft: &mut Draft<'_>, why: &str, level: Option<usize>, occurred_at: Option<Time>) {
    if draft.incident.ruled_out.is_some() {
        return reengage(draft, &Actor::Customer, why);
    }
    let Some(levels) = draft.incident.plan.escalation.clone() else {
        draft.record(Event::CustomerEscalated { why: why.into(), level: None, occurred_at, offered: true });
        return draft.raise(Cause::CustomerAsked);
    };
    let Some(last) = levels.len().checked_sub(1) else {
        draft.record(Event::CustomerEscalated { why: why.into(), level: None, occurred_at, offered: false });
        // The plan offers nobody higher: whoever has it must know at least.
        return match draft.incident.holder.as_ref().map(|holder| holder.who.clone()) {
            Some(Actor::Person(person)) => draft.page(person, None, Cause::CustomerAsked),
            _ => draft.page_first_level(Cause::CustomerAsked),
        };
    };
    let level = level.unwrap_or(draft.incident.asked_levels).min(last);
    let asked = &levels[level];
    let asks_when = asked.occurrence && occurred_at.is_none();
    draft.record(Event::CustomerEscalated { why: why.into(), level: Some(level), occurred_at, offered: true });
    if asks_when {
        draft.record(Event::TermsUnmet {
            what: "the customer did not say on which date and at what time it was".into(),
        });
    }
    let reached = draft.incident.climb.level;
    match draft.ladder().level_of(&asked.target) {
        Some(rung) if reached.is_none_or(|reached| rung > reached) => {
            let round = draft.incident.climb.round;
            draft.climb_to(rung, round, Cause::CustomerAsked);
        }
        _ => draft.raise(Cause::CustomerAsked),
    }
}

/// The customer said something: nobody waits on them any longer, and what was closed is open again.
pub(super) fn replies(draft: &mut Draft<'_>, text: &str) -> Result<(), Refusal> {
    if draft.incident.phase == super::state::Phase::Cancelled {
        return Err(Refusal::Closed);
    }
    let text: String = text.trim().chars().take(LONGEST_REPLY).collect();
    if text.is_empty() {
        return Err(Refusal::Invalid("the reply is empty".into()));
    }
    draft.record(Event::CustomerReplied { text: text.clone() });
    if draft.incident.ruled_out.is_some() {
        reengage(draft, &Actor::Customer, "the customer replied");
    } else if !draft.incident.is_open() {
        reopen(draft, &Actor::Customer, "the customer replied");
        let text = words::promise(&draft.incident, draft.now);
        draft.tell_customer(text);
    } else if let Some(Actor::Person(person)) = draft.incident.holder.as_ref().map(|holder| holder.who.clone()) {
        let told = format!("{}: the customer replied.", draft.incident.reference);
        draft.tell(&person, told);
    } else {
        draft.mail_team();
        // Where people are woken and nobody has it, a mail alone would be heard by nobody.
        if draft.incident.wakes() && draft.incident.climb.next_at.is_none() {
            draft.page_first_level(Cause::CustomerAsked);
        }
    }
    Ok(())
}

/// Open again, with all that is promised.
pub(super) fn reopen(draft: &mut Draft<'_>, by: &Actor, why: &str) {
    draft.record_settling(Event::Reopened { by: by.clone(), why: why.into() });
    if draft.incident.wakes() {
        draft.climb_to(0, 0, Cause::Reopened);
    } else {
        draft.mail_team();
    }
}

/// The team comes back to what had been ruled out, and everything is promised anew.
pub(super) fn reengage(draft: &mut Draft<'_>, by: &Actor, why: &str) {
    draft.record(Event::Reengaged { by: by.clone(), why: why.into() });
    if draft.incident.wakes() {
        draft.climb_to(0, 0, Cause::Reengaged);
    } else {
        draft.mail_team();
    }
    let text = words::promise(&draft.incident, draft.now);
    draft.tell_customer(text);
}
