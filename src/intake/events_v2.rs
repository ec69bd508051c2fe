//! PagerDuty Events API v2, so that a user of it changes only the host: `POST /v2/enqueue`, `POST /v2/change/enqueue`.
//! Pure.
//!
//! Source: <https://developer.pagerduty.com/docs/send-alert-event>, and what Alertmanager and go-pagerduty read.

use serde_json::{Value, json};

use super::{
    SenderKind,
    json::{block, line, lines, text},
    sender::{Answer, Decoded, Refused, Reply, Sender},
    signal::{DEDUP_KEY_CHARS, DETAIL_CHARS, Fault, Kind, Signal, TITLE_CHARS},
};

/// `POST /v2/enqueue`.
pub const EVENTS: Sender = Sender {
    door: "events_v2",
    kind: SenderKind::Pagerduty,
    key_field: Some("routing_key"),
    decode: |body, _| decode(body),
    answer: |reply| answer(reply, 202, "dedup_key", 429),
};

/// `POST /v2/change/enqueue`: kept in the intake log; it never notifies.
pub const CHANGES: Sender = Sender {
    door: "changes_v2",
    kind: SenderKind::Pagerduty,
    key_field: Some("routing_key"),
    decode: |body, _| decode_change(body),
    answer: |reply| match reply {
        Reply::Accepted(_) => Answer::json(202, json!({"status": "success", "message": "Change event processed"})),
        refused => answer(refused, 202, "dedup_key", 429),
    },
};

const KEY_CHARS: usize = 32;
const SUMMARY_CHARS: usize = 1024;
const SEVERITIES: [&str; 4] = ["critical", "warning", "error", "info"];

