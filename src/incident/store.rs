//! Incidents in the database: the events, the projection beside them, and the one timer.

use std::collections::BTreeSet;

use sqlx::Row;

use super::{
    agenda,
    changes::Change,
    event::{Event, Recorded},
    ledger::{self, Hash, export::Entry},
    state::Incident,
};
use crate::{
    clock::Time,
    id::{CustomerKey, IncidentId, TeamKey},
    on,
    sla::Priority,
    store::{Sql, Tx},
};

const LOAD: Sql = Sql::same("select state from incidents where id = $1");

/// As strong as changing the row needs, and no stronger: a row that names the incident may be added or changed by
/// somebody who does not hold it.
const LOAD_FOR_UPDATE: Sql = Sql {
    sqlite: "select state from incidents where id = $1",
    postgres: "select state from incidents where id = $1 for no key update",
};

/// One writer needs no lock.
const LOCK: Sql = Sql {
    sqlite: "select id from incidents where id = $1",
    postgres: "select id from incidents where id = $1 for no key update",
};

const BY_REFERENCE: Sql = Sql::same(
    "select state from incidents where reference = $1
     order by case when phase = 'open' then 0 else 1 end, id desc limit 1",
);

/// References are given again: the newest first.
const OF_REFERENCE: Sql = Sql::same("select state from incidents where reference = $1 order by id desc limit 20");

const OPEN_OF_CUSTOMER: Sql =
    Sql::same("select state from incidents where customer = $1 and phase = 'open' order by id desc limit 50");

const LIST: Sql = Sql::same(
    "select state from incidents
     where ($1 = 0 or phase = 'open')
       and (cast($2 as text) is null or priority = $2)
       and (cast($3 as text) is null or customer = $3)
       and (cast($4 as text) is null or team = $4)
       and (cast($5 as text) is null or id < $5)
     order by id desc limit $6",
);

const INSERT: Sql = Sql::same(
    "insert into incidents (id, reference, phase, priority, team, customer, opened_at, updated_at, seq, state, head)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
);

const UPDATE: Sql = Sql::same(
    "update incidents set phase = $2, priority = $3, team = $4, customer = $5, updated_at = $6, seq = $7, state = $8,
        head = $9
     where id = $1",
);

const APPEND: Sql =
    Sql::same("insert into incident_events (incident_id, seq, at, kind, body, hash) values ($1, $2, $3, $4, $5, $6)");

const EVENTS: Sql =
    Sql::same("select body from incident_events where incident_id = $1 and seq > $2 order by seq limit 10000");

const HEAD: Sql = Sql::same("select head from incidents where id = $1");

const REHASH: Sql = Sql::same("update incident_events set hash = $3 where incident_id = $1 and seq = $2");

const CHAIN: Sql = Sql::same("select body, hash from incident_events where incident_id = $1 order by seq");

const SET_TIMER: Sql = Sql::same(
    "insert into timers (incident_id, due_at, wake_at) values ($1, $2, $2)
     on conflict (incident_id) do update set due_at = excluded.due_at, wake_at = excluded.wake_at, leased_by = null",
);

const CLEAR_TIMER: Sql = Sql::same("delete from timers where incident_id = $1");

const REFERENCE_TAKEN: Sql = Sql::same(
    "select cast(1 as bigint) from incidents where reference = $1 and id <> $3
     and (phase = 'open' or updated_at > $2
          or exists (select 1 from timers where timers.incident_id = incidents.id))
     limit 1",
);

const CHANGED_SINCE: Sql = Sql::same(
    "select id, reference, phase, seq, updated_at from incidents where updated_at > $1 order by updated_at desc limit $2",
);

const OPEN_CHANGES: Sql = Sql::same(
    "select id, reference, phase, seq, updated_at from incidents where phase = 'open' order by id desc limit $1",
);

/// Open incidents whose timer is missing.
const WITHOUT_TIMER: Sql = Sql::same(
    "select id from incidents where phase = 'open'
     and not exists (select 1 from timers where timers.incident_id = incidents.id) limit 100",
);

