//! What our people write back.

use crate::{
    carrier::{InboundSms, Unavailable},
    server::App,
};

/// Somebody wrote to one of our numbers. `Some`: what to answer; unknown numbers are never answered.
pub async fn receive(app: &App, sms: InboundSms) -> Result<Option<String>, Unavailable> {
    let _ = (app, sms);
    todo!()
}
