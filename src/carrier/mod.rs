//! Carriers: SMS and voice providers behind their HTTP APIs, and the built-in handsets.
//!
//! This is the port. [`Carrier`] is what we ask of a provider; [`Switchboard`] is what a provider asks of us: what to
//! say on a call, what became of an attempt, what somebody wrote. Each provider's folder translates its own wire
//! format to these words and back. Nothing here knows what an incident is.
//! Mail is no phone: what sends it ([`smtp`]) has a port of its own, [`crate::mail::Mailer`].

pub mod document;
pub mod handsets;
pub mod segment;
pub mod smtp;
pub mod status;
pub mod twilio;

use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::BoxFuture;

pub use document::{Document, Verb};
pub use status::Status;

use crate::{
    id::{AttemptId, CarrierKey},
    people::{Channel, E164},
    store::retry::MayConflict,
};

/// What we ask of a provider. No call here may be made inside a transaction.
pub trait Carrier: Send + Sync {
    /// Its key in the settings.
    fn key(&self) -> &CarrierKey;

    /// Whether it can do this.
    fn can(&self, channel: Channel) -> bool;

    /// Sends a text.
    fn send_sms<'a>(&'a self, sms: &'a Sms) -> BoxFuture<'a, Result<Accepted, SendError>>;

    /// Places a call; what is said on it, the carrier fetches from the [`Switchboard`].
    fn place_call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Accepted, SendError>>;

    /// Ends a call that rings or talks. A call that has ended already is no error.
    fn hang_up<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Result<(), SendError>>;

    /// Whether the provider did take an attempt whose answer we lost. `None`: it knows nothing of it.
    fn look_up<'a>(&'a self, attempt: &'a Sent) -> BoxFuture<'a, Result<Option<Accepted>, SendError>>;

    /// Whether the provider knows our account and lets it send: asks it something that costs nothing and reaches nobody.
    fn check(&self) -> BoxFuture<'_, Result<(), SendError>>;

    /// What the `error_code` of a [`Receipt`] means. `None`: it does not know that code.
    fn meaning(&self, error_code: &str) -> Option<ErrorClass> {
        let _ = error_code;
        None
    }

    /// Whether this `error_code` says that the number's owner wants no texts from us.
    fn opted_out(&self, error_code: &str) -> bool {
        let _ = error_code;
        false
    }

    /// Itself, if it is the built-in carrier: its phones have doors of their own.
    fn as_handsets(self: Arc<Self>) -> Option<Arc<handsets::Handsets>> {
        None
    }
}

/// A text to send.
#[derive(Clone, Debug)]
pub struct Sms {
    pub attempt: AttemptId,
    pub to: E164,
    pub body: String,
    /// After this the provider must not deliver it any more.
    pub validity: TimeDelta,
}

/// A call to place.
#[derive(Clone, Debug)]
pub struct Call {
    pub attempt: AttemptId,
    pub to: E164,
    /// How long it rings before it counts as not answered.
    pub ring: TimeDelta,
    /// The path below `/carriers/{key}/` where the provider fetches what to say.
    pub action: Action,
}

/// An attempt whose outcome is unknown, to look up.
#[derive(Clone, Debug)]
pub struct Sent {
    pub attempt: AttemptId,
    pub channel: Channel,
    pub to: E164,
    /// Of a text.
    pub body: Option<String>,
    /// Not before this.
    pub since: crate::clock::Time,
}

/// The provider took it. That is not delivery, and delivery is not an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The provider's own id.
    pub sid: String,
    pub status: Status,
}

/// The provider did not take it, or we do not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    pub class: ErrorClass,
    /// The provider's own code.
    pub code: Option<String>,
    /// For an operator; without phone numbers.
    pub message: String,
}

/// What an error means for what we do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// This address cannot be reached this way: the next method at once, and tell the person.
    PermanentContact,
    /// Our account or sender is at fault: another carrier at once, and tell the operator.
    PermanentConfig,
    /// Our request is at fault: a bug.
    PermanentRequest,
    /// Not taken; try again.
    Transient { retry_after: Option<TimeDelta> },
    /// It may have been taken: look it up before sending again.
    Ambiguous,
}

/// Where a call goes on: a path below `/carriers/{key}/` with its query, made by us and given back by the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action(pub String);

/// What a provider asks of us. Each answer must be quick: the provider waits for it with a person on the line.
pub trait Switchboard: Send + Sync {
    /// A call needs to know what to say next. `Err` when we cannot answer now: the provider's door says 503.
    fn voice(&self, turn: Turn) -> BoxFuture<'_, Result<Document, Unavailable>>;

    /// Somebody wrote to one of our numbers. `Some`: what to answer.
    fn sms(&self, sms: InboundSms) -> BoxFuture<'_, Result<Option<String>, Unavailable>>;

