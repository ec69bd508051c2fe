//! An incident's events in plain words.

use super::{
    command::{Actor, Evidence, Source, Via},
    effect::Cause,
    event::{Event, Recorded},
    words::clock_time,
};
use crate::{config::Config, id::PersonKey, sla::Zone};

/// One line for people: what happened, without the time. Clock times in it are told in `zone`.
pub fn words(recorded: &Recorded, config: &Config, zone: &Zone) -> String {
    let at = |time| clock_time(time, zone, recorded.at);
    let person = |key: &PersonKey| config.people.get(key).map_or_else(|| key.to_string(), |person| person.name.clone());
    let who = |actor: &Actor| match actor {
        Actor::Person(key) => person(key),
        other => super::decide::name(other),
    };
    match &recorded.event {
        Event::Opened { report } => {
            let by = match &report.source {
                Source::Phone { verified: true, .. } => "by phone".into(),
                Source::Phone { .. } => "by phone, caller not verified".into(),
                Source::Integration { integration } => format!("by {integration}"),
                Source::Api { by } => format!("by {by}"),
            };
            format!("{} reported for {} {by}: {}", report.priority, report.customer_name, report.title)
        }
        Event::SignalRepeated { summary } => format!("reported again: {summary}"),
        Event::Amended { contact, title, detail } => {
            let mut what = Vec::new();
            what.extend(contact.name.as_ref().map(|name| format!("contact {name}")));
            what.extend(contact.number.as_ref().map(|_| "call-back number".to_string()));
            what.extend(title.as_ref().map(|title| format!("title: {title}")));
            what.extend(detail.as_ref().map(|_| "details".to_string()));
            format!("the caller added {}", if what.is_empty() { "nothing".into() } else { what.join(", ") })
        }
        Event::TermsUnmet { what } => format!("not as the plan asks: {what}"),
        Event::CustomerEscalated { why, occurred_at, offered, .. } => {
            let when = occurred_at.map(|time| format!(", at {}", at(time))).unwrap_or_default();
            let offered = if *offered { "" } else { " (the plan offers nobody higher)" };
            format!("the customer asks for more{offered}: {why}{when}")
        }
        Event::CustomerReplied { text } => format!("the customer replied: {text}"),
        Event::Begun { .. } => "work begins".into(),
        Event::LevelReached { name, cause, round, next_at, .. } => {
            let again = if *round > 0 { format!(", round {}", round + 1) } else { String::new() };
            format!("level {name} reached{again} ({}); the next at {}", why(*cause), at(*next_at))
        }
        Event::LevelSkipped { name, .. } => format!("level {name} skipped: nobody stands on it"),
        Event::LadderExhausted => "every level and round is used up; nobody took it".into(),
        Event::Paged { person: paged, cause, .. } => format!("{} paged ({})", person(paged), why(*cause)),
        Event::PageExhausted { definite: true, .. } => "no human at the other end of that page".into(),
        Event::PageExhausted { .. } => "that page rang out".into(),
        Event::Acknowledged { by, via, .. } => format!("acknowledged by {} {}", who(by), way(*via)),
        Event::PageAnswered { by, via, .. } => format!("{} answered the page {}", who(by), way(*via)),
        Event::PassedOn { by, via } => format!("passed on by {} {}", who(by), way(*via)),
        Event::AcknowledgementLapsed { holder } => {
            format!("nothing heard from {}: the acknowledgement lapsed", who(holder))
        }
        Event::CallbackStarted { by } => format!("{} calls the customer", who(by)),
        Event::ResponseReminded { percent } => format!("{percent} % of the time for the callback is gone"),
        Event::Responded { by, evidence, late } => {
            let late = if *late { ", late" } else { "" };
            match evidence {
                Evidence::Conversation { seconds, .. } => {
                    format!("{} spoke with the customer for {seconds} s{late}", who(by))
                }
                Evidence::Connected { .. } => format!("{} was connected with the caller{late}", who(by)),
                Evidence::Attested { note } => format!("{} says the customer was spoken to{late}: {note}", who(by)),
            }
        }
        Event::ResponseMissed { due } => format!("the callback promised by {} was missed", at(*due)),
        Event::UpdateReminded { window, due } => format!("update {window} is due by {}", at(*due)),
        Event::Updated { by, text, customer_visible, why_not, .. } => {
            let seen = if *customer_visible { "update" } else { "internal note" };
            let counts = why_not.as_ref().map(|why| format!(" (does not count: {why})")).unwrap_or_default();
            format!("{seen} by {}{counts}: {text}", who(by))
        }
        Event::UpdateMet { window, due } => format!("update {window}, due by {}, was given", at(*due)),
        Event::UpdateMissed { window, due } => format!("update {window}, due by {}, was missed", at(*due)),
        Event::PriorityChanged { by, from, to, reason } => format!("{} changed {from} to {to}: {reason}", who(by)),
        Event::Escalated { by, why } => format!("{} escalated: {why}", who(by)),
        Event::ResponderAdded { by, person: added } => format!("{} added {}", who(by), person(added)),
        Event::CommanderAssigned { by, person: named } => format!("{} made {} commander", who(by), person(named)),
        Event::WaitingOnCustomer { by, reason } => format!("{} waits on the customer: {reason}", who(by)),
        Event::Resumed { by } => format!("{} took it up again", who(by)),
        Event::CustomerAsked { request } => format!("the customer was asked again, for the {} time", ordinal(*request)),
        Event::IdleWarned { closes_at } => format!("the customer was told that it is closed {}", at(*closes_at)),
        Event::ClosedIdle { .. } => "closed: the customer did not answer".into(),
        Event::RuledOut { by, note } => format!("{} ruled us out as the cause: {note}", who(by)),
        Event::Reengaged { by, why } => format!("engaged again by {}: {why}", who(by)),
        Event::UpstreamNoted { by, service, words } => format!("{} noted trouble at {service}: {words}", who(by)),
        Event::CallOffered { by, .. } => format!("{} sent the customer a link to talk", who(by)),
        Event::ResolutionReminded { due } => format!("the end is promised by {}", at(*due)),
        Event::ResolutionMissed { due } => format!("the end promised by {} was missed", at(*due)),
        Event::RcaReminded { stage, due } => format!("the {stage} analysis of the cause is due by {}", at(*due)),
        Event::RcaMissed { stage, due } => {
            format!("the {stage} analysis of the cause, due by {}, was missed", at(*due))
        }
        Event::RcaDelivered { by, stage, late, .. } => {
            format!("{} delivered the {stage} analysis of the cause{}", who(by), if *late { ", late" } else { "" })
        }
        Event::ReviewDue => "nothing happened for a day: look at it".into(),
        Event::Resolved { by, note } if note.is_empty() => format!("resolved by {}", who(by)),
        Event::Resolved { by, note } => format!("resolved by {}: {note}", who(by)),
        Event::Reopened { by, why } => format!("opened again by {}: {why}", who(by)),
        Event::Cancelled { by, reason } => format!("cancelled by {}: {reason}", who(by)),
    }
}

/// A cause, for people.
pub fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::Opened => "new",
        Cause::NotAcknowledged => "nobody acknowledged",
        Cause::CallbackAtRisk => "the callback is due soon",
        Cause::CallbackMissed => "the callback was missed",
        Cause::UpdateDue => "an update is due soon",
        Cause::UpdateMissed => "an update was missed",
        Cause::CustomerAsked => "the customer asked",
        Cause::Asked => "asked for",
        Cause::Forgotten => "acknowledged and forgotten",
        Cause::PassedOn => "passed on",
        Cause::Reopened => "opened again",
        Cause::PriorityRaised => "more urgent now",
        Cause::Begins => "work begins",
        Cause::Reengaged => "the customer engages us again",
        Cause::ResolutionDue => "its end is due soon",
        Cause::ResolutionMissed => "its promised end was missed",
        Cause::RcaDue => "the analysis of the cause is due soon",
        Cause::RcaMissed => "the analysis of the cause is late",
    }
}

/// `2nd`.
fn ordinal(number: u8) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn way(via: Via) -> &'static str {
    match via {
        Via::Key => "by key",
        Via::Sms => "by text",
        Via::Api => "through the API",
        Via::Web => "on the web",
        Via::Integration => "at the sender",
    }
}
