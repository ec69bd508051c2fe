//! Reaching one person, and hearing back.

use chrono::TimeDelta;
use ringdown::access::Role;
use serde_json::json;

use crate::world::*;

/// Ben and Dora are paged together.
fn two_engineers() -> Office {
    Office::default().edit("policies.toml", "[\"on-call\"]", "[\"on-call\", \"person:dora\"]")
}

#[tokio::test(flavor = "multi_thread")]
async fn key_four_acknowledges_and_the_call_says_so() {
    let world = World::start().await;
    world.carrier.phone(BEN, presses('4'), Texts::Delivered);
    let reference = world.report("P1").await;
    world.minutes(1).await;
    let call = &world.carrier.calls_to(BEN)[0];
    assert_eq!(call.pressed, "4");
    assert!(call.heard[0].starts_with("Ringdown. P1. Acme Bank."), "{:?}", call.heard);
    assert!(call.heard[1].starts_with("Acknowledged."), "{:?}", call.heard);
    assert!(!call.hung_up, "whoever acknowledges is not cut off");
    let incident = world.incident(&reference).await;
    assert_eq!(incident["holder"]["key"], "ben");
    assert_eq!(world.events(&reference, "acknowledged").await[0]["via"], "key");
    assert!(!incident["response"]["met"].as_bool().unwrap(), "an acknowledgement is no conversation");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_with_the_code_acknowledges_and_tells_what_is_owed() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.seconds(10).await;
    let code = reply_code(&world.carrier.texts_to(BEN)[0].body).expect("a code");
    let answer = world.write(BEN, &format!("{code} 4")).await.expect("an answer");
    assert!(answer.starts_with(&format!("{reference} is yours.")) && answer.contains("03:30"), "{answer}");
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"));
    assert_eq!(world.events(&reference, "acknowledged").await[0]["via"], "sms");
    // The phone that still rings is hung up.
    world.seconds(5).await;
    assert!(world.carrier.calls_to(BEN)[0].hung_up, "{}", world.dump().await);
    world.minutes(10).await;
    assert!(world.carrier.texts_to(CARLA).is_empty());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_comes_by_itself_is_taken_as_well() {
    let world = World::start().await;
    world.carrier.phone(BEN, Voice::Rings, Texts::Replies { after: 40, with: "{code} ACK" });
    let reference = world.report("P1").await;
    world.minutes(2).await;
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"), "{}", world.dump().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_ack_counts_only_when_one_page_is_open() {
    let world = World::start().await;
    let first = world.report("P1").await;
    world.minutes(2).await;
    let second = world.report("P1").await;
    world.seconds(5).await;
    let answer = world.write(BEN, "ack").await.expect("a question");
    assert!(answer.starts_with("Which one?"), "{answer}");
    assert_eq!((world.holder(&first).await, world.holder(&second).await), (None, None));
    assert_eq!(world.act(&first, "resolve", "ben", json!({ "note": "mended" })).await.status, 200);
    world.write(BEN, "Ack.").await.expect("an answer");
    assert_eq!(world.holder(&second).await.as_deref(), Some("ben"));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_text_twice_is_answered_the_same_and_acts_once() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.seconds(10).await;
    let code = reply_code(&world.carrier.texts_to(BEN)[0].body).expect("a code");
    let sid = "SM0000000000000000000000000000ffff";
    let first = world.carrier.write_as(sid, BEN, &format!("{code} 9")).await;
    world.settle().await;
    let passed = world.carrier.texts_to(CARLA).len();
    let second = world.carrier.write_as(sid, BEN, &format!("{code} 9")).await;
    world.settle().await;
    assert_eq!(first, second);
    assert_eq!((passed, world.carrier.texts_to(CARLA).len(), world.carrier.texts_to(INES).len()), (1, 1, 0));
    assert_eq!(world.events(&reference, "passed_on").await.len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_nobody_is_never_answered_and_changes_nothing() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.seconds(10).await;
    let code = reply_code(&world.carrier.texts_to(BEN)[0].body).expect("a code");
    for words in ["ack", "HELP", "STOP", &format!("{code} 4"), &format!("{reference} 6"), "who is this?"] {
        assert_eq!(world.write(STRANGER, words).await, None, "{words}");
        assert_eq!(world.write(ACME, words).await, None, "{words}");
    }
    let incident = world.incident(&reference).await;
    assert!(incident["holder"].is_null() && incident["phase"] == "open");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_of_somebody_elses_page_does_nothing() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.seconds(10).await;
    let code = reply_code(&world.carrier.texts_to(BEN)[0].body).expect("a code");
    let answer = world.write(INES, &format!("{code} 4")).await.expect("one of ours is answered");
    assert_eq!(answer, "No page is open for you.");
    assert_eq!(world.holder(&reference).await, None);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_acknowledges_and_ends_what_rings() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.seconds(10).await;
    let token = world.grant("ben's laptop", ringdown::access::Role::Responder, Some("ben")).await;
    let done = world.post_as(&token, &format!("/api/v1/incidents/{reference}/acknowledge"), json!({})).await;
    assert_eq!((done.status, done.body["holder"]["key"].as_str()), (200, Some("ben")), "{done:?}");
    world.seconds(3).await;
    assert!(world.carrier.calls_to(BEN)[0].hung_up);
    world.minutes(10).await;
    assert!(world.carrier.texts_to(CARLA).is_empty());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_press_in_the_same_second_one_has_it_and_the_other_hears_who() {
    let world = World::with(two_engineers()).await;
    for number in [BEN, DORA] {
        world.carrier.phone(number, presses('4'), Texts::Delivered);
    }
    let reference = world.report("P1").await;
    world.minutes(1).await;
    let holder = world.holder(&reference).await.expect("a holder");
    assert_eq!(world.events(&reference, "acknowledged").await.len(), 1, "{}", world.timeline(&reference).await);
    let (winner, loser, name) = if holder == "ben" { (BEN, DORA, "Ben Okafor") } else { (DORA, BEN, "Dora Lind") };
    let heard = |number: &str| world.carrier.calls_to(number)[0].heard.clone();
    assert!(heard(winner)[1].starts_with("Acknowledged."), "{:?}", heard(winner));
    assert!(heard(loser)[1].contains(&format!("Already acknowledged by {name}")), "{:?}", heard(loser));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_hangs_up_the_phones_of_the_others() {
    let world = World::with(two_engineers()).await;
    world.carrier.phone(BEN, presses('4'), Texts::Delivered);
    world.report("P1").await;
    world.minutes(1).await;
    let dora = &world.carrier.calls_to(DORA)[0];
    assert!(dora.hung_up && dora.status == "canceled", "{dora:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn key_nine_passes_it_on_at_once() {
    let world = World::start().await;
    world.carrier.phone(BEN, presses('9'), Texts::Delivered);
    let reference = world.report("P1").await;
    world.seconds(30).await;
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1, "{}", world.timeline(&reference).await);
    assert!(world.carrier.calls_to(BEN)[0].heard[1].contains("Passed on."));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn star_repeats_and_a_senseless_key_is_explained() {
    let world = World::start().await;
    let keys = vec![(6, '*'), (6, '7'), (6, '4')];
    world.carrier.phone(BEN, Voice::Answers { after: 3, keys, talks: 0, patience: None }, Texts::Delivered);
    let reference = world.report("P1").await;
    world.minutes(2).await;
    let heard = world.carrier.calls_to(BEN)[0].heard.clone();
    assert_eq!(heard[0], heard[1], "{heard:?}");
    assert!(heard[2].starts_with("That key does nothing."), "{heard:?}");
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_listens_and_presses_nothing_has_not_acknowledged() {
    let world = World::start().await;
    world.carrier.phone(BEN, talks(0), Texts::Delivered);
    let reference = world.report("P1").await;
    world.minutes(4).await;
    assert_eq!(world.holder(&reference).await, None);
    let call = &world.carrier.calls_to(BEN)[0];
    assert!(call.heard.len() >= 3 && call.heard.last().unwrap().contains("No key was pressed"), "{call:?}");
    // Nobody is left to answer on this level: the next need not wait its time.
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1, "{}", world.timeline(&reference).await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_on_the_page_has_not_acknowledged() {
    let world = World::start().await;
    let hangs_up = Voice::Answers { after: 3, keys: vec![], talks: 0, patience: Some(2) };
    world.carrier.phone(BEN, hangs_up, Texts::Delivered);
    let reference = world.report("P1").await;
    world.minutes(6).await;
    assert_eq!(world.holder(&reference).await, None);
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn key_five_connects_with_the_customer_and_a_conversation_keeps_the_promise() {
    for (seconds, kept) in [(45, true), (10, false)] {
        let world = World::start().await;
        world.carrier.phone(BEN, presses('5'), Texts::Delivered);
        world.carrier.phone(ACME, talks(seconds), Texts::Delivered);
        let reference = world.report("P1").await;
        world.minutes(3).await;
        let incident = world.incident(&reference).await;
        let heard = world.carrier.calls_to(BEN)[0].heard.clone();
        assert_eq!(incident["response"]["met"], kept, "{}\n{heard:?}", world.timeline(&reference).await);
        assert_eq!(incident["holder"]["key"], "ben");
        if kept {
            let evidence = &incident["response"]["evidence"];
            assert_eq!((evidence["kind"].as_str(), evidence["seconds"].as_i64()), (Some("conversation"), Some(45)));
            assert_eq!(evidence["calls"].as_array().unwrap().len(), 2, "both legs are kept: {evidence}");
            assert!(heard.last().unwrap().contains("Recorded: you spoke to the customer"), "{heard:?}");
        } else {
            assert!(heard.iter().any(|words| words.contains("too short")), "{heard:?}");
        }
        world.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_it_is_put_through_to_the_customer_and_the_conversation_keeps_the_promise() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.seconds(10).await;
    world.act(&reference, "acknowledge", "ben", json!({})).await;
    world.minutes(3).await;
    // The first time his voicemail picks up: nobody is put through to anybody.
    world.carrier.phone(BEN, Voice::Voicemail { after: 5 }, Texts::Delivered);
    world.carrier.phone(ACME, talks(40), Texts::Delivered);
    let rung = world.carrier.calls_to(BEN).len();
    assert_eq!(world.act(&reference, "call", "ben", json!({})).await.status, 202);
    let twice = world.act(&reference, "call", "ben", json!({})).await;
    assert!(twice.status == 409 && twice.body["detail"].as_str().unwrap().contains("rung already"), "{twice:?}");
    world.minutes(2).await;
    assert_eq!(world.carrier.calls_to(ACME).len(), 0);
    assert_eq!(world.incident(&reference).await["response"]["met"], false);
    // The second time he answers and presses 5.
    world.carrier.phone(BEN, presses('5'), Texts::Delivered);
    assert_eq!(world.act(&reference, "call", "ben", json!({})).await.status, 202);
    world.minutes(3).await;
    let calls = world.carrier.calls_to(BEN);
    assert_eq!(calls.len(), rung + 2);
    let heard = calls.last().unwrap().heard.join(" | ");
    for words in ["You asked to talk to the customer", "Acme Bank", "Calling", "Recorded: you spoke to the customer"] {
        assert!(heard.contains(words), "{words}: {heard}");
    }
    let response = &world.incident(&reference).await["response"];
    assert_eq!((response["met"].as_bool(), response["evidence"]["seconds"].as_i64()), (Some(true), Some(40)));
    world.act(&reference, "resolve", "ben", json!({})).await;
    let closed = world.act(&reference, "call", "ben", json!({})).await;
    assert!(closed.status == 409 && closed.body["detail"].as_str().unwrap().contains("closed"), "{closed:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_the_customer_that_was_asked_for_may_be_tried_again_on_the_same_line() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.seconds(10).await;
    let keys = vec![(6, '1'), (3, '5'), (3, '5')];
    world.carrier.phone(BEN, Voice::Answers { after: 3, keys, talks: 0, patience: None }, Texts::Delivered);
    world.act(&reference, "acknowledge", "ben", json!({})).await;
    assert_eq!(world.act(&reference, "call", "ben", json!({})).await.status, 202);
    world.minutes(4).await;
    let heard = world.carrier.calls_to(BEN).last().unwrap().heard.clone();
    let asked = heard.iter().filter(|words| words.contains("You asked to talk to the customer")).count();
    assert!(asked >= 2, "a key that does nothing is followed by the question again: {heard:?}");
    assert!(
        heard.iter().any(|words| words.contains("did not answer") && words.contains("Press 5 to call again")),
        "{heard:?}"
    );
    assert_eq!(heard.iter().filter(|words| words.starts_with("Calling")).count(), 2, "{heard:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_for_others_with_a_commanders_token_and_only_people_with_a_phone_are_rung_for_a_call() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    let path = format!("/api/v1/incidents/{reference}/call");
    let nobody = world.post_as(&world.grant("script", Role::Responder, None).await, &path, json!({})).await;
    assert!(nobody.status == 409 && nobody.body["detail"].as_str().unwrap().contains("people.toml"), "{nobody:?}");
    let ben = world.grant("ben", Role::Responder, Some("ben")).await;
    assert_eq!(world.post_as(&ben, &path, json!({"as": "carla"})).await.status, 403);
    let unknown = world.try_post(&path, json!({"as": "zoe"})).await;
    assert_eq!((unknown.status, unknown.body["errors"][0]["pointer"].as_str()), (422.try_into().unwrap(), Some("/as")));
    assert_eq!(world.post_as(&ben, &path, json!({})).await.status, 202);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_does_not_answer_was_not_called_back() {
    let world = World::start().await;
    world.carrier.phone(BEN, presses('5'), Texts::Delivered);
    let reference = world.report("P1").await;
    world.minutes(3).await;
    assert_eq!(world.incident(&reference).await["response"]["met"], false);
    let heard = world.carrier.calls_to(BEN)[0].heard.clone();
    assert!(heard.iter().any(|words| words.contains("did not answer")), "{heard:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_p1_takes_another_line_rather_than_wait_for_a_number_that_was_just_rung() {
    let home = "+12015550111";
    let office = Office::default().edit(
        "people.toml",
        &format!("{{ mobile = {{ phone = \"{BEN}\" }} }}"),
        &format!("{{ mobile = {{ phone = \"{BEN}\" }}, home = {{ phone = \"{home}\", can = [\"voice\"] }} }}"),
    );
    let world = World::with(office).await;
    world.report("P1").await;
    world.seconds(20).await;
    let second = world.report("P1").await;
    world.seconds(5).await;
    let calls = (world.carrier.calls_to(BEN).len(), world.carrier.calls_to(home).len());
    assert_eq!(calls, (1, 1), "{}", world.dump().await);
    let pages = world.get(&format!("/api/v1/incidents/{second}/pages")).await;
    assert!(pages.to_string().contains("tried too often"), "the reason is visible: {pages}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_one_line_the_text_goes_at_once_and_the_call_as_soon_as_it_may() {
    let world = World::start().await;
    let start = world.now();
    world.report("P1").await;
    world.seconds(20).await;
    let second = world.report("P1").await;
    world.seconds(2).await;
    assert_eq!((world.carrier.texts_to(BEN).len(), world.carrier.calls_to(BEN).len()), (2, 1));
    let pages = world.get(&format!("/api/v1/incidents/{second}/pages")).await;
    assert!(pages.to_string().contains("waits until 03:01"), "{pages}");
    world.minutes(1).await;
    let calls = world.carrier.calls_to(BEN);
    assert_eq!(calls.len(), 2, "{}", world.dump().await);
    assert_eq!(calls[1].at, start + TimeDelta::seconds(60));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_end_of_an_incident_nobody_is_paged_about_it() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.minutes(6).await;
    assert_eq!(world.act(&reference, "resolve", "carla", json!({ "note": "A cable." })).await.status, 200);
    world.seconds(10).await;
    let before: Vec<Sent> = world.carrier.sent();
    world.advance(TimeDelta::hours(4)).await;
    assert_eq!(world.carrier.sent().len(), before.len(), "{}", world.dump().await);
    let told = world.carrier.texts_to(ACME);
    assert!(told.last().unwrap().body.contains("A cable."), "{told:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_p1_does_not_wait_behind_a_flood_of_lesser_troubles() {
    let world = World::start().await;
    let flood = (0..60).map(|n| {
        let event = json!({
            "routing_key": PAGERDUTY_KEY, "event_action": "trigger", "dedup_key": format!("flood-{n}"),
            "payload": { "summary": format!("Slow query {n}"), "source": "db", "severity": "error" },
        });
        world.deliver("/v2/enqueue", event)
    });
    for answer in futures::future::join_all(flood).await {
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    let start = world.now();
    let texts = world.carrier.texts_to(BEN).len();
    assert!(texts <= 5, "a phone is not flooded: {texts} texts in one second");
    let reference = world.report("P1").await;
    let calls = world.carrier.calls_to(BEN);
    assert_eq!(calls.len(), 1, "{}", world.timeline(&reference).await);
    assert_eq!(calls[0].at, start, "the P1 is called at once");
    world.finish();
}
