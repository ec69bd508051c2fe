//! The doors over a real database; `incidents` for what opens and closes them.

mod incidents;

use std::sync::Arc;

use axum::body::to_bytes;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{
    clock::ManualHand,
    config::Config,
    intake::{
        examine::tests::{ROUTING_KEY, config, sign},
        store::{get, list, purge},
    },
    server::settings::Settings,
};

struct World {
    app: App,
    hand: ManualHand,
    doors: Router,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> World {
        let (app, hand, folder) = App::for_test(Settings::default(), "2026-03-01T02:00:00Z", config(), vec![]).await;
        let doors = routes().with_state(app.clone());
        World { app, hand, doors, _folder: folder }
    }

    async fn send(&self, request: Request) -> (u16, HeaderMap, Value) {
        let response = self.doors.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> (u16, Value) {
        let (status, _, body) = self.send(post_to(path).body(body.into()).unwrap()).await;
        (status, body)
    }

    async fn log(&self) -> Vec<Received> {
        let mut tx = self.app.db.read().await.unwrap();
        list(&mut tx, None, 200).await.unwrap()
    }
}

fn post_to(path: &str) -> axum::http::request::Builder {
    Request::post(path)
        .header("content-type", "application/json")
        .header("authorization", "Bearer top-secret")
        .header("user-agent", "Alertmanager/0.28")
}

#[tokio::test]
async fn a_resolve_without_an_open_incident_is_taken_and_dropped() {
    let world = World::new().await;
    let event = json!({"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": "a"}).to_string();
    let (status, body) = world.post("/v2/enqueue", event).await;
    assert_eq!(status, 202);
    assert_eq!(body, json!({"status": "success", "message": "Event processed", "dedup_key": "a"}));
    let log = world.log().await;
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].status, log[0].door.as_str()), (202, "events_v2"));
    assert_eq!(log[0].integration.as_ref().unwrap().as_str(), "pd");
    assert_eq!(log[0].verdict, "dropped: no open incident has this dedup key");

    let (status, body) = world.post("/intake/generic/gen-secret", r#"{"action":"acknowledge","dedup_key":"a"}"#).await;
    assert_eq!((status, &body["status"], &body["incident"]), (202, &json!("dropped"), &Value::Null));
}

