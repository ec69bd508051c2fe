//! `/healthz` and `/readyz`, for whoever restarts processes and sends traffic to them.

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::IntoResponse};

use super::store;
use crate::{
    server::App,
    watch::{
        LOOPS, figures,
        health::{Database, stalls},
    },
};

/// How long the database has to answer. Whoever asks waits a second or two for all of it.
const PATIENCE: Duration = Duration::from_millis(900);

/// The process is alive: the loops that page turn. Says nothing of the database, which a restart would not mend.
pub async fn alive(State(app): State<App>) -> impl IntoResponse {
    let mut stalled = app.watch.stalled();
    stalled.retain(|(stalled, _)| LOOPS.iter().any(|(name, vital)| name == stalled && *vital));
    let stalled = stalls(&stalled);
    match stalled.is_empty() {
        true => (StatusCode::OK, "alive\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, format!("not well\n- {}\n", stalled.join("\n- "))),
    }
}

/// Whether work should be sent here: the loops turn, the disk has room, and the database answers a read and gives the
/// write lock in time. Under the verdict, a line for whatever is wrong; what a node cannot help, such as a carrier
/// that is down, leaves it ready.
pub async fn ready(State(app): State<App>) -> impl IntoResponse {
    let asked = async {
        let mut tx = app.db.read().await?;
        store::overdue(&mut tx, app.clock.now()).await?;
        drop(tx);
        // Not committed: the lock is taken and given back.
        store::probe(&mut app.db.begin().await?).await
    };
    let database = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(())) => Database::Answers,
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready: the database refuses");
            Database::Refuses
        }
        Err(_) => Database::Silent,
    };
    let health = figures::of(&app, database);
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, health.words())
}
