//! Who may do what: bearer tokens (JWT) with a role, revocable one by one.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::{Deserialize, Serialize};

use crate::{api::Problem, id::PersonKey, incident::Actor, server::App};

/// What a token may do. Each role may do what the ones before it may, but `Intake`, which may only report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Open incidents and nothing else.
    Intake,
    /// Look.
    Viewer,
    /// Acknowledge, pass on, update, resolve.
    Responder,
    /// Change priority, assign, cancel, override the schedule.
    Commander,
    /// Tokens, payloads, handsets, everything.
    Admin,
}

/// Who makes a request: an extractor that refuses a request without a good token (401).
#[derive(Clone, Debug)]
pub struct Caller {
    /// The token's name.
    pub name: String,
    pub jti: String,
    pub role: Role,
    /// The person the token was made for.
    pub person: Option<PersonKey>,
}

impl Caller {
    /// 403 unless the caller has this role or one above it.
    pub fn require(&self, least: Role) -> Result<(), Problem> {
        let _ = least;
        todo!()
    }

    /// As an actor in an incident's history.
    pub fn actor(&self) -> Actor {
        match &self.person {
            Some(person) => Actor::Person(person.clone()),
            None => Actor::Token(self.name.clone()),
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let _ = (parts, app);
        todo!()
    }
}
