//! The pages behind the links in our texts: what a token stands for, and what is said when it stands for nothing.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use chrono::TimeDelta;

use super::{Trouble, guess::Guesses};
use crate::{
    access::{
        link::{self, For},
        session::From,
    },
    clock::Time,
    id::PageId,
    incident::{self, Incident},
    server::App,
};

/// How long the link of a page holds.
const PAGE_HOLDS: TimeDelta = TimeDelta::hours(24);

/// How long the customer's link holds after the incident was closed.
const CUSTOMER_HOLDS: TimeDelta = TimeDelta::days(30);

/// Which link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Page,
    Customer,
}

/// Unknown or expired: nobody learns which.
#[derive(Template)]
#[template(path = "web/gone.html")]
struct Gone {
    of_page: bool,
}

/// The incident and the number of the page that a token is for.
pub(super) async fn page(app: &App, guesses: &Guesses, from: &From, token: &str) -> Result<(Incident, u32), Trouble> {
    find(app, guesses, from, token, Kind::Page, |incident, seal, now| {
        let mut held = incident.pages.iter().filter(|(_, page)| now - page.at < PAGE_HOLDS);
        let sealed = |number: u32| app.links.holds(seal, For::Page(&PageId::of(&incident.id, number)));
        held.find(|(number, _)| sealed(**number)).map(|(number, _)| *number)
    })
    .await
}

/// The incident that a customer's token is for.
pub(super) async fn customer(app: &App, guesses: &Guesses, from: &From, token: &str) -> Result<Incident, Trouble> {
    let found = find(app, guesses, from, token, Kind::Customer, |incident, seal, now| {
        let over = incident.closed_at.filter(|_| !incident.is_open());
        let holds = over.is_none_or(|at| now - at < CUSTOMER_HOLDS);
        (holds && app.links.holds(seal, For::Customer(&incident.id))).then_some(())
    });
    Ok(found.await?.0)
}

async fn find<T>(
    app: &App,
    guesses: &Guesses,
    from: &From,
    token: &str,
    kind: Kind,
    known: impl Fn(&Incident, &str, Time) -> Option<T>,
) -> Result<(Incident, T), Trouble> {
    let now = app.clock.now();
    guesses.admit(from, now)?;
    if let Some((reference, seal)) = link::read(token) {
        let mut tx = app.db.read().await?;
        for incident in incident::store::of_reference(&mut tx, reference).await? {
            if let Some(what) = known(&incident, seal, now) {
                return Ok((incident, what));
            }
        }
    }
    guesses.wrong(from, now);
    Err(gone(kind).into())
}

fn gone(kind: Kind) -> Response {
    let page = Gone { of_page: kind == Kind::Page }.render().unwrap_or_default();
    (StatusCode::NOT_FOUND, Html(page)).into_response()
}
