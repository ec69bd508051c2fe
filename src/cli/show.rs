//! What the service answers, put so that a person can read it at 3 a.m. Pure: the answer, the time and the zone are
//! arguments.

mod nodes;

use std::fmt::Display;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

pub use self::nodes::nodes;

/// One incident after something was done to it.
pub fn after<Z: TimeZone<Offset: Display>>(incident: &Value, done: &str, now: DateTime<Utc>, zone: &Z) -> String {
    let mut text = format!("{} {done}", word(incident, "/reference"));
    if let Some(holder) = some(incident, "/holder/name") {
        text.push_str(&format!("; {holder} has it"));
    }
    text.push_str(".\n");
    if word(incident, "/phase") != "open" {
        return text;
    }
    if let (Some(due), Some(false), Some(false)) =
        (time(incident, "/response/due"), flag(incident, "/response/met"), flag(incident, "/response/missed"))
    {
        text.push_str(&format!("Call the customer by {}", when(due, now, zone)));
        let number = some(incident, "/contact/number").map(|number| format!(": {number}")).unwrap_or_default();
        text.push_str(&format!("{number}.\n"));
    }
    if let (Some(due), Some(false)) = (time(incident, "/window/due"), flag(incident, "/window/met")) {
        text.push_str(&format!("The next update is due by {}.\n", when(due, now, zone)));
    }
    text
}

/// One incident, whole.
pub fn incident<Z: TimeZone<Offset: Display>>(incident: &Value, now: DateTime<Utc>, zone: &Z) -> String {
    let at = |pointer: &str| time(incident, pointer).map(|at| when(at, now, zone));
    let mut text = format!(
        "{}  {}  {}\n{} · {} · {}\n\n",
        word(incident, "/reference"),
        word(incident, "/priority"),
        word(incident, "/title"),
        word(incident, "/customer/name"),
        word(incident, "/team/name"),
        word(incident, "/plan/name")
    );
    let mut line = |name: &str, words: String| text.push_str(&format!("{name:<10} {words}\n"));
    let opened = at("/opened_at").unwrap_or_default();
    line(
        "State",
        match at("/closed_at") {
            Some(closed) => format!("{} {closed}, opened {opened}", word(incident, "/phase")),
            None => format!("{} since {opened}", word(incident, "/phase")),
        },
    );
    if word(incident, "/phase") == "open" && some(incident, "/ruled_out/note").is_none() {
        line(
            "Held by",
            match (some(incident, "/holder/name"), at("/holder/since")) {
                (Some(name), Some(since)) => format!("{name} since {since}"),
                _ => "NOBODY".into(),
            },
        );
    }
    if let Some(commander) = some(incident, "/commander/name") {
        line("Commander", commander);
    }
    let holder = some(incident, "/holder/name");
    let responders: Vec<String> = items(incident, "/responders")
        .iter()
        .map(|person| word(person, "/name"))
        .filter(|name| holder.as_ref() != Some(name))
        .collect();
    if !responders.is_empty() {
        line("Helping", responders.join(", "));
    }
    if let Some(level) = some(incident, "/level/name") {
        let next = at("/level/next_at").map(|next| format!("; the next is paged {next}")).unwrap_or_default();
        line("Level", level + &next);
    }
    if let Some(promise) = response(incident, now, zone) {
        line("Callback", promise);
    }
    if let Some(due) = at("/window/due") {
        let met = if flag(incident, "/window/met") == Some(true) { "given" } else { "due" };
        line("Update", format!("{} {met}, its window ends {due}", word(incident, "/window/n")));
    }
    let past: Vec<String> = items(incident, "/windows")
        .iter()
        .map(|window| format!("{} {}", word(window, "/n"), word(window, "/verdict").replace("missed", "MISSED")))
        .collect();
    if !past.is_empty() {
        line("Updates", past.join(", "));
    }
    if let Some(due) = at("/resolution/due") {
        let missed =
            if flag(incident, "/resolution/missed") == Some(true) { "MISSED, was promised by" } else { "promised by" };
        line("End", format!("{missed} {due}"));
    }
    for (name, stage) in [("RCA draft", "draft"), ("RCA final", "final")] {
        let Some(due) = at(&format!("/rca/{stage}/due")) else { continue };
        let missed = flag(incident, &format!("/rca/{stage}/missed")) == Some(true);
        line(
            name,
            match at(&format!("/rca/{stage}/met_at")) {
                Some(met) => format!("delivered {met}{}", if missed { ", LATE" } else { "" }),
                None if missed => format!("LATE, was due {due}"),
                None => format!("due {due}"),
            },
        );
    }
    if let Some(begins) = at("/begins_at") {
        line("Begins", format!("{begins}; nobody is paged before"));
    }
    if let Some(note) = some(incident, "/ruled_out/note") {
        line("Ruled out", format!("{}: {note}", word(incident, "/ruled_out/by/name")));
    }
    if let Some(reason) = some(incident, "/waiting/reason") {
        let paused: Vec<String> =
            items(incident, "/waiting/paused").iter().filter_map(Value::as_str).map(Into::into).collect();
        let paused = if paused.is_empty() { String::new() } else { format!("; {} stand still", paused.join(", ")) };
        let closes = at("/waiting/closes_at").map(|at| format!("; closed {at} without an answer")).unwrap_or_default();
        line("Waiting", format!("for the customer: {reason}{paused}{closes}"));
    }
    let contact: Vec<String> = ["/contact/name", "/contact/number"].iter().filter_map(|p| some(incident, p)).collect();
    if !contact.is_empty() {
        line("Contact", contact.join(", "));
    }
    if let (Some(what), Some(next)) = (some(incident, "/next_action/what"), at("/next_action/at")) {
        line("Next", format!("{next}: {what}"));
    }
    if let Some(detail) = some(incident, "/detail") {
        text.push_str(&format!("\n{detail}\n"));
    }
    let timeline = items(incident, "/timeline");
    if !timeline.is_empty() {
        text.push_str(&format!("\nWhat happened (clock times inside a line are {})\n", word(incident, "/zone")));
    }
    for entry in timeline {
        let at = time(entry, "/at").map(|at| clock(at, zone, "%d %b %H:%M:%S")).unwrap_or_default();
        text.push_str(&format!("{at}  {}\n", word(entry, "/words")));
    }
    text
}

