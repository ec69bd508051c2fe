//! Twilio, and whatever speaks as Twilio does.

/// The doors Twilio calls: `/carriers/{name}/…`.
pub fn routes() -> axum::Router<crate::server::App> {
    axum::Router::new()
}
