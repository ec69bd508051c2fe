//! A plan that promises an engineer at once: the caller stays on the line and is connected.

use serde_json::Value;

use crate::world::*;

/// P1 is connected at once.
fn at_once() -> Office {
    let (from, to) =
        ("title = \"Business stopped\"\nresponse = \"30m\"", "title = \"Outage\"\nresponse = \"immediate\"");
    Office::default().edit("plans/standard.toml", from, to)
}

/// Picks up after five seconds, presses a key six seconds later, and talks so long.
fn takes(key: char, talks: i64) -> Voice {
    Voice::Answers { after: 5, keys: vec![(6, key)], talks, patience: None }
}

async fn waiting(world: &World) -> Caller {
    let mut caller = world.dial(ACME).await;
    caller.press("1").await;
    world.settle().await;
    assert!(caller.hears().contains("Please stay on the line."), "{}", caller.hears());
    assert!(!caller.is_told_goodbye());
    caller
}

/// Kind of evidence and whether it was late, in order.
async fn responses(world: &World) -> Vec<(String, bool)> {
    let reference = text(&world.the_incident().await["id"]);
    let told = |event: &Value| {
        let body = event.to_string();
        let kind =
            ["connected", "conversation", "attested"].into_iter().find(|kind| body.contains(&format!("\"{kind}\"")));
        (kind.unwrap_or("?").to_owned(), body.contains("\"late\":true"))
    };
    world.events(&reference, "responded").await.iter().map(told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_connected_within_twenty_seconds_and_that_is_the_response() {
    let world = World::with(at_once()).await;
    world.carrier.phone(BEN, takes('4', 95), Texts::Delivered);
    let caller = waiting(&world).await;
    world.seconds(20).await;
    let heard = caller.heard_waiting().join(" ");
    assert!(heard.contains("We are calling our engineers."), "{heard}");
    assert!(heard.contains("An engineer is on the line now."), "{heard}");
    assert_eq!(responses(&world).await, [("connected".into(), false)]);
    let call = world.carrier.calls_to(BEN).remove(0);
    assert!(call.heard[0].contains("The caller waits on the line. Press 4"), "{call:?}");
    assert!(call.heard[1].contains("Connecting you with the caller."), "{call:?}");
    world.minutes(2).await;
    let told = responses(&world).await;
    assert_eq!((told.len(), told[0].clone(), told[1].0.as_str()), (2, ("connected".into(), false), "conversation"));
    assert!(caller.hears().starts_with("Thank you for calling. Your reference is"), "{}", caller.hears());
    let call = world.carrier.calls_to(BEN).remove(0);
    assert!(call.heard[2].starts_with("Recorded: you spoke to the customer"), "{call:?}");
    let incident = world.the_incident().await;
    assert_eq!(incident["holder"]["key"], "ben");
    assert!(world.carrier.calls_to(CARLA).is_empty(), "nobody else is rung");
    world.minutes(10).await;
    assert!(world.events(&text(&incident["id"]), "response_missed").await.is_empty());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_seventy_seconds_is_late_and_the_level_was_raised() {
    let world = World::with(at_once()).await;
    world.carrier.phone(CARLA, takes('4', 40), Texts::Delivered);
    let caller = waiting(&world).await;
    world.seconds(59).await;
    assert!(world.carrier.calls_to(CARLA).is_empty());
    world.seconds(20).await;
    let reference = text(&world.the_incident().await["id"]);
    assert_eq!(world.events(&reference, "response_missed").await.len(), 1);
    assert_eq!(responses(&world).await, [("connected".into(), true)]);
    let heard = caller.heard_waiting().join(" ");
    assert!(heard.contains("We are calling more people."), "{heard}");
    assert_eq!(world.the_incident().await["holder"]["key"], "carla");
    world.minutes(2).await;
    assert_eq!(responses(&world).await.len(), 2);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voicemail_is_never_connected_with_the_caller() {
    let world = World::with(at_once()).await;
    world.carrier.phone(BEN, Voice::Voicemail { after: 10 }, Texts::Delivered);
    world.carrier.phone(CARLA, Voice::Voicemail { after: 10 }, Texts::Delivered);
    let caller = waiting(&world).await;
    world.minutes(4).await;
    assert!(responses(&world).await.is_empty());
    assert!(
        caller.heard_waiting().iter().all(|words| !words.contains("on the line now")),
        "{:?}",
        caller.heard_waiting()
    );
    assert_eq!(world.the_incident().await["holder"], Value::Null);
    // Nobody comes: the caller is let go, and the pages go on.
    world.minutes(2).await;
    assert!(caller.hears().contains("nobody is free to talk yet"), "{}", caller.hears());
    assert!(caller.is_told_goodbye());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_while_waiting_is_called_back() {
    let world = World::with(at_once()).await;
    world.carrier.phone(
        BEN,
        Voice::Answers { after: 20, keys: vec![(6, '5')], talks: 0, patience: None },
        Texts::Delivered,
    );
    world.carrier.phone(ACME, talks(45), Texts::Delivered);
    let mut caller = waiting(&world).await;
    world.seconds(10).await;
    caller.hang_up().await;
    world.minutes(2).await;
    let call = world.carrier.calls_to(BEN).remove(0);
    assert!(call.heard.iter().any(|words| words.contains("Calling")), "{call:?}");
    assert_eq!(responses(&world).await, [("conversation".into(), true)]);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_leaves_just_before_the_queue_is_answered_can_be_called() {
    let world = World::with(at_once()).await;
    world.carrier.phone(
        BEN,
        Voice::Answers { after: 5, keys: vec![(6, '4'), (3, '5')], talks: 0, patience: None },
        Texts::Delivered,
    );
    world.carrier.phone(ACME, talks(45), Texts::Delivered);
    let mut caller = waiting(&world).await;
    world.seconds(13).await;
    caller.hang_up().await;
    world.minutes(2).await;
    let call = world.carrier.calls_to(BEN).remove(0);
    let words = call.heard.join(" / ");
    assert!(words.contains("Connecting you with the caller. / The caller is no longer on the line."), "{words}");
    assert!(words.contains("Press 5 to call the customer"), "{words}");
    assert!(words.contains("Calling"), "{words}");
    assert_eq!(responses(&world).await, [("conversation".into(), true)]);
    assert_eq!(world.the_incident().await["holder"]["key"], "ben");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_it_by_text_calls_back_and_the_caller_hears_so() {
    let world = World::with(at_once()).await;
    world.carrier.phone(BEN, Voice::Rings, Texts::Replies { after: 8, with: "{code} 4" });
    let caller = waiting(&world).await;
    world.seconds(40).await;
    assert!(caller.hears().starts_with("An engineer has it and will call you."), "{}", caller.hears());
    assert!(responses(&world).await.is_empty());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_who_takes_it_hears_who_has_it() {
    let office = at_once().edit("policies.toml", "notify = [\"on-call\"]", "notify = [\"on-call\", \"lead\"]");
    let world = World::with(office).await;
    world.carrier.phone(BEN, takes('4', 95), Texts::Delivered);
    world.carrier.phone(
        CARLA,
        Voice::Answers { after: 6, keys: vec![(7, '4')], talks: 95, patience: None },
        Texts::Delivered,
    );
    let caller = waiting(&world).await;
    world.seconds(40).await;
    let call = world.carrier.calls_to(CARLA).remove(0);
    assert!(call.heard.iter().all(|words| !words.contains("Connecting")), "{call:?}");
    assert!(call.heard.last().unwrap().contains("Ben Okafor") || call.hung_up, "{call:?}");
    assert_eq!(responses(&world).await, [("connected".into(), false)]);
    assert_eq!(caller.heard_waiting().iter().filter(|words| words.contains("on the line now")).count(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_goes_on_waiting_while_we_start_again() {
    let mut world = World::with(at_once()).await;
    world.carrier.phone(CARLA, takes('4', 40), Texts::Delivered);
    let caller = waiting(&world).await;
    world.seconds(30).await;
    world.restart().await;
    world.minutes(3).await;
    assert!(
        caller.heard_waiting().iter().any(|words| words.contains("on the line now")),
        "{:?}",
        caller.heard_waiting()
    );
    assert_eq!(responses(&world).await, [("connected".into(), true), ("conversation".into(), false)]);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_talk_is_recorded_though_the_engineer_put_the_phone_down() {
    let world = World::with(at_once()).await;
    let ben = Voice::Answers { after: 5, keys: vec![(6, '4')], talks: 600, patience: Some(75) };
    world.carrier.phone(BEN, ben, Texts::Delivered);
    let caller = waiting(&world).await;
    world.minutes(2).await;
    let told = responses(&world).await;
    assert_eq!((told.len(), told[0].clone(), told[1].0.as_str()), (2, ("connected".into(), false), "conversation"));
    assert!(caller.hears().starts_with("Thank you for calling."), "{}", caller.hears());
    world.finish();
}

/// Asked for something, then silence until it is closed.
const IDLE: &str = "title = \"Standard\"\n\n[idle]\nrequests = 1\nclose_after = \"6h\"\nwarn_before = \"1h\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_by_text_reopens_what_was_closed_for_want_of_one() {
    let office = Office::default().edit("plans/standard.toml", "title = \"Standard\"\n", IDLE);
    let world = World::with(office).await;
    let reference = world.report("P2").await;
    world.act(&reference, "acknowledge", "ben", serde_json::json!({})).await;
    let asked = world.act(&reference, "wait", "ben", serde_json::json!({ "reason": "Please send the log." })).await;
    assert_eq!(asked.status, 200, "{asked:?}");
    world.minutes(7 * 60).await;
    assert_eq!(world.incident(&reference).await["phase"], "idle");
    // A machine's reaction, and somebody else's text, are no answer.
    assert_eq!(world.write(ACME, "Liked “4821: we need to hear from you”").await, None);
    assert_eq!(world.write(STRANGER, "Hello?").await, None);
    assert_eq!(world.incident(&reference).await["phase"], "idle");
    assert_eq!(world.write(ACME, "Sorry, I was away. It still fails.").await, None);
    let incident = world.incident(&reference).await;
    assert_eq!(incident["phase"], "open", "{incident}");
    assert!(incident.to_string().contains("It still fails."), "{incident}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_asks_for_the_manager_by_phone() {
    let levels = "title = \"Standard\"\nescalation = [\n  { name = \"support team lead\", target = \"lead\" },\n  \
                  { name = \"department manager\", target = \"manager\" },\n]\n";
    let office = Office::default().edit("plans/standard.toml", "title = \"Standard\"\n", levels);
    let world = World::with(office).await;
    let reference = world.report("P1").await;
    world.act(&reference, "acknowledge", "ben", serde_json::json!({})).await;
    let mut caller = world.dial(ACME).await;
    assert!(caller.hears().contains("or you are not satisfied, press 2"), "{}", caller.hears());
    caller.press("2").await;
    assert!(caller.hears().contains("For the department manager, press 2."), "{}", caller.hears());
    caller.press("2").await;
    world.seconds(3).await;
    assert_eq!(world.carrier.texts_to(INES).len(), 1, "{}", world.dump().await);
    assert!(world.carrier.texts_to(CARLA).is_empty());
    world.finish();
}
