//! The doors Twilio calls. A request is believed for its signature alone; who asks is not told why it was not.
//!
//! Nothing is answered before it is recorded: where the switchboard cannot take it now, the answer is 503, and Twilio
//! asks again or turns to the fallback URL.

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    Extension, RequestExt, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, OriginalUri, Path, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use secrecy::ExposeSecret;

use super::{
    doors, signature,
    twiml::{self, Line},
    words,
};
use crate::{
    carrier::{Bridge, InboundSms, Receipt, Recording, Status, Switchboard, Turn, Unavailable, Waited, form},
    id::AttemptId,
    people::Channel,
    server::{
        App,
        settings::{CarrierSettings, TwilioSettings},
    },
};

/// With a person on the line.
const TO_SPEAK: Duration = Duration::from_secs(5);
/// Twilio waits 15 s for everything else.
const TO_RECORD: Duration = Duration::from_secs(10);
const LARGEST_BODY: usize = 64 * 1024;

type Board = Arc<dyn Fn(&App) -> Arc<dyn Switchboard> + Send + Sync>;

/// The doors, answered by this switchboard.
pub fn routes(board: impl Fn(&App) -> Arc<dyn Switchboard> + Send + Sync + 'static) -> Router<App> {
    Router::new()
        .route("/carriers/{name}/voice", post(voice))
        .route("/carriers/{name}/voice/{*rest}", post(voice))
        .route("/carriers/{name}/sms", post(sms))
        .route("/carriers/{name}/status", post(status))
        .route("/carriers/{name}/amd", post(amd))
        .route("/carriers/{name}/recording", post(recording))
        .route("/carriers/{name}/transcription", post(transcription))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(Extension(Arc::new(board) as Board))
}

/// A request that Twilio made.
struct Asked {
    board: Arc<dyn Switchboard>,
    carrier: String,
    settings: TwilioSettings,
    doors: String,
    /// Below `/carriers/{name}/`, decoded.
    path: String,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
}

impl FromRequest<App> for Asked {
    type Rejection = Response;

    async fn from_request(mut request: Request, app: &App) -> Result<Self, Response> {
        let nowhere = || StatusCode::NOT_FOUND.into_response();
        let Path(parts) = request.extract_parts::<Path<Vec<(String, String)>>>().await.map_err(|_| nowhere())?;
        let part = |name: &str| parts.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let (key, settings) = part("name")
            .and_then(|name| app.settings.carriers.get_key_value(name))
            .and_then(|(key, settings)| match settings {
                CarrierSettings::Twilio(settings) => Some((key.clone(), settings.clone())),
                CarrierSettings::Handsets(_) | CarrierSettings::Smtp(_) => None,
            })
            .ok_or_else(nowhere)?;
        let rest = part("rest").map(str::to_owned);
        let Extension(board) = request
            .extract_parts::<Extension<Board>>()
            .await
            .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())?;
        let OriginalUri(uri) = request
            .extract_parts::<OriginalUri>()
            .await
            .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())?;
        let signature = request.headers().get("x-twilio-signature").and_then(|value| value.to_str().ok());
        let signature = signature.unwrap_or_default().to_owned();
        let late = |_| StatusCode::REQUEST_TIMEOUT.into_response();
        // Nobody is known yet: who sends slowly must not hold a connection for long.
        let body = tokio::time::timeout(TO_RECORD, Bytes::from_request(request, app)).await.map_err(late)?;
        let body = body.map_err(IntoResponse::into_response)?;

        let form = form(&body);
        let asked = uri.path_and_query().map_or("/", |path| path.as_str());
        let url = public(&app.settings.public_url, asked);
        let tokens = std::iter::once(&settings.auth_token).chain(&settings.previous_auth_token);
        if !signature::is_authentic(tokens.map(|token| token.expose_secret()), &url, &form, &signature) {
            metrics::counter!("ringdown_carrier_refused_total", "carrier" => key.as_str().to_owned()).increment(1);
            let url = url.split('?').next().unwrap_or_default();
            let given = !signature.is_empty();
            tracing::warn!(carrier = %key, url, given, "a request without a good signature; is public_url right?");
            return Err(StatusCode::FORBIDDEN.into_response());
        }
        let last = uri.path().rsplit('/').next().unwrap_or_default();
        Ok(Asked {
            board: board(app),
            carrier: key.as_str().into(),
            settings,
            doors: doors(&app.settings.public_url, key.as_str()),
            path: rest.map_or_else(|| last.to_owned(), |rest| format!("voice/{rest}")),
            query: self::form(uri.query().unwrap_or_default().as_bytes()),
            form,
        })
    }
}

