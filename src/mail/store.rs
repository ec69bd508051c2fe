//! The mail outbox in the database.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{Audience, Mail, MailStage, draft};
use crate::{
    clock::Time,
    config::Config,
    id::{IncidentId, MailId},
    incident::{Effect, Incident},
    on,
    people::MailAddress,
    store::{Sql, Tx},
};

/// Every column by its name: PostgreSQL refuses a prepared `select *` from the moment a later release adds a column.
macro_rules! columns {
    () => {
        "id, incident_id, priority, audience, address, domain, subject, body, attachment_name, attachment, stage, carrier, \
         code, reason, tries, leased_by, wake_at, created_at, ended_at, expires_at"
    };
}

const INSERT: Sql = Sql::same(
    "insert into mails (id, incident_id, priority, audience, address, domain, subject, body, attachment_name, \
     attachment, stage, reason, wake_at, created_at, expires_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
);
const LOAD: Sql = Sql {
    sqlite: concat!("select ", columns!(), " from mails where id = $1"),
    postgres: concat!("select ", columns!(), " from mails where id = $1 for update"),
};
const SAVE: Sql = Sql::same(
    "update mails set stage = $1, carrier = $2, code = $3, reason = $4, wake_at = $5, ended_at = $6, leased_by = null \
     where id = $7 and tries = $8 and leased_by = $9",
);
const OF_INCIDENT: Sql =
    Sql::same(concat!("select ", columns!(), " from mails where incident_id = $1 order by id limit $2"));
const CLAIM: Sql = Sql {
    sqlite: concat!(
        "with due as materialized (select id from mails where wake_at <= $1 \
             and id not in (select value from json_each($2)) order by priority, wake_at limit $3) \
             update mails set wake_at = $4, leased_by = $5, tries = tries + 1 \
             where id in (select id from due) returning ",
        columns!()
    ),
    postgres: concat!(
        "with due as materialized (select id from mails where wake_at <= $1 \
               and id not in (select json_array_elements_text(cast($2 as json))) \
               order by priority, wake_at limit $3 for update skip locked) \
               update mails set wake_at = $4, leased_by = $5, tries = tries + 1 \
               where id in (select id from due) returning ",
        columns!()
    ),
};
const RELEASE: Sql = Sql::same("update mails set wake_at = $1, leased_by = null where leased_by is not null");
/// Waits for no row while it holds another.
const RELEASE_OF: Sql = Sql {
    sqlite: "update mails set wake_at = $1, leased_by = null where leased_by = $2",
    postgres: "update mails set wake_at = $1, leased_by = null \
               where id in (select id from mails where leased_by = $2 for update skip locked)",
};
const RENEW: Sql = Sql::same("update mails set wake_at = $1 where id = $2 and tries = $3 and leased_by = $4");
const NEXT_WAKE: Sql = Sql {
    sqlite: "select min(wake_at) from mails where wake_at is not null \
             and id not in (select value from json_each($1))",
    postgres: "select min(wake_at) from mails where wake_at is not null \
               and id not in (select json_array_elements_text(cast($1 as json)))",
};
const PENDING: Sql = Sql::same("select count(*) from mails where wake_at is not null");
const FORGET: Sql =
    Sql::same("update mails set body = null, attachment = null where ended_at < $1 and body is not null");

/// A row as it is kept.
#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    incident_id: String,
    priority: String,
    audience: Audience,
    address: String,
    domain: String,
    subject: String,
    body: Option<String>,
    attachment_name: Option<String>,
    attachment: Option<String>,
    stage: MailStage,
    carrier: Option<String>,
    code: Option<i64>,
    reason: Option<String>,
    tries: i64,
    leased_by: Option<String>,
    wake_at: Option<Time>,
    created_at: Time,
    ended_at: Option<Time>,
    expires_at: Time,
}

impl TryFrom<Row> for Mail {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let bad = |what: &str| sqlx::Error::Decode(format!("mail {}: bad {what}", row.id).into());
        Ok(Mail {
            priority: row.priority.parse().map_err(|_| bad("priority"))?,
            address: MailAddress::parse(&row.address).map_err(|_| bad("address"))?,
            code: row.code.map(u16::try_from).transpose().map_err(|_| bad("code"))?,
            id: row.id.into(),
            incident: row.incident_id.into(),
            audience: row.audience,
            domain: row.domain,
            subject: row.subject,
            body: row.body,
            attachment: row.attachment_name.zip(row.attachment),
            stage: row.stage,
            carrier: row.carrier.map(Into::into),
            reason: row.reason,
            tries: row.tries,
            leased_by: row.leased_by,
            wake_at: row.wake_at,
            created_at: row.created_at,
            ended_at: row.ended_at,
            expires_at: row.expires_at,
        })
    }
}

