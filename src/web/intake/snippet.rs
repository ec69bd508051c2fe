//! What is pasted into a sender so that it reaches us. Pure.
//!
//! Sources: PagerDuty's "Send an alert event", Alertmanager's configuration, Grafana's "Webhook notifier" and file
//! provisioning, the Standard Webhooks specification.

use crate::intake::SenderKind;

/// A text to paste, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    pub title: &'static str,
    pub hint: &'static str,
    pub text: String,
}

/// What fits a sender of this kind. `key` is what stands for its secret; `signing` what stands for its signing secret,
/// where payloads have to be signed.
pub fn snippets(kind: SenderKind, public_url: &str, key: &str, signing: Option<&str>) -> Vec<Snippet> {
    let base = public_url.trim_end_matches('/');
    match (kind, signing) {
        (SenderKind::Pagerduty, _) => pagerduty(base, key),
        (SenderKind::Alertmanager, _) => alertmanager(base, key),
        (SenderKind::Generic, Some(secret)) => vec![signed(base, key, secret)],
        (SenderKind::Generic, None) => generic(base, key),
    }
}

fn pagerduty(base: &str, key: &str) -> Vec<Snippet> {
    let trigger = format!(
        r#"{{"routing_key": "{key}", "event_action": "trigger", "dedup_key": "db-7/disk",
 "payload": {{"summary": "Disk full on db-7", "source": "db-7", "severity": "warning"}}}}"#
    );
    let resolve = format!(r#"{{"routing_key": "{key}", "event_action": "resolve", "dedup_key": "db-7/disk"}}"#);
    let old = format!(
        r#"{{"service_key": "{key}", "event_type": "trigger", "incident_key": "db-7/disk", "description": "Disk full on db-7"}}"#
    );
    vec![
        Snippet {
            title: "Any client of PagerDuty's Events API",
            hint: "Change its address; everything else stays.",
            text: format!("URL:         {base}/v2/enqueue\nRouting key: {key}"),
        },
        curl("curl: report trouble", &format!("{base}/v2/enqueue"), &trigger),
        curl("curl: it is over", &format!("{base}/v2/enqueue"), &resolve),
        Snippet {
            title: "Alertmanager, by pagerduty_configs",
            hint: "In alertmanager.yml. A severity must be critical, error, warning or info.",
            text: format!(
                "receivers:\n  - name: ringdown\n    pagerduty_configs:\n      - url: {base}/v2/enqueue\n        \
                 routing_key: {key}\n        \
                 severity: '{{{{ if .CommonLabels.severity }}}}{{{{ .CommonLabels.severity }}}}{{{{ else }}}}error{{{{ end }}}}'\n        \
                 send_resolved: true"
            ),
        },
        curl("curl: version 1 of the Events API", &format!("{base}/generic/2010-04-15/create_event.json"), &old),
    ]
}

fn alertmanager(base: &str, key: &str) -> Vec<Snippet> {
    let url = format!("{base}/intake/alertmanager/{key}");
    let body = r#"{"version": "4", "status": "firing", "groupKey": "db-7/disk", "commonLabels": {"alertname": "DiskFull", "severity": "warning"},
 "alerts": [{"status": "firing", "labels": {"alertname": "DiskFull", "severity": "warning", "instance": "db-7"},
             "annotations": {"summary": "Disk full on db-7"}}]}"#;
    vec![
        Snippet {
            title: "Alertmanager, by webhook_configs",
            hint: "In alertmanager.yml; the route names the receiver ringdown.",
            text: format!(
                "receivers:\n  - name: ringdown\n    webhook_configs:\n      - url: {url}\n        send_resolved: true"
            ),
        },
        Snippet {
            title: "Grafana contact point",
            hint: "Alerting, Contact points, New: the integration Webhook, this URL, POST. Or as a file in \
                   provisioning/alerting:",
            text: format!(
                "apiVersion: 1\ncontactPoints:\n  - orgId: 1\n    name: Ringdown\n    receivers:\n      - uid: ringdown\n        \
                 type: webhook\n        settings:\n          url: {url}\n          httpMethod: POST"
            ),
        },
        curl("curl: as Alertmanager would", &url, body),
    ]
}

