//! Transactions that meet: on PostgreSQL there is more than one writer.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use ringdown::{
    id::{AttemptId, IncidentId},
    incident, on, paging,
    store::{Db, Sql, retry::retried},
};
use serde_json::json;
use tokio::sync::Barrier;

use crate::world::*;

const INSERT: Sql = Sql::same("insert into uptime (id, started_at, last_seen_at) values ($1, $2, $2)");
const LOCK: Sql = Sql::same("update uptime set last_seen_at = last_seen_at where id = $1");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_transactions_that_wait_for_each_other_both_get_through() {
    let db = Db::open(&postgres::database().await).await.expect("a database");
    let mut tx = db.begin().await.expect("a transaction");
    for id in ["a", "b"] {
        let now = ringdown::clock::Clock::system().now();
        on!(&mut tx, INSERT, |c, sql| sqlx::query(sql).bind(id).bind(now).execute(c).await.map(drop)).expect("a row");
    }
    tx.commit().await.expect("the rows");

    let (both, begun) = (Barrier::new(2), AtomicU32::new(0));
    let lock_both = async |order: [&'static str; 2]| {
        let first = AtomicU32::new(0);
        retried(|| async {
            begun.fetch_add(1, Ordering::Relaxed);
            let mut tx = db.begin().await?;
            on!(&mut tx, LOCK, |c, sql| sqlx::query(sql).bind(order[0]).execute(c).await.map(drop))?;
            if first.fetch_add(1, Ordering::Relaxed) == 0 {
                both.wait().await;
            }
            on!(&mut tx, LOCK, |c, sql| sqlx::query(sql).bind(order[1]).execute(c).await.map(drop))?;
            tx.commit().await
        })
        .await
    };
    let (one, other) = tokio::join!(lock_both(["a", "b"]), lock_both(["b", "a"]));
    one.expect("it gets through");
    other.expect("it gets through");
    assert!(begun.load(Ordering::Relaxed) >= 3, "they never met");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_trouble_from_many_at_once_is_one_incident() {
    let world = World::start().await;
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let event = |key: &str| {
        json!({
            "routing_key": PAGERDUTY_KEY, "event_action": "trigger", "dedup_key": key,
            "payload": { "summary": "Trouble", "source": "x", "severity": "critical" },
        })
    };
    let sent = (0..40).map(|n| {
        // Now and then something else.
        let key = if n % 10 == 9 { format!("other {n}") } else { "same".into() };
        http.post(world.url("/v2/enqueue")).json(&event(&key)).send()
    });
    for answer in futures::future::join_all(sent).await {
        assert_eq!(answer.expect("an answer").status(), 202);
    }
    world.seconds(5).await;
    let incidents = world.get("/api/v1/incidents").await;
    assert_eq!(incidents["items"].as_array().map(Vec::len), Some(5), "{incidents}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acts_on_one_incident_that_meet_are_all_answered() {
    let world = World::start().await;
    world.carrier.phone(BEN, presses('4'), Texts::Delivered);
    let reference = world.report("P1").await;
    let notes = (0..20).map(|n| world.act(&reference, "updates", "ben", json!({ "text": format!("Note {n}.") })));
    let acknowledge = world.act(&reference, "acknowledge", "carla", json!({}));
    let (notes, acknowledged) = tokio::join!(futures::future::join_all(notes), acknowledge);
    assert_eq!(acknowledged.status, 200, "{acknowledged:?}");
    for note in notes {
        assert_eq!(note.status, 200, "{note:?}");
    }
    let events = world.get(&format!("/api/v1/incidents/{reference}/events?limit=200")).await;
    let numbers: Vec<u64> =
        events["items"].as_array().expect("a list").iter().map(|event| event["seq"].as_u64().expect("one")).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "no gap and nothing twice");
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_wait_for_no_transaction_that_holds_an_incident() {
    let rules = "rules = { P1 = [{ by = 'sms', to = 'mobile' }, { by = 'sms', to = 'mobile', after = '1m' }] }";
    let office =
        Office::default().edit("people.toml", "zone = \"America/New_York\"\n", &format!("zone = \"UTC\"\n{rules}\n"));
    let world = World::with(office).await;
    let mut ids: Vec<IncidentId> = Vec::new();
    for _ in 0..2 {
        let reference = world.report("P1").await;
        ids.push(text(&world.incident(&reference).await["id"]).into());
    }
    let app = &world.running().app;
    let mut held = app.db.begin().await.expect("a transaction");
    incident::store::load_for_update(&mut held, &ids[0]).await.expect("the database");

    // What ends an attempt changes its incident: this one has to wait, and nothing else has to wait with it.
    let old = AttemptId::from("att_too_old");
    let mut tx = app.db.begin().await.expect("a transaction");
    let sent = paging::store::of_incident(&mut tx, &ids[0]).await.expect("the database").remove(0);
    let now = world.clock.now();
    let (stage, expires_at) = (paging::Stage::Waiting, now - chrono::TimeDelta::seconds(1));
    let row = paging::Attempt { id: old.clone(), stage, outcome: None, wake_at: Some(now), expires_at, ..sent };
    paging::store::insert(&mut tx, &row).await.expect("the database");
    tx.commit().await.expect("the row");
    world.tick(chrono::TimeDelta::minutes(1));
    app.bell.ring();
    let begun = Instant::now();
    while world.carrier.texts_to(BEN).len() < 4 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the pages wait for somebody else's transaction");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let stage = async || {
        let mut tx = app.db.read().await.expect("the database");
        let all = paging::store::of_incident(&mut tx, &ids[0]).await.expect("the database");
        all.into_iter().find(|attempt| attempt.id == old).map(|attempt| (attempt.stage, attempt.outcome))
    };
    assert_eq!(stage().await, Some((paging::Stage::Waiting, None)), "it ended, and its incident was not told");
    drop(held);
    world.settle().await;
    assert_eq!(stage().await, Some((paging::Stage::Over, Some(paging::Outcome::Expired))));
    world.finish();
}
