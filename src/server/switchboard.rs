//! The switchboard: what carriers ask, handed to the hotline, the pages and the replies.

use futures::future::BoxFuture;

use super::App;
use crate::{
    carrier::{Document, InboundSms, Receipt, Recording, Switchboard, Turn, Unavailable},
    intake::phone,
    paging,
};

/// Our side of every line.
#[derive(Clone)]
pub struct Exchange(pub App);

impl Switchboard for Exchange {
    fn voice(&self, turn: Turn) -> BoxFuture<'_, Result<Document, Unavailable>> {
        Box::pin(async move {
            match turn.path.as_str() {
                path if path.starts_with("voice/page") => paging::call::turn(&self.0, turn).await,
                _ => phone::turn(&self.0, turn).await,
            }
        })
    }

    fn sms(&self, sms: InboundSms) -> BoxFuture<'_, Result<Option<String>, Unavailable>> {
        Box::pin(paging::reply::receive(&self.0, sms))
    }

    fn receipt(&self, receipt: Receipt) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(async move {
            match receipt.attempt {
                Some(_) => paging::receipt::record(&self.0, receipt).await,
                None => phone::call_ended(&self.0, receipt).await,
            }
        })
    }

    fn recording(&self, recording: Recording) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(phone::recording(&self.0, recording))
    }
}

impl From<sqlx::Error> for Unavailable {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the database refused");
        Unavailable("the database does not take it".into())
    }
}
