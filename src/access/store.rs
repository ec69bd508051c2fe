//! Which tokens exist, and which were revoked.

use super::{Claims, Role};
use crate::{
    clock::Time,
    on,
    store::{Sql, Tx},
};

/// A token, without its text, which is not kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Token {
    pub jti: String,
    pub name: String,
    pub role: Role,
    pub created_at: Time,
    pub expires_at: Option<Time>,
    pub revoked_at: Option<Time>,
}

const INSERT: Sql =
    Sql::same("insert into tokens (jti, name, role, created_at, expires_at) values ($1, $2, $3, $4, $5)");

/// Writes a new token down.
pub async fn insert(tx: &mut Tx, claims: &Claims, now: Time) -> sqlx::Result<()> {
    let expires_at = claims.exp.and_then(|at| Time::from_timestamp(at, 0));
    on!(tx, INSERT, |c, sql| sqlx::query(sql)
        .bind(&claims.jti)
        .bind(&claims.sub)
        .bind(claims.role)
        .bind(now)
        .bind(expires_at)
        .execute(c)
        .await
        .map(drop))
}

const REVOKE: Sql = Sql::same("update tokens set revoked_at = $2 where jti = $1 and revoked_at is null returning jti");

/// Revokes a token. False when there is none of this id that still held.
pub async fn revoke(tx: &mut Tx, jti: &str, now: Time) -> sqlx::Result<bool> {
    on!(tx, REVOKE, |c, sql| sqlx::query(sql).bind(jti).bind(now).fetch_optional(c).await.map(|row| row.is_some()))
}

const LIST: Sql = Sql::same(
    "select jti, name, role, created_at, expires_at, revoked_at from tokens \
     where jti < $1 order by jti desc limit $2",
);

/// Tokens, newest first, older than the id `before`.
pub async fn list(tx: &mut Tx, before: Option<&str>, limit: i64) -> sqlx::Result<Vec<Token>> {
    // Above every id, in every language's order: letters and digits, beginning with `tok_`.
    let before = before.unwrap_or("zzzz");
    on!(tx, LIST, |c, sql| sqlx::query_as(sql).bind(before).bind(limit).fetch_all(c).await)
}

const HOLDS: Sql = Sql::same("select jti from tokens where jti = $1 and revoked_at is null");

/// Whether a token must be refused: it was revoked, or this database never knew it.
pub async fn is_revoked(tx: &mut Tx, jti: &str) -> sqlx::Result<bool> {
    on!(tx, HOLDS, |c, sql| sqlx::query(sql).bind(jti).fetch_optional(c).await.map(|row| row.is_none()))
}

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[("insert", INSERT), ("revoke", REVOKE), ("list", LIST), ("holds", HOLDS)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Db;

    #[tokio::test]
    async fn a_token_holds_from_its_making_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("t.db").display())).await.unwrap();
        let now = "2026-11-01T12:00:00Z".parse().unwrap();
        let claims = Claims::new("ci", Role::Intake, None, None, now);
        let mut tx = db.begin().await.unwrap();
        assert!(is_revoked(&mut tx, &claims.jti).await.unwrap(), "not known yet");
        insert(&mut tx, &claims, now).await.unwrap();
        assert!(!is_revoked(&mut tx, &claims.jti).await.unwrap());
        assert!(revoke(&mut tx, &claims.jti, now).await.unwrap());
        assert!(!revoke(&mut tx, &claims.jti, now).await.unwrap(), "only once");
        assert!(is_revoked(&mut tx, &claims.jti).await.unwrap());
        let listed = list(&mut tx, None, 10).await.unwrap();
        assert_eq!((listed.len(), listed[0].role, listed[0].revoked_at), (1, Role::Intake, Some(now)));
        assert!(list(&mut tx, Some(&claims.jti), 10).await.unwrap().is_empty());
        tx.commit().await.unwrap();
    }
}
