//! The runs of nodes in the database (`uptime`). What a report makes of them it reads itself.

use chrono::TimeDelta;

use super::presence::{REMEMBERED, Run};
use crate::{
    clock::Time,
    id::fresh,
    on,
    store::{Sql, Tx},
};

/// The most runs that are looked at: of the last day.
const MOST: i64 = 500;

const BEGIN_RUN: Sql = Sql::same(
    "insert into uptime (id, node, process, version, revision, clock_ahead, started_at, last_seen_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $7)",
);
const GO_ON: Sql = Sql::same("update uptime set last_seen_at = $2, revision = $3, clock_ahead = $4 where id = $1");
const STOPPING: Sql = Sql::same("update uptime set last_seen_at = $2, stopping_at = $2 where id = $1");
const END_RUN: Sql = Sql::same("update uptime set last_seen_at = $2, ended_at = $2 where id = $1");
const SEEN_SINCE: Sql = Sql::same(
    "select node, process, version, revision, clock_ahead, started_at, last_seen_at, stopping_at, ended_at from uptime \
     where last_seen_at > $1 order by last_seen_at desc limit $2",
);

/// Every statement of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("BEGIN_RUN", BEGIN_RUN),
    ("GO_ON", GO_ON),
    ("STOPPING", STOPPING),
    ("END_RUN", END_RUN),
    ("SEEN_SINCE", SEEN_SINCE),
];

/// What a node says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    pub node: &'a str,
    pub process: &'a str,
    pub version: &'a str,
    pub revision: i64,
    pub clock_ahead: Option<TimeDelta>,
}

impl Word<'_> {
    fn micros(&self) -> Option<i64> {
        self.clock_ahead.and_then(|ahead| ahead.num_microseconds())
    }
}

/// A node begins to run; gives the id of the run.
pub async fn begin_run(tx: &mut Tx, word: Word<'_>, now: Time) -> sqlx::Result<String> {
    let id = fresh("run");
    on!(tx, BEGIN_RUN, |c, sql| sqlx::query(sql)
        .bind(&id)
        .bind(word.node)
        .bind(word.process)
        .bind(word.version)
        .bind(word.revision)
        .bind(word.micros())
        .bind(now)
        .execute(c)
        .await
        .map(drop))?;
    Ok(id)
}

/// It runs still.
pub async fn go_on(tx: &mut Tx, run: &str, word: Word<'_>, now: Time) -> sqlx::Result<()> {
    on!(tx, GO_ON, |c, sql| sqlx::query(sql)
        .bind(run)
        .bind(now)
        .bind(word.revision)
        .bind(word.micros())
        .execute(c)
        .await
        .map(drop))
}

/// It takes nothing new.
pub async fn stopping(tx: &mut Tx, run: &str, now: Time) -> sqlx::Result<()> {
    on!(tx, STOPPING, |c, sql| sqlx::query(sql).bind(run).bind(now).execute(c).await.map(drop))
}

/// It ends in order.
pub async fn end_run(tx: &mut Tx, run: &str, now: Time) -> sqlx::Result<()> {
    on!(tx, END_RUN, |c, sql| sqlx::query(sql).bind(run).bind(now).execute(c).await.map(drop))
}

/// A row as it is kept.
#[derive(sqlx::FromRow)]
struct Row {
    node: Option<String>,
    process: Option<String>,
    version: Option<String>,
    revision: Option<i64>,
    clock_ahead: Option<i64>,
    started_at: Time,
    last_seen_at: Time,
    stopping_at: Option<Time>,
    ended_at: Option<Time>,
}

/// The runs that were seen within the last day, the last seen first.
pub async fn recent(tx: &mut Tx, now: Time) -> sqlx::Result<Vec<Run>> {
    let since = now - REMEMBERED;
    let rows: Vec<Row> = on!(tx, SEEN_SINCE, |c, sql| sqlx::query_as(sql).bind(since).bind(MOST).fetch_all(c).await)?;
    let run = |row: Row| Run {
        node: row.node,
        process: row.process,
        version: row.version,
        revision: row.revision,
        clock_ahead: row.clock_ahead.map(TimeDelta::microseconds),
        started_at: row.started_at,
        last_seen_at: row.last_seen_at,
        stopping_at: row.stopping_at,
        ended_at: row.ended_at,
    };
    Ok(rows.into_iter().map(run).collect())
}
