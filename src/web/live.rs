//! `/live` and `/handsets/live`: tell the pages of one visitor that something changed, so that they ask for themselves
//! anew.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, Sse},
};
use futures::{Stream, stream};
use tokio::{sync::watch, time::Instant};

use super::Trouble;
use crate::{
    access::{Role, session::Visitor},
    api::{Problem, changes},
    carrier::handsets::owner,
    incident::changes::Listening,
    server::App,
};

/// Between two signs of life. A page that hears none for some of them says that it is not live.
const PULSE: Duration = Duration::from_secs(5);

/// After so long a page has to come again, with a session that still holds.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// What is sent with an event that has nothing to say: browsers do not tell a page of one without data.
const NOTHING: &str = "-";

struct Following {
    listening: Listening,
    /// Counts up with every change on the phones, for the page that shows them.
    phones: Option<watch::Receiver<u64>>,
    app: App,
    until: Instant,
    ended: bool,
}

/// Server-sent events: `incident` when one changed, `alive` with the service's time, `end` when the page has to come
/// again. `Last-Event-ID` is honoured as by the API.
pub(super) async fn live(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Trouble> {
    visitor.require(Role::Viewer)?;
    follow(app, &headers, None).await
}

/// The same, and `change` when anything happened on the built-in handsets.
pub(super) async fn handsets(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Trouble> {
    visitor.require(Role::Admin)?;
    let phones = owner::handsets(&app)?.changes();
    follow(app, &headers, Some(phones)).await
}

async fn follow(
    app: App,
    headers: &HeaderMap,
    phones: Option<watch::Receiver<u64>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, Trouble> {
    let mut listening = app.changes.listen().map_err(|_| Problem::unavailable())?;
    if let Some(last) = changes::last_heard(headers) {
        // A page that comes for the first time was made a moment ago: it needs nothing of before.
        listening.catch_up(&app, Some(last)).await?;
    }
    let at = app.clock.now().to_rfc3339();
    let following = Following { listening, phones, app, until: Instant::now() + LONGEST, ended: false };
    let first = stream::iter([Ok(Event::default().retry(Duration::from_millis(500)).event("alive").data(at))]);
    let rest = stream::unfold(following, async |mut following| {
        let event = following.next().await?;
        Some((Ok(event), following))
    });
    Ok(Sse::new(stream::StreamExt::chain(first, rest)))
}

impl Following {
    async fn next(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        if Instant::now() >= self.until {
            return Some(self.end());
        }
        tokio::select! {
            change = self.listening.next() => Some(match change {
                Some(change) => changes::event(&change),
                None => self.end(),
            }),
            () = changed(&mut self.phones) => Some(Event::default().event("change").data(NOTHING)),
            () = tokio::time::sleep(PULSE) => {
                Some(Event::default().event("alive").data(self.app.clock.now().to_rfc3339()))
            }
        }
    }

    fn end(&mut self) -> Event {
        self.ended = true;
        Event::default().event("end").data(NOTHING)
    }
}

/// Until something happened on the phones; never, where there are none to follow.
async fn changed(phones: &mut Option<watch::Receiver<u64>>) {
    let Some(receiver) = phones else { return std::future::pending().await };
    if receiver.changed().await.is_err() {
        *phones = None;
    }
}
