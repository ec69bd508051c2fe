//! The ways to sign in, but for the pages: each ends in a session, or in words that give nothing away.

pub mod store;
pub(super) mod turn;

use std::time::Duration;

use axum::http::HeaderValue;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use rand::Rng;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{
    Role,
    audit::{self, Entry, what},
    code, limit, password, proof,
    session::{self, From, How, Who},
};
use crate::{
    clock::Time,
    config::Config,
    id::PersonKey,
    people::{Channel, E164, Person},
    server::App,
    store::{Tx, retry::retried},
};
use password::store::Password;
use store::{Code, CodeKind, Kind, Link, Try};

/// How long a link holds.
pub const LINK_LIFE: TimeDelta = TimeDelta::minutes(10);

/// Whoever asks for a code is answered after this, whether one is sent or not.
const ASKED_WITHIN: Duration = Duration::from_millis(250);

/// Nobody's name is longer.
const LONGEST_NAME: usize = 200;

/// What came of a try.
#[derive(Debug)]
pub enum Tried {
    /// The `Set-Cookie` header of the session.
    In(HeaderValue),
    /// Wrong, unknown, used, over, or tried too often: nobody is told which.
    Wrong,
    /// Too many tries from there, whoever is meant, or too many at once.
    TooMany,
}

/// With a name and a password.
pub async fn by_password(app: &App, name: &str, password: &str, from: &From) -> sqlx::Result<Tried> {
    let name = password::name(name).unwrap_or_else(|| name.chars().take(LONGEST_NAME).collect());
    if is_stopped(app, from, Kind::Password).await? {
        return Ok(Tried::TooMany);
    }
    // One that is held up is as much work.
    let (id, known) = match retried(|| begin_password(app, &name, from)).await? {
        Begun::Stopped => return Ok(Tried::TooMany),
        Begun::HeldUp => (None, None),
        Begun::Counted(id, known) => (Some(id), known),
    };
    let hash = known.as_ref().map(|known| known.hash.as_str());
    let verified = match app.desk.hashing.verify(password, hash).await {
        None => return Ok(Tried::TooMany),
        Some(verified) => verified,
    };
    let Some(id) = id else { return Ok(Tried::Wrong) };
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let config = app.config.load_full();
    let is_here = |person: &Option<String>| person.as_deref().is_none_or(|key| config.people.contains_key(key));
    let tried = match known.filter(|known| verified && is_here(&known.person)) {
        Some(known) => {
            store::right(&mut tx, &id).await?;
            let person = known.person.map(PersonKey::from);
            let shown = person.as_ref().map_or_else(|| name.clone(), ToString::to_string);
            let who = Who { person, account: Some(name), name: shown, role: None };
            Tried::In(enter(&mut tx, app, &who, How::Password, from).await?)
        }
        None => {
            failed(&mut tx, "somebody", How::Password, from, now).await?;
            Tried::Wrong
        }
    };
    tx.commit().await?;
    Ok(tried)
}

/// Whether a network tried too often, whoever was meant. Only reads: a flood does not hold up whoever writes.
async fn is_stopped(app: &App, from: &From, kind: Kind) -> sqlx::Result<bool> {
    turn::is_stopped(&mut app.db.read().await?, &from.network, kind, app.clock.now()).await
}

/// What a password is held against.
enum Begun {
    /// The try's id, and the password of that name.
    Counted(String, Option<Password>),
    /// The name is held up. It counts against the network, or one address would keep hashing at it.
    HeldUp,
    /// So is the network, whatever the name.
    Stopped,
}

