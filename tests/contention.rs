//! Transactions that meet: on PostgreSQL there is more than one writer.

use std::sync::atomic::{AtomicU32, Ordering};

use ringdown::{
    on,
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
