//! `/api/v1/overrides`: somebody stands in for the schedule for a while.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, Problem,
    page::Page,
    request::{Name, Nothing, Params, Posted},
    schedules::{ShiftView, shift_view},
    view::{self, Named},
};
use crate::{
    access::{
        Allowed, Caller,
        audit::{self, Entry, what},
        least,
    },
    clock::Time,
    config::Config,
    id::{PersonKey, ScheduleKey},
    oncall::{
        Override, coverage, roster,
        stand_in::{LONGEST, Refused},
        store::{self, Ended},
    },
    server::App,
    store::{Tx, retry::retried},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(end))
}

/// Somebody stands in.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverrideView {
    pub id: String,
    pub schedule: Named,
    pub person: Named,
    /// Only where this person would be on call; nobody: whoever it is.
    pub instead_of: Option<Named>,
    pub start: DateTime<Utc>,
    /// Not included.
    pub end: DateTime<Utc>,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    /// When just made: the shifts it changes hands in. Empty: it changes nothing as things stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes: Option<Vec<ShiftView>>,
}

fn view(given: &Override, config: &Config) -> OverrideView {
    let schedule = config.schedules.get(&given.schedule);
    OverrideView {
        id: given.id.clone(),
        schedule: Named {
            key: given.schedule.to_string(),
            name: schedule.map_or_else(|| given.schedule.to_string(), |schedule| schedule.name.clone()),
        },
        person: view::person(&given.person, config),
        instead_of: given.instead_of.as_ref().map(|person| view::person(person, config)),
        start: given.start,
        end: given.end,
        created_by: given.created_by.clone(),
        created_at: given.created_at,
        takes: None,
    }
}

/// Which.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    #[param(value_type = Option<String>)]
    schedule: Option<ScheduleKey>,
}

/// The overrides that are not over.
#[utoipa::path(get, path = "/overrides", tag = "on call", params(ListParams),
    responses((status = 200, body = Page<OverrideView>), (status = "4XX", body = Problem)))]
async fn list(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Viewer>,
    Params(params): Params<ListParams>,
) -> Result<Json<Page<OverrideView>>, Problem> {
    let config = app.config.load();
    let mut found = store::current(&mut app.db.read().await?, app.clock.now()).await?;
    if let Some(schedule) = params.schedule {
        found.retain(|given| given.schedule == schedule);
    }
    Ok(Json(Page { items: found.iter().map(|given| view(given, &config)).collect(), next: None }))
}

/// Who stands in, and when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideBody {
    #[schema(value_type = String)]
    pub schedule: ScheduleKey,
    #[schema(value_type = String)]
    pub person: PersonKey,
    /// Only where this person would be on call.
    #[schema(value_type = Option<String>)]
    pub instead_of: Option<PersonKey>,
    /// RFC 3339; now unless given.
    pub start: Option<DateTime<Utc>>,
    /// RFC 3339, not included.
    pub end: DateTime<Utc>,
}

/// Put somebody in. Role: `commander`.
#[utoipa::path(post, path = "/overrides", tag = "on call", request_body = OverrideBody,
    responses((status = 201, body = OverrideView), (status = "4XX", body = Problem)))]
async fn add(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Commander>,
    posted: Posted<OverrideBody>,
) -> Answer {
    retried(|| add_once(&app, &caller, &posted)).await
}

async fn add_once(app: &App, caller: &Caller, posted: &Posted<OverrideBody>) -> Answer {
    let config = app.config.load_full();
    let mut work = posted.begin(app, caller).await?;
    let view = insert(&mut work.tx, &config, caller, &posted.body, work.now).await?;
    work.finish(app, StatusCode::CREATED, &view).await
}

/// Puts somebody in for `from` (or nobody), on a page, as long as all of that time is still theirs: whoever looked at
/// an old page undoes nothing, and gives away no shift but the one they named.
pub async fn hand_over(
    app: &App,
    caller: &Caller,
    from: Option<&PersonKey>,
    body: OverrideBody,
) -> Result<OverrideView, Problem> {
    let config = app.config.load_full();
    let schedule = config.schedules.get(&body.schedule);
    let schedule = schedule.ok_or_else(|| Problem::not_found("This schedule is gone."))?;
    retried(|| async {
        let mut tx = app.db.begin().await?;
        store::lock(&mut tx, &body.schedule).await?;
        let begins = body.start.unwrap_or(app.clock.now());
        if body.end > begins + LONGEST {
            return Err(Problem::field("/end", Refused::TooLong.to_string()));
        }
        let overrides = store::list(&mut tx, &body.schedule, begins, body.end).await?;
        if !roster::is_theirs(schedule, &overrides, from, begins, body.end) {
            return Err(Problem::conflict("That shift changed hands since this page was made. Look at it again."));
        }
        let view = insert(&mut tx, &config, caller, &body, app.clock.now()).await?;
        tx.commit().await?;
        app.bell.ring();
        Ok(view)
    })
    .await
}

async fn insert(
    tx: &mut Tx,
    config: &Config,
    caller: &Caller,
    body: &OverrideBody,
    now: Time,
) -> Result<OverrideView, Problem> {
    let given = Override {
        id: crate::id::fresh("ovr"),
        schedule: body.schedule.clone(),
        person: body.person.clone(),
        instead_of: body.instead_of.clone(),
        start: body.start.unwrap_or(now),
        end: body.end,
        created_by: caller.person.as_ref().map_or(caller.name.clone(), ToString::to_string),
        created_at: now,
    };
    given
        .check(config, now)
        .map_err(|refused| Problem::field(&format!("/{}", refused.field()), refused.to_string()))?;
    store::insert(tx, &given).await?;
    let detail = format!("{} on {}", given.person, given.schedule);
    let entry = Entry { who: caller.who(), what: what::OVERRIDE_MADE, network: None, detail: Some(&detail) };
    audit::note(tx, entry, now).await?;
    let beside = store::list(tx, &given.schedule, given.start, given.end).await?;
    let schedule = config.schedules.get(&given.schedule);
    let takes = schedule.map(|schedule| {
        let shifts = coverage::taken(schedule, &beside, &given);
        shifts.into_iter().map(|shift| shift_view(shift, config)).collect()
    });
    Ok(OverrideView { takes, ..view(&given, config) })
}

/// End an override now; one that has not begun is dropped. Role: `commander`.
#[utoipa::path(delete, path = "/overrides/{id}", tag = "on call",
    params(("id" = String, Path, description = "`ovr_…`")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn end(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Commander>,
    Name(id): Name,
    _: Params<Nothing>,
) -> Answer {
    finish(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends an override; one that has not begun is dropped.
pub async fn finish(app: &App, caller: &Caller, id: &str) -> Result<(), Problem> {
    let ended = retried(|| async {
        let mut tx = app.db.begin().await?;
        let now = app.clock.now();
        let ended = store::end(&mut tx, id, now).await?;
        if matches!(ended, Ended::Cut(_) | Ended::Deleted(_)) {
            let entry = Entry { who: caller.who(), what: what::OVERRIDE_ENDED, network: None, detail: Some(id) };
            audit::note(&mut tx, entry, now).await?;
        }
        tx.commit().await.map(|()| ended)
    });
    match ended.await? {
        Ended::Unknown => Err(Problem::not_found("There is no override of this id.")),
        Ended::Over(_) => Err(Problem::conflict("This override was over before.")),
        Ended::Cut(_) | Ended::Deleted(_) => {
            app.bell.ring();
            Ok(())
        }
    }
}
