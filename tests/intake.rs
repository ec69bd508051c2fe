//! Monitoring posts.

use serde_json::{Value, json};

use crate::world::*;

fn event(action: &str, key: &str, severity: &str) -> Value {
    json!({
        "routing_key": PAGERDUTY_KEY,
        "event_action": action,
        "dedup_key": key,
        "payload": { "summary": "Disk full on db-7", "source": "db-7", "severity": severity },
    })
}

fn alerts(status: &str, names: &[&str]) -> Value {
    let alerts: Vec<Value> = names
        .iter()
        .map(|name| {
            json!({
                "status": status, "labels": { "alertname": name, "severity": "critical" },
                "annotations": { "summary": format!("{name} is bad") },
                "startsAt": "2026-11-18T07:59:00Z", "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus/graph", "fingerprint": format!("f{name}"),
            })
        })
        .collect();
    json!({
        "version": "4", "groupKey": "{}:{cluster=\"eu\"}", "truncatedAlerts": 0, "status": status,
        "receiver": "ringdown", "groupLabels": { "cluster": "eu" }, "commonLabels": { "severity": "critical" },
        "commonAnnotations": {}, "externalURL": "http://alertmanager", "alerts": alerts,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_pages_and_the_same_event_again_does_not() {
    let world = World::start().await;
    let first = world.deliver("/v2/enqueue", event("trigger", "db-7/disk", "critical")).await;
    assert_eq!((first.status, first.body["status"].as_str()), (202, Some("success")), "{first:?}");
    assert_eq!(first.body["dedup_key"], "db-7/disk");
    world.seconds(10).await;
    let again = world.deliver("/v2/enqueue", event("trigger", "db-7/disk", "critical")).await;
    assert_eq!((again.status, &again.body), (202, &first.body));
    world.seconds(10).await;
    let incident = world.the_incident().await;
    assert_eq!(incident["priority"], "P1");
    assert_eq!((world.carrier.texts_to(BEN).len(), world.carrier.calls_to(BEN).len()), (1, 1));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_of_the_same_at_once_make_one_incident() {
    let world = World::start().await;
    let posts = (0..10).map(|_| world.deliver("/v2/enqueue", event("trigger", "storm", "critical")));
    for answer in futures::future::join_all(posts).await {
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    world.seconds(5).await;
    assert_eq!(world.incidents().await.len(), 1);
    assert_eq!(world.carrier.texts_to(BEN).len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resolve_closes_it_and_the_next_trigger_is_a_new_trouble() {
    let world = World::start().await;
    world.deliver("/v2/enqueue", event("trigger", "a", "error")).await;
    world.minutes(1).await;
    assert_eq!(world.deliver("/v2/enqueue", event("resolve", "a", "error")).await.status, 202);
    assert_eq!(world.the_incident().await["phase"], "resolved");
    world.minutes(10).await;
    assert!(world.carrier.calls_to(BEN).is_empty(), "a resolved trouble wakes nobody");
    world.deliver("/v2/enqueue", event("trigger", "a", "error")).await;
    assert_eq!(world.incidents().await.len(), 2);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_is_listed_and_wakes_nobody() {
    let world = World::start().await;
    world.deliver("/v2/enqueue", event("trigger", "w", "warning")).await;
    world.minutes(30).await;
    assert_eq!(world.the_incident().await["priority"], "P3");
    assert!(world.carrier.sent().is_empty());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_group_told_twice_is_one_incident_that_ends_with_the_group() {
    let world = World::start().await;
    let path = format!("/intake/alertmanager/{ALERTMANAGER_KEY}");
    for names in [&["Down"][..], &["Down"], &["Down", "Slow"]] {
        let answer = world.deliver(&path, alerts("firing", names)).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
        world.minutes(1).await;
    }
    let incident = world.the_incident().await;
    assert_eq!((incident["priority"].as_str(), incident["phase"].as_str()), (Some("P1"), Some("open")));
    assert_eq!(world.carrier.texts_to(BEN).len(), 1);
    world.deliver(&path, alerts("resolved", &["Down", "Slow"])).await;
    assert_eq!(world.the_incident().await["phase"], "resolved");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_kept_and_can_be_seen() {
    let world = World::start().await;
    let wrong_key = json!({ "routing_key": "x".repeat(32), "event_action": "trigger" });
    assert!((400..500).contains(&world.deliver("/v2/enqueue", wrong_key).await.status));
    let unreadable = world.deliver("/intake/generic/office-generic-key", json!({ "action": "explode" })).await;
    assert!((400..500).contains(&unreadable.status), "{unreadable:?}");
    assert!((400..500).contains(&world.deliver("/intake/generic/who-is-this", json!({})).await.status));
    let good = json!({ "action": "trigger", "title": "Checkout is slow", "priority": "P2" });
    let answer = world.deliver(&format!("/intake/generic/{GENERIC_KEY}"), good).await;
    assert!((200..300).contains(&answer.status), "{answer:?}");
    let kept = world.get("/api/v1/intake").await;
    let items = kept["items"].as_array().expect("a list");
    assert_eq!(items.len(), 4, "{kept}");
    assert_eq!(items.iter().filter(|item| item["incidents"].as_array().is_some_and(|all| !all.is_empty())).count(), 1);
    assert!(!kept.to_string().contains(GENERIC_KEY), "no secret is shown: {kept}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_big_is_refused_with_413() {
    let world = World::start().await;
    let mut big = event("trigger", "big", "critical");
    big["payload"]["custom_details"] = json!({ "x": "y".repeat(600 * 1024) });
    assert_eq!(world.deliver("/v2/enqueue", big).await.status, 413);
    assert!(world.incidents().await.is_empty());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_with_an_idempotency_key_opens_one_incident() {
    let world = World::start().await;
    let body = json!({ "customer": "acme", "priority": "P2", "title": "Slow" });
    let one = world.try_post_once("/api/v1/incidents", "night-1", body.clone()).await;
    let two = world.try_post_once("/api/v1/incidents", "night-1", body).await;
    assert_eq!((one.status, two.status), (201, 201), "{two:?}");
    assert_eq!(one.body["id"], two.body["id"]);
    let other = json!({ "customer": "acme", "priority": "P1", "title": "Down" });
    assert_eq!(world.try_post_once("/api/v1/incidents", "night-1", other).await.status, 422);
    assert_eq!(world.incidents().await.len(), 1);
    world.finish();
}
