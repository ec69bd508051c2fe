//! A page's call: what is said, and what the keys mean.

use crate::{
    carrier::{Document, Turn, Unavailable},
    server::App,
};

/// What to say next on a page's call.
pub async fn turn(app: &App, turn: Turn) -> Result<Document, Unavailable> {
    let _ = (app, turn);
    todo!()
}
