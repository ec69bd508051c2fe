//! The REST interface under `/api/v1`.

pub mod problem;

pub use problem::Problem;

/// Every route of the REST interface.
pub fn routes() -> axum::Router<crate::server::App> {
    axum::Router::new()
}
