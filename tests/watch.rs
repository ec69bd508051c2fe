//! What others see of the process: its health, its figures, its description of itself, and who may look.

use ringdown::access::Role;
use serde_json::{Value, json};

use crate::world::*;

#[tokio::test(flavor = "multi_thread")]
async fn health_and_figures_can_be_read_and_count_the_pages() {
    let world = World::start().await;
    world.report("P1").await;
    world.minutes(6).await;
    assert_eq!(world.peek("/healthz").await.status, 200);
    assert_eq!(world.peek("/readyz").await.status, 200);
    let figures = world.peek("/metrics").await;
    let figures = text(&figures.body);
    for name in ["ringdown_pages_total", "ringdown_intake_to_first_attempt_seconds", "ringdown_timer_lateness_seconds"]
    {
        assert!(figures.contains(name), "{name} is not among\n{figures}");
    }
    assert!(!figures.contains("+1201"), "no number is a label");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_good_token_nothing_is_told_and_nothing_is_done() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    let acknowledge = format!("/api/v1/incidents/{reference}/acknowledge");
    for (token, status) in [
        ("", 401),
        ("nonsense", 401),
        // `{"alg":"none"}`
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4Iiwicm9sZSI6ImFkbWluIn0.", 401),
        (&*world.grant("screen", Role::Viewer, None).await, 403),
        (&*world.grant("sender", Role::Intake, None).await, 403),
    ] {
        let refused = world.post_as(token, &acknowledge, json!({})).await;
        assert_eq!(refused.status, status, "{refused:?}");
        assert_eq!(refused.body["status"], status, "problem details: {refused:?}");
    }
    // A responder does not act for somebody else.
    let responder = world.grant("ben", Role::Responder, Some("ben")).await;
    assert_eq!(world.post_as(&responder, &acknowledge, json!({ "as": "carla" })).await.status, 403);
    assert_eq!(world.holder(&reference).await, None);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_of_the_api_names_every_act() {
    let world = World::start().await;
    let document: Value = world.peek("/api/openapi.json").await.body;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{document}");
    for act in ["acknowledge", "pass-on", "response", "updates", "priority", "escalate", "resolve", "reopen", "cancel"]
    {
        let path = format!("/api/v1/incidents/{{reference}}/{act}");
        assert!(document["paths"][&path]["post"].is_object(), "{path}");
    }
    world.finish();
}