fn generic(base: &str, key: &str) -> Vec<Snippet> {
    let url = format!("{base}/intake/generic/{key}");
    let trigger =
        r#"{"action": "trigger", "dedup_key": "db-7/disk", "title": "Disk full on db-7", "severity": "warning"}"#;
    let resolve = r#"{"action": "resolve", "dedup_key": "db-7/disk"}"#;
    vec![
        curl("curl: report trouble", &url, trigger),
        curl("curl: it is over", &url, resolve),
        Snippet {
            title: "Any tool with webhooks",
            hint: "POST this to the URL, in the tool's own placeholders. The action may also be acknowledge or resolve; \
                   a priority (P1 to P6) goes before the severity.",
            text: format!("POST {url}\nContent-Type: application/json\n\n{trigger}"),
        },
    ]
}

/// A sender that signs: plain shell, so that it can be read as a recipe for any language.
fn signed(base: &str, key: &str, secret: &str) -> Snippet {
    Snippet {
        title: "curl, signed (Standard Webhooks)",
        hint: "The signature is base64 of HMAC-SHA256 over id.timestamp.body; the key is the secret without whsec_, \
               decoded. The same id again has no second effect.",
        text: format!(
            r#"secret='{secret}'
body='{{"action": "trigger", "dedup_key": "db-7/disk", "title": "Disk full on db-7", "severity": "warning"}}'
id="msg_$(openssl rand -hex 12)"
at="$(date +%s)"
key="$(printf %s "${{secret#whsec_}}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')"
signature="$(printf '%s.%s.%s' "$id" "$at" "$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)"
curl -sS '{base}/intake/generic/{key}' -H 'content-type: application/json' \
  -H "webhook-id: $id" -H "webhook-timestamp: $at" -H "webhook-signature: v1,$signature" -d "$body""#
        ),
    }
}

fn curl(title: &'static str, url: &str, body: &str) -> Snippet {
    Snippet {
        title,
        hint: "",
        text: format!("curl -sS '{url}' \\\n  -H 'content-type: application/json' \\\n  -d '{body}'"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::intake::{Grouping, alertmanager, events_v1, events_v2, generic, sender::Sender, signal::Kind};

    const KEY: &str = "example0pagerduty0key00000000001";

    /// What stands between `-d '` and the last quote.
    fn body(snippet: &Snippet) -> Value {
        let (_, body) = snippet.text.split_once("-d '").unwrap();
        serde_json::from_str(body.strip_suffix('\'').unwrap()).unwrap()
    }

    #[test]
    fn what_is_pasted_is_taken_at_the_door_it_names() {
        let doors: [(&str, &Sender); 5] = [
            ("/v2/enqueue'", &events_v2::EVENTS),
            ("/generic/2010-04-15/create_event.json'", &events_v1::EVENTS),
            ("/intake/alertmanager/", &alertmanager::SENDER),
            ("/intake/generic/", &generic::SENDER),
            ("nowhere", &generic::SENDER),
        ];
        let mut tried = 0;
        for kind in [SenderKind::Pagerduty, SenderKind::Alertmanager, SenderKind::Generic] {
            for snippet in snippets(kind, "https://pager.example.com/", KEY, None) {
                if !snippet.title.starts_with("curl") {
                    assert!(snippet.text.contains("https://pager.example.com/") && snippet.text.contains(KEY));
                    continue;
                }
                let (_, sender) = doors.iter().find(|(path, _)| snippet.text.contains(path)).unwrap();
                let signals = (sender.decode)(&body(&snippet), Grouping::Group).unwrap();
                let over = snippet.title.ends_with("it is over");
                assert_eq!(signals[0].kind, if over { Kind::Resolve } else { Kind::Trigger }, "{}", snippet.title);
                tried += 1;
            }
        }
        assert_eq!(tried, 6);
    }

    #[test]
    fn a_sender_that_has_to_sign_is_shown_nothing_that_would_be_refused() {
        let shown = snippets(SenderKind::Generic, "https://pager.example.com", "key", Some("whsec_x"));
        assert_eq!(shown.len(), 1);
        assert!(shown[0].text.contains("webhook-signature: v1,") && shown[0].text.contains("secret='whsec_x'"));
    }
}
