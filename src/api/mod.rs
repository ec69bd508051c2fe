//! The REST interface under `/api/v1`: JSON, bearer tokens, problem details (RFC 9457), cursor pages,
//! `Idempotency-Key`. `/api/openapi.json` describes it; a route that is not described there does not exist.

pub mod acts;
pub mod callback;
pub mod changes;
pub mod check;
pub mod health;
pub mod idempotency;
pub mod incidents;
pub mod intake;
pub mod ledger;
pub mod metrics;
pub mod overrides;
pub mod page;
pub mod people;
pub mod problem;
pub mod quarantine;
pub mod report;
pub mod request;
pub mod schedules;
pub mod status;
pub mod store;
#[cfg(test)]
mod tests;
pub mod tokens;
pub mod view;

use axum::{
    Json, Router,
    extract::{MatchedPath, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        PathItem, RefOr, SecurityRequirement,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

pub use idempotency::Answer;
pub use problem::Problem;

use crate::server::App;

#[derive(OpenApi)]
#[openapi(
    info(title = "Ringdown", description = "On-call paging and phone escalation."),
    modifiers(&Bearer),
    components(schemas(Problem))
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build());
        document.components.get_or_insert_default().add_security_scheme("bearer", scheme);
        document.security = Some(vec![SecurityRequirement::new("bearer", [""; 0])]);
    }
}

fn described() -> (Router<App>, utoipa::openapi::OpenApi) {
    let (router, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .nest(
            "/api/v1",
            OpenApiRouter::new()
                .merge(incidents::routes())
                .merge(acts::routes())
                .merge(callback::routes())
                .merge(changes::routes())
                .merge(ledger::routes())
                .merge(report::routes())
                .merge(schedules::routes())
                .merge(overrides::routes())
                .merge(people::routes())
                .merge(tokens::routes())
                .merge(intake::routes())
                .merge(quarantine::routes())
                .merge(status::routes()),
        )
        .split_for_parts();
    for (path, item) in &mut document.paths.paths {
        name_operations(path, item);
        describe_answers(item);
    }
    (router, document)
}

/// Handlers share names; clients are made of these and need each to be another: `get_incidents_reference_pages`.
fn name_operations(path: &str, item: &mut PathItem) {
    let words = path.trim_start_matches("/api/v1").replace(['/', '-'], "_").replace(['{', '}'], "");
    let operations = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    for (method, operation) in operations {
        if let Some(operation) = operation {
            operation.operation_id = Some(format!("{method}{words}"));
        }
    }
}

/// OpenAPI wants words for every answer; they are the same everywhere.
fn describe_answers(path: &mut PathItem) {
    let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.patch, &mut path.delete];
    for responses in operations.into_iter().flatten().map(|operation| &mut operation.responses.responses) {
        if let Some(refused) = responses.get("4XX").cloned() {
            responses.entry("5XX".into()).or_insert(refused);
        }
        for (status, response) in responses {
            let RefOr::T(response) = response else { continue };
            if response.description.is_empty() {
                response.description = match status.as_str() {
                    "201" => "It was made.",
                    "202" => "It was taken and goes on.",
                    "204" => "Done; there is nothing to say.",
                    "4XX" => "Refused; `detail` and `errors` say why.",
                    "5XX" => "It cannot be done now; ask again.",
                    _ => "Here it is.",
                }
                .into();
            }
        }
    }
}

/// The OpenAPI 3.1 document.
pub fn document() -> utoipa::openapi::OpenApi {
    described().1
}

/// Every route of the REST interface, and those for whoever watches over the process.
pub fn routes() -> Router<App> {
    // What is counted before this is lost.
    metrics::install();
    let (router, document) = described();
    router
        .route("/api/openapi.json", get(move || async move { Json(document) }))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(middleware::from_fn(timed))
        .route("/api/{*rest}", any(async || Problem::not_found("There is no such path; see `/api/openapi.json`.")))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/.well-known/ringdown-ledger-key", get(ledger::key))
}

async fn timed(request: Request, next: Next) -> Response {
    let method = request.method().as_str().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or_else(String::new, |path| path.as_str().to_owned());
    let start = std::time::Instant::now();
    let response = match request::without_nul(request.uri()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    metrics::took(&method, &route, response.status().as_u16(), start.elapsed().as_secs_f64());
    response
}
