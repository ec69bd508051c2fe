//! One request, sent twice, takes effect once: the answer to a POST with an `Idempotency-Key` is kept for a day, in
//! the transaction of what the request did.

use std::fmt;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use serde::Serialize;

use super::{Problem, problem::Conflict, request::Posted, store};
use crate::{
    access::Caller,
    clock::Time,
    incident::door::DoorError,
    server::App,
    store::{Tx, retry::MayConflict},
};

/// How long an answer is kept, in hours.
const KEPT_HOURS: i64 = 24;

/// The answer of a handler; `?` ends it early with a problem, or with the answer that was given before.
pub type Answer = Result<Response, Stop>;

/// An answer before the work was done.
#[derive(Debug)]
pub struct Stop(Box<Response>);

impl MayConflict for Stop {
    fn is_conflict(&self) -> bool {
        self.0.extensions().get::<Conflict>().is_some()
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered {}", self.0.status())
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Stop(Box::new(problem.into_response()))
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<DoorError> for Stop {
    fn from(error: DoorError) -> Self {
        Problem::from(error).into()
    }
}

/// A request at work: its transaction, which nothing but [`Work::finish`] commits.
#[derive(Debug)]
pub struct Work {
    pub tx: Tx,
    pub now: Time,
    /// The token's id and the key, when there is one.
    key: Option<(String, String)>,
}

impl<T> Posted<T> {
    /// Opens the transaction. Stops with the kept answer when this request was answered before.
    pub async fn begin(&self, app: &App, caller: &Caller) -> Result<Work, Stop> {
        let mut tx = app.db.begin().await?;
        let now = app.clock.now();
        let Some(key) = &self.key else { return Ok(Work { tx, now, key: None }) };
        // The row is put there first: on PostgreSQL a second request with the same key waits here for the first.
        if store::claim_key(&mut tx, &caller.jti, key, &self.digest, now).await? {
            store::forget_answers(&mut tx, now - TimeDelta::hours(KEPT_HOURS)).await?;
            return Ok(Work { tx, now, key: Some((caller.jti.clone(), key.clone())) });
        }
        let kept = store::answer(&mut tx, &caller.jti, key).await?.ok_or_else(Problem::unavailable)?;
        if kept.request != self.digest {
            return Err(Problem::key_reused().into());
        }
        let status = u16::try_from(kept.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let mut response = written(status.unwrap_or(StatusCode::OK), kept.body.into_bytes());
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        Err(Stop(Box::new(response)))
    }
}

impl Work {
    /// Keeps the answer, commits, and rings the bell.
    pub async fn finish<T: Serialize>(mut self, app: &App, status: StatusCode, body: &T) -> Answer {
        let text = serde_json::to_string(body).map_err(|_| Problem::internal())?;
        if let Some((token, key)) = &self.key {
            store::keep_answer(&mut self.tx, token, key, status.as_u16().into(), &text).await?;
        }
        self.tx.commit().await?;
        app.bell.ring();
        Ok(written(status, text.into_bytes()))
    }
}

fn written(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
