use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::intake::{
    json::{Unreadable, read},
    signal::{Outcome, Status},
};

const KEY: &str = "samplekeyhere0123456789abcdef012";

fn documented() -> Value {
    json!({
        "payload": {
            "summary": "Example alert on host1.example.com",
            "timestamp": "2015-07-17T08:42:58.315+0000",
            "source": "monitoringtool:cloudvendor:central-region-dc-01:852559987:cluster/api-stats-prod-003",
            "severity": "info",
            "component": "postgres",
            "group": "prod-datapipe",
            "class": "deploy",
            "custom_details": {"ping time": "1500ms", "load avg": 0.75}
        },
        "routing_key": KEY,
        "dedup_key": "samplekeyhere",
        "images": [{"src": "https://www.example.com/chart.png", "href": "https://example.com/", "alt": "Example"}],
        "links": [{"href": "https://example.com/", "text": "Link text"}],
        "event_action": "trigger",
        "client": "Sample Monitoring Service",
        "client_url": "https://monitoring.example.com"
    })
}

fn errors(body: &Value) -> Vec<String> {
    decode(body).unwrap_err().into_iter().map(|fault| fault.detail).collect()
}

#[test]
fn the_documented_trigger_is_read() {
    let signals = decode(&documented()).unwrap();
    let [signal] = &signals[..] else { panic!("{signals:?}") };
    assert_eq!(signal.kind, Kind::Trigger);
    assert_eq!(signal.dedup_key.as_deref(), Some("samplekeyhere"));
    assert_eq!(signal.severities, ["info"]);
    assert_eq!(signal.title, "Example alert on host1.example.com");
    insta::assert_snapshot!(signal.detail, @r"
    source: monitoringtool:cloudvendor:central-region-dc-01:852559987:cluster/api-stats-prod-003
    component: postgres
    group: prod-datapipe
    class: deploy
    timestamp: 2015-07-17T08:42:58.315+0000
    client: Sample Monitoring Service https://monitoring.example.com
    link: Link text https://example.com/
    load avg: 0.75
    ping time: 1500ms
    ");
}

#[test]
fn what_alertmanager_sends_is_read_for_trigger_and_resolve() {
    // Its `custom_details` are JSON values, and the payload is sent on resolve too.
    let mut body = json!({
        "routing_key": KEY, "event_action": "trigger",
        "dedup_key": "5f2a63c0e0d1b5a5f1b1f6c1b2f4d2ce9c9e3aee5b1d0f87f4f1d0d6d7a1e3aa",
        "payload": {"summary": "[FIRING:1] HighLatency (api)", "source": "Alertmanager", "severity": "error",
            "custom_details": {"firing": [{"labels": {"alertname": "HighLatency"}}], "num_firing": "1",
                               "num_resolved": "0", "resolved": []}},
        "client": "Alertmanager", "client_url": "http://am.example:9093"
    });
    assert_eq!(decode(&body).unwrap()[0].title, "[FIRING:1] HighLatency (api)");
    body["event_action"] = json!("resolve");
    assert_eq!(decode(&body).unwrap()[0].kind, Kind::Resolve);
}

#[test]
fn what_go_pagerduty_sends_for_an_acknowledgement_is_read() {
    let body = json!({"routing_key": KEY, "event_action": "acknowledge", "dedup_key": "a"});
    assert_eq!(decode(&body).unwrap(), [Signal::bare(Kind::Acknowledge, Some("a".into()))]);
}

#[rstest]
#[case("/routing_key", json!("short"), "Length of 'routing_key' is incorrect (should be 32 characters)")]
#[case("/routing_key", json!(null), "'routing_key' is missing or blank")]
#[case("/routing_key", json!(["x"]), "'routing_key' is missing or blank")]
#[case("/event_action", json!(""), "'event_action' is missing or blank")]
#[case("/event_action", json!("close"), "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")]
#[case("/payload", json!("text"), "'payload' is missing or blank")]
#[case("/payload/summary", json!("  "), "'payload.summary' is missing or blank")]
#[case("/payload/summary", json!("x".repeat(1025)), "'payload.summary' is too long (maximum is 1024 characters)")]
#[case("/payload/source", json!(null), "'payload.source' is missing or blank")]
#[case("/payload/severity", json!(null), "'payload.severity' is missing or blank")]
#[case("/payload/severity", json!("bad"), "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")]
#[case("/dedup_key", json!("x".repeat(256)), "'dedup_key' is too long (maximum is 255 characters)")]
#[case("/dedup_key", json!(5), "'dedup_key' is invalid (must be a string)")]
fn a_wrong_field_is_named(#[case] pointer: &str, #[case] value: Value, #[case] error: &str) {
    let mut body = documented();
    *body.pointer_mut(pointer).unwrap() = value;
    assert_eq!(errors(&body), [error]);
}

#[test]
fn every_wrong_field_is_told_at_once() {
    assert_eq!(errors(&json!({})), ["'routing_key' is missing or blank", "'event_action' is missing or blank"]);
    let bare = json!({"routing_key": KEY, "event_action": "trigger", "payload": {}});
    assert_eq!(errors(&bare).len(), 3);
}

#[test]
fn acknowledge_and_resolve_need_a_dedup_key() {
    for action in ["acknowledge", "resolve"] {
        let body = json!({"routing_key": KEY, "event_action": action});
        assert_eq!(errors(&body), ["'dedup_key' is missing or blank"]);
    }
}

#[test]
fn a_trigger_without_a_dedup_key_is_taken() {
    for absent in [json!(null), json!("")] {
        let mut body = documented();
        body["dedup_key"] = absent;
        assert_eq!(decode(&body).unwrap()[0].dedup_key, None);
    }
}

#[test]
fn custom_details_may_be_any_json() {
    for details in [json!("words"), json!([1, "a"]), json!(5), json!(null), json!({"a": {"b": [null]}})] {
        let mut body = documented();
        body["payload"]["custom_details"] = details;
        assert!(decode(&body).is_ok());
    }
}

#[test]
fn a_long_summary_is_kept_whole_in_the_detail() {
    let mut body = documented();
    body["payload"]["summary"] = json!("long ".repeat(200).trim());
    let signal = decode(&body).unwrap().remove(0);
    assert_eq!(signal.title.chars().count(), TITLE_CHARS);
    assert!(signal.detail.starts_with("long long") && signal.detail.contains("source: monitoringtool"));
}

#[test]
fn a_change_event_asks_for_nothing() {
    let body = json!({"routing_key": KEY, "payload": {"summary": "Deployed 1.2.3", "source": "ci"}});
    assert_eq!(decode_change(&body), Ok(vec![]));
    assert!(decode_change(&json!({"routing_key": KEY})).is_err());
    assert_eq!((CHANGES.answer)(&Reply::Accepted(vec![])).status, 202);
}

#[test]
fn the_answers_are_those_that_pagerdutys_clients_parse() {
    let told = |reply: Reply| {
        let answer = (EVENTS.answer)(&reply);
        format!("{} {}", answer.status, answer.body)
    };
    let outcome =
        Outcome { status: Status::Opened, dedup_key: "srv01/HTTP".into(), id: None, incident: None, why: None };
    let answers = [
        Reply::Accepted(vec![outcome]),
        Reply::Refused(Refused::Invalid(vec![Fault::at("/routing_key", "Length of 'routing_key' is incorrect")])),
        Reply::Refused(Refused::UnknownKey),
        Reply::Refused(Refused::Unreadable(Unreadable::NotAnObject)),
        Reply::Refused(Refused::TooLarge),
        Reply::Refused(Refused::Overloaded),
        Reply::Refused(Refused::Unavailable),
    ]
    .map(told)
    .join("\n");
    insta::assert_snapshot!(answers, @r#"
    202 {"dedup_key":"srv01/HTTP","message":"Event processed","status":"success"}
    400 {"errors":["Length of 'routing_key' is incorrect"],"message":"Event object is invalid","status":"invalid event"}
    400 {"errors":["no integration has this key; look at the integrations in schedules/"],"message":"Event object is invalid","status":"invalid event"}
    400 {"errors":["JSON parse error"],"message":"Event object format is unrecognized","status":"Unrecognized object"}
    413 {"errors":["the body is larger than 512 KB"],"message":"Event object is invalid","status":"invalid event"}
    429 {"errors":["Enhance Your Calm."],"message":"Requests for this service are arriving too quickly.  Please retry later.","status":"throttle exceeded"}
    503 {"errors":["the database does not take it now"],"message":"The event was not recorded. Please retry.","status":"unavailable"}
    "#);
}

proptest! {
    #[test]
    fn no_bytes_panic_the_decoder(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(value) = read(&body) {
            let _ = decode(&value);
            let _ = decode_change(&value);
        }
    }

    #[test]
    fn no_value_in_any_field_panics_the_decoder(field in 0usize..10, value in crate::intake::arbitrary::json()) {
        let pointers = ["/payload", "/payload/summary", "/payload/source", "/payload/severity", "/payload/timestamp",
            "/payload/custom_details", "/links", "/client", "/dedup_key", "/event_action"];
        let mut body = documented();
        *body.pointer_mut(pointers[field]).unwrap() = value;
        let _ = decode(&body);
    }
}