/// Counts the try as a wrong one before it is looked at, so that a hundred at once are a hundred.
async fn begin_password(app: &App, name: &str, from: &From) -> sqlx::Result<Begun> {
    let now = app.clock.now();
    let hashed = app.desk.hashed(name);
    let this = Try { name: &hashed, network: &from.network, kind: Kind::Password };
    let (_turn, mut tx) = turn::take(app, this).await?;
    if turn::is_stopped(&mut tx, this.network, this.kind, now).await? {
        return Ok(Begun::Stopped);
    }
    let here = store::wrong_here(&mut tx, this, now - limit::SPAN).await?.until();
    let everywhere = store::wrong_everywhere(&mut tx, this, now - limit::SPAN_EVERYWHERE).await?.until_everywhere();
    let held = here.is_some_and(|until| until > now)
        || (everywhere.is_some_and(|until| until > now)
            && !store::is_known(&mut tx, &hashed, this.network, now - limit::KNOWN_FOR).await?);
    let begun = if held {
        store::tried(&mut tx, Try { name: "", ..this }, false, now).await?;
        Begun::HeldUp
    } else {
        let known = password::store::find(&mut tx, name).await?;
        Begun::Counted(store::tried(&mut tx, this, false, now).await?, known)
    };
    tx.commit().await?;
    Ok(begun)
}

/// Sends a code to this phone, or to a phone of this person; gives its id, also where none was sent, for [`by_code`].
/// `None`: too many were asked for from there.
pub async fn ask_code(app: &App, given: &str, from: &From) -> sqlx::Result<Option<String>> {
    let answer_at = Instant::now() + ASKED_WITHIN;
    if is_stopped(app, from, Kind::AskCode).await? {
        return Ok(None);
    }
    let Some(id) = retried(|| ask_once(app, given, from)).await? else { return Ok(None) };
    app.bell.ring();
    tokio::time::sleep_until(answer_at).await;
    Ok(Some(id))
}

async fn ask_once(app: &App, given: &str, from: &From) -> sqlx::Result<Option<String>> {
    let (now, config) = (app.clock.now(), app.config.load_full());
    let meant = meant(&config, given);
    let name: String = match meant {
        Some((person, _)) => person.key.to_string(),
        None => given.trim().to_lowercase().chars().take(LONGEST_NAME).collect(),
    };
    let this = Try { name: &app.desk.hashed(&name), network: &from.network, kind: Kind::AskCode };
    let (_turn, mut tx) = turn::take(app, this).await?;
    if turn::is_stopped(&mut tx, this.network, this.kind, now).await? {
        return Ok(None);
    }
    let may = may_send(&mut tx, this, now).await?;
    // One that is refused keeps nobody from being sent another, later or elsewhere.
    let counted = if may { this } else { Try { name: "", ..this } };
    store::tried(&mut tx, counted, true, now).await?;
    let line = match meant {
        Some((person, number)) if may => line_for(&mut tx, person, number).await?.map(|line| (person, line)),
        _ => None,
    };
    let id = match line {
        Some((person, (address, channel))) => {
            code::sending::send(&mut tx, app, person, &address, channel, CodeKind::SignIn, &from.network).await?
        }
        None => code::sending::fresh_id(),
    };
    tx.commit().await?;
    Ok(Some(id))
}

/// Whether this name may have another code.
pub(super) async fn may_send(tx: &mut Tx, this: Try<'_>, now: Time) -> sqlx::Result<bool> {
    if store::of_name_here(tx, this, now - limit::CODES_SPAN).await? >= limit::CODES {
        return Ok(false);
    }
    let everywhere = store::of_name(tx, this.name, this.kind, now - limit::CODES_SPAN_EVERYWHERE).await?;
    Ok(everywhere < limit::CODES_EVERYWHERE
        || store::is_known(tx, this.name, this.network, now - limit::KNOWN_FOR).await?)
}

/// Whom a phone number or a person's key means, and the number if one was given. A phone that several people share
/// means none of them: they give their key.
fn meant<'c>(config: &'c Config, given: &str) -> Option<(&'c Person, Option<E164>)> {
    let given = given.trim();
    if let Some(person) = config.people.get(given.to_lowercase().as_str()) {
        return Some((person, None));
    }
    let bare: String = given.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')' | '/')).take(32).collect();
    let international = bare.strip_prefix("00").map_or_else(|| bare.clone(), |rest| format!("+{rest}"));
    let number = E164::parse(&international).ok()?;
    let has = |person: &&Person| person.contact.iter().any(|line| line.address == number);
    let mut people = config.people.values().filter(has);
    let person = people.next()?;
    let alone = people.next().is_none();
    alone.then_some((person, Some(number)))
}

