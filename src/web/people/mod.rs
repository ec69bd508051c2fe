//! `/people`: whom we page; `/people/KEY`: one of them, their phones and whether they work, their rules, a test page.

mod acts;
mod line;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

pub(super) use self::acts::{confirm, prove, test_page};
use self::line::{Line, Steps};
use super::{Frame, Page, Place, Trouble};
use crate::{
    access::{Role, proof, session::Visitor},
    api::Problem,
    clock::Time,
    config::{self, Config},
    id::PersonKey,
    incident::words,
    oncall,
    people::Person,
    readiness::roster::{self, Proven, Turn},
    server::App,
    store::Tx,
};

/// The next turns that are listed of one person.
const LISTED: usize = 8;

/// Everybody.
#[derive(Template)]
#[template(path = "web/people/list.html")]
pub(super) struct Everybody {
    frame: Frame,
    people: Vec<Row>,
}

/// One of everybody.
struct Row {
    key: String,
    name: String,
    role: &'static str,
    teams: Vec<String>,
    lines: Vec<Line>,
    now: Vec<String>,
    next: Option<String>,
}

/// One person.
#[derive(Template)]
#[template(path = "web/people/person.html")]
pub(super) struct Shown {
    frame: Frame,
    row: Row,
    zone: String,
    language: String,
    mail: Option<String>,
    turns: Vec<String>,
    rules: Vec<Steps>,
    /// What `ringdown check` says about them.
    findings: Vec<String>,
    /// Whether it is the visitor.
    me: bool,
    /// Whether a test page may be sent.
    may_test: bool,
    /// A code that is under way: its id, and what is said about it.
    code: Option<(String, String)>,
    wrong: Option<&'static str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
    /// The id of a code that was sent.
    code: Option<String>,
}

pub(super) async fn people(State(app): State<App>, visitor: Visitor) -> Result<Page<Everybody>, Trouble> {
    visitor.require(Role::Viewer)?;
    let frame = Frame::new(&app, &visitor, Place::People);
    let config = app.config.load_full();
    let mut tx = app.db.read().await?;
    let (proven, overrides) = (proven(&mut tx).await?, oncall::store::current(&mut tx, frame.now).await?);
    drop(tx);
    let turns = roster::turns(&config, &overrides, frame.now);
    let mut people: Vec<Row> =
        config.people.values().map(|person| row(person, &config, &turns, &proven, &visitor, &frame)).collect();
    people.sort_by(|a, b| (a.now.is_empty(), &a.name).cmp(&(b.now.is_empty(), &b.name)));
    Ok(Page(Everybody { frame, people }))
}

pub(super) async fn person(
    State(app): State<App>,
    Path(key): Path<String>,
    Query(said): Query<Said>,
    visitor: Visitor,
) -> Result<Page<Shown>, Trouble> {
    visitor.require(Role::Viewer)?;
    let mut shown = shown(&app, &key, &visitor).await?;
    shown.frame = shown.frame.done(said.done.as_deref().and_then(acts::done).map(Into::into));
    // An id of ours is a word; whatever else came with the address is not shown.
    let id =
        said.code.filter(|id| shown.me && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    shown.code = id.map(|id| (id, "The code is on its way. It holds for ten minutes.".into()));
    shown.wrong = (said.done.as_deref() == Some("wrong")).then_some("That is not the code, or it is too old.");
    Ok(Page(shown))
}

async fn shown(app: &App, key: &str, visitor: &Visitor) -> Result<Shown, Trouble> {
    let frame = Frame::new(app, visitor, Place::People);
    let config = app.config.load_full();
    let person = find(&config, key)?;
    let mut tx = app.db.read().await?;
    let (proven, overrides) = (proven(&mut tx).await?, oncall::store::current(&mut tx, frame.now).await?);
    drop(tx);
    let turns = roster::turns(&config, &overrides, frame.now);
    let row = row(person, &config, &turns, &proven, visitor, &frame);
    let of_person = turns.get(&person.key).map(Vec::as_slice).unwrap_or_default();
    let me = is(person, visitor);
    Ok(Shown {
        zone: person.zone.to_string(),
        language: person.language.clone(),
        mail: person.mail.as_ref().map(|mail| if sees(person, visitor) { mail.as_str().into() } else { mail.masked() }),
        turns: of_person.iter().take(LISTED).map(|turn| turn_words(turn, &config, &frame)).collect(),
        rules: line::rules(person),
        findings: findings(app, &person.key, frame.now).await,
        me,
        may_test: (me && visitor.caller.role.may(Role::Responder)) || visitor.caller.role.may(Role::Commander),
        code: None,
        wrong: None,
        row,
        frame,
    })
}

fn find<'c>(config: &'c Config, key: &str) -> Result<&'c Person, Problem> {
    config.people.get(key).ok_or_else(|| Problem::not_found("There is no such person in schedules/people.toml."))
}

/// Whether this is the visitor's own page.
fn is(person: &Person, visitor: &Visitor) -> bool {
    visitor.caller.person.as_ref() == Some(&person.key)
}

/// Whether numbers and addresses are shown in full.
fn sees(person: &Person, visitor: &Visitor) -> bool {
    is(person, visitor) || visitor.caller.role.may(Role::Admin)
}

/// What anybody proved, as [`roster`] asks for it.
pub(super) async fn proven(tx: &mut Tx) -> sqlx::Result<Proven> {
    let all = proof::all(tx).await?;
    Ok(all.into_iter().map(|proof| (proof.person, proof.address, proof.channel)).collect())
}

/// What the check of the folder says about one person: rules that never fire, phones that nobody rings.
async fn findings(app: &App, key: &PersonKey, now: Time) -> Vec<String> {
    let (folder, place) = (app.settings.schedules.clone(), format!("people.{key}."));
    let checked = tokio::task::spawn_blocking(move || config::check(&folder, now).1).await.unwrap_or_default();
    checked.iter().filter(|finding| finding.key.starts_with(&place)).map(ToString::to_string).collect()
}

fn row(
    person: &Person,
    config: &Config,
    turns: &BTreeMap<PersonKey, Vec<Turn>>,
    proven: &Proven,
    visitor: &Visitor,
    frame: &Frame,
) -> Row {
    let turns = turns.get(&person.key).map(Vec::as_slice).unwrap_or_default();
    let (now, next): (Vec<&Turn>, Vec<&Turn>) = turns.iter().partition(|turn| turn.start <= frame.now);
    Row {
        key: person.key.to_string(),
        name: person.name.clone(),
        role: person.role.as_str(),
        teams: line::teams(person, config),
        lines: line::lines(person, proven, sees(person, visitor)),
        now: now.iter().map(|turn| format!("{} until {}", schedule(turn, config), frame.at(&turn.end))).collect(),
        next: next.first().map(|turn| turn_words(turn, config, frame)),
    }
}

/// `Payments from Mon 23 Nov 09:00 to Mon 30 Nov 09:00`, on the visitor's clock.
fn turn_words(turn: &Turn, config: &Config, frame: &Frame) -> String {
    let (from, to) = (words::dated(turn.start, &frame.zone), words::dated(turn.end, &frame.zone));
    if turn.start <= frame.now {
        return format!("{} now, until {to}", schedule(turn, config));
    }
    format!("{} from {from} to {to}", schedule(turn, config))
}

fn schedule(turn: &Turn, config: &Config) -> String {
    config.schedules.get(&turn.schedule).map_or_else(|| turn.schedule.to_string(), |schedule| schedule.name.clone())
}
