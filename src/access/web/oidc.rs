//! `/sign-in/oidc`: to the issuer and back.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{From, sign_in};
use crate::{
    access::{
        cookie::Cookie,
        oidc::{
            flow::{self, Flow},
            identity::{self, Named},
        },
        sign_in::{CameBack, back_from_oidc, by_oidc, not_by_oidc},
    },
    api::Problem,
    server::App,
    web::{Frame, Page, Place, Trouble},
};

const NOT_UNDER_WAY: &str = "This did not begin in this browser, took too long, or was used before. Begin again.";

/// What is said when nobody was signed in.
#[derive(Template)]
#[template(path = "access/web/oidc.html")]
pub(super) struct NotIn {
    frame: Frame,
    /// Known to the issuer and not here.
    stranger: Option<String>,
    words: &'static str,
}

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

/// What the browser comes back with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Back {
    code: String,
    state: String,
    error: Option<String>,
    iss: Option<String>,
}

fn cookie(app: &App) -> Cookie {
    Cookie::of(&app.settings.public_url, "ringdown-oidc")
}

fn not_in(app: &App, status: StatusCode, words: &'static str, stranger: Option<String>) -> Response {
    let page = Page(NotIn { frame: Frame::open(app, Place::Nowhere), stranger, words });
    let mut response = (status, page).into_response();
    forget(app, &mut response);
    response
}

/// The flow is over: its cookie goes.
fn forget(app: &App, response: &mut Response) {
    if let Ok(clear) = HeaderValue::from_str(&cookie(app).clear()) {
        response.headers_mut().append(header::SET_COOKIE, clear);
    }
}

pub(super) async fn begin(State(app): State<App>, Query(wanted): Query<Wanted>) -> Result<Response, Trouble> {
    let Some(oidc) = app.desk.oidc.as_ref() else {
        return Err(Problem::not_found("Single sign-on is not set up here.").into());
    };
    let (flow, to) = match oidc.begin(super::next(&wanted.next), app.clock.now()).await {
        Ok(begun) => begun,
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "single sign-on cannot begin");
            const WORDS: &str = "The service that signs you in does not answer. Take another way, or try again.";
            return Ok(not_in(&app, StatusCode::BAD_GATEWAY, WORDS, None));
        }
    };
    let mut response = super::go(&to);
    if let Ok(set) = HeaderValue::from_str(&cookie(&app).set(&flow.sealed(&app.desk.state), flow::LIFE)) {
        response.headers_mut().append(header::SET_COOKIE, set);
    }
    Ok(response)
}

pub(super) async fn callback(
    State(app): State<App>,
    Query(back): Query<Back>,
    from: From,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let Some(oidc) = app.desk.oidc.as_ref() else {
        return Err(Problem::not_found("Single sign-on is not set up here.").into());
    };
    let (cookie, now) = (cookie(&app), app.clock.now());
    let given = headers.get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    let flows = given.flat_map(|header| cookie.values(header)).filter_map(|it| Flow::open(it, &app.desk.state, now));
    let Some(flow) = flows.into_iter().find(|flow| flow.is(&back.state)) else {
        return Ok(not_in(&app, StatusCode::BAD_REQUEST, NOT_UNDER_WAY, None));
    };
    let id = match back_from_oidc(&app, &flow.state, &from).await? {
        CameBack::First(id) => id,
        CameBack::Again => return Ok(not_in(&app, StatusCode::BAD_REQUEST, NOT_UNDER_WAY, None)),
        CameBack::TooMany => return sign_in::wait(&app, super::next(&flow.next)).await,
    };
    if back.error.is_some() || back.code.is_empty() || back.iss.is_some_and(|iss| !oidc.is_issuer(&iss)) {
        not_by_oidc(&app, &from).await?;
        const WORDS: &str = "The service that signs you in said no.";
        return Ok(not_in(&app, StatusCode::FORBIDDEN, WORDS, None));
    }
    let claims = match oidc.finish(&flow, &back.code, now).await {
        Ok(claims) => claims,
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "a single sign-on failed");
            not_by_oidc(&app, &from).await?;
            const WORDS: &str = "What the service that signs you in said could not be verified. Try again.";
            return Ok(not_in(&app, StatusCode::BAD_GATEWAY, WORDS, None));
        }
    };
    let config = app.config.load_full();
    let (words, stranger) = match identity::named(&claims, oidc.claim(), &config) {
        Named::Person(person) => {
            let set = by_oidc(&app, &id, &person.key, &from).await?;
            let mut response = super::entered(&app, &headers, set, super::next(&flow.next)).await;
            forget(&app, &mut response);
            return Ok(response);
        }
        Named::Stranger(name) => ("", Some(name)),
        Named::Unverified => ("The service that signs you in has not verified your mail address.", None),
        Named::Nameless => ("The service that signs you in does not say who you are.", None),
    };
    not_by_oidc(&app, &from).await?;
    Ok(not_in(&app, StatusCode::FORBIDDEN, words, stranger))
}
