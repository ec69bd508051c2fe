//! A draft of the analysis of an incident's cause, in Markdown, made of its history: what is known is written, what only
//! people know is left open. Pure.

use chrono::TimeDelta;

use super::{
    command::{Actor, RcaStage},
    event::{Event, Recorded},
    state::Incident,
    timeline,
    words::dated,
};
use crate::{clock::Time, config::Config};

/// What people have to fill in.
const OPEN: &str = "_To be filled in._";

/// The draft. Clock times are the customer's.
pub fn draft(incident: &Incident, events: &[Recorded], config: &Config) -> String {
    let Incident { reference, priority, customer_name, zone, title, .. } = incident;
    let at = |time: Time| dated(time, zone);
    let mut page = format!(
        "# What caused {reference}: {}\n\n{}, {priority}, {}. Clock times are those of {zone}.\n",
        plain(title),
        plain(customer_name),
        plain(&incident.plan.title)
    );
    let mut section = |title: &str, body: String| page += &format!("\n## {title}\n\n{}\n", body.trim_end());

    let lasted = incident.closed_at.map(|closed| format!(" It lasted {}.", length(closed - incident.opened_at)));
    section(
        "Impact",
        format!(
            "Reported as: {}.{}\n\nWho was affected, what did not work, and how many: {OPEN}",
            plain(&incident.plan.promise(*priority).title),
            lasted.unwrap_or_default()
        ),
    );
    section("Times", times(incident, events, at));
    section("Who", who(incident, config));
    section("What the customer was told", updates(events, at));
    section("The cause", OPEN.into());
    section("How it was ended", ended(events));
    section("So that it does not happen again", format!("- {OPEN}"));
    let lines: Vec<String> = events
        .iter()
        .filter(|recorded| !matches!(recorded.event, Event::Paged { .. } | Event::PageExhausted { .. }))
        .map(|recorded| format!("- {} {}", at(recorded.at), plain(&timeline::words(recorded, config, zone))))
        .collect();
    section("All that happened", lines.join("\n"));
    page
}

/// When this stage is due, if it is owed.
pub fn due(incident: &Incident, stage: RcaStage) -> Option<Time> {
    let mut rca = incident.rca?;
    rca.stage(stage).map(|deadline| deadline.due)
}

fn times(incident: &Incident, events: &[Recorded], at: impl Fn(Time) -> String) -> String {
    let first =
        |wanted: fn(&Event) -> bool| events.iter().find(|recorded| wanted(&recorded.event)).map(|found| found.at);
    let rows = [
        ("Reported", Some(incident.opened_at)),
        ("First page", first(|event| matches!(event, Event::Paged { .. }))),
        ("Acknowledged", first(|event| matches!(event, Event::Acknowledged { .. }))),
        ("Customer spoken to", first(|event| matches!(event, Event::Responded { .. }))),
        ("Over", incident.closed_at),
    ];
    let mut table = "| What | When | After |\n|---|---|---|\n".to_string();
    for (what, time) in rows {
        let (when, after) = match time {
            Some(time) => (at(time), length(time - incident.opened_at)),
            None => ("never".into(), String::new()),
        };
        table += &format!("| {what} | {when} | {after} |\n");
    }
    table + &format!("\nWhen it began, if earlier than the report, and when it was found: {OPEN}")
}

fn who(incident: &Incident, config: &Config) -> String {
    let name = |key: &crate::id::PersonKey| {
        config.people.get(key).map_or_else(|| key.to_string(), |person| person.name.clone())
    };
    let mut lines: Vec<String> =
        incident.commander.iter().map(|key| format!("- {}, in command", plain(&name(key)))).collect();
    let others = incident.responders.iter().filter(|key| incident.commander.as_ref() != Some(key));
    lines.extend(others.map(|key| format!("- {}", plain(&name(key)))));
    if lines.is_empty() { "Nobody of ours is on record.".into() } else { lines.join("\n") }
}

fn updates(events: &[Recorded], at: impl Fn(Time) -> String) -> String {
    let mut lines = Vec::new();
    for recorded in events {
        match &recorded.event {
            Event::Updated { text, customer_visible: true, .. } => {
                lines.push(format!("- {} {}", at(recorded.at), plain(text)));
            }
            Event::UpdateMissed { due, .. } => lines.push(format!("- **The update due {} was missed.**", at(*due))),
            Event::ResponseMissed { due } => lines.push(format!("- **The callback due {} was missed.**", at(*due))),
            Event::UpstreamNoted { service, words, .. } => {
                lines.push(format!("- {} {}: {}", at(recorded.at), plain(service), plain(words)));
            }
            _ => {}
        }
    }
    if lines.is_empty() { "Nothing.".into() } else { lines.join("\n") }
}

fn ended(events: &[Recorded]) -> String {
    let last = events.iter().rev().find_map(|recorded| match &recorded.event {
        Event::Resolved { by, note } => Some((by, note)),
        _ => None,
    });
    match last {
        Some((_, note)) if !note.is_empty() => plain(note),
        Some((Actor::Customer, _)) => format!("The customer found it solved. What solved it: {OPEN}"),
        _ => OPEN.into(),
    }
}

/// On one line, without what Markdown would take for its own.
fn plain(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut escaped = String::with_capacity(line.len());
    for c in line.chars().filter(|c| !c.is_control()) {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// `1 d 2 h 5 min`.
fn length(time: TimeDelta) -> String {
    let minutes = time.num_minutes().max(0);
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min")];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if parts.is_empty() { "under a minute".into() } else { parts.join(" ") }
}
