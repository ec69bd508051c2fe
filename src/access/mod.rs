//! Who may do what: bearer tokens (JWT, HS256) with a role, revocable one by one, for programs; sessions for people.
//!
//! A token is signed with this installation's key ([`secret()`]) and its `jti` stands in the table `tokens`. A request
//! is let in when the signature is ours, the token is not over, and the table still has it, not revoked.

pub mod audit;
pub mod code;
pub mod cookie;
pub mod csrf;
mod desk;
pub mod least;
pub mod limit;
pub mod link;
pub mod network;
pub mod oidc;
pub mod origin;
pub mod password;
pub mod proof;
pub mod refused;
pub mod secret;
pub mod session;
pub mod sign_in;
pub mod store;
pub mod token;
pub mod turns;
pub(crate) mod web;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use serde::{Deserialize, Serialize};

pub use desk::Desk;
pub use least::Allowed;
pub use link::Links;
pub use secret::{secret, token_key};
pub use session::Visitor;
pub use token::{BadToken, Claims, TokenKey};

use chrono::TimeDelta;

use crate::{api::Problem, clock::Time, id::PersonKey, incident::Actor, server::App, store::Tx};

/// What a token may do. Each role may do what the ones before it may, but for reporting: a `Viewer` only looks.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
    utoipa::ToSchema,
    sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Open incidents and nothing else: for forms and programs that report.
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

impl Role {
    /// All of them, the least first.
    pub const ALL: [Role; 5] = [Self::Intake, Self::Viewer, Self::Responder, Self::Commander, Self::Admin];

    /// As it is written in a token and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Intake => "intake",
            Role::Viewer => "viewer",
            Role::Responder => "responder",
            Role::Commander => "commander",
            Role::Admin => "admin",
        }
    }

    /// Whether this role may do what is open from `least` upwards.
    pub fn may(self, least: Role) -> bool {
        match least {
            Role::Intake => self != Role::Viewer,
            _ => self >= least,
        }
    }
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
        if self.role.may(least) {
            return Ok(());
        }
        Err(Problem::forbidden(format!(
            "This needs a token with the role `{}`; yours has `{}`.",
            least.as_str(),
            self.role.as_str()
        )))
    }

    /// As the audit and whoever asks later are told: the person's key, or the name.
    pub fn who(&self) -> &str {
        self.person.as_ref().map_or(&self.name, PersonKey::as_str)
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
        let mut given = parts.headers.get_all(header::AUTHORIZATION).iter();
        let (Some(header), None) = (given.next(), given.next()) else {
            return Err(Problem::unauthenticated("Send one header `Authorization: Bearer TOKEN`."));
        };
        let token = header
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| Problem::unauthenticated("Send one header `Authorization: Bearer TOKEN`."))?;
        admit(app, token).await
    }
}

/// Who shows this token: 401 when it is not ours, over, revoked or not in the table; 503 when the database is away.
pub async fn admit(app: &App, token: &str) -> Result<Caller, Problem> {
    let claims = token::verify(&app.token_key, token, app.clock.now())
        .map_err(|bad| Problem::unauthenticated(format!("This token is refused: {bad}.")))?;
    let mut tx = app.db.read().await?;
    if store::is_revoked(&mut tx, &claims.jti).await? {
        return Err(Problem::unauthenticated("This token is refused: it was revoked, or made for another database."));
    }
    Ok(Caller { name: claims.sub, jti: claims.jti, role: claims.role, person: claims.person })
}

/// Makes a token and writes it down. The text of it is given only here; it is not kept.
pub async fn grant(
    tx: &mut Tx,
    key: &TokenKey,
    name: &str,
    role: Role,
    person: Option<PersonKey>,
    expires_at: Option<Time>,
    now: Time,
) -> sqlx::Result<(Claims, String)> {
    let claims = Claims::new(name, role, person, expires_at, now);
    store::insert(tx, &claims, now).await?;
    let text = token::issue(key, &claims);
    Ok((claims, text))
}

/// How long what is over is kept: for whoever asks why somebody was not let in.
const KEPT: TimeDelta = TimeDelta::days(30);
/// The same for wrong tries, codes and links.
const TRIES_KEPT: TimeDelta = TimeDelta::days(2);
/// How long the audit goes back.
const AUDIT_KEPT: TimeDelta = TimeDelta::days(400);

/// Forgets what is old enough. Done once a minute.
pub async fn purge(app: &App) -> sqlx::Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    session::store::purge(&mut tx, now - KEPT).await?;
    sign_in::store::purge(&mut tx, now - limit::KNOWN_FOR, now - TRIES_KEPT).await?;
    audit::store::purge(&mut tx, now - AUDIT_KEPT).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role) -> Caller {
        Caller { name: "t".into(), jti: "j".into(), role, person: None }
    }

    #[test]
    fn each_role_may_do_what_the_ones_before_it_may_and_a_viewer_only_looks() {
        let allowed = |role: Role| -> String {
            Role::ALL.iter().map(|least| if caller(role).require(*least).is_ok() { '+' } else { '-' }).collect()
        };
        //                                      intake viewer responder commander admin
        assert_eq!(allowed(Role::Intake), "+----");
        assert_eq!(allowed(Role::Viewer), "-+---");
        assert_eq!(allowed(Role::Responder), "+++--");
        assert_eq!(allowed(Role::Commander), "++++-");
        assert_eq!(allowed(Role::Admin), "+++++");
    }

    #[test]
    fn a_refusal_says_which_role_is_needed() {
        let problem = caller(Role::Viewer).require(Role::Commander).unwrap_err();
        assert_eq!(problem.status, 403);
        assert_eq!(problem.detail, "This needs a token with the role `commander`; yours has `viewer`.");
    }
}
