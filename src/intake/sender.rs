//! A sender's language: where its secret stands, how its payload is read, and in which words it is answered. Pure.

use serde_json::{Value, json};

use super::{
    Grouping, SenderKind,
    json::Unreadable,
    signal::{Fault, Outcome, Signal},
    signature::BadSignature,
};
use crate::api::{Problem, problem::FieldError};

/// The largest body taken, in bytes (PagerDuty's limit, and Alertmanager's cut for it).
pub const MAX_BODY: usize = 512 * 1024;

/// What a payload says, or every field of it that is wrong.
pub type Decoded = Result<Vec<Signal>, Vec<Fault>>;

/// One door, and the language spoken at it.
#[derive(Debug)]
pub struct Sender {
    /// For the intake log and the metrics.
    pub door: &'static str,
    /// Keys of other kinds do not open it.
    pub kind: SenderKind,
    /// The field of the body that holds the secret; `None`: it stands in the URL.
    pub key_field: Option<&'static str>,
    /// What the payload says. Nothing: it is kept and asks for nothing.
    pub decode: fn(&Value, Grouping) -> Decoded,
    /// What the sender is told. Its own retry rules decide the status.
    pub answer: fn(&Reply) -> Answer,
}

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is committed.
    Accepted(Vec<Outcome>),
    Refused(Refused),
}

/// Why a payload was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the body is larger than {} KB", MAX_BODY / 1024)]
    TooLarge,
    /// Transient: a slow or broken connection.
    #[error("the body did not arrive in full")]
    Incomplete,
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    #[error("no integration has this key; look at the integrations in schedules/")]
    UnknownKey,
    #[error("this key belongs to an integration of the kind `{}`, which has another URL", .0.as_str())]
    WrongDoor(SenderKind),
    #[error("{0}")]
    Unsigned(#[from] BadSignature),
    #[error("{}", .0.iter().map(|fault| fault.detail.as_str()).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Fault>),
    /// Transient: nothing was recorded.
    #[error("too many requests at once")]
    Overloaded,
    /// Transient: nothing was recorded.
    #[error("the database does not take it now")]
    Unavailable,
}

impl Refused {
    /// One word, for the metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Refused::TooLarge => "too_large",
            Refused::Incomplete => "incomplete",
            Refused::Unreadable(_) => "unreadable",
            Refused::UnknownKey | Refused::WrongDoor(_) => "unknown_key",
            Refused::Unsigned(_) => "unsigned",
            Refused::Invalid(_) => "invalid",
            Refused::Overloaded => "overloaded",
            Refused::Unavailable => "unavailable",
        }
    }
}

/// An HTTP response, not yet one.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub problem: bool,
    /// Seconds.
    pub retry_after: Option<u32>,
    pub body: Value,
}

impl Answer {
    /// Plain JSON.
    pub fn json(status: u16, body: Value) -> Answer {
        Answer { status, problem: false, retry_after: None, body }
    }
}

/// Problem details, for the doors whose senders read only the status: 5xx is sent again, 4xx is not.
pub fn problem(refused: &Refused) -> Answer {
    let words = refused.to_string();
    let problem = match refused {
        Refused::TooLarge => Problem::too_large(words),
        Refused::Unreadable(_) => Problem::bad_request(words),
        Refused::UnknownKey | Refused::WrongDoor(_) => Problem::not_found(words),
        Refused::Unsigned(_) => Problem::unauthenticated(words),
        Refused::Invalid(faults) => Problem::invalid(
            faults.iter().map(|f| FieldError { pointer: f.pointer.into(), detail: f.detail.clone() }).collect(),
        ),
        Refused::Incomplete | Refused::Overloaded | Refused::Unavailable => {
            Problem { detail: format!("{words}; nothing was recorded. Send it again."), ..Problem::unavailable() }
        }
    };
    Answer {
        status: problem.status,
        problem: true,
        retry_after: problem.retry_after,
        body: serde_json::to_value(&problem).unwrap_or_else(|_| json!({"status": problem.status})),
    }
}