fn response<Z: TimeZone<Offset: Display>>(incident: &Value, now: DateTime<Utc>, zone: &Z) -> Option<String> {
    let due = time(incident, "/response/due");
    let missed = flag(incident, "/response/missed") == Some(true);
    if let Some(met) = time(incident, "/response/met_at") {
        let by = some(incident, "/response/by/name").map(|by| format!(" by {by}")).unwrap_or_default();
        let attested = word(incident, "/response/evidence/kind") == "attested";
        let proof = if attested { " (on their word)" } else { " (proven by the call)" };
        let late = if missed || flag(incident, "/response/late") == Some(true) { ", LATE" } else { "" };
        return Some(format!("made {}{by}{proof}{late}", when(met, now, zone)));
    }
    let due = due?;
    if word(incident, "/phase") != "open" {
        let missed = if missed { "MISSED" } else { "not made before the end" };
        return Some(format!("{missed}, was due {}", when(due, now, zone)));
    }
    Some(if missed {
        format!("MISSED, was due {}; still to be made", when(due, now, zone))
    } else {
        format!("due {}", when(due, now, zone))
    })
}

/// A list of incidents.
pub fn incidents<Z: TimeZone<Offset: Display>>(answer: &Value, now: DateTime<Utc>, zone: &Z) -> String {
    let rows: Vec<[String; 6]> = items(answer, "/items")
        .iter()
        .map(|incident| {
            let opened = time(incident, "/opened_at").map(|at| ago(now - at)).unwrap_or_default();
            let state = match (word(incident, "/phase").as_str(), some(incident, "/holder/name")) {
                ("open", Some(holder)) => format!("{holder} has it"),
                ("open", None) => "NOBODY has it".into(),
                (phase, _) => phase.into(),
            };
            let next = match (time(incident, "/next_action/at"), some(incident, "/next_action/what")) {
                (Some(at), Some(what)) => format!("{}: {what}", when(at, now, zone)),
                _ => String::new(),
            };
            [
                word(incident, "/reference"),
                word(incident, "/priority"),
                format!("{}: {}", word(incident, "/customer/name"), word(incident, "/title")),
                opened,
                state,
                next,
            ]
        })
        .collect();
    listed(["REF", "PRIO", "WHAT", "AGE", "STATE", "NEXT"], rows, "No incidents.", answer)
}

