//! Twilio, and whatever speaks as Twilio does (its REST API of 2010-04-01, TwiML, `X-Twilio-Signature`).
//!
//! Outwards, [`Twilio`] is the [`super::Carrier`]: it posts forms to the API. Inwards, the doors below
//! `/carriers/{name}/` are called by Twilio while a person is on the line or after a text went out; each request is
//! checked for its signature, put into the port's words, and answered by the [`super::Switchboard`]. Our attempt's id
//! is in every callback URL, so that a receipt finds its attempt though it comes before the answer to our own request.

mod client;
pub mod errors;
mod knock;
pub mod request;
pub mod signature;
pub mod twiml;
mod web;
pub mod words;

pub use client::Twilio;
pub use knock::knock;

use crate::server::switchboard::Exchange;

/// The doors Twilio calls: `/carriers/{name}/…`.
pub fn routes() -> axum::Router<crate::server::App> {
    web::routes(|app| std::sync::Arc::new(Exchange(app.clone())))
}

/// What every URL that a carrier calls begins with: `{public_url}/carriers/{key}`.
pub fn doors(public_url: &str, key: &str) -> String {
    format!("{}/carriers/{key}", public_url.trim_end_matches('/'))
}
