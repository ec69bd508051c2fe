//! The doors of the phones' owners: what is on a phone, and what a person does with it.
//!
//! A number in a path may be written with or without its `+`. They are for administrators: every phone is there, with
//! the one-time codes and the links that came to it.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRequestParts, Path, RawQuery},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Act, Behaviour, Call, Handsets, Line, Phone, State, Text, WaitingFor,
    happening::{Input, Kind},
    owner,
};
use crate::{
    access::{Caller, Role},
    api::Problem,
    carrier::{AnsweredBy, Status, form},
    clock::Time,
    people::E164,
    server::App,
};

/// How long a request that waits for something is kept, in the machine's time.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Bytes of a request's body.
const MAX_BODY: usize = 64 * 1024;

/// The doors of the phones' owners: `/handsets/…`.
pub fn routes() -> Router<App> {
    doors()
}

pub(super) fn doors<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Desk: FromRequestParts<S, Rejection = Problem>,
{
    Router::new()
        .route("/handsets/phones", get(phones))
        .route("/handsets/phones/{number}", get(phone))
        .route("/handsets/phones/{number}/behaviour", put(behave))
        .route("/handsets/phones/{number}/sms", post(write))
        .route("/handsets/phones/{number}/dial", post(dial))
        .route("/handsets/calls/{id}", get(call))
        .route("/handsets/calls/{id}/answer", post(answer))
        .route("/handsets/calls/{id}/reject", post(reject))
        .route("/handsets/calls/{id}/divert", post(divert))
        .route("/handsets/calls/{id}/hangup", post(hang_up))
        .route("/handsets/calls/{id}/press", post(press))
        .route("/handsets/calls/{id}/speak", post(speak))
        .route("/handsets/calls/{id}/recordings/{number}", get(recording))
}

/// The handsets, for somebody who may use them: 401 and 403 otherwise, 404 where this process has none.
pub(super) struct Desk(pub Arc<Handsets>);

impl FromRequestParts<App> for Desk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Caller::from_request_parts(parts, app).await?.require(Role::Admin)?;
        owner::handsets(app).map(Desk)
    }
}

/// A phone as its owner sees it.
#[derive(Debug, Serialize)]
struct PhoneView {
    number: E164,
    #[serde(flatten)]
    behaviour: Behaviour,
    texts: Vec<Text>,
    calls: Vec<CallView>,
}

