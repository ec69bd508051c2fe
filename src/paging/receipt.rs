//! What became of an attempt.

use crate::{
    carrier::{Receipt, Unavailable},
    server::App,
};

/// Keeps the receipt and merges it up the lattice; an attempt that ended moves its page on.
pub async fn record(app: &App, receipt: Receipt) -> Result<(), Unavailable> {
    let _ = (app, receipt);
    todo!()
}
