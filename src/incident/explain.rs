//! The arithmetic of every promise in plain words: what was promised, counted from when and in which hours, due when,
//! and what happened.

mod arithmetic;
mod clock;
mod deadlines;
mod idle;

use chrono::TimeDelta;

use self::{
    arithmetic::counted,
    clock::{Words, after, length, place, spoken},
};
use super::{
    command::{Actor, Evidence},
    decide::name,
    ledger::reckon::{Began, Callback, Count, End, Ended, Held, Reckoning, Verdict, Why, Window},
    state::Incident,
};
use crate::clock::Time;

/// One promise explained.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Explained {
    /// `Callback`, `Update 2`, `Resolution`, `RCA draft`, `RCA final`, `Idle`.
    pub promise: String,
    /// `kept`, `late`, `missed`, `waived` or `open`; for an update `met` instead of `kept`; for the waiting on a
    /// customer (`Idle`) `answered` or `closed` instead of `kept`.
    pub verdict: &'static str,
    pub words: String,
}

/// Every promise of an incident: callbacks, updates, the end, analyses of the cause, waiting on the customer. Clock
/// times are the customer's.
pub fn explain(reckoning: &Reckoning, incident: &Incident) -> Vec<Explained> {
    let words = Words { plan: &incident.plan, zone: &incident.zone, not_before: incident.not_before };
    let callbacks = reckoning.callbacks.iter().map(|promise| callback(promise, words));
    let windows = reckoning.windows.iter().map(|promise| window(promise, words));
    let deadlines = reckoning.deadlines.iter().map(|promise| deadlines::deadline(promise, words));
    let waits = reckoning.waits.iter().filter_map(|wait| idle::wait(wait, words));
    callbacks.chain(windows).chain(deadlines).chain(waits).collect()
}

/// The explanation as a page of text.
pub fn text(incident: &Incident, reckoning: &Reckoning) -> String {
    let explained = explain(reckoning, incident);
    let Incident { reference, customer_name, priority, plan, zone, .. } = incident;
    let mut text = format!("{reference}  {customer_name}, {priority}, plan \"{}\" ({})\n", plan.title, plan.key);
    text.push_str(&format!("Clock times are those of {} ({zone}).\n", place(zone)));
    if explained.is_empty() {
        text.push_str("\nThe plan promises nothing for this priority.\n");
    }
    for promise in explained {
        text.push_str(&format!("\n{}: {}\n  {}\n", promise.promise, promise.verdict, promise.words));
    }
    for wrong in &reckoning.contradictions {
        text.push_str(&format!("\nDOES NOT ADD UP, event {}: {}\n", wrong.seq, wrong.what));
    }
    text
}

fn callback(promise: &Callback, words: Words<'_>) -> Explained {
    let Callback { count, live, missed, held, ended } = promise;
    let what = if *live { "to connect the caller" } else { "a callback" };
    let promised = promised(what, count, words);
    let due = count.due;
    let happened = match (held, missed, ended) {
        (Some(held), None, _) => {
            format!("{}: kept, {}.", conversation(held, words, count.from), before(held.at, due))
        }
        (Some(held), Some(_), _) => {
            format!("{}: late by {}.", conversation(held, words, count.from), length(due, held.at))
        }
        (None, Some(at), _) => {
            format!("There was no conversation by then: missed, and recorded {}.", after(due, *at))
        }
        (None, None, Some(ended)) => format!("{}: not owed any more.", reason(ended, words, count.from)),
        (None, None, None) => "There has been no conversation yet.".into(),
    };
    let verdict = verdict(promise.promised().verdict);
    Explained { promise: "Callback".into(), verdict, words: format!("{promised} {happened}") }
}

