//! The service watches itself: heartbeats through the whole path of a page, a dead-man service outside that hears of
//! each complete one, and what is said of it all when something is in the way.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{Router, routing::get};
use chrono::TimeDelta;
use ringdown::{
    people::E164,
    server::settings::{HeartbeatSettings, WatchSettings},
};
use serde_json::json;

use crate::world::*;

/// A number of the office's that nobody on call uses.
const OWN: &str = "+12015550166";

/// A dead-man service: counts its pings.
#[derive(Clone, Default)]
struct DeadMan(Arc<AtomicU64>);

impl DeadMan {
    /// Listens; gives the address with the secret in it.
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/ping/hush-hush", listener.local_addr().expect("an address"));
        let count = self.0.clone();
        let taken = get(move || async move {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let router = Router::new().route("/ping/hush-hush", taken);
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn pings(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A world whose heart beats once a minute, with a text to `to`, and tells a dead-man service.
async fn beating(to: Option<&str>) -> (World, DeadMan) {
    let dead_man = DeadMan::default();
    let watch = WatchSettings {
        heartbeat: Some(HeartbeatSettings {
            to: to.map(|number| E164::parse(number).expect("a number")),
            ..HeartbeatSettings::default()
        }),
        dead_man_url: Some(dead_man.listen().await.into()),
        ..WatchSettings::default()
    };
    (World::watched(watch).await, dead_man)
}

/// Waits until a figure of `/metrics` is so. Every world of this process counts in the same place: another's may be
/// there for a moment.
async fn shows(world: &World, name: &str, so: impl Fn(f64) -> bool) {
    world.eventually(name, async |world| figure(world, name).await.is_some_and(&so)).await;
}

async fn figure(world: &World, name: &str) -> Option<f64> {
    let page = text(&world.peek("/metrics").await.body);
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    Some(line.parse().expect("a number"))
}

async fn ready(world: &World) -> (u16, String) {
    let answer = world.peek("/readyz").await;
    (answer.status, text(&answer.body))
}

/// How many heartbeats there are in the outbox.
async fn in_the_outbox(world: &World) -> usize {
    world.dump().await.lines().filter(|line| line.starts_with("hbt_")).count()
}

/// Lets time pass, a little at a time, until the last heartbeat is so: each goes on in real time meanwhile.
async fn until(world: &World, what: &str, so: impl Fn(&serde_json::Value) -> bool) {
    for _ in 0..60 {
        if so(&heartbeat(world).await) {
            return;
        }
        world.seconds(5).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("never: {what}: {}\n{}", heartbeat(world).await, world.dump().await);
}

/// Lets time pass, a little at a time, until the dead-man service heard so often; receipts take their time.
async fn heard(world: &World, dead_man: &DeadMan, times: u64) {
    for _ in 0..200 {
        if dead_man.pings() >= times {
            return;
        }
        world.seconds(2).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no sign of life: {}\n{}", heartbeat(world).await, world.dump().await);
}

async fn heartbeat(world: &World) -> serde_json::Value {
    world.get("/api/v1/status").await["watch"]["heartbeat"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_goes_all_the_way_and_the_dead_man_service_hears_of_it() {
    let (world, dead_man) = beating(Some(OWN)).await;
    heard(&world, &dead_man, 1).await;
    let texts = world.carrier.texts_to(OWN);
    assert_eq!(texts.len(), 1, "{}", world.dump().await);
    assert!(texts[0].body.starts_with("Ringdown is well."), "{:?}", texts[0].body);
    let beat = heartbeat(&world).await;
    let legs: Vec<&str> = beat["legs"].as_array().expect("legs").iter().filter_map(|leg| leg["leg"].as_str()).collect();
    assert_eq!(legs, ["door", "timers", "outbox", "carrier", "receipt"], "{beat}");
    assert_eq!((beat["complete"].as_bool(), beat["covers"].as_str()), (Some(true), Some("text")), "{beat}");
    assert_eq!(ready(&world).await, (200, "ready\n".into()));
    for times in 2..5 {
        heard(&world, &dead_man, times).await;
    }
    // One text each, and one at a time.
    let (texts, pings) = (world.carrier.texts_to(OWN).len() as u64, dead_man.pings());
    assert!((pings..=pings + 1).contains(&texts), "{texts} texts, {pings} pings");
    shows(&world, "ringdown_heartbeat_age_seconds", |age| age <= 120.0).await;
    // Nothing of them stays in the outbox.
    world.eventually("an empty outbox", async |world| in_the_outbox(world).await == 0).await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_number_the_carrier_is_asked_for_our_account_and_no_text_goes_out() {
    let (world, dead_man) = beating(None).await;
    world.eventually("a sign of life", async |_| dead_man.pings() == 1).await;
    assert!(world.carrier.sent().is_empty(), "{}", world.dump().await);
    assert_eq!(world.carrier.looked_up(), 1);
    let beat = heartbeat(&world).await;
    assert_eq!((beat["complete"].as_bool(), beat["covers"].as_str()), (Some(true), Some("look_up")), "{beat}");
    assert!(text(&beat["words"]).starts_with("a look-up at main (no text), complete in"), "{beat}");
    // An account that was suspended sends no page either.
    world.carrier.stands("suspended");
    until(&world, "its failure", |beat| beat["complete"] == false).await;
    let said = text(&heartbeat(&world).await["words"]);
    assert!(said.contains("the account is suspended"), "{said}");
    assert_eq!(dead_man.pings(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_carrier_is_down_the_dead_man_service_hears_nothing_and_the_node_stays_ready() {
    let (world, dead_man) = beating(Some(OWN)).await;
    heard(&world, &dead_man, 1).await;
    let heard_before = dead_man.pings();
    world.carrier.die().await;
    world.minutes(4).await;
    // A leap of this world's clock may overtake one on its way to the carrier, which then says another reason.
    until(&world, "one that the carrier did not take", |beat| {
        beat["stuck_at"] == "carrier" && text(&beat["words"]).contains("cannot connect")
    })
    .await;
    let (status, words) = ready(&world).await;
    assert_eq!(status, 200, "taking it away helps nobody: {words}");
    assert!(words.contains("the last complete heartbeat was") && words.contains("stuck at the carrier"), "{words}");
    shows(&world, "ringdown_heartbeat_age_seconds", |age| age >= 180.0).await;
    shows(&world, "ringdown_heartbeats_total{outcome=\"carrier\"}", |count| count >= 1.0).await;
    assert_eq!(dead_man.pings(), heard_before);
    // They do not pile up: one at most is there.
    assert!(in_the_outbox(&world).await <= 1, "{}", world.dump().await);
    // A P1 meanwhile is not held up by it, and both go when the carrier is back.
    let reference = world.report("P1").await;
    world.carrier.come_back().await;
    world.minutes(1).await;
    assert_eq!(world.carrier.texts_to(BEN).len(), 1, "{}", world.dump().await);
    until(&world, "a complete one", |beat| beat["complete"] == true).await;
    heard(&world, &dead_man, heard_before + 1).await;
    world.eventually("all is well", async |world| ready(world).await == (200, "ready\n".into())).await;
    world.act(&reference, "acknowledge", "ben", json!({})).await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_receipts_are_lost_the_heartbeat_is_late_and_says_where() {
    let (world, dead_man) = beating(Some(OWN)).await;
    heard(&world, &dead_man, 1).await;
    let heard_before = dead_man.pings();
    world.carrier.receipts(Receipts::Lost);
    until(&world, "one without a receipt", |beat| beat["stuck_at"] == "receipt").await;
    let (status, words) = ready(&world).await;
    assert_eq!(status, 200);
    assert!(words.contains("stuck at the receipt: none came back"), "{words}");
    assert_eq!(dead_man.pings(), heard_before);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_phone_is_ever_a_heartbeats_and_no_report_counts_one() {
    // Somebody writes the number of an engineer who is on call.
    let (world, dead_man) = beating(Some(BEN)).await;
    for minute in 1..4 {
        world.eventually("a sign of life", async |_| dead_man.pings() >= minute).await;
        world.minutes(1).await;
    }
    assert!(world.carrier.sent().is_empty(), "{}", world.dump().await);
    assert_eq!(heartbeat(&world).await["covers"].as_str(), Some("look_up"));
    let report = world.get("/api/v1/report?from=2026-11-01&to=2026-12-01").await;
    assert!(!report.to_string().contains("hbt_"), "{report}");
    assert_eq!(world.incidents().await, [serde_json::Value::Null; 0]);
    let figures = text(&world.peek("/metrics").await.body);
    assert!(!figures.contains("hush-hush") && !figures.contains("+1201"), "no secret and no number is shown");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_for_heartbeats_is_closed_to_everybody_else() {
    let (world, dead_man) = beating(None).await;
    world.eventually("a sign of life", async |_| dead_man.pings() == 1).await;
    let knock = json!({ "id": "hbt_1", "begun_at": "2026-11-18T08:00:00Z" });
    assert_eq!(world.deliver("/intake/heartbeat", knock).await.status, 404);
    assert_eq!(dead_man.pings(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_disk_is_nearly_full_is_not_ready() {
    let full = WatchSettings { heartbeat: None, disk_floor: u64::MAX - 1, ..WatchSettings::default() };
    let world = World::watched(full).await;
    let (status, words) = ready(&world).await;
    match crate::DATABASE {
        Database::Sqlite => {
            assert_eq!(status, 503);
            assert!(words.starts_with("not ready\n- the disk is nearly full: "), "{words}");
            shows(&world, "ringdown_disk_free_bytes", |free| free > 0.0).await;
        }
        // Its disk is not ours to measure.
        Database::Postgres => assert_eq!((status, &*words), (200, "ready\n")),
    }
    assert_eq!(world.peek("/healthz").await.status, 200, "a restart makes no room");
    shows(&world, "ringdown_database_bytes", |size| size > 4096.0).await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_knows_of_itself_is_told() {
    let world = World::start().await;
    world.report("P1").await;
    world.minutes(2).await;
    for name in [
        "ringdown_loop_last_turn_seconds{loop=\"timers\"}",
        "ringdown_loop_last_turn_seconds{loop=\"pager\"}",
        "ringdown_oldest_pending_page_seconds",
        "ringdown_oldest_overdue_timer_seconds",
        "ringdown_leases_held{work=\"attempts\"}",
        "ringdown_mails_pending",
        "ringdown_audit_age_seconds",
        "ringdown_incidents_without_next_action",
        "ringdown_open_incidents{priority=\"P1\"}",
    ] {
        shows(&world, name, |_| true).await;
    }
    let watch = world.get("/api/v1/status").await["watch"].clone();
    assert_eq!((watch["troubles"].clone(), watch["without_next_action"].clone()), (json!([]), json!(0)), "{watch}");
    assert!(watch["loops"].as_array().is_some_and(|loops| loops.len() == 3), "{watch}");
    // A page that no carrier takes grows old.
    world.carrier.die().await;
    world.report("P1").await;
    world.advance(TimeDelta::seconds(90)).await;
    shows(&world, "ringdown_oldest_pending_page_seconds", |age| age >= 60.0).await;
    world.finish();
}
