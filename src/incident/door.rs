//! The one door into an incident: lock, decide, append, save, set the timer, insert the attempts, commit, ring the bell.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{command::Command, decide::Refusal, state::Incident};
use crate::{
    clock::Clock,
    config::Config,
    id::IncidentId,
    server::bell::Bell,
    store::{Db, Tx},
};

/// The one way into an incident. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    pub db: Db,
    pub clock: Clock,
    pub bell: Bell,
    pub config: Arc<ArcSwap<Config>>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the database does not take it: {0}")]
    Database(#[from] sqlx::Error),
}

impl Door {
    /// Carries out one command in a transaction of its own. When it returns, the result is durable and the bell has
    /// been rung.
    pub async fn execute(&self, id: &IncidentId, command: Command) -> Result<Incident, DoorError> {
        let _ = (id, command);
        todo!()
    }

    /// Carries out one command inside a transaction of the caller's, who commits and then rings the bell.
    /// Errors leave the transaction as it was only for [`DoorError::Refused`].
    pub async fn execute_in(&self, tx: &mut Tx, id: &IncidentId, command: Command) -> Result<Incident, DoorError> {
        let _ = (tx, id, command);
        todo!()
    }

    /// A reference (four digits, not beginning with 0) that no open incident has, and none of the last 48 hours.
    pub async fn free_reference(&self, tx: &mut Tx) -> sqlx::Result<String> {
        let _ = tx;
        todo!()
    }
}