#[tokio::test]
async fn no_secret_is_kept() {
    let world = World::new().await;
    let event = json!({"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": "a"}).to_string();
    world.post("/v2/enqueue", event).await;
    world.post("/intake/generic/gen-secret", r#"{"action":"resolve","dedup_key":"a"}"#).await;
    world.post("/intake/generic/not-a-known-secret-at-all", "x").await;
    let log = world.log().await;
    assert_eq!(log.len(), 3);
    let kept = serde_json::to_string(&log).unwrap();
    for secret in [ROUTING_KEY, "gen-secret", "not-a-known", "top-secret"] {
        assert!(!kept.contains(secret), "{secret}: {kept}");
    }
    assert!(kept.contains("Alertmanager/0.28"));
    assert_eq!(log[1].headers["path"], "/intake/generic/…");
    assert_eq!(log[0].headers["path"], "/intake/generic/not-…");
}

#[tokio::test]
async fn a_change_event_is_kept_and_asks_for_nothing() {
    let world = World::new().await;
    let event = json!({"routing_key": ROUTING_KEY, "payload": {"summary": "Deployed", "source": "ci"}}).to_string();
    let (status, body) = world.post("/v2/change/enqueue", event).await;
    assert_eq!((status, &body["status"]), (202, &json!("success")));
    assert_eq!(world.log().await[0].verdict, "kept; it asks for nothing");
}

#[tokio::test]
async fn every_refusal_is_answered_in_the_senders_words_and_kept() {
    let world = World::new().await;
    let unknown = json!({"routing_key": "f".repeat(32), "event_action": "resolve", "dedup_key": "a"}).to_string();
    for (path, body, status, verdict) in [
        ("/v2/enqueue", "{", 400, "refused: not JSON: EOF while parsing an object at line 1 column 1"),
        ("/v2/enqueue", "{}", 400, "refused: 'routing_key' is missing or blank; 'event_action' is missing or blank"),
        (
            "/v2/enqueue",
            unknown.as_str(),
            400,
            "refused: no integration has this key; look at the integrations in schedules/",
        ),
        ("/intake/generic/gen-secret", "\u{0}", 400, "refused: not JSON: expected value at line 1 column 1"),
        (
            "/intake/generic/gen-secret",
            r#"{"action":"trigger"}"#,
            422,
            "refused: needed: one line that says what is wrong",
        ),
        (
            "/intake/alertmanager/gen-secret",
            "{}",
            404,
            "refused: this key belongs to an integration of the kind `generic`, which has another URL",
        ),
        (
            "/intake/generic/signed-secret",
            "{}",
            401,
            "refused: the header `webhook-id` is missing; this integration takes only signed payloads (Standard Webhooks)",
        ),
    ] {
        let (answered, _) = world.post(path, body.to_owned()).await;
        assert_eq!(answered, status, "{path} {body}");
        let newest = world.log().await.remove(0);
        assert_eq!((newest.status, newest.verdict.as_str()), (status, verdict), "{path} {body}");
    }
    let mut tx = world.app.db.read().await.unwrap();
    let newest = world.log().await.remove(0);
    assert_eq!(get(&mut tx, &newest.id).await.unwrap(), Some(newest));
}

#[tokio::test]
async fn a_body_over_512_kb_is_413_and_its_beginning_is_kept() {
    let world = World::new().await;
    let padded = |n: usize| format!(r#"{{"action":"resolve","dedup_key":"a","x":"{}"}}"#, "y".repeat(n));
    let frame = padded(0).len();
    let (status, _) = world.post("/intake/generic/gen-secret", padded(MAX_BODY - frame)).await;
    assert_eq!(status, 202);
    let (status, _) = world.post("/intake/generic/gen-secret", padded(MAX_BODY - frame + 1)).await;
    assert_eq!(status, 413);
    let (status, body) = world.post("/v2/enqueue", padded(MAX_BODY)).await;
    assert_eq!((status, &body["status"]), (413, &json!("invalid event")));
    let log = world.log().await;
    assert_eq!(log.iter().map(|row| row.body.len()).collect::<Vec<_>>(), [STRAY_BYTES, STRAY_BYTES, MAX_BODY]);
    assert_eq!(log[1].integration.as_ref().unwrap().as_str(), "gen");
}

#[tokio::test]
async fn strangers_cannot_fill_the_disk() {
    let world = World::new().await;
    for _ in 0..STRAYS_A_MINUTE + 10 {
        assert_eq!(world.post("/intake/generic/guess", "x".repeat(10_000)).await.0, 404);
    }
    let log = world.log().await;
    assert_eq!(log.len(), STRAYS_A_MINUTE as usize);
    assert!(log.iter().all(|row| row.body.len() == STRAY_BYTES));
    // Those we know are still written down, and in the next minute strangers are too.
    world.post("/intake/generic/gen-secret", "x").await;
    world.hand.set(world.hand.now() + TimeDelta::minutes(1));
    world.post("/intake/generic/guess", "x").await;
    assert_eq!(world.log().await.len(), STRAYS_A_MINUTE as usize + 2);
}

#[tokio::test]
async fn only_the_newest_strangers_stay() {
    let world = World::new().await;
    let mut tx = world.app.db.begin().await.unwrap();
    let row = |n: i64, integration: Option<&str>| Received {
        id: format!("int_{n:026}").into(),
        received_at: world.app.clock.now(),
        door: "generic".into(),
        integration: integration.map(Into::into),
        remote: None,
        headers: BTreeMap::new(),
        body: String::new(),
        status: 404,
        verdict: "refused".into(),
        incident_ids: vec![],
    };
    store::keep(&mut tx, &row(0, Some("gen"))).await.unwrap();
    for n in 1..=store::STRAYS + 5 {
        store::keep_stray(&mut tx, &row(n, None)).await.unwrap();
    }
    assert!(get(&mut tx, &row(0, None).id).await.unwrap().is_some());
    assert!(get(&mut tx, &row(5, None).id).await.unwrap().is_none());
    assert!(get(&mut tx, &row(6, None).id).await.unwrap().is_some());
    let newest = list(&mut tx, None, 2).await.unwrap();
    let older = list(&mut tx, Some(newest[1].id.clone()), 1).await.unwrap();
    assert_eq!(older[0].id, row(store::STRAYS + 3, None).id);
}

#[tokio::test]
async fn a_signed_webhook_that_comes_again_is_a_success_without_a_second_effect() {
    let world = World::new().await;
    let body = r#"{"action":"resolve","dedup_key":"a"}"#;
    let sent = world.app.clock.now();
    let request = |at: Time| {
        post_to("/intake/generic/signed-secret")
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", at.timestamp().to_string())
            .header("webhook-signature", sign("msg_1", at, body))
            .body(Body::from(body))
            .unwrap()
    };
    let first = world.send(request(sent)).await;
    assert_eq!(first.0, 202);
    // The retry carries the time of its own attempt.
    world.hand.set(sent + TimeDelta::hours(2));
    let again = world.send(request(world.hand.now())).await;
    assert_eq!((again.0, &again.2), (202, &first.2));
    let verdict = world.log().await.remove(0).verdict;
    assert!(verdict.starts_with("a repeat of a webhook taken before, without a second effect"), "{verdict}");
    // The first one itself is too old by now.
    assert_eq!(world.send(request(sent)).await.0, 401);
}

#[tokio::test]
async fn two_equal_signed_webhooks_at_once_have_one_effect() {
    let world = World::new().await;
    let body = r#"{"action":"resolve","dedup_key":"a"}"#;
    let at = world.app.clock.now();
    let sends = (0..8).map(|_| {
        world.send(
            post_to("/intake/generic/signed-secret")
                .header("webhook-id", "msg_2")
                .header("webhook-timestamp", at.timestamp().to_string())
                .header("webhook-signature", sign("msg_2", at, body))
                .body(Body::from(body))
                .unwrap(),
        )
    });
    assert!(futures::future::join_all(sends).await.iter().all(|answer| answer.0 == 202));
    let log = world.log().await;
    assert_eq!(log.iter().filter(|row| row.verdict.starts_with("a repeat")).count(), 7);
}

#[tokio::test]
async fn overload_and_a_dead_database_are_told_as_the_sender_understands_it() {
    let world = World::new().await;
    let gate = Gate::new(0, Duration::from_millis(1));
    for (sender, status) in [
        (&events_v2::EVENTS, 429),
        (&events_v2::CHANGES, 429),
        (&events_v1::EVENTS, 403),
        (&alertmanager::SENDER, 503),
        (&generic::SENDER, 503),
    ] {
        let response = receive(&world.app, &gate, sender, Some("x"), post_to("/").body(Body::empty()).unwrap()).await;
        assert_eq!(response.status().as_u16(), status, "{}", sender.door);
        assert_eq!(response.headers()["retry-after"], "1");
    }
    world.app.db.close().await;
    let event = json!({"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": "a"}).to_string();
    assert_eq!(world.post("/v2/enqueue", event).await.0, 503);
    let (status, headers, _) = world
        .send(
            post_to("/intake/alertmanager/am-secret")
                .body(Body::from(r#"{"status":"resolved","groupKey":"a"}"#))
                .unwrap(),
        )
        .await;
    assert_eq!((status, headers["retry-after"].to_str().unwrap()), (503, "1"));
}

#[tokio::test]
async fn payloads_are_forgotten_in_time() {
    let world = World::new().await;
    world.post("/intake/generic/gen-secret", r#"{"action":"resolve","dedup_key":"a"}"#).await;
    let first = world.app.clock.now();
    world.hand.set(first + TimeDelta::minutes(10));
    world.post("/intake/generic/gen-secret", r#"{"action":"resolve","dedup_key":"b"}"#).await;
    let mut tx = world.app.db.begin().await.unwrap();
    assert_eq!(purge(&mut tx, first + TimeDelta::minutes(1)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let log = world.log().await;
    assert_eq!(log.len(), 1);
    assert!(log[0].body.contains("\"b\""));
}

#[tokio::test]
async fn a_key_claimed_and_held_means_its_incident_while_that_is_open() {
    let world = World::new().await;
    let mut tx = world.app.db.begin().await.unwrap();
    let integration = IntegrationKey::from("gen");
    assert_eq!(store::claim(&mut tx, &integration, "a").await.unwrap(), None);
    assert_eq!(store::claim(&mut tx, &integration, "a").await.unwrap(), None);
    const INCIDENT: crate::store::Sql = crate::store::Sql::same(
        "insert into incidents (id, reference, phase, priority, team, opened_at, updated_at, seq, state) \
         values ('inc_1', '4821', 'open', 'P1', 'sre', $1, $1, 1, '{}')",
    );
    let now = world.app.clock.now();
    crate::on!(&mut tx, INCIDENT, |c, sql| sqlx::query(sql).bind(now).execute(c).await.map(|_| ())).unwrap();
    let held = store::Held { incident: "inc_1".into(), reported: Some(crate::sla::Priority::P3) };
    store::hold(&mut tx, &integration, "a", &held).await.unwrap();
    assert_eq!(store::claim(&mut tx, &integration, "a").await.unwrap(), Some(held.clone()));
    assert_eq!(store::open(&mut tx, &integration, "a").await.unwrap(), Some(held));
    assert_eq!(store::open(&mut tx, &"other".into(), "a").await.unwrap(), None, "another sender's key is another");
    const CLOSE: crate::store::Sql = crate::store::Sql::same("update incidents set phase = 'resolved'");
    crate::on!(&mut tx, CLOSE, |c, sql| sqlx::query(sql).execute(c).await.map(|_| ())).unwrap();
    assert_eq!(store::claim(&mut tx, &integration, "a").await.unwrap(), None);
    purge(&mut tx, now + TimeDelta::days(1)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_body_that_breaks_off_is_to_be_sent_again() {
    let world = World::new().await;
    for path in ["/v2/enqueue", "/intake/generic/gen-secret"] {
        let broken = futures::stream::iter([Ok("{\"action\":"), Err(std::io::Error::other("gone"))]);
        let (status, headers, _) = world.send(post_to(path).body(Body::from_stream(broken)).unwrap()).await;
        assert_eq!((status, headers["retry-after"].to_str().unwrap()), (503, "1"), "{path}");
    }
    assert_eq!(world.log().await[0].body, "{\"action\":");
}
