//! Calendar feeds: made and revoked on the page, read by calendars at an address that nobody else knows.

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;

use super::{
    super::{Form, Page, Trouble},
    OnCall, PERSONS, owner,
};
use crate::{
    access::Role,
    api::Problem,
    oncall::{
        self,
        feed::{Feed, Subject, digest, ics, store, token},
    },
    server::App,
};

/// Somebody has at most so many feeds.
const MOST: usize = 20;

/// Makes a feed and shows its address, this once.
pub(in crate::web) async fn make(State(app): State<App>, form: Form) -> Result<Page<OnCall>, Trouble> {
    form.visitor.require(Role::Viewer)?;
    let (config, now) = (app.config.load_full(), app.clock.now());
    let subject = match form.fields.get("of").split_once(':') {
        Some(("person", key)) if config.people.contains_key(key) => Subject::Person(key.into()),
        Some(("schedule", key)) if config.schedules.contains_key(key) => Subject::Schedule(key.into()),
        _ => return Err(Problem::field("/of", "say whose shifts").into()),
    };
    let token = token(rand::random());
    let feed =
        Feed { id: crate::id::fresh("fed"), subject, owner: owner(&form.visitor), created_at: now, read_at: None };
    let mut tx = app.db.begin().await?;
    if store::of_owner(&mut tx, &feed.owner).await?.len() >= MOST {
        return Err(Problem::conflict("You have too many feeds; revoke one first.").into());
    }
    store::insert(&mut tx, &feed, &digest(&token)).await?;
    tx.commit().await?;
    let mut page = super::page(&app, &form.visitor).await?;
    page.made = Some(format!("{}/oncall/feed/{token}.ics", app.settings.public_url));
    Ok(Page(page))
}

/// Revokes a feed.
pub(in crate::web) async fn revoke(State(app): State<App>, form: Form) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Viewer)?;
    let mut tx = app.db.begin().await?;
    let revoked = store::revoke(&mut tx, form.fields.get("id"), &owner(&form.visitor), app.clock.now()).await?;
    tx.commit().await?;
    if !revoked {
        return Err(Problem::not_found("You have no such feed.").into());
    }
    Ok(Redirect::to("/oncall?done=revoked"))
}

/// `/oncall/feed/TOKEN.ics`, for calendars.
pub(in crate::web) async fn feed(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Trouble> {
    let unknown = || Problem::not_found("There is no such feed, or it was revoked.");
    let token = name.strip_suffix(".ics").filter(|token| token.len() == 64).ok_or_else(unknown)?;
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let feed = store::by_token(&mut tx, &digest(token)).await?.ok_or_else(unknown)?;
    let overrides = oncall::store::current(&mut tx, now - TimeDelta::days(14)).await?;
    drop(tx);
    let config = app.config.load_full();
    // Whoever left takes no calendar with them.
    if feed.owner.strip_prefix(PERSONS).is_some_and(|key| !config.people.contains_key(key)) {
        return Err(unknown().into());
    }
    let text = ics(&feed.subject, &config, &overrides, now);
    if feed.read_at.is_none_or(|at| now - at > TimeDelta::minutes(10)) {
        let mut tx = app.db.begin().await?;
        store::seen(&mut tx, &feed.id, now).await?;
        tx.commit().await?;
    }
    Ok(([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response())
}