/// The URL as Twilio called it: the public one, whether or not something in between took its path prefix off.
fn public(public_url: &str, asked: &str) -> String {
    let base = public_url.trim_end_matches('/');
    let host = base.find("://").map_or(0, |at| at + 3);
    let (origin, prefix) = base.split_at(base[host..].find('/').map_or(base.len(), |at| host + at));
    match asked.strip_prefix(prefix) {
        Some(rest) if rest.starts_with("/carriers/") => format!("{origin}{asked}"),
        _ => format!("{origin}{prefix}{asked}"),
    }
}

impl Asked {
    /// A field of the form, cut to so many characters; `None` when it is not there or empty.
    fn field(&self, name: &str, most: usize) -> Option<String> {
        let (_, value) = self.form.iter().find(|(key, _)| key == name)?;
        (!value.is_empty()).then(|| value.chars().take(most).collect())
    }

    fn seconds(&self, name: &str) -> Option<u32> {
        self.field(name, 10)?.parse().ok()
    }

    fn call_sid(&self) -> String {
        self.field("CallSid", 64).unwrap_or_default()
    }

    fn attempt(&self) -> Option<AttemptId> {
        let (_, id) = self.query.iter().find(|(key, _)| key == "a")?;
        (1..=64).contains(&id.len()).then(|| id.as_str().into())
    }

    fn turn(&self) -> Turn {
        let keys = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#' | 'A'..='D');
        Turn {
            carrier: self.carrier.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            call_sid: self.call_sid(),
            from: self.field("From", 128).unwrap_or_default(),
            to: self.field("To", 128).unwrap_or_default(),
            // After a recording it may be the word `hangup`.
            digits: self.field("Digits", 32).filter(|digits| digits.chars().all(keys)),
            recording_url: self.recording_url(),
            recording_seconds: self.seconds("RecordingDuration"),
            bridge: self.field("DialCallStatus", 32).map(|word| Bridge {
                sid: self.field("DialCallSid", 64),
                // A queue is answered rather than completed.
                completed: matches!(word.as_str(), "completed" | "answered")
                    && self.field("DialBridged", 8).as_deref() != Some("false"),
                seconds: self.seconds("DialCallDuration").unwrap_or(0),
            }),
            waited: self.field("QueueResult", 32).map(|word| Waited {
                bridged: matches!(word.as_str(), "bridged" | "redirected-from-bridged"),
                seconds: self.seconds("QueueTime").unwrap_or(0),
            }),
            answered_by: self.field("AnsweredBy", 32).map(|word| words::answered_by(&word)),
        }
    }

    fn recording_url(&self) -> Option<String> {
        self.field("RecordingUrl", 2048).filter(|url| url.starts_with("https://") || url.starts_with("http://"))
    }

    /// `None` when it says nothing of an attempt or an inbound call.
    fn receipt(&self) -> Option<Receipt> {
        let attempt = self.attempt();
        let of_call = self.field("CallSid", 64);
        let channel = match self.query.iter().find(|(key, _)| key == "c").map(|(_, value)| value.as_str()) {
            Some("sms") => Channel::Sms,
            Some("voice") => Channel::Voice,
            _ if of_call.is_some() => Channel::Voice,
            _ => Channel::Sms,
        };
        let (sid, status) = match channel {
            Channel::Sms => {
                let word = self.field("MessageStatus", 32).or_else(|| self.field("SmsStatus", 32));
                let sid = self.field("MessageSid", 64).or_else(|| self.field("SmsSid", 64));
                (sid, word.as_deref().and_then(words::status))
            }
            Channel::Voice => {
                let sip = self.field("SipResponseCode", 8);
                let word = self.field("CallStatus", 32);
                (of_call, word.as_deref().and_then(|word| words::call_status(word, sip.as_deref())))
            }
        };
        // A text that is nobody's attempt is an answer we gave to somebody; its fate changes nothing.
        if attempt.is_none() && channel == Channel::Sms {
            return None;
        }
        let answered_by = self.field("AnsweredBy", 32).map(|word| words::answered_by(&word));
        let ended = channel == Channel::Voice && status.is_some_and(Status::is_final);
        // Of an inbound call only its end is news: we answered it.
        let news = if attempt.is_none() { ended } else { status.is_some() || answered_by.is_some() };
        if !news {
            return None;
        }
        Some(Receipt {
            carrier: self.carrier.clone(),
            attempt,
            sid: sid?,
            channel,
            status,
            answered_by,
            error_code: self.field("ErrorCode", 16).filter(|code| code != "0"),
            seconds: if ended { self.seconds("CallDuration") } else { None },
        })
    }

