//! The pages for whoever is not let in.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::Role;
use crate::{api::Problem, web::Trouble};

/// 401: nobody is signed in, or not any more.
pub fn unauthenticated() -> Response {
    let words = "You are not signed in, or not any more.";
    page(StatusCode::UNAUTHORIZED, "Sign in first", words)
}

/// 403: somebody with `role` would need `least`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden {
    pub role: Role,
    pub least: Role,
}

impl IntoResponse for Forbidden {
    fn into_response(self) -> Response {
        let words = format!("This needs the role {}; yours is {}.", self.least.as_str(), self.role.as_str());
        page(StatusCode::FORBIDDEN, "Not allowed", &words)
    }
}

impl From<Forbidden> for Response {
    fn from(forbidden: Forbidden) -> Response {
        forbidden.into_response()
    }
}

/// 403: a form that is not ours, or of another session.
pub fn strange_form() -> Response {
    let words = "This form is too old, or came from another page. Go back, load the page anew and send it again.";
    page(StatusCode::FORBIDDEN, "Please do that again", words)
}

/// 503: the database is away.
pub fn unavailable() -> Response {
    let mut response = page(StatusCode::SERVICE_UNAVAILABLE, "Not now", "The database does not answer. Try again.");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    response
}

fn page(status: StatusCode, title: &str, words: &str) -> Response {
    let problem = Problem { status: status.as_u16(), title: title.into(), ..Problem::forbidden(words) };
    let mut response = Trouble::from(problem).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
