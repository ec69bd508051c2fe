//! `/api/v1/incidents/{reference}/call`: one's own phone rings, and 5 puts one through to the customer.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, Problem, acts,
    check::Check,
    incidents::find,
    request::{Name, Posted},
};
use crate::{
    access::{Allowed, least},
    clock::Time,
    config::Config,
    id::{AttemptId, IncidentId, PersonKey},
    incident::{self, Actor, Incident},
    paging::{self, callback::wanted},
    people::Person,
    server::App,
    store::{Tx, retry::retried},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(call))
}

/// No fields but whose phone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallBody {
    /// Whose phone rings; only with the role `commander` or `admin`.
    #[serde(rename = "as")]
    #[schema(value_type = Option<String>)]
    pub on_behalf: Option<PersonKey>,
}

/// The call that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallView {
    pub reference: String,
    /// Whose phone rings.
    pub person: String,
    /// Its id among the incident's attempts.
    #[schema(value_type = String)]
    pub attempt: AttemptId,
}

/// Talk to the customer: one's own phone rings, and whoever presses 5 is put through. The talk is measured, and meets the
/// callback when it lasts 30 seconds. Role: `responder`.
#[utoipa::path(post, path = "/incidents/{reference}/call", tag = "incidents", request_body = CallBody,
    params(("reference" = String, Path, description = "Reference (`4821`) or id (`inc_…`)")),
    responses((status = 202, body = CallView), (status = "4XX", body = Problem)))]
async fn call(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Responder>,
    Name(name): Name,
    posted: Posted<CallBody>,
) -> Answer {
    let config = app.config.load_full();
    retried(|| async {
        let mut work = posted.begin(&app, &caller).await?;
        let mut check = Check::default();
        let by = acts::actor(posted.body.on_behalf.as_ref(), &caller, &config, &mut check)?;
        check.done()?;
        let person = person(&by, &config)?;
        let id = find(&mut work.tx, &name).await?.id;
        let (incident, attempt) = ring(&mut work.tx, &id, person, work.now).await?;
        let view = CallView { reference: incident.reference, person: person.key.to_string(), attempt };
        work.finish(&app, StatusCode::ACCEPTED, &view).await
    })
    .await
}

/// The same for somebody on a page, who may.
pub async fn asked(app: &App, by: &Actor, reference: &str) -> Result<Incident, Problem> {
    let config = app.config.load_full();
    let person = person(by, &config)?;
    retried(|| async {
        let mut tx = app.db.begin().await?;
        let id = find(&mut tx, reference).await?.id;
        let (incident, _) = ring(&mut tx, &id, person, app.clock.now()).await?;
        tx.commit().await?;
        app.bell.ring();
        Ok(incident)
    })
    .await
}

fn person<'a>(by: &Actor, config: &'a Config) -> Result<&'a Person, Problem> {
    let known = match by {
        Actor::Person(key) => config.people.get(key),
        _ => None,
    };
    known.ok_or_else(|| Problem::conflict("You are nobody of schedules/people.toml: no phone of yours can be rung."))
}

/// Has a person's phone rung to put them through.
async fn ring(tx: &mut Tx, id: &IncidentId, person: &Person, now: Time) -> Result<(Incident, AttemptId), Problem> {
    let incident = incident::store::load_for_update(tx, id).await?;
    let incident = incident.ok_or_else(|| Problem::not_found("There is no incident of this id."))?;
    let before = paging::store::of_incident(tx, id).await?;
    let attempt = wanted(&incident, person, &before, now)
        .map_err(|no| Problem::conflict(format!("{}: {no}.", incident.reference)))?;
    paging::store::insert(tx, &attempt).await?;
    Ok((incident, attempt.id))
}
