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
async fn entered(app: &App, headers: &HeaderMap, set: HeaderValue, next: &str) -> Response {
    // What let them in is used up: they are in, whatever becomes of the old one.
    if let Err(error) = end_former(app, headers).await {
        tracing::warn!(%error, "cannot end the session that a browser had before");
    }
    let mut response = go(next);
    response.headers_mut().append(header::SET_COOKIE, set);
    response
}

async fn end_former(app: &App, headers: &HeaderMap) -> sqlx::Result<()> {
    let Some(before) = session::of(app, headers).await? else { return Ok(()) };
    let mut tx = app.db.begin().await?;
    session::end(&mut tx, &before.session, app.clock.now()).await?;
    tx.commit().await
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::session::How, config::Config, server::settings::Settings};

    #[tokio::test]
    async fn whoever_is_let_in_is_in_though_the_session_before_cannot_be_ended() {
        let start = "2026-11-02T12:00:00Z";
        let (app, _hand, _folder) = App::for_test(Settings::default(), start, Config::default(), vec![]).await;
        let mut tx = app.db.begin().await.unwrap();
        let who = session::Who { name: "a guest".into(), role: Some(super::super::Role::Viewer), ..Default::default() };
        let set = session::begin(&mut tx, &app, &who, How::Link, &From::default()).await.unwrap();
        tx.commit().await.unwrap();
        let mut headers = HeaderMap::new();
        let cookie = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        assert!(session::of(&app, &headers).await.unwrap().is_some());

        app.db.close().await;
        assert!(session::of(&app, &headers).await.is_err());
        let response = entered(&app, &headers, HeaderValue::from_static("ringdown=another"), "/oncall").await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[header::LOCATION], "/oncall");
        assert_eq!(response.headers()[header::SET_COOKIE], "ringdown=another");
    }
}