/// Every statement of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("LOAD", LOAD),
    ("LOAD_FOR_UPDATE", LOAD_FOR_UPDATE),
    ("LOCK", LOCK),
    ("BY_REFERENCE", BY_REFERENCE),
    ("OF_REFERENCE", OF_REFERENCE),
    ("OPEN_OF_CUSTOMER", OPEN_OF_CUSTOMER),
    ("LIST", LIST),
    ("INSERT", INSERT),
    ("UPDATE", UPDATE),
    ("APPEND", APPEND),
    ("EVENTS", EVENTS),
    ("HEAD", HEAD),
    ("REHASH", REHASH),
    ("CHAIN", CHAIN),
    ("SET_TIMER", SET_TIMER),
    ("CLEAR_TIMER", CLEAR_TIMER),
    ("REFERENCE_TAKEN", REFERENCE_TAKEN),
    ("CHANGED_SINCE", CHANGED_SINCE),
    ("OPEN_CHANGES", OPEN_CHANGES),
    ("WITHOUT_TIMER", WITHOUT_TIMER),
];

/// The incident, by its long id.
pub async fn load(tx: &mut Tx, id: &IncidentId) -> sqlx::Result<Option<Incident>> {
    one(on!(tx, LOAD, |c, sql| sqlx::query_scalar(sql).bind(id.as_str()).fetch_optional(c).await)?)
}

/// The incident, locked until the transaction ends.
pub async fn load_for_update(tx: &mut Tx, id: &IncidentId) -> sqlx::Result<Option<Incident>> {
    one(on!(tx, LOAD_FOR_UPDATE, |c, sql| sqlx::query_scalar(sql).bind(id.as_str()).fetch_optional(c).await)?)
}

/// Locks several incidents until the transaction ends, in the order of their ids. Whoever changes more than one in a
/// transaction does this first, or takes them in this order: so two never wait for each other.
pub async fn lock(tx: &mut Tx, ids: &BTreeSet<IncidentId>) -> sqlx::Result<()> {
    for id in ids {
        on!(tx, LOCK, |c, sql| sqlx::query(sql).bind(id.as_str()).fetch_optional(c).await.map(drop))?;
    }
    Ok(())
}

/// The incident of a short reference: the open one, else the newest that had it.
pub async fn by_reference(tx: &mut Tx, reference: &str) -> sqlx::Result<Option<Incident>> {
    one(on!(tx, BY_REFERENCE, |c, sql| sqlx::query_scalar(sql).bind(reference).fetch_optional(c).await)?)
}

/// The incidents that have a short reference or had it, the newest first, 20 at most.
pub async fn of_reference(tx: &mut Tx, reference: &str) -> sqlx::Result<Vec<Incident>> {
    many(on!(tx, OF_REFERENCE, |c, sql| sqlx::query_scalar(sql).bind(reference).fetch_all(c).await)?)
}

/// The open incidents of a customer, newest first.
pub async fn open_of(tx: &mut Tx, customer: &CustomerKey) -> sqlx::Result<Vec<Incident>> {
    many(on!(tx, OPEN_OF_CUSTOMER, |c, sql| sqlx::query_scalar(sql).bind(customer.as_str()).fetch_all(c).await)?)
}

/// Which incidents to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub open_only: bool,
    pub priority: Option<Priority>,
    pub customer: Option<CustomerKey>,
    pub team: Option<TeamKey>,
    /// Older than this id.
    pub before: Option<IncidentId>,
    pub limit: i64,
}

/// Incidents, newest first.
pub async fn list(tx: &mut Tx, filter: &Filter) -> sqlx::Result<Vec<Incident>> {
    many(on!(tx, LIST, |c, sql| {
        sqlx::query_scalar(sql)
            .bind(i64::from(filter.open_only))
            .bind(filter.priority.map(|priority| priority.to_string()))
            .bind(filter.customer.as_ref().map(CustomerKey::as_str))
            .bind(filter.team.as_ref().map(TeamKey::as_str))
            .bind(filter.before.as_ref().map(IncidentId::as_str))
            .bind(filter.limit)
            .fetch_all(c)
            .await
    })?)
}