/// Every text and call made for an incident.
pub fn attempts<Z: TimeZone<Offset: Display>>(answer: &Value, zone: &Z) -> String {
    let rows = items(answer, "/items")
        .iter()
        .map(|attempt| {
            let at = time(attempt, "/sent_at").or(time(attempt, "/created_at"));
            let mut ended = some(attempt, "/outcome").unwrap_or_else(|| word(attempt, "/stage")).replace('_', " ");
            for more in ["/status", "/error_code", "/reason"].iter().filter_map(|pointer| some(attempt, pointer)) {
                if more != ended {
                    ended.push_str(&format!(", {more}"));
                }
            }
            [
                at.map(|at| clock(at, zone, "%d %b %H:%M:%S")).unwrap_or_default(),
                some(attempt, "/page").unwrap_or_default(),
                some(attempt, "/person/name").unwrap_or_else(|| "the customer".into()),
                format!("{} {}", word(attempt, "/channel"), word(attempt, "/address")),
                some(attempt, "/carrier").unwrap_or_default(),
                ended,
            ]
        })
        .collect();
    listed(["AT", "PAGE", "WHO", "BY", "CARRIER", "HOW IT ENDED"], rows, "Nobody was paged.", answer)
}

/// Who is on call.
pub fn on_call<Z: TimeZone<Offset: Display>>(answer: &Value, zone: &Z) -> String {
    let at = time(answer, "/at");
    let mut text = at.map(|at| format!("{}\n", clock(at, zone, "%a %d %b %Y %H:%M %Z"))).unwrap_or_default();
    for team in items(answer, "/teams") {
        let who = some(team, "/person/name").unwrap_or_else(|| "NOBODY".into());
        let until = time(team, "/until").map(|at| format!(" until {}", clock(at, zone, "%a %d %b %H:%M")));
        let stand_in = if flag(team, "/overridden") == Some(true) { " (override)" } else { "" };
        text.push_str(&format!(
            "\n{} ({}): {who}{}{stand_in}\n",
            word(team, "/team/name"),
            word(team, "/schedule/key"),
            until.unwrap_or_default()
        ));
        for level in items(team, "/levels") {
            let after = level["after_seconds"].as_i64().unwrap_or_default();
            text.push_str(&format!("  +{:<6} {:<16} {}\n", span(after), word(level, "/name"), names(level, "/people")));
        }
        text.push_str(&format!("  {:<7} {:<16} {}\n", "then", "last resort", names(team, "/last_resort")));
    }
    text
}

/// The overrides that are not over.
pub fn overrides<Z: TimeZone<Offset: Display>>(answer: &Value, zone: &Z) -> String {
    let rows = items(answer, "/items")
        .iter()
        .map(|given| {
            [
                word(given, "/id"),
                word(given, "/schedule/key"),
                word(given, "/person/name"),
                some(given, "/instead_of/name").unwrap_or_else(|| "whoever it is".into()),
                time(given, "/start").map(|at| clock(at, zone, "%a %d %b %H:%M")).unwrap_or_default(),
                time(given, "/end").map(|at| clock(at, zone, "%a %d %b %H:%M")).unwrap_or_default(),
            ]
        })
        .collect();
    listed(["ID", "SCHEDULE", "PERSON", "INSTEAD OF", "FROM", "UNTIL"], rows, "No overrides.", answer)
}

