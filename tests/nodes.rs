//! Several nodes on one database.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};
use ringdown::{
    access::Role,
    clock::{Clock, Time},
    node::State,
    server::{boot, settings::Settings},
    store::wire::{self, Listener},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, PgPool, postgres::PgPoolOptions};

use crate::{
    changes::{Follower, newest},
    world::{node::Node, *},
};

/// Pages by text alone, and as many as one likes.
fn by_text() -> Office {
    let rules = "rules = { P1 = [{ by = 'sms', to = 'mobile' }], P2 = [{ by = 'sms', to = 'mobile' }] }";
    Office::default().edit("people.toml", "zone = \"America/New_York\"\n", &format!("zone = \"UTC\"\n{rules}\n")).edit(
        "carriers.toml",
        "[carriers]\n",
        "[carriers.limits]\nvoice = [{ count = 1000, per = \"1m\" }]\nsms = [{ count = 1000, per = \"1m\" }]\n",
    )
}

/// Looks into the database beside every node.
async fn look(world: &World) -> PgPool {
    PgPoolOptions::new().max_connections(2).connect(world.database()).await.expect("the database")
}

async fn sql(db: &PgPool, text: &str) {
    db.execute(AssertSqlSafe(text.to_owned())).await.expect("a statement");
}

async fn count(db: &PgPool, text: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(text.to_owned())).fetch_one(db).await.expect("a number")
}

fn report() -> Value {
    json!({ "customer": "acme", "priority": "P1", "title": "Card payments fail",
        "contact": { "name": "Ms Ito", "number": ACME } })
}

