//! The switchboard: what carriers ask, handed to the hotline, the pages and the replies.

use futures::future::BoxFuture;

use super::App;
use crate::{
    carrier::{Document, InboundSms, Receipt, Recording, Switchboard, Turn, Unavailable},
    intake::phone,
    paging,
    store::retry::{MayConflict, retried},
};

/// Our side of every line.
#[derive(Clone)]
pub struct Exchange(pub App);

impl Switchboard for Exchange {
    fn voice(&self, turn: Turn) -> BoxFuture<'_, Result<Document, Unavailable>> {
        Box::pin(async move {
            match turn.path.starts_with("voice/page") {
                true => retried(|| paging::call::turn(&self.0, turn.clone())).await,
                false => retried(|| phone::turn(&self.0, turn.clone())).await,
            }
        })
    }

    fn sms(&self, sms: InboundSms) -> BoxFuture<'_, Result<Option<String>, Unavailable>> {
        Box::pin(async move { retried(|| paging::reply::receive(&self.0, sms.clone())).await })
    }

    fn receipt(&self, receipt: Receipt) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(async move {
            match receipt.attempt {
                Some(_) => retried(|| paging::receipt::record(&self.0, receipt.clone())).await,
                None => retried(|| phone::call_ended(&self.0, receipt.clone())).await,
            }
        })
    }

    fn recording(&self, recording: Recording) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(async move { retried(|| phone::recording(&self.0, recording.clone())).await })
    }
}

impl From<sqlx::Error> for Unavailable {
    fn from(error: sqlx::Error) -> Self {
        let conflict = error.is_conflict();
        if !conflict {
            tracing::error!(%error, "the database refused");
        }
        Unavailable { conflict, ..Unavailable::because("the database does not take it") }
    }
}
