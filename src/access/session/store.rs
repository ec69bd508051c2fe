//! Sessions in the database.

use super::How;
use crate::{
    access::Role,
    clock::Time,
    on,
    store::{Sql, Tx},
};

/// One sign-in of one browser.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Session {
    /// SHA-256 of what the cookie holds, in hex.
    pub id: String,
    pub person: Option<String>,
    /// The name of the password that was given.
    pub account: Option<String>,
    pub name: String,
    /// What they may do who are neither a person nor have a password.
    pub role: Option<Role>,
    pub how: How,
    pub network: Option<String>,
    pub agent: Option<String>,
    pub created_at: Time,
    pub last_seen_at: Time,
    pub expires_at: Time,
    pub ended_at: Option<Time>,
    /// The password, if it is still there, and what its owner may do.
    pub account_found: Option<String>,
    pub account_role: Option<Role>,
}

macro_rules! columns {
    () => {
        "select sessions.id, sessions.person, sessions.account, sessions.name, sessions.role, sessions.how, \
         sessions.network, sessions.agent, sessions.created_at, sessions.last_seen_at, sessions.expires_at, \
         sessions.ended_at, passwords.name as account_found, passwords.role as account_role \
         from sessions left join passwords on passwords.name = sessions.account \
         and passwords.person is not distinct from sessions.person "
    };
}

const INSERT: Sql = Sql::same(
    "insert into sessions (id, person, account, name, role, how, network, agent, created_at, last_seen_at, expires_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
);
const FIND: Sql = Sql::same(concat!(columns!(), "where sessions.id = $1"));
const SEEN: Sql = Sql::same("update sessions set last_seen_at = $2 where id = $1 and last_seen_at < $2");
const END: Sql = Sql::same("update sessions set ended_at = $2 where id = $1 and ended_at is null");
const END_ALL_OF: Sql = Sql::same("update sessions set ended_at = $2 where person = $1 and ended_at is null");
const END_ALL_OF_ACCOUNT: Sql = Sql::same("update sessions set ended_at = $2 where account = $1 and ended_at is null");
const PURGE: Sql = Sql::same("delete from sessions where expires_at < $1 or ended_at < $1");
const OF_PERSON: Sql = Sql::same(concat!(
    columns!(),
    "where sessions.person = $1 and sessions.ended_at is null and sessions.expires_at > $2 \
     order by sessions.last_seen_at desc, sessions.id limit 100"
));
const OF_ACCOUNT: Sql = Sql::same(concat!(
    columns!(),
    "where sessions.account = $1 and sessions.ended_at is null and sessions.expires_at > $2 \
     order by sessions.last_seen_at desc, sessions.id limit 100"
));

/// Adds one.
pub async fn insert(tx: &mut Tx, session: &Session) -> sqlx::Result<()> {
    on!(tx, INSERT, |c, sql| sqlx::query(sql)
        .bind(&session.id)
        .bind(&session.person)
        .bind(&session.account)
        .bind(&session.name)
        .bind(session.role)
        .bind(session.how)
        .bind(&session.network)
        .bind(&session.agent)
        .bind(session.created_at)
        .bind(session.last_seen_at)
        .bind(session.expires_at)
        .execute(c)
        .await
        .map(drop))
}

/// The session of this id, whether or not it still holds.
pub async fn find(tx: &mut Tx, id: &str) -> sqlx::Result<Option<Session>> {
    on!(tx, FIND, |c, sql| sqlx::query_as(sql).bind(id).fetch_optional(c).await)
}

/// Somebody is still there.
pub async fn seen(tx: &mut Tx, id: &str, now: Time) -> sqlx::Result<()> {
    on!(tx, SEEN, |c, sql| sqlx::query(sql).bind(id).bind(now).execute(c).await.map(drop))
}

/// Ends one. False when none of this id still ran.
pub async fn end(tx: &mut Tx, id: &str, now: Time) -> sqlx::Result<bool> {
    let done =
        on!(tx, END, |c, sql| sqlx::query(sql).bind(id).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Ends those of a person; says how many.
pub async fn end_all_of(tx: &mut Tx, person: &str, now: Time) -> sqlx::Result<u64> {
    on!(tx, END_ALL_OF, |c, sql| sqlx::query(sql)
        .bind(person)
        .bind(now)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}

/// Ends those that began with a password; says how many.
pub async fn end_all_of_account(tx: &mut Tx, account: &str, now: Time) -> sqlx::Result<u64> {
    on!(tx, END_ALL_OF_ACCOUNT, |c, sql| sqlx::query(sql)
        .bind(account)
        .bind(now)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}

/// Those of a person that were not ended, the one used last first.
pub async fn of_person(tx: &mut Tx, person: &str, now: Time) -> sqlx::Result<Vec<Session>> {
    on!(tx, OF_PERSON, |c, sql| sqlx::query_as(sql).bind(person).bind(now).fetch_all(c).await)
}

/// Those that began with a password and were not ended, the one used last first.
pub async fn of_account(tx: &mut Tx, account: &str, now: Time) -> sqlx::Result<Vec<Session>> {
    on!(tx, OF_ACCOUNT, |c, sql| sqlx::query_as(sql).bind(account).bind(now).fetch_all(c).await)
}

/// Forgets those that were over before `before`.
pub async fn purge(tx: &mut Tx, before: Time) -> sqlx::Result<()> {
    on!(tx, PURGE, |c, sql| sqlx::query(sql).bind(before).execute(c).await.map(drop))
}

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("insert", INSERT),
    ("find", FIND),
    ("seen", SEEN),
    ("end", END),
    ("end_all_of", END_ALL_OF),
    ("end_all_of_account", END_ALL_OF_ACCOUNT),
    ("purge", PURGE),
    ("of_person", OF_PERSON),
    ("of_account", OF_ACCOUNT),
];
