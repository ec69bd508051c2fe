//! The loop that takes attempts from the outbox to the carriers.

use crate::server::App;
use tokio_util::sync::CancellationToken;

/// Until `stop`: claims what is due, P1 first, asks the carriers outside of any transaction, records the outcome.
pub async fn run(app: App, stop: CancellationToken) {
    let _ = (app, stop);
    todo!()
}