/// A call as the phone shows it.
#[derive(Debug, Serialize)]
struct CallView {
    id: String,
    phone: E164,
    /// The number at the other end.
    peer: E164,
    /// Whether this phone was called.
    incoming: bool,
    state: State,
    status: Status,
    waiting_for: WaitingFor,
    answered_by: Option<&'static str>,
    connected_with: Option<String>,
    said: Vec<Line>,
    /// Recordings made so far.
    recordings: usize,
    started_at: Time,
    answered_at: Option<Time>,
    ended_at: Option<Time>,
    /// How long it was talked.
    seconds: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Writing {
    to: String,
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialling {
    to: String,
    /// What the caller does when the call asks: `{"press": "1"}`, `{"say": "…"}`.
    #[serde(default)]
    script: Vec<Act>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pressing {
    keys: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Speaking {
    text: String,
}

/// What a text was answered with.
#[derive(Serialize)]
struct Written {
    answer: Option<Text>,
}

async fn phones(Desk(handsets): Desk) -> Json<Vec<PhoneView>> {
    let now = handsets.clock().now();
    Json(handsets.look(|network| network.phones().map(|phone| view_phone(phone, |id| network.call(id), now)).collect()))
}

async fn phone(
    Desk(handsets): Desk,
    Path(number): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<PhoneView>, Problem> {
    let number = owner::number(&number)?;
    handsets.phone(&number);
    if let Some(until) = until(query)? {
        wait(&handsets, || {
            handsets.look(|network| {
                let phone = network.phones().find(|phone| phone.number == number);
                phone.is_none_or(|phone| phone.calls.iter().any(|id| network.call(id).is_some_and(|c| until.now(c))))
            })
        })
        .await;
    }
    see_phone(&handsets, &number)
}

async fn behave(Desk(handsets): Desk, Path(number): Path<String>, body: Bytes) -> Result<Json<PhoneView>, Problem> {
    let (number, behaviour) = (owner::number(&number)?, read::<Behaviour>(&body)?);
    owner::behave(&handsets, &number, behaviour)?;
    see_phone(&handsets, &number)
}

async fn write(Desk(handsets): Desk, Path(number): Path<String>, body: Bytes) -> Result<Json<Written>, Problem> {
    let (number, sms) = (owner::number(&number)?, read::<Writing>(&body)?);
    let answer = owner::write(&handsets, &number, &sms.to, &sms.body).await?;
    Ok(Json(Written { answer }))
}

async fn dial(Desk(handsets): Desk, Path(number): Path<String>, body: Bytes) -> Result<Response, Problem> {
    let (number, dialling) = (owner::number(&number)?, read::<Dialling>(&body)?);
    let id = owner::dial(&handsets, &number, &dialling.to, dialling.script)?;
    Ok((StatusCode::CREATED, see_call(&handsets, &id)?).into_response())
}

async fn call(
    Desk(handsets): Desk,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<CallView>, Problem> {
    if let Some(until) = until(query)? {
        wait(&handsets, || handsets.look(|network| network.call(&id).is_none_or(|call| until.reached(call)))).await;
    }
    see_call(&handsets, &id)
}

async fn answer(Desk(handsets): Desk, Path(id): Path<String>) -> Result<Json<CallView>, Problem> {
    act(&handsets, &id, Input::Answer)
}

async fn reject(Desk(handsets): Desk, Path(id): Path<String>) -> Result<Json<CallView>, Problem> {
    act(&handsets, &id, Input::Reject)
}

async fn divert(Desk(handsets): Desk, Path(id): Path<String>) -> Result<Json<CallView>, Problem> {
    act(&handsets, &id, Input::Divert)
}

async fn hang_up(Desk(handsets): Desk, Path(id): Path<String>) -> Result<Json<CallView>, Problem> {
    act(&handsets, &id, Input::HangUp)
}

async fn press(Desk(handsets): Desk, Path(id): Path<String>, body: Bytes) -> Result<Json<CallView>, Problem> {
    let Pressing { keys } = read(&body)?;
    act(&handsets, &id, Input::Press(keys))
}

async fn speak(Desk(handsets): Desk, Path(id): Path<String>, body: Bytes) -> Result<Json<CallView>, Problem> {
    let Speaking { text } = read(&body)?;
    act(&handsets, &id, Input::Speak(text))
}

async fn recording(Desk(handsets): Desk, Path((id, number)): Path<(String, String)>) -> Result<Response, Problem> {
    let words = handsets.look(|network| {
        let at = number.parse::<usize>().ok()?.checked_sub(1)?;
        network.call(&id)?.recordings.get(at).cloned()
    });
    let words = words.ok_or_else(|| Problem::not_found("There is no such recording on this call."))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], words).into_response())
}

fn act(handsets: &Handsets, id: &str, input: Input) -> Result<Json<CallView>, Problem> {
    owner::act(handsets, id, input)?;
    see_call(handsets, id)
}

fn see_phone(handsets: &Handsets, number: &E164) -> Result<Json<PhoneView>, Problem> {
    let now = handsets.clock().now();
    let seen = handsets.look(|network| {
        let phone = network.phones().find(|phone| phone.number == *number)?;
        Some(view_phone(phone, |id| network.call(id), now))
    });
    seen.map(Json).ok_or_else(|| Problem::not_found("There is no such phone."))
}

fn see_call(handsets: &Handsets, id: &str) -> Result<Json<CallView>, Problem> {
    let now = handsets.clock().now();
    handsets.look(|network| network.call(id).map(|call| view_call(call, now))).map(Json).ok_or_else(owner::no_such_call)
}

fn view_phone<'a>(phone: &Phone, call: impl Fn(&str) -> Option<&'a Call>, now: Time) -> PhoneView {
    PhoneView {
        number: phone.number.clone(),
        behaviour: phone.behaviour.clone(),
        texts: phone.texts.iter().cloned().collect(),
        calls: phone.calls.iter().filter_map(|id| call(id)).map(|call| view_call(call, now)).collect(),
    }
}

fn view_call(call: &Call, now: Time) -> CallView {
    CallView {
        id: call.id.clone(),
        phone: call.phone.clone(),
        peer: call.peer.clone(),
        incoming: !matches!(call.kind, Kind::Dialled),
        state: call.state(),
        status: call.status(),
        waiting_for: call.waiting_for(),
        answered_by: call.answered_by.map(|by| match by {
            AnsweredBy::Human => "human",
            AnsweredBy::Machine => "machine",
            AnsweredBy::Unknown => "unknown",
        }),
        connected_with: call.connected_with().map(String::from),
        said: call.said.clone(),
        recordings: call.recordings.len(),
        started_at: call.started_at,
        answered_at: call.answered_at,
        ended_at: call.ended_at,
        seconds: call.seconds(now),
    }
}

/// What a request waits for.
#[derive(Clone, Copy, Debug)]
enum Until {
    Ringing,
    Waiting,
    Ended,
}

impl Until {
    /// The call is so far, or can never be again.
    fn reached(self, call: &Call) -> bool {
        call.has_ended()
            || match self {
                Until::Ringing => call.state() != State::Queued,
                Until::Waiting => call.waiting_for() != WaitingFor::Nothing,
                Until::Ended => false,
            }
    }

    /// The call is there at this moment.
    fn now(self, call: &Call) -> bool {
        match self {
            Until::Ringing => call.state() == State::Ringing,
            Until::Waiting => call.waiting_for() != WaitingFor::Nothing,
            Until::Ended => call.has_ended(),
        }
    }
}

fn until(query: Option<String>) -> Result<Option<Until>, Problem> {
    let query = form(query.unwrap_or_default().as_bytes());
    let Some((_, word)) = query.into_iter().find(|(name, _)| name == "until") else { return Ok(None) };
    match word.as_str() {
        "ringing" => Ok(Some(Until::Ringing)),
        "waiting" => Ok(Some(Until::Waiting)),
        "ended" => Ok(Some(Until::Ended)),
        _ => Err(Problem::bad_request("`until` is one of ringing, waiting, ended.")),
    }
}

/// Until it is so, or the longest wait is over.
async fn wait(handsets: &Handsets, so: impl Fn() -> bool) {
    let mut changes = handsets.changes();
    let watching = async {
        while !so() {
            if changes.changed().await.is_err() {
                break;
            }
        }
    };
    // Over time the caller sees how far it is, and asks again.
    let _ = tokio::time::timeout(LONGEST_WAIT, watching).await;
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.len() > MAX_BODY {
        return Err(Problem::too_large(format!("At most {MAX_BODY} bytes.")));
    }
    serde_json::from_slice(body).map_err(|why| Problem::bad_request(format!("Not the JSON that is expected: {why}.")))
}
