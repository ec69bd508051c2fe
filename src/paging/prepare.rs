//! What is done for an attempt that was claimed: decided and written down before anybody does it.
//!
//! A batch of attempts is claimed and prepared in one transaction, which touches no row but theirs (and the record of a
//! heartbeat): it holds their locks, and whoever acts on an incident locks that first and its attempts afterwards. What
//! ends an attempt moves its page and its incident on, so that is settled in a transaction of its own, under the same
//! lease.

use chrono::TimeDelta;

use super::{
    Attempt, Purpose, Stage, answer,
    claimed::{self, Start, Task},
    dispatch::{self, Way},
    receipt,
    send::Sender,
    store,
};
use crate::{
    clock::Time,
    id::CarrierKey,
    people::Channel,
    quarantine::{
        self,
        hold::{Hold, PAGES_HELD},
    },
    store::{Tx, retry::retried},
};

/// What is done for an attempt that was claimed.
#[derive(Debug)]
pub(super) enum Job {
    Send(Vec<CarrierKey>),
    LookUp,
    Overdue,
    HangUp,
    /// It moves its page or its incident on.
    Settle,
}

/// An attempt as it is to be written down.
struct Prepared {
    attempt: Attempt,
    job: Option<Job>,
    /// Goes at once, because this one has to wait.
    text: Option<Box<Attempt>>,
}

impl Sender {
    /// Writes down what is done for one of a batch. An attempt that is to be settled stays as it was claimed.
    pub(super) async fn prepare_in_batch(
        &self,
        tx: &mut Tx,
        claimed: Attempt,
        now: Time,
    ) -> sqlx::Result<(Attempt, Option<Job>)> {
        let before = claimed.outcome;
        let prepared = self.prepare(tx, claimed.clone(), now).await?;
        if prepared.attempt.outcome != before || prepared.text.is_some() {
            return Ok((claimed, Some(Job::Settle)));
        }
        receipt::keep(&self.app, tx, &prepared.attempt, before, now).await?;
        Ok((prepared.attempt, prepared.job))
    }

    /// Does it.
    pub(super) async fn carry_out(&self, attempt: Attempt, job: Job) {
        match job {
            Job::Send(carriers) => self.send(&attempt, &carriers).await,
            Job::LookUp => self.look_up(&attempt).await,
            Job::Overdue => self.overdue(&attempt).await,
            Job::HangUp => self.hang_up(&attempt).await,
            Job::Settle => match retried(|| self.settle(&attempt)).await {
                // It need not end any more: its number is free again, or a receipt came.
                Ok(Some((attempt, job))) => Box::pin(self.carry_out(attempt, job)).await,
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(attempt = %attempt.id, %error, "cannot write down what became of an attempt");
                }
            },
        }
    }

    /// Looks at it again, its incident and then itself locked, and lets its page go on.
    async fn settle(&self, claimed: &Attempt) -> sqlx::Result<Option<(Attempt, Job)>> {
        let now = self.app.clock.now();
        let mut tx = self.app.db.begin().await?;
        let current = store::load_in_order(&mut tx, &claimed.id).await?;
        let Some(current) = current.filter(|current| answer::held(claimed, current)) else {
            tracing::warn!(attempt = %claimed.id, "the lease of an attempt was lost; whoever has it looks it up");
            return Ok(None);
        };
        let before = current.outcome;
        let Prepared { attempt, job, text } = self.prepare(&mut tx, current, now).await?;
        if let Some(text) = text {
            tracing::info!(attempt = %attempt.id, "a text goes at once, because its call has to wait");
            store::insert(&mut tx, &text).await?;
        }
        receipt::keep(&self.app, &mut tx, &attempt, before, now).await?;
        tx.commit().await?;
        self.app.bell.ring();
        Ok(job.map(|job| (attempt, job)))
    }

    /// What to do for an attempt that is due; the row says so before anybody does.
    async fn prepare(&self, tx: &mut Tx, mut attempt: Attempt, now: Time) -> sqlx::Result<Prepared> {
        let held =
            matches!(attempt.stage, Stage::Waiting | Stage::Sending) && self.is_held(tx, &mut attempt, now).await?;
        // Not asked of one that is held: it would say that it is too old.
        let task = if held { Task::Nothing } else { claimed::task(&mut attempt, now) };
        let (job, text) = match task {
            Task::Nothing => (None, None),
            Task::Send => self.first_send(tx, &mut attempt, now).await?,
            Task::LookUp => (Some(Job::LookUp), None),
            Task::Overdue => (Some(Job::Overdue), None),
            Task::HangUp => (Some(Job::HangUp), None),
        };
        if job.is_none() {
            attempt.leased_by = None;
        }
        Ok(Prepared { attempt, job, text })
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

    /// Whether it may go now, and by whom; and a text that goes instead, at once.
    async fn first_send(
        &self,
        tx: &mut Tx,
        attempt: &mut Attempt,
        now: Time,
    ) -> sqlx::Result<(Option<Job>, Option<Box<Attempt>>)> {
        if attempt.channel == Channel::Sms && store::refuses_texts(tx, &attempt.address).await? {
            claimed::refused_texts(attempt, now);
            return Ok((None, None));
        }
        let beats = attempt.purpose == Purpose::Heartbeat;
        let way = match attempt.purpose {
            // A heartbeat goes to the same number every minute, and keeps nobody from sleeping. What people ask for
            // themselves has limits of its own.
            Purpose::Heartbeat | Purpose::Code | Purpose::Callback => Way::Planned,
            Purpose::Page | Purpose::Notice | Purpose::Customer => self.way(tx, attempt, now).await?,
        };
        let person = attempt.person.as_ref().and_then(|key| self.app.config.load().people.get(key).cloned());
        let zone = person.map_or_else(crate::sla::Zone::utc, |person| person.zone);
        let carriers = self.carriers(attempt, now);
        match claimed::start(attempt, way, &carriers, &zone, now) {
            Start::Ask => {
                if !beats {
                    self.asked(&carriers[0], now);
                }
                Ok((Some(Job::Send(carriers)), None))
            }
            Start::Throttled { until, text } => {
                tracing::info!(attempt = %attempt.id, %until, "throttled");
                Ok((None, text))
            }
            Start::NoCarrier => {
                let channel = attempt.channel.as_str();
                tracing::error!(channel, "no carrier can do this; see [carriers] in the settings");
                Ok((None, None))
            }
        }
    }

    async fn way(&self, tx: &mut Tx, attempt: &Attempt, now: Time) -> sqlx::Result<Way> {
        let config = self.app.config.load_full();
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
}
