//! What is read from a request: a path's name, the query, a JSON body. Bounded, and refused with a [`Problem`].

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{Uri, header, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{Problem, problem::FieldError};
use crate::server::App;

/// The longest body of our own API, in bytes.
pub const MOST_BYTES: usize = 256 * 1024;
/// How long a body may take to arrive, in real time.
const ARRIVAL: Duration = Duration::from_secs(10);
/// The longest `Idempotency-Key`.
const LONGEST_KEY: usize = 255;
/// The longest name in a path.
const LONGEST_NAME: usize = 64;

/// Refuses an address with U+0000 in it: nothing of ours has such a name, and PostgreSQL would refuse to look for it. 404
/// where it stands in the path, 400 in the query.
pub fn without_nul(address: &Uri) -> Result<(), Problem> {
    let has = |part: &str| part.contains("%00");
    if has(address.path()) {
        return Err(Problem::not_found("Nothing has such a name."));
    }
    if address.query().is_some_and(has) {
        return Err(Problem::bad_request("The query has a character that no text has (U+0000)."));
    }
    Ok(())
}

/// The one name in a path: a reference, an id, a key.
#[derive(Debug)]
pub struct Name(pub String);

impl FromRequestParts<App> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, app).await {
            Ok(Path(name)) if !name.is_empty() && name.len() <= LONGEST_NAME => Ok(Name(name)),
            _ => Err(Problem::not_found("Nothing has such a name.")),
        }
    }
}

/// The query of a URL.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Query::<T>::try_from_uri(&parts.uri)
            .map(|Query(params)| Params(params))
            .map_err(|error| Problem::bad_request(error.body_text()))
    }
}

/// A query without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A POST: its body and, where the sender gave one, its `Idempotency-Key`.
#[derive(Debug)]
pub struct Posted<T> {
    pub body: T,
    pub(super) key: Option<String>,
    /// SHA-256 of method, path and body: what "the same request" means.
    pub(super) digest: String,
}

impl<T: DeserializeOwned> FromRequest<App> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let key = match request.headers().get("idempotency-key") {
            None => None,
            Some(value) => Some(idempotency_key(value.to_str().unwrap_or_default())?),
        };
        if let Some(kind) = request.headers().get(header::CONTENT_TYPE) {
            let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
            if !essence.eq_ignore_ascii_case("application/json") {
                return Err(Problem::bad_request(
                    "Send the body as `Content-Type: application/json` (curl: `--json`).",
                ));
            }
        }
        let mut digest = Sha256::new();
        digest.update(format!("{} {}\n", request.method(), request.uri()));
        let bytes = body(request.into_body(), MOST_BYTES).await?;
        digest.update(&bytes);
        Ok(Posted { body: json(&bytes)?, key, digest: hex::encode(digest.finalize()) })
    }
}

/// A body, whole. One that is too large, or comes byte by byte to keep a connection, is not waited for.
pub async fn body(body: Body, most: usize) -> Result<Bytes, Problem> {
    match tokio::time::timeout(ARRIVAL, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::too_large(format!("At most {} KB are taken.", most / 1024))),
        Err(_) => Err(Problem::too_slow(format!("The body did not arrive within {} seconds.", ARRIVAL.as_secs()))),
    }
}

fn idempotency_key(text: &str) -> Result<String, Problem> {
    // The draft standard writes it as a quoted string; most senders leave the quotes out.
    let bare = text.trim().trim_matches('"');
    let good = (1..=LONGEST_KEY).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_graphic());
    if good {
        return Ok(bare.into());
    }
    Err(Problem::bad_request(format!("An Idempotency-Key has 1 to {LONGEST_KEY} visible ASCII characters.")))
}

/// Reads JSON; no body at all is `{}`. 400 when it is not JSON, 422 with the field's pointer when it is not what we want.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let wrong = |pointer: String, error: serde_json::Error| {
        let text = error.to_string();
        if !error.is_data() {
            return Problem::bad_request(format!("The body is not JSON: {text}"));
        }
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
        Problem::invalid(vec![FieldError { pointer: pointer + &field_of(text), detail: text.into() }])
    };
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| wrong(pointer(error.path()), error.into_inner()))?;
    reader.end().map_err(|error| wrong(String::new(), error))?;
    Ok(value)
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// serde names a missing field in words only; an unknown one is already in the path.
fn field_of(text: &str) -> String {
    text.strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
        .map_or(String::new(), |field| format!("/{field}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        contact: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        number: String,
    }

    fn refused(text: &str) -> (u16, String) {
        let problem = json::<Outer>(text.as_bytes()).unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        (problem.status, pointers.join(","))
    }

    #[test]
    fn a_wrong_field_is_pointed_at() {
        let right = json::<Outer>(br#"{"contact": {"number": "5"}}"#).unwrap();
        assert_eq!(right.contact.number, "5");
        assert_eq!(refused(r#"{"contact": {"number": 5}}"#), (422, "/contact/number".into()));
        assert_eq!(refused(r#"{"contact": {}}"#), (422, "/contact/number".into()));
        assert_eq!(refused(r#"{"contact": {"number": "5", "fax": 1}}"#), (422, "/contact/fax".into()));
        assert_eq!(refused("{}"), (422, "/contact".into()));
        assert_eq!(refused(""), (422, "/contact".into()));
    }

    #[test]
    fn what_is_not_json_is_a_bad_request() {
        for text in ["{", "nul", "\u{0}", "{\"contact\": "] {
            assert_eq!(refused(text).0, 400, "{text}");
        }
        assert_eq!(json::<serde_json::Value>(b"{} {}").unwrap_err().status, 400);
        assert_eq!(refused(&"[".repeat(100_000)).0, 422, "a list is not what is wanted; it is not followed down");
        assert_eq!(json::<serde_json::Value>("[".repeat(100_000).as_bytes()).unwrap_err().status, 400);
    }

    #[test]
    fn an_address_with_a_nul_is_nowhere() {
        let status = |address: &str| without_nul(&address.parse().unwrap()).map_err(|problem| problem.status);
        assert_eq!(status("/incidents/%00?x=1"), Err(404));
        assert_eq!(status("/audit?before=aud_%00"), Err(400));
        // Decoded once, that is a percent sign and digits.
        assert_eq!(status("/incidents/4821%2500?next=%2F%30"), Ok(()));
    }

    #[test]
    fn an_idempotency_key_is_bounded() {
        assert_eq!(idempotency_key("\"a-1\"").unwrap(), "a-1");
        for bad in ["", "\"\"", "a b", "é", &"x".repeat(256)] {
            assert!(idempotency_key(bad).is_err(), "{bad}");
        }
    }
}
