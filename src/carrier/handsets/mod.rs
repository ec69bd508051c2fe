//! The built-in carrier: virtual phones with text threads and ringing calls. It is a carrier like any other, behind
//! the same port; what it needs of us it asks the [`super::Switchboard`].

/// The doors of the phones' owners: `/handsets/…`.
pub fn routes() -> axum::Router<crate::server::App> {
    axum::Router::new()
}
