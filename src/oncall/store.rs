//! Overrides in the database.

use chrono::SubsecRound;

use super::Override;
use crate::{
    clock::Time,
    id::ScheduleKey,
    on,
    store::{Sql, Tx},
};

/// Of two who hand over the same shift, one waits for the other. SQLite has one writer.
const LOCK: Sql = Sql {
    sqlite: "select 1 from overrides where schedule = $1 limit 1",
    postgres: "select 1 from (select pg_advisory_xact_lock(hashtext($1))) as locked",
};

const INSERT: Sql = Sql::same(
    "insert into overrides (id, schedule, person, instead_of, start_at, end_at, created_by, created_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8)",
);

const CURRENT: Sql = Sql::same(
    "select id, schedule, person, instead_of, start_at, end_at, created_by, created_at from overrides \
     where end_at > $1 order by start_at, id",
);

const TOUCHING: Sql = Sql::same(
    "select id, schedule, person, instead_of, start_at, end_at, created_by, created_at from overrides \
     where schedule = $1 and end_at > $2 and start_at < $3 order by start_at, id",
);

const ONE: Sql = Sql::same(
    "select id, schedule, person, instead_of, start_at, end_at, created_by, created_at from overrides where id = $1",
);

const CUT: Sql = Sql::same("update overrides set end_at = $2 where id = $1 and start_at < $2 and end_at > $2");

const DELETE_FUTURE: Sql = Sql::same("delete from overrides where id = $1 and start_at >= $2");

type Row = (String, String, String, Option<String>, Time, Time, String, Time);

fn read((id, schedule, person, instead_of, start, end, created_by, created_at): Row) -> Override {
    Override {
        id,
        schedule: schedule.into(),
        person: person.into(),
        instead_of: instead_of.map(Into::into),
        start,
        end,
        created_by,
        created_at,
    }
}

/// The overrides that are not over at `now`, of all schedules, in order of their start.
pub async fn current(tx: &mut Tx, now: Time) -> sqlx::Result<Vec<Override>> {
    let rows: Vec<Row> = on!(tx, CURRENT, |c, sql| sqlx::query_as(sql).bind(now).fetch_all(c).await)?;
    Ok(rows.into_iter().map(read).collect())
}

/// Holds the overrides of a schedule as they are until the transaction ends.
pub async fn lock(tx: &mut Tx, schedule: &ScheduleKey) -> sqlx::Result<()> {
    on!(tx, LOCK, |c, sql| sqlx::query(sql).bind(schedule.as_str()).fetch_optional(c).await.map(drop))
}

/// The overrides of one schedule that touch `[from, to)`, past ones too, in order of their start.
pub async fn list(tx: &mut Tx, schedule: &ScheduleKey, from: Time, to: Time) -> sqlx::Result<Vec<Override>> {
    let rows: Vec<Row> = on!(tx, TOUCHING, |c, sql| {
        sqlx::query_as(sql).bind(schedule.as_str()).bind(from).bind(to).fetch_all(c).await
    })?;
    Ok(rows.into_iter().map(read).collect())
}

/// The override of this id.
pub async fn find(tx: &mut Tx, id: &str) -> sqlx::Result<Option<Override>> {
    let row: Option<Row> = on!(tx, ONE, |c, sql| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    Ok(row.map(read))
}

/// Writes an override down, to the microsecond. [`Override::check`] it first: here, only one that does not end after
/// it starts is refused (as [`sqlx::Error::Encode`]).
pub async fn insert(tx: &mut Tx, new: &Override) -> sqlx::Result<()> {
    let (start, end) = (new.start.trunc_subsecs(6), new.end.trunc_subsecs(6));
    if start >= end {
        return Err(sqlx::Error::Encode("an override must end after it starts".into()));
    }
    on!(tx, INSERT, |c, sql| {
        sqlx::query(sql)
            .bind(&new.id)
            .bind(new.schedule.as_str())
            .bind(new.person.as_str())
            .bind(new.instead_of.as_ref().map(|person| person.as_str()))
            .bind(start)
            .bind(end)
            .bind(&new.created_by)
            .bind(new.created_at.trunc_subsecs(6))
            .execute(c)
            .await
            .map(drop)
    })
}

/// What became of an override that was to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was running and ends now; this is how it stands.
    Cut(Override),
    /// It had not begun and is gone; this is what it was.
    Deleted(Override),
    /// It was over before.
    Over(Override),
    /// There is none of this id.
    Unknown,
}

/// Ends an override: one that runs ends at `now`, one that has not begun is deleted, one that is over stays.
pub async fn end(tx: &mut Tx, id: &str, now: Time) -> sqlx::Result<Ended> {
    let Some(found) = find(tx, id).await? else { return Ok(Ended::Unknown) };
    let deleted = on!(tx, DELETE_FUTURE, |c, sql| {
        sqlx::query(sql).bind(id).bind(now).execute(c).await.map(|done| done.rows_affected())
    })?;
    if deleted > 0 {
        return Ok(Ended::Deleted(found));
    }
    let cut = on!(tx, CUT, |c, sql| {
        sqlx::query(sql).bind(id).bind(now).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(if cut > 0 { Ended::Cut(Override { end: now, ..found }) } else { Ended::Over(found) })
}

/// Every statement here, for the test that prepares them on both databases.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("oncall::LOCK", LOCK),
    ("oncall::INSERT", INSERT),
    ("oncall::CURRENT", CURRENT),
    ("oncall::TOUCHING", TOUCHING),
    ("oncall::ONE", ONE),
    ("oncall::CUT", CUT),
    ("oncall::DELETE_FUTURE", DELETE_FUTURE),
];
