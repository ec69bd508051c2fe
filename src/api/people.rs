//! `/api/v1/people`: whom we page, and a page that only shows that it arrives.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, Problem,
    page::Page,
    request::{Name, Nothing, Params, Posted},
};
use crate::{
    access::{Allowed, Caller, Role, least},
    paging,
    people::{Channel, Person},
    server::App,
    sla::Priority,
    store::retry::retried,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(test_page))
}

/// A person who can be on call.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    pub key: String,
    pub name: String,
    pub zone: String,
    /// BCP 47.
    pub language: String,
    /// Ways to reach them; for `commander` and above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Vec<ContactMethodView>>,
    /// How they are paged, by priority.
    pub rules: BTreeMap<String, Vec<RuleView>>,
}

/// A way to reach a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactMethodView {
    pub name: String,
    /// The last two digits.
    pub address: String,
    pub channels: Vec<Channel>,
}

/// A step in reaching a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleView {
    pub channel: Channel,
    pub method: String,
    pub after_seconds: i64,
}

fn view(person: &Person, caller: &Caller) -> PersonView {
    let methods = person.contact.iter().map(|method| ContactMethodView {
        name: method.name.clone(),
        address: method.address.masked(),
        channels: method.channels.clone(),
    });
    let rules = |priority: &Priority| {
        let steps = person.rules_for(*priority).iter().map(|rule| RuleView {
            channel: rule.channel,
            method: rule.method.clone(),
            after_seconds: rule.after.delta().num_seconds(),
        });
        (priority.to_string(), steps.collect())
    };
    PersonView {
        key: person.key.to_string(),
        name: person.name.clone(),
        zone: person.zone.to_string(),
        language: person.language.clone(),
        contact: (caller.role >= Role::Commander).then(|| methods.collect()),
        rules: person.rules.keys().map(rules).collect(),
    }
}

/// Everybody who can be paged.
#[utoipa::path(get, path = "/people", tag = "people",
    responses((status = 200, body = Page<PersonView>), (status = "4XX", body = Problem)))]
async fn list(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Viewer>,
    _: Params<Nothing>,
) -> Json<Page<PersonView>> {
    let config = app.config.load();
    Json(Page { items: config.people.values().map(|person| view(person, &caller)).collect(), next: None })
}

/// No fields.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestPageBody {}

/// The attempts that were made.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestPageView {
    pub person: String,
    /// The attempts' ids.
    #[schema(value_type = Vec<String>)]
    pub attempts: Vec<crate::id::AttemptId>,
}

/// Page somebody to see that it arrives. Role: `responder` for oneself, `commander` for anybody.
#[utoipa::path(post, path = "/people/{key}/test-page", tag = "people", request_body = TestPageBody,
    params(("key" = String, Path, description = "The person's key")),
    responses((status = 202, body = TestPageView), (status = "4XX", body = Problem)))]
async fn test_page(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Responder>,
    Name(key): Name,
    posted: Posted<TestPageBody>,
) -> Answer {
    if caller.person.as_ref().is_none_or(|own| own.as_str() != key) {
        caller.require(Role::Commander)?;
    }
    let config = app.config.load_full();
    let person = config
        .people
        .get(key.as_str())
        .ok_or_else(|| Problem::not_found("There is no such person in schedules/people.toml."))?;
    retried(|| async {
        let mut work = posted.begin(&app, &caller).await?;
        let attempts = paging::store::test_page(&mut work.tx, person, work.now).await?;
        work.finish(&app, StatusCode::ACCEPTED, &TestPageView { person: key.clone(), attempts }).await
    })
    .await
}
