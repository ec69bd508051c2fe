//! `POST /incidents/REF/ACT`: what people do to an incident on its page.

use axum::{
    extract::{Path, State},
    response::Redirect,
};
use serde::Deserialize;

use super::{Form, Trouble};
use crate::{
    access::{Role, session::Visitor},
    api,
    incident::Incident,
    server::App,
};

/// The incident that a path names, whatever it names besides.
#[derive(Debug, Deserialize)]
pub(super) struct Of {
    reference: String,
}

/// Carries out one act and shows the incident again.
pub(super) async fn act(
    State(app): State<App>,
    Path((reference, act)): Path<(String, String)>,
    form: Form,
) -> Result<Redirect, Trouble> {
    let incident = api::acts::named(&app, &form.visitor.caller, &reference, &act, form.fields.json()).await?;
    // Names of acts are ours: it got here.
    Ok(shown(&incident, &act))
}

/// Whoever asks for the address of an act by itself, after a refusal or from their history: it does nothing and leads to
/// the incident.
pub(super) async fn back(State(app): State<App>, Path(of): Path<Of>, visitor: Visitor) -> Result<Redirect, Trouble> {
    visitor.require(Role::Viewer)?;
    let incident = api::incidents::find(&mut app.db.read().await?, &of.reference).await?;
    Ok(Redirect::to(&format!("/incidents/{}", incident.id)))
}

/// Rings the visitor's own phone, to put them through to the customer.
pub(super) async fn call(
    State(app): State<App>,
    Path(reference): Path<String>,
    form: Form,
) -> Result<Redirect, Trouble> {
    form.visitor.require(Role::Responder)?;
    let incident = api::callback::asked(&app, &form.visitor.caller.actor(), &reference).await?;
    Ok(shown(&incident, "call"))
}

/// The incident's page after an act. The reference of a closed one may be another's by now.
fn shown(incident: &Incident, act: &str) -> Redirect {
    let name = if incident.is_open() { &incident.reference } else { incident.id.as_str() };
    Redirect::to(&format!("/incidents/{name}?done={act}"))
}

/// What to say after an act, by its name.
pub(super) fn done(act: &str) -> Option<&'static str> {
    Some(match act {
        "acknowledge" => "It is yours. No further level is paged because nobody acknowledged.",
        "pass-on" => "Passed on. The next level is paged now.",
        "call" => "Your phone rings. Answer it and press 5: you are put through, and the talk is recorded by itself.",
        "response" => "Recorded: the customer was spoken to.",
        "updates" => "Posted.",
        "priority" => "The priority was changed.",
        "escalate" => "The next level is paged now.",
        "responders" => "They are paged now.",
        "commander" => "The commander was named.",
        "wait" => "The customer was asked. What the plan lets stand still stands still.",
        "resume" => "It goes on.",
        "resolve" => "Resolved.",
        "reopen" => "Open again.",
        "cancel" => "Cancelled.",
        "rule-out" => "Ruled out. The customer is told.",
        "reengage" => "Engaged again: the team is paged.",
        "upstream" => "Noted. The customer and the subscribers are told.",
        "call-link" => "The link was sent.",
        "rca" => "The analysis was delivered.",
        "reply" => "The customer's words were recorded.",
        "customer-escalation" => "Recorded. The level that the plan offers is paged.",
        "close" => "Closed for the customer.",
        _ => return None,
    })
}
