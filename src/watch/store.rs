//! Heartbeats in the database, and what the watch reads there.

use chrono::TimeDelta;
use serde::{Serialize, de::DeserializeOwned};

use super::beat::Beat;
use crate::{
    clock::Time,
    id::AttemptId,
    on,
    paging::{Attempt, Outcome},
    store::{Sql, Tx},
};

/// No lease of a timer is longer: those that end later are not looked at one by one.
const LONGEST_LEASE: TimeDelta = TimeDelta::minutes(5);

const KEEP: Sql = Sql::same(
    "insert into heartbeats (id, node, carrier, covers, begun_at, kept_at, answered_at, turned_at, claimed_at, \
     taken_at, receipt_at, ended_at, failed, reason) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
     on conflict (id) do update set answered_at = excluded.answered_at, turned_at = excluded.turned_at, \
     ended_at = excluded.ended_at, failed = excluded.failed, reason = excluded.reason",
);

const PASSED: Sql = Sql::same(
    "update heartbeats set claimed_at = coalesce(claimed_at, $1), taken_at = coalesce(taken_at, $2), \
     failed = coalesce(failed, $3), reason = $4 where id = $5 and ended_at is null",
);

const RECEIPT: Sql =
    Sql::same("update heartbeats set receipt_at = coalesce(receipt_at, $1) where id = $2 and ended_at is null");

const LOAD: Sql = Sql::same(
    "select id, node, carrier, covers, begun_at, kept_at, answered_at, turned_at, claimed_at, taken_at, receipt_at, \
     ended_at, failed, reason from heartbeats where id = $1",
);

const LAST: Sql = Sql::same(
    "select id, node, carrier, covers, begun_at, kept_at, answered_at, turned_at, claimed_at, taken_at, receipt_at, \
     ended_at, failed, reason from heartbeats where ended_at is not null order by begun_at desc, id desc limit 1",
);

const LAST_COMPLETE: Sql = Sql::same(
    "select id, node, carrier, covers, begun_at, kept_at, answered_at, turned_at, claimed_at, taken_at, receipt_at, \
     ended_at, failed, reason from heartbeats where ended_at is not null and failed is null order by begun_at desc, id desc limit 1",
);

/// Nobody has it in hand any more.
const DROP_ATTEMPT: Sql = Sql::same(
    "delete from attempts where id = $1 and purpose = 'heartbeat' and (leased_by is null or wake_at is null)",
);

const GIVE_UP: Sql =
    Sql::same("update attempts set cancelled = $1, expires_at = $2 where id = $3 and purpose = 'heartbeat'");

const STILL_THERE: Sql = Sql::same("select count(*) from attempts where id = $1");

const FORGET: Sql = Sql::same("delete from heartbeats where begun_at < $1");

/// Those of a process that is no more.
const FORGET_ATTEMPTS: Sql = Sql::same("delete from attempts where purpose = 'heartbeat' and created_at < $1");

const OLDEST_PENDING_PAGE: Sql = Sql::same(
    "select min(created_at) from attempts where wake_at is not null and purpose = 'page' \
     and stage in ('waiting', 'sending') and (wake_at <= $1 or sends > 0)",
);

const LEASES: Sql = Sql::same(
    "select (select count(*) from timers where wake_at > $1 and wake_at <= $2 and due_at < wake_at) as timers, \
     (select count(*) from attempts where wake_at is not null and leased_by is not null) as attempts, \
     (select count(*) from mails where wake_at is not null and leased_by is not null) as mails",
);

const SIZE: Sql = Sql {
    sqlite: "select page_count * page_size from pragma_page_count(), pragma_page_size()",
    postgres: "select pg_database_size(current_database())",
};

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("keep", KEEP),
    ("passed", PASSED),
    ("receipt", RECEIPT),
    ("load", LOAD),
    ("last", LAST),
    ("last_complete", LAST_COMPLETE),
    ("drop_attempt", DROP_ATTEMPT),
    ("give_up", GIVE_UP),
    ("still_there", STILL_THERE),
    ("forget", FORGET),
    ("forget_attempts", FORGET_ATTEMPTS),
    ("oldest_pending_page", OLDEST_PENDING_PAGE),
    ("leases", LEASES),
    ("size", SIZE),
];

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    node: String,
    carrier: String,
    covers: String,
    begun_at: Time,
    kept_at: Option<Time>,
    answered_at: Option<Time>,
    turned_at: Option<Time>,
    claimed_at: Option<Time>,
    taken_at: Option<Time>,
    receipt_at: Option<Time>,
    ended_at: Option<Time>,
    failed: Option<String>,
    reason: Option<String>,
}

impl TryFrom<Row> for Beat {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Beat> {
        let bad = |what: &str| sqlx::Error::Decode(format!("heartbeat {}: bad {what}", row.id).into());
        Ok(Beat {
            covers: unword(&row.covers).ok_or_else(|| bad("covers"))?,
            failed: row.failed.as_deref().map(|leg| unword(leg).ok_or_else(|| bad("failed"))).transpose()?,
            id: row.id.into(),
            node: row.node,
            carrier: row.carrier.into(),
            begun_at: row.begun_at,
            kept_at: row.kept_at,
            answered_at: row.answered_at,
            turned_at: row.turned_at,
            claimed_at: row.claimed_at,
            taken_at: row.taken_at,
            receipt_at: row.receipt_at,
            ended_at: row.ended_at,
            reason: row.reason,
        })
    }
}

