//! After a restore: what was acknowledged, answered or closed since the backup is unknown to the database, so what it
//! still wants sent is held, and a person says what of it holds.
//!
//! A restore ([`store::mark`]) writes down which incidents had something left to do. The pager and the postman ask
//! [`hold`] before they send anything for one of them. Pages of open incidents are held for 15 minutes and then go out
//! anyway; words to customers, notices and mails are held until they are released or dropped. An incident that is
//! opened later is never held, nor is what comes of something that a person, a customer or a monitor does now.

pub mod hold;
pub mod store;

use serde::{Deserialize, Serialize};

use crate::{clock::Time, id::IncidentId, store::Tx};

use hold::{Case, Hold, Kind};

/// What a person said of an incident in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Verdict {
    /// What waits is still right: it goes out.
    Released,
    /// What waits was said or is over: it never goes out.
    Dropped,
}

/// A restore.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Restore {
    /// How far the backup knew.
    pub backup_at: Time,
    pub restored_at: Time,
}

/// For people: why something waits.
pub const REASON: &str = "held after a restore from a backup; see `ringdown quarantine list`";

/// Whether something that is about to go out for `incident`, decided at `created_at`, is held.
pub async fn hold(
    tx: &mut Tx,
    incident: Option<&IncidentId>,
    page: bool,
    created_at: Time,
    now: Time,
) -> sqlx::Result<Hold> {
    let Some(incident) = incident else { return Ok(Hold::Send) };
    let Some(found) = store::case(tx, incident).await? else { return Ok(Hold::Send) };
    let kinds =
        if found.verdict.is_none() { store::kinds_since(tx, incident, found.restored_at).await? } else { vec![] };
    let kind = match page {
        true => Kind::Page { open: found.phase == "open" },
        false => Kind::Words,
    };
    let case = Case {
        restored_at: found.restored_at,
        settled: found.verdict.is_some(),
        stirred: kinds.iter().any(|kind| hold::comes_from_outside(kind)),
    };
    Ok(hold::decide(kind, created_at, case, now))
}
