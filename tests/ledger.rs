//! What can be proved of an incident afterwards.

use chrono::TimeDelta;
use ringdown::incident::ledger::{
    canonical,
    reckon::End,
    signature::Published,
    verify::{Verified, verify},
};
use serde_json::json;

use crate::world::*;

/// An incident's export, checked with the key that the server publishes.
async fn verified(world: &World, reference: &str) -> Verified {
    let export = world.get(&format!("/api/v1/incidents/{reference}/export")).await;
    let key = world.peek("/.well-known/ringdown-ledger-key").await;
    let key = Published::read(&key.body.to_string()).expect("a key");
    verify((canonical::text(&export).expect("canonical") + "\n").as_bytes(), Some(&key))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_edited_and_a_server_that_is_down_change_nothing_of_what_was_promised() {
    let mut world = World::start().await;
    let reference = world.report("P1").await;
    world.act(&reference, "acknowledge", "ben", json!({})).await;
    world.minutes(5).await;
    world.act(&reference, "response", "ben", json!({"evidence": {"kind": "attested", "note": "spoke"}})).await;
    world.minutes(20).await;
    world.act(&reference, "updates", "ben", json!({"text": "We are on it."})).await;

    // Every hour becomes every quarter of one.
    let plan = world.schedules().join("plans/standard.toml");
    let text = std::fs::read_to_string(&plan).expect("the plan");
    let edited: String = text
        .lines()
        .filter(|line| !line.starts_with("remind_before"))
        .map(|line| if line.starts_with("updates") { "updates = \"15m\"\n".into() } else { format!("{line}\n") })
        .collect();
    assert_ne!(edited, text);
    std::fs::write(&plan, edited).expect("the plan");
    world.stop().await;
    world.sleep_through(TimeDelta::minutes(130));
    world.start_again().await;
    world.act(&reference, "resolve", "ben", json!({})).await;

    let found = verified(&world, &reference).await;
    assert_eq!(found.findings, []);
    let (_, reckoning) = found.incident.expect("the incident");
    assert_eq!(reckoning.callbacks[0].kept(), Some(true));
    let ends: Vec<char> = reckoning
        .windows
        .iter()
        .map(|window| match window.end {
            End::Met => '+',
            End::Missed(_) => '-',
            End::Waived(_) => 'w',
            End::Open => 'o',
        })
        .collect();
    assert_eq!(ends, ['+', '-', 'w'], "by the hour, as it was promised");

    // The next day, the server makes its anchor by itself.
    world.stop().await;
    world.sleep_through(TimeDelta::hours(30));
    world.start_again().await;
    let anchors = async |world: &World| verified(world, &reference).await.export.expect("the export").anchors.len();
    for _ in 0..10 {
        world.minutes(1).await;
        if anchors(&world).await > 0 {
            break;
        }
        // The upkeep is nothing that the world waits for.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(anchors(&world).await, 1);
    assert_eq!(verified(&world, &reference).await.findings, []);
    world.finish();
}
