//! What a plan says of its priorities, without a clock: gaps, thresholds, conditions that exclude each other.

use super::Said;
use crate::{
    config::finding::Severity::{Error, Warning},
    sla::{Anchor, IntakeChannel, Plan, Priority, Promise, Required},
};

/// What is wrong.
pub fn check(plan: &Plan) -> Vec<Said> {
    let mut said = Vec::new();
    said.extend(gaps(plan));
    said.extend(thresholds(plan));
    for (priority, promise) in &plan.priorities {
        conditions(plan, *priority, promise, &mut said);
    }
    said.extend(silence(plan));
    said
}

fn key(priority: Priority, name: &str) -> String {
    format!("priorities.{priority}.{name}")
}

/// A priority that is passed over: whoever reports it is promised nothing.
fn gaps(plan: &Plan) -> Vec<Said> {
    let Some(last) = plan.priorities.keys().next_back() else { return Vec::new() };
    let missing = Priority::ALL.into_iter().filter(|it| it < last && !plan.priorities.contains_key(it));
    let say = |priority: Priority| {
        let message = format!("{last} is there, but {priority} is not, so it carries no promise; add it");
        (vec![format!("priorities.{last}"), "priorities".into()], Warning, message)
    };
    missing.map(say).collect()
}

fn thresholds(plan: &Plan) -> Vec<Said> {
    let mut said = Vec::new();
    let mut graver: Option<(Priority, u8)> = None;
    for (priority, promise) in &plan.priorities {
        let Some(above) = promise.impact_above else { continue };
        if let Some((other, least)) = graver.filter(|(_, least)| *least <= above) {
            let message = format!(
                "{priority} begins above {above} % of the users and {other} above {least} %, so it could never be \
                 {priority}; write less"
            );
            said.push((vec![key(*priority, "impact_above")], Error, message));
        }
        graver = Some((*priority, above));
    }
    said
}

fn conditions(plan: &Plan, priority: Priority, promise: &Promise, said: &mut Vec<Said>) {
    let mut say = |names: &[&str], severity, message: &str| {
        said.push((names.iter().map(|name| key(priority, name)).collect(), severity, message.to_owned()));
    };
    let only = |channel| !promise.channels.is_empty() && promise.channels.iter().all(|it| *it == channel);
    if only(IntakeChannel::Monitoring) && !promise.requires.is_empty() {
        let what = match promise.requires.contains(&Required::CallbackNumber) {
            true => "a call-back number",
            false => "a contact's name",
        };
        let message =
            format!("{what} is required, but monitoring, the only channel, has none; take one of the two out");
        say(&["requires", "channels"], Error, &message);
    }
    if promise.live {
        let live = ["live", "response"];
        if !promise.wakes {
            say(&["wakes", "live"], Error, "the caller is connected live, but nobody is woken; write `wakes = true`");
        }
        if promise.office_hours {
            say(&["hours", "live"], Error, "the caller cannot be connected live and wait for office hours; choose one");
        }
        if promise.scheduled {
            say(&["scheduled", "live"], Error, "the caller cannot be connected live at a later time; choose one");
        }
        if promise.response.is_none() {
            say(
                &live,
                Error,
                "the caller is connected live, but no response is promised; add `response = \"immediate\"`",
            );
        }
        if !promise.channels.is_empty() && !promise.channels.contains(&IntakeChannel::Phone) {
            say(&["channels", "live"], Error, "only somebody who phones can be connected live; add `phone`");
        }
    }
    if promise.scheduled && promise.response.is_none() && promise.resolution.is_none() {
        say(&["scheduled"], Warning, "nothing is promised from the time the customer names; add a `response`");
    }
    if promise.office_hours {
        let calendar = promise.response.as_ref().map(|term| &term.calendar);
        match calendar {
            None => {
                say(&["hours"], Error, "waits for the hours of the response's calendar, but no response is promised")
            }
            Some(calendar) if plan.calendars.get(calendar).is_none_or(|it| it.calendar().is_always_open()) => {
                let message =
                    format!("waits for office hours, but `{calendar}`, the response's calendar, never closes");
                say(&["hours"], Error, &message);
            }
            Some(_) => {}
        }
    }
    let from_response = promise.updates.as_ref().is_some_and(|updates| updates.from == Anchor::Response);
    if from_response && promise.response.is_none() {
        let message = "are counted from the response, but none is promised, so they might never begin";
        say(&["updates.from", "updates"], Warning, message);
    }
}

/// How a silent customer's incident is closed.
fn silence(plan: &Plan) -> Vec<Said> {
    let mut said = Vec::new();
    let Some(idle) = &plan.idle else { return said };
    let mut say = |names: &[&str], severity, message: String| {
        said.push((names.iter().map(ToString::to_string).collect(), severity, message));
    };
    if plan.length(&idle.close_after) <= idle.warn_before.delta() {
        let (close, warn) = (&idle.close_after, idle.warn_before);
        let message = format!(
            "it is closed after {close}, but the customer is told {warn} before; write a shorter `warn_before`"
        );
        say(&["idle.warn_before", "idle.close_after", "idle"], Error, message);
    }
    match (idle.requests, &idle.again_after) {
        (2.., None) => {
            let message = format!(
                "the customer is asked {} times, but not how long after one another; add `again_after`",
                idle.requests
            );
            say(&["idle.requests", "idle"], Error, message);
        }
        (0 | 1, Some(_)) => {
            let message = "the customer is asked once only; take it out, or write `requests = 2`".to_owned();
            say(&["idle.again_after", "idle"], Warning, message);
        }
        _ => {}
    }
    said
}
