//! `/sign-in/password`

use axum::{
    extract::{Request, State},
    response::Response,
};

use super::{From, sign_in};
use crate::{
    access::sign_in::{Tried, by_password},
    server::App,
    web::Trouble,
};

/// The same words for a wrong password, an unknown name and one that was tried too often.
const WRONG: &str = "That name and password do not go together, or were tried too often. Check both, wait a moment, and \
                     try again.";

pub(super) async fn enter(State(app): State<App>, from: From, request: Request) -> Result<Response, Trouble> {
    let headers = request.headers().clone();
    let form = super::open_form(&app, request).await?;
    let next = super::next(form.get("next"));
    match by_password(&app, form.get("name"), form.get("password"), &from).await? {
        Tried::In(set) => Ok(super::entered(&app, &headers, set, next).await),
        Tried::Wrong => sign_in::again(&app, next, WRONG).await,
        Tried::TooMany => sign_in::wait(&app, next).await,
    }
}
