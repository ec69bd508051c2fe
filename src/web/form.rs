//! What a page's form sends: bounded, and refused unless the page was ours.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::header,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Trouble;
use crate::{
    access::session::Visitor,
    api::{self, Problem},
    server::App,
};

/// The longest form, in bytes.
const MOST_BYTES: usize = 256 * 1024;

/// At most so many fields.
const MOST_FIELDS: usize = 200;

/// The fields of a form, in their order. Each name may stand several times.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

/// A form sent from one of our pages by somebody who is signed in.
#[derive(Debug)]
pub struct Form {
    pub visitor: Visitor,
    pub fields: Fields,
}

impl Fields {
    /// What a field holds; empty when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// What an API's body would be. A name `level:json` is read as JSON, `person.key` is a field of a field, and what was
    /// left empty is left out. A checkbox is sent only when it is set: a hidden field of the same name before it says
    /// what it is otherwise, the last one counts.
    pub fn json(&self) -> Value {
        let mut body = Map::new();
        for (name, text) in self.0.iter().filter(|(name, text)| name != "csrf" && !text.trim().is_empty()) {
            let (path, value) = match name.strip_suffix(":json") {
                Some(path) => (path, serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))),
                None => (name.as_str(), Value::from(text.as_str())),
            };
            match path.split_once('.') {
                None => drop(body.insert(path.into(), value)),
                Some((outer, inner)) => {
                    let nested = body.entry(outer).or_insert_with(|| Map::new().into());
                    nested.as_object_mut().map(|nested| nested.insert(inner.into(), value));
                }
            }
        }
        body.into()
    }

    /// As the body of an API's request.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        api::request::json(self.json().to_string().as_bytes())
    }
}

/// Reads a form's fields, whoever sent it.
pub async fn fields(request: Request) -> Result<Fields, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(Problem::bad_request("This is no form of ours."));
    }
    let bytes = api::request::body(request.into_body(), MOST_BYTES).await?;
    let fields = form_urlencoded::parse(&bytes).into_owned().take(MOST_FIELDS);
    // Browsers send line ends as CRLF. PostgreSQL keeps no text with U+0000 in it, and no name of ours has one.
    Ok(Fields(fields.map(|(name, value)| (name, value.replace("\r\n", "\n").replace('\0', "\u{fffd}"))).collect()))
}

impl FromRequest<App> for Form {
    type Rejection = Trouble;

    async fn from_request(request: Request, app: &App) -> Result<Self, Trouble> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, app).await?;
        let headers = parts.headers.clone();
        let fields = fields(Request::from_parts(parts, body)).await?;
        if !visitor.csrf_holds(fields.get("csrf"), &headers) {
            let detail =
                "This form is too old, or came from another page. Go back, load the page anew and send it again.";
            return Err(Problem::forbidden(detail).into());
        }
        Ok(Form { visitor, fields })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::json;

    use super::*;

    async fn read(body: &'static str) -> Result<Fields, Problem> {
        let request = Request::post("/").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        fields(request.body(Body::from(body)).unwrap()).await
    }

    #[tokio::test]
    async fn fields_become_the_body_of_a_request() {
        let fields = read("csrf=x&text=a%0D%0Ab&visible:json=false&visible:json=true&evidence.kind=attested&evidence.note=%3Cb%3E&level:json=2&empty=+").await;
        let expected = json!({
            "text": "a\nb", "visible": true, "evidence": { "kind": "attested", "note": "<b>" }, "level": 2,
        });
        assert_eq!(fields.unwrap().json(), expected);
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused() {
        let json = Request::post("/").header(header::CONTENT_TYPE, "application/json").body(Body::from("{}")).unwrap();
        assert_eq!(fields(json).await.unwrap_err().status, 400);
        let long = Request::post("/")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("a".repeat(MOST_BYTES + 1)))
            .unwrap();
        assert_eq!(fields(long).await.unwrap_err().status, 413);
    }
}
