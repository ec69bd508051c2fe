//! The carrier fails, in every way that carriers fail.

use chrono::TimeDelta;
use serde_json::json;

use crate::world::*;

#[tokio::test(flavor = "multi_thread")]
async fn with_a_dead_carrier_everything_else_goes_on_and_the_pages_go_out_when_it_is_back() {
    let world = World::start().await;
    world.carrier.die().await;
    let reference = world.report("P1").await;
    world.minutes(6).await;
    // Levels climb, the API answers, and a page says why it waits.
    let reached = world.events(&reference, "level_reached").await;
    assert_eq!(reached.len(), 2, "{}", world.timeline(&reference).await);
    let pages = world.get(&format!("/api/v1/incidents/{reference}/pages")).await;
    assert!(pages.to_string().contains("cannot connect to the carrier"), "{pages}");
    assert!(world.carrier.sent().is_empty());
    world.carrier.come_back().await;
    world.minutes(1).await;
    assert_eq!(world.carrier.texts_to(BEN).len(), 1, "{}", world.dump().await);
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1, "{}", world.dump().await);
    // The API acknowledged while nothing could be sent would have stopped it all the same.
    let done = world.act(&reference, "acknowledge", "carla", json!({})).await;
    assert_eq!(done.status, 200);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_error_after_the_call_was_placed_is_looked_up_and_not_repeated() {
    let world = World::start().await;
    world.carrier.next_call(Fault::TakenButAnswers(500));
    world.carrier.next_text(Fault::TakenButAnswers(503));
    world.report("P1").await;
    world.minutes(1).await;
    // The customer's text was one of them, or Ben's: none came twice.
    for number in [BEN, ACME] {
        assert!(world.carrier.texts_to(number).len() == 1, "{}", world.dump().await);
    }
    assert_eq!(world.carrier.calls_to(BEN).len(), 1, "{}", world.dump().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_repeated_when_the_carrier_says_and_not_before() {
    let world = World::start().await;
    let start = world.now();
    world.carrier.next_call(Fault::TooMany(17));
    world.report("P1").await;
    world.seconds(16).await;
    assert!(world.carrier.calls_to(BEN).is_empty());
    world.seconds(3).await;
    let calls = world.carrier.calls_to(BEN);
    assert_eq!(calls.len(), 1, "{}", world.dump().await);
    assert!((17..=19).contains(&(calls[0].at - start).num_seconds()), "{:?}", calls[0].at);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_never_answers_holds_up_nothing_else() {
    let world = World::start().await;
    world.carrier.next_call(Fault::Silent);
    world.report("P1").await;
    // The text is there at once, while the call hangs.
    assert_eq!(world.carrier.texts_to(BEN).len(), 1);
    world.seconds(60).await;
    let calls = world.carrier.calls_to(BEN).len();
    assert_eq!(calls, 1, "asked again: {}", world.dump().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_answer_was_lost_rings_once() {
    let world = World::start().await;
    world.carrier.phone(BEN, presses('4'), Texts::Delivered);
    world.carrier.next_call(Fault::TakenAndSilent);
    let reference = world.report("P1").await;
    world.seconds(60).await;
    assert_eq!(world.carrier.calls_to(BEN).len(), 1, "{}", world.dump().await);
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_cannot_be_reached_hands_over_to_the_next_level_at_once() {
    let world = World::start().await;
    world.carrier.next_text(Fault::Refuse(400, 21211));
    world.carrier.next_call(Fault::Refuse(400, 21211));
    // The customer's own text is not the first to be sent in this story.
    let body = json!({ "customer": "acme", "priority": "P1", "title": "Down" });
    world.post("/api/v1/incidents", body).await;
    world.seconds(10).await;
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1, "{}", world.dump().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_was_not_delivered_makes_the_call_go_at_once() {
    let world = World::start().await;
    let start = world.now();
    world.carrier.phone(BEN, presses('4'), Texts::Undelivered(30005));
    world.report("P2").await;
    world.minutes(1).await;
    let calls = world.carrier.calls_to(BEN);
    assert_eq!(calls.len(), 1, "not after two minutes: {}", world.dump().await);
    assert!((calls[0].at - start).num_seconds() < 10);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_our_account_is_tried_again_and_said() {
    let world = World::start().await;
    for _ in 0..2 {
        world.carrier.next(Fault::Refuse(401, 20003));
    }
    let body = json!({ "customer": "acme", "priority": "P1", "title": "Down" });
    let reference = text(&world.post("/api/v1/incidents", body).await["reference"]);
    let pages = world.get(&format!("/api/v1/incidents/{reference}/pages")).await;
    assert!(pages.to_string().contains("20003"), "{pages}");
    world.minutes(2).await;
    assert_eq!(
        (world.carrier.texts_to(BEN).len(), world.carrier.calls_to(BEN).len()),
        (1, 1),
        "{}",
        world.dump().await
    );
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_come_early_twice_or_in_the_wrong_order_change_nothing() {
    for how in [Receipts::Early, Receipts::Doubled, Receipts::Reordered] {
        let world = World::start().await;
        world.carrier.receipts(how);
        world.carrier.phone(CARLA, presses('4'), Texts::Delivered);
        let start = world.now();
        let reference = world.report("P1").await;
        world.minutes(8).await;
        assert_eq!(world.holder(&reference).await.as_deref(), Some("carla"), "{how:?}: {}", world.dump().await);
        assert_eq!(world.carrier.texts_to(CARLA)[0].at, start + TimeDelta::minutes(5), "{how:?}");
        let pages = world.get(&format!("/api/v1/incidents/{reference}/pages")).await;
        let mut outcomes: Vec<String> = pages["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|page| format!("{} {} {}", text(&page["address"]), text(&page["channel"]), text(&page["outcome"])))
            .collect();
        outcomes.sort();
        let expected = [
            format!("{BEN} sms delivered"),
            format!("{BEN} voice no_answer"),
            format!("{CARLA} sms delivered"),
            format!("{CARLA} voice answered"),
            format!("{ACME} sms delivered"),
        ];
        assert_eq!(outcomes, expected, "{how:?}");
        world.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_receipt_lost_the_ladder_is_climbed_all_the_same() {
    let world = World::start().await;
    world.carrier.receipts(Receipts::Lost);
    let start = world.now();
    let reference = world.report("P1").await;
    world.minutes(21).await;
    let levels: Vec<i64> = [BEN, CARLA, INES, JONAS, KATE]
        .map(|number| (world.carrier.texts_to(number)[0].at - start).num_minutes())
        .to_vec();
    assert_eq!(levels, [0, 5, 10, 15, 20], "{}", world.timeline(&reference).await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_busy_declines_or_is_off_is_no_answer() {
    for voice in [Voice::Busy, Voice::Rejects { after: 4 }, Voice::Off] {
        let world = World::start().await;
        world.carrier.phone(BEN, voice.clone(), Texts::Delivered);
        let reference = world.report("P1").await;
        world.minutes(6).await;
        assert_eq!(world.holder(&reference).await, None, "{voice:?}");
        let pages = world.get(&format!("/api/v1/incidents/{reference}/pages")).await;
        assert!(pages.to_string().contains("no_answer"), "{voice:?}: {pages}");
        assert_eq!(world.carrier.texts_to(CARLA).len(), 1, "{voice:?}");
        world.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "the carrier complains")]
async fn a_story_in_which_the_carrier_complains_fails() {
    let world = World::start().await;
    let wrong = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", world.carrier.base_url(), carrier::ACCOUNT);
    let answer =
        wrong.post(url).basic_auth(carrier::ACCOUNT, Some("guess")).body("To=x").send().await.expect("an answer");
    assert_eq!(answer.status(), 401);
    world.finish();
}
