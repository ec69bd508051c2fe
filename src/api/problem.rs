//! Errors as RFC 9457 problem details.

use std::fmt;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::store::retry::MayConflict;

/// An error, for a program and for the person who reads its log.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// A path below the public URL that explains this kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What is wrong this time, and what to do.
    pub detail: String,
    /// Which fields are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    #[serde(skip)]
    pub retry_after: Option<u32>,
    /// Another transaction was faster.
    #[serde(skip)]
    pub(crate) conflict: bool,
}

/// On an answer of ours that another transaction is the reason for: the same again at once may well be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conflict;

/// One field that is wrong.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// RFC 6901, for example `/priority`.
    pub pointer: String,
    pub detail: String,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Problem {
            kind: format!("/problems/{kind}"),
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            conflict: false,
        }
    }

    /// 400: the request as a whole cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request cannot be read", detail)
    }

    /// 422: it can be read, and fields are wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail =
            errors.iter().map(|error| format!("{}: {}", error.pointer, error.detail)).collect::<Vec<_>>().join("; ");
        Problem { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some fields are wrong", detail) }
    }

    /// 422 for one field.
    pub fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { pointer: pointer.into(), detail: detail.into() }])
    }

    /// 401.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Who are you?", detail)
    }

    /// 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    /// 409: the state of the thing does not allow it.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "Not possible now", detail)
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        let detail = "This path does not take this method; `/api/openapi.json` lists what there is.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Not with this method", detail)
    }

    /// 422: an `Idempotency-Key` that was used before, with another request.
    pub fn key_reused() -> Self {
        let detail = "This Idempotency-Key was used for another request; take a new one for a new request.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The key was used before", detail)
    }

    /// 408.
    pub fn too_slow(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "It took too long", detail)
    }

    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail)
    }

    /// 429: again after so many seconds.
    pub fn too_many(detail: impl Into<String>, seconds: u32) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Not so fast", detail);
        Problem { retry_after: Some(seconds), ..problem }
    }

    /// 500: a mistake of ours.
    pub fn internal() -> Self {
        let detail = "Ringdown made a mistake; its log has more.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "A mistake of ours", detail)
    }

    /// 503: nothing was recorded; try again.
    pub fn unavailable() -> Self {
        Problem {
            retry_after: Some(1),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not taken",
                "The database does not take it now; nothing was recorded. Send it again.",
            )
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl MayConflict for Problem {
    fn is_conflict(&self) -> bool {
        self.conflict
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.conflict {
            response.extensions_mut().insert(Conflict);
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let conflict = error.is_conflict();
        if !conflict {
            tracing::error!(%error, "the database refused");
        }
        Problem { conflict, ..Problem::unavailable() }
    }
}

impl From<crate::incident::door::DoorError> for Problem {
    fn from(error: crate::incident::door::DoorError) -> Self {
        use crate::incident::{Refusal, door::DoorError};
        match error {
            DoorError::Database(error) => error.into(),
            DoorError::Refused(refusal @ Refusal::Unknown) => Problem::not_found(refusal.to_string()),
            DoorError::Refused(refusal @ (Refusal::Invalid(_) | Refusal::UnknownPerson(_))) => {
                Problem::field("", refusal.to_string())
            }
            DoorError::Refused(refusal) => Problem::conflict(refusal.to_string()),
        }
    }
}
