//! Anchors, what a report is made of, and the runs of the service, in the database.

use chrono::{NaiveDate, TimeDelta};

use super::{
    downtime::Run,
    judge::{Scope, Sent},
    period::Period,
};
use crate::{
    clock::Time,
    id::{CustomerKey, IncidentId},
    incident::{
        self, Recorded,
        ledger::{
            Hash,
            anchor::{Anchor, Leaf},
            signature::{PublicKey, Signature},
        },
    },
    on,
    people::Channel,
    store::{Sql, Tx},
};

/// A promise may be due long after the last that happened to its incident: a final analysis that was delivered early, or
/// a callback held before a weekend. Incidents that nothing happened to for longer before the period are not looked at.
const REACH: TimeDelta = TimeDelta::days(100);

/// The most texts and calls of one incident that are counted.
const MOST_SENT: i64 = 10_000;

const LAST_DAY: Sql = Sql::same("select max(day) from anchors");

const FIRST_REPORT: Sql = Sql::same("select min(opened_at) from incidents");

/// Of two nodes that try, one goes on.
const CLAIM: Sql = Sql::same(
    "insert into anchors (day, body, hash, signature, key) values ($1, '', '', '', '') on conflict (day) do nothing",
);

const PREVIOUS: Sql = Sql::same("select hash from anchors where day < $1 order by day desc limit 1");

const GATHER: Sql = Sql::same(
    "insert into anchor_heads (day, incident_id, seq, head)
     select $1, id, seq, head from incidents where seq > anchored_seq",
);

/// In the order in which everybody locks several incidents. One writer needs no lock.
const LOCK: Sql = Sql {
    sqlite: "select count(*) from anchor_heads where day = $1",
    postgres: "select count(*) from (select incidents.id from incidents join anchor_heads \
               on anchor_heads.incident_id = incidents.id where anchor_heads.day = $1 \
               order by incidents.id collate \"C\" for no key update of incidents) as locked",
};

/// What was gathered, and not what has been appended since.
const MARK: Sql = Sql::same(
    "update incidents set anchored_seq = anchor_heads.seq from anchor_heads
     where anchor_heads.day = $1 and anchor_heads.incident_id = incidents.id",
);

const HEADS: Sql = Sql::same("select incident_id, seq, head from anchor_heads where day = $1 order by incident_id");

const FILL: Sql = Sql::same("update anchors set body = $2, hash = $3, signature = $4, key = $5 where day = $1");

const COVERING: Sql = Sql::same(
    "select anchors.body, anchors.signature, anchor_heads.seq from anchor_heads join anchors using (day)
     where anchor_heads.incident_id = $1 and anchors.key = $2 order by anchors.day",
);

/// Those that may have been opened in the period, or have a promise due or a page made in it.
const INCIDENTS: Sql = Sql::same(
    "select id from incidents
     where opened_at < $1 and (phase = 'open' or updated_at >= $2)
       and (cast($3 as text) is null or customer = $3)
       and (cast($4 as text) is null or id > $4)
     order by id limit $5",
);

/// What a carrier took.
const SENT: Sql = Sql::same(
    "select person, channel, sent_at from attempts
     where incident_id = $1 and purpose = 'page' and sid is not null and sent_at is not null
     order by sent_at, id limit $2",
);

/// Those that touch the period, and the last one before it.
const RUNS: Sql = Sql::same(
    "select started_at, last_seen_at, ended_at from uptime
     where started_at < $2 and (last_seen_at >= $1
       or last_seen_at = (select max(last_seen_at) from uptime where last_seen_at < $1))
     union
     select started_at, last_seen_at, ended_at from uptime
     where started_at = (select min(started_at) from uptime where started_at >= $2)
     order by 1 limit 100000",
);

/// Every statement of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("LAST_DAY", LAST_DAY),
    ("FIRST_REPORT", FIRST_REPORT),
    ("CLAIM", CLAIM),
    ("PREVIOUS", PREVIOUS),
    ("GATHER", GATHER),
    ("LOCK", LOCK),
    ("MARK", MARK),
    ("HEADS", HEADS),
    ("FILL", FILL),
    ("COVERING", COVERING),
    ("INCIDENTS", INCIDENTS),
    ("SENT", SENT),
    ("RUNS", RUNS),
];

