//! `/sign-in/code`: a code to a phone.

use askama::Template;
use axum::{
    extract::{Query, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{From, sign_in};
use crate::{
    access::sign_in::{Tried, ask_code, by_code},
    server::App,
    web::{Frame, Page, Place, Trouble},
};

/// Where the code is entered. It is the same page whether one was sent or not.
#[derive(Template)]
#[template(path = "access/web/code.html")]
pub(super) struct Enter {
    frame: Frame,
    next: String,
    /// The code's id.
    code: String,
    wrong: bool,
}

impl Enter {
    fn quoted(&self) -> String {
        super::quoted(&self.next)
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    c: String,
    #[serde(default)]
    next: String,
}

/// No id of ours is longer.
const LONGEST: usize = 40;

fn enter_page(app: &App, code: &str, next: &str, wrong: bool) -> Page<Enter> {
    let code = code.chars().take(LONGEST).collect();
    Page(Enter { frame: Frame::open(app, Place::Nowhere), next: next.into(), code, wrong })
}

pub(super) async fn page(State(app): State<App>, Query(wanted): Query<Wanted>) -> Page<Enter> {
    enter_page(&app, &wanted.c, super::next(&wanted.next), false)
}

pub(super) async fn ask(State(app): State<App>, from: From, request: Request) -> Result<Response, Trouble> {
    let form = super::open_form(&app, request).await?;
    let next = super::next(form.get("next"));
    match ask_code(&app, form.get("who"), &from).await? {
        Some(id) => Ok(super::go(&format!("/sign-in/code?c={id}&next={}", super::quoted(next)))),
        None => sign_in::wait(&app, next).await,
    }
}

pub(super) async fn enter(State(app): State<App>, from: From, request: Request) -> Result<Response, Trouble> {
    let headers = request.headers().clone();
    let form = super::open_form(&app, request).await?;
    let (id, next) = (form.get("c"), super::next(form.get("next")));
    match by_code(&app, id, form.get("code"), &from).await? {
        Tried::In(set) => Ok(super::entered(&app, &headers, set, next).await),
        Tried::Wrong => Ok((StatusCode::UNAUTHORIZED, enter_page(&app, id, next, true)).into_response()),
        Tried::TooMany => sign_in::wait(&app, next).await,
    }
}
