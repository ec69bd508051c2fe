//! The pages for whoever is not let in.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use super::Role;

/// 401: nobody is signed in, or not any more.
pub fn unauthenticated() -> Response {
    let words = "You are not signed in any more. Nothing was done.";
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
    let words = "This form is out of date, or it came from another site. Nothing was done: go back, load the page \
                 again and repeat it.";
    page(StatusCode::FORBIDDEN, "Please do that again", words)
}

/// 503: the database is away.
pub fn unavailable() -> Response {
    let mut response = page(StatusCode::SERVICE_UNAVAILABLE, "Not now", "The database does not answer. Try again.");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    response
}

/// `words` are ours: nothing that a request said.
fn page(status: StatusCode, title: &str, words: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><h1>{title}</h1><p>{words}</p>\
         <p><a href=\"/sign-in\">Sign in</a> · <a href=\"/\">Board</a></p></html>"
    );
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}
