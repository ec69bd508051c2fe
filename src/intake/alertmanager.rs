//! Prometheus Alertmanager's webhook, version 4: `POST /intake/alertmanager/{key}`. Pure.
//!
//! One incident a notification group by default (`groupKey`), or one an alert (`fingerprint`) by the integration's
//! `per`. Alertmanager sends again only after 5xx; every other refusal is final for it. A `payload:` of the user's own
//! is possible, so any field may be missing. Source: Alertmanager's docs/configuration.md and notify/webhook.

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Grouping, SenderKind,
    json::{block, bounded_key, line, text},
    sender::{Answer, Decoded, Reply, Sender, problem},
    signal::{DETAIL_CHARS, Fault, Kind, Signal, TITLE_CHARS},
};

/// `POST /intake/alertmanager/{key}`.
pub const SENDER: Sender = Sender {
    door: "alertmanager",
    kind: SenderKind::Alertmanager,
    key_field: None,
    decode,
    answer: |reply| match reply {
        Reply::Accepted(outcomes) => Answer::json(202, json!({"status": "success", "incidents": outcomes})),
        Reply::Refused(refused) => problem(refused),
    },
};

/// With one incident an alert: how many one payload may open. The rest of them become one more, so that a storm
/// neither floods the list nor is lost.
const MAX_INCIDENTS: usize = 100;
/// How many alerts are told in a group's detail.
const TOLD: usize = 20;

struct Alert<'a> {
    body: &'a Value,
    firing: bool,
}

fn decode(body: &Value, per: Grouping) -> Decoded {
    let status = text(body.get("status"));
    let inherited = status.as_deref() != Some("resolved");
    let alerts: Vec<Alert<'_>> = body["alerts"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|alert| alert.is_object())
        .map(|body| Alert { body, firing: text(body.get("status")).map_or(inherited, |status| status != "resolved") })
        .collect();
    if status.is_none() && alerts.is_empty() {
        return Err(vec![Fault::at("/status", "neither `status` nor `alerts`: not an Alertmanager notification")]);
    }
    Ok(match per {
        Grouping::Alert if !alerts.is_empty() => each(body, &alerts),
        _ => vec![group(body, &alerts, status.as_deref())],
    })
}

