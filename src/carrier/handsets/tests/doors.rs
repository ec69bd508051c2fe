use axum::{
    body::{Body, to_bytes},
    extract::FromRequestParts,
    http::{Request, StatusCode, request::Parts},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{
    api::Problem,
    carrier::handsets::api::{Desk as Door, doors},
};

/// Everybody may use these phones.
impl FromRequestParts<Arc<Handsets>> for Door {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, handsets: &Arc<Handsets>) -> Result<Self, Problem> {
        Ok(Door(handsets.clone()))
    }
}

async fn request(rig: &Rig, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = Request::builder().method(method).uri(path).body(body).unwrap();
    let response = doors::<Arc<Handsets>>().with_state(rig.handsets.clone()).oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    rig.settle().await;
    let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
    (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| text()))
}

#[tokio::test]
async fn a_person_answers_and_presses_through_the_doors() {
    let rig = Rig::new().on("voice/page", asks("Press 4.", "voice/page/key"));
    let id = rig.place("att_1", ALICE).await;
    let (status, phone) = request(&rig, "GET", "/handsets/phones/12015550123?until=ringing", Value::Null).await;
    assert_eq!((status, &phone["calls"][0]["id"]), (StatusCode::OK, &json!(id)));
    assert_eq!(phone["behaviour"], "manual");
    assert_eq!((&phone["number"], &phone["calls"][0]["state"]), (&json!(ALICE), &json!("ringing")));
    let at = |act: &str| format!("/handsets/calls/{id}{act}");
    let (status, _) = request(&rig, "POST", &at("/answer"), Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let (_, call) = request(&rig, "GET", &at("?until=waiting"), Value::Null).await;
    assert_eq!((&call["waiting_for"], &call["said"][0]["who"]), (&json!("keys"), &json!("service")));
    let (status, _) = request(&rig, "POST", &at("/press"), json!({"keys": "4"})).await;
    assert_eq!(status, StatusCode::OK);
    let (_, call) = request(&rig, "GET", &at("?until=ended"), Value::Null).await;
    assert_eq!((&call["state"], &call["status"]), (&json!("ended"), &json!("completed")));
    assert_eq!(rig.last_turn().digits.as_deref(), Some("4"));
    let (status, problem) = request(&rig, "POST", &at("/press"), json!({"keys": "4"})).await;
    assert_eq!((status, &problem["detail"]), (StatusCode::CONFLICT, &json!("Not done: the call has ended.")));
}

#[tokio::test]
async fn a_request_that_waits_is_answered_when_it_is_so() {
    let rig = Rig::new();
    let id = rig.place("att_1", ALICE).await;
    let path = format!("/handsets/calls/{id}?until=ended");
    let waiting = request(&rig, "GET", &path, Value::Null);
    let (call, ()) = tokio::join!(waiting, rig.pass(25));
    assert_eq!(call.1["status"], "no_answer");
}

#[tokio::test]
async fn a_person_dials_speaks_and_writes_through_the_doors() {
    let record = Verb::Record { max_seconds: 30, action: Action("voice/2".into()), transcript: None };
    let rig = Rig::new().on("voice", Document::default().then(record));
    let (status, call) =
        request(&rig, "POST", "/handsets/phones/%2B12015550123/dial", json!({"to": HOTLINE, "script": []})).await;
    assert_eq!((status, &call["incoming"]), (StatusCode::CREATED, &json!(false)));
    let at = |act: &str| format!("/handsets/calls/{}{act}", call["id"].as_str().unwrap());
    let (status, call) = request(&rig, "POST", &at("/speak"), json!({"text": "Help."})).await;
    assert_eq!((status, &call["waiting_for"]), (StatusCode::OK, &json!("recording")));
    request(&rig, "POST", &at("/hangup"), Value::Null).await;
    let (_, words) = request(&rig, "GET", &at("/recordings/1"), Value::Null).await;
    assert_eq!(words, "Help.");
    let sms = json!({"to": OURS, "body": "4821 4"});
    let (status, written) = request(&rig, "POST", "/handsets/phones/+12015550123/sms", sms).await;
    assert_eq!((status, &written["answer"]["body"]), (StatusCode::OK, &json!("4821 is yours.")));
    let (_, phones) = request(&rig, "GET", "/handsets/phones", Value::Null).await;
    assert_eq!((phones[0]["texts"].as_array().unwrap().len(), phones[0]["calls"].as_array().unwrap().len()), (2, 1));
}

#[tokio::test]
async fn a_behaviour_is_set_through_the_door_and_seen() {
    let rig = Rig::new();
    let path = "/handsets/phones/12015550123/behaviour";
    let behaviour = json!({"behaviour": "answers_and_presses", "key": "4", "after": 9});
    let (status, phone) = request(&rig, "PUT", path, behaviour).await;
    assert_eq!(
        (status, &phone["behaviour"], &phone["key"]),
        (StatusCode::OK, &json!("answers_and_presses"), &json!("4"))
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_a_reason() {
    let rig = Rig::new();
    let long = "x".repeat(1601);
    let id = rig.dial().await;
    let press = format!("/handsets/calls/{id}/press");
    let table = [
        ("GET", "/handsets/phones/call-me", Value::Null, 404),
        ("GET", "/handsets/calls/call_x", Value::Null, 404),
        ("GET", "/handsets/calls/call_x?until=noon", Value::Null, 400),
        ("POST", "/handsets/calls/call_x/answer", Value::Null, 404),
        ("GET", "/handsets/calls/call_x/recordings/1", Value::Null, 404),
        ("POST", press.as_str(), json!({"keys": "A"}), 422),
        ("POST", press.as_str(), json!({"keys": "1"}), 409),
        ("POST", press.as_str(), json!({"key": "1"}), 400),
        ("POST", press.as_str(), Value::Null, 400),
        ("PUT", "/handsets/phones/12015550123/behaviour", json!({"behaviour": "slow", "seconds": 100_000}), 422),
        ("PUT", "/handsets/phones/12015550123/behaviour", json!({"behaviour": "dances"}), 400),
        ("POST", "/handsets/phones/12015550123/sms", json!({"to": "us", "body": "x"}), 422),
        ("POST", "/handsets/phones/12015550123/sms", json!({"to": OURS, "body": long}), 422),
        ("POST", "/handsets/phones/12015550123/dial", json!({"to": HOTLINE, "script": [{"press": "x"}]}), 422),
    ];
    for (method, path, body, expected) in table {
        let (status, problem) = request(&rig, method, path, body.clone()).await;
        assert_eq!(status.as_u16(), expected, "{method} {path} {body}: {problem}");
        assert_eq!(problem["status"], expected);
    }
}
