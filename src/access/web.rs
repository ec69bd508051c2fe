//! The pages of signing in and out, of one's sessions, and of the audit.

mod audit;
mod code;
mod link;
mod oidc;
mod password;
mod sessions;
mod sign_in;

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::{
    origin, refused,
    session::{self, From},
};
use crate::{
    server::App,
    web::{self, Fields, Trouble},
};

/// Every page of this folder. They go into [`crate::web::routes`], for its headers.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in::page))
        .route("/sign-in/password", post(password::enter))
        .route("/sign-in/code", get(code::page).post(code::ask))
        .route("/sign-in/code/enter", post(code::enter))
        .route("/sign-in/link/{token}", get(link::page).post(link::enter))
        .route("/sign-in/oidc", get(oidc::begin))
        .route("/sign-in/oidc/callback", get(oidc::callback))
        .route("/sign-in/sessions", get(sessions::page))
        .route("/sign-in/sessions/end", post(sessions::end))
        .route("/sign-in/sessions/end-others", post(sessions::end_others))
        .route("/sign-out", post(sessions::sign_out))
        .route("/audit", get(audit::page))
}

/// A form of somebody who is not signed in: of a page of ours, as far as their browser says.
async fn open_form(app: &App, request: Request) -> Result<Fields, Trouble> {
    if !session::is_ours(&app.settings.public_url, request.headers()) {
        return Err(refused::strange_form().into());
    }
    Ok(web::fields(request).await?)
}

/// Where a sign-in leads: the page that was asked for, if it is one of ours.
fn next(given: &str) -> &str {
    origin::local(given).filter(|next| !next.starts_with("/sign-in")).unwrap_or("/")
}

/// Goes on with a new session. The one that the browser had is over.
async fn entered(app: &App, headers: &HeaderMap, set: HeaderValue, next: &str) -> Result<Response, Trouble> {
    if let Some(before) = session::of(app, headers).await? {
        let mut tx = app.db.begin().await?;
        session::end(&mut tx, &before.session, app.clock.now()).await?;
        tx.commit().await?;
    }
    let mut response = go(next);
    response.headers_mut().append(header::SET_COOKIE, set);
    Ok(response)
}

/// To another page.
fn go(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// For a part of an address.
fn quoted(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
