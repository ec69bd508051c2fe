//! `/api/v1/status` and `/api/v1/config`: how the service is, and what it goes by.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Problem,
    page::Page,
    request::{Nothing, Params},
    store,
};
use crate::{
    access::{Allowed, least},
    node::{self, Presence},
    people::Channel,
    server::App,
    sla::zone,
    watch::figures::{self, WatchView},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(status)).routes(routes!(config)).routes(routes!(nodes))
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusView {
    pub version: &'static str,
    /// What the service's clock shows.
    pub now: DateTime<Utc>,
    /// The number of the configuration in force.
    pub revision: i64,
    /// As IANA names it.
    pub time_zone_database: &'static str,
    /// By priority; one without an open incident is left out.
    pub open_incidents: BTreeMap<String, i64>,
    pub carriers: Vec<CarrierView>,
    /// The earliest thing that is due and not yet seen to; normally none.
    pub overdue_since: Option<DateTime<Utc>>,
    /// Texts and calls that should be on their way and are not; normally 0.
    pub attempts_waiting: i64,
    /// The last restore from a backup, while incidents of it wait for a person; see `GET /quarantine`.
    pub restored: Option<super::quarantine::RestoreView>,
    /// How this node of the service is.
    pub watch: WatchView,
}

/// A carrier.
#[derive(Debug, Serialize, ToSchema)]
pub struct CarrierView {
    pub key: String,
    pub channels: Vec<Channel>,
}

/// How the service is.
#[utoipa::path(get, path = "/status", tag = "service",
    responses((status = 200, body = StatusView), (status = "4XX", body = Problem)))]
async fn status(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Viewer>,
    _: Params<Nothing>,
) -> Result<Json<StatusView>, Problem> {
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let carriers = app.carriers.iter().map(|carrier| CarrierView {
        key: carrier.key().to_string(),
        channels: [Channel::Sms, Channel::Voice].into_iter().filter(|channel| carrier.can(*channel)).collect(),
    });
    Ok(Json(StatusView {
        version: env!("CARGO_PKG_VERSION"),
        now,
        revision: app.config.load().revision,
        time_zone_database: zone::database_version(),
        open_incidents: store::open_counts(&mut tx).await?,
        carriers: carriers.collect(),
        overdue_since: store::overdue(&mut tx, now).await?,
        attempts_waiting: store::unsent(&mut tx, now).await?,
        restored: super::quarantine::restored(&mut tx, now).await?.filter(|restored| restored.unsettled > 0),
        watch: figures::view(&app),
    }))
}

/// The nodes that share this database: those that run, and those that did within the last day.
#[utoipa::path(get, path = "/nodes", tag = "service",
    responses((status = 200, body = Page<Presence>), (status = "4XX", body = Problem)))]
async fn nodes(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Viewer>,
    _: Params<Nothing>,
) -> Result<Json<Page<Presence>>, Problem> {
    Ok(Json(Page { items: node::keep::nodes(&app).await?, next: None }))
}

/// What `schedules/` says, as it is in force: `{"revision", "people", "teams", …}`, with numbers in full. Role: `admin`.
#[utoipa::path(get, path = "/config", tag = "service",
    responses((status = 200, body = Object), (status = "4XX", body = Problem)))]
async fn config(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Admin>,
    _: Params<Nothing>,
) -> Json<serde_json::Value> {
    Json(crate::config::describe(&app.config.load()))
}
