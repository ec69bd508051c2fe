//! The intake page, over real HTTP: payloads and their verdicts, keys that stay covered, and test events.

use ringdown::access::Role;
use serde_json::json;

use crate::world::*;

/// The integrations of the office, the generic one signed.
fn signed() -> Office {
    let line = format!("keys = {{ office = \"{GENERIC_KEY}\" }}");
    Office::default().edit(
        "integrations.toml",
        &line,
        &format!("{line}\nsigning_secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_see_what_came_in() {
    let world = World::start().await;
    let mut stranger = Browser::of(&world);
    assert_eq!(stranger.get("/intake").await.location.as_deref(), Some("/sign-in?next=%2Fintake"));
    for role in [Role::Viewer, Role::Responder, Role::Commander] {
        let mut visitor = Browser::signed_in(&world, None, Some(role)).await;
        assert_eq!(visitor.get("/intake").await.status, 403);
        let csrf = visitor.csrf().await;
        let test = visitor.post("/intake/integrations/generic/test", &[("csrf", &csrf), ("close", "yes")]).await;
        assert_eq!(test.status, 403);
        let keys = visitor.post("/intake/integrations/generic/keys", &[("csrf", &csrf)]).await;
        assert_eq!(keys.status, 403);
    }
    assert!(world.incidents().await.is_empty());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_is_listed_with_its_verdict_and_shown_whole_as_text() {
    let world = World::start().await;
    let hostile = "<script>alert('x')</script>";
    let path = format!("/intake/generic/{GENERIC_KEY}");
    world.deliver(&path, json!({"action": "trigger", "dedup_key": "a", "title": hostile, "severity": "info"})).await;
    world.deliver(&path, json!({"action": "dance"})).await;
    world.deliver("/intake/generic/nobody-knows-this-key", json!({"title": "x"})).await;
    let incident = text(&world.the_incident().await["id"]);
    let mut admin = Browser::signed_in(&world, None, Some(Role::Admin)).await;
    let list = admin.get("/intake").await.text;
    assert!(
        list.contains("✓ taken 202") && list.contains("✕ refused 422") && list.contains("Nobody we know"),
        "{list}"
    );
    assert!(!list.contains("<script>alert"));
    // Those of one incident.
    let of_it = admin.get(&format!("/intake?incident={incident}")).await.text;
    assert!(of_it.contains("✓ taken 202") && !of_it.contains("✕ refused"), "{of_it}");
    let none = admin.get("/intake?incident=inc_%25").await.text;
    assert!(none.contains("None that is still kept"), "{none}");
    let (_, from) = of_it.split_once("/intake/payloads/").expect("a link");
    let id = from.split('"').next().expect("an id");
    let whole = admin.get(&format!("/intake/payloads/{id}")).await.text;
    assert!(whole.contains("&#60;script&#62;alert") && !whole.contains("<script>alert"), "{whole}");
    assert!(whole.contains("application/json") && !whole.contains(GENERIC_KEY));
    assert_eq!(admin.get("/intake/payloads/int_none").await.status, 404);
    assert_eq!(admin.get("/intake?cursor=inc_1").await.status, 400);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_covered_until_they_are_asked_for_and_that_is_written_down() {
    let world = World::start().await;
    let mut admin = Browser::signed_in(&world, None, Some(Role::Admin)).await;
    let page = admin.get("/intake").await.text;
    for key in [GENERIC_KEY, ALERTMANAGER_KEY, PAGERDUTY_KEY] {
        assert!(!page.contains(key));
    }
    let csrf = admin.csrf().await;
    let shown = admin.post("/intake/integrations/alertmanager/keys", &[("csrf", &csrf)]).await;
    assert_eq!(shown.status, 200);
    assert!(shown.text.contains(&format!("url: {PUBLIC_URL}/intake/alertmanager/{ALERTMANAGER_KEY}")));
    assert!(!shown.text.contains(GENERIC_KEY) && !shown.text.contains(PAGERDUTY_KEY));
    assert!(admin.get("/audit").await.text.contains("looked at the keys of an integration"));
    let forged = admin.post("/intake/integrations/alertmanager/keys", &[("csrf", "x")]).await;
    assert_eq!(forged.status, 403);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_goes_through_the_real_door_of_each_sender_and_pages_nobody() {
    let world = World::with(signed()).await;
    let mut admin = Browser::signed_in(&world, None, Some(Role::Admin)).await;
    let csrf = admin.csrf().await;
    let page = admin.get("/intake").await.text;
    assert_eq!(page.matches("Nobody is paged.").count(), 3, "{page}");
    for (key, close) in [("pagerduty", "yes"), ("alertmanager", "yes"), ("generic", "")] {
        let sent = admin.post(&format!("/intake/integrations/{key}/test"), &[("csrf", &csrf), ("close", close)]).await;
        world.settle().await;
        let payload = admin.get(sent.to()).await.text;
        assert!(payload.contains("✓ taken") && payload.contains(">opened "), "{key}: {payload}");
    }
    let all = world.incidents().await;
    let phases: Vec<String> = all.iter().map(|incident| text(&incident["phase"])).collect();
    assert_eq!(phases, ["open", "resolved", "resolved"], "the newest first");
    world.minutes(1).await;
    assert!(world.carrier.sent().is_empty(), "somebody was reached: {:?}", world.carrier.sent());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_test_would_wake_somebody_it_is_said_and_nothing_goes_without_a_yes() {
    let words = "priorities = { critical = \"P1\", error = \"P1\", warning = \"P1\", info = \"P1\" }";
    let mild = "priorities = { critical = \"P1\", error = \"P2\", warning = \"P3\", info = \"P4\" }";
    let office = Office::default().edit("integrations.toml", mild, words);
    let world = World::with(office).await;
    let mut admin = Browser::signed_in(&world, None, Some(Role::Admin)).await;
    let csrf = admin.csrf().await;
    let page = admin.get("/intake").await.text;
    assert!(page.contains("is PAGED by text and call"), "{page}");
    let test = "/intake/integrations/pagerduty/test";
    assert_eq!(admin.post(test, &[("csrf", &csrf), ("close", "yes")]).await.status, 422);
    assert!(world.incidents().await.is_empty());
    let sent = admin.post(test, &[("csrf", &csrf), ("wakes", "yes")]).await;
    assert_eq!(sent.status, 303);
    world.settle().await;
    assert_eq!(text(&world.the_incident().await["priority"]), "P1");
    world.finish();
}
