//! The arithmetic of every promise in plain words: what was promised, counted from when, due when, and what happened.

use chrono::{Datelike, MappedLocalTime, Offset, TimeDelta, TimeZone};

use super::{
    command::{Actor, Evidence},
    decide::name,
    ledger::reckon::{Began, Callback, Count, End, Ended, Held, Reckoning, Why, Window},
    state::Incident,
};
use crate::{clock::Time, sla::Zone, span::Span};

/// One promise explained.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Explained {
    /// `Callback`, `Update 2`.
    pub promise: String,
    /// `kept`, `late`, `missed`, `waived` or `open`; for an update `met` instead of `kept`.
    pub verdict: &'static str,
    pub words: String,
}

/// Every promise of an incident, callbacks first. Clock times are the customer's.
pub fn explain(reckoning: &Reckoning, zone: &Zone) -> Vec<Explained> {
    let callbacks = reckoning.callbacks.iter().map(|promise| callback(promise, zone));
    callbacks.chain(reckoning.windows.iter().map(|promise| window(promise, zone))).collect()
}

/// The explanation as a page of text.
pub fn text(incident: &Incident, reckoning: &Reckoning) -> String {
    let explained = explain(reckoning, &incident.zone);
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

fn callback(promise: &Callback, zone: &Zone) -> Explained {
    let Callback { count: Count { began, priority, from, term, due, .. }, missed, held, ended, .. } = promise;
    let began = match began {
        Began::Reopened => "Opened again",
        Began::Priority => "Priority changed",
        _ => "Reported",
    };
    let (due_at, priority) = (told(*due, zone, *from), priority.to_string());
    let promised = format!(
        "{began} {}. {priority} promises a callback within {}, around the clock: due {due_at}.",
        dated(*from, zone),
        term.within
    );
    let (verdict, happened) = match (held, missed, ended) {
        (Some(held), None, _) if held.at <= *due => {
            ("kept", format!("{}: kept, {} before it was due.", conversation(held, zone, *from), length(held.at, *due)))
        }
        (Some(held), _, _) => {
            ("late", format!("{}: late by {}.", conversation(held, zone, *from), length(*due, held.at)))
        }
        (None, Some(at), _) => {
            ("missed", format!("There was no conversation by then: missed, and recorded {}.", after(*due, *at)))
        }
        (None, None, Some(ended)) => ("waived", format!("{}: not owed any more.", reason(ended, zone, *from))),
        (None, None, None) => ("open", "There has been no conversation yet.".into()),
    };
    Explained { promise: "Callback".into(), verdict, words: format!("{promised} {happened}") }
}

fn window(promise: &Window, zone: &Zone) -> Explained {
    let Window { number, count: Count { priority, from, term, due, .. }, given, end } = promise;
    let ran = format!(
        "{priority} promises an update in every {}, around the clock. This window {} from {} to {}.",
        term.within,
        if *end == End::Open { "runs" } else { "ran" },
        dated(*from, zone),
        told(*due, zone, *from)
    );
    let given = given.as_ref().map(|given| format!("{} gave one {}", name(&given.by), told(given.at, zone, *from)));
    let (verdict, happened) = match (end, given) {
        (End::Met, given) => ("met", format!("{}: met.", given.unwrap_or_default())),
        (End::Missed(at), _) => {
            ("missed", format!("None that counts was given in it: missed, and recorded {}.", after(*due, *at)))
        }
        (End::Waived(ended), _) => {
            ("waived", format!("{} before it ended: not owed any more.", reason(ended, zone, *from)))
        }
        (End::Open, Some(given)) => ("open", format!("{given}.")),
        (End::Open, None) => ("open", "None was given yet.".into()),
    };
    Explained { promise: format!("Update {number}"), verdict, words: format!("{ran} {happened}") }
}

fn conversation(held: &Held, zone: &Zone, near: Time) -> String {
    let (who, at) = (by(&held.by), told(held.at, zone, near));
    match &held.evidence {
        Evidence::Conversation { seconds, .. } => {
            format!("A conversation of {} {who} ended {at}", spoken(Span::seconds(*seconds)))
        }
        Evidence::Connected { .. } => format!("The caller was connected {who} {at}"),
        Evidence::Attested { .. } => format!("The conversation {who}, on their own word, is recorded {at}"),
    }
}

fn by(actor: &Actor) -> String {
    format!("with {}", name(actor))
}

fn reason(ended: &Ended, zone: &Zone, near: Time) -> String {
    let at = told(ended.at, zone, near);
    match ended.why {
        Why::Resolved => format!("It was resolved {at}"),
        Why::Cancelled => format!("It was cancelled {at}"),
        Why::Idle => format!("It was closed {at}, because the customer no longer answered"),
        Why::RuledOut => format!("It was ruled out {at}"),
        Why::Reopened => format!("It was opened again {at}"),
        Why::Priority { to } => format!("The priority became {to} {at}"),
    }
}

/// How long after it was due it was written down.
fn after(due: Time, at: Time) -> String {
    if at - due < TimeDelta::minutes(1) { "at once".into() } else { format!("{} later", length(due, at)) }
}

/// From one instant to a later one.
fn length(from: Time, to: Time) -> String {
    spoken(Span::seconds(u32::try_from((to - from).num_seconds()).unwrap_or_default()))
}

/// `1 h 30 min`.
fn spoken(span: Span) -> String {
    let mut rest = span.delta().num_seconds();
    let mut parts = Vec::new();
    for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")] {
        if rest >= unit {
            parts.push(format!("{} {name}", rest / unit));
            rest %= unit;
        }
    }
    if parts.is_empty() { "0 s".into() } else { parts.join(" ") }
}

/// A day and a clock time: `Fri 20 Nov 2026 16:30`.
fn dated(at: Time, zone: &Zone) -> String {
    let there = at.with_timezone(zone);
    format!("{} {}", there.format("%a %-d %b %Y"), clock(at, zone))
}

/// A clock time, with the day when it is not that of `near`, and the offset where the clocks were changed between them.
fn told(at: Time, zone: &Zone, near: Time) -> String {
    let (there, near) = (at.with_timezone(zone), near.with_timezone(zone));
    let (day, offset, mut clock) = (near.date_naive(), there.offset().fix(), clock(at, zone));
    if offset != near.offset().fix() && !twice(at, zone) {
        clock.push_str(&format!(" (UTC{offset})"));
    }
    match (there.date_naive() - day).num_days() {
        0 => clock,
        1..=6 => format!("{} {clock}", there.format("%a")),
        _ if there.year() == day.year() => format!("{} {clock}", there.format("%a %-d %b")),
        _ => format!("{} {clock}", there.format("%a %-d %b %Y")),
    }
}

/// To the second, unless it is a full minute; with the offset when the clocks show this time twice.
fn clock(at: Time, zone: &Zone) -> String {
    let there = at.with_timezone(zone);
    let clock = there.format(if at.timestamp() % 60 != 0 { "%H:%M:%S" } else { "%H:%M" }).to_string();
    if twice(at, zone) { format!("{clock} (UTC{})", there.offset().fix()) } else { clock }
}

/// Whether the clocks show this time twice, because they are put back.
fn twice(at: Time, zone: &Zone) -> bool {
    let local = at.with_timezone(zone).naive_local();
    matches!(zone.from_local_datetime(&local), MappedLocalTime::Ambiguous(..))
}

/// `New York` of `America/New_York`.
fn place(zone: &Zone) -> String {
    zone.name().rsplit('/').next().unwrap_or_default().replace('_', " ")
}
