//! `/api/v1/intake`: what came in by webhook, good or refused. For admins: payloads may hold anything.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Problem,
    incidents::CursorParams,
    page::{Page, page, window},
    request::{Name, Nothing, Params},
};
use crate::{
    access::{Allowed, least},
    id::IntakeId,
    intake::{Received, store},
    server::App,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// A payload that was received.
#[derive(Debug, Serialize, ToSchema)]
pub struct PayloadView {
    pub id: String,
    pub received_at: DateTime<Utc>,
    /// The language it came in: `events_v2`, `events_v1`, `alertmanager`, `generic`.
    pub door: String,
    /// The integration's key; none when the sender was not known.
    pub integration: Option<String>,
    /// The sender's address.
    pub remote: Option<String>,
    /// The status it was answered with.
    pub status: u16,
    /// What became of it, or why it was refused.
    pub verdict: String,
    /// The long ids of the incidents it reached.
    pub incidents: Vec<String>,
    /// Only where one payload is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// As it came; only where one payload is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

fn view(received: Received, whole: bool) -> PayloadView {
    PayloadView {
        id: received.id.to_string(),
        received_at: received.received_at,
        door: received.door,
        integration: received.integration.map(|key| key.to_string()),
        remote: received.remote,
        status: received.status,
        verdict: received.verdict,
        incidents: received.incident_ids.iter().map(ToString::to_string).collect(),
        headers: whole.then_some(received.headers),
        body: whole.then_some(received.body),
    }
}

/// The payloads received, newest first. Role: `admin`.
#[utoipa::path(get, path = "/intake", tag = "intake", params(CursorParams),
    responses((status = 200, body = Page<PayloadView>), (status = "4XX", body = Problem)))]
async fn list(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Admin>,
    Params(params): Params<CursorParams>,
) -> Result<Json<Page<PayloadView>>, Problem> {
    let (cursor, limit) = window(params.cursor, params.limit, "int_")?;
    // One more is asked for than is given.
    let limit = limit.min(store::LIST_LIMIT - 1);
    let found = store::list(&mut app.db.read().await?, cursor.map(IntakeId::from), limit + 1).await?;
    let views = found.into_iter().map(|received| view(received, false)).collect();
    Ok(Json(page(views, limit, |view: &PayloadView| view.id.clone())))
}

/// One payload, whole. Role: `admin`.
#[utoipa::path(get, path = "/intake/{id}", tag = "intake",
    params(("id" = String, Path, description = "`int_…`")),
    responses((status = 200, body = PayloadView), (status = "4XX", body = Problem)))]
async fn show(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Admin>,
    Name(id): Name,
    _: Params<Nothing>,
) -> Result<Json<PayloadView>, Problem> {
    let found = store::get(&mut app.db.read().await?, &id.into()).await?;
    let received =
        found.ok_or_else(|| Problem::not_found("There is no payload of this id; they are kept for a while."))?;
    Ok(Json(view(received, true)))
}
