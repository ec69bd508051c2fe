//! The loop that takes attempts from the outbox to the carriers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Attempt, dispatch::Hands, prepare::Job, send::Sender, store};
use crate::{
    clock::Time,
    id::AttemptId,
    server::{App, bell},
    sla::Priority,
    store::retry::retried,
};

/// How many requests to carriers run at once, and how many of them only a P1 may use.
const HANDS: Hands = Hands { all: 64, for_p1: 16 };

/// How long requests that run have to end when the process stops.
const LAST_WORDS: Duration = Duration::from_secs(8);

/// Until `stop`: claims what is due, P1 first, asks the carriers outside of any transaction, records the outcome.
pub async fn run(app: App, stop: CancellationToken) {
    let pager = Pager::new(app);
    while !stop.is_cancelled() {
        let next = match pager.round().await {
            Ok(next) => {
                pager.sender.app.watch.pager.turn();
                next
            }
            Err(error) => {
                tracing::error!(%error, "the pager cannot read its outbox");
                pager.sender.app.watch.pager.failed(pager.sender.app.db.is_ours_alone(), &error);
                None
            }
        };
        let due = async {
            match next {
                Some(at) => pager.sender.app.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = pager.sender.app.bell.pages() => {}
            () = pager.done.notified() => {}
            () = due => {}
            // The guarantee: whatever the bell and the clock do, the outbox is looked at every second.
            () = bell::poll() => {}
        }
    }
    pager.tasks.close();
    if tokio::time::timeout(LAST_WORDS, pager.tasks.wait()).await.is_err() {
        tracing::warn!("some requests to carriers did not end in time; whoever takes them over looks them up");
    }
}

struct Pager {
    sender: Sender,
    in_hand: Arc<Mutex<BTreeMap<AttemptId, Priority>>>,
    done: Arc<Notify>,
    tasks: TaskTracker,
}

/// Frees its place when the task ends, however it ends.
struct InHand {
    id: AttemptId,
    all: Arc<Mutex<BTreeMap<AttemptId, Priority>>>,
    done: Arc<Notify>,
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.all.lock().expect("in hand").remove(&self.id);
        self.done.notify_one();
    }
}

impl Pager {
    fn new(app: App) -> Self {
        Pager { sender: Sender::new(app), in_hand: Arc::default(), done: Arc::default(), tasks: TaskTracker::new() }
    }

    /// Claims and starts whatever is due; gives the next instant at which something will be.
    async fn round(&self) -> sqlx::Result<Option<Time>> {
        loop {
            let (busy, least) = self.busy();
            let mut tx = self.sender.app.db.read().await?;
            let (next, pending) = store::next_wake(&mut tx, &busy).await?;
            drop(tx);
            metrics::gauge!("ringdown_pages_pending").set(pending as f64);
            let now = self.sender.app.clock.now();
            if next.is_none_or(|next| next > now) {
                return Ok(next);
            }
            let (grave, others) = HANDS.free(busy.len(), least);
            let claimed = retried(|| self.claim(&busy, grave, others, now)).await?;
            if claimed.is_empty() {
                // Every hand is full, and the first that is free rings; or another node has what is due.
                return Ok(None);
            }
            for (attempt, job) in claimed {
                if let Some(job) = job {
                    self.start(attempt, job);
                }
            }
            self.sender.app.watch.pager.turn();
        }
    }

    /// What is in hand, and how much of it is no P1.
    fn busy(&self) -> (Vec<AttemptId>, usize) {
        let all = self.in_hand.lock().expect("in hand");
        (all.keys().cloned().collect(), all.values().filter(|priority| **priority > Priority::P1).count())
    }

    async fn claim(
        &self,
        busy: &[AttemptId],
        grave: usize,
        others: usize,
        now: Time,
    ) -> sqlx::Result<Vec<(Attempt, Option<Job>)>> {
        let app = &self.sender.app;
        let mut tx = app.db.begin().await?;
        let claim = |priorities, limit: usize| store::Claim {
            node: app.node.id(),
            priorities,
            limit: limit as i64,
            except: busy,
            lease: app.settings.lease,
        };
        let mut claimed = store::claim(&mut tx, claim((Priority::P1, Priority::P1), grave), now).await?;
        let others = others.min(grave.saturating_sub(claimed.len()));
        claimed.extend(store::claim(&mut tx, claim((Priority::P2, Priority::P6), others), now).await?);
        let mut jobs = Vec::new();
        for attempt in claimed {
            jobs.push(self.sender.prepare_in_batch(&mut tx, attempt, now).await?);
        }
        tx.commit().await?;
        Ok(jobs)
    }

    fn start(&self, attempt: Attempt, job: Job) {
        self.in_hand.lock().expect("in hand").insert(attempt.id.clone(), attempt.priority);
        let place = InHand { id: attempt.id.clone(), all: self.in_hand.clone(), done: self.done.clone() };
        let sender = self.sender.clone();
        self.tasks.spawn(async move {
            let _place = place;
            sender.carry_out(attempt, job).await;
        });
    }
}
