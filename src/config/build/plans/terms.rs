//! What is promised for one priority: terms, windows of updates, the analysis of the cause.

use super::{
    super::{DAY, Known},
    bounded,
    draft::{CadenceDraft, Clause, PromiseDraft, RcaDraft, TermDraft, Within},
    texts,
};
use crate::{
    config::document::{Fields, Node},
    id::CalendarKey,
    sla::{Amount, Anchor, IntakeChannel, Required},
    span::Span,
};

/// The shortest and the longest promise, in seconds where a business day has 24 hours.
const SHORTEST: i64 = 60;
const LONGEST: i64 = 366 * 24 * 3600;
/// What "immediate" allows from the report to the answer.
const IMMEDIATE: Span = Span::seconds(60);

const CHANNELS: [(&str, IntakeChannel); 4] = [
    ("phone", IntakeChannel::Phone),
    ("mail", IntakeChannel::Mail),
    ("web", IntakeChannel::Web),
    ("monitoring", IntakeChannel::Monitoring),
];
const REQUIRED: [(&str, Required); 2] =
    [("callback-number", Required::CallbackNumber), ("contact-name", Required::ContactName)];

/// One priority: a table, or `"none"`.
pub fn promise(node: &Node<'_>, known: &Known) -> Clause<PromiseDraft> {
    clause(node, |node| Some(node.fields(|t| terms(t, known))))
}

fn terms(t: &Fields<'_>, known: &Known) -> PromiseDraft {
    let term = |name| t.optional(name).map_or(Clause::Unsaid, |node| clause(node, |node| term(node, known)));
    let flag = |name| t.optional(name).and_then(Node::flag);
    let response = t.optional("response").map_or(Clause::Unsaid, |node| match node.is_text() {
        Some("immediate") => {
            let within = Within { amount: IMMEDIATE.into(), immediate: true };
            Clause::Offered(TermDraft { within: Some(within), calendar: None })
        }
        _ => clause(node, |node| self::term(node, known)),
    });
    let mut updates = t.optional("updates").map_or(Clause::Unsaid, |node| clause(node, |node| cadence(node, known)));
    // Beside `updates` it may also stand on its own.
    if let Some(node) = t.optional("remind_before") {
        let reminder = reminder(node);
        match &mut updates {
            Clause::Unsaid => {
                updates = Clause::Offered(CadenceDraft { remind_before: reminder, ..CadenceDraft::default() });
            }
            Clause::Offered(cadence) if cadence.remind_before.is_none() => cadence.remind_before = reminder,
            Clause::Offered(_) => node.error("is written in `updates` too; take one out"),
            Clause::NotOffered => node.error("there are no updates to be reminded of; take it out"),
        }
    }
    PromiseDraft {
        title: t.optional("title").and_then(Node::words).map(String::from),
        criteria: t.optional("criteria").map(texts),
        impact_above: t
            .optional("impact_above")
            .map_or(Clause::Unsaid, |node| clause(node, |node| Some(Some(node.number(0, 99)?)))),
        channels: t.optional("channels").map(|node| choices(node, &CHANNELS)),
        requires: t.optional("requires").map(|node| choices(node, &REQUIRED)),
        wakes: flag("wakes"),
        office_hours: t.optional("hours").and_then(|node| node.choice(&[("office", true), ("any", false)])),
        live: flag("live"),
        scheduled: flag("scheduled"),
        reachable: flag("reachable"),
        response,
        updates,
        resolution: term("resolution"),
        rca: t.optional("rca").map_or(Clause::Unsaid, |node| clause(node, |node| Some(rca(node, known)))),
    }
}

/// `"none"`, or what `read` makes of it.
pub fn clause<'a, T>(node: &Node<'a>, read: impl FnOnce(&Node<'a>) -> Option<T>) -> Clause<T> {
    match node.is_text() {
        Some("none") => Clause::NotOffered,
        _ => read(node).map_or(Clause::Unsaid, Clause::Offered),
    }
}

/// `"30m"`, or a table with `within` and `calendar`.
pub fn term(node: &Node<'_>, known: &Known) -> Option<TermDraft> {
    if node.is_text().is_some() {
        return Some(TermDraft { within: Some(within(node)?), calendar: None });
    }
    Some(node.fields(|t| TermDraft { within: t.optional("within").and_then(within), calendar: calendar(t, known) }))
}

fn cadence(node: &Node<'_>, known: &Known) -> Option<CadenceDraft> {
    if node.is_text().is_some() {
        let every = TermDraft { within: Some(within(node)?), calendar: None };
        return Some(CadenceDraft { every, ..CadenceDraft::default() });
    }
    Some(node.fields(|t| {
        let from = [("report", Anchor::Report), ("response", Anchor::Response)];
        CadenceDraft {
            every: TermDraft { within: t.optional("every").and_then(within), calendar: calendar(t, known) },
            from: t.optional("from").and_then(|node| node.choice(&from)),
            remind_before: t.optional("remind_before").and_then(reminder),
        }
    }))
}

fn rca(node: &Node<'_>, known: &Known) -> RcaDraft {
    node.fields(|t| {
        let term = |name| t.optional(name).map_or(Clause::Unsaid, |node| clause(node, |node| term(node, known)));
        RcaDraft { draft: term("draft"), last: term("final") }
    })
}

fn within(node: &Node<'_>) -> Option<Within> {
    let amount: Amount = node.parse()?;
    if !(SHORTEST..=LONGEST).contains(&amount.seconds(DAY)) {
        node.error(format!("`{amount}` is out of range; write 1m to 366d"));
        return None;
    }
    Some(Within { amount, immediate: false })
}

fn reminder(node: &Node<'_>) -> Option<Span> {
    node.span(Span::seconds(0), DAY)
}

/// The key `calendar` of a table.
pub fn calendar(t: &Fields<'_>, known: &Known) -> Option<CalendarKey> {
    let named = |node: &Node<'_>| Some(node.reference("calendar", "calendars", &known.calendars)?.into());
    t.optional("calendar").and_then(named)
}

/// Each of them once.
fn choices<T: Copy + PartialEq>(node: &Node<'_>, choices: &[(&str, T)]) -> Vec<T> {
    let mut chosen = Vec::new();
    for item in bounded(node) {
        match item.choice(choices) {
            Some(choice) if chosen.contains(&choice) => item.error("is listed twice; take one out"),
            Some(choice) => chosen.push(choice),
            None => {}
        }
    }
    chosen
}
