//! `/sign-in`: the ways there are.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    access::{password, session},
    server::App,
    web::{Frame, Page, Place, Trouble},
};

/// The page with the ways to sign in.
#[derive(Template)]
#[template(path = "access/web/sign_in.html")]
pub(super) struct SignIn {
    frame: Frame,
    /// The page that was asked for.
    next: String,
    /// What the button of single sign-on says.
    oidc: Option<String>,
    passwords: bool,
    codes: bool,
    /// What went wrong, and what to do.
    wrong: Option<&'static str>,
}

impl SignIn {
    fn quoted(&self) -> String {
        super::quoted(&self.next)
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

pub(super) async fn page(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let next = super::next(&wanted.next);
    if session::of(&app, &headers).await?.is_some() {
        return Ok(super::go(next));
    }
    Ok(Page(ways(&app, next, None).await?).into_response())
}

async fn ways(app: &App, next: &str, wrong: Option<&'static str>) -> Result<SignIn, Trouble> {
    let passwords = password::store::any(&mut app.db.read().await?).await?;
    Ok(SignIn {
        frame: Frame::open(app, Place::Nowhere),
        next: next.into(),
        oidc: app.desk.oidc.as_ref().map(|oidc| oidc.name().to_owned()),
        passwords,
        codes: app.config.load().people.values().any(|person| !person.contact.is_empty()),
        wrong,
    })
}

/// The ways again, with what went wrong: 401.
pub(super) async fn again(app: &App, next: &str, wrong: &'static str) -> Result<Response, Trouble> {
    Ok((StatusCode::UNAUTHORIZED, Page(ways(app, next, Some(wrong)).await?)).into_response())
}

/// The ways again after too many tries: 429.
pub(super) async fn wait(app: &App, next: &str) -> Result<Response, Trouble> {
    const WORDS: &str = "There were too many tries from your network. Wait a quarter of an hour, or use another way.";
    let page = Page(ways(app, next, Some(WORDS)).await?);
    Ok((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "900")], page).into_response())
}
