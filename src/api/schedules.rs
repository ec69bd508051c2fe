//! Who is on call: `/api/v1/oncall` and `/api/v1/schedules/{key}/shifts`.

use axum::{Json, extract::State};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Problem,
    request::{Name, Params},
    view::{self, Named},
};
use crate::{
    access::{Allowed, least},
    clock::Time,
    config::{Config, Team},
    escalation::Target,
    id::PersonKey,
    incident::World,
    oncall::{coverage, roster, store},
    server::App,
    sla::Priority,
};

/// How far ahead the end of a running shift is looked for.
const REACH: TimeDelta = TimeDelta::days(60);
/// The longest stretch of shifts in one answer.
const LONGEST_DAYS: i64 = 400;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(on_call)).routes(routes!(shifts))
}

/// Who would be paged for a team.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamOnCall {
    pub team: Named,
    pub schedule: Named,
    /// Whoever the team's schedule says; nobody in a gap.
    pub person: Option<Named>,
    /// Until when, as far as can be seen.
    pub until: Option<DateTime<Utc>>,
    /// Whether an override put them there.
    pub overridden: bool,
    /// The ladder for a P1.
    pub levels: Vec<LevelOnCall>,
    pub last_resort: Vec<Named>,
}

/// Who stands on one level.
#[derive(Debug, Serialize, ToSchema)]
pub struct LevelOnCall {
    pub name: String,
    /// Seconds from the start of the escalation.
    pub after_seconds: i64,
    /// Empty: the level is skipped.
    pub people: Vec<Named>,
}

/// Who is on call, team by team.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnCallView {
    pub at: DateTime<Utc>,
    pub teams: Vec<TeamOnCall>,
}

/// When.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AtParams {
    /// An instant (RFC 3339); now unless given.
    at: Option<DateTime<Utc>>,
}

/// Who is on call.
#[utoipa::path(get, path = "/oncall", tag = "on call", params(AtParams),
    responses((status = 200, body = OnCallView), (status = "4XX", body = Problem)))]
async fn on_call(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Viewer>,
    Params(params): Params<AtParams>,
) -> Result<Json<OnCallView>, Problem> {
    let at = params.at.unwrap_or_else(|| app.clock.now());
    reasonable(at, &app)?;
    let overrides = store::current(&mut app.db.read().await?, at).await?;
    let config = app.config.load();
    let world = World { config: &config, overrides: &overrides };
    Ok(Json(OnCallView { at, teams: config.teams.values().map(|team| team_at(team, world, at)).collect() }))
}

/// Who stands on which level of a team, at an instant.
pub fn team_at(team: &Team, world: World<'_>, at: Time) -> TeamOnCall {
    let config = world.config;
    let named = |key: &PersonKey| view::person(key, config);
    let schedule = config.schedules.get(&team.schedule);
    let shift = schedule.and_then(|schedule| coverage::shift_at(schedule, world.overrides, at, REACH));
    let levels = config.policy(&team.key, Priority::P1).map_or(&[][..], |policy| &policy.levels);
    let on_level = |targets: &[Target]| {
        let mut people: Vec<PersonKey> = Vec::new();
        for person in targets.iter().filter_map(|target| person_at(target, team, world, at)) {
            if !people.contains(&person) {
                people.push(person);
            }
        }
        people.iter().map(named).collect()
    };
    TeamOnCall {
        team: Named { key: team.key.to_string(), name: team.name.clone() },
        schedule: Named {
            key: team.schedule.to_string(),
            name: schedule.map(|schedule| schedule.name.clone()).unwrap_or_default(),
        },
        person: world.on_call(&team.schedule, at).as_ref().map(named),
        until: shift.as_ref().map(|shift| shift.end),
        overridden: shift.is_some_and(|shift| shift.overridden),
        levels: levels
            .iter()
            .map(|level| LevelOnCall {
                name: level.name.clone(),
                after_seconds: level.after.delta().num_seconds(),
                people: on_level(&level.notify),
            })
            .collect(),
        last_resort: team.last_resort.iter().map(named).collect(),
    }
}

fn person_at(target: &Target, team: &Team, world: World<'_>, at: Time) -> Option<PersonKey> {
    match target {
        Target::OnCall => world.on_call(&team.schedule, at),
        Target::Schedule(schedule) => world.on_call(schedule, at),
        Target::Lead => team.lead.clone(),
        Target::Manager => team.manager.clone(),
        Target::Executive => team.executive.clone(),
        Target::Person(person) => Some(person.clone()),
    }
}

/// From when to when.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SpanParams {
    /// RFC 3339; now unless given.
    from: Option<DateTime<Utc>>,
    /// RFC 3339, not included; two weeks later unless given.
    to: Option<DateTime<Utc>>,
}

/// One unbroken stretch of one person being on call.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShiftView {
    /// Nobody: a gap.
    pub person: Option<Named>,
    pub start: DateTime<Utc>,
    /// Not included.
    pub end: DateTime<Utc>,
    pub overridden: bool,
}

/// A schedule's shifts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShiftsView {
    pub schedule: Named,
    /// The zone its hand-offs are written in.
    pub zone: String,
    pub shifts: Vec<ShiftView>,
}

/// The shifts of a schedule, gaps included.
#[utoipa::path(get, path = "/schedules/{key}/shifts", tag = "on call",
    params(("key" = String, Path, description = "The schedule's key"), SpanParams),
    responses((status = 200, body = ShiftsView), (status = "4XX", body = Problem)))]
async fn shifts(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Viewer>,
    Name(key): Name,
    Params(params): Params<SpanParams>,
) -> Result<Json<ShiftsView>, Problem> {
    let from = params.from.unwrap_or_else(|| app.clock.now());
    reasonable(from, &app)?;
    let to = params.to.unwrap_or(from + TimeDelta::days(14));
    if to <= from || to - from > TimeDelta::days(LONGEST_DAYS) {
        return Err(Problem::bad_request(format!("`to` must come after `from`, at most {LONGEST_DAYS} days.")));
    }
    let config = app.config.load_full();
    let schedule = config
        .schedules
        .get(key.as_str())
        .ok_or_else(|| Problem::not_found("There is no such schedule in schedules/."))?;
    let overrides = store::list(&mut app.db.read().await?, &schedule.key, from, to).await?;
    let shifts = roster::shifts(schedule, &overrides, from, to);
    Ok(Json(ShiftsView {
        schedule: Named { key, name: schedule.name.clone() },
        zone: schedule.zone.to_string(),
        shifts: shifts.into_iter().map(|shift| shift_view(shift, &config)).collect(),
    }))
}

pub(super) fn shift_view(shift: crate::oncall::Shift, config: &Config) -> ShiftView {
    ShiftView {
        person: shift.person.as_ref().map(|key| view::person(key, config)),
        start: shift.start,
        end: shift.end,
        overridden: shift.overridden,
    }
}

/// 400 for an instant further than a century away: nobody means it, and no calendar holds it.
fn reasonable(at: Time, app: &App) -> Result<(), Problem> {
    if (at - app.clock.now()).abs() > TimeDelta::days(36_525) {
        return Err(Problem::bad_request("This instant is more than a hundred years away."));
    }
    Ok(())
}
