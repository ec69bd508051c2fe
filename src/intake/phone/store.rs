//! Calls and wrong PINs in the database.

use super::call::{Answers, CallRecord};
use crate::{
    clock::Time,
    id::IncidentId,
    on,
    store::{Sql, Tx},
};

/// Inserts a call at its first ring. Answers false when it is there already.
///
/// # Errors
/// When the database does not take it.
pub async fn insert(tx: &mut Tx, call: &CallRecord) -> sqlx::Result<bool> {
    let answers = encode(&call.answers)?;
    let hotline = call.hotline.as_ref().map(|key| key.as_str());
    let customer = call.customer.as_ref().map(|key| key.as_str());
    let rows = on!(tx, INSERT, |c, sql| sqlx::query(sql)
        .bind(call.id.as_str())
        .bind(&call.carrier)
        .bind(&call.sid)
        .bind(hotline)
        .bind(&call.caller)
        .bind(customer)
        .bind(call.verified)
        .bind(answers)
        .bind(call.started_at)
        .execute(c)
        .await?
        .rows_affected());
    Ok(rows == 1)
}
const INSERT: Sql = Sql::same(
    "insert into calls (id, carrier, sid, hotline, caller, customer, verified, step, answers, started_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'ringing', $8, $9)
     on conflict (carrier, sid) do nothing",
);

/// The call of a carrier's id, locked until the transaction ends, and before it the incident that it led to: whoever
/// acts on an incident locks that first, and then its calls.
///
/// # Errors
/// When the database does not answer, or the row cannot be read.
pub async fn by_sid(tx: &mut Tx, carrier: &str, sid: &str) -> sqlx::Result<Option<CallRecord>> {
    on!(tx, LOCK_INCIDENT, |c, sql| sqlx::query(sql).bind(carrier).bind(sid).fetch_optional(c).await.map(drop))?;
    let row: Option<Row> =
        on!(tx, BY_SID, |c, sql| sqlx::query_as(sql).bind(carrier).bind(sid).fetch_optional(c).await?);
    row.map(Row::decode).transpose()
}
/// One writer needs no lock.
const LOCK_INCIDENT: Sql = Sql {
    sqlite: "select id from calls where carrier = $1 and sid = $2",
    postgres: "select id from incidents where id = (select incident_id from calls where carrier = $1 and sid = $2)
               for no key update",
};
const BY_SID: Sql = Sql {
    sqlite: "select id, carrier, sid, hotline, caller, customer, verified, answers, incident_id, started_at, ended_at
             from calls where carrier = $1 and sid = $2",
    postgres: "select id, carrier, sid, hotline, caller, customer, verified, answers, incident_id, started_at, ended_at
               from calls where carrier = $1 and sid = $2 for update",
};

/// The call of a carrier's id, only to look at.
///
/// # Errors
/// When the database does not answer, or the row cannot be read.
pub async fn peek(tx: &mut Tx, carrier: &str, sid: &str) -> sqlx::Result<Option<CallRecord>> {
    let row: Option<Row> =
        on!(tx, PEEK, |c, sql| sqlx::query_as(sql).bind(carrier).bind(sid).fetch_optional(c).await?);
    row.map(Row::decode).transpose()
}
const PEEK: Sql = Sql::same(BY_SID.sqlite);

/// Saves what was told since.
///
/// # Errors
/// When the database does not take it.
pub async fn save(tx: &mut Tx, call: &CallRecord) -> sqlx::Result<()> {
    let answers = encode(&call.answers)?;
    let customer = call.customer.as_ref().map(|key| key.as_str());
    let incident = call.incident.as_ref().map(|id| id.as_str());
    let step = call.current().map_or("ringing", |(_, step)| step.name());
    on!(tx, SAVE, |c, sql| sqlx::query(sql)
        .bind(call.id.as_str())
        .bind(customer)
        .bind(call.verified)
        .bind(step)
        .bind(answers)
        .bind(incident)
        .bind(call.ended_at)
        .execute(c)
        .await
        .map(|_| ()))
}
const SAVE: Sql = Sql::same(
    "update calls
     set customer = $2, verified = $3, step = $4, answers = $5, incident_id = $6, ended_at = $7
     where id = $1",
);

/// Calls from before `before` that never ended and have no incident, oldest first: carrier and id.
///
/// # Errors
/// When the database does not answer.
pub async fn lost(tx: &mut Tx, before: Time, limit: i64) -> sqlx::Result<Vec<(String, String)>> {
    on!(tx, LOST, |c, sql| sqlx::query_as(sql).bind(before).bind(limit).fetch_all(c).await)
}
const LOST: Sql = Sql::same(
    "select carrier, sid from calls
     where ended_at is null and incident_id is null and started_at < $1
     order by started_at limit $2",
);

/// The incidents that a caller's calls since `since` led to, newest first, for one customer or none.
///
/// # Errors
/// When the database does not answer.
pub async fn incidents_since(tx: &mut Tx, call: &CallRecord, since: Time, limit: i64) -> sqlx::Result<Vec<IncidentId>> {
    let customer = call.customer.as_ref().map_or("", |key| key.as_str());
    let ids: Vec<String> = on!(tx, INCIDENTS_SINCE, |c, sql| sqlx::query_scalar(sql)
        .bind(&call.caller)
        .bind(customer)
        .bind(since)
        .bind(limit)
        .fetch_all(c)
        .await?);
    Ok(ids.into_iter().map(IncidentId::from).collect())
}
const INCIDENTS_SINCE: Sql = Sql::same(
    "select distinct incident_id from calls
     where caller = $1 and coalesce(customer, '') = $2 and started_at >= $3 and incident_id is not null
     order by incident_id desc limit $4",
);

