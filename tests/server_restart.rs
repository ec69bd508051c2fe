//! The database server goes away and comes back, under a Ringdown that runs on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::*;

/// What a sender is answered, with the header that says when to come again.
async fn send(world: &World, key: &str) -> (u16, Option<String>) {
    let event = json!({
        "routing_key": PAGERDUTY_KEY, "event_action": "trigger", "dedup_key": key,
        "payload": { "summary": format!("Trouble {key}"), "source": "x", "severity": "critical" },
    });
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let answer = client.post(world.url("/v2/enqueue")).json(&event).send().await.expect("an answer");
    let again = answer.headers().get("retry-after").map(|value| value.to_str().expect("a number").to_owned());
    (answer.status().as_u16(), again)
}

async fn becomes_ready(world: &World) {
    let begun = Instant::now();
    while world.peek("/readyz").await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not become ready again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_nothing_is_taken_and_afterwards_everything_goes_on() {
    let mut server = tokio::task::spawn_blocking(postgres::Server::start).await.expect("a server");
    let address = server.database().await;
    let world = World::kept_in(address).await;
    assert_eq!(send(&world, "before").await.0, 202);
    // What is under way when the server goes waits for its lease; this story is about what comes afterwards.
    world.settle().await;
    assert_eq!(world.peek("/readyz").await.status, 200);

    tokio::task::block_in_place(|| server.stop());
    let (status, again) = send(&world, "meanwhile").await;
    assert_eq!(status, 503);
    assert!(again.is_some_and(|seconds| seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0)));
    let ready = world.peek("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(matches!(&ready.body, Value::String(text) if text.contains("the database")), "{ready:?}");
    assert_eq!(world.peek("/healthz").await.status, 200);

    tokio::task::block_in_place(|| server.start_again());
    becomes_ready(&world).await;
    assert_eq!(send(&world, "after").await.0, 202);
    world.seconds(5).await;
    let told = |key: &str| {
        world.carrier.texts_to(BEN).iter().filter(|text| text.body.contains(&format!("Trouble {key}"))).count()
    };
    assert_eq!([told("before"), told("meanwhile"), told("after")], [1, 0, 1], "{}", world.dump().await);
    world.finish();
}
