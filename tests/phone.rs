//! A customer dials the hotline.

use chrono::TimeDelta;
use serde_json::Value;

use crate::world::*;

/// Acme's way through the whole conversation, one step at a time.
async fn step(caller: &mut Caller, number: usize) {
    match number {
        0 => caller.press("1").await,
        1 => caller.press("1").await,
        2 => caller.says("Keiko Ito").await,
        3 => caller.says("No card payment goes through since ten past.").await,
        _ => panic!("there is no step {number}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_ring_to_the_promise() {
    let world = World::start().await;
    let mut caller = world.dial(ACME).await;
    assert!(caller.hears().starts_with("Thank you for calling the emergency line."), "{}", caller.hears());
    assert!(caller.hears().contains("business has stopped, press 1"), "{}", caller.hears());
    caller.press("1").await;
    world.settle().await;
    // People are called while the caller is still talking.
    assert_eq!(world.carrier.texts_to(BEN).len(), 1);
    assert!(caller.hears().contains("We are alerting an engineer now."), "{}", caller.hears());
    caller.press("1").await;
    caller.says("Keiko Ito").await;
    caller.says("No card payment goes through since ten past.").await;
    let incident = world.the_incident().await;
    let spaced: Vec<String> = text(&incident["reference"]).chars().map(String::from).collect();
    let promise = caller.hears();
    assert!(promise.contains(&spaced.join(" ")), "{promise}");
    assert!(promise.contains("An engineer will call you back by 03:30, New York time."), "{promise}");
    assert!(caller.is_told_goodbye());
    caller.hang_up().await;
    world.seconds(30).await;
    let incident = world.the_incident().await;
    assert_eq!((incident["priority"].as_str(), incident["source"].as_str()), (Some("P1"), Some("phone")));
    assert_eq!(incident["customer"]["key"], "acme");
    assert_eq!(incident["contact"]["number"], ACME);
    assert_eq!(incident["contact"]["name"], "Keiko Ito");
    assert!(incident.to_string().contains("No card payment goes through since ten past."), "{incident}");
    let told = world.carrier.texts_to(ACME);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].body.contains("03:30") && told[0].body.contains(incident["reference"].as_str().unwrap()));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_at_any_step_leaves_an_incident_that_pages() {
    for steps in 0..=4 {
        let world = World::start().await;
        let mut caller = world.dial(ACME).await;
        for number in 0..steps {
            step(&mut caller, number).await;
        }
        caller.hang_up().await;
        world.settle().await;
        let incident = world.the_incident().await;
        assert_eq!((incident["priority"].as_str(), incident["phase"].as_str()), (Some("P1"), Some("open")), "{steps}");
        assert_eq!(world.carrier.texts_to(BEN).len(), 1, "after {steps} steps: {}", world.dump().await);
        // The carrier says it again.
        caller.hang_up().await;
        world.minutes(1).await;
        assert_eq!(world.incidents().await.len(), 1, "after {steps} steps");
        world.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_all_the_way_leaves_a_p1_with_the_callers_number() {
    let world = World::start().await;
    let mut caller = world.dial(ACME).await;
    let mut turns = 0;
    while !caller.is_told_goodbye() {
        caller.silence().await;
        turns += 1;
        assert!(turns < 20, "the conversation has an end: {}", caller.hears());
    }
    caller.hang_up().await;
    world.settle().await;
    let incident = world.the_incident().await;
    assert_eq!((incident["priority"].as_str(), incident["contact"]["number"].as_str()), (Some("P1"), Some(ACME)));
    assert_eq!(world.carrier.texts_to(BEN).len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_all_the_way_refuse_nobody() {
    let world = World::start().await;
    let mut caller = world.dial(STRANGER).await;
    let mut turns = 0;
    while !caller.is_told_goodbye() {
        if caller.hears().contains("After the tone") {
            caller.silence().await;
        } else {
            caller.press("8").await;
        }
        turns += 1;
        assert!(turns < 25, "the conversation has an end: {}", caller.hears());
    }
    caller.hang_up().await;
    world.settle().await;
    assert_eq!(world.the_incident().await["priority"], "P1");
    assert_eq!(world.carrier.texts_to(BEN).len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_given_again_and_nothing_happens_twice() {
    let world = World::start().await;
    let mut caller = world.dial(ACME).await;
    for number in 0..4 {
        let before = caller.hears();
        caller.lost_answer().await;
        assert_eq!(caller.hears(), before);
        step(&mut caller, number).await;
    }
    let promise = caller.hears();
    world.minutes(2).await;
    caller.lost_answer().await;
    assert_eq!(caller.hears(), promise, "the clock went on, the words did not");
    caller.hang_up().await;
    world.settle().await;
    let incident = world.the_incident().await;
    assert_eq!(world.events(&text(&incident["id"]), "opened").await.len(), 1);
    assert_eq!((world.carrier.texts_to(BEN).len(), world.carrier.texts_to(ACME).len()), (1, 1));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_request_is_refused_and_leaves_nothing() {
    let world = World::start().await;
    let form = line::pairs(&[
        ("CallSid", "CA0000000000000000000000000000dead"),
        ("AccountSid", carrier::ACCOUNT),
        ("From", ACME),
        ("To", carrier::OURS),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
    ]);
    for door in ["voice", "voice/priority?n=0", "status", "sms", "amd?a=x", "recording?n=1"] {
        let url = world.carrier.door(door);
        let elsewhere = world.carrier.sign(&world.carrier.door("other"), &form, carrier::TOKEN);
        let stranger = world.carrier.sign(&url, &form, "fedcba9876543210fedcba9876543210");
        for signature in ["", "AAAA", &elsewhere, &stranger] {
            let (status, _, body) = world.carrier.post_signed(&url, &form, signature).await.expect("an answer");
            assert_eq!((status, body.as_str()), (403, ""), "{door} {signature}");
        }
    }
    world.minutes(12).await;
    assert!(world.incidents().await.is_empty() && world.carrier.sent().is_empty());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_asked_for_a_pin_and_goes_on_without_one() {
    let world = World::start().await;
    let mut caller = world.dial(STRANGER).await;
    assert!(caller.hears().contains("support PIN"), "{}", caller.hears());
    caller.press("#").await;
    assert!(caller.hears().contains("business has stopped"), "{}", caller.hears());
    caller.press("1").await;
    world.settle().await;
    let incident = world.the_incident().await;
    assert_eq!((incident["customer"]["key"].as_str(), incident["team"]["key"].as_str()), (Some(""), Some("payments")));
    assert_eq!(world.carrier.texts_to(BEN).len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_pin_names_the_customer_and_three_wrong_ones_do_not_stop_the_call() {
    let world = World::start().await;
    let mut caller = world.dial(STRANGER).await;
    caller.press("2580#").await;
    assert!(caller.hears().contains("You are calling for Acme Bank."), "{}", caller.hears());
    caller.press("1").await;
    world.settle().await;
    assert_eq!(world.the_incident().await["customer"]["key"], "acme");

    let mut caller = world.dial("+12015550178").await;
    for pin in ["1111#", "2222#", "3333#"] {
        assert!(caller.hears().contains("PIN"), "{}", caller.hears());
        caller.press(pin).await;
    }
    assert!(caller.hears().contains("business has stopped"), "{}", caller.hears());
    caller.press("2").await;
    world.settle().await;
    let newest = world.incidents().await.remove(0);
    assert_eq!((newest["customer"]["key"].as_str(), newest["priority"].as_str()), (Some(""), Some("P2")));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_keyed_in_is_read_back_and_used() {
    let world = World::start().await;
    let mut caller = world.dial(ACME).await;
    caller.press("1").await;
    assert!(caller.hears().contains("We will call you on"), "{}", caller.hears());
    caller.press("2").await;
    caller.press("2015550144#").await;
    assert!(caller.hears().contains("We understood"), "{}", caller.hears());
    caller.press("1").await;
    caller.hang_up().await;
    world.seconds(5).await;
    assert_eq!(world.the_incident().await["contact"]["number"], "+12015550144");
    assert_eq!(world.carrier.texts_to("+12015550144").len(), 1, "{}", world.dump().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_about_anything_else_becomes_a_ticket_and_wakes_nobody() {
    let world = World::start().await;
    let mut caller = world.dial(ACME).await;
    caller.press("3").await;
    caller.says("We would like another user account.").await;
    assert!(caller.hears().contains("Your message is recorded."), "{}", caller.hears());
    caller.hang_up().await;
    world.minutes(30).await;
    let incident = world.the_incident().await;
    assert_eq!(incident["priority"], "P3");
    assert!(incident.to_string().contains("another user account"), "{incident}");
    assert!(world.carrier.sent().iter().all(|sent| sent.to == ACME), "{:?}", world.carrier.sent());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_end_was_never_told_counts_as_hung_up() {
    let world = World::start().await;
    let caller = world.dial(ACME).await;
    assert!(!caller.is_told_goodbye());
    world.minutes(9).await;
    assert!(world.incidents().await.is_empty());
    world.minutes(3).await;
    world.eventually("an incident", async |world| !world.incidents().await.is_empty()).await;
    world.seconds(1).await;
    assert_eq!(world.the_incident().await["priority"], "P1");
    assert_eq!(world.carrier.texts_to(BEN).len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_after_a_restart_where_it_was() {
    let mut world = World::start().await;
    let mut caller = world.dial(ACME).await;
    step(&mut caller, 0).await;
    step(&mut caller, 1).await;
    world.restart().await;
    step(&mut caller, 2).await;
    step(&mut caller, 3).await;
    assert!(caller.hears().contains("An engineer will call you back"), "{}", caller.hears());
    caller.hang_up().await;
    world.settle().await;
    assert_eq!(world.incidents().await.len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_number_is_asked_for_one() {
    for hidden in ["anonymous", "+266696687", "", "sip:x@example.com"] {
        let world = World::start().await;
        let mut caller = world.dial(hidden).await;
        caller.press("#").await;
        caller.press("1").await;
        assert!(caller.hears().contains("Which number may we call?"), "{hidden}: {}", caller.hears());
        caller.press("2015550144#").await;
        caller.press("1").await;
        caller.hang_up().await;
        world.settle().await;
        let incident: Value = world.the_incident().await;
        assert_eq!(incident["contact"]["number"], "+12015550144", "{hidden}");
        world.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_promise_is_told_in_the_customers_zone() {
    let office = Office::default().edit("customers.toml", "America/New_York", "Asia/Kolkata");
    let world = World::with(office).await;
    let mut caller = world.dial(ACME).await;
    for number in 0..4 {
        step(&mut caller, number).await;
    }
    assert!(caller.hears().contains("by 14:00, Kolkata time"), "{}", caller.hears());
    world.advance(TimeDelta::seconds(3)).await;
    assert!(world.carrier.texts_to(ACME)[0].body.contains("14:00"), "{:?}", world.carrier.texts_to(ACME));
    world.finish();
}