/// The newest calls that led to an incident, locked until the transaction ends.
///
/// # Errors
/// When the database does not answer, or a row cannot be read.
pub async fn of_incident(tx: &mut Tx, incident: &IncidentId) -> sqlx::Result<Vec<CallRecord>> {
    let rows: Vec<Row> =
        on!(tx, OF_INCIDENT, |c, sql| sqlx::query_as(sql).bind(incident.as_str()).fetch_all(c).await?);
    rows.into_iter().map(Row::decode).collect()
}
const OF_INCIDENT: Sql = Sql {
    sqlite: "select id, carrier, sid, hotline, caller, customer, verified, answers, incident_id, started_at, ended_at
             from calls where incident_id = $1 order by id desc limit 20",
    postgres: "select id, carrier, sid, hotline, caller, customer, verified, answers, incident_id, started_at, ended_at
               from calls where incident_id = $1 order by id desc limit 20 for update",
};

/// The same, only to look at them.
///
/// # Errors
/// When the database does not answer, or a row cannot be read.
pub async fn look_at(tx: &mut Tx, incident: &IncidentId) -> sqlx::Result<Vec<CallRecord>> {
    let rows: Vec<Row> = on!(tx, LOOK_AT, |c, sql| sqlx::query_as(sql).bind(incident.as_str()).fetch_all(c).await?);
    rows.into_iter().map(Row::decode).collect()
}
const LOOK_AT: Sql = Sql::same(
    "select id, carrier, sid, hotline, caller, customer, verified, answers, incident_id, started_at, ended_at
     from calls where incident_id = $1 order by id desc limit 20",
);

/// Those of one carrier that have not ended, the one that began first first.
///
/// # Errors
/// When the database does not answer, or a row cannot be read.
pub async fn on_the_line(tx: &mut Tx, incident: &IncidentId, carrier: &str) -> sqlx::Result<Vec<CallRecord>> {
    let mut calls = of_incident(tx, incident).await?;
    calls.retain(|call| call.ended_at.is_none() && call.carrier == carrier);
    calls.reverse();
    Ok(calls)
}

/// Counts a wrong PIN.
///
/// # Errors
/// When the database does not take it.
pub async fn add_wrong_pin(tx: &mut Tx, call: &CallRecord, at: Time) -> sqlx::Result<()> {
    let hotline = call.hotline.as_ref().map_or("", |key| key.as_str());
    on!(tx, ADD_WRONG_PIN, |c, sql| sqlx::query(sql)
        .bind(hotline)
        .bind(&call.caller)
        .bind(at)
        .execute(c)
        .await
        .map(|_| ()))
}
const ADD_WRONG_PIN: Sql = Sql::same("insert into pin_failures (hotline, caller, at) values ($1, $2, $3)");

/// How many wrong PINs were keyed since `since`: by this caller on this hotline, and by anybody on it.
///
/// # Errors
/// When the database does not answer.
pub async fn wrong_pins(tx: &mut Tx, call: &CallRecord, since: Time) -> sqlx::Result<(i64, i64)> {
    let hotline = call.hotline.as_ref().map_or("", |key| key.as_str());
    on!(tx, WRONG_PINS, |c, sql| sqlx::query_as(sql).bind(hotline).bind(&call.caller).bind(since).fetch_one(c).await)
}
const WRONG_PINS: Sql = Sql::same(
    "select count(case when caller = $2 then 1 end), count(*) from pin_failures where hotline = $1 and at >= $3",
);

/// Forgets wrong PINs from before `before`.
///
/// # Errors
/// When the database does not take it.
pub async fn forget_wrong_pins(tx: &mut Tx, before: Time) -> sqlx::Result<()> {
    on!(tx, FORGET_WRONG_PINS, |c, sql| sqlx::query(sql).bind(before).execute(c).await.map(|_| ()))
}
const FORGET_WRONG_PINS: Sql = Sql::same("delete from pin_failures where at < $1");

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    carrier: String,
    sid: String,
    hotline: Option<String>,
    caller: String,
    customer: Option<String>,
    verified: bool,
    answers: String,
    incident_id: Option<String>,
    started_at: Time,
    ended_at: Option<Time>,
}

impl Row {
    fn decode(self) -> sqlx::Result<CallRecord> {
        let answers: Answers =
            serde_json::from_str(&self.answers).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(CallRecord {
            id: self.id.into(),
            carrier: self.carrier,
            sid: self.sid,
            hotline: self.hotline.map(Into::into),
            caller: self.caller,
            customer: self.customer.map(Into::into),
            verified: self.verified,
            incident: self.incident_id.map(Into::into),
            started_at: self.started_at,
            ended_at: self.ended_at,
            answers,
        })
    }
}

fn encode(answers: &Answers) -> sqlx::Result<String> {
    serde_json::to_string(answers).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

/// Every statement of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("INSERT", INSERT),
    ("LOCK_INCIDENT", LOCK_INCIDENT),
    ("BY_SID", BY_SID),
    ("PEEK", PEEK),
    ("SAVE", SAVE),
    ("LOST", LOST),
    ("INCIDENTS_SINCE", INCIDENTS_SINCE),
    ("OF_INCIDENT", OF_INCIDENT),
    ("LOOK_AT", LOOK_AT),
    ("ADD_WRONG_PIN", ADD_WRONG_PIN),
    ("WRONG_PINS", WRONG_PINS),
    ("FORGET_WRONG_PINS", FORGET_WRONG_PINS),
];
