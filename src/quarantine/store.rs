//! Restores, and the incidents whose messages are held, in the database.

use super::{Restore, Verdict};
use crate::{
    clock::Time,
    id::{IncidentId, fresh},
    on,
    store::{Sql, Tx},
};

/// How many incidents are listed at most, the gravest first.
pub const MOST: i64 = 500;

/// A node says every ten seconds that it runs.
const KNOWN_UNTIL: Sql = Sql::same(
    "select max(at) from (select max(at) as at from incident_events union all select max(last_seen_at) from uptime) \
     as known",
);
const INSERT: Sql = Sql::same("insert into restores (id, backup_at, restored_at) values ($1, $2, $3)");
/// Open ones, ones that still owe something, and ones with something on its way.
const QUARANTINE: Sql = Sql::same(
    "insert into quarantine (incident_id, restored_at) \
     select known.incident_id, restores.restored_at from (select incident_id from timers \
     union select id from incidents where phase = 'open' \
     union select incident_id from attempts where stage in ('waiting', 'sending') and incident_id is not null \
     union select incident_id from mails where stage = 'waiting') as known, restores where restores.id = $1 \
     on conflict (incident_id) do update set restored_at = excluded.restored_at, verdict = null, settled_by = null, \
     settled_at = null",
);
const LATEST: Sql = Sql::same("select backup_at, restored_at from restores order by restored_at desc limit 1");
const CASE: Sql = Sql::same(
    "select quarantine.restored_at, quarantine.verdict, incidents.phase from quarantine \
     join incidents on incidents.id = quarantine.incident_id where quarantine.incident_id = $1",
);
const KINDS_SINCE: Sql =
    Sql::same("select distinct kind from incident_events where incident_id = $1 and at >= $2 order by kind limit 100");
const EXTEND: Sql = Sql::same("update attempts set expires_at = $1 where id = $2 and expires_at < $1");
/// Those that are closed and have nothing left to send need nobody.
const UNSETTLED: Sql = Sql::same(
    "select incident_id, reference, priority, phase, opened_at, restored_at, pages, texts, mails from ( \
     select quarantine.incident_id, incidents.reference, incidents.priority, incidents.phase, \
     incidents.opened_at, quarantine.restored_at, \
     (select count(*) from attempts where attempts.incident_id = incidents.id \
     and attempts.stage in ('waiting', 'sending') and attempts.purpose = 'page') as pages, \
     (select count(*) from attempts where attempts.incident_id = incidents.id \
     and attempts.stage in ('waiting', 'sending') and attempts.purpose <> 'page') as texts, \
     (select count(*) from mails where mails.incident_id = incidents.id and mails.stage = 'waiting') as mails \
     from quarantine join incidents on incidents.id = quarantine.incident_id where quarantine.settled_at is null) \
     as unsettled where phase = 'open' or pages + texts + mails > 0 order by priority, opened_at, incident_id limit $1",
);
const SETTLE: Sql = Sql::same(
    "update quarantine set verdict = $1, settled_by = $2, settled_at = $3 where incident_id = $4 and settled_at is null",
);
const RELEASE_ATTEMPTS: Sql = Sql::same(
    "update attempts set wake_at = $1, expires_at = case when expires_at < $2 then $2 else expires_at end \
     where incident_id = $3 and stage in ('waiting', 'sending') and leased_by is null",
);
const RELEASE_MAILS: Sql = Sql::same(
    "update mails set wake_at = $1, expires_at = case when expires_at < $2 then $2 else expires_at end \
     where incident_id = $3 and stage = 'waiting' and leased_by is null",
);
const DROP_WAITING: Sql = Sql::same(
    "update attempts set stage = 'over', outcome = 'cancelled', cancelled = $1, wake_at = null, ended_at = $2, \
     reason = $3 where incident_id = $4 and stage = 'waiting'",
);
/// A carrier may have it: it is looked up, and not sent again.
const DROP_SENDING: Sql = Sql::same(
    "update attempts set cancelled = $1, wake_at = coalesce(wake_at, $2) where incident_id = $3 and stage = 'sending'",
);
/// Not one that is being handed over at this moment: it is out of our hands.
const DROP_MAILS: Sql = Sql::same(
    "update mails set stage = 'given_up', wake_at = null, leased_by = null, ended_at = $1, reason = $2 \
     where incident_id = $3 and stage = 'waiting' and (leased_by is null or wake_at <= $1)",
);

/// Writes down that the database was restored from what was known at `backup_at`. Gives how many incidents are in
/// quarantine by it.
pub async fn mark(tx: &mut Tx, backup_at: Time, now: Time) -> sqlx::Result<u64> {
    let id = fresh("rst");
    on!(tx, INSERT, |c, sql| sqlx::query(sql).bind(&id).bind(backup_at).bind(now).execute(c).await.map(drop))?;
    on!(tx, QUARANTINE, |c, sql| sqlx::query(sql).bind(&id).execute(c).await.map(|done| done.rows_affected()))
}

/// The last instant that the database knows of; `None` when nothing ever ran on it.
pub async fn known_until(tx: &mut Tx) -> sqlx::Result<Option<Time>> {
    on!(tx, KNOWN_UNTIL, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await)
}

