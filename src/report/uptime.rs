//! Writes down that this node runs, so that a report can tell when none did.

use tokio_util::sync::CancellationToken;

use super::{
    downtime::{BEAT, STALL},
    store,
};
use crate::{clock::Time, server::App};

/// Writes down every ten seconds that the run goes on, and at the end that it ended in order.
///
/// Whoever could not write for longer than [`STALL`] did not serve anybody either: a new run begins, and the time
/// between is a gap.
pub async fn keep(app: App, stop: CancellationToken, mut run: String) {
    let mut seen = app.clock.now();
    while stop.run_until_cancelled(app.clock.sleep(BEAT)).await.is_some() {
        match beat(&app, &mut run, seen).await {
            Ok(now) => seen = now,
            Err(error) => tracing::warn!(%error, "it cannot be written down that the service runs"),
        }
    }
    if let Err(error) = end(&app, &run).await {
        tracing::warn!(%error, "it cannot be written down that the service ended");
    }
}

async fn beat(app: &App, run: &mut String, seen: Time) -> sqlx::Result<Time> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if now - seen > STALL {
        *run = store::begin_run(&mut tx, now).await?;
    } else {
        store::go_on(&mut tx, run, now).await?;
    }
    tx.commit().await?;
    Ok(now)
}

async fn end(app: &App, run: &str) -> sqlx::Result<()> {
    let mut tx = app.db.begin().await?;
    store::end_run(&mut tx, run, app.clock.now()).await?;
    tx.commit().await
}