    /// What became of an attempt, or of an inbound call.
    fn receipt(&self, receipt: Receipt) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// A recording or its words became available for an inbound call.
    fn recording(&self, recording: Recording) -> BoxFuture<'_, Result<(), Unavailable>>;
}

/// The database does not take it now; nothing was recorded, ask again.
#[derive(Debug, thiserror::Error)]
#[error("cannot answer now: {why}")]
pub struct Unavailable {
    pub why: String,
    /// Another transaction was faster: the same again at once may well be taken.
    pub conflict: bool,
}

impl Unavailable {
    /// For this reason, which asking again at once does not mend.
    pub fn because(why: impl Into<String>) -> Self {
        Unavailable { why: why.into(), conflict: false }
    }
}

impl MayConflict for Unavailable {
    fn is_conflict(&self) -> bool {
        self.conflict
    }
}

/// One turn of a call: something happened on the line, and the provider asks what to do.
#[derive(Clone, Default)]
pub struct Turn {
    pub carrier: String,
    /// The [`Action`]'s path: `voice` for a new inbound call, otherwise as we gave it.
    pub path: String,
    /// The action's query, decoded.
    pub query: Vec<(String, String)>,
    /// The provider's id of the call.
    pub call_sid: String,
    /// As the provider wrote it; may be `anonymous`, a SIP address or empty.
    pub from: String,
    pub to: String,
    /// Keys pressed; `None` when nothing was asked or nothing came.
    pub digits: Option<String>,
    /// What was recorded, where it can be fetched, and for how long.
    pub recording_url: Option<String>,
    pub recording_seconds: Option<u32>,
    /// How a bridged leg ended, for how long it talked, and the provider's id of that leg.
    pub bridge: Option<Bridge>,
    /// How a wait in a queue ended.
    pub waited: Option<Waited>,
    /// Whether a machine answered, if the provider knows.
    pub answered_by: Option<AnsweredBy>,
}

/// How a bridged leg ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridge {
    pub sid: Option<String>,
    pub completed: bool,
    pub seconds: u32,
}

/// How a wait in a queue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waited {
    /// Somebody answered, and the talk is over; otherwise the call left the queue.
    pub bridged: bool,
    /// In the queue.
    pub seconds: u32,
}

/// Who picked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    Human,
    Machine,
    Unknown,
}

/// What somebody wrote to one of our numbers.
#[derive(Clone)]
pub struct InboundSms {
    pub carrier: String,
    pub sid: String,
    pub from: String,
    pub to: String,
    pub body: String,
}

/// What became of an attempt. May come before the provider's answer, twice, late, or out of order.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub carrier: String,
    /// From the callback's URL; `None` for an inbound call.
    pub attempt: Option<AttemptId>,
    pub sid: String,
    pub channel: Channel,
    /// `None` when the receipt only says who answered.
    pub status: Option<Status>,
    pub answered_by: Option<AnsweredBy>,
    pub error_code: Option<String>,
    /// Of a call that ended.
    pub seconds: Option<u32>,
}

/// What a caller said.
#[derive(Clone, Debug)]
pub struct Recording {
    pub carrier: String,
    pub call_sid: String,
    /// The query of the action we gave.
    pub query: Vec<(String, String)>,
    pub url: Option<String>,
    pub transcript: Option<String>,
}

/// Without numbers, and without the keys: they may be a PIN.
impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Turn { carrier, path, call_sid, bridge, answered_by, .. } = self;
        f.debug_struct("Turn")
            .field("carrier", carrier)
            .field("path", path)
            .field("call_sid", call_sid)
            .field("keys", &self.digits.as_ref().map(String::len))
            .field("bridge", bridge)
            .field("answered_by", answered_by)
            .finish_non_exhaustive()
    }
}

/// Without the words.
impl std::fmt::Debug for InboundSms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboundSms").field("carrier", &self.carrier).field("sid", &self.sid).finish_non_exhaustive()
    }
}

impl Turn {
    /// A parameter of the action's query.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Action {
    /// The path, and the query decoded.
    pub fn split(&self) -> (String, Vec<(String, String)>) {
        let (path, query) = self.0.split_once('?').unwrap_or((&self.0, ""));
        (path.into(), form(query.as_bytes()))
    }
}

/// `application/x-www-form-urlencoded`, decoded, in order, with duplicates and empty values kept (all are signed).
pub fn form(bytes: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(bytes).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_keys_nor_numbers_nor_words_are_printed() {
        let turn = Turn { digits: Some("4711".into()), from: "+12015550123".into(), ..Turn::default() };
        let sms = InboundSms {
            carrier: "c".into(),
            sid: "SM1".into(),
            from: "+12015550123".into(),
            to: "+12015550190".into(),
            body: "4711".into(),
        };
        let printed = format!("{turn:?} {sms:?}");
        assert!(!printed.contains("4711") && !printed.contains("2015550"), "{printed}");
    }
}
