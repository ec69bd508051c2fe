//! Tries are counted one after the other, as far as they have the name or the network in common.

use tokio::sync::SemaphorePermit;

use super::store::{self, Kind, Try};
use crate::{access::limit, clock::Time, server::App, store::Tx};

/// A transaction in which a try is counted and what it counts is all there is. The first part is to be kept as long.
pub(in crate::access) async fn take<'a>(app: &'a App, tried: Try<'_>) -> sqlx::Result<(SemaphorePermit<'a>, Tx)> {
    let turn = app.desk.counting.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, tried).await?;
    Ok((turn, tx))
}

/// Whether a network tried too often, whoever was meant.
pub(super) async fn is_stopped(tx: &mut Tx, network: &str, kind: Kind, now: Time) -> sqlx::Result<bool> {
    let (good, since, most) = match kind {
        Kind::AskCode => (true, limit::CODES_SPAN, limit::CODES_OF_NETWORK),
        Kind::Password | Kind::Code | Kind::Oidc => (false, limit::NETWORK_SPAN, limit::WRONG_OF_NETWORK),
    };
    Ok(store::of_network(tx, network, kind, good, now - since).await? >= most)
}