fn decode(body: &Value) -> Decoded {
    let mut faults = Vec::new();
    check_key(body, "routing_key", "/routing_key", &mut faults);
    let kind = kind_of(body, "event_action", "/event_action", &mut faults);
    let dedup_key = dedup_key(body, "dedup_key", "/dedup_key", kind, &mut faults);
    if kind != Some(Kind::Trigger) {
        return match kind {
            Some(kind) if faults.is_empty() => Ok(vec![Signal::bare(kind, dedup_key)]),
            _ => Err(faults),
        };
    }

    let payload = &body["payload"];
    if !payload.is_object() {
        faults.push(Fault::at("/payload", "'payload' is missing or blank"));
        return Err(faults);
    }
    let summary = summary(payload, "summary", "'payload.summary'", "/payload/summary", &mut faults);
    if text(payload.get("source")).is_none() {
        faults.push(Fault::at("/payload/source", "'payload.source' is missing or blank"));
    }
    let severity = text(payload.get("severity")).unwrap_or_default().to_ascii_lowercase();
    if severity.is_empty() {
        faults.push(Fault::at("/payload/severity", "'payload.severity' is missing or blank"));
    } else if !SEVERITIES.contains(&severity.as_str()) {
        faults.push(Fault::at(
            "/payload/severity",
            "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
        ));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(vec![Signal {
        severities: vec![severity],
        title: line(&summary, TITLE_CHARS),
        detail: detail(body, payload, &summary),
        ..Signal::bare(Kind::Trigger, dedup_key)
    }])
}

fn decode_change(body: &Value) -> Decoded {
    let mut faults = Vec::new();
    check_key(body, "routing_key", "/routing_key", &mut faults);
    summary(&body["payload"], "summary", "'payload.summary'", "/payload/summary", &mut faults);
    if faults.is_empty() { Ok(Vec::new()) } else { Err(faults) }
}

/// What the engineer reads below the title.
fn detail(body: &Value, payload: &Value, summary: &str) -> String {
    let mut out = String::new();
    if summary.chars().count() > TITLE_CHARS {
        out.push_str(&format!("{summary}\n"));
    }
    // The time is told as the sender wrote it: ours is the one that counts.
    for field in ["source", "component", "group", "class", "timestamp"] {
        if let Some(value) = text(payload.get(field)) {
            out.push_str(&format!("{field}: {}\n", line(&value, 500)));
        }
    }
    out.push_str(&links(body));
    out.push_str(&lines(payload.get("custom_details").unwrap_or(&Value::Null), DETAIL_CHARS));
    block(&out, DETAIL_CHARS)
}

/// `client`, `client_url` and `links[]`, a line each.
pub(super) fn links(body: &Value) -> String {
    const SHOWN: usize = 20;
    let mut out = String::new();
    let client: Vec<String> = ["client", "client_url"].iter().filter_map(|field| text(body.get(field))).collect();
    if !client.is_empty() {
        out.push_str(&format!("client: {}\n", line(&client.join(" "), 1000)));
    }
    for link in body["links"].as_array().into_iter().flatten().take(SHOWN) {
        if let Some(href) = text(link.get("href")) {
            let words = text(link.get("text")).map(|words| format!("{words} ")).unwrap_or_default();
            out.push_str(&format!("link: {}\n", line(&format!("{words}{href}"), 1000)));
        }
    }
    out
}

/// The key must have 32 characters; whether anybody has it is asked later.
pub(super) fn check_key(body: &Value, field: &str, pointer: &'static str, faults: &mut Vec<Fault>) {
    match body.get(field).and_then(Value::as_str) {
        None | Some("") => faults.push(Fault::at(pointer, format!("'{field}' is missing or blank"))),
        Some(key) if key.chars().count() != KEY_CHARS => faults
            .push(Fault::at(pointer, format!("Length of '{field}' is incorrect (should be {KEY_CHARS} characters)"))),
        Some(_) => {}
    }
}

pub(super) fn kind_of(body: &Value, field: &str, pointer: &'static str, faults: &mut Vec<Fault>) -> Option<Kind> {
    let word = text(body.get(field));
    let kind = word.as_deref().and_then(Kind::parse);
    if kind.is_none() {
        let wrong = match word {
            None => "missing or blank",
            Some(_) => "invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')",
        };
        faults.push(Fault::at(pointer, format!("'{field}' is {wrong}")));
    }
    kind
}

pub(super) fn dedup_key(
    body: &Value,
    field: &str,
    pointer: &'static str,
    kind: Option<Kind>,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    let key = match body.get(field) {
        None | Some(Value::Null) => None,
        Some(Value::String(key)) => Some(key.replace('\0', "\u{fffd}")).filter(|key| !key.trim().is_empty()),
        Some(_) => {
            faults.push(Fault::at(pointer, format!("'{field}' is invalid (must be a string)")));
            return None;
        }
    };
    if key.is_none() && matches!(kind, Some(Kind::Acknowledge | Kind::Resolve)) {
        faults.push(Fault::at(pointer, format!("'{field}' is missing or blank")));
    }
    if key.as_ref().is_some_and(|key| key.chars().count() > DEDUP_KEY_CHARS) {
        faults.push(Fault::at(pointer, format!("'{field}' is too long (maximum is {DEDUP_KEY_CHARS} characters)")));
    }
    key
}

pub(super) fn summary(
    object: &Value,
    field: &str,
    name: &str,
    pointer: &'static str,
    faults: &mut Vec<Fault>,
) -> String {
    let summary = text(object.get(field)).unwrap_or_default();
    if summary.is_empty() {
        faults.push(Fault::at(pointer, format!("{name} is missing or blank")));
    } else if summary.chars().count() > SUMMARY_CHARS {
        faults.push(Fault::at(pointer, format!("{name} is too long (maximum is {SUMMARY_CHARS} characters)")));
    }
    summary
}

/// The bodies both versions share; they differ in the status, the name of the key, and the status of throttling.
pub(super) fn answer(reply: &Reply, success: u16, key_field: &str, throttled: u16) -> Answer {
    let refused = match reply {
        Reply::Accepted(outcomes) => {
            let mut body = json!({"status": "success", "message": "Event processed"});
            if let Some(outcome) = outcomes.first() {
                body[key_field] = json!(outcome.dedup_key);
            }
            return Answer::json(success, body);
        }
        Reply::Refused(refused) => refused,
    };
    let invalid = |status, errors: Vec<String>| {
        let body = json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors});
        Answer::json(status, body)
    };
    match refused {
        Refused::Unreadable(_) => Answer::json(
            400,
            json!({
                "status": "Unrecognized object",
                "message": "Event object format is unrecognized",
                "errors": ["JSON parse error"],
            }),
        ),
        Refused::TooLarge => invalid(413, vec![refused.to_string()]),
        Refused::Invalid(faults) => invalid(400, faults.iter().map(|fault| fault.detail.clone()).collect()),
        Refused::UnknownKey | Refused::WrongDoor(_) | Refused::Unsigned(_) => invalid(400, vec![refused.to_string()]),
        Refused::Overloaded => Answer {
            retry_after: Some(1),
            ..Answer::json(
                throttled,
                json!({
                    "status": "throttle exceeded",
                    "message": "Requests for this service are arriving too quickly.  Please retry later.",
                    "errors": ["Enhance Your Calm."],
                }),
            )
        },
        Refused::Unavailable | Refused::Incomplete => Answer {
            retry_after: Some(1),
            ..Answer::json(
                503,
                json!({
                    "status": "unavailable",
                    "message": "The event was not recorded. Please retry.",
                    "errors": [refused.to_string()],
                }),
            )
        },
    }
}

#[cfg(test)]
mod tests;
