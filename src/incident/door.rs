//! The one door into an incident: lock, decide, append, save, set the timer, insert the attempts, commit, ring the bell.

use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::TimeDelta;

use super::{
    command::Command,
    decide::{Decision, Refusal, World, decide},
    event::Recorded,
    state::Incident,
    store,
};
use crate::{
    access::Links,
    clock::Clock,
    config::Config,
    id::IncidentId,
    mail, oncall, paging,
    server::bell::Bell,
    store::{
        Db, Tx,
        retry::{MayConflict, retried},
    },
};

/// How long a closed incident's reference is left alone: people still say it.
const REFERENCE_REST: TimeDelta = TimeDelta::hours(48);

/// The one way into an incident. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    pub db: Db,
    pub clock: Clock,
    pub bell: Bell,
    pub config: Arc<ArcSwap<Config>>,
    /// What Message-IDs of our mails end in; `None` when no carrier sends mail.
    pub mail_domain: Option<Arc<str>>,
    /// What the links in our texts are made with; `None`: they have none.
    pub links: Option<Links>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the database does not take it: {0}")]
    Database(#[from] sqlx::Error),
}

impl MayConflict for DoorError {
    fn is_conflict(&self) -> bool {
        matches!(self, DoorError::Database(error) if error.is_conflict())
    }
}

impl Door {
    /// Carries out one command in a transaction of its own. When it returns, the result is durable and the bell has
    /// been rung.
    pub async fn execute(&self, id: &IncidentId, command: Command) -> Result<Incident, DoorError> {
        retried(|| async {
            let mut tx = self.db.begin().await?;
            let incident = self.execute_in(&mut tx, id, command.clone()).await?;
            tx.commit().await?;
            self.bell.ring();
            Ok(incident)
        })
        .await
    }

    /// Carries out one command inside a transaction of the caller's, who commits and then rings the bell.
    /// A refusal leaves the transaction as it was; after any other error it must be rolled back.
    pub async fn execute_in(&self, tx: &mut Tx, id: &IncidentId, command: Command) -> Result<Incident, DoorError> {
        let (now, config) = (self.clock.now(), self.config.load_full());
        let before = store::load_for_update(tx, id).await?;
        let overrides = oncall::store::current(tx, now).await?;
        let world = World { config: &config, overrides: &overrides };
        let Decision { events, effects } = decide(before.as_ref(), id, &command, world, now)?;

        let (new, was_closed) = (before.is_none(), before.as_ref().is_some_and(|before| !before.is_open()));
        let first = before.as_ref().map_or(0, |incident| incident.seq) + 1;
        let events: Vec<Recorded> =
            events.into_iter().zip(first..).map(|(event, seq)| Recorded { seq, at: now, event }).collect();
        let mut rest = events.iter();
        let mut incident = match before {
            Some(incident) => incident,
            None => rest.next().and_then(|first| Incident::open(id, first)).ok_or(Refusal::Unknown)?,
        };
        rest.for_each(|event| incident.apply(event));
        if was_closed && incident.is_open() && store::reference_taken(tx, &incident.reference, now, Some(id)).await? {
            // People say the short reference: no two open incidents may answer to it.
            let words =
                format!("another open incident has the reference {} by now; report it anew", incident.reference);
            return Err(Refusal::Invalid(words).into());
        }

        if !events.is_empty() {
            store::save(tx, &incident, &events, new, now).await?;
        } else if matches!(command, Command::TimerFired) {
            // Nothing was due: another node was faster, or a claim pushed the timer away. Put it back.
            store::set_timer(tx, &incident).await?;
        }
        paging::store::carry_out(tx, &incident, &effects, &config, self.links.as_ref(), now).await?;
        mail::store::carry_out(tx, &incident, &effects, &config, self.mail_domain.as_deref(), now).await?;
        Ok(incident)
    }

    /// A reference of four digits, not beginning with 0, that no open incident has and none closed lately had. Five
    /// digits when four are hard to find.
    pub async fn free_reference(&self, tx: &mut Tx) -> sqlx::Result<String> {
        let since = self.clock.now() - REFERENCE_REST;
        for attempt in 0.. {
            let reference: u32 =
                if attempt < 40 { rand::random_range(1000..10_000) } else { rand::random_range(10_000..1_000_000) };
            let reference = reference.to_string();
            if !store::reference_taken(tx, &reference, since, None).await? {
                return Ok(reference);
            }
        }
        unreachable!("the range has no end")
    }
}
