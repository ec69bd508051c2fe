//! `/sign-in/link/TOKEN`: a link that signs in once. Looking at it does not use it up: previews of links look.

use askama::Template;
use axum::{
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::From;
use crate::{
    access::sign_in::{Tried, by_link, link_holds},
    server::App,
    web::{Frame, Page, Place, Trouble},
};

#[derive(Template)]
#[template(path = "access/web/link.html")]
pub(super) struct Link {
    frame: Frame,
    holds: bool,
}

fn answer(app: &App, holds: bool) -> Response {
    let status = if holds { StatusCode::OK } else { StatusCode::GONE };
    (status, Page(Link { frame: Frame::open(app, Place::Nowhere), holds })).into_response()
}

pub(super) async fn page(State(app): State<App>, Path(token): Path<String>) -> Result<Response, Trouble> {
    let holds = link_holds(&app, &token).await?;
    Ok(answer(&app, holds))
}

pub(super) async fn enter(
    State(app): State<App>,
    Path(token): Path<String>,
    from: From,
    request: Request,
) -> Result<Response, Trouble> {
    let headers = request.headers().clone();
    super::open_form(&app, request).await?;
    match by_link(&app, &token, &from).await? {
        Tried::In(set) => Ok(super::entered(&app, &headers, set, "/").await),
        Tried::Wrong | Tried::TooMany => Ok(answer(&app, false)),
    }
}
