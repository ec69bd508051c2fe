//! The bell between nodes: what one commits, the others hear of within milliseconds. Whatever is not heard is found by
//! looking, by the second.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{server::App, store::wire};

/// Between two rings of one node; what happens meanwhile is one ring.
const QUIET: Duration = Duration::from_millis(10);

/// A line on which nothing was said for so long may be dead: it is opened anew.
const SILENCE: Duration = Duration::from_secs(90);

/// Before it is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Something may be due.
    Work,
    /// There is another revision of the configuration.
    Revision,
}

impl Topic {
    fn word(self) -> &'static str {
        match self {
            Topic::Work => "work",
            Topic::Revision => "revision",
        }
    }
}

/// Whether this node rings others, and listens.
pub fn is_in_use(app: &App) -> bool {
    app.settings.notify && !app.db.is_ours_alone()
}

/// Tells the others. That it cannot be told is no news for anybody: they look.
pub async fn tell(app: &App, topic: Topic) {
    if !is_in_use(app) {
        return;
    }
    let words = format!("{} {}", app.node.id(), topic.word());
    match tokio::time::timeout(PAUSE, wire::tell(&app.db, &words)).await {
        Ok(Ok(())) => metrics::counter!("ringdown_bells_rung_total").increment(1),
        Ok(Err(error)) => tracing::debug!(%error, "the other nodes cannot be rung"),
        Err(_) => tracing::debug!("the other nodes cannot be rung in time"),
    }
}

/// Until `stop`: rings the others when this node's bell was rung, at most every few milliseconds.
pub async fn ring(app: App, stop: CancellationToken) {
    while stop.run_until_cancelled(app.bell.others()).await.is_some() {
        tell(&app, Topic::Work).await;
        tokio::time::sleep(QUIET).await;
    }
}

/// Until `stop`: rings this node's bell when another one rings.
pub async fn listen(app: App, stop: CancellationToken) {
    while stop.run_until_cancelled(listen_once(&app)).await.is_some() {
        stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
    }
}

/// Listens until the line is broken, or silent for too long.
async fn listen_once(app: &App) {
    let mut listener = match wire::Listener::open(&app.db).await {
        Ok(Some(listener)) => listener,
        Ok(None) => return std::future::pending().await,
        Err(error) => return tracing::debug!(%error, "the other nodes cannot be heard"),
    };
    loop {
        // Whatever was said before it listened.
        app.bell.ring_here();
        app.bell.ring_revision();
        loop {
            match tokio::time::timeout(SILENCE, listener.heard()).await {
                Ok(Ok(Some(words))) => hear(app, &words),
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return tracing::debug!(%error, "the other nodes are not heard any more"),
                Err(_) => return,
            }
        }
    }
}

fn hear(app: &App, words: &str) {
    let Some((node, topic)) = words.split_once(' ').filter(|(node, _)| *node != app.node.id()) else { return };
    tracing::trace!(node, topic, "rung by another node");
    match topic {
        "revision" => app.bell.ring_revision(),
        // Of a later version, perhaps: better to look once too often.
        _ => app.bell.ring_here(),
    }
}
