//! The intake log, and which open incident a sender's key means, in the database.

use chrono::TimeDelta;
use sqlx::Row;

use super::{Received, signal::Outcome};
use crate::{
    clock::Time,
    id::{IncidentId, IntakeId, IntegrationKey},
    on,
    sla::Priority,
    store::{Sql, Tx},
};

const INSERT: Sql = Sql::same(
    "insert into intake (id, received_at, door, integration, remote, headers, body, status, verdict, incident_ids) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);
const TRIM_STRAYS: Sql = Sql::same(
    "delete from intake where integration is null and id <= \
     (select id from intake where integration is null order by id desc limit 1 offset $1)",
);
const LIST: Sql = Sql::same(
    "select id, received_at, door, integration, remote, headers, body, status, verdict, incident_ids \
     from intake where id < $1 order by id desc limit $2",
);
const OF_INCIDENT: Sql = Sql::same(
    "select id, received_at, door, integration, remote, headers, body, status, verdict, incident_ids \
     from intake where id < $1 and incident_ids like $2 order by id desc limit $3",
);
const GET: Sql = Sql::same(
    "select id, received_at, door, integration, remote, headers, body, status, verdict, incident_ids \
     from intake where id = $1",
);
const PURGE_INTAKE: Sql = Sql::same("delete from intake where received_at < $1");
const PURGE_WEBHOOK_IDS: Sql = Sql::same("delete from webhook_ids where seen_at < $1");
const PURGE_DEDUP: Sql = Sql::same(
    "delete from dedup where incident_id in (select id from incidents where phase <> 'open' and updated_at < $1)",
);
// The update changes nothing: it takes the row's lock, so that a second claim waits for the first to commit.
const CLAIM: Sql = Sql::same(
    "insert into dedup (integration, dedup_key) values ($1, $2) \
     on conflict (integration, dedup_key) do update set dedup_key = excluded.dedup_key",
);
const OPEN: Sql = Sql::same(
    "select d.incident_id, d.priority from dedup d join incidents i on i.id = d.incident_id \
     where d.integration = $1 and d.dedup_key = $2 and i.phase = 'open'",
);
const HOLD: Sql =
    Sql::same("update dedup set incident_id = $3, priority = $4 where integration = $1 and dedup_key = $2");
const SEE_WEBHOOK: Sql = Sql::same(
    "insert into webhook_ids (integration, webhook_id, seen_at) values ($1, $2, $3) \
     on conflict (integration, webhook_id) do update set webhook_id = excluded.webhook_id returning answer",
);
const ANSWER_WEBHOOK: Sql = Sql::same("update webhook_ids set answer = $3 where integration = $1 and webhook_id = $2");

/// How many payloads of strangers are kept; the newest.
pub const STRAYS: i64 = 500;

/// How long the ids of signed webhooks are kept beyond the payloads: longer than the retries of Standard Webhooks.
const WEBHOOK_IDS: TimeDelta = TimeDelta::days(4);

/// The most payloads given at once.
pub const LIST_LIMIT: i64 = 200;

/// Keeps a payload.
pub async fn keep(tx: &mut Tx, received: &Received) -> sqlx::Result<()> {
    let headers = text_of(&received.headers)?;
    let incident_ids = text_of(&received.incident_ids)?;
    on!(tx, INSERT, |c, sql| sqlx::query(sql)
        .bind(received.id.as_str())
        .bind(received.received_at)
        .bind(&received.door)
        .bind(received.integration.as_ref().map(IntegrationKey::as_str))
        .bind(&received.remote)
        .bind(&headers)
        .bind(&received.body)
        .bind(i64::from(received.status))
        .bind(&received.verdict)
        .bind(&incident_ids)
        .execute(c)
        .await
        .map(|_| ()))
}

/// Keeps a stranger's payload; only the newest [`STRAYS`] of them stay.
pub async fn keep_stray(tx: &mut Tx, received: &Received) -> sqlx::Result<()> {
    keep(tx, received).await?;
    on!(tx, TRIM_STRAYS, |c, sql| sqlx::query(sql).bind(STRAYS).execute(c).await.map(|_| ()))
}

/// Above every id: the digits end with `z`.
fn newest() -> IntakeId {
    format!("int_{}", "z".repeat(27)).into()
}

/// The payloads that reached one incident, newest first, at most [`LIST_LIMIT`]; those older than `before`.
pub async fn of_incident(
    tx: &mut Tx,
    incident: &IncidentId,
    before: Option<IntakeId>,
    limit: i64,
) -> sqlx::Result<Vec<Received>> {
    let (before, limit) = (before.unwrap_or_else(newest), limit.clamp(0, LIST_LIMIT));
    // Ids are letters, digits and `_`, which stands for itself too; anything else names nothing.
    let known: String = incident.as_str().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    on!(tx, OF_INCIDENT, |c, sql| sqlx::query(sql)
        .bind(before.as_str())
        .bind(format!("%\"{known}\"%"))
        .bind(limit)
        .fetch_all(c)
        .await?
        .iter()
        .map(received)
        .collect())
}

/// The payloads received, newest first, at most [`LIST_LIMIT`]; those older than `before`.
pub async fn list(tx: &mut Tx, before: Option<IntakeId>, limit: i64) -> sqlx::Result<Vec<Received>> {
    let before = before.unwrap_or_else(newest);
    let limit = limit.clamp(0, LIST_LIMIT);
    on!(tx, LIST, |c, sql| sqlx::query(sql)
        .bind(before.as_str())
        .bind(limit)
        .fetch_all(c)
        .await?
        .iter()
        .map(received)
        .collect())
}

/// One payload.
pub async fn get(tx: &mut Tx, id: &IntakeId) -> sqlx::Result<Option<Received>> {
    on!(tx, GET, |c, sql| sqlx::query(sql)
        .bind(id.as_str())
        .fetch_optional(c)
        .await?
        .as_ref()
        .map(received)
        .transpose())
}

/// Forgets payloads received before `before`, and what else is no longer needed of them. Gives back how many
/// payloads went.
pub async fn purge(tx: &mut Tx, before: Time) -> sqlx::Result<u64> {
    on!(tx, PURGE_WEBHOOK_IDS, |c, sql| sqlx::query(sql).bind(before - WEBHOOK_IDS).execute(c).await.map(|_| ()))?;
    on!(tx, PURGE_DEDUP, |c, sql| sqlx::query(sql).bind(before).execute(c).await.map(|_| ()))?;
    on!(tx, PURGE_INTAKE, |c, sql| sqlx::query(sql).bind(before).execute(c).await.map(|done| done.rows_affected()))
}

/// The open incident a key means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub incident: IncidentId,
    /// The gravest priority the sender ever gave it.
    pub reported: Option<Priority>,
}