fn mails(rows: Vec<Row>) -> sqlx::Result<Vec<Mail>> {
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Writes down the mails that `decide` wants sent, in the transaction of its events. `domain` is what their
/// Message-IDs end in; `None` when no carrier sends mail, and then none is written.
pub async fn carry_out(
    tx: &mut Tx,
    incident: &Incident,
    effects: &[Effect],
    config: &Config,
    domain: Option<&str>,
    now: Time,
) -> sqlx::Result<()> {
    // Who is a contact and a subscriber reads the same words once.
    let mut told = BTreeSet::new();
    for effect in effects {
        let Effect::Mail(mail) = effect else { continue };
        let Some(domain) = domain else {
            tracing::debug!(incident = %incident.id, "no carrier sends mail; see [carriers] in the settings");
            continue;
        };
        let drafts = draft::mails(incident, mail, config, domain, now);
        if drafts.is_empty() {
            let audience = draft::audience(&mail.to);
            tracing::debug!(incident = %incident.id, ?audience, "nobody of this kind has a mail address");
        }
        for mail in drafts {
            if told.insert((mail.address.clone(), mail.body.clone(), mail.attachment.clone())) {
                insert(tx, &mail).await?;
            }
        }
    }
    Ok(())
}

/// Adds a row.
pub async fn insert(tx: &mut Tx, mail: &Mail) -> sqlx::Result<()> {
    let (name, text) = mail.attachment.as_ref().map(|(name, text)| (name, text)).unzip();
    on!(tx, INSERT, |c, sql| sqlx::query(sql)
        .bind(mail.id.as_str())
        .bind(mail.incident.as_str())
        .bind(mail.priority.to_string())
        .bind(mail.audience)
        .bind(mail.address.as_str())
        .bind(&mail.domain)
        .bind(&mail.subject)
        .bind(&mail.body)
        .bind(name)
        .bind(text)
        .bind(mail.stage)
        .bind(&mail.reason)
        .bind(mail.wake_at)
        .bind(mail.created_at)
        .bind(mail.expires_at)
        .execute(c)
        .await
        .map(|_| ()))
}

/// The mail, locked until the transaction ends.
pub async fn load(tx: &mut Tx, id: &MailId) -> sqlx::Result<Option<Mail>> {
    on!(tx, LOAD, |c, sql| sqlx::query_as::<_, Row>(sql).bind(id.as_str()).fetch_optional(c).await)?
        .map(TryInto::try_into)
        .transpose()
}

/// Writes back what became of a claim and gives the lease back, under the fence: false when the lease was lost.
pub async fn save(tx: &mut Tx, mail: &Mail) -> sqlx::Result<bool> {
    let saved = on!(tx, SAVE, |c, sql| sqlx::query(sql)
        .bind(mail.stage)
        .bind(mail.carrier.as_ref().map(|carrier| carrier.as_str()))
        .bind(mail.code.map(i64::from))
        .bind(&mail.reason)
        .bind(mail.wake_at)
        .bind(mail.ended_at)
        .bind(mail.id.as_str())
        .bind(mail.tries)
        .bind(&mail.leased_by)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(saved == 1)
}

/// Mails about an incident, oldest first.
pub async fn of_incident(tx: &mut Tx, incident: &IncidentId, limit: i64) -> sqlx::Result<Vec<Mail>> {
    mails(on!(tx, OF_INCIDENT, |c, sql| sqlx::query_as(sql).bind(incident.as_str()).bind(limit).fetch_all(c).await)?)
}

/// Which mails a claim may take.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    pub node: &'a str,
    pub limit: i64,
    /// Those that this node has in hand already.
    pub except: &'a [MailId],
    pub lease: TimeDelta,
}

/// Leases what is due, gravest first: no other claim sees it until the lease is over.
pub async fn claim(tx: &mut Tx, claim: Claim<'_>, now: Time) -> sqlx::Result<Vec<Mail>> {
    let rows = on!(tx, CLAIM, |c, sql| sqlx::query_as(sql)
        .bind(now)
        .bind(list(claim.except))
        .bind(claim.limit)
        .bind(now + claim.lease)
        .bind(claim.node)
        .fetch_all(c)
        .await)?;
    let mut claimed = mails(rows)?;
    claimed.sort_by(|a, b| (a.priority, &a.id).cmp(&(b.priority, &b.id)));
    Ok(claimed)
}

fn list(ids: &[MailId]) -> String {
    serde_json::to_string(ids).unwrap_or_else(|_| "[]".into())
}

/// At boot of the only node: nobody holds a lease any more, all of it is due at once.
pub async fn release(tx: &mut Tx, now: Time) -> sqlx::Result<u64> {
    on!(tx, RELEASE, |c, sql| sqlx::query(sql).bind(now).execute(c).await.map(|done| done.rows_affected()))
}

/// Gives back what a node that stops has leased. Gives how many.
pub async fn release_of(tx: &mut Tx, node: &str, now: Time) -> sqlx::Result<u64> {
    on!(tx, RELEASE_OF, |c, sql| sqlx::query(sql)
        .bind(now)
        .bind(node)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
}

/// Keeps a claim until `until`: false when it was lost.
pub async fn renew(tx: &mut Tx, claimed: &Mail, until: Time) -> sqlx::Result<bool> {
    let kept = on!(tx, RENEW, |c, sql| sqlx::query(sql)
        .bind(until)
        .bind(claimed.id.as_str())
        .bind(claimed.tries)
        .bind(&claimed.leased_by)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(kept == 1)
}

/// When the first of all is due, but for those in hand; and how many were not taken yet.
pub async fn next_wake(tx: &mut Tx, except: &[MailId]) -> sqlx::Result<(Option<Time>, i64)> {
    let next = on!(tx, NEXT_WAKE, |c, sql| sqlx::query_scalar(sql).bind(list(except)).fetch_one(c).await)?;
    let pending = on!(tx, PENDING, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)?;
    Ok((next, pending))
}

/// Forgets the texts of mails that ended before `before`. Gives back of how many.
pub async fn forget(tx: &mut Tx, before: Time) -> sqlx::Result<u64> {
    on!(tx, FORGET, |c, sql| sqlx::query(sql).bind(before).execute(c).await.map(|done| done.rows_affected()))
}

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("insert", INSERT),
    ("load", LOAD),
    ("save", SAVE),
    ("of_incident", OF_INCIDENT),
    ("claim", CLAIM),
    ("release", RELEASE),
    ("release_of", RELEASE_OF),
    ("renew", RENEW),
    ("next_wake", NEXT_WAKE),
    ("pending", PENDING),
    ("forget", FORGET),
];
