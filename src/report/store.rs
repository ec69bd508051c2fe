//! Anchors in the database.

use chrono::NaiveDate;

use crate::{
    clock::Time,
    id::IncidentId,
    incident::ledger::{
        Hash,
        anchor::{Anchor, Leaf},
        signature::{PublicKey, Signature},
    },
    on,
    store::{Sql, Tx},
};

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

/// Every statement of this file.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("LAST_DAY", LAST_DAY),
    ("FIRST_REPORT", FIRST_REPORT),
    ("CLAIM", CLAIM),
    ("PREVIOUS", PREVIOUS),
    ("GATHER", GATHER),
    ("MARK", MARK),
    ("HEADS", HEADS),
    ("FILL", FILL),
    ("COVERING", COVERING),
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

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