fn group(body: &Value, alerts: &[Alert<'_>], status: Option<&str>) -> Signal {
    let firing: Vec<&Alert<'_>> = alerts.iter().filter(|alert| alert.firing).collect();
    let open = match status {
        Some(status) => status != "resolved",
        None => !firing.is_empty(),
    };
    let key = Some(group_key(body, alerts));
    if !open {
        return Signal::bare(Kind::Resolve, key);
    }
    Signal {
        severities: match text(body["commonLabels"].get("severity")) {
            Some(word) => vec![word.to_lowercase()],
            None => severities(&firing),
        },
        title: line(&title(body, &firing), TITLE_CHARS),
        detail: detail(body, alerts, &firing),
        ..Signal::bare(Kind::Trigger, key)
    }
}

fn each(body: &Value, alerts: &[Alert<'_>]) -> Vec<Signal> {
    let one = |alert: &Alert<'_>| {
        let key = Some(alert_key(alert));
        if !alert.firing {
            return Signal::bare(Kind::Resolve, key);
        }
        Signal {
            severities: severities(&[alert]),
            title: line(&alert_title(alert), TITLE_CHARS),
            detail: detail(body, std::slice::from_ref(alert), &[alert]),
            ..Signal::bare(Kind::Trigger, key)
        }
    };
    let resolved = alerts.iter().filter(|alert| !alert.firing);
    let firing: Vec<&Alert<'_>> = alerts.iter().filter(|alert| alert.firing).collect();
    let (own, rest) = firing.split_at(firing.len().min(MAX_INCIDENTS));
    let mut signals: Vec<Signal> = resolved.map(one).chain(own.iter().map(|alert| one(alert))).collect();
    let rest_key = Some(bounded_key(&format!("rest of {}", group_key(body, alerts))));
    if rest.is_empty() && text(body.get("status")).as_deref() == Some("resolved") {
        signals.push(Signal::bare(Kind::Resolve, rest_key));
    } else if !rest.is_empty() {
        signals.push(Signal {
            severities: severities(rest),
            title: line(&format!("{} more alerts firing: {}", rest.len(), alert_title(rest[0])), TITLE_CHARS),
            detail: detail(body, alerts, rest),
            ..Signal::bare(Kind::Trigger, rest_key)
        });
    }
    signals
}

fn severities(alerts: &[&Alert<'_>]) -> Vec<String> {
    let mut words: Vec<String> = alerts
        .iter()
        .filter_map(|alert| text(alert.body["labels"].get("severity")))
        .map(|word| word.to_lowercase())
        .collect();
    words.sort();
    words.dedup();
    words
}

/// `groupKey`; without one, what the group is made of.
fn group_key(body: &Value, alerts: &[Alert<'_>]) -> String {
    if let Some(key) = text(body.get("groupKey")) {
        return bounded_key(&key);
    }
    let labels = [&body["groupLabels"], &body["commonLabels"]]
        .into_iter()
        .find(|labels| labels.as_object().is_some_and(|labels| !labels.is_empty()))
        .or_else(|| alerts.first().map(|alert| &alert.body["labels"]))
        .unwrap_or(&Value::Null);
    digest("group", &json!([text(body.get("receiver")), labels]))
}

/// `fingerprint`; without one, the labels it is made of.
fn alert_key(alert: &Alert<'_>) -> String {
    match text(alert.body.get("fingerprint")) {
        Some(fingerprint) => bounded_key(&fingerprint),
        None => digest("alert", &alert.body["labels"]),
    }
}

/// serde_json keeps an object's keys sorted, so equal labels give equal text.
fn digest(what: &str, value: &Value) -> String {
    format!("{what}:{}", hex::encode(Sha256::digest(value.to_string().as_bytes())))
}

fn title(body: &Value, firing: &[&Alert<'_>]) -> String {
    let common = |section: &str, name: &str| text(body[section].get(name));
    let many = if firing.len() > 1 { format!(" ({} firing)", firing.len()) } else { String::new() };
    if let Some(summary) = common("commonAnnotations", "summary") {
        return format!("{summary}{many}");
    }
    // One alert says it better than the name they share.
    if let [alert] = firing {
        return alert_title(alert);
    }
    let name = common("commonLabels", "alertname")
        .or_else(|| common("groupLabels", "alertname"))
        .or_else(|| common("commonAnnotations", "description"))
        .or_else(|| firing.first().map(|alert| alert_title(alert)))
        .or_else(|| text(body.get("title")))
        .or_else(|| text(body.get("groupKey")))
        .unwrap_or_else(|| "Alertmanager reports trouble".into());
    format!("{name}{many}")
}

fn alert_title(alert: &Alert<'_>) -> String {
    let (labels, annotations) = (&alert.body["labels"], &alert.body["annotations"]);
    if let Some(summary) = text(annotations.get("summary")).or_else(|| text(annotations.get("title"))) {
        return summary;
    }
    let name = text(labels.get("alertname")).or_else(|| text(annotations.get("description")));
    let place = text(labels.get("instance")).map(|instance| format!(" on {instance}")).unwrap_or_default();
    format!("{}{place}", name.unwrap_or_else(|| "Alert without a name".into()))
}

/// What the engineer reads below the title: how many, what they share, and each.
fn detail(body: &Value, alerts: &[Alert<'_>], told: &[&Alert<'_>]) -> String {
    let mut out = String::new();
    let firing = alerts.iter().filter(|alert| alert.firing).count();
    if alerts.len() > 1 {
        let _ = writeln!(out, "{firing} firing, {} resolved", alerts.len() - firing);
    }
    if let Some(truncated) = body["truncatedAlerts"].as_u64().filter(|n| *n > 0) {
        let _ = writeln!(out, "{truncated} more were cut by Alertmanager's max_alerts");
    }
    if let Some(description) = text(body["commonAnnotations"].get("description")) {
        let _ = writeln!(out, "{}", block(&description, 2000));
    }
    for name in ["runbook_url", "dashboard"] {
        if let Some(link) = text(body["commonAnnotations"].get(name)) {
            let _ = writeln!(out, "{name}: {}", line(&link, 1000));
        }
    }
    for alert in told.iter().take(TOLD) {
        let _ = writeln!(out, "- {}", line(&alert_title(alert), 300));
        let labels = labels(&alert.body["labels"]);
        if !labels.is_empty() {
            let _ = writeln!(out, "  {labels}");
        }
        // Said above already if they all share it.
        let description = text(alert.body["annotations"].get("description"))
            .filter(|own| text(body["commonAnnotations"].get("description")).as_ref() != Some(own));
        if let Some(description) = description {
            let _ = writeln!(out, "  {}", line(&description, 500));
        }
        if let Some(since) = text(alert.body.get("startsAt")) {
            let _ = writeln!(out, "  since {}", line(&since, 40));
        }
        if let Some(link) = text(alert.body.get("generatorURL")) {
            let _ = writeln!(out, "  {}", line(&link, 1000));
        }
    }
    if told.len() > TOLD {
        let _ = writeln!(out, "and {} more", told.len() - TOLD);
    }
    if let Some(link) = text(body.get("externalURL")) {
        let _ = writeln!(out, "Alertmanager: {}", line(&link, 500));
    }
    block(&out, DETAIL_CHARS)
}

fn labels(labels: &Value) -> String {
    let pairs = labels.as_object().into_iter().flatten();
    let pairs =
        pairs.filter_map(|(name, value)| Some(format!("{}={}", line(name, 100), line(&text(Some(value))?, 200))));
    line(&pairs.take(40).collect::<Vec<_>>().join(" "), 1000)
}

#[cfg(test)]
mod tests;
