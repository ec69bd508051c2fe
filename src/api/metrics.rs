//! `/metrics`, for Prometheus: what the parts of the process counted, and what the database says now.

use std::sync::OnceLock;

use axum::{extract::State, http::header, response::IntoResponse};
use metrics::{gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::{Problem, store};
use crate::{quarantine, server::App, sla::Priority, watch};

/// In seconds: from a quick query to a page an hour late.
const BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];

/// Starts counting, once a process; later calls give the same handle.
pub fn install() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new().set_buckets(BUCKETS).unwrap_or_default();
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another recorder of metrics is installed; /metrics will be empty");
            }
            handle
        })
        .clone()
}

/// The metrics, in Prometheus' text format.
pub async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let handle = install();
    let now = app.clock.now();
    gauge!("ringdown_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let mut tx = app.db.read().await?;
    let open = store::open_counts(&mut tx).await?;
    for priority in Priority::ALL {
        let name = priority.to_string();
        let count = open.get(&name).copied().unwrap_or_default();
        gauge!("ringdown_open_incidents", "priority" => name).set(count as f64);
    }
    let late = store::overdue(&mut tx, now).await?.map_or(0.0, |due| (now - due).as_seconds_f64().max(0.0));
    gauge!("ringdown_oldest_overdue_timer_seconds").set(late);
    gauge!("ringdown_attempts_waiting").set(store::unsent(&mut tx, now).await? as f64);
    gauge!("ringdown_quarantined_incidents").set(quarantine::store::unsettled(&mut tx).await?.len() as f64);
    watch::figures::measure(&app, &mut tx, now).await?;
    drop(tx);
    handle.run_upkeep();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()))
}

/// Counts how long a request of the API took.
pub(super) fn took(method: &str, route: &str, status: u16, seconds: f64) {
    histogram!(
        "ringdown_http_request_seconds",
        "method" => method.to_owned(), "route" => route.to_owned(), "status" => status.to_string()
    )
    .record(seconds);
}
