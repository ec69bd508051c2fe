//! Mail to customers, teams and people.
//!
//! Each mail is a row of an outbox, one an address, written in the transaction that decided it. The postman
//! ([`postman`]) takes what is due to the mail carriers; one that is not taken now is tried again for a day. After an
//! unknown outcome it is sent again under the same Message-ID, so that the second can be told from a new one.

pub mod compose;
pub mod draft;
pub mod postman;
pub mod store;

#[cfg(test)]
mod tests;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    id::{CarrierKey, IncidentId, MailId},
    people::MailAddress,
    sla::Priority,
};

/// Whom a mail was meant for, as a row keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Audience {
    Customer,
    Team,
    Subscribers,
    Person,
}

/// How far a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MailStage {
    /// Waits for its time, or is being handed over.
    Waiting,
    /// A mail server took it. Nobody need have read it.
    Sent,
    /// No mail server will take it.
    GivenUp,
}

/// One mail to one address: a row of the mail outbox.
#[derive(Clone, PartialEq)]
pub struct Mail {
    pub id: MailId,
    pub incident: IncidentId,
    pub priority: Priority,
    pub audience: Audience,
    pub address: MailAddress,
    /// What Message-IDs end in; kept, so that it is the same at every try.
    pub domain: String,
    pub subject: String,
    /// `None` once it was forgotten.
    pub body: Option<String>,
    /// A text that goes with it: file name and content.
    pub attachment: Option<(String, String)>,
    pub stage: MailStage,
    /// Who took it, or was asked last.
    pub carrier: Option<CarrierKey>,
    /// The mail server's reply code.
    pub code: Option<u16>,
    /// For people: what was in its way.
    pub reason: Option<String>,
    /// How often it was claimed; with `leased_by`, the fence.
    pub tries: i64,
    pub leased_by: Option<String>,
    /// When the postman looks at it next.
    pub wake_at: Option<Time>,
    pub created_at: Time,
    pub ended_at: Option<Time>,
    /// No mail server is asked after this.
    pub expires_at: Time,
}

/// Without a caller's words.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Mail { id, incident, audience, address, stage, tries, wake_at, .. } = self;
        f.debug_struct("Mail")
            .field("id", id)
            .field("incident", incident)
            .field("audience", audience)
            .field("address", address)
            .field("stage", stage)
            .field("tries", tries)
            .field("wake_at", wake_at)
            .finish_non_exhaustive()
    }
}

/// A mail as a carrier sends it. Every field is clean: no line break or control character where a header would break.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// With its brackets: `<mai_…@example.com>`.
    pub message_id: String,
    /// The same for all mails about one incident, with its brackets.
    pub thread: String,
    pub to: MailAddress,
    pub subject: String,
    pub body: String,
    /// A file name and the text in it.
    pub attachment: Option<(String, String)>,
    pub date: Time,
}

/// Why a mail was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Whether there is no use in asking this carrier again with this mail.
    pub permanent: bool,
    /// The mail server's reply code, if it replied.
    pub code: Option<u16>,
    /// For people; holds neither the address nor the text.
    pub words: String,
}

/// Whoever sends mail.
pub trait Mailer: Send + Sync {
    /// Its key in the settings.
    fn key(&self) -> &CarrierKey;

    /// What Message-IDs of its mails end in.
    fn domain(&self) -> &str;

    /// Hands a mail over. An answer that was lost is transient: the mail may have been taken.
    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<(), Refused>>;
}