fn window(promise: &Window, words: Words<'_>) -> Explained {
    let Window { number, count, given, end } = promise;
    let Count { began, priority, from, term, .. } = count;
    let (first_due, sum) = (first_due(count), counted(count, words));
    let ran = format!(
        "{priority} promises an update in every {}{}. This window {} from {} to {}{}.{}{}",
        words.term(term),
        if *began == Began::Spoken { ", from the first conversation on" } else { "" },
        if *end == End::Open { "runs" } else { "ran" },
        words.dated(*from),
        words.told(first_due, *from),
        if sum.steps.is_empty() { String::new() } else { format!(": {}", sum.steps) },
        pauses(count, words),
        sum.closed
    );
    let given = given.as_ref().map(|given| format!("{} gave one {}", name(&given.by), words.told(given.at, *from)));
    let (verdict, happened) = match (end, given) {
        (End::Met, given) => ("met", format!("{}: met.", given.unwrap_or_default())),
        (End::Missed(at), _) => {
            ("missed", format!("None that counts was given in it: missed, and recorded {}.", after(count.due, *at)))
        }
        (End::Waived(ended), _) => {
            ("waived", format!("{} before it ended: not owed any more.", reason(ended, words, *from)))
        }
        (End::Open, Some(given)) => ("open", format!("{given}.")),
        (End::Open, None) => ("open", "None was given yet.".into()),
    };
    Explained { promise: format!("Update {number}"), verdict, words: format!("{ran} {happened}") }
}

/// From when, within how much of which hours, and so due when.
fn promised(what: &str, count: &Count, words: Words<'_>) -> String {
    let Count { began, priority, from, term, .. } = count;
    let began = match began {
        _ if words.not_before == Some(*from) => "To be begun",
        Began::Reported | Began::Chained => "Reported",
        Began::Reopened => "Opened again",
        Began::Reengaged => "Engaged again",
        Began::Priority => "Priority changed",
        Began::Spoken => "First spoken to",
        Began::Resolved => "Resolved",
    };
    let sum = counted(count, words);
    let steps = if sum.steps.is_empty() { String::new() } else { format!(" {}:", sum.steps) };
    format!(
        "{began} {}. {priority} promises {what} within {}:{steps} due {}.{}{}",
        words.dated(*from),
        words.term(term),
        words.told(first_due(count), *from),
        pauses(count, words),
        sum.closed
    )
}

/// When it would have been due had it never stood still.
fn first_due(count: &Count) -> Time {
    count.pauses.first().map_or(count.due, |pause| pause.was_due)
}

/// When its clock stood still, and when it was due then.
fn pauses(count: &Count, words: Words<'_>) -> String {
    let near = count.from;
    let next_due = |place: usize| count.pauses.get(place + 1).map_or(count.due, |next| next.was_due);
    let told = count.pauses.iter().enumerate().map(|(place, pause)| {
        let (who, left, since) = (name(&pause.by), words.open(pause.left, &count.term), words.told(pause.since, near));
        match pause.until {
            None => format!(
                " {who} has waited on the customer since {since} ({}): the clock stands still with {left} left.",
                pause.reason
            ),
            Some(until) => format!(
                " {who} waited on the customer from {since} to {} ({}): the clock stood still with {left} left{}.",
                words.told(until, near),
                pause.reason,
                if pause.settled { String::new() } else { format!(", so due {}", words.told(next_due(place), near)) }
            ),
        }
    });
    told.collect()
}

fn conversation(held: &Held, words: Words<'_>, near: Time) -> String {
    let (who, at) = (by(&held.by), words.told(held.at, near));
    match &held.evidence {
        Evidence::Conversation { seconds, .. } => {
            format!("A conversation of {} {who} ended {at}", spoken(TimeDelta::seconds((*seconds).into())))
        }
        Evidence::Connected { .. } => format!("The caller was connected {who} {at}"),
        Evidence::Attested { .. } => format!("The conversation {who}, on their own word, is recorded {at}"),
    }
}

fn by(actor: &Actor) -> String {
    format!("with {}", name(actor))
}

/// How long before it was due.
fn before(at: Time, due: Time) -> String {
    if at >= due { "at the last moment".into() } else { format!("{} before it was due", length(at, due)) }
}

fn reason(ended: &Ended, words: Words<'_>, near: Time) -> String {
    let at = words.told(ended.at, near);
    match ended.why {
        Why::Resolved => format!("It was resolved {at}"),
        Why::Cancelled => format!("It was cancelled {at}"),
        Why::Idle => format!("It was closed {at} for want of an answer"),
        Why::RuledOut => format!("It was ruled out {at}"),
        Why::Reopened => format!("It was opened again {at}"),
        Why::Priority { to } => format!("The priority became {to} {at}"),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "kept",
        Verdict::Late => "late",
        Verdict::Missed => "missed",
        Verdict::Waived => "waived",
        Verdict::Open => "open",
    }
}