    /// The number of ours that this call is on.
    fn own_number(&self, turn: &Turn) -> Option<String> {
        let ours = |number: &&String| self.settings.from.contains(number);
        [&turn.to, &turn.from].into_iter().find(ours).or(self.settings.from.first()).cloned()
    }
}

async fn voice(asked: Asked) -> Response {
    let turn = asked.turn();
    let own = asked.own_number(&turn);
    match within(TO_SPEAK, asked.board.voice(turn)).await {
        Ok(document) => xml(twiml::render(&document, Line { doors: &asked.doors, caller_id: own.as_deref() })),
        Err(unavailable) => later(&asked, &unavailable),
    }
}

async fn sms(asked: Asked) -> Response {
    let Some(sid) = asked.field("MessageSid", 64).or_else(|| asked.field("SmsSid", 64)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let sms = InboundSms {
        carrier: asked.carrier.clone(),
        sid,
        from: asked.field("From", 128).unwrap_or_default(),
        to: asked.field("To", 128).unwrap_or_default(),
        body: asked.field("Body", 1600).unwrap_or_default(),
    };
    match within(TO_RECORD, asked.board.sms(sms)).await {
        Ok(answer) => xml(twiml::message(answer.as_deref())),
        Err(unavailable) => later(&asked, &unavailable),
    }
}

async fn status(asked: Asked) -> Response {
    match asked.receipt() {
        Some(receipt) => recorded(&asked, asked.board.receipt(receipt)).await,
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Who answered; it says nothing of how far the call is.
async fn amd(asked: Asked) -> Response {
    let (Some(sid), Some(word)) = (asked.field("CallSid", 64), asked.field("AnsweredBy", 32)) else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let receipt = Receipt {
        carrier: asked.carrier.clone(),
        attempt: asked.attempt(),
        sid,
        channel: Channel::Voice,
        status: None,
        answered_by: Some(words::answered_by(&word)),
        error_code: None,
        seconds: None,
    };
    recorded(&asked, asked.board.receipt(receipt)).await
}

async fn recording(asked: Asked) -> Response {
    // Before `completed` there is nothing to fetch.
    match asked.field("RecordingStatus", 32).as_deref() {
        None | Some("completed") => heard(&asked, None).await,
        Some(_) => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn transcription(asked: Asked) -> Response {
    heard(&asked, asked.field("TranscriptionText", 4000)).await
}

async fn heard(asked: &Asked, transcript: Option<String>) -> Response {
    let url = asked.recording_url();
    if url.is_none() && transcript.is_none() {
        return StatusCode::NO_CONTENT.into_response();
    }
    let recording = Recording {
        carrier: asked.carrier.clone(),
        call_sid: asked.call_sid(),
        query: asked.query.clone(),
        url,
        transcript,
    };
    recorded(asked, asked.board.recording(recording)).await
}

async fn recorded(asked: &Asked, work: impl Future<Output = Result<(), Unavailable>>) -> Response {
    match within(TO_RECORD, work).await {
        // 200 without a body is an error in Twilio's eyes.
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(unavailable) => later(asked, &unavailable),
    }
}

async fn within<T>(most: Duration, work: impl Future<Output = Result<T, Unavailable>>) -> Result<T, Unavailable> {
    let late = || Unavailable::because("it took too long");
    tokio::time::timeout(most, work).await.unwrap_or_else(|_| Err(late()))
}

fn later(asked: &Asked, unavailable: &Unavailable) -> Response {
    metrics::counter!("ringdown_carrier_unanswered_total", "carrier" => asked.carrier.clone()).increment(1);
    tracing::error!(carrier = asked.carrier, door = asked.path, %unavailable, "a carrier was sent away");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]).into_response()
}

fn xml(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response()
}

#[cfg(test)]
#[path = "web_tests.rs"]
mod tests;
