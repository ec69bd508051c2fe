use proptest::prelude::*;

use super::*;
use crate::intake::{json::read, sender::Refused};

fn alert(name: &str, status: &str, severity: &str, fingerprint: &str) -> Value {
    json!({
        "status": status,
        "labels": {"alertname": name, "instance": "api-1:9100", "job": "node", "severity": severity},
        "annotations": {"description": format!("{name} has lasted for 5 minutes"), "summary": format!("{name} on api-1")},
        "startsAt": "2026-03-01T02:12:45.352Z",
        "endsAt": if status == "firing" { "0001-01-01T00:00:00Z" } else { "2026-03-01T02:20:45.352Z" },
        "generatorURL": "http://prometheus.example/graph?g0.expr=up+%3D%3D+0",
        "fingerprint": fingerprint
    })
}

/// As Alertmanager sends it.
fn notification(status: &str, alerts: Vec<Value>) -> Value {
    json!({
        "version": "4", "groupKey": "{}/{severity=\"critical\"}:{alertname=\"InstanceDown\"}", "truncatedAlerts": 0,
        "status": status, "receiver": "ringdown", "groupLabels": {"alertname": "InstanceDown"},
        "commonLabels": {"alertname": "InstanceDown", "job": "node", "severity": "critical"},
        "commonAnnotations": {"summary": "InstanceDown on api-1"}, "externalURL": "http://alertmanager.example:9093",
        "notification_reason": "new alerts", "alerts": alerts
    })
}

fn one(body: &Value) -> Signal {
    let mut signals = decode(body, Grouping::Group).unwrap();
    assert_eq!(signals.len(), 1);
    signals.remove(0)
}