/// The last restore, if there ever was one.
pub async fn latest(tx: &mut Tx) -> sqlx::Result<Option<Restore>> {
    on!(tx, LATEST, |c, sql| sqlx::query_as(sql).fetch_optional(c).await)
}

/// What is kept of an incident in quarantine.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Found {
    pub restored_at: Time,
    pub verdict: Option<Verdict>,
    pub phase: String,
}

/// The incident's place in quarantine; `None` when it never was in it.
pub async fn case(tx: &mut Tx, incident: &IncidentId) -> sqlx::Result<Option<Found>> {
    on!(tx, CASE, |c, sql| sqlx::query_as(sql).bind(incident.as_str()).fetch_optional(c).await)
}

/// The kinds of events since an instant, itself included.
pub async fn kinds_since(tx: &mut Tx, incident: &IncidentId, since: Time) -> sqlx::Result<Vec<String>> {
    on!(tx, KINDS_SINCE, |c, sql| sqlx::query_scalar(sql).bind(incident.as_str()).bind(since).fetch_all(c).await)
}

/// While it is held, an attempt does not grow too old to be sent.
pub async fn extend(tx: &mut Tx, attempt: &str, until: Time) -> sqlx::Result<()> {
    on!(tx, EXTEND, |c, sql| sqlx::query(sql).bind(until).bind(attempt).execute(c).await.map(drop))
}

/// An incident that nobody has settled, and what waits to go out for it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Unsettled {
    pub incident_id: String,
    pub reference: String,
    pub priority: String,
    pub phase: String,
    pub opened_at: Time,
    pub restored_at: Time,
    /// Attempts to reach our people.
    pub pages: i64,
    /// To customers, and to people of ours who need not act.
    pub texts: i64,
    pub mails: i64,
}

/// Those that nobody has settled, the gravest and oldest first, [`MOST`] at most.
pub async fn unsettled(tx: &mut Tx) -> sqlx::Result<Vec<Unsettled>> {
    on!(tx, UNSETTLED, |c, sql| sqlx::query_as(sql).bind(MOST).fetch_all(c).await)
}

/// What came of settling one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Pages and texts that went on or were dropped.
    pub attempts: u64,
    pub mails: u64,
}

/// Releases or drops what waits for an incident. `None` when it is not in quarantine, or was settled before.
pub async fn settle(
    tx: &mut Tx,
    incident: &IncidentId,
    verdict: Verdict,
    by: &str,
    now: Time,
) -> sqlx::Result<Option<Settled>> {
    let id = incident.as_str();
    let settled = on!(tx, SETTLE, |c, sql| sqlx::query(sql)
        .bind(verdict)
        .bind(by)
        .bind(now)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    if settled == 0 {
        return Ok(None);
    }
    let (attempts, mails) = match verdict {
        Verdict::Released => {
            let until = now + super::hold::PAGES_HELD;
            let attempts = on!(tx, RELEASE_ATTEMPTS, |c, sql| sqlx::query(sql)
                .bind(now)
                .bind(until)
                .bind(id)
                .execute(c)
                .await
                .map(|done| done.rows_affected()))?;
            let mails = on!(tx, RELEASE_MAILS, |c, sql| sqlx::query(sql)
                .bind(now)
                .bind(until)
                .bind(id)
                .execute(c)
                .await
                .map(|done| done.rows_affected()))?;
            (attempts, mails)
        }
        Verdict::Dropped => {
            let reason = format!("dropped after a restore by {by}");
            let waiting = on!(tx, DROP_WAITING, |c, sql| sqlx::query(sql)
                .bind(true)
                .bind(now)
                .bind(&reason)
                .bind(id)
                .execute(c)
                .await
                .map(|done| done.rows_affected()))?;
            let sending = on!(tx, DROP_SENDING, |c, sql| sqlx::query(sql)
                .bind(true)
                .bind(now)
                .bind(id)
                .execute(c)
                .await
                .map(|done| done.rows_affected()))?;
            let mails = on!(tx, DROP_MAILS, |c, sql| sqlx::query(sql)
                .bind(now)
                .bind(&reason)
                .bind(id)
                .execute(c)
                .await
                .map(|done| done.rows_affected()))?;
            (waiting + sending, mails)
        }
    };
    Ok(Some(Settled { attempts, mails }))
}

/// Every statement here, for the test that prepares them all.
pub const STATEMENTS: &[(&str, Sql)] = &[
    ("known_until", KNOWN_UNTIL),
    ("insert", INSERT),
    ("quarantine", QUARANTINE),
    ("latest", LATEST),
    ("case", CASE),
    ("kinds_since", KINDS_SINCE),
    ("extend", EXTEND),
    ("unsettled", UNSETTLED),
    ("settle", SETTLE),
    ("release_attempts", RELEASE_ATTEMPTS),
    ("release_mails", RELEASE_MAILS),
    ("drop_waiting", DROP_WAITING),
    ("drop_sending", DROP_SENDING),
    ("drop_mails", DROP_MAILS),
];
