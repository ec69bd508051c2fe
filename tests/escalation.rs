//! And if they do not answer?

use chrono::TimeDelta;
use ringdown::clock::Time;
use serde_json::json;

use crate::world::*;

/// Where everybody of ours was first reached, without the customer.
fn reached(world: &World, start: Time) -> Vec<(String, i64)> {
    world.reached(start).into_iter().filter(|(to, _)| to != ACME).collect()
}

fn named(levels: &[(&str, i64)]) -> Vec<(String, i64)> {
    levels.iter().map(|(number, minute)| ((*number).to_owned(), *minute)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_answers_every_level_is_paged_in_its_minute_up_to_the_last_resort() {
    let world = World::start().await;
    let start = world.now();
    let reference = world.report("P1").await;
    world.minutes(24).await;
    assert_eq!(
        reached(&world, start),
        named(&[(BEN, 0), (CARLA, 5), (INES, 10), (JONAS, 15), (KATE, 20)]),
        "{}",
        world.dump().await
    );
    for number in [BEN, CARLA, INES, JONAS, KATE] {
        assert_eq!((world.carrier.texts_to(number).len(), world.carrier.calls_to(number).len()), (1, 1), "{number}");
    }
    // The whole ladder once more; then nobody is left to climb to, and who is on call is reminded of the update that is
    // due. The incident stays open and its promises are recorded as missed.
    world.minutes(30).await;
    assert_eq!(world.carrier.texts_to(BEN).len(), 3, "{}", world.dump().await);
    let incident = world.incident(&reference).await;
    assert_eq!((incident["phase"].as_str(), incident["response"]["missed"].as_bool()), (Some("open"), Some(true)));
    assert_eq!(world.events(&reference, "response_missed").await.len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_is_paged_to_the_second() {
    let world = World::start().await;
    world.report("P1").await;
    world.seconds(299).await;
    assert!(world.carrier.texts_to(CARLA).is_empty());
    world.seconds(1).await;
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_stops_the_climb() {
    let world = World::start().await;
    world.carrier.phone(BEN, presses('4'), Texts::Delivered);
    let reference = world.report("P1").await;
    world.minutes(14).await;
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"), "{}", world.dump().await);
    assert!(world.carrier.texts_to(CARLA).is_empty() && world.carrier.calls_to(CARLA).is_empty());
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_level_is_skipped_at_once_and_said() {
    // A small team on the built-in policy, which has a level for a lead.
    let office = Office::default().without("policies.toml").edit("teams.toml", "lead = \"carla\"\n", "");
    let world = World::with(office).await;
    let start = world.now();
    let reference = world.report("P1").await;
    world.minutes(16).await;
    let reached = reached(&world, start);
    assert_eq!(reached[..2], named(&[(BEN, 0), (INES, 5)]), "{}", world.timeline(&reference).await);
    assert_eq!(world.events(&reference, "level_skipped").await.len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nobody_on_call_the_lead_is_paged_at_once() {
    let office = Office::default().edit(
        "schedules.toml",
        "handoff = \"09:00\"",
        "handoff = \"09:00\"\nrestrictions = [{ days = \"weekdays\", from = \"09:00\", to = \"17:00\" }]",
    );
    let office =
        office.edit("schedules.toml", "name = \"Payments on-call\"", "name = \"Payments\"\ngaps = \"allowed\"");
    let world = World::with(office).await;
    let start = world.now();
    let reference = world.report("P1").await;
    world.minutes(1).await;
    assert_eq!(reached(&world, start), named(&[(CARLA, 0)]), "{}", world.timeline(&reference).await);
    assert!(world.timeline(&reference).await.contains("on-call engineer"));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn voicemail_never_acknowledges_and_the_next_level_is_paged_at_once() {
    let world = World::start().await;
    world.carrier.phone(BEN, Voice::Voicemail { after: 5 }, Texts::Delivered);
    let reference = world.report("P1").await;
    world.seconds(30).await;
    assert_eq!(world.holder(&reference).await, None);
    let carla = world.carrier.texts_to(CARLA);
    assert_eq!(carla.len(), 1, "{}\n{}", world.timeline(&reference).await, world.dump().await);
    let call = &world.carrier.calls_to(BEN)[0];
    assert!(call.hung_up, "the machine is not talked to: {call:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_priority_is_recorded_and_wakes_nobody() {
    let world = World::start().await;
    let reference = world.report("P3").await;
    world.advance(TimeDelta::hours(3)).await;
    let ours: Vec<Sent> = world.carrier.sent().into_iter().filter(|sent| sent.to != ACME).collect();
    assert!(ours.is_empty(), "{ours:?}");
    assert_eq!(world.incident(&reference).await["phase"], "open");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_priority_is_texted_at_once_and_called_after_two_minutes() {
    let world = World::start().await;
    let start = world.now();
    world.report("P2").await;
    world.minutes(4).await;
    assert_eq!(world.carrier.texts_to(BEN)[0].at, start);
    assert_eq!(world.carrier.calls_to(BEN)[0].at, start + TimeDelta::minutes(2));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_update_climbs_as_an_outage_does() {
    let world = World::start().await;
    let start = world.now();
    let reference = world.report("P1").await;
    world.act(&reference, "acknowledge", "ben", json!({})).await;
    world.minutes(10).await;
    let spoken = json!({ "evidence": { "kind": "attested", "note": "spoke with Ms Ito" } });
    assert_eq!(world.act(&reference, "response", "ben", spoken).await.status, 200);
    world.minutes(34).await;
    let before = world.carrier.sent().len();
    // Fifteen minutes before the end of the window the holder is reminded, by a text alone.
    world.minutes(2).await;
    let reminder = world.carrier.sent()[before..].to_vec();
    assert_eq!(reminder.len(), 1, "{reminder:?}");
    assert_eq!((reminder[0].to.as_str(), reminder[0].voice), (BEN, false));
    assert_eq!(reminder[0].at, start + TimeDelta::minutes(45));
    assert!(world.carrier.texts_to(CARLA).is_empty());
    world.minutes(15).await;
    let missed = world.events(&reference, "update_missed").await;
    assert_eq!(missed.len(), 1, "{}", world.timeline(&reference).await);
    assert_eq!(missed[0]["due"], "2026-11-18T09:00:00Z");
    assert_eq!(world.carrier.texts_to(CARLA)[0].at, start + TimeDelta::minutes(60));
    // A late update does not erase it.
    let update = json!({ "text": "We found the cause and are mending it." });
    assert_eq!(world.act(&reference, "updates", "ben", update).await.status, 200);
    let incident = world.incident(&reference).await;
    assert_eq!(incident["windows"][0]["verdict"], "missed", "{incident}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_in_time_keep_every_window_and_page_nobody_higher() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    let spoken = json!({ "evidence": { "kind": "attested", "note": "spoke with Ms Ito" } });
    world.minutes(3).await;
    world.act(&reference, "response", "ben", spoken).await;
    for (hour, words) in
        ["We look at the database.", "A second node is being built.", "Nearly done."].iter().enumerate()
    {
        world.minutes(if hour == 0 { 47 } else { 59 }).await;
        let update = json!({ "text": words });
        assert_eq!(world.act(&reference, "updates", "ben", update).await.status, 200);
    }
    world.minutes(15).await;
    let incident = world.incident(&reference).await;
    let verdicts: Vec<&str> =
        incident["windows"].as_array().unwrap().iter().map(|window| window["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["met", "met", "met"], "{}", world.timeline(&reference).await);
    assert!(world.carrier.texts_to(CARLA).is_empty());
    // The promise, and each update, reached the customer.
    assert_eq!(world.carrier.texts_to(ACME).len(), 4, "{:?}", world.carrier.texts_to(ACME));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_is_no_callback_and_a_late_one_climbs() {
    let world = World::start().await;
    let start = world.now();
    let reference = world.report("P1").await;
    world.act(&reference, "acknowledge", "ben", json!({})).await;
    world.minutes(31).await;
    assert_eq!(world.events(&reference, "response_reminded").await.len(), 2);
    let missed = world.events(&reference, "response_missed").await;
    assert_eq!((missed.len(), missed[0]["due"].as_str()), (1, Some("2026-11-18T08:30:00Z")));
    assert_eq!(world.carrier.texts_to(CARLA)[0].at, start + TimeDelta::minutes(30));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_acknowledged_and_went_silent_is_paged_again() {
    let world =
        World::with(Office::default().edit("policies.toml", "ack_timeout = \"60m\"", "ack_timeout = \"20m\"")).await;
    let reference = world.report("P1").await;
    world.act(&reference, "acknowledge", "ben", json!({})).await;
    let spoken = json!({ "evidence": { "kind": "attested", "note": "spoke with Ms Ito" } });
    world.minutes(2).await;
    world.act(&reference, "response", "ben", spoken).await;
    let texts = world.carrier.texts_to(BEN).len();
    world.minutes(19).await;
    assert_eq!(world.carrier.texts_to(BEN).len(), texts);
    world.minutes(1).await;
    assert_eq!(world.carrier.texts_to(BEN).len(), texts + 1, "{}", world.timeline(&reference).await);
    assert_eq!(world.holder(&reference).await, None);
    assert_eq!(world.events(&reference, "acknowledgement_lapsed").await.len(), 1);
    // And if he stays silent, the lead.
    world.minutes(6).await;
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_who_says_it_got_worse_raises_the_level() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.act(&reference, "acknowledge", "ben", json!({})).await;
    world.minutes(1).await;
    let mut caller = world.dial(ACME).await;
    let spaced: Vec<String> = reference.chars().map(String::from).collect();
    assert!(caller.hears().contains(&spaced.join(" ")), "{}", caller.hears());
    caller.press("2").await;
    world.settle().await;
    assert!(caller.hears().contains("alerting more people"), "{}", caller.hears());
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1, "{}", world.timeline(&reference).await);
    assert_eq!(world.incidents().await.len(), 1);
    world.finish();
}

/// Two engineers take turns, day by day, from two in the morning in New York.
fn turns() -> Office {
    Office::default()
        .edit("schedules.toml", "people = [\"ben\"]", "people = [\"ben\", \"dora\"]")
        .edit("schedules.toml", "turn = \"weekly\"\nday = \"monday\"", "turn = \"daily\"")
        .edit("schedules.toml", "handoff = \"09:00\"", "handoff = \"02:00\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn on_both_nights_of_a_clock_change_the_wall_clock_says_who_and_elapsed_minutes_say_when() {
    for (at, first) in [
        // In autumn one o'clock comes twice; both belong to the day before.
        ("2026-11-01T05:56:00Z", DORA),
        ("2026-11-01T06:56:00Z", DORA),
        ("2026-11-01T07:01:00Z", BEN),
        // In spring two o'clock does not come: the hand-off is when the clock jumps to three.
        ("2026-03-08T06:56:00Z", DORA),
        ("2026-03-08T07:01:00Z", BEN),
    ] {
        let world = World::open(turns(), at).await;
        let start = world.now();
        world.report("P1").await;
        world.minutes(16).await;
        let expected = named(&[(first, 0), (CARLA, 5), (INES, 10), (JONAS, 15)]);
        assert_eq!(reached(&world, start), expected, "{at}: {}", world.dump().await);
        world.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_off_in_the_middle_of_an_escalation_leaves_the_page_where_it_was() {
    // The second round is for whoever is on call then.
    let world = World::open(turns(), "2026-11-01T06:50:00Z").await;
    world.report("P1").await;
    world.minutes(26).await;
    assert_eq!(world.carrier.texts_to(DORA).len(), 1);
    assert_eq!(world.carrier.texts_to(BEN).len(), 1, "{}", world.dump().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stands_in_is_paged_instead() {
    let world = World::start().await;
    let stand_in = json!({
        "schedule": "payments", "person": "dora",
        "start": "2026-11-18T07:00:00Z", "end": "2026-11-18T12:00:00Z",
    });
    let made = world.try_post("/api/v1/overrides", stand_in).await;
    assert_eq!(made.status, 201, "{made:?}");
    world.report("P1").await;
    world.minutes(1).await;
    assert_eq!((world.carrier.texts_to(DORA).len(), world.carrier.texts_to(BEN).len()), (1, 0));
    world.finish();
}