/// What a restore from a backup holds back.
pub fn quarantine<Z: TimeZone<Offset: Display>>(answer: &Value, zone: &Z) -> String {
    let Some(restored) = answer.get("restored").filter(|restored| !restored.is_null()) else {
        return "Nothing was ever restored from a backup here.\n".into();
    };
    let at = |value, pointer, format| time(value, pointer).map(|at| clock(at, zone, format)).unwrap_or_default();
    let mut text = format!(
        "Restored {} from what was known at {}.\n",
        at(restored, "/restored_at", "%a %d %b %H:%M:%S"),
        at(restored, "/backup_at", "%a %d %b %H:%M:%S")
    );
    let rows: Vec<_> = items(answer, "/items")
        .iter()
        .map(|case| {
            [
                word(case, "/reference"),
                word(case, "/priority"),
                word(case, "/phase"),
                at(case, "/opened_at", "%a %d %b %H:%M"),
                word(case, "/pages"),
                word(case, "/texts"),
                word(case, "/mails"),
                format!("{}: {}", word(case, "/customer"), word(case, "/title")),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let until = at(restored, "/pages_held_until", "%H:%M:%S");
        text.push_str(&match flag(restored, "/pages_held") {
            Some(true) => format!("Pages about open incidents are held until {until}; then they go out.\n"),
            _ => format!("Pages about open incidents were held until {until}; they go out now.\n"),
        });
        text.push_str("Texts and mails are held until you say `ringdown quarantine release` or `drop`.\n\n");
    }
    let head = ["REF", "PRIO", "PHASE", "OPENED", "PAGES", "TEXTS", "MAILS", "WHAT"];
    text + &listed(head, rows, "Nothing is left in quarantine.", answer)
}

/// An override that was just put in.
pub fn override_added<Z: TimeZone<Offset: Display>>(given: &Value, zone: &Z) -> String {
    let takes = items(given, "/takes");
    let mut text = format!(
        "{}: {} stands in on {}.\n",
        word(given, "/id"),
        word(given, "/person/name"),
        word(given, "/schedule/key")
    );
    for shift in takes {
        let at = |pointer| time(shift, pointer).map(|at| clock(at, zone, "%a %d %b %H:%M")).unwrap_or_default();
        text.push_str(&format!("  {} to {}\n", at("/start"), at("/end")));
    }
    if takes.is_empty() {
        text.push_str(
            "It changes nothing as things stand: they are on call then anyway, or whom they replace is not.\n",
        );
    }
    text
}

/// A test page that was sent.
pub fn test_page(answer: &Value) -> String {
    let count = items(answer, "/attempts").len();
    let person = word(answer, "/person");
    if count == 0 {
        return format!("Nothing was sent: {person} has no line that can be reached.\n");
    }
    format!("{person} is being paged as a test, in {count} {}.\n", if count == 1 { "way" } else { "ways" })
}

/// Whose phone rings.
pub fn call(answer: &Value) -> String {
    let (reference, person) = (word(answer, "/reference"), word(answer, "/person"));
    format!("{reference}: the phone of {person} rings. Press 5 to be put through to the customer.\n")
}

/// Tokens.
pub fn tokens<Z: TimeZone<Offset: Display>>(answer: &Value, now: DateTime<Utc>, zone: &Z) -> String {
    let rows = items(answer, "/items")
        .iter()
        .map(|token| {
            let day = |at| clock(at, zone, "%d %b %Y");
            let state = match (time(token, "/revoked_at"), time(token, "/expires_at")) {
                (Some(at), _) => format!("revoked {}", day(at)),
                (None, Some(at)) if at <= now => format!("over since {}", day(at)),
                (None, Some(at)) => format!("until {}", day(at)),
                (None, None) => "until revoked".into(),
            };
            let made = time(token, "/created_at").map(day).unwrap_or_default();
            [word(token, "/jti"), word(token, "/name"), word(token, "/role"), made, state]
        })
        .collect();
    listed(["ID", "NAME", "ROLE", "MADE", "HOLDS"], rows, "No tokens.", answer)
}

/// What webhooks brought.
pub fn payloads<Z: TimeZone<Offset: Display>>(answer: &Value, zone: &Z) -> String {
    let rows = items(answer, "/items")
        .iter()
        .map(|payload| {
            [
                word(payload, "/id"),
                time(payload, "/received_at").map(|at| clock(at, zone, "%d %b %H:%M:%S")).unwrap_or_default(),
                some(payload, "/integration").unwrap_or_else(|| word(payload, "/door")),
                word(payload, "/status"),
                word(payload, "/verdict"),
            ]
        })
        .collect();
    listed(["ID", "RECEIVED", "FROM", "STATUS", "VERDICT"], rows, "Nothing was received.", answer)
}

/// One payload, whole.
pub fn payload<Z: TimeZone<Offset: Display>>(payload: &Value, zone: &Z) -> String {
    let received = time(payload, "/received_at").map(|at| clock(at, zone, "%d %b %Y %H:%M:%S")).unwrap_or_default();
    let incidents: Vec<String> =
        items(payload, "/incidents").iter().map(|id| id.as_str().unwrap_or_default().to_owned()).collect();
    format!(
        "{} at {} on {received}\nAnswered {}: {}\nIncidents: {}\n\n{}\n\n{}\n",
        word(payload, "/id"),
        word(payload, "/door"),
        word(payload, "/status"),
        word(payload, "/verdict"),
        if incidents.is_empty() { "none".into() } else { incidents.join(", ") },
        word(payload, "/headers"),
        word(payload, "/body")
    )
}

fn listed<const N: usize>(head: [&str; N], rows: Vec<[String; N]>, none: &str, answer: &Value) -> String {
    if rows.is_empty() {
        return format!("{none}\n");
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(head);
    for row in rows {
        table.add_row(row);
    }
    let mut text: String =
        table.lines().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end())).collect();
    if let Some(next) = some(answer, "/next") {
        text.push_str(&format!("There are more: --cursor {next}\n"));
    }
    text
}

fn items<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// As text, whatever it is; control characters, which could repaint a terminal, are taken out.
fn some(value: &Value, pointer: &str) -> Option<String> {
    let text = match value.pointer(pointer)? {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    (!text.is_empty()).then_some(text)
}

fn word(value: &Value, pointer: &str) -> String {
    some(value, pointer).unwrap_or_default()
}

fn flag(value: &Value, pointer: &str) -> Option<bool> {
    value.pointer(pointer)?.as_bool()
}

fn time(value: &Value, pointer: &str) -> Option<DateTime<Utc>> {
    value.pointer(pointer)?.as_str()?.parse().ok()
}

fn names(value: &Value, pointer: &str) -> String {
    let names: Vec<String> = items(value, pointer).iter().map(|person| word(person, "/name")).collect();
    if names.is_empty() { "nobody (skipped)".into() } else { names.join(", ") }
}

fn clock<Z: TimeZone<Offset: Display>>(at: DateTime<Utc>, zone: &Z, format: &str) -> String {
    at.with_timezone(zone).format(format).to_string()
}

/// `14:32 (in 6 min)`; with the day when it is not within half a day.
fn when<Z: TimeZone<Offset: Display>>(at: DateTime<Utc>, now: DateTime<Utc>, zone: &Z) -> String {
    let away = at - now;
    let format = if away.abs() < TimeDelta::hours(12) { "%H:%M" } else { "%a %d %b %H:%M" };
    let distance = if away >= TimeDelta::zero() { format!("in {}", ago(away)) } else { format!("{} ago", ago(-away)) };
    format!("{} ({distance})", clock(at, zone, format))
}

/// A distance in time, rounded down to what matters.
fn ago(away: TimeDelta) -> String {
    match away.num_seconds().abs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

fn span(seconds: i64) -> String {
    crate::span::Span::seconds(u32::try_from(seconds).unwrap_or_default()).to_string()
}

#[cfg(test)]
mod tests;
