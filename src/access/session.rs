//! Who is signed in to the web: sessions, kept in the database and known by a cookie.
//!
//! The cookie holds 32 random bytes; the database their SHA-256 alone, so that nobody who reads it can go on with a
//! session. What a session may do is looked up anew at each request: a person's role in the schedules in force, an
//! account's in its row. Taking it away works at once.

pub mod store;

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use rand::Rng;
use sha2::{Digest, Sha256};

use super::{
    Caller, Role,
    cookie::Cookie,
    csrf, network, origin,
    refused::{self, Forbidden},
};
use crate::{clock::Time, config::Config, id::PersonKey, server::App, store::Tx};

pub use store::Session;

/// How long a session holds, whatever is done in it.
const LONGEST: TimeDelta = TimeDelta::days(30);

/// The same for whoever may do everything.
const LONGEST_OF_ADMIN: TimeDelta = TimeDelta::hours(12);

/// A session in which nothing was done for so long is over.
const IDLE: TimeDelta = TimeDelta::days(7);

/// How often it is written down that somebody is still there.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(5);

/// The cookie that a session is known by.
pub fn cookie(app: &App) -> Cookie {
    Cookie::of(&app.settings.public_url, "ringdown")
}

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum How {
    Password,
    /// A code sent to a phone of theirs.
    Code,
    /// A link that whoever can write the database made.
    Link,
    /// OpenID Connect.
    Oidc,
}

impl How {
    /// As metrics say it.
    pub fn as_str(self) -> &'static str {
        match self {
            How::Password => "password",
            How::Code => "code",
            How::Link => "link",
            How::Oidc => "oidc",
        }
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            How::Password => "a password",
            How::Code => "a code to a phone",
            How::Link => "a one-time link",
            How::Oidc => "single sign-on",
        }
    }
}

/// Who signs in. What they may do is that of the person, else that of the account, else `role`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    pub person: Option<PersonKey>,
    /// The name of the password they gave.
    pub account: Option<String>,
    /// The name shown where it is no person's.
    pub name: String,
    pub role: Option<Role>,
}

impl Who {
    /// One of our people.
    pub fn person(key: PersonKey) -> Who {
        Who { name: key.to_string(), person: Some(key), ..Who::default() }
    }
}

/// From where a request comes: an extractor.
#[derive(Clone, Debug, Default)]
pub struct From {
    /// The network they come from, not the whole address ([`super::network`]).
    pub network: String,
    /// What their browser calls itself.
    pub agent: Option<String>,
}

/// Somebody who is signed in to the web: an extractor. Without a session a GET is sent to sign in, and anything else is
/// answered 401.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// `jti` is the session's id.
    pub caller: Caller,
    /// The session's id.
    pub session: String,
    csrf: csrf::Token,
    public_url: String,
}

impl Visitor {
    /// 403, unless they have this role or one above it. `?` makes a page of it, also where the error is a `Response`.
    pub fn require(&self, least: Role) -> Result<(), Forbidden> {
        if self.caller.role.may(least) { Ok(()) } else { Err(Forbidden { role: self.caller.role, least }) }
    }

    /// What the forms of one page of theirs carry in the hidden field `csrf`: another in each page.
    pub fn csrf(&self) -> String {
        let mut mask = [0u8; 32];
        rand::rng().fill_bytes(&mut mask);
        self.csrf.masked(&mask)
    }

    /// Whether a form that was posted is one of ours, sent by this visitor: `token` is its hidden field. A page must
    /// not be served with `Referrer-Policy: no-referrer`: browsers then send `Origin: null`, which is refused where they
    /// send no `Sec-Fetch-Site` (over plain http).
    pub fn csrf_holds(&self, token: &str, headers: &HeaderMap) -> bool {
        self.csrf.is(token) && is_ours(&self.public_url, headers)
    }
}

/// Whether a request that changes something comes from a page of ours, as far as the browser says.
pub fn is_ours(public_url: &str, headers: &HeaderMap) -> bool {
    let told = |name| match (headers.get(name).map(HeaderValue::to_str), headers.get_all(name).iter().count()) {
        (None, _) => None,
        (Some(Ok(value)), 1) => Some(value),
        // Twice, or unreadable: nobody's.
        _ => Some("null"),
    };
    let told = origin::Told { site: told("sec-fetch-site"), origin: told("origin"), host: told("host") };
    told.is_ours(public_url)
}

impl FromRequestParts<App> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let header = |name| parts.headers.get_all(name).iter().filter_map(|header| header.to_str().ok());
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let forwarded: Vec<&str> = header("x-forwarded-for").collect();
        let client = peer.map(|peer| network::client(peer, forwarded.into_iter(), &app.settings.trusted_proxies));
        let network = client.map_or_else(|| "nowhere".into(), network::network);
        let agent = header("user-agent").next().map(|agent| agent.chars().take(300).collect());
        Ok(From { network, agent })
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        match of(app, &parts.headers).await {
            Ok(Some(visitor)) => Ok(visitor),
            Ok(None) => Err(sign_in_first(parts)),
            Err(error) => {
                tracing::error!(%error, "cannot look a session up");
                Err(refused::unavailable())
            }
        }
    }
}

