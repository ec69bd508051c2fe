//! Which lines their owners proved, in the database.

use crate::{
    clock::Time,
    on,
    store::{Sql, Tx},
};

/// A line of a person that works: somebody there read or heard a code.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Proof {
    pub person: String,
    /// E.164. It holds for this number alone: a line whose number was changed is not proven any more.
    pub address: String,
    /// `sms` or `voice`.
    pub channel: String,
    pub proven_at: Time,
}

const RECORD: Sql = Sql::same(
    "insert into proofs (person, address, channel, proven_at) values ($1, $2, $3, $4) \
     on conflict (person, address, channel) do update set proven_at = excluded.proven_at",
);
const OF_PERSON: Sql = Sql::same(
    "select person, address, channel, proven_at from proofs where person = $1 order by address, channel limit 200",
);
const ALL: Sql =
    Sql::same("select person, address, channel, proven_at from proofs order by person, address, channel limit 10000");

/// A line was proven.
pub async fn record(tx: &mut Tx, person: &str, address: &str, channel: &str, now: Time) -> sqlx::Result<()> {
    on!(tx, RECORD, |c, sql| sqlx::query(sql)
        .bind(person)
        .bind(address)
        .bind(channel)
        .bind(now)
        .execute(c)
        .await
        .map(drop))
}

/// What a person proved.
pub async fn of_person(tx: &mut Tx, person: &str) -> sqlx::Result<Vec<Proof>> {
    on!(tx, OF_PERSON, |c, sql| sqlx::query_as(sql).bind(person).fetch_all(c).await)
}

/// What anybody proved.
pub async fn all(tx: &mut Tx) -> sqlx::Result<Vec<Proof>> {
    on!(tx, ALL, |c, sql| sqlx::query_as(sql).fetch_all(c).await)
}

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[("record", RECORD), ("of_person", OF_PERSON), ("all", ALL)];
