//! Reaching one person: pages, the attempts made for them, and what comes back.
//!
//! A page is one decision to reach one person. Each way to do so is an [`Attempt`], a row of the outbox, written in the
//! transaction that decided it. The pager ([`pager`]) takes what is due to the carriers; what becomes of it comes back
//! as receipts ([`receipt`]), as turns of a call ([`call`]) and as texts ([`reply`]). Only a human act ends a page;
//! when all ways are used up without one, the incident is told ([`progress`]).

pub mod answer;
pub mod attempt;
pub mod breaker;
pub mod call;
pub mod callback;
pub mod claimed;
pub mod customer;
pub mod dispatch;
pub mod draft;
pub mod grammar;
pub mod meant;
pub mod message;
pub mod pager;
mod prepare;
pub mod progress;
pub mod receipt;
pub mod reply;
pub mod rules;
pub mod script;
pub mod send;
pub mod store;
pub mod tap;
pub mod throttle;

#[cfg(test)]
mod tests;

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
    /// To see that a page would get through. Reaches nobody, and is no page to anybody who counts them.
    Heartbeat,
    /// To put one of our people through to the customer, because they asked for it.
    Callback,
    /// To give one of our people a one-time code. Its text has a place for the digits, which are in no row.
    Code,
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
#[derive(Clone, Debug, PartialEq)]
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
    /// Nobody need be reached any more; known while a carrier was being asked.
    pub cancelled: bool,
    /// Its place among the page's steps, from 0.
    pub position: i64,
    /// What a text says, as sent. A call keeps one too, for when the number was rung too often and a text goes
    /// instead; a call's own words are made when it is answered.
    pub body: Option<String>,
    /// What the person writes back to mean this page.
    pub reply_code: Option<String>,
    pub carrier: Option<CarrierKey>,
    pub sid: Option<String>,
    /// The carrier's word for it; only moves up.
    pub status: Option<crate::carrier::Status>,
    /// The carrier's own code of what went wrong.
    pub error_code: Option<String>,
    /// For people: what was in its way, why it waits, or why it ended so.
    pub reason: Option<String>,
    /// How often it was claimed; with `leased_by`, the fence.
    pub tries: i64,
    /// How often a carrier was asked.
    pub sends: i64,
    pub leased_by: Option<String>,
    /// When the pager looks at it next.
    pub wake_at: Option<Time>,
    pub created_at: Time,
    /// When a carrier was first asked in a way that counts: it took it, or may have.
    pub sent_at: Option<Time>,
    /// When somebody or something picked up.
    pub answered_at: Option<Time>,
    pub ended_at: Option<Time>,
    /// No carrier is asked after this.
    pub expires_at: Time,
}
