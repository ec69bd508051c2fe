//! What is shown when a page cannot be.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use crate::{access::refused::Forbidden, api::Problem};

/// A page instead of the one that was asked for: what is wrong, and what to do.
#[derive(Debug)]
pub enum Trouble {
    Problem(Box<Problem>),
    /// Whoever looks has to sign in, or may not: the answer says so.
    Answer(Box<Response>),
}

#[derive(Template)]
#[template(path = "web/trouble.html")]
struct Page<'a> {
    title: &'a str,
    /// Left out where `errors` say it.
    detail: Option<String>,
    errors: Vec<String>,
    /// Whether it may be that something was to be changed.
    acted: bool,
    signed_out: bool,
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Trouble::Problem(Box::new(problem))
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<crate::incident::door::DoorError> for Trouble {
    fn from(error: crate::incident::door::DoorError) -> Self {
        Problem::from(error).into()
    }
}

impl From<Forbidden> for Trouble {
    fn from(forbidden: Forbidden) -> Self {
        forbidden.into_response().into()
    }
}

impl From<Response> for Trouble {
    fn from(answer: Response) -> Self {
        Trouble::Answer(Box::new(answer))
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let problem = match self {
            Trouble::Answer(answer) => return *answer,
            Trouble::Problem(problem) => problem,
        };
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let errors: Vec<String> = problem
            .errors
            .iter()
            .map(|error| field(&error.pointer, &error.detail))
            .map(|words| sentence(&words))
            .collect();
        let page = Page {
            title: &problem.title,
            detail: errors.is_empty().then(|| sentence(&problem.detail)),
            errors,
            acted: !matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED),
            signed_out: status == StatusCode::UNAUTHORIZED,
        };
        let page = page.render();
        let mut response = (status, Html(page.unwrap_or_else(|_| problem.title.clone()))).into_response();
        if let Some(seconds) = problem.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// `note: must not be empty`; one that is not there at all is missing.
fn field(pointer: &str, detail: &str) -> String {
    match pointer.trim_start_matches('/').replace(['/', '_'], " ") {
        field if field.is_empty() => detail.into(),
        field if detail.starts_with("missing field") => format!("{field} is missing"),
        field => format!("{field}: {detail}"),
    }
}

/// With a capital letter and a full stop: the same words are half a line elsewhere.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if words.ends_with(|last: char| last.is_alphanumeric() || last == '`') { "." } else { "" };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_in_sentences() {
        for (pointer, detail, expected) in [
            ("/text", "missing field `text`", "Text is missing."),
            ("/evidence/call_id", "must not be empty", "Evidence call id: must not be empty."),
            ("", "Nothing here!", "Nothing here!"),
            ("", "élan", "Élan."),
            ("", "", ""),
        ] {
            assert_eq!(sentence(&field(pointer, detail)), expected);
        }
    }
}