/// Takes a key for this transaction: another that claims it waits until this one ends. Gives back its open incident.
pub async fn claim(tx: &mut Tx, integration: &IntegrationKey, dedup_key: &str) -> sqlx::Result<Option<Held>> {
    on!(tx, CLAIM, |c, sql| sqlx::query(sql).bind(integration.as_str()).bind(dedup_key).execute(c).await.map(|_| ()))?;
    open(tx, integration, dedup_key).await
}

/// The open incident a key means.
pub async fn open(tx: &mut Tx, integration: &IntegrationKey, dedup_key: &str) -> sqlx::Result<Option<Held>> {
    let row: Option<(String, Option<String>)> = on!(tx, OPEN, |c, sql| sqlx::query_as(sql)
        .bind(integration.as_str())
        .bind(dedup_key)
        .fetch_optional(c)
        .await?);
    Ok(row.map(|(incident, priority)| Held {
        incident: incident.into(),
        reported: priority.and_then(|word| word.parse().ok()),
    }))
}

/// From now on the key, which was claimed, means this incident.
pub async fn hold(tx: &mut Tx, integration: &IntegrationKey, dedup_key: &str, held: &Held) -> sqlx::Result<()> {
    on!(tx, HOLD, |c, sql| sqlx::query(sql)
        .bind(integration.as_str())
        .bind(dedup_key)
        .bind(held.incident.as_str())
        .bind(held.reported.map(|priority| priority.to_string()))
        .execute(c)
        .await
        .map(|_| ()))
}

/// Notes a signed webhook's id. If it was taken before: what was answered then.
pub async fn see_webhook(
    tx: &mut Tx,
    integration: &IntegrationKey,
    webhook_id: &str,
    now: Time,
) -> sqlx::Result<Option<Vec<Outcome>>> {
    let (answer,): (Option<String>,) = on!(tx, SEE_WEBHOOK, |c, sql| sqlx::query_as(sql)
        .bind(integration.as_str())
        .bind(webhook_id)
        .bind(now)
        .fetch_one(c)
        .await?);
    answer.map(|text| serde_json::from_str(&text).map_err(decode_error)).transpose()
}

/// Keeps what is answered to a signed webhook, for when it comes again.
pub async fn answer_webhook(
    tx: &mut Tx,
    integration: &IntegrationKey,
    webhook_id: &str,
    outcomes: &[Outcome],
) -> sqlx::Result<()> {
    let answer = text_of(&outcomes)?;
    on!(tx, ANSWER_WEBHOOK, |c, sql| sqlx::query(sql)
        .bind(integration.as_str())
        .bind(webhook_id)
        .bind(&answer)
        .execute(c)
        .await
        .map(|_| ()))
}

fn received<R: Row>(row: &R) -> sqlx::Result<Received>
where
    for<'r> &'r str: sqlx::ColumnIndex<R>,
    for<'r> String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> Time: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> Option<String>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    Ok(Received {
        id: row.try_get::<String, _>("id")?.into(),
        received_at: row.try_get("received_at")?,
        door: row.try_get("door")?,
        integration: row.try_get::<Option<String>, _>("integration")?.map(IntegrationKey::from),
        remote: row.try_get("remote")?,
        headers: serde_json::from_str(&row.try_get::<String, _>("headers")?).map_err(decode_error)?,
        body: row.try_get("body")?,
        status: u16::try_from(row.try_get::<i64, _>("status")?).unwrap_or_default(),
        verdict: row.try_get("verdict")?,
        incident_ids: serde_json::from_str(&row.try_get::<String, _>("incident_ids")?).map_err(decode_error)?,
    })
}

fn text_of<T: serde::Serialize>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

fn decode_error(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// Every statement here, for the test that PostgreSQL takes them.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("intake insert", INSERT),
    ("intake trim strays", TRIM_STRAYS),
    ("intake list", LIST),
    ("intake of incident", OF_INCIDENT),
    ("intake get", GET),
    ("intake purge", PURGE_INTAKE),
    ("intake purge webhook ids", PURGE_WEBHOOK_IDS),
    ("intake purge dedup", PURGE_DEDUP),
    ("dedup claim", CLAIM),
    ("dedup open", OPEN),
    ("dedup hold", HOLD),
    ("webhook see", SEE_WEBHOOK),
    ("webhook answer", ANSWER_WEBHOOK),
];