/// By which line: the one that was given, or the first. By text where that can be, else by a call.
async fn line_for(tx: &mut Tx, person: &Person, number: Option<E164>) -> sqlx::Result<Option<(E164, Channel)>> {
    for channel in [Channel::Sms, Channel::Voice] {
        let lines = person.contact.iter().filter(|method| method.channels.contains(&channel));
        for line in lines.filter(|line| number.as_ref().is_none_or(|number| *number == line.address)) {
            if channel == Channel::Voice || !crate::paging::store::refuses_texts(tx, &line.address).await? {
                return Ok(Some((line.address.clone(), channel)));
            }
        }
    }
    Ok(None)
}

/// With a code that was sent.
pub async fn by_code(app: &App, id: &str, digits: &str, from: &From) -> sqlx::Result<Tried> {
    if is_stopped(app, from, Kind::Code).await? {
        return Ok(Tried::TooMany);
    }
    retried(|| by_code_once(app, id, digits, from)).await
}

async fn by_code_once(app: &App, id: &str, digits: &str, from: &From) -> sqlx::Result<Tried> {
    let now = app.clock.now();
    let (_turn, mut tx) = turn::take(app, Try { name: "", network: &from.network, kind: Kind::Code }).await?;
    if turn::is_stopped(&mut tx, &from.network, Kind::Code, now).await? {
        return Ok(Tried::TooMany);
    }
    let code = guess(&mut tx, app, id, digits, CodeKind::SignIn, now).await?;
    let person = match &code {
        Guess::Right(code) | Guess::Wrong(code) => code.person.as_str(),
        Guess::Unknown => "",
    };
    let this = Try { name: &app.desk.hashed(person), network: &from.network, kind: Kind::Code };
    let known = app.config.load().people.contains_key(person);
    let good = known && matches!(code, Guess::Right(_));
    store::tried(&mut tx, this, good, now).await?;
    let tried = if good {
        Tried::In(enter(&mut tx, app, &Who::person(person.into()), How::Code, from).await?)
    } else {
        failed(&mut tx, if known { person } else { "somebody" }, How::Code, from, now).await?;
        Tried::Wrong
    };
    tx.commit().await?;
    Ok(tried)
}

/// What a guess at a code comes to.
#[derive(Debug)]
pub(super) enum Guess {
    /// It is used up, and the line is proven.
    Right(Code),
    Wrong(Code),
    /// There is none that may still be guessed.
    Unknown,
}

/// Guesses at a code. The transaction is to be committed whatever comes of it: the guess counts.
pub(super) async fn guess(
    tx: &mut Tx,
    app: &App,
    id: &str,
    digits: &str,
    kind: CodeKind,
    now: Time,
) -> sqlx::Result<Guess> {
    let Some(code) = store::guess(tx, id, kind, code::GUESSES, now).await? else { return Ok(Guess::Unknown) };
    if !app.desk.is_code(&code.id, digits) || !store::use_code(tx, &code, now).await? {
        return Ok(Guess::Wrong(code));
    }
    proof::store::record(tx, &code.person, &code.address, &code.channel, now).await?;
    Ok(Guess::Right(code))
}

/// A new link, and its token, which is not kept.
pub async fn make_link(
    tx: &mut Tx,
    person: Option<&PersonKey>,
    name: &str,
    role: Option<Role>,
    now: Time,
) -> sqlx::Result<String> {
    let mut token = [0u8; 32];
    rand::rng().fill_bytes(&mut token);
    let token = BASE64_URL_SAFE_NO_PAD.encode(token);
    let (person, expires_at) = (person.map(PersonKey::to_string), now + LINK_LIFE);
    let link = Link { person, name: name.into(), role, expires_at, used_at: None };
    store::insert_link(tx, &hash_of(&token), &link, now).await?;
    Ok(token)
}

