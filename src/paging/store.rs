//! The page outbox in the database.

use crate::{
    clock::Time,
    config::Config,
    incident::{Effect, Incident},
    store::Tx,
};

/// Writes down what `decide` wants done, in the transaction of its events: attempts to make, attempts to cancel.
pub async fn carry_out(
    tx: &mut Tx,
    incident: &Incident,
    effects: &[Effect],
    config: &Config,
    now: Time,
) -> sqlx::Result<()> {
    let _ = (tx, incident, effects, config, now);
    todo!()
}
