//! The process ends and starts again.

use chrono::TimeDelta;
use serde_json::json;

use crate::world::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_the_middle_loses_nothing_and_repeats_nothing() {
    let mut world = World::start().await;
    let start = world.now();
    let reference = world.report("P1").await;
    for minutes in [3, 3, 3, 3, 3, 3, 3] {
        world.minutes(minutes).await;
        world.restart().await;
    }
    for (number, minute) in [(BEN, 0), (CARLA, 5), (INES, 10), (JONAS, 15), (KATE, 20)] {
        let (texts, calls) = (world.carrier.texts_to(number), world.carrier.calls_to(number));
        assert_eq!((texts.len(), calls.len()), (1, 1), "{number}: {}", world.dump().await);
        assert_eq!(texts[0].at, start + TimeDelta::minutes(minute), "{number}");
    }
    assert_eq!(world.events(&reference, "level_reached").await.len(), 5);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fell_due_while_the_process_was_down_happens_at_once_with_its_own_time() {
    let mut world = World::start().await;
    let reference = world.report("P1").await;
    world.minutes(1).await;
    world.stop().await;
    world.sleep_through(TimeDelta::minutes(40));
    world.start_again().await;
    world.seconds(2).await;
    let missed = world.events(&reference, "response_missed").await;
    assert_eq!((missed.len(), missed[0]["due"].as_str()), (1, Some("2026-11-18T08:30:00Z")));
    assert!(!world.carrier.sent().is_empty());
    let paged: usize = [CARLA, INES, JONAS, KATE].iter().map(|number| world.carrier.texts_to(number).len()).sum();
    assert!(paged >= 1, "somebody above is paged now: {}", world.timeline(&reference).await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_during_a_call_is_not_noticed_on_the_phone() {
    let mut world = World::start().await;
    let keys = vec![(12, '4')];
    world.carrier.phone(BEN, Voice::Answers { after: 3, keys, talks: 0, patience: None }, Texts::Delivered);
    let reference = world.report("P1").await;
    // He listens.
    world.seconds(8).await;
    world.restart().await;
    world.seconds(20).await;
    let call = &world.carrier.calls_to(BEN)[0];
    assert!(call.heard.last().expect("words").starts_with("Acknowledged."), "{call:?}");
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_heard_is_no_acknowledgement_and_the_ladder_goes_on() {
    let mut world = World::start().await;
    world.carrier.phone(BEN, presses('4'), Texts::Delivered);
    let reference = world.report("P1").await;
    world.seconds(8).await;
    world.stop().await;
    // The key, the fallback and the end of the call find nobody.
    world.minutes(2).await;
    assert_eq!(world.carrier.calls_to(BEN)[0].pressed, "4");
    world.start_again().await;
    world.minutes(4).await;
    assert_eq!(world.holder(&reference).await, None);
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1, "{}", world.timeline(&reference).await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_outlives_the_process() {
    let mut world = World::start().await;
    let reference = world.report("P1").await;
    world.act(&reference, "acknowledge", "ben", json!({})).await;
    world.restart().await;
    world.minutes(14).await;
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"));
    assert!(world.carrier.texts_to(CARLA).is_empty());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_folder_does_not_replace_a_good_revision() {
    let mut world = World::start().await;
    std::fs::write(world.schedules().join("teams.toml"), "[teams.payments]\nname = ").expect("a file");
    world.restart().await;
    world.report("P1").await;
    world.seconds(2).await;
    assert_eq!(world.carrier.texts_to(BEN).len(), 1);
    world.finish();
}
