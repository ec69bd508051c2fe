//! What every door shares: a bounded number of requests at once, a bounded body, the intake log, the answer.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension, Router,
    body::Body,
    extract::{ConnectInfo, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use futures::StreamExt;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{
    Received,
    accept::accept,
    alertmanager, events_v1, events_v2,
    examine::{examine, owner_by_url},
    generic,
    json::line,
    received::{HEADERS, STRAY_BYTES, kept_body, masked},
    sender::{Answer, MAX_BODY, Refused, Reply, Sender},
    signature::Signed,
    store,
};
use crate::{
    clock::Time,
    id::{self, IntegrationKey},
    incident::door::DoorError,
    server::App,
    watch,
};

/// How many requests are read and decided at once: it bounds the memory bodies take.
const IN_FLIGHT: usize = 256;
/// How long a request waits for its turn before the sender is asked to come again.
const TURN: Duration = Duration::from_secs(2);
/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);
/// Of a body that is too large, how much is still read, so that the sender gets to see the answer.
const DRAINED: usize = 4 * MAX_BODY;
/// How many payloads of strangers are written down in one minute; the others are only counted.
const STRAYS_A_MINUTE: u32 = 20;

/// The doors for webhooks.
pub fn routes() -> Router<App> {
    let gate = Arc::new(Gate::new(IN_FLIGHT, TURN));
    Router::new()
        .route("/v2/enqueue", at(&events_v2::EVENTS))
        .route("/v2/change/enqueue", at(&events_v2::CHANGES))
        .route("/generic/2010-04-15/create_event.json", at(&events_v1::EVENTS))
        .route("/intake/alertmanager/{key}", at_key(&alertmanager::SENDER))
        .route("/intake/generic/{key}", at_key(&generic::SENDER))
        .route(
            watch::door::PATH,
            post(async |State(app): State<App>, Extension(gate): Extension<Arc<Gate>>, request: Request| {
                beat(&app, &gate, request).await
            }),
        )
        .layer(Extension(gate))
}

/// Takes a heartbeat of our own: it waits for its turn and for its body as every payload does.
async fn beat(app: &App, gate: &Gate, request: Request) -> StatusCode {
    let Some(_turn) = gate.enter().await else { return StatusCode::SERVICE_UNAVAILABLE };
    let (parts, body) = request.into_parts();
    let arrival = read_body(body).await;
    watch::door::receive(app, &parts.headers, &arrival.bytes).await
}

fn at(sender: &'static Sender) -> axum::routing::MethodRouter<App> {
    post(async move |State(app): State<App>, Extension(gate): Extension<Arc<Gate>>, request: Request| {
        receive(&app, &gate, sender, None, request).await
    })
}

fn at_key(sender: &'static Sender) -> axum::routing::MethodRouter<App> {
    post(
        async move |State(app): State<App>,
                    Extension(gate): Extension<Arc<Gate>>,
                    Path(key): Path<String>,
                    request: Request| { receive(&app, &gate, sender, Some(&key), request).await },
    )
}

/// How many come in at once, and how many strangers are written down.
#[derive(Debug)]
pub struct Gate {
    turns: Semaphore,
    wait: Duration,
    strays: Mutex<(i64, u32)>,
}

impl Gate {
    /// For so many at once, the others waiting so long.
    pub fn new(in_flight: usize, wait: Duration) -> Gate {
        Gate { turns: Semaphore::new(in_flight), wait, strays: Mutex::new((0, 0)) }
    }

    async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        timeout(self.wait, self.turns.acquire()).await.ok()?.ok()
    }

    /// Whether one more payload of a stranger may be written down in this minute.
    fn may_keep_stray(&self, now: Time) -> bool {
        let minute = now.timestamp().div_euclid(60);
        let mut strays = self.strays.lock().unwrap_or_else(PoisonError::into_inner);
        if strays.0 != minute {
            *strays = (minute, 0);
        }
        strays.1 = strays.1.saturating_add(1);
        strays.1 <= STRAYS_A_MINUTE
    }
}

