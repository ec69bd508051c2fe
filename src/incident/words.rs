//! What customers are told by text. Short, true, with a time on their own clock.

use super::{command::RcaStage, state::Incident};
use crate::{clock::Time, sla::Zone};

/// A clock time where the customer is: `14:32`, with the day when it is not today, and with the date when the day alone
/// could be another.
pub fn clock_time(at: Time, zone: &Zone, now: Time) -> String {
    let (there, today) = (at.with_timezone(zone), now.with_timezone(zone).date_naive());
    match (there.date_naive() - today).num_days() {
        0 => there.format("%H:%M").to_string(),
        -6..=6 => there.format("%a %H:%M").to_string(),
        _ => dated(at, zone),
    }
}

/// A date and a clock time: `Mon 23 Nov 15:30`.
pub fn dated(at: Time, zone: &Zone) -> String {
    at.with_timezone(zone).format("%a %-d %b %H:%M").to_string()
}

/// A date and a clock time where the customer is: `Mon 23 Nov 15:30`, the clock time alone when it is today.
pub fn date_time(at: Time, zone: &Zone, now: Time) -> String {
    let (there, today) = (at.with_timezone(zone), now.with_timezone(zone).date_naive());
    if there.date_naive() == today { there.format("%H:%M").to_string() } else { dated(at, zone) }
}

/// The promise, when the trouble was reported.
pub fn promise(incident: &Incident, now: Time) -> String {
    let Incident { reference, priority, zone, .. } = incident;
    let promise = incident.plan.promise(*priority);
    let owed = incident.response.due.filter(|_| incident.response.met.is_none() && !incident.response.missed);
    let mut text = format!("{reference}: we have your report ({priority}).");
    match (owed, incident.not_before.filter(|wanted| promise.scheduled && *wanted > now)) {
        (Some(_), Some(wanted)) => {
            text += &format!(" We begin {} as you asked.", clock_time(wanted, zone, now));
        }
        (Some(_), None) if promise.live => text += " An engineer is being called now.",
        (Some(due), None) => text += &format!(" An engineer will call you back by {}.", clock_time(due, zone, now)),
        (None, _) => text += " Keep this reference.",
    }
    if promise.reachable {
        text += " Please stay reachable until it is over.";
    }
    text
}

/// What the customer is asked to send, for the end of a mail.
pub fn please_send(incident: &Incident) -> String {
    match incident.plan.documents.as_slice() {
        [] => String::new(),
        documents => format!("\n\nPlease send us, if you have not:\n- {}", documents.join("\n- ")),
    }
}

/// A progress update.
pub fn update(incident: &Incident, text: &str, now: Time) -> String {
    let mut words = format!("{}: {text}", incident.reference);
    if let Some(next) = incident.next_update_due() {
        words.push_str(&format!(" Next update by {}.", clock_time(next, &incident.zone, now)));
    }
    words
}

/// A question to the customer, and what happens without an answer.
pub fn waiting(incident: &Incident, now: Time) -> String {
    let Some(waiting) = &incident.waiting else { return String::new() };
    let again = if waiting.requests > 1 { " again" } else { "" };
    let mut text = format!("{}: we need to hear from you{again}: {}", incident.reference, waiting.reason);
    if !text.ends_with(['.', '?', '!']) {
        text.push('.');
    }
    if let Some(close_at) = waiting.close_at {
        let by = date_time(close_at, &incident.zone, now);
        text += &format!(" Without an answer it is closed {by}; any reply opens it again.");
    }
    text
}

/// Before it is closed for want of an answer.
pub fn closes_soon(incident: &Incident, closes_at: Time, now: Time) -> String {
    let by = date_time(closes_at, &incident.zone, now);
    format!("{} is closed {by} unless we hear from you. Is it solved? Any reply keeps it open.", incident.reference)
}

/// After it was closed for want of an answer.
pub fn closed_idle(incident: &Incident) -> String {
    format!(
        "{} is closed because we did not hear from you. Reply or call us, and it is open again.",
        incident.reference
    )
}

/// The trouble is not ours.
pub fn ruled_out(incident: &Incident, note: &str) -> String {
    format!(
        "{}: our part was ruled out as the cause: {note} Our engineers leave the call. Call us again with this \
         reference, and they are back.",
        incident.reference
    )
}

/// Somebody else's service that we rest on is in trouble.
pub fn upstream(incident: &Incident, service: &str, said: &str) -> String {
    format!("{}: {service} has trouble that may affect you: {said}", incident.reference)
}

/// A link to talk at once.
pub fn call_link(incident: &Incident, link: &str) -> String {
    format!("{}: an engineer is ready to talk. Start the call: {link}", incident.reference)
}

/// The analysis of the cause, in the mail it comes with.
pub fn rca_delivered(incident: &Incident, stage: RcaStage) -> String {
    let stage = match stage {
        RcaStage::Draft => "A first draft of the analysis",
        RcaStage::Final => "The analysis",
    };
    format!("{stage} of what caused {} is attached.", incident.reference)
}

/// The subject of every mail about it; the mail itself adds the reference.
pub fn subject(incident: &Incident) -> String {
    if incident.plan.private { "Your support request".into() } else { incident.title.clone() }
}

/// For the team, by mail: what was reported, and what is promised. Without names, numbers and the caller's words where
/// the plan wants that.
pub fn for_the_team(incident: &Incident, now: Time) -> String {
    let Incident { reference, priority, customer_name, zone, .. } = incident;
    let mut text = format!("{reference} {priority}\n");
    if !incident.plan.private {
        text += &format!("{customer_name}: {}\n", incident.title);
        if !incident.detail.is_empty() {
            text += &format!("\n{}\n", incident.detail);
        }
        if let Some(name) = &incident.contact.name {
            text += &format!("\nContact: {name}\n");
        }
        if let Some(number) = &incident.contact.number {
            text += &format!("Call back: {number}\n");
        }
    }
    if let Some(due) = incident.response.due {
        text += &format!("\nThe customer is promised an answer by {}.\n", date_time(due, zone, now));
    }
    if let Some(begins) = incident.begins_at {
        text += &format!("Nobody was woken; people are paged {}.\n", date_time(begins, zone, now));
    }
    text += &format!("\nringdown show {reference}\n");
    text
}

/// The end.
pub fn resolved(incident: &Incident, note: &str) -> String {
    let end = if note.is_empty() || note.ends_with(['.', '?', '!']) { "" } else { "." };
    let note = if note.is_empty() { String::new() } else { format!(" {note}{end}") };
    format!("{} is resolved.{note} If it is not, call us and say so.", incident.reference)
}
