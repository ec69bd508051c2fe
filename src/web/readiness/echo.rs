//! `/readiness/echo/NONCE`: an answer that only this installation can give, so that we know our own address by it.

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::server::App;

/// The length of a nonce, in hexadecimal digits.
pub(super) const NONCE: usize = 32;

/// What we answer to a nonce.
pub(super) fn answer(app: &App, nonce: &str) -> String {
    let key = app.token_key.derive("echo of our own address");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(nonce.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

pub(in crate::web) async fn echo(State(app): State<App>, Path(nonce): Path<String>) -> Response {
    if nonce.len() != NONCE || !nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    ([(header::CONTENT_TYPE, "text/plain")], answer(&app, &nonce)).into_response()
}
