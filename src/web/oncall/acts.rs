//! `POST /oncall/…`: shifts change hands, by overrides.

use axum::{extract::State, response::Redirect};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::super::{Form, Trouble};
use crate::{
    access::Role,
    api::{self, Problem, overrides::OverrideBody},
    id::{PersonKey, ScheduleKey},
    server::App,
};

/// A shift, as the form of its line names it.
#[derive(Clone, Debug, Deserialize)]
struct Taking {
    schedule: ScheduleKey,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    /// Who has it, as far as the page knew. Empty: nobody.
    from: Option<PersonKey>,
    /// Who gets it.
    to: Option<PersonKey>,
}

/// The visitor takes a shift. Whoever responds may take one for themselves.
pub(in crate::web) async fn take(State(app): State<App>, form: Form) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Responder)?;
    let me = form.visitor.caller.person.clone();
    let me = me.ok_or_else(|| Problem::conflict("Only somebody of people.toml can be on call; you are not."))?;
    let taking: Taking = form.fields.read()?;
    hand_over(&app, &form, Taking { to: Some(me), ..taking }).await?;
    Ok(Redirect::to("/oncall?done=taken"))
}

/// A shift is given to somebody: one's own, or anybody's by a commander.
pub(in crate::web) async fn give(State(app): State<App>, form: Form) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Responder)?;
    let taking: Taking = form.fields.read()?;
    let own = taking.from.is_some() && taking.from == form.visitor.caller.person;
    if !own {
        form.visitor.require(Role::Commander)?;
    }
    hand_over(&app, &form, taking).await?;
    Ok(Redirect::to("/oncall?done=given"))
}

async fn hand_over(app: &App, form: &Form, taking: Taking) -> Result<(), Trouble> {
    let person = taking.to.ok_or_else(|| Problem::field("/to", "say who gets the shift"))?;
    let Taking { schedule, start, end, from, .. } = taking;
    let start = Some(start.max(app.clock.now()));
    let body = OverrideBody { schedule, person, instead_of: None, start, end };
    api::overrides::hand_over(app, &form.visitor.caller, from.as_ref(), body).await?;
    Ok(())
}

/// Ends an override; one that has not begun is dropped.
pub(in crate::web) async fn end(State(app): State<App>, form: Form) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Commander)?;
    api::overrides::finish(&app, &form.visitor.caller, form.fields.get("id")).await?;
    Ok(Redirect::to("/oncall?done=ended"))
}
