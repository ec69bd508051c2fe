//! `/api/v1/incidents/{reference}/export`, `…/explanation` and `…/rca`: what is made of an incident's history, and the public key that exports are verified with.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Problem,
    incidents::find,
    request::{Name, Nothing, Params},
};
use crate::{
    access::{Allowed, audit, least},
    incident::{
        Incident, RcaStage, Recorded,
        explain::{self, Explained},
        ledger::{reckon::reckon, signature::Published},
        rca, store,
    },
    report,
    server::App,
    store::Tx,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export)).routes(routes!(explanation)).routes(routes!(rca_draft))
}

/// Everything that proves one incident: its events with their hashes, the anchors that cover it, our signature.
///
/// `ringdown verify` checks it without a server; docs/ledger.md tells the format. Numbers are in it in full, because
/// the hashes are over what was recorded. Role: `responder`.
#[utoipa::path(get, path = "/incidents/{reference}/export", tag = "ledger",
    params(("reference" = String, Path, description = "Reference or id")),
    responses((status = 200, body = Object), (status = "4XX", body = Problem)))]
async fn export(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Responder>,
    Name(name): Name,
    _: Params<Nothing>,
) -> Result<Response, Problem> {
    let mut tx = app.db.read().await?;
    let incident = find(&mut tx, &name).await?;
    let text = report::export::export(&app, &mut tx, &incident.id).await?;
    drop(tx);
    audit::exported(&app, caller.who(), None, &format!("incident {}", incident.reference)).await?;
    // Byte for byte as it was signed.
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// How each promise of an incident was counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplanationView {
    pub reference: String,
    pub id: String,
    /// The clock times in the words are this zone's.
    pub zone: String,
    pub as_of: DateTime<Utc>,
    pub promises: Vec<Explained>,
    /// What does not add up; normally nothing.
    pub contradictions: Vec<String>,
    /// All of it as one page.
    pub text: String,
}

/// How each promise of an incident was counted, in plain words, worked out again from its events.
#[utoipa::path(get, path = "/incidents/{reference}/explanation", tag = "ledger",
    params(("reference" = String, Path, description = "Reference or id")),
    responses((status = 200, body = ExplanationView), (status = "4XX", body = Problem)))]
async fn explanation(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Viewer>,
    Name(name): Name,
    _: Params<Nothing>,
) -> Result<Json<ExplanationView>, Problem> {
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let incident = find(&mut tx, &name).await?;
    let events = recorded(&mut tx, &incident).await?;
    let reckoning = reckon(&events, now);
    Ok(Json(ExplanationView {
        reference: incident.reference.clone(),
        id: incident.id.to_string(),
        zone: incident.zone.to_string(),
        as_of: now,
        promises: explain::explain(&reckoning, &incident),
        contradictions: reckoning.contradictions.iter().map(ToString::to_string).collect(),
        text: explain::text(&incident, &reckoning),
    }))
}

/// A draft of the analysis of the cause.
#[derive(Debug, Serialize, ToSchema)]
pub struct RcaDraftView {
    pub reference: String,
    pub id: String,
    /// When each stage is due, if it is promised.
    pub draft_due: Option<DateTime<Utc>>,
    pub final_due: Option<DateTime<Utc>>,
    /// Made of the history; what only people know is left open.
    pub markdown: String,
}

/// A draft of the analysis of the cause, made of the history, for people to fill in and deliver. Role: `responder`.
#[utoipa::path(get, path = "/incidents/{reference}/rca", tag = "incidents",
    params(("reference" = String, Path, description = "Reference or id")),
    responses((status = 200, body = RcaDraftView), (status = "4XX", body = Problem)))]
async fn rca_draft(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Responder>,
    Name(name): Name,
    _: Params<Nothing>,
) -> Result<Json<RcaDraftView>, Problem> {
    let mut tx = app.db.read().await?;
    let incident = find(&mut tx, &name).await?;
    let events = recorded(&mut tx, &incident).await?;
    Ok(Json(RcaDraftView {
        reference: incident.reference.clone(),
        id: incident.id.to_string(),
        draft_due: rca::due(&incident, RcaStage::Draft),
        final_due: rca::due(&incident, RcaStage::Final),
        markdown: rca::draft(&incident, &events, &app.config.load()),
    }))
}

async fn recorded(tx: &mut Tx, incident: &Incident) -> Result<Vec<Recorded>, Problem> {
    let chain = store::chain(tx, &incident.id).await?;
    let events: Result<Vec<Recorded>, _> = chain.into_iter().map(|entry| serde_json::from_value(entry.event)).collect();
    events.map_err(|error| {
        tracing::error!(incident = %incident.id, %error, "an event cannot be read");
        Problem::internal()
    })
}

/// The public key that exports and anchors are signed with. For everybody.
pub async fn key(State(app): State<App>) -> Json<Published> {
    Json(Published::of(app.ledger_key.public()))
}
