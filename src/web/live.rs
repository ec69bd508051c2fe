//! `/live`: tells the pages of one visitor that something changed, so that they ask for themselves anew.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, Sse},
};
use futures::{Stream, stream};
use tokio::time::Instant;

use super::Trouble;
use crate::{
    access::{Role, session::Visitor},
    api::{Problem, changes},
    incident::changes::Listening,
    server::App,
};

/// Between two signs of life. A page that hears none for some of them says that it is not live.
const PULSE: Duration = Duration::from_secs(5);

/// After so long a page has to come again, with a session that still holds.
const LONGEST: Duration = Duration::from_secs(15 * 60);

struct Following {
    listening: Listening,
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
    let mut listening = app.changes.listen().map_err(|_| Problem::unavailable())?;
    if let Some(last) = changes::last_heard(&headers) {
        // A page that comes for the first time was made a moment ago: it needs nothing of before.
        listening.catch_up(&app, Some(last)).await?;
    }
    let following = Following { listening, app, until: Instant::now() + LONGEST, ended: false };
    let first = stream::iter([Ok(Event::default().retry(Duration::from_millis(500)).event("alive").data(""))]);
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
        let change = if Instant::now() < self.until {
            tokio::time::timeout(PULSE, self.listening.next()).await
        } else {
            Ok(None)
        };
        Some(match change {
            Ok(Some(change)) => changes::event(&change),
            Ok(None) => {
                self.ended = true;
                Event::default().event("end").data("")
            }
            Err(_) => Event::default().event("alive").data(self.app.clock.now().to_rfc3339()),
        })
    }
}