/// In real time: for what is between nodes, and not in the story's time.
async fn within<T>(patience: Duration, what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(begun.elapsed() < patience, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_timers_due_at_once_on_three_nodes_take_effect_once_each_and_none_early() {
    const MANY: usize = 300;
    // Before anything else is due: neither a receipt nor the question what became of a text.
    let world = World::with(by_text().edit("policies.toml", "after = \"5m\"", "after = \"1m\"")).await;
    let (nodes, db) = ([world.node("b").await, world.node("c").await], look(&world).await);
    let start = world.now();
    // Six hundred receipts a second are another story.
    world.carrier.receipts(Receipts::Lost);
    // Who takes which timer is written down by the database.
    sql(&db, "create table claims (incident_id text, leased_by text, due_at timestamptz)").await;
    sql(
        &db,
        "create function note() returns trigger language plpgsql as $$ begin \
         if new.leased_by is not null then insert into claims values (new.incident_id, new.leased_by, new.due_at); \
         end if; return new; end $$",
    )
    .await;
    sql(&db, "create trigger note after update on timers for each row execute function note()").await;
    for few in (0..MANY).collect::<Vec<_>>().chunks(20) {
        let sent = few.iter().map(|n| nodes[n % 2].post("/api/v1/incidents", report()));
        for answer in futures::future::join_all(sent).await {
            assert_eq!(answer.status, 201, "{answer:?}");
        }
    }
    world.settle().await;
    assert_eq!(world.carrier.texts_to(BEN).len(), MANY, "{}", world.dump().await);
    let due = count(&db, "select count(*) from timers where due_at = (select min(due_at) from timers)").await;
    assert_eq!(due, MANY as i64, "they are due at one instant");
    world.seconds(59).await;
    assert_eq!(world.carrier.texts_to(CARLA).len(), 0, "none early");

    // Receipts are for later: the clock does not go on.
    world.seconds(1).await;
    let texts = world.carrier.texts_to(CARLA);
    assert_eq!(texts.len(), MANY, "{}", world.dump().await);
    assert!(texts.iter().all(|text| text.at == start + TimeDelta::minutes(1)));
    let climbs: Vec<(String, i64, Time)> = sqlx::query_as(
        "select incident_id, count(*), min(at) from incident_events where kind = 'level_reached' \
         and at >= $1 group by 1",
    )
    .bind(start + TimeDelta::seconds(30))
    .fetch_all(&db)
    .await
    .expect("events");
    assert_eq!(climbs.len(), MANY);
    assert!(climbs.iter().all(|(_, times, at)| *times == 1 && *at == start + TimeDelta::minutes(1)), "{climbs:?}");
    let twice = "select count(*) from (select 1 from claims group by incident_id, due_at having count(*) > 1) as twice";
    assert_eq!(count(&db, twice).await, 0, "each timer was in one hand");
    let hands = count(&db, "select count(distinct leased_by) from claims").await;
    assert!(hands > 1, "one node did all the work");
    world.finish();
}

/// Reports through `node`, whose carrier says nothing; waits until that node has the text in hand.
async fn report_into_silence(world: &World, db: &PgPool, node: &Node) -> String {
    world.carrier.next_text(Fault::TakenAndSilent);
    let answer = node.post("/api/v1/incidents", report()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let held = format!("select count(*) from attempts where leased_by = '{}' and stage = 'sending'", node.id);
    within(SOON, "the node asks the carrier", async || (count(db, &held).await == 1).then_some(())).await;
    within(SOON, "the carrier has it", async || (world.carrier.texts_to(BEN).len() == 1).then_some(())).await;
    text(&answer.body["reference"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_node_had_in_hand_is_taken_over_when_its_lease_ends_and_not_before() {
    let mut world = World::with(by_text()).await;
    let (other, db) = (world.node("b").await, look(&world).await);
    let start = world.now();
    // Only the other one is there to take it.
    world.stop().await;
    let reference = report_into_silence(&world, &db, &other).await;
    let dead = other.id.clone();
    world.boot().await;
    other.die();

    // The first lease is not over: nobody touches it.
    world.tick(TimeDelta::seconds(14));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let held = format!("select count(*) from attempts where leased_by = '{dead}'");
    assert_eq!(count(&db, &held).await, 1, "{}", world.dump().await);
    world.tick(TimeDelta::seconds(1));
    // In real time too, within three seconds.
    let taken = format!("select count(*) from attempts where leased_by is distinct from '{dead}' and sid is not null");
    within(Duration::from_secs(3), "it is taken over", async || (count(&db, &taken).await >= 1).then_some(())).await;
    world.settle().await;
    // It was looked up, and not sent again: the carrier had taken it.
    let texts = world.carrier.texts_to(BEN);
    assert_eq!((texts.len(), texts[0].at), (1, start), "{}", world.dump().await);
    // And its timer is as much the other's.
    world.minutes(5).await;
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1, "{}", world.timeline(&reference).await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_hands_over_at_once_what_it_cannot_finish() {
    let mut world = World::with(by_text()).await;
    let (other, db) = (world.node("b").await, look(&world).await);
    world.stop().await;
    report_into_silence(&world, &db, &other).await;
    world.boot().await;
    let start = world.now();
    let held = format!("select count(*) from attempts where leased_by = '{}'", other.id);
    other.stop().await;
    // The story's clock stood still: no lease ended.
    assert_eq!(world.now(), start);
    let taken = "select count(*) from attempts where sid is not null";
    within(Duration::from_secs(3), "it is taken over", async || (count(&db, taken).await >= 1).then_some(())).await;
    assert_eq!(count(&db, &held).await, 0);
    world.settle().await;
    assert_eq!(world.carrier.texts_to(BEN).len(), 1, "{}", world.dump().await);
    let nodes = world.get("/api/v1/nodes").await;
    let states: BTreeMap<String, String> = nodes["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|node| (text(&node["name"]), text(&node["state"])))
        .collect();
    assert_eq!(states["b"], "stopped", "{nodes}");
    assert!(states.values().any(|state| state == "running"), "{nodes}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_pressed_on_a_call_of_one_node_arrives_at_another() {
    let world = World::start().await;
    world.carrier.phone(BEN, presses('4'), Texts::Delivered);
    let reference = world.report("P1").await;
    let other = world.node("b").await;
    // From now on whatever the carrier has to say goes to the other node.
    world.carrier.connect(Some(other.address));
    world.seconds(30).await;
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"), "{}", world.dump().await);
    let there = other.get(&format!("/api/v1/incidents/{reference}")).await;
    assert_eq!(there["holder"]["key"], "ben");
    let call = &world.carrier.calls_to(BEN)[0];
    assert!(call.heard.last().expect("words").starts_with("Acknowledged."), "{call:?}");
    world.finish();
}

/// Ben's name, with a number.
fn rename(world: &World, name: &str) {
    let file = world.schedules().join("people.toml");
    let before = std::fs::read_to_string(&file).expect("the people");
    let (head, rest) = before.split_once("[people.ben]\nname = \"").expect("Ben");
    let (_, tail) = rest.split_once('"').expect("his name");
    std::fs::write(&file, format!("{head}[people.ben]\nname = \"{name}\"{tail}")).expect("the people");
}

async fn name_of_ben(node: &Node) -> String {
    let people = node.get("/api/v1/people").await;
    let ben = people["items"].as_array().expect("a list").iter().find(|person| person["key"] == "ben").cloned();
    text(&ben.expect("Ben")["name"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_that_one_node_takes_are_in_force_on_the_others_within_two_seconds() {
    let world = World::start().await;
    let (rung, polling) =
        (world.node("b").await, world.node_with("c", |settings| Settings { notify: false, ..settings }).await);
    let mut by_bell = 0;
    for round in 0..5 {
        let name = format!("Ben the {round}th");
        rename(&world, &name);
        let begun = Instant::now();
        boot::reload(&world.running().app).await.expect("it is read again");
        let follows = async |node: &Node| {
            within(SOON, "it follows", async || (name_of_ben(node).await == name).then_some(())).await;
            begun.elapsed()
        };
        let (bell, poll) = tokio::join!(follows(&rung), follows(&polling));
        // It looked when the round before ended, and looks again by itself after 0.8 s at the earliest.
        by_bell += u32::from(round > 0 && bell < Duration::from_millis(600));
        assert!(bell < Duration::from_secs(5) && poll < Duration::from_secs(5), "{bell:?} {poll:?}");
        // So that the next round begins right after the bell, whatever the other one waited for.
        within(SOON, "both follow", async || (name_of_ben(&rung).await == name).then_some(())).await;
    }
    assert!(by_bell > 0, "no node was ever rung");
    // Who is paged is called by the new name on every node.
    let oncall = polling.get("/api/v1/oncall").await;
    assert!(oncall.to_string().contains("Ben the 4th"), "{oncall}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_starts_with_older_schedules_takes_nobody_back_until_it_is_told_to() {
    let world = World::start().await;
    let old = tempfile::tempdir().expect("a folder");
    Office::default().write(old.path());
    rename(&world, "Benjamin Okafor");
    boot::reload(&world.running().app).await.expect("it is read again");

    let late = world.node_with("late", |settings| Settings { schedules: old.path().into(), ..settings }).await;
    assert_eq!(name_of_ben(&late).await, "Benjamin Okafor");
    let revision = |node: &Node| node.running().app.config.load().revision;
    assert_eq!((revision(&late), world.running().app.config.load().revision), (2, 2));

    boot::reload(&late.running().app).await.expect("it is read again");
    assert_eq!((revision(&late), name_of_ben(&late).await.as_str()), (3, "Ben Okafor"));
    let here = || world.running().app.config.load().revision == 3;
    within(SOON, "the other follows", async || here().then_some(())).await;
    // A folder that nobody had before is taken at the start already.
    let new = tempfile::tempdir().expect("a folder");
    Office::default().edit("people.toml", "Ben Okafor", "Ben O.").write(new.path());
    let new = world.node_with("new", |settings| Settings { schedules: new.path().into(), ..settings }).await;
    assert_eq!((revision(&new), name_of_ben(&new).await.as_str()), (4, "Ben O."));
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_told_to_the_other_nodes_unless_the_settings_say_otherwise() {
    let world = World::start().await;
    let quiet = world.node_with("quiet", |settings| Settings { notify: false, ..settings }).await;
    let mut listener = Listener::open(&world.running().app.db).await.expect("a line").expect("PostgreSQL");
    let mut heard = async |patience: Duration| {
        let mut words = Vec::new();
        while let Ok(heard) = tokio::time::timeout(patience, listener.heard()).await {
            words.extend(heard.expect("the line holds"));
        }
        words
    };
    world.report("P1").await;
    let ours = world.running().app.node.id().to_owned();
    let words = heard(Duration::from_millis(300)).await;
    assert!(words.contains(&format!("{ours} work")), "{words:?}");
    assert!(!words.iter().any(|words| words.starts_with(&quiet.id)), "{words:?}");
    // Many commits are few words.
    let reports = (0..40).map(|_| quiet.post("/api/v1/incidents", report()));
    futures::future::join_all(reports).await;
    wire::tell(&world.running().app.db, "end").await.expect("it is told");
    world.settle().await;
    let words = heard(Duration::from_millis(300)).await;
    assert!(words.contains(&"end".to_owned()) && words.iter().all(|words| !words.starts_with(&quiet.id)), "{words:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_changes_is_told_live_on_another_whether_it_is_rung_or_looks() {
    let world = World::start().await;
    let token = world.grant("board", Role::Viewer, None).await;
    let browser = Browser::signed_in(&world, Some("ben"), None).await;
    for notify in [true, false] {
        let node = world.node_with("b", |settings| Settings { notify, ..settings }).await;
        let mut follower = Follower::of(&node.url("/api/v1/changes"), &token, None).await;
        let incident = world.post("/api/v1/incidents", report()).await;
        let begun = Instant::now();
        follower.until(&text(&incident["id"]), 1).await;
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        world.settle().await;

        // The pages of the other node are as live, for whoever signed in at this one, and a reconnect misses nothing.
        let mut page = Follower::of_page(&node.url("/live"), &browser, None).await;
        let (id, reference) = (text(&incident["id"]), text(&incident["reference"]));
        let begun = Instant::now();
        world.act(&reference, "acknowledge", "ben", json!({})).await;
        let (_, seq) = newest(&world, &reference).await;
        page.until(&id, seq).await;
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        let last = page.last.take();
        drop(page);
        world.act(&reference, "updates", "ben", json!({"text": "We see it."})).await;
        let (_, seq) = newest(&world, &reference).await;
        Follower::of_page(&node.url("/live"), &browser, last.as_deref()).await.until(&id, seq).await;
        world.settle().await;
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_ahead_goes_by_the_others() {
    let database = postgres::database().await;
    let folder = tempfile::tempdir().expect("a folder");
    Office::default().write(folder.path());
    let settings = |name: &str| Settings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        public_url: PUBLIC_URL.into(),
        database: database.clone(),
        schedules: folder.path().into(),
        token_secret: crate::DATABASE.token_secret().map(Into::into),
        node: Some(name.into()),
        ..Settings::default()
    };
    let right = boot::start(settings("right"), Clock::system()).await.expect("it starts");
    let fast = boot::start(settings("fast"), Clock::set_wrong(TimeDelta::seconds(5))).await.expect("it starts");
    let off = fast.app.clock.now() - Utc::now();
    assert!(off.abs() < TimeDelta::milliseconds(500), "{off}");
    let nodes = ringdown::node::keep::nodes(&right.app).await.expect("the nodes");
    let told: Vec<_> = nodes.iter().map(|node| (node.name.as_deref(), node.state, node.clock_wrong)).collect();
    assert_eq!(told, [(Some("fast"), State::Running, true), (Some("right"), State::Running, false)]);
    fast.stop().await;
    right.stop().await;

    // Nobody else is there whom it could go by.
    let alone = boot::start(settings("alone"), Clock::set_wrong(TimeDelta::seconds(5))).await.expect("it starts");
    assert!(alone.app.clock.now() - Utc::now() > TimeDelta::seconds(4));
    alone.stop().await;
}
