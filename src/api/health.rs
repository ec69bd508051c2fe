//! `/healthz` and `/readyz`, for whoever restarts processes and sends traffic to them.

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::IntoResponse};

use super::store;
use crate::server::App;

/// How long the database has to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process is alive; says nothing of the database, which a restart would not mend.
pub async fn alive() -> &'static str {
    "alive\n"
}

/// The database answers a read and gives the write lock within two seconds.
pub async fn ready(State(app): State<App>) -> impl IntoResponse {
    let asked = async {
        let mut tx = app.db.read().await?;
        store::overdue(&mut tx, app.clock.now()).await?;
        drop(tx);
        // Not committed: the lock is taken and given back.
        store::probe(&mut app.db.begin().await?).await
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready: the database refuses");
            (StatusCode::SERVICE_UNAVAILABLE, "the database refuses\n")
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}
