//! `/api/v1/quarantine`: after a restore from a backup, what waits to be sent, and whether it still holds.

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, Problem,
    incidents::find,
    request::{Name, Nothing, Params, Posted},
};
use crate::{
    access::{
        Allowed, Caller,
        audit::{self, Entry, what},
        least,
    },
    clock::Time,
    incident,
    quarantine::{Restore, Verdict, hold::PAGES_HELD, store},
    server::App,
    store::{Tx, retry::retried},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(settle))
}

/// The last restore.
#[derive(Debug, Serialize, ToSchema)]
pub struct RestoreView {
    /// How far the backup knew; what happened between this and `restored_at` is not known.
    pub backup_at: DateTime<Utc>,
    pub restored_at: DateTime<Utc>,
    /// Until then pages about open incidents of the backup are held; afterwards they go out.
    pub pages_held_until: DateTime<Utc>,
    /// Whether that is still to come.
    pub pages_held: bool,
    /// How many incidents wait for a person.
    pub unsettled: i64,
}

/// What is held, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantineView {
    /// `null` when nothing was ever restored.
    pub restored: Option<RestoreView>,
    /// The gravest first.
    pub items: Vec<CaseView>,
}

/// An incident that the backup had something left to do for.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseView {
    /// `inc_…`
    pub id: String,
    pub reference: String,
    pub priority: String,
    /// In the backup. What was closed since has to be closed once more.
    pub phase: String,
    pub title: String,
    pub customer: String,
    pub opened_at: DateTime<Utc>,
    /// Attempts to reach our people that wait.
    pub pages: i64,
    /// Texts to customers, and to people of ours who need not act.
    pub texts: i64,
    pub mails: i64,
}

/// The last restore, if there ever was one.
pub(super) async fn restored(tx: &mut Tx, now: Time) -> sqlx::Result<Option<RestoreView>> {
    let Some(Restore { backup_at, restored_at }) = store::latest(tx).await? else { return Ok(None) };
    let pages_held_until = restored_at + PAGES_HELD;
    let unsettled = store::unsettled(tx).await?.len() as i64;
    Ok(Some(RestoreView { backup_at, restored_at, pages_held_until, pages_held: now < pages_held_until, unsettled }))
}

/// After a restore from a backup: the incidents that wait for a person, and what waits to be sent for them.
#[utoipa::path(get, path = "/quarantine", tag = "service",
    responses((status = 200, body = QuarantineView), (status = "4XX", body = Problem)))]
async fn list(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Viewer>,
    _: Params<Nothing>,
) -> Result<Json<QuarantineView>, Problem> {
    let mut tx = app.db.read().await?;
    let restored = restored(&mut tx, app.clock.now()).await?;
    let mut items = Vec::new();
    for row in store::unsettled(&mut tx).await? {
        let known = incident::store::load(&mut tx, &row.incident_id.as_str().into()).await?;
        let (title, customer) = known.map(|known| (known.title, known.customer_name)).unwrap_or_default();
        items.push(CaseView {
            id: row.incident_id,
            reference: row.reference,
            priority: row.priority,
            phase: row.phase,
            title,
            customer,
            opened_at: row.opened_at,
            pages: row.pages,
            texts: row.texts,
            mails: row.mails,
        });
    }
    Ok(Json(QuarantineView { restored, items }))
}

/// Whether what waits still holds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleBody {
    /// `released`: it goes out now. `dropped`: it never does.
    pub verdict: Verdict,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettledView {
    pub reference: String,
    pub verdict: Verdict,
    /// Pages and texts that were released or dropped.
    pub attempts: u64,
    pub mails: u64,
    /// Whether the incident is still open: then its next page comes when it is due.
    pub open: bool,
}

/// Release or drop what waits to be sent for an incident. Role: `responder`.
#[utoipa::path(post, path = "/quarantine/{reference}", tag = "service", request_body = SettleBody,
    params(("reference" = String, Path, description = "Reference (`4821`) or id (`inc_…`)")),
    responses((status = 200, body = SettledView), (status = "4XX", body = Problem)))]
async fn settle(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Responder>,
    Name(name): Name,
    posted: Posted<SettleBody>,
) -> Answer {
    retried(|| settle_once(&app, &caller, &name, &posted)).await
}

async fn settle_once(app: &App, caller: &Caller, name: &str, posted: &Posted<SettleBody>) -> Answer {
    let mut work = posted.begin(app, caller).await?;
    let incident = find(&mut work.tx, name).await?;
    // Locked first, as by everybody who acts on it.
    incident::store::load_for_update(&mut work.tx, &incident.id).await?;
    let by = caller.person.as_ref().map_or(caller.name.clone(), ToString::to_string);
    let verdict = posted.body.verdict;
    let settled = store::settle(&mut work.tx, &incident.id, verdict, &by, work.now).await?;
    let settled = settled
        .ok_or_else(|| Problem::conflict("This incident is not in quarantine, or was released or dropped before."))?;
    let detail =
        format!("{} {}", incident.reference, if verdict == Verdict::Released { "released" } else { "dropped" });
    let entry = Entry { who: &by, what: what::QUARANTINE_SETTLED, network: None, detail: Some(&detail) };
    audit::note(&mut work.tx, entry, work.now).await?;
    tracing::info!(incident = %incident.id, ?verdict, settled.attempts, settled.mails, "settled after a restore");
    let view = SettledView {
        reference: incident.reference.clone(),
        verdict,
        attempts: settled.attempts,
        mails: settled.mails,
        open: incident.is_open(),
    };
    work.finish(app, StatusCode::OK, &view).await
}