fn hash_of(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Whether a link still signs in.
pub async fn link_holds(app: &App, token: &str) -> sqlx::Result<bool> {
    let link = store::find_link(&mut app.db.read().await?, &hash_of(token)).await?;
    Ok(link.is_some_and(|link| link.used_at.is_none() && app.clock.now() < link.expires_at))
}

/// With a link.
pub async fn by_link(app: &App, token: &str, from: &From) -> sqlx::Result<Tried> {
    let (id, now) = (hash_of(token), app.clock.now());
    let mut tx = app.db.begin().await?;
    let Some(link) = store::find_link(&mut tx, &id).await? else { return Ok(Tried::Wrong) };
    let person = link.person.map(PersonKey::from);
    if person.as_ref().is_some_and(|key| !app.config.load().people.contains_key(key))
        || !store::use_link(&mut tx, &id, now).await?
    {
        return Ok(Tried::Wrong);
    }
    let who = Who { person, account: None, name: link.name, role: link.role };
    let set = enter(&mut tx, app, &who, How::Link, from).await?;
    tx.commit().await?;
    Ok(Tried::In(set))
}

/// A browser that came back from the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameBack {
    /// Its state was not used before, and is now. This is the id of the try: a wrong one until [`by_oidc`].
    First(String),
    /// It was used before.
    Again,
    /// Too many came back in vain from there.
    TooMany,
}

/// Uses up the state of a sign-in at the issuer, before the issuer is asked anything.
pub async fn back_from_oidc(app: &App, state: &str, from: &From) -> sqlx::Result<CameBack> {
    let (id, now) = (format!("flow_{}", app.desk.hashed(state)), app.clock.now());
    let this = Try { name: "", network: &from.network, kind: Kind::Oidc };
    // Whoever comes again and again only reads.
    let mut tx = app.db.read().await?;
    if turn::is_stopped(&mut tx, this.network, this.kind, now).await? {
        return Ok(CameBack::TooMany);
    }
    if store::is_tried(&mut tx, &id).await? {
        return Ok(CameBack::Again);
    }
    drop(tx);
    retried(|| async {
        let (_turn, mut tx) = turn::take(app, this).await?;
        if turn::is_stopped(&mut tx, this.network, this.kind, now).await? {
            return Ok(CameBack::TooMany);
        }
        if !store::tried_once(&mut tx, &id, this, now).await? {
            return Ok(CameBack::Again);
        }
        tx.commit().await?;
        Ok(CameBack::First(id.clone()))
    })
    .await
}

/// A person whom the issuer named, by the try of this id.
pub async fn by_oidc(app: &App, id: &str, person: &PersonKey, from: &From) -> sqlx::Result<HeaderValue> {
    let mut tx = app.db.begin().await?;
    store::right_of(&mut tx, id, &app.desk.hashed(person.as_str())).await?;
    let set = enter(&mut tx, app, &Who::person(person.clone()), How::Oidc, from).await?;
    tx.commit().await?;
    Ok(set)
}

/// Writes down that somebody did not get in.
pub async fn not_by_oidc(app: &App, from: &From) -> sqlx::Result<()> {
    let mut tx = app.db.begin().await?;
    failed(&mut tx, "somebody", How::Oidc, from, app.clock.now()).await?;
    tx.commit().await
}

async fn enter(tx: &mut Tx, app: &App, who: &Who, how: How, from: &From) -> sqlx::Result<HeaderValue> {
    let name = who.person.as_ref().map_or(who.name.as_str(), PersonKey::as_str);
    let entry = Entry { who: name, what: what::SIGNED_IN, network: Some(&from.network), detail: Some(how.words()) };
    audit::note(tx, entry, app.clock.now()).await?;
    tracing::info!(how = how.as_str(), "somebody signed in");
    metrics::counter!("ringdown_sign_ins_total", "how" => how.as_str(), "outcome" => "in").increment(1);
    session::begin(tx, app, who, how, from).await
}

async fn failed(tx: &mut Tx, who: &str, how: How, from: &From, now: Time) -> sqlx::Result<()> {
    let (network, detail) = (Some(from.network.as_str()), Some(how.words()));
    metrics::counter!("ringdown_sign_ins_total", "how" => how.as_str(), "outcome" => "refused").increment(1);
    audit::note(tx, Entry { who, what: what::SIGN_IN_FAILED, network, detail }, now).await
}

#[cfg(test)]
mod tests;
