//! The pages: rendered here, alive in the browser by a little script, and every act a plain form that works without it.
//!
//! A page is a struct with a template beside it that extends `frame.html`. What a caller, a customer or a payload said is
//! text: templates escape by construction, and the content security policy runs no script but ours.

mod acknowledge;
mod acts;
mod assets;
mod board;
mod compliance;
mod form;
mod frame;
mod guess;
mod handsets;
mod incident;
mod intake;
mod linked;
mod live;
mod oncall;
mod people;
mod readiness;
mod status;
mod store;
mod trouble;

use askama::Template;
use axum::{
    Extension, Router,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use tower_http::compression::{
    CompressionLayer,
    predicate::{DefaultPredicate, NotForContentType, Predicate},
};

pub use self::{
    form::{Fields, Form, fields},
    frame::{Entry, Frame, Place},
    store::STATEMENTS,
    trouble::Trouble,
};
use crate::{
    access,
    api::{self, Problem},
    server::App,
};

/// A page, rendered when it is answered.
#[derive(Debug)]
pub struct Page<T>(pub T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(text) => Html(text).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page cannot be made");
                Trouble::from(Problem::internal()).into_response()
            }
        }
    }
}

/// What a browser may do with our pages: nothing that is not ours, no script or style between the lines, in nobody's
/// frame. Paths hold tokens: no other host is told them. (Without any referrer browsers would send `Origin: null`.)
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                      connect-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

async fn guarded(request: Request, next: Next) -> Response {
    let mut response = match api::request::without_nul(request.uri()) {
        Ok(()) => next.run(request).await,
        Err(problem) => Trouble::from(problem).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What is asked for and is not there: a page for people, and a few words for programs.
async fn nowhere(headers: HeaderMap) -> Response {
    let problem = Problem::not_found("There is no such page.");
    let reads = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if reads.contains("text/html") { Trouble::from(problem).into_response() } else { problem.into_response() }
}

/// Where a form leads that was refused: whoever asks for it anew asks without the form.
async fn by_form_alone() -> Trouble {
    let detail = "This address does something when a form is sent to it, and shows nothing by itself.".into();
    Problem { title: "Nothing to see here".into(), detail, ..Problem::method_not_allowed() }.into()
}

/// Every page, and what pages fetch.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(board::board))
        .route("/incidents", get(incident::list))
        .route("/incidents/{reference}", get(incident::incident))
        .route("/incidents/{reference}/preview", get(acts::back).post(incident::preview_update))
        .route("/incidents/{reference}/export", get(incident::export))
        .route("/incidents/{reference}/call", get(acts::back).post(acts::call))
        .route("/incidents/{reference}/{act}", get(acts::back).post(acts::act))
        .route("/people", get(people::people))
        .route("/people/{key}", get(people::person))
        .route("/people/{key}/test", post(people::test_page))
        .route("/people/{key}/prove", post(people::prove))
        .route("/people/{key}/confirm", post(people::confirm))
        .route("/readiness", get(readiness::readiness).post(readiness::ask))
        .route("/readiness/echo/{nonce}", get(readiness::echo))
        .route("/oncall", get(oncall::on_call))
        .route("/oncall/take", post(oncall::take))
        .route("/oncall/give", post(oncall::give))
        .route("/oncall/end", post(oncall::end))
        .route("/oncall/feeds", post(oncall::make))
        .route("/oncall/feeds/revoke", post(oncall::revoke))
        .route("/oncall/feed/{name}", get(oncall::feed))
        .route("/compliance", get(compliance::compliance))
        .route("/handsets", get(handsets::handsets))
        .route("/handsets/live", get(live::handsets))
        .route("/handsets/dial", post(handsets::dial))
        .route("/handsets/clock", post(handsets::speed))
        .route("/handsets/phone/{number}/sms", post(handsets::write))
        .route("/handsets/phone/{number}/behaviour", post(handsets::behave))
        .route("/handsets/call/{id}/{act}", post(handsets::call))
        .route("/a/{token}", get(acknowledge::show).post(acknowledge::act))
        .route("/s/{token}", get(status::show).post(status::act))
        .route("/intake", get(intake::intake))
        .route("/intake/payloads/{id}", get(intake::payload))
        .route("/intake/integrations/{key}/keys", post(intake::reveal))
        .route("/intake/integrations/{key}/test", post(intake::test))
        .route("/live", get(live::live))
        .route("/assets/{name}", get(assets::asset))
        .route("/favicon.ico", get(assets::icon))
        .merge(access::web::routes())
        .method_not_allowed_fallback(by_form_alone)
        .fallback(nowhere)
        .layer(Extension(guess::Guesses::default()))
        .layer(
            CompressionLayer::new().compress_when(
                DefaultPredicate::new().and(NotForContentType::new("font/")).and(NotForContentType::SSE),
            ),
        )
        .layer(middleware::from_fn(guarded))
}