/// The last day that is anchored.
pub async fn last_day(tx: &mut Tx) -> sqlx::Result<Option<NaiveDate>> {
    let day: Option<String> = on!(tx, LAST_DAY, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?;
    day.map(|day| day.parse().map_err(decode)).transpose()
}

/// When the first incident was reported.
pub async fn first_report(tx: &mut Tx) -> sqlx::Result<Option<Time>> {
    on!(tx, FIRST_REPORT, |c, sql| sqlx::query_scalar::<_, Option<Time>>(sql).fetch_one(c).await)
}

/// Whether this day's anchor is ours to make: nobody else has, or is about to.
pub async fn claim(tx: &mut Tx, day: NaiveDate) -> sqlx::Result<bool> {
    let day = day.to_string();
    let made = on!(tx, CLAIM, |c, sql| sqlx::query(sql).bind(day).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(made == 1)
}

/// The hash of the anchor before this day's.
pub async fn previous(tx: &mut Tx, day: NaiveDate) -> sqlx::Result<Option<Hash>> {
    let day = day.to_string();
    let hash: Option<String> = on!(tx, PREVIOUS, |c, sql| sqlx::query_scalar(sql).bind(day).fetch_optional(c).await)?;
    hash.map(|hash| hash.parse().map_err(decode)).transpose()
}

/// Takes every head that moved since the anchor before into this day's.
pub async fn gather(tx: &mut Tx, day: NaiveDate) -> sqlx::Result<Vec<Leaf>> {
    let text = day.to_string();
    on!(tx, GATHER, |c, sql| sqlx::query(sql).bind(&text).execute(c).await.map(drop))?;
    on!(tx, LOCK, |c, sql| sqlx::query(sql).bind(&text).execute(c).await.map(drop))?;
    on!(tx, MARK, |c, sql| sqlx::query(sql).bind(&text).execute(c).await.map(drop))?;
    heads(tx, day).await
}

/// The heads that a day's anchor covers.
pub async fn heads(tx: &mut Tx, day: NaiveDate) -> sqlx::Result<Vec<Leaf>> {
    let day = day.to_string();
    let rows: Vec<(String, i64, String)> = on!(tx, HEADS, |c, sql| sqlx::query_as(sql).bind(day).fetch_all(c).await)?;
    let leaf = |(incident, seq, head): (String, i64, String)| {
        Ok(Leaf {
            incident: IncidentId::from(incident),
            seq: u64::try_from(seq).map_err(decode)?,
            head: head.parse().map_err(decode)?,
        })
    };
    rows.into_iter().map(leaf).collect()
}

/// Writes down the anchor of the day that was claimed: its canonical text, and who signed it.
pub async fn fill(
    tx: &mut Tx,
    anchor: &Anchor,
    body: &str,
    signature: &Signature,
    key: &PublicKey,
) -> sqlx::Result<()> {
    let (day, hash) = (anchor.day.to_string(), anchor.hash().to_string());
    let (signature, key) = (signature.to_string(), key.to_string());
    on!(tx, FILL, |c, sql| {
        sqlx::query(sql).bind(day).bind(body).bind(hash).bind(signature).bind(key).execute(c).await.map(drop)
    })
}

/// The anchors signed by this key that have this incident in their own tree, oldest first, each with the last event
/// it covers.
pub async fn covering(
    tx: &mut Tx,
    incident: &IncidentId,
    key: &PublicKey,
) -> sqlx::Result<Vec<(Anchor, Signature, u64)>> {
    let key = key.to_string();
    let rows: Vec<(String, String, i64)> =
        on!(tx, COVERING, |c, sql| sqlx::query_as(sql).bind(incident.as_str()).bind(key).fetch_all(c).await)?;
    let read = |(body, signature, seq): (String, String, i64)| {
        let anchor = serde_json::from_str(&body).map_err(decode)?;
        Ok((anchor, signature.parse().map_err(decode)?, u64::try_from(seq).map_err(decode)?))
    };
    rows.into_iter().map(read).collect()
}

/// The incidents that a report may be about, oldest first, from after `after`: so many at most.
pub async fn incidents(
    tx: &mut Tx,
    scope: &Scope,
    after: Option<&IncidentId>,
    limit: usize,
) -> sqlx::Result<Vec<IncidentId>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ids: Vec<String> = on!(tx, INCIDENTS, |c, sql| {
        sqlx::query_scalar(sql)
            .bind(scope.period.to)
            .bind(scope.period.from - REACH)
            .bind(scope.customer.as_ref().map(CustomerKey::as_str))
            .bind(after.map(IncidentId::as_str))
            .bind(limit)
            .fetch_all(c)
            .await
    })?;
    Ok(ids.into_iter().map(IncidentId::from).collect())
}

/// All events of an incident, in order, however many there are.
pub async fn events(tx: &mut Tx, id: &IncidentId) -> sqlx::Result<Vec<Recorded>> {
    let mut events = Vec::new();
    loop {
        let after = events.last().map_or(0, |last: &Recorded| last.seq);
        let more = incident::store::events(tx, id, after).await?;
        if more.is_empty() {
            return Ok(events);
        }
        events.extend(more);
    }
}

/// The texts and calls for an incident's pages that a carrier took, oldest first.
pub async fn sent(tx: &mut Tx, id: &IncidentId) -> sqlx::Result<Vec<Sent>> {
    let rows: Vec<(Option<String>, String, Time)> =
        on!(tx, SENT, |c, sql| sqlx::query_as(sql).bind(id.as_str()).bind(MOST_SENT).fetch_all(c).await)?;
    let sent = |(person, channel, at): (Option<String>, String, Time)| {
        let channel = if channel == Channel::Voice.as_str() { Channel::Voice } else { Channel::Sms };
        Sent { person: person.map(Into::into), channel, at }
    };
    Ok(rows.into_iter().map(sent).collect())
}

/// The runs that touch a period, with the last before it and the first after it.
pub async fn runs(tx: &mut Tx, period: &Period) -> sqlx::Result<Vec<Run>> {
    let rows: Vec<(Time, Time, Option<Time>)> =
        on!(tx, RUNS, |c, sql| sqlx::query_as(sql).bind(period.from).bind(period.to).fetch_all(c).await)?;
    let run = |(started_at, last_seen_at, ended_at): (Time, Time, Option<Time>)| Run {
        started_at,
        last_seen_at,
        ended: ended_at.is_some(),
    };
    Ok(rows.into_iter().map(run).collect())
}

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