/// Takes one request, whatever it holds. A 2xx is answered only after the commit.
pub async fn receive(
    app: &App,
    gate: &Gate,
    sender: &'static Sender,
    url_key: Option<&str>,
    request: Request,
) -> Response {
    let Some(_turn) = gate.enter().await else {
        return respond(sender, &Reply::Refused(Refused::Overloaded), "overloaded");
    };
    let (parts, body) = request.into_parts();
    let remote = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_string());
    let arrival = read_body(body).await;
    let now = app.clock.now();
    let config = app.config.load_full();
    let received = |integration: Option<&IntegrationKey>, bytes: usize| Received {
        id: id::fresh("int").into(),
        received_at: now,
        door: sender.door.into(),
        integration: integration.cloned(),
        remote: remote.clone(),
        headers: kept_headers(&parts.headers, parts.uri.path(), url_key),
        body: kept_body(&arrival.bytes, bytes),
        status: 0,
        verdict: String::new(),
        incident_ids: Vec::new(),
    };

    let (owner, refused) = match arrival.end {
        End::Whole => match examine(sender, &config, url_key, signed(&parts.headers), &arrival.bytes, now) {
            Ok(examined) => {
                let integration = examined.integration;
                let status = (sender.answer)(&Reply::Accepted(Vec::new())).status;
                let received = Received { status, ..received(Some(&integration.key), MAX_BODY) };
                let webhook_id = examined.webhook_id.as_deref();
                return match accept(app, &config, integration, examined.signals, webhook_id, received).await {
                    Ok(accepted) => {
                        let label = if accepted.replayed { "replayed" } else { "accepted" };
                        respond(sender, &Reply::Accepted(accepted.outcomes), label)
                    }
                    Err(error) => {
                        report_failure(sender, &integration.key, &error);
                        respond(sender, &Reply::Refused(Refused::Unavailable), "unavailable")
                    }
                };
            }
            Err(rejected) => (rejected.integration, rejected.why),
        },
        End::TooLarge => (owner_by_url(sender, &config, url_key), Refused::TooLarge),
        End::Broken => (owner_by_url(sender, &config, url_key), Refused::Incomplete),
    };

    let reply = Reply::Refused(refused);
    let Reply::Refused(refused) = &reply else { unreachable!("made above") };
    let bytes = if owner.is_none() || *refused == Refused::TooLarge { STRAY_BYTES } else { MAX_BODY };
    let row = Received {
        status: (sender.answer)(&reply).status,
        verdict: line(&format!("refused: {refused}"), 1000),
        ..received(owner.map(|owner| &owner.key), bytes)
    };
    keep_refused(app, gate, row).await;
    respond(sender, &reply, refused.label())
}

/// Writes down what was refused. If that fails, the refusal stands: the sender loses nothing by it.
async fn keep_refused(app: &App, gate: &Gate, row: Received) {
    let stray = row.integration.is_none();
    if stray && !gate.may_keep_stray(row.received_at) {
        metrics::counter!("ringdown_intake_strays_not_kept_total").increment(1);
        return;
    }
    let kept = async {
        let mut tx = app.db.begin().await?;
        if stray {
            store::keep_stray(&mut tx, &row).await?;
        } else {
            store::keep(&mut tx, &row).await?;
        }
        tx.commit().await
    };
    if let Err(error) = kept.await {
        tracing::warn!(door = row.door, %error, "a refused payload could not be kept");
    }
}

fn report_failure(sender: &Sender, integration: &IntegrationKey, error: &DoorError) {
    tracing::error!(door = sender.door, %integration, %error, "a payload could not be recorded; the sender is asked to send it again");
}

fn respond(sender: &Sender, reply: &Reply, verdict: &'static str) -> Response {
    metrics::counter!("ringdown_intake_total", "door" => sender.door, "verdict" => verdict).increment(1);
    (sender.answer)(reply).into_response()
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = if self.problem { "application/problem+json" } else { "application/json" };
        let mut response = (status, [(header::CONTENT_TYPE, kind)], self.body.to_string()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A body, as far as it was read.
struct Arrival {
    bytes: Vec<u8>,
    end: End,
}

enum End {
    Whole,
    TooLarge,
    /// The connection broke, or it took too long.
    Broken,
}

async fn read_body(body: Body) -> Arrival {
    let mut bytes = Vec::new();
    let mut length = 0usize;
    let all = async {
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let Ok(chunk) = chunk else { return End::Broken };
            length = length.saturating_add(chunk.len());
            if length > MAX_BODY {
                bytes.extend_from_slice(&chunk[..chunk.len().min(STRAY_BYTES)]);
                bytes.truncate(STRAY_BYTES);
                if length > DRAINED {
                    break;
                }
            } else {
                bytes.extend_from_slice(&chunk);
            }
        }
        End::Whole
    };
    let end = timeout(ARRIVAL, all).await.unwrap_or(End::Broken);
    // Once it is too large, it does not matter how it ended.
    let end = if length > MAX_BODY { End::TooLarge } else { end };
    Arrival { bytes, end }
}

fn signed(headers: &HeaderMap) -> Signed<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Signed { id: text("webhook-id"), timestamp: text("webhook-timestamp"), signature: text("webhook-signature") }
}

fn kept_headers(headers: &HeaderMap, path: &str, url_key: Option<&str>) -> BTreeMap<String, String> {
    let mut kept: BTreeMap<String, String> = HEADERS
        .iter()
        .filter_map(|name| {
            let value = String::from_utf8_lossy(headers.get(*name)?.as_bytes()).into_owned();
            Some((name.to_string(), line(&value, 200)))
        })
        .collect();
    // The key is the last part of the path; as it stands there it may be percent-encoded.
    let path = match (url_key, path.rsplit_once('/')) {
        (Some(key), Some((before, _))) => format!("{before}/{}", masked(key)),
        _ => path.to_owned(),
    };
    kept.insert("path".into(), line(&path, 200));
    kept
}

#[cfg(test)]
mod tests;