#[test]
fn a_firing_group_is_one_trigger() {
    let body = notification(
        "firing",
        vec![alert("InstanceDown", "firing", "critical", "a1"), alert("InstanceDown", "resolved", "critical", "a2")],
    );
    let signal = one(&body);
    assert_eq!(signal.kind, Kind::Trigger);
    assert_eq!(signal.dedup_key.as_deref(), Some("{}/{severity=\"critical\"}:{alertname=\"InstanceDown\"}"));
    assert_eq!(signal.severities, ["critical"]);
    insta::assert_snapshot!(format!("{}\n\n{}", signal.title, signal.detail), @r"
    InstanceDown on api-1

    1 firing, 1 resolved
    - InstanceDown on api-1
      alertname=InstanceDown instance=api-1:9100 job=node severity=critical
      InstanceDown has lasted for 5 minutes
      since 2026-03-01T02:12:45.352Z
      http://prometheus.example/graph?g0.expr=up+%3D%3D+0
    Alertmanager: http://alertmanager.example:9093
    ");
}

#[test]
fn a_resolved_group_is_one_resolve_with_the_same_key() {
    let alerts = vec![alert("InstanceDown", "resolved", "critical", "a1")];
    let resolved = one(&notification("resolved", alerts.clone()));
    assert_eq!(resolved.kind, Kind::Resolve);
    assert_eq!(resolved.dedup_key, one(&notification("firing", alerts)).dedup_key);
}

#[test]
fn per_alert_each_fingerprint_is_a_signal_of_its_own() {
    let body = notification(
        "firing",
        vec![alert("InstanceDown", "firing", "warning", "a1"), alert("DiskFull", "resolved", "critical", "a2")],
    );
    let mut signals = decode(&body, Grouping::Alert).unwrap();
    signals.sort_by(|a, b| a.dedup_key.cmp(&b.dedup_key));
    let [first, second] = &signals[..] else { panic!("{signals:?}") };
    assert_eq!((first.kind, first.dedup_key.as_deref()), (Kind::Trigger, Some("a1")));
    assert_eq!((first.title.as_str(), first.severities.as_slice()), ("InstanceDown on api-1", &["warning".into()][..]));
    assert_eq!(*second, Signal::bare(Kind::Resolve, Some("a2".into())));
}

#[test]
fn a_storm_per_alert_opens_a_hundred_and_one_for_the_rest() {
    let alerts = (0..300).map(|n| alert("InstanceDown", "firing", "critical", &format!("f{n}"))).collect();
    let signals = decode(&notification("firing", alerts), Grouping::Alert).unwrap();
    assert_eq!(signals.len(), 101);
    assert!(signals[100].title.starts_with("200 more alerts firing"), "{}", signals[100].title);
    assert!(signals[100].detail.contains("and 180 more"));

    // The end of the group ends that one too.
    let over = notification("resolved", vec![alert("InstanceDown", "resolved", "critical", "f0")]);
    let end = decode(&over, Grouping::Alert).unwrap().pop().unwrap();
    assert_eq!((end.kind, end.dedup_key), (Kind::Resolve, signals[100].dedup_key.clone()));
}

#[test]
fn without_a_common_severity_all_words_are_told() {
    let mut body = notification(
        "firing",
        vec![
            alert("A", "firing", "Warning", "a1"),
            alert("B", "firing", "critical", "a2"),
            alert("C", "resolved", "page", "a3"),
        ],
    );
    body["commonLabels"] = json!({});
    assert_eq!(one(&body).severities, ["critical", "warning"]);
}

#[test]
fn the_title_is_the_best_that_is_known() {
    let mut body = notification("firing", vec![alert("A", "firing", "x", "1"), alert("B", "firing", "x", "2")]);
    assert_eq!(one(&body).title, "InstanceDown on api-1 (2 firing)");
    body["commonAnnotations"] = json!({});
    assert_eq!(one(&body).title, "InstanceDown (2 firing)");
    body["commonLabels"] = json!({});
    body["groupLabels"] = json!({});
    assert_eq!(one(&body).title, "A on api-1 (2 firing)");
    body["alerts"] = json!([]);
    assert_eq!(one(&body).title, "{}/{severity=\"critical\"}:{alertname=\"InstanceDown\"}");
}

#[test]
fn missing_fields_are_borne() {
    for body in [
        json!({"status": "firing"}),
        json!({"status": "firing", "alerts": []}),
        json!({"alerts": [{}]}),
        json!({"alerts": [{"labels": {"alertname": "A"}}]}),
        json!({"status": "firing", "alerts": [{"labels": "no", "annotations": 5, "startsAt": {}}], "commonLabels": []}),
    ] {
        for per in [Grouping::Group, Grouping::Alert] {
            let signals = decode(&body, per).unwrap();
            assert_eq!(signals[0].kind, Kind::Trigger, "{body}");
            assert!(!signals[0].title.is_empty() && signals[0].dedup_key.is_some(), "{body}");
        }
    }
    let unsaid = json!({"alerts": [{"status": "resolved", "fingerprint": "a"}]});
    assert_eq!(one(&unsaid).kind, Kind::Resolve);
    assert!(decode(&json!({"hello": "world"}), Grouping::Group).is_err());
}

#[test]
fn without_a_group_key_equal_labels_are_the_same_trouble() {
    let mut body = notification("firing", vec![alert("A", "firing", "x", "1")]);
    body["groupKey"] = json!(null);
    let first = one(&body);
    body["alerts"] = json!([alert("B", "firing", "x", "2")]);
    assert_eq!(one(&body).dedup_key, first.dedup_key);
    body["groupLabels"] = json!({"alertname": "Other"});
    assert_ne!(one(&body).dedup_key, first.dedup_key);
}

#[test]
fn a_transient_refusal_is_503_which_is_all_that_alertmanager_sends_again() {
    for refused in [Refused::Overloaded, Refused::Unavailable] {
        let answer = (SENDER.answer)(&Reply::Refused(refused));
        assert_eq!((answer.status, answer.retry_after), (503, Some(1)));
    }
    for refused in [Refused::UnknownKey, Refused::TooLarge] {
        let answer = (SENDER.answer)(&Reply::Refused(refused));
        assert!((400..500).contains(&answer.status));
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_the_decoder(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(value) = read(&body) {
            let _ = decode(&value, Grouping::Group);
            let _ = decode(&value, Grouping::Alert);
        }
    }

    #[test]
    fn whatever_stands_in_a_field_a_firing_group_stays_a_trigger(
        field in 0usize..8,
        value in crate::intake::arbitrary::json(),
    ) {
        let pointers = ["/groupKey", "/groupLabels", "/commonLabels", "/commonAnnotations", "/alerts/0/labels",
            "/alerts/0/annotations", "/alerts/0/startsAt", "/externalURL"];
        let mut body = notification("firing", vec![alert("A", "firing", "critical", "1")]);
        *body.pointer_mut(pointers[field]).unwrap() = value;
        for per in [Grouping::Group, Grouping::Alert] {
            let signals = decode(&body, per).unwrap();
            prop_assert_eq!(signals[0].kind, Kind::Trigger);
            prop_assert!(signals[0].title.chars().count() <= TITLE_CHARS);
            prop_assert!(signals[0].detail.chars().count() <= DETAIL_CHARS);
        }
    }
}