/// Who sends this request, if they are signed in.
pub async fn of(app: &App, headers: &HeaderMap) -> sqlx::Result<Option<Visitor>> {
    let cookie = cookie(app);
    let given = headers.get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    let tokens: Vec<[u8; 32]> = given.flat_map(|header| cookie.values(header)).filter_map(read_token).take(4).collect();
    if tokens.is_empty() {
        return Ok(None);
    }
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    for token in tokens {
        let id = id_of(&token);
        let Some(session) = store::find(&mut tx, &id).await? else { continue };
        let Some((name, role)) = holds(&session, &app.config.load(), now) else { continue };
        if now - session.last_seen_at >= SEEN_EVERY {
            note_seen(app.clone(), id.clone(), now);
        }
        let person = session.person.map(PersonKey::from);
        let caller = Caller { name, jti: id.clone(), role, person };
        return Ok(Some(Visitor {
            caller,
            session: id,
            csrf: csrf::Token::of(&token),
            public_url: app.settings.public_url.clone(),
        }));
    }
    Ok(None)
}

/// The name and the role of a session that holds now: neither ended nor over, of somebody who is still known.
pub(super) fn holds(session: &Session, config: &Config, now: Time) -> Option<(String, Role)> {
    if session.ended_at.is_some() || now >= session.expires_at || now - session.last_seen_at >= IDLE {
        return None;
    }
    // A password that was taken away takes its sessions with it.
    if session.account.is_some() && session.account_found.is_none() {
        return None;
    }
    let (name, role) = match &session.person {
        Some(key) => {
            let person = config.people.get(key.as_str())?;
            (person.name.clone(), person.role)
        }
        None if session.account.is_some() => (session.name.clone(), session.account_role?),
        None => (session.name.clone(), session.role?),
    };
    // Also for somebody who was made one since.
    (role != Role::Admin || now < session.created_at + LONGEST_OF_ADMIN).then_some((name, role))
}

/// Nobody waits for it.
fn note_seen(app: App, id: String, now: Time) {
    tokio::spawn(async move {
        let seen = async {
            let mut tx = app.db.begin().await?;
            store::seen(&mut tx, &id, now).await?;
            tx.commit().await
        };
        if let Err(error) = seen.await {
            tracing::warn!(%error, "cannot write down that a session is in use");
        }
    });
}

/// Begins a session, and gives the `Set-Cookie` header that makes it the browser's.
pub async fn begin(tx: &mut Tx, app: &App, who: &Who, how: How, from: &From) -> sqlx::Result<HeaderValue> {
    let mut token = [0u8; 32];
    rand::rng().fill_bytes(&mut token);
    let now = app.clock.now();
    let session = Session {
        id: id_of(&token),
        person: who.person.as_ref().map(PersonKey::to_string),
        account: who.account.clone(),
        name: who.name.clone(),
        role: who.role,
        how,
        network: Some(from.network.clone()).filter(|network| !network.is_empty()),
        agent: from.agent.as_deref().map(|agent| agent.chars().take(300).collect()),
        created_at: now,
        last_seen_at: now,
        expires_at: now + LONGEST,
        ended_at: None,
        account_found: None,
        account_role: None,
    };
    store::insert(tx, &session).await?;
    let set = cookie(app).set(&BASE64_URL_SAFE_NO_PAD.encode(token), LONGEST);
    Ok(HeaderValue::from_str(&set).expect("letters, digits and signs"))
}

/// Ends a session. False when there is none of this id that still ran.
pub async fn end(tx: &mut Tx, id: &str, now: Time) -> sqlx::Result<bool> {
    store::end(tx, id, now).await
}

/// Ends every session of a person; says how many.
pub async fn end_all_of(tx: &mut Tx, person: &PersonKey, now: Time) -> sqlx::Result<u64> {
    store::end_all_of(tx, person.as_str(), now).await
}

fn id_of(token: &[u8; 32]) -> String {
    hex::encode(Sha256::digest(token))
}

fn read_token(text: &str) -> Option<[u8; 32]> {
    if text.len() != 43 {
        return None;
    }
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

fn sign_in_first(parts: &Parts) -> Response {
    let streams = parts.headers.get(header::ACCEPT).is_some_and(|accept| accept == "text/event-stream");
    if streams || (parts.method != Method::GET && parts.method != Method::HEAD) {
        return refused::unauthenticated();
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let next = origin::local(path).filter(|path| *path != "/");
    let to = match next {
        Some(next) => format!("/sign-in?next={}", form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>()),
        None => "/sign-in".into(),
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to), (header::CACHE_CONTROL, "no-store".into())]).into_response()
}

#[cfg(test)]
mod tests;