/// Its events, from after `after`, in order.
pub async fn events(tx: &mut Tx, id: &IncidentId, after: u64) -> sqlx::Result<Vec<Recorded>> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    many(on!(tx, EVENTS, |c, sql| sqlx::query_scalar(sql).bind(id.as_str()).bind(after).fetch_all(c).await)?)
}

/// Its events from the first, each as it was stored and with its hash.
pub async fn chain(tx: &mut Tx, id: &IncidentId) -> sqlx::Result<Vec<Entry>> {
    let rows: Vec<(String, String)> =
        on!(tx, CHAIN, |c, sql| sqlx::query_as(sql).bind(id.as_str()).fetch_all(c).await)?;
    let entry = |(body, hash): (String, String)| {
        let event = serde_json::from_str(&body).map_err(decode)?;
        Ok(Entry { event, hash: hash.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))? })
    };
    rows.into_iter().map(entry).collect()
}

/// The hash of an incident's last event. The events of an incident from before there was a ledger are chained first.
async fn head(tx: &mut Tx, id: &IncidentId) -> sqlx::Result<Hash> {
    let head: String = on!(tx, HEAD, |c, sql| sqlx::query_scalar(sql).bind(id.as_str()).fetch_one(c).await)?;
    if head.is_empty() {
        let mut head = ledger::genesis(id);
        for event in events(tx, id, 0).await? {
            head = ledger::link(&head, &event, id).map_err(|unfit| sqlx::Error::Encode(Box::new(unfit)))?;
            let (seq, hash) = (i64::try_from(event.seq).unwrap_or(i64::MAX), head.to_string());
            on!(tx, REHASH, |c, sql| {
                sqlx::query(sql).bind(id.as_str()).bind(seq).bind(&hash).execute(c).await.map(drop)
            })?;
        }
        return Ok(head);
    }
    head.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Appends what happened, each event chained to the one before, saves the projection and sets the timer. `new` when the incident was not there before.
pub async fn save(tx: &mut Tx, incident: &Incident, events: &[Recorded], new: bool, now: Time) -> sqlx::Result<()> {
    let state = json(incident)?;
    let mut head = if new { ledger::genesis(&incident.id) } else { head(tx, &incident.id).await? };
    let mut chained = Vec::with_capacity(events.len());
    for event in events {
        head = ledger::link(&head, event, &incident.id).map_err(|unfit| sqlx::Error::Encode(Box::new(unfit)))?;
        chained.push((event, head.to_string()));
    }
    let head = head.to_string();
    let seq = i64::try_from(incident.seq).unwrap_or(i64::MAX);
    let (id, phase) = (incident.id.as_str(), phase(incident));
    let (priority, team) = (incident.priority.to_string(), incident.team.as_str());
    let customer = incident.customer.as_ref().map(CustomerKey::as_str);
    if new {
        on!(tx, INSERT, |c, sql| {
            sqlx::query(sql)
                .bind(id)
                .bind(&incident.reference)
                .bind(phase)
                .bind(&priority)
                .bind(team)
                .bind(customer)
                .bind(incident.opened_at)
                .bind(now)
                .bind(seq)
                .bind(&state)
                .bind(&head)
                .execute(c)
                .await
                .map(drop)
        })?;
    } else {
        on!(tx, UPDATE, |c, sql| {
            sqlx::query(sql)
                .bind(id)
                .bind(phase)
                .bind(&priority)
                .bind(team)
                .bind(customer)
                .bind(now)
                .bind(seq)
                .bind(&state)
                .bind(&head)
                .execute(c)
                .await
                .map(drop)
        })?;
    }
    for (event, hash) in chained {
        let (seq, body) = (i64::try_from(event.seq).unwrap_or(i64::MAX), json(event)?);
        let kind = kind(&event.event)?;
        on!(tx, APPEND, |c, sql| {
            let query = sqlx::query(sql).bind(id).bind(seq).bind(event.at).bind(&kind).bind(&body).bind(&hash);
            query.execute(c).await.map(drop)
        })?;
    }
    set_timer(tx, incident).await
}

/// Writes down when the incident must be looked at again.
pub async fn set_timer(tx: &mut Tx, incident: &Incident) -> sqlx::Result<()> {
    let id = incident.id.as_str();
    match agenda::next(incident) {
        Some((at, _)) => on!(tx, SET_TIMER, |c, sql| sqlx::query(sql).bind(id).bind(at).execute(c).await.map(drop)),
        None => on!(tx, CLEAR_TIMER, |c, sql| sqlx::query(sql).bind(id).execute(c).await.map(drop)),
    }
}

/// At most so many changes are told at a time.
const CHANGES: i64 = 20_000;

/// Incidents that changed after an instant, in that order; of more than can be told, the last.
pub async fn changed_since(tx: &mut Tx, since: Time) -> sqlx::Result<Vec<Change>> {
    let mut changed =
        changes(on!(tx, CHANGED_SINCE, |c, sql| sqlx::query_as(sql).bind(since).bind(CHANGES).fetch_all(c).await)?);
    changed.reverse();
    Ok(changed)
}

/// Open incidents, newest first.
pub async fn open_changes(tx: &mut Tx) -> sqlx::Result<Vec<Change>> {
    Ok(changes(on!(tx, OPEN_CHANGES, |c, sql| sqlx::query_as(sql).bind(CHANGES).fetch_all(c).await)?))
}

fn changes(rows: Vec<(String, String, String, i64, Time)>) -> Vec<Change> {
    let change = |(id, reference, phase, seq, at): (String, String, String, i64, Time)| Change {
        id: id.into(),
        reference,
        open: phase == "open",
        seq,
        at,
    };
    rows.into_iter().map(change).collect()
}

/// Whether another incident than `but` uses a reference, or did until after `since`. It is in use while anything is
/// owed.
pub async fn reference_taken(
    tx: &mut Tx,
    reference: &str,
    since: Time,
    but: Option<&IncidentId>,
) -> sqlx::Result<bool> {
    let but = but.map_or("", IncidentId::as_str);
    let row: Option<i64> = on!(tx, REFERENCE_TAKEN, |c, sql| {
        sqlx::query(sql)
            .bind(reference)
            .bind(since)
            .bind(but)
            .fetch_optional(c)
            .await?
            .map(|row| row.try_get(0))
            .transpose()
    })?;
    Ok(row.is_some())
}

/// Open incidents that nothing would ever look at again: there should be none.
pub async fn without_timer(tx: &mut Tx) -> sqlx::Result<Vec<IncidentId>> {
    let ids: Vec<String> = on!(tx, WITHOUT_TIMER, |c, sql| sqlx::query_scalar(sql).fetch_all(c).await)?;
    Ok(ids.into_iter().map(IncidentId::from).collect())
}

fn phase(incident: &Incident) -> &'static str {
    use super::state::Phase;
    match incident.phase {
        Phase::Open => "open",
        Phase::Resolved => "resolved",
        Phase::Idle => "idle",
        Phase::Cancelled => "cancelled",
    }
}

fn kind(event: &Event) -> sqlx::Result<String> {
    let value = serde_json::to_value(event).map_err(encode)?;
    Ok(value["event"].as_str().unwrap_or_default().into())
}

fn one<T: serde::de::DeserializeOwned>(text: Option<String>) -> sqlx::Result<Option<T>> {
    text.map(|text| serde_json::from_str(&text).map_err(decode)).transpose()
}

fn many<T: serde::de::DeserializeOwned>(texts: Vec<String>) -> sqlx::Result<Vec<T>> {
    texts.iter().map(|text| serde_json::from_str(text).map_err(decode)).collect()
}

fn json<T: serde::Serialize>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(encode)
}

fn encode(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Encode(Box::new(error))
}

fn decode(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
