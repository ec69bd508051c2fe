//! Claiming what is due.

use chrono::TimeDelta;

use crate::{
    clock::Time,
    id::IncidentId,
    on,
    store::{Sql, Tx},
};

const CLAIM: Sql = Sql {
    sqlite: "with due as materialized (
                 select incident_id from timers where wake_at <= $1 order by wake_at limit $2)
             update timers set wake_at = $3, leased_by = $4 where incident_id in (select incident_id from due)
             returning incident_id, due_at",
    postgres: "with due as materialized (
                   select incident_id from timers where wake_at <= $1 order by wake_at limit $2
                   for update skip locked)
               update timers set wake_at = $3, leased_by = $4 where incident_id in (select incident_id from due)
               returning incident_id, due_at",
};

const NEXT: Sql = Sql::same("select min(wake_at) from timers");

/// Leases of an earlier process on an embedded database are nobody's.
const RELEASE: Sql = Sql::same("update timers set wake_at = due_at, leased_by = null where wake_at > due_at");

/// What one node has in hand. One that was set anew since is not in hand, whatever an older version left in it.
/// Waits for no row while it holds another.
const RELEASE_OF: Sql = Sql {
    sqlite: "update timers set wake_at = due_at, leased_by = null where leased_by = $1 and wake_at > due_at",
    postgres: "update timers set wake_at = due_at, leased_by = null where incident_id in (
                   select incident_id from timers where leased_by = $1 and wake_at > due_at for update skip locked)",
};

/// Every statement of this file.
pub const STATEMENTS: &[(&str, Sql)] =
    &[("CLAIM", CLAIM), ("NEXT", NEXT), ("RELEASE", RELEASE), ("RELEASE_OF", RELEASE_OF)];

/// A timer that is due, left to this node until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub incident: IncidentId,
    pub due_at: Time,
}

/// Takes up to `limit` timers that are due, in due order: they are left to `node` for the time of the lease.
pub async fn claim(tx: &mut Tx, node: &str, lease: TimeDelta, now: Time, limit: i64) -> sqlx::Result<Vec<Claimed>> {
    let rows: Vec<(String, Time)> = on!(tx, CLAIM, |c, sql| {
        sqlx::query_as(sql).bind(now).bind(limit).bind(now + lease).bind(node).fetch_all(c).await
    })?;
    let mut claimed: Vec<Claimed> =
        rows.into_iter().map(|(incident, due_at)| Claimed { incident: incident.into(), due_at }).collect();
    claimed.sort_by_key(|timer| timer.due_at);
    Ok(claimed)
}

/// When the next timer is due.
pub async fn next(tx: &mut Tx) -> sqlx::Result<Option<Time>> {
    on!(tx, NEXT, |c, sql| sqlx::query_scalar::<_, Option<Time>>(sql).fetch_one(c).await)
}

/// Gives back what an earlier process of this embedded database had claimed.
pub async fn release(tx: &mut Tx) -> sqlx::Result<()> {
    on!(tx, RELEASE, |c, sql| sqlx::query(sql).execute(c).await.map(drop))
}

/// Gives back what a node that stops had claimed; gives how many.
pub async fn release_of(tx: &mut Tx, node: &str) -> sqlx::Result<u64> {
    on!(tx, RELEASE_OF, |c, sql| sqlx::query(sql).bind(node).execute(c).await.map(|done| done.rows_affected()))
}
