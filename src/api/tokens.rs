//! `/api/v1/tokens`: who is let in. For admins.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, Problem,
    check::{Check, LINE},
    incidents::CursorParams,
    page::{Page, page, window},
    request::{Name, Nothing, Params, Posted},
};
use crate::{
    access::{
        self, Allowed, Role,
        audit::{self, Entry, what},
        least, store,
    },
    id::PersonKey,
    server::App,
    store::retry::retried,
};

/// The longest a token may be made to hold, in days.
const LONGEST_DAYS: u32 = 3650;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// A token, without its text, which is not kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    pub jti: String,
    pub name: String,
    pub role: Role,
    pub created_at: DateTime<Utc>,
    /// None: it holds until it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Tokens, newest first.
#[utoipa::path(get, path = "/tokens", tag = "tokens", params(CursorParams),
    responses((status = 200, body = Page<TokenView>), (status = "4XX", body = Problem)))]
async fn list(
    State(app): State<App>,
    Allowed { .. }: Allowed<least::Admin>,
    Params(params): Params<CursorParams>,
) -> Result<Json<Page<TokenView>>, Problem> {
    let (cursor, limit) = window(params.cursor, params.limit, "tok_")?;
    let found = store::list(&mut app.db.read().await?, cursor.as_deref(), limit + 1).await?;
    let views = found
        .into_iter()
        .map(|token| TokenView {
            jti: token.jti,
            name: token.name,
            role: token.role,
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
        })
        .collect();
    Ok(Json(page(views, limit, |view: &TokenView| view.jti.clone())))
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// Who or what it is for.
    pub name: String,
    pub role: Role,
    /// The person who acts with it.
    #[schema(value_type = Option<String>)]
    pub person: Option<PersonKey>,
    /// 1 to 3650; without it, it holds until it is revoked.
    pub days: Option<u32>,
}

/// A token, just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewToken {
    pub jti: String,
    pub expires_at: Option<DateTime<Utc>>,
    /// Shown this once.
    pub token: String,
}

/// Make a token. Its text is in this answer and nowhere else, so that no `Idempotency-Key` is taken.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = TokenBody,
    responses((status = 201, body = NewToken), (status = "4XX", body = Problem)))]
async fn create(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Admin>,
    posted: Posted<TokenBody>,
) -> Answer {
    if posted.key.is_some() {
        return Err(Problem::bad_request("A token's text is not kept, so this takes no Idempotency-Key.").into());
    }
    let mut check = Check::default();
    let body = &posted.body;
    let name = check.text("/name", &body.name, LINE);
    if body.days.is_some_and(|days| !(1..=LONGEST_DAYS).contains(&days)) {
        check.wrong("/days", format!("must be 1 to {LONGEST_DAYS}"));
    }
    if body.person.as_ref().is_some_and(|person| !app.config.load().people.contains_key(person)) {
        check.wrong("/person", "there is no such person in schedules/people.toml");
    }
    check.done()?;
    retried(|| async {
        let mut work = posted.begin(&app, &caller).await?;
        let now = work.now;
        let expires_at = body.days.map(|days| now + TimeDelta::days(days.into()));
        let (claims, token) =
            access::grant(&mut work.tx, &app.token_key, &name, body.role, body.person.clone(), expires_at, now).await?;
        let (jti, role) = (claims.jti, claims.role);
        let detail = format!("{jti} for {name}, {}", role.as_str());
        let entry = Entry { who: caller.who(), what: what::TOKEN_MADE, network: None, detail: Some(&detail) };
        audit::note(&mut work.tx, entry, now).await?;
        let answer = work.finish(&app, StatusCode::CREATED, &NewToken { jti: jti.clone(), expires_at, token }).await?;
        tracing::info!(jti, role = role.as_str(), by = caller.jti, "token made");
        Ok(answer)
    })
    .await
}

/// Revoke a token: it is refused from now on.
#[utoipa::path(delete, path = "/tokens/{jti}", tag = "tokens",
    params(("jti" = String, Path, description = "`tok_…`")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke(
    State(app): State<App>,
    Allowed { caller, .. }: Allowed<least::Admin>,
    Name(jti): Name,
    _: Params<Nothing>,
) -> Answer {
    let revoked = retried(|| async {
        let mut tx = app.db.begin().await?;
        let now = app.clock.now();
        let revoked = store::revoke(&mut tx, &jti, now).await?;
        if revoked {
            let entry = Entry { who: caller.who(), what: what::TOKEN_REVOKED, network: None, detail: Some(&jti) };
            audit::note(&mut tx, entry, now).await?;
        }
        tx.commit().await.map(|()| revoked)
    });
    if !revoked.await? {
        return Err(Problem::not_found("There is no token of this id that still holds.").into());
    }
    tracing::info!(jti, by = caller.jti, "token revoked");
    Ok(StatusCode::NO_CONTENT.into_response())
}
