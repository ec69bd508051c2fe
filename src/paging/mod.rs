//! Reaching one person: pages, the attempts made for them, and what comes back.

pub mod call;
pub mod pager;
pub mod receipt;
pub mod reply;
pub mod rules;
pub mod store;
pub mod throttle;

use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    id::{AttemptId, CarrierKey, IncidentId, PageId, PersonKey},
    people::{Channel, E164},
    sla::Priority,
};

/// Why a request is made to a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Purpose {
    /// To make one of our people act.
    Page,
    /// To tell one of our people something; no answer is expected.
    Notice,
    /// To tell the customer something true.
    Customer,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Stage {
    /// Waits for its time.
    Waiting,
    /// Leased: a node is asking the carrier.
    Sending,
    /// The carrier took it; not known how it ends.
    Sent,
    /// A call that is no longer needed: waits to be hung up, then is over.
    HangingUp,
    /// Over, with an [`Outcome`].
    Over,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Outcome {
    /// A human act came of it: a key, a reply.
    Answered,
    /// A machine picked up, or nobody pressed a key.
    NoHuman,
    /// It rang out, or was busy.
    NoAnswer,
    /// A text that was handed over. Nobody need have read it.
    Delivered,
    /// It cannot be reached this way.
    Unreachable,
    /// Not needed any more before it was sent, or hung up.
    Cancelled,
    /// Its time was over before a carrier took it.
    Expired,
}

/// One request to one carrier: a row of the page outbox.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub id: AttemptId,
    /// `None` for a text to a customer or a notice.
    pub page: Option<PageId>,
    pub incident: Option<IncidentId>,
    pub purpose: Purpose,
    pub priority: Priority,
    pub person: Option<PersonKey>,
    pub channel: Channel,
    pub address: E164,
    pub stage: Stage,
    pub outcome: Option<Outcome>,
    /// What a text says, as sent; a call's words are made when it is answered.
    pub body: Option<String>,
    /// What the person writes back to mean this page.
    pub reply_code: Option<String>,
    pub carrier: Option<CarrierKey>,
    pub sid: Option<String>,
    pub created_at: Time,
    pub sent_at: Option<Time>,
    pub expires_at: Time,
}
