//! The audit in the database.

use crate::{
    clock::Time,
    on,
    store::{Sql, Tx},
};

/// No detail is longer.
const LONGEST: usize = 300;

/// One entry to write. Nothing in it is a secret, a phone number or a mail address.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry<'a> {
    /// A person's key, an account, a token's name, or one of [`super::HERE`] and [`super::ITSELF`].
    pub who: &'a str,
    /// One of [`super::what`].
    pub what: &'a str,
    /// From which network, where it is known ([`crate::access::network`]).
    pub network: Option<&'a str>,
    /// About what: a role, an id, a way.
    pub detail: Option<&'a str>,
}

/// One entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Noted {
    /// `aud_…`, sorted by time.
    pub id: String,
    pub at: Time,
    pub who: String,
    pub what: String,
    pub network: Option<String>,
    pub detail: Option<String>,
}

const NOTE: Sql = Sql::same("insert into audit (id, at, who, what, network, detail) values ($1, $2, $3, $4, $5, $6)");
const LIST: Sql =
    Sql::same("select id, at, who, what, network, detail from audit where id < $1 order by id desc limit $2");
const PURGE: Sql = Sql::same("delete from audit where at < $1");

/// Writes an entry, in the transaction of what it is about.
pub async fn note(tx: &mut Tx, entry: Entry<'_>, now: Time) -> sqlx::Result<()> {
    let cut = |text: &str| text.chars().filter(|c| !c.is_control()).take(LONGEST).collect::<String>();
    on!(tx, NOTE, |c, sql| sqlx::query(sql)
        .bind(crate::id::fresh("aud"))
        .bind(now)
        .bind(cut(entry.who))
        .bind(entry.what)
        .bind(entry.network)
        .bind(entry.detail.map(cut))
        .execute(c)
        .await
        .map(drop))
}

/// Entries, newest first, older than the id `before`.
pub async fn list(tx: &mut Tx, before: Option<&str>, limit: i64) -> sqlx::Result<Vec<Noted>> {
    // Above every id, in every language's order.
    let before = before.unwrap_or("zzzz");
    on!(tx, LIST, |c, sql| sqlx::query_as(sql).bind(before).bind(limit).fetch_all(c).await)
}

/// Forgets what was before.
pub async fn purge(tx: &mut Tx, before: Time) -> sqlx::Result<()> {
    on!(tx, PURGE, |c, sql| sqlx::query(sql).bind(before).execute(c).await.map(drop))
}

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[("note", NOTE), ("list", LIST), ("purge", PURGE)];
