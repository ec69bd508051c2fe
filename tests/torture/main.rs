//! The torture: the real binary under load, on both databases, while it is killed, stopped, starved and misled; and
//! afterwards the senders' log and the carrier's against what is in the store.
//!
//! The short version is a part of `cargo test`. The long one:
//!
//! ```sh
//! RINGDOWN_TORTURE_KILLS=1000 cargo test --release --test torture -- --nocapture
//! ```
//!
//! `RINGDOWN_TORTURE_SEED` draws the same faults again. Each scenario prints the table as far as it is known.

mod cluster;
mod disk;
mod front;
mod judge;
mod plan;
mod run;
mod senders;
mod table;
mod wall;
#[allow(dead_code, unused_imports, reason = "the stories use all of it")]
#[path = "../world/mod.rs"]
mod world;

use std::time::Duration;

use self::{
    cluster::LEASE,
    plan::Kind,
    run::{Scenario, Store, kills, run},
};

/// For the worlds of stories; here each scenario says what it is kept in.
#[allow(dead_code, reason = "the world asks for it")]
const DATABASE: world::Database = world::Database::Sqlite;

/// So many of a fault that is rarer than kills: one for each `share` of them, at least `least`.
fn rarer(share: usize, least: usize) -> usize {
    (kills() / share).max(least)
}

fn scenario(name: &'static str, store: Store, kinds: &'static [Kind], times: usize) -> Scenario {
    Scenario { name, store, nodes: 1, kinds, times, senders: 3, pause: Duration::from_millis(600) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_sqlite() {
    run(scenario("killed (-9)", Store::Sqlite, &[Kind::Kills], kills())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_postgresql() {
    run(scenario("killed (-9)", Store::Postgres, &[Kind::Kills], kills())).await;
}

/// Three nodes, one of them killed every second; a minute of it in the long version.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_nodes_is_killed_every_second() {
    let times = (kills() / 5).clamp(10, 60);
    let each = scenario("one node killed each second", Store::Postgres, &[Kind::KillEachSecond], times);
    run(Scenario { nodes: 3, ..each }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_stopped_past_its_lease_and_goes_on() {
    const KINDS: &[Kind] = &[Kind::Pauses(LEASE)];
    let paused = scenario("stopped past the lease", Store::Postgres, KINDS, rarer(50, 2));
    run(Scenario { nodes: 3, ..paused }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_is_restarted() {
    let restarted = scenario("PostgreSQL restarted", Store::Postgres, &[Kind::Postgres], rarer(20, 3));
    run(Scenario { nodes: 2, ..restarted }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_disk_is_full() {
    run(scenario("disk full", Store::Sqlite, &[Kind::Disk], rarer(20, 3))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wall_clock_steps() {
    run(scenario("wall clock stepped", Store::Sqlite, &[Kind::Clock], rarer(10, 8))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_carrier_is_in_trouble() {
    run(scenario("carrier in trouble", Store::Sqlite, &[Kind::Carrier], rarer(20, 3))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn down_while_promises_run_out() {
    run(scenario("down for seconds", Store::Sqlite, &[Kind::Downs], rarer(30, 2))).await;
}
