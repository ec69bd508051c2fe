//! What the API reads beside the incidents themselves, and the answers it keeps.

use std::collections::BTreeMap;

use crate::{
    clock::Time,
    id::IncidentId,
    on,
    paging::{Outcome, Purpose, Stage},
    store::{Sql, Tx},
};

/// An attempt, as one who asks why sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AttemptRow {
    pub id: String,
    pub page_id: Option<String>,
    pub purpose: Purpose,
    pub person: Option<String>,
    pub channel: String,
    pub address: String,
    pub stage: Stage,
    pub outcome: Option<Outcome>,
    pub body: Option<String>,
    pub carrier: Option<String>,
    pub sid: Option<String>,
    pub status: Option<String>,
    pub error_code: Option<String>,
    pub reason: Option<String>,
    pub tries: i64,
    pub created_at: Time,
    pub sent_at: Option<Time>,
    pub answered_at: Option<Time>,
    pub ended_at: Option<Time>,
    pub expires_at: Time,
}

const ATTEMPTS: Sql = Sql::same(
    "select id, page_id, purpose, person, channel, address, stage, outcome, body, carrier, sid, status, error_code, \
     reason, tries, created_at, sent_at, answered_at, ended_at, expires_at \
     from attempts where incident_id = $1 and id > $2 order by id limit $3",
);

/// An incident's attempts, oldest first, after the id `after`.
pub async fn attempts(
    tx: &mut Tx,
    incident: &IncidentId,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<AttemptRow>> {
    on!(tx, ATTEMPTS, |c, sql| sqlx::query_as(sql)
        .bind(incident.as_str())
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(c)
        .await)
}

/// An answer that was given.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Kept {
    /// The digest of the request it was given to.
    pub request: String,
    pub status: i64,
    pub body: String,
}

const CLAIM_KEY: Sql = Sql::same(
    "insert into idempotency (token, key, request, status, body, created_at) values ($1, $2, $3, 0, '', $4) \
     on conflict (token, key) do nothing returning key",
);

/// Takes a key for a request that begins; false when it was taken before.
pub async fn claim_key(tx: &mut Tx, token: &str, key: &str, request: &str, now: Time) -> sqlx::Result<bool> {
    on!(tx, CLAIM_KEY, |c, sql| sqlx::query(sql)
        .bind(token)
        .bind(key)
        .bind(request)
        .bind(now)
        .fetch_optional(c)
        .await
        .map(|row| row.is_some()))
}

const KEEP_ANSWER: Sql = Sql::same("update idempotency set status = $3, body = $4 where token = $1 and key = $2");

/// Keeps the answer of a request whose key was taken.
pub async fn keep_answer(tx: &mut Tx, token: &str, key: &str, status: i64, body: &str) -> sqlx::Result<()> {
    on!(tx, KEEP_ANSWER, |c, sql| sqlx::query(sql)
        .bind(token)
        .bind(key)
        .bind(status)
        .bind(body)
        .execute(c)
        .await
        .map(drop))
}

const ANSWER: Sql = Sql::same("select request, status, body from idempotency where token = $1 and key = $2");

/// The answer kept for a key.
pub async fn answer(tx: &mut Tx, token: &str, key: &str) -> sqlx::Result<Option<Kept>> {
    on!(tx, ANSWER, |c, sql| sqlx::query_as(sql).bind(token).bind(key).fetch_optional(c).await)
}

const FORGET_ANSWERS: Sql = Sql::same("delete from idempotency where created_at < $1");

/// Drops the answers from before an instant.
pub async fn forget_answers(tx: &mut Tx, before: Time) -> sqlx::Result<()> {
    on!(tx, FORGET_ANSWERS, |c, sql| sqlx::query(sql).bind(before).execute(c).await.map(drop))
}

const OPEN_COUNTS: Sql = Sql::same("select priority, count(*) from incidents where phase = 'open' group by priority");

/// How many incidents are open, by priority.
pub async fn open_counts(tx: &mut Tx) -> sqlx::Result<BTreeMap<String, i64>> {
    let rows: Vec<(String, i64)> = on!(tx, OPEN_COUNTS, |c, sql| sqlx::query_as(sql).fetch_all(c).await)?;
    Ok(rows.into_iter().collect())
}

const OVERDUE: Sql = Sql::same("select min(due_at) from timers where wake_at <= $1");

/// The earliest instant that is past and not yet seen to.
pub async fn overdue(tx: &mut Tx, now: Time) -> sqlx::Result<Option<Time>> {
    on!(tx, OVERDUE, |c, sql| sqlx::query_scalar(sql).bind(now).fetch_one(c).await)
}

const UNSENT: Sql = Sql::same("select count(*) from attempts where wake_at <= $1 and purpose <> 'heartbeat'");

/// How many attempts should be on their way and are not.
pub async fn unsent(tx: &mut Tx, now: Time) -> sqlx::Result<i64> {
    on!(tx, UNSENT, |c, sql| sqlx::query_scalar(sql).bind(now).fetch_one(c).await)
}

const PROBE: Sql = Sql::same("update uptime set ended_at = ended_at where id = ''");

/// Takes the write lock and changes nothing.
pub async fn probe(tx: &mut Tx) -> sqlx::Result<()> {
    on!(tx, PROBE, |c, sql| sqlx::query(sql).execute(c).await.map(drop))
}

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("attempts", ATTEMPTS),
    ("claim_key", CLAIM_KEY),
    ("keep_answer", KEEP_ANSWER),
    ("answer", ANSWER),
    ("forget_answers", FORGET_ANSWERS),
    ("open_counts", OPEN_COUNTS),
    ("overdue", OVERDUE),
    ("unsent", UNSENT),
    ("probe", PROBE),
];
