//! One configuration for all nodes: the newest revision in the database is in force everywhere. When one node takes a
//! changed `schedules/`, the others load it from the database.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{
    config,
    server::{App, bell},
};

/// Until `stop`: puts the newest revision in force, whoever took it.
pub async fn follow(app: App, stop: CancellationToken) {
    // One that cannot be used here is told of once.
    let mut refused: Option<i64> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.bell.revision() => {}
            () = bell::poll() => {}
        }
        if let Err(error) = look(&app, &mut refused).await {
            tracing::debug!(%error, "the newest revision cannot be looked up");
        }
    }
}

async fn look(app: &App, refused: &mut Option<i64>) -> sqlx::Result<()> {
    let Some(newest) = config::newest_revision(&app.db).await? else { return Ok(()) };
    let before = app.config.load().revision;
    if newest == before || *refused == Some(newest) {
        return Ok(());
    }
    match config::restore(&app.db, &app.settings.schedules, newest).await {
        Ok(config) => {
            tracing::info!(revision = newest, before, "another node took new schedules; they are in force here too");
            app.config.store(Arc::new(config));
            app.bell.ring_here();
        }
        Err(error) => {
            *refused = Some(newest);
            tracing::error!(
                revision = newest,
                in_force = before,
                error = format!("{error:#}"),
                "another node took new schedules, and they cannot be used here: what was good last stays in force"
            );
        }
    }
    Ok(())
}
