//! The hotline as a conversation.

use crate::{
    carrier::{Document, Receipt, Recording, Turn, Unavailable},
    server::App,
};

/// What to say next on an inbound call.
pub async fn turn(app: &App, turn: Turn) -> Result<Document, Unavailable> {
    let _ = (app, turn);
    todo!()
}

/// An inbound call ended, at whatever step.
pub async fn call_ended(app: &App, receipt: Receipt) -> Result<(), Unavailable> {
    let _ = (app, receipt);
    todo!()
}

/// What the caller said became available.
pub async fn recording(app: &App, recording: Recording) -> Result<(), Unavailable> {
    let _ = (app, recording);
    todo!()
}
