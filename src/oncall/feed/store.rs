//! Calendar feeds in the database.

use super::{Feed, Subject};
use crate::{
    clock::Time,
    on,
    store::{Sql, Tx},
};

const INSERT: Sql =
    Sql::same("insert into feeds (id, token, person, schedule, owner, created_at) values ($1, $2, $3, $4, $5, $6)");
const OF_OWNER: Sql = Sql::same(
    "select id, person, schedule, owner, created_at, read_at from feeds \
     where owner = $1 and revoked_at is null order by created_at, id limit 100",
);
const BY_TOKEN: Sql = Sql::same(
    "select id, person, schedule, owner, created_at, read_at from feeds where token = $1 and revoked_at is null",
);
const READ: Sql = Sql::same("update feeds set read_at = $2 where id = $1");
const REVOKE: Sql =
    Sql::same("update feeds set revoked_at = $3 where id = $1 and owner = $2 and revoked_at is null returning id");

/// Every statement of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("feed::INSERT", INSERT),
    ("feed::OF_OWNER", OF_OWNER),
    ("feed::BY_TOKEN", BY_TOKEN),
    ("feed::READ", READ),
    ("feed::REVOKE", REVOKE),
];

type Row = (String, Option<String>, Option<String>, String, Time, Option<Time>);

fn read((id, person, schedule, owner, created_at, read_at): Row) -> Option<Feed> {
    let subject = match (person, schedule) {
        (Some(person), _) => Subject::Person(person.into()),
        (None, Some(schedule)) => Subject::Schedule(schedule.into()),
        (None, None) => return None,
    };
    Some(Feed { id, subject, owner, created_at, read_at })
}

/// Writes a new feed down, by its token's digest.
pub async fn insert(tx: &mut Tx, feed: &Feed, digest: &str) -> sqlx::Result<()> {
    let (person, schedule) = match &feed.subject {
        Subject::Person(key) => (Some(key.as_str()), None),
        Subject::Schedule(key) => (None, Some(key.as_str())),
    };
    on!(tx, INSERT, |c, sql| sqlx::query(sql)
        .bind(&feed.id)
        .bind(digest)
        .bind(person)
        .bind(schedule)
        .bind(&feed.owner)
        .bind(feed.created_at)
        .execute(c)
        .await
        .map(drop))
}

/// The feeds that somebody made and did not revoke, oldest first.
pub async fn of_owner(tx: &mut Tx, owner: &str) -> sqlx::Result<Vec<Feed>> {
    let rows: Vec<Row> = on!(tx, OF_OWNER, |c, sql| sqlx::query_as(sql).bind(owner).fetch_all(c).await)?;
    Ok(rows.into_iter().filter_map(read).collect())
}

/// The feed of a token's digest, unless it was revoked.
pub async fn by_token(tx: &mut Tx, digest: &str) -> sqlx::Result<Option<Feed>> {
    let row: Option<Row> = on!(tx, BY_TOKEN, |c, sql| sqlx::query_as(sql).bind(digest).fetch_optional(c).await)?;
    Ok(row.and_then(read))
}

/// Notes that a calendar read it.
pub async fn seen(tx: &mut Tx, id: &str, now: Time) -> sqlx::Result<()> {
    on!(tx, READ, |c, sql| sqlx::query(sql).bind(id).bind(now).execute(c).await.map(drop))
}

/// Revokes a feed of `owner`. False when they have none of this id.
pub async fn revoke(tx: &mut Tx, id: &str, owner: &str, now: Time) -> sqlx::Result<bool> {
    on!(tx, REVOKE, |c, sql| sqlx::query(sql)
        .bind(id)
        .bind(owner)
        .bind(now)
        .fetch_optional(c)
        .await
        .map(|row| row.is_some()))
}
