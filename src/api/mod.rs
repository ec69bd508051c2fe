//! The REST interface under `/api/v1`.

pub mod acts;
pub mod check;
pub mod health;
pub mod idempotency;
pub mod incidents;
pub mod metrics;
pub mod page;
pub mod problem;
pub mod request;
pub mod store;
pub mod view;

pub use idempotency::Answer;
pub use problem::Problem;

/// Every route of the REST interface.
pub fn routes() -> axum::Router<crate::server::App> {
    axum::Router::new()
}
