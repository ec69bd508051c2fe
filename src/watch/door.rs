//! Our own door for heartbeats: among the intake's, behind the same gate, closed to everybody but this process.

use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{
    beat::{Beat, Covers},
    heartbeat::{LIFE, Line, line},
    store,
};
use crate::{
    carrier::handsets,
    id::AttemptId,
    paging::{self, draft},
    people::E164,
    server::App,
    store::retry::retried,
};

/// Where it is.
pub const PATH: &str = "/intake/heartbeat";

/// The header that carries the process' own key.
pub const KEY: &str = "x-ringdown-heartbeat";

/// What is knocked with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Knock {
    pub id: AttemptId,
    pub begun_at: crate::clock::Time,
}

/// Takes a heartbeat of this very process; for anybody else there is nothing here. 2xx only after the commit.
pub async fn receive(app: &App, headers: &HeaderMap, body: &[u8]) -> StatusCode {
    let shown = headers.get(KEY).map_or(&[] as &[u8], |value| value.as_bytes());
    if !bool::from(shown.ct_eq(app.watch.key.as_bytes())) {
        return StatusCode::NOT_FOUND;
    }
    let Ok(knock) = serde_json::from_slice::<Knock>(body) else { return StatusCode::BAD_REQUEST };
    let Some(line) = line(app) else { return StatusCode::NOT_FOUND };
    match retried(|| keep(app, &knock, &line)).await {
        Ok(()) => {
            app.bell.ring();
            StatusCode::ACCEPTED
        }
        Err(error) => {
            tracing::warn!(%error, "a heartbeat cannot be written down");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn keep(app: &App, knock: &Knock, line: &Line) -> sqlx::Result<()> {
    let now = app.clock.now();
    let begun = Beat::begin(knock.id.clone(), &app.watch.node, line.carrier.clone(), line.covers(), knock.begun_at);
    let beat = Beat { kept_at: Some(now), ..begun };
    // A look-up goes to no number.
    let to = line.to.clone().or_else(|| E164::parse(handsets::HEARTBEAT).ok());
    let Some(to) = to else { return Ok(()) };
    let text = (beat.covers == Covers::Text).then(|| format!("Ringdown is well. {}", knock.id));
    let attempt = draft::heartbeat(knock.id.clone(), to, text, now + LIFE, now);
    let mut tx = app.db.begin().await?;
    store::keep(&mut tx, &beat).await?;
    paging::store::insert(&mut tx, &attempt).await?;
    tx.commit().await
}

/// What this process shows at its own door.
pub(super) fn key(app: &App) -> &str {
    &app.watch.key
}
