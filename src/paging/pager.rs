//! The loop that takes attempts from the outbox to the carriers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Attempt, Purpose, Stage,
    claimed::{self, Start, Task},
    dispatch::{self, Hands, Way},
    receipt,
    send::Sender,
    store,
};
use crate::{
    clock::Time,
    id::{AttemptId, CarrierKey},
    people::Channel,
    quarantine::{
        self,
        hold::{Hold, PAGES_HELD},
    },
    server::{App, bell},
    sla::Priority,
    store::{Tx, retry::retried},
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

/// What is done for an attempt that was claimed.
#[derive(Debug)]
enum Job {
    Send(Vec<CarrierKey>),
    LookUp,
    Overdue,
    HangUp,
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
            jobs.push(self.prepare(&mut tx, attempt, now).await?);
        }
        tx.commit().await?;
        Ok(jobs)
    }

    /// What to do for an attempt that is due; the row says so before anybody does.
    async fn prepare(&self, tx: &mut Tx, row: Attempt, now: Time) -> sqlx::Result<(Attempt, Option<Job>)> {
        // Ending one of this batch may have changed another.
        let Some(mut attempt) = store::load(tx, &row.id).await? else { return Ok((row, None)) };
        let before = attempt.outcome;
        let held =
            matches!(attempt.stage, Stage::Waiting | Stage::Sending) && self.is_held(tx, &mut attempt, now).await?;
        // Not asked of one that is held: it would say that it is too old.
        let task = if held { Task::Nothing } else { claimed::task(&mut attempt, now) };
        let job = match task {
            Task::Nothing => None,
            Task::Send => self.first_send(tx, &mut attempt, now).await?,
            Task::LookUp => Some(Job::LookUp),
            Task::Overdue => Some(Job::Overdue),
            Task::HangUp => Some(Job::HangUp),
        };
        if job.is_none() {
            attempt.leased_by = None;
        }
        receipt::keep(&self.sender.app, tx, &attempt, before, now).await?;
        Ok((attempt, job))
    }

    /// Whether a restore from a backup holds it back. A held one does not grow too old.
    async fn is_held(&self, tx: &mut Tx, attempt: &mut Attempt, now: Time) -> sqlx::Result<bool> {
        if attempt.cancelled {
            return Ok(false);
        }
        let page = attempt.purpose == Purpose::Page;
        attempt.wake_at = match quarantine::hold(tx, attempt.incident.as_ref(), page, attempt.created_at, now).await? {
            Hold::Send => return Ok(false),
            Hold::Until(at) => Some(at),
            Hold::ForPerson => None,
        };
        attempt.reason = Some(quarantine::REASON.into());
        quarantine::store::extend(tx, attempt.id.as_str(), now + PAGES_HELD * 2).await?;
        Ok(true)
    }

    /// Whether it may go now, and by whom.
    async fn first_send(&self, tx: &mut Tx, attempt: &mut Attempt, now: Time) -> sqlx::Result<Option<Job>> {
        if attempt.channel == Channel::Sms && store::refuses_texts(tx, &attempt.address).await? {
            claimed::refused_texts(attempt, now);
            return Ok(None);
        }
        // A heartbeat goes to the same number every minute, and keeps nobody from sleeping; codes have limits of their own.
        let beats = attempt.purpose == Purpose::Heartbeat;
        let way =
            if beats || attempt.purpose == Purpose::Code { Way::Planned } else { self.way(tx, attempt, now).await? };
        let person = attempt.person.as_ref().and_then(|key| self.sender.app.config.load().people.get(key).cloned());
        let zone = person.map_or_else(crate::sla::Zone::utc, |person| person.zone);
        let carriers = self.sender.carriers(attempt, now);
        match claimed::start(attempt, way, &carriers, &zone, now) {
            Start::Ask => {
                if !beats {
                    self.sender.asked(&carriers[0], now);
                }
                return Ok(Some(Job::Send(carriers)));
            }
            Start::Throttled { until, text } => {
                if let Some(text) = text {
                    store::insert(tx, &text).await?;
                }
                tracing::info!(attempt = %attempt.id, %until, "throttled");
            }
            Start::NoCarrier => tracing::error!(
                channel = attempt.channel.as_str(),
                "no carrier can do this; see [carriers] in the settings"
            ),
        }
        Ok(None)
    }

    async fn way(&self, tx: &mut Tx, attempt: &Attempt, now: Time) -> sqlx::Result<Way> {
        let config = self.sender.app.config.load_full();
        let limits = &config.carriers.limits;
        let since = now - TimeDelta::hours(1);
        let recent = store::recent(tx, &attempt.address, attempt.channel, since, &attempt.id).await?;
        let free = limits.free_at(attempt.channel, &recent, now);
        if free <= now {
            return Ok(Way::Planned);
        }
        let page = match &attempt.page {
            Some(page) => store::of_page(tx, page).await?,
            None => Vec::new(),
        };
        let mut others = Vec::new();
        let person = attempt.person.as_ref().and_then(|key| config.people.get(key));
        let lines = person.map(|person| dispatch::other_lines(attempt, person, &page)).unwrap_or_default();
        for (channel, address) in lines {
            let recent = store::recent(tx, &address, channel, since, &attempt.id).await?;
            let free = limits.free_at(channel, &recent, now);
            others.push((channel, address, free));
        }
        let texted = dispatch::texted(&page, now);
        Ok(dispatch::way(attempt, free, &others, texted, now))
    }

    fn start(&self, attempt: Attempt, job: Job) {
        self.in_hand.lock().expect("in hand").insert(attempt.id.clone(), attempt.priority);
        let place = InHand { id: attempt.id.clone(), all: self.in_hand.clone(), done: self.done.clone() };
        let sender = self.sender.clone();
        self.tasks.spawn(async move {
            let _place = place;
            match job {
                Job::Send(carriers) => sender.send(&attempt, &carriers).await,
                Job::LookUp => sender.look_up(&attempt).await,
                Job::Overdue => sender.overdue(&attempt).await,
                Job::HangUp => sender.hang_up(&attempt).await,
            }
        });
    }
}
