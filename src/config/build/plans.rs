//! `plans/KEY.toml`: what is promised for each priority.

use super::{DAY, by_priority};
use crate::{
    config::document::{Fields, Node},
    sla::{Plan, Priority, Promise},
    span::Span,
};

/// The longest promise: thirty days.
const LONGEST: Span = Span::minutes(30 * 24 * 60);

/// Reads a plan.
pub fn plan(key: &str, node: &Node<'_>) -> Plan {
    node.fields(|t| {
        let mut plan = Plan {
            key: key.into(),
            title: t.required("title", "\"Standard support\"").and_then(Node::words).unwrap_or(key).into(),
            priorities: Default::default(),
        };
        for (priority, node) in
            t.required("priorities", "{ P1 = { response = \"30m\" } }").map(by_priority).unwrap_or_default()
        {
            let promise = node.fields(|t| terms(t, Promise::default()));
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
    let mut promise = Promise {
        title: title.unwrap_or(base.title),
        response: response.or(base.response),
        updates: window.or(base.updates),
        remind_before: reminder.or(base.remind_before),
    };
    if promise.updates.is_some() && promise.remind_before.is_none() {
        promise.remind_before = Some(Span::minutes(15));
    }
    // Where neither is written here, the plan itself has been told.
    if let (Some(window), Some(reminder), Some(written)) = (promise.updates, promise.remind_before, remind.or(updates))
        && window <= reminder
    {
        let message = format!(
            "an update is due every {window}, but its reminder comes {reminder} before; write a shorter `remind_before`"
        );
        written.error(message);
    }
    promise
}
