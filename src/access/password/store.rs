//! Passwords in the database.

use crate::{
    access::Role,
    clock::Time,
    on,
    store::{Sql, Tx},
};

/// A password, as its hash.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Password {
    /// As people type it, in small letters.
    pub name: String,
    /// argon2id, in PHC form.
    pub hash: String,
    /// What its owner may do, where it belongs to no person.
    pub role: Option<Role>,
    /// A person of people.toml, whose role holds.
    pub person: Option<String>,
    pub created_at: Time,
    pub changed_at: Time,
}

const FIND: Sql = Sql::same("select name, hash, role, person, created_at, changed_at from passwords where name = $1");
const SET: Sql = Sql::same(
    "insert into passwords (name, hash, role, person, created_at, changed_at) values ($1, $2, $3, $4, $5, $5) \
     on conflict (name) do update set hash = excluded.hash, role = excluded.role, person = excluded.person, \
     changed_at = excluded.changed_at",
);
const REMOVE: Sql = Sql::same("delete from passwords where name = $1");
const ANY: Sql = Sql::same("select count(*) from passwords");

/// The password of this name.
pub async fn find(tx: &mut Tx, name: &str) -> sqlx::Result<Option<Password>> {
    on!(tx, FIND, |c, sql| sqlx::query_as(sql).bind(name).fetch_optional(c).await)
}

/// Sets or changes one: with a role, or with the person whose role holds.
pub async fn set(
    tx: &mut Tx,
    name: &str,
    hash: &str,
    role: Option<Role>,
    person: Option<&str>,
    now: Time,
) -> sqlx::Result<()> {
    on!(tx, SET, |c, sql| sqlx::query(sql)
        .bind(name)
        .bind(hash)
        .bind(role)
        .bind(person)
        .bind(now)
        .execute(c)
        .await
        .map(drop))
}

/// Takes one away. False when there is none of this name.
pub async fn remove(tx: &mut Tx, name: &str) -> sqlx::Result<bool> {
    let gone = on!(tx, REMOVE, |c, sql| sqlx::query(sql).bind(name).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(gone == 1)
}

/// Whether anybody has one.
pub async fn any(tx: &mut Tx) -> sqlx::Result<bool> {
    let count: i64 = on!(tx, ANY, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?;
    Ok(count > 0)
}

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[("find", FIND), ("set", SET), ("remove", REMOVE), ("any", ANY)];
