//! What a plan's terms come to on the clock. Two terms may be counted in two calendars, so they are compared by the
//! instants they give, from many starts.

use chrono::TimeDelta;

use super::Said;
use crate::{
    clock::Time,
    config::finding::Severity::{Error, Warning},
    sla::{Plan, Priority, Promise, Term},
    span::Span,
};

/// Starts over two years, at all hours of the week.
const STARTS: i32 = 400;
const STEP: TimeDelta = TimeDelta::minutes(43 * 60 + 49);
/// An update may be due so many times later than the response. More is hardly meant: the customer would be called back
/// at once, and then hear nothing. Plans that were looked at have up to 4.
const MOST_TIMES: i32 = 8;
/// Shorter responses count as this.
const SHORT_RESPONSE: Span = Span::minutes(30);

/// What is wrong.
pub fn check(plan: &Plan, now: Time) -> Vec<Said> {
    let mut said = Vec::new();
    for (priority, promise) in &plan.priorities {
        reminders(plan, *priority, promise, &mut said);
        order(plan, *priority, promise, now, &mut said);
        reachable(plan, *priority, promise, now, &mut said);
    }
    said.extend(graver_first(plan, now));
    said
}

fn keys(priority: Priority, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("priorities.{priority}.{name}")).collect()
}

/// An instant at which the first term that begins there ends after the second.
fn overtaken(plan: &Plan, now: Time, first: &Term, second: &Term) -> Option<(Time, Time, Time)> {
    (0..STARTS)
        .map(|n| now + STEP * n)
        .map(|start| (start, plan.due(start, first), plan.due(start, second)))
        .find(|(_, first, second)| first > second)
}

fn shown(plan: &Plan, term: &Term, at: Time) -> String {
    let zone = plan.calendars.get(&term.calendar).map(|calendar| calendar.calendar().zone.clone());
    at.with_timezone(&zone.unwrap_or_else(crate::sla::Zone::utc)).format("%a %Y-%m-%d %H:%M %Z").to_string()
}

fn reminders(plan: &Plan, priority: Priority, promise: &Promise, said: &mut Vec<Said>) {
    let Some(updates) = &promise.updates else { return };
    let (every, before) = (&updates.every, updates.remind_before);
    if plan.length(&updates.every) <= before.delta() {
        let message = format!(
            "an update is due every {every}, but its reminder comes {before} before; write a shorter `remind_before`"
        );
        said.push((keys(priority, &["updates.remind_before", "remind_before", "updates"]), Error, message));
    }
    let Some(response) = &promise.response else { return };
    let answered = plan.length(response).max(SHORT_RESPONSE.delta());
    if plan.length(&updates.every) > answered * MOST_TIMES {
        let message = format!(
            "the first answer is due within {response}, and then the customer hears nothing for {every}; write a shorter time",
        );
        said.push((keys(priority, &["updates"]), Warning, message));
    }
}

fn order(plan: &Plan, priority: Priority, promise: &Promise, now: Time, said: &mut Vec<Said>) {
    if let Some((draft, last)) = promise.rca.as_ref().and_then(|rca| rca.draft.as_ref().zip(rca.last.as_ref()))
        && let Some((start, first, second)) = overtaken(plan, now, draft, last)
    {
        let message = format!(
            "the draft would come after the final: for an incident that ends {} it is due {}, the final {}; write a \
             shorter draft or a longer final",
            shown(plan, draft, start),
            shown(plan, draft, first),
            shown(plan, last, second),
        );
        said.push((keys(priority, &["rca.draft", "rca"]), Error, message));
    }
    if let Some((response, resolution)) = promise.response.as_ref().zip(promise.resolution.as_ref())
        && let Some((start, ..)) = overtaken(plan, now, response, resolution)
    {
        let message = format!(
            "its end is promised before its first answer, for example for a report of {}",
            shown(plan, response, start)
        );
        said.push((keys(priority, &["resolution", "response"]), Warning, message));
    }
}

/// Terms for which their calendar has not enough open time.
fn reachable(plan: &Plan, priority: Priority, promise: &Promise, now: Time, said: &mut Vec<Said>) {
    let rca = promise.rca.as_ref();
    let terms = [
        ("response", promise.response.as_ref()),
        ("updates", promise.updates.as_ref().map(|updates| &updates.every)),
        ("resolution", promise.resolution.as_ref()),
        ("rca.draft", rca.and_then(|rca| rca.draft.as_ref())),
        ("rca.final", rca.and_then(|rca| rca.last.as_ref())),
    ];
    for (name, term) in terms {
        let Some(term) = term else { continue };
        let Some(calendar) = plan.calendars.get(&term.calendar) else { continue };
        // One that never opens is reported as that.
        if calendar.next_open(now).is_ok() && calendar.due_in(now, plan.length(term)).is_err() {
            let message = format!("would never be due: `{}` is not open for {term} in all", term.calendar);
            said.push((keys(priority, &[name]), Error, message));
        }
    }
}

/// The times of a promise that are compared from one priority to the next.
type Of = (&'static str, fn(&Promise) -> Option<&Term>);
const COMPARED: [Of; 3] = [
    ("response", |promise| promise.response.as_ref()),
    ("updates", |promise| promise.updates.as_ref().map(|updates| &updates.every)),
    ("resolution", |promise| promise.resolution.as_ref()),
];

/// A graver priority that is promised less than a lesser one.
fn graver_first(plan: &Plan, now: Time) -> Vec<Said> {
    let mut said = Vec::new();
    let usual = |(_, promise): &(&Priority, &Promise)| !promise.scheduled;
    let priorities: Vec<(&Priority, &Promise)> = plan.priorities.iter().filter(usual).collect();
    for pair in priorities.windows(2) {
        let [(graver, high), (lesser, low)] = pair else { continue };
        for (name, of) in COMPARED {
            let message = match (of(high), of(low)) {
                (Some(high), Some(low)) => {
                    let Some((start, first, second)) = overtaken(plan, now, high, low) else { continue };
                    format!(
                        "{graver} is promised less than {lesser}: for a report of {} it is due {}, for {lesser} {}",
                        shown(plan, high, start),
                        shown(plan, high, first),
                        shown(plan, low, second),
                    )
                }
                (None, Some(_)) => format!("{lesser} is promised this, and {graver}, which is graver, is not"),
                _ => continue,
            };
            let places = [keys(**graver, &[name]), keys(**lesser, &[name])].concat();
            said.push((places, Warning, message));
        }
    }
    said
}
