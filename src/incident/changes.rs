//! What changes, told live on every node: which incident, and up to which of its events.
//!
//! There is no order of all events of all nodes: who commits later may carry the earlier instant. So whoever asks "since
//! when" is told a little more than that, some of it twice, and nothing is missed: an incident and a number of an
//! event are the same news however often they are told.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::store;
use crate::{
    clock::Time,
    id::IncidentId,
    server::{App, bell},
};

/// How much later than others a change may be seen that says it came before them: longer than any transaction may take,
/// and clocks that share a database may differ.
pub const OVERLAP: TimeDelta = TimeDelta::seconds(60);

/// Between two looks: what changes meanwhile is read at once, so that a storm does not have each of its commits read all
/// of it anew.
const QUIET: Duration = Duration::from_millis(50);

/// What most looks go back; a look for what came late by more goes back the whole [`OVERLAP`].
const RECENT: TimeDelta = TimeDelta::seconds(3);

/// How often it is looked for what came late.
const LATE: Duration = Duration::from_secs(5);

/// How far back anybody is told. Who was away for longer looks at what is open.
pub const MEMORY: TimeDelta = TimeDelta::hours(24);

/// How many changes a slow listener may be behind before it has to begin anew.
const BEHIND: usize = 4096;

/// At most so many listeners on a node.
const LISTENERS: usize = 1000;

/// An incident has events up to this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// `inc_…`
    #[schema(value_type = String)]
    pub id: IncidentId,
    pub reference: String,
    pub open: bool,
    /// The number of its last event.
    pub seq: i64,
    pub at: DateTime<Utc>,
}

/// Where changes are told to whoever listens on this node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Changes {
    told: broadcast::Sender<Option<Change>>,
    ended: Arc<AtomicBool>,
}

impl Default for Changes {
    fn default() -> Self {
        Changes { told: broadcast::channel(BEHIND).0, ended: Arc::default() }
    }
}

/// Too many listen already, or the process is about to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Changes {
    /// Whatever changes from now on.
    pub fn listen(&self) -> Result<Listening, Full> {
        let listening = Listening { first: VecDeque::new(), told: BTreeMap::new(), rest: self.told.subscribe() };
        // Looked at after the subscription: either this sees that it is over, or the subscription hears it.
        if self.ended.load(Ordering::SeqCst) || self.told.receiver_count() > LISTENERS {
            return Err(Full);
        }
        Ok(listening)
    }

    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = self.told.send(None);
    }
}

/// One who listens.
#[derive(Debug)]
pub struct Listening {
    first: VecDeque<Change>,
    /// What of that was told, by the numbers of the events.
    told: BTreeMap<IncidentId, i64>,
    rest: broadcast::Receiver<Option<Change>>,
}

impl Listening {
    /// Puts what was there before in front: everything since `since`, or whatever is open.
    pub async fn catch_up(&mut self, app: &App, since: Option<Time>) -> sqlx::Result<()> {
        let now = app.clock.now();
        let since = since.filter(|since| now - *since < MEMORY);
        let mut tx = app.db.read().await?;
        self.first = match since {
            Some(since) => store::changed_since(&mut tx, since - OVERLAP).await?.into(),
            None => store::open_changes(&mut tx).await?.into(),
        };
        Ok(())
    }

    /// The next change. `None`: the process ends, or this listener was too slow; whoever wants more asks anew.
    pub async fn next(&mut self) -> Option<Change> {
        if let Some(change) = self.first.pop_front() {
            self.told.insert(change.id.clone(), change.seq);
            return Some(change);
        }
        loop {
            // What it heard while it caught up it may know already.
            let change = self.rest.recv().await.ok().flatten()?;
            if self.told.get(&change.id).is_none_or(|seq| *seq < change.seq) {
                self.told.remove(&change.id);
                return Some(change);
            }
        }
    }
}

/// Until `stop`: looks for changes of all nodes while anybody listens, and tells each once.
pub async fn run(app: App, stop: CancellationToken) {
    let mut told: BTreeMap<IncidentId, (Time, i64)> = BTreeMap::new();
    let mut looked: Option<Looked> = None;
    while !stop.is_cancelled() {
        if app.changes.told.receiver_count() == 0 {
            (told, looked) = (BTreeMap::new(), None);
        } else {
            let look = Looked::next(looked, app.clock.now());
            match tell(&app, &mut told, look.since).await {
                Ok(()) => {
                    told.retain(|_, (at, _)| *at > look.whole_at - OVERLAP);
                    looked = Some(look);
                }
                Err(error) => tracing::warn!(%error, "what changed cannot be read; trying again"),
            }
            stop.run_until_cancelled(tokio::time::sleep(QUIET)).await;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.bell.changes() => {}
            () = bell::poll() => {}
        }
    }
    app.changes.end();
}

/// A look for changes.
#[derive(Clone, Copy, Debug)]
struct Looked {
    /// What changed after this was looked for.
    since: Time,
    at: Time,
    /// The last look that went back the whole [`OVERLAP`].
    whole_at: Time,
    whole: Instant,
}

impl Looked {
    /// The look after `last`, now: it leaves out nothing that came since that one, however long ago it was.
    fn next(last: Option<Looked>, now: Time) -> Looked {
        match last {
            Some(last) if last.whole.elapsed() < LATE => Looked { since: last.at.min(now) - RECENT, at: now, ..last },
            last => {
                let before = last.map_or(now, |last| last.whole_at.min(now));
                Looked { since: before - OVERLAP, at: now, whole_at: now, whole: Instant::now() }
            }
        }
    }
}

async fn tell(app: &App, told: &mut BTreeMap<IncidentId, (Time, i64)>, since: Time) -> sqlx::Result<()> {
    let mut tx = app.db.read().await?;
    let changes = store::changed_since(&mut tx, since).await?;
    drop(tx);
    for change in changes {
        if told.get(&change.id).is_none_or(|(_, seq)| *seq < change.seq) {
            told.insert(change.id.clone(), (change.at, change.seq));
            // That nobody listens any more is no error.
            let _ = app.changes.told.send(Some(change));
        }
    }
    Ok(())
}
