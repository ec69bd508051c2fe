//! `/api/v1/changes`: what changes, live, as server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use chrono::DateTime;
use futures::{Stream, StreamExt, stream};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Problem,
    request::{Nothing, Params},
};
use crate::{
    access::{Allowed, least},
    clock::Time,
    incident::changes::{Change, Listening},
    server::App,
};

/// Between two signs of life.
const SILENCE: Duration = Duration::from_secs(15);

/// After so long a listener has to come again, with a token that still holds.
const LONGEST: Duration = Duration::from_secs(3600);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(changes))
}

/// What changes, live
///
/// Server-sent events, the same on every node. Each `incident` event says that an incident has events up to `seq`; look
/// at it to see which. A new listener is told of every open incident first. One that comes back with `Last-Event-ID`
/// is told of what changed since, a little more than that rather than less: an `id` and `seq` seen before are no news.
#[utoipa::path(get, path = "/changes", tag = "incidents",
    params(("Last-Event-ID" = Option<String>, Header, description = "the `id` of the last event that was heard")),
    responses((status = 200, content_type = "text/event-stream", body = Change), (status = "4XX", body = Problem)))]
async fn changes(
    Allowed { .. }: Allowed<least::Viewer>,
    State(app): State<App>,
    Params(Nothing {}): Params<Nothing>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let mut listening = app.changes.listen().map_err(|_| Problem {
        detail: "Too many follow on this node, or it is about to end. Ask again.".into(),
        ..Problem::unavailable()
    })?;
    listening.catch_up(&app, last_heard(&headers)).await?;
    let events = stream::unfold(listening, async |mut listening: Listening| {
        let change = listening.next().await?;
        Some((Ok(event(&change)), listening))
    });
    let events = events.take_until(tokio::time::sleep(LONGEST));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SILENCE)))
}

/// The instant that `Last-Event-ID` names.
pub fn last_heard(headers: &HeaderMap) -> Option<Time> {
    headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(instant)
}

/// A change as an event of the stream.
pub fn event(change: &Change) -> Event {
    let event = Event::default().event("incident").id(change.at.timestamp_micros().to_string());
    // Ids, numbers and instants: it always can be written.
    event.json_data(change).unwrap_or_default()
}

fn instant(id: &str) -> Option<Time> {
    DateTime::from_timestamp_micros(id.parse().ok()?)
}
