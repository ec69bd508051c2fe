//! Waiting on the customer in plain words: how often they were asked, and when it is closed.

use super::{Explained, arithmetic::sum, clock::Words, reason};
use crate::{
    clock::Time,
    incident::{
        decide::name,
        ledger::reckon::{Asked, Wait, WaitEnd, Why},
    },
};

/// `None` under a plan that never closes a silent customer's incident: what stood still is told with its promise.
pub(super) fn wait(wait: &Wait, words: Words<'_>) -> Option<Explained> {
    words.plan.idle.as_ref()?;
    let Wait { since, by, reason: asked_for, asked, again_at, close_at, warned, end, .. } = wait;
    let near = *since;
    let mut text = format!("{} asked the customer {} ({asked_for}).", name(by), words.dated(near));
    for (number, again) in asked.iter().enumerate().skip(1) {
        text.push_str(&format!(" Request {}: {}.", number + 1, words.told(again.at, near)));
    }
    if let Some(Asked { at, term: Some(term) }) = asked.last() {
        let next = |what: &str, due: Time| {
            let sum =
                words.calendar(term).and_then(|calendar| sum(calendar, (*at, due), due, words)).unwrap_or_default();
            let steps = if sum.steps.is_empty() { String::new() } else { format!(": {}", sum.steps) };
            let due = words.told(due, near);
            format!(" Without an answer it is {what} after {}{steps}, which is {due}.{}", words.term(term), sum.closed)
        };
        text.extend(again_at.map(|due| next("asked again", due)));
        text.extend(close_at.map(|due| next("closed", due)));
    }
    text.extend(warned.map(|at| format!(" The customer was told so {}.", words.told(at, near))));
    let (verdict, happened) = match end {
        None => ("open", "There is no answer yet.".into()),
        Some(WaitEnd::Answered(at)) => ("answered", format!("The customer answered {}.", words.told(*at, near))),
        Some(WaitEnd::Resumed(at)) => ("waived", format!("Work went on without {}.", words.told(*at, near))),
        Some(WaitEnd::Ended(ended)) if ended.why == Why::Idle => {
            ("closed", format!("No answer came: closed {}.", words.told(ended.at, near)))
        }
        Some(WaitEnd::Ended(ended)) => ("waived", format!("{}.", reason(ended, words, near))),
    };
    Some(Explained { promise: "Idle".into(), verdict, words: format!("{text} {happened}") })
}
