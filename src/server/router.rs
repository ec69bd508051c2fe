//! Every door of the process.

use axum::Router;
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use super::App;
use crate::{api, carrier, intake, web};

/// Every door of the process.
pub fn all(app: App) -> Router {
    Router::new()
        .merge(api::routes())
        .merge(intake::routes())
        .merge(carrier::twilio::routes())
        .merge(carrier::handsets::routes())
        .merge(web::routes())
        // Only the route is named: paths carry keys and queries carry tokens.
        .layer(TraceLayer::new_for_http().make_span_with(|request: &axum::extract::Request| {
            let route = request.extensions().get::<axum::extract::MatchedPath>().map(|path| path.as_str().to_string());
            tracing::info_span!("request", method = %request.method(), route)
        }))
        .layer(CatchPanicLayer::new())
        .with_state(app)
}