fn word<T: Serialize>(value: T) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(Into::into)
}

fn unword<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(text.into()).ok()
}

/// Writes a heartbeat down. Of one that is there, what the beating node knows of it: its answers and its end.
pub async fn keep(tx: &mut Tx, beat: &Beat) -> sqlx::Result<()> {
    on!(tx, KEEP, |c, sql| sqlx::query(sql)
        .bind(beat.id.as_str())
        .bind(&beat.node)
        .bind(beat.carrier.as_str())
        .bind(word(beat.covers))
        .bind(beat.begun_at)
        .bind(beat.kept_at)
        .bind(beat.answered_at)
        .bind(beat.turned_at)
        .bind(beat.claimed_at)
        .bind(beat.taken_at)
        .bind(beat.receipt_at)
        .bind(beat.ended_at)
        .bind(beat.failed.and_then(word))
        .bind(&beat.reason)
        .execute(c)
        .await
        .map(drop))
}

/// Notes how far the attempt of a heartbeat is; for one of anything else does nothing.
pub async fn passed(tx: &mut Tx, attempt: &Attempt, now: Time) -> sqlx::Result<()> {
    let lost = matches!(attempt.outcome, Some(Outcome::Unreachable | Outcome::Expired | Outcome::Cancelled));
    let claimed = attempt.sent_at.or_else(|| attempt.sid.is_some().then_some(now));
    on!(tx, PASSED, |c, sql| sqlx::query(sql)
        .bind(claimed)
        .bind(attempt.sid.is_some().then_some(now))
        .bind(lost.then_some("carrier"))
        .bind(&attempt.reason)
        .bind(attempt.id.as_str())
        .execute(c)
        .await
        .map(drop))
}

/// Notes that a receipt of it came back.
pub async fn receipt(tx: &mut Tx, id: &AttemptId, now: Time) -> sqlx::Result<()> {
    on!(tx, RECEIPT, |c, sql| sqlx::query(sql).bind(now).bind(id.as_str()).execute(c).await.map(drop))
}

/// A heartbeat; `None` when its door did not take it, or it was forgotten.
pub async fn load(tx: &mut Tx, id: &AttemptId) -> sqlx::Result<Option<Beat>> {
    one(on!(tx, LOAD, |c, sql| sqlx::query_as(sql).bind(id.as_str()).fetch_optional(c).await)?)
}

/// The last that ended, of any node; and the last that was complete.
pub async fn last(tx: &mut Tx) -> sqlx::Result<(Option<Beat>, Option<Beat>)> {
    let ended = one(on!(tx, LAST, |c, sql| sqlx::query_as(sql).fetch_optional(c).await)?)?;
    let complete = one(on!(tx, LAST_COMPLETE, |c, sql| sqlx::query_as(sql).fetch_optional(c).await)?)?;
    Ok((ended, complete))
}

fn one(row: Option<Row>) -> sqlx::Result<Option<Beat>> {
    row.map(TryInto::try_into).transpose()
}

/// Nothing more need be done for the attempt of a heartbeat that ended. Whether it is gone: one that a pager has in
/// hand goes when that is done.
pub async fn clear(tx: &mut Tx, id: &AttemptId, now: Time) -> sqlx::Result<bool> {
    on!(tx, DROP_ATTEMPT, |c, sql| sqlx::query(sql).bind(id.as_str()).execute(c).await.map(drop))?;
    on!(tx, GIVE_UP, |c, sql| sqlx::query(sql).bind(true).bind(now).bind(id.as_str()).execute(c).await.map(drop))?;
    let left: i64 = on!(tx, STILL_THERE, |c, sql| sqlx::query_scalar(sql).bind(id.as_str()).fetch_one(c).await)?;
    Ok(left == 0)
}

/// Forgets what is a day old, and attempts that an earlier process left behind an hour ago.
pub async fn forget(tx: &mut Tx, now: Time) -> sqlx::Result<()> {
    let (day, hour) = (now - TimeDelta::days(1), now - TimeDelta::hours(1));
    on!(tx, FORGET, |c, sql| sqlx::query(sql).bind(day).execute(c).await.map(drop))?;
    on!(tx, FORGET_ATTEMPTS, |c, sql| sqlx::query(sql).bind(hour).execute(c).await.map(drop))
}

/// When the oldest page was made that is due and that no carrier has taken.
pub async fn oldest_pending_page(tx: &mut Tx, now: Time) -> sqlx::Result<Option<Time>> {
    on!(tx, OLDEST_PENDING_PAGE, |c, sql| sqlx::query_scalar(sql).bind(now).fetch_one(c).await)
}

/// What nodes have in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Leases {
    pub timers: i64,
    pub attempts: i64,
    pub mails: i64,
}

/// What nodes have in hand.
pub async fn leases(tx: &mut Tx, now: Time) -> sqlx::Result<Leases> {
    let horizon = now + LONGEST_LEASE;
    on!(tx, LEASES, |c, sql| sqlx::query_as(sql).bind(now).bind(horizon).fetch_one(c).await)
}

/// The size of the database, in bytes.
pub async fn size(tx: &mut Tx) -> sqlx::Result<i64> {
    on!(tx, SIZE, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)
}
