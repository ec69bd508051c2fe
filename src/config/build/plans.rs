//! `plans/KEY.toml`: what is promised for each priority.

use super::{DAY, by_priority};
use crate::{
    config::document::{Fields, Node},
    sla::{Cadence, Plan, Priority, Promise},
    span::Span,
};

/// The longest promise: thirty days.
const LONGEST: Span = Span::minutes(30 * 24 * 60);

/// Reads a plan.
pub fn plan(key: &str, node: &Node<'_>) -> Plan {
    node.fields(|t| {
        let title = t.required("title", "\"Standard support\"").and_then(Node::words).unwrap_or(key);
        let mut plan = Plan::empty(key.into(), title);
        for (priority, node) in
            t.required("priorities", "{ P1 = { response = \"30m\" } }").map(by_priority).unwrap_or_default()
        {
            let promise = node.fields(|t| terms(t, Promise::of(priority)));
            plan.priorities.insert(priority, promise);
        }
        for priority in [Priority::P1, Priority::P2] {
            if plan.promise(priority).response.is_none() {
                node.warn(format!("promises no first response for {priority}, so nobody is held to one"));
            }
        }
        plan
    })
}

/// One priority's terms, laid over `base`.
pub fn terms(t: &Fields<'_>, base: Promise) -> Promise {
    let remind = t.optional("remind_before");
    let title = t.optional("title").and_then(Node::words).map(String::from);
    let response = t.optional("response").and_then(|node| node.span(Span::minutes(1), LONGEST));
    let updates = t.optional("updates");
    let window = updates.and_then(|node| node.span(Span::minutes(1), LONGEST));
    let reminder = remind.and_then(|node| node.span(Span::seconds(0), DAY));
    let remind_before = reminder.or(base.updates.as_ref().map(|updates| updates.remind_before));
    let remind_before = remind_before.unwrap_or(Span::minutes(15));
    let promise = Promise {
        title: title.unwrap_or(base.title),
        response: response.map(Into::into).or(base.response),
        updates: window.map(|window| Cadence::every(window, remind_before)).or(base.updates),
        ..base
    };
    // Where neither is written here, the plan itself has been told.
    if let (Some(window), Some(written)) = (window, remind.or(updates))
        && window <= remind_before
    {
        let message = format!(
            "an update is due every {window}, but its reminder comes {remind_before} before; write a shorter `remind_before`"
        );
        written.error(message);
    }
    promise
}
