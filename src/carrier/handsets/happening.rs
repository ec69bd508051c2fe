//! The words about one call: why there is it, what can happen on it, and what it asks of others.

use chrono::TimeDelta;
use serde::Serialize;

use crate::{
    carrier::{Action, Document, Receipt, Recording, Turn},
    clock::Time,
    id::AttemptId,
    people::E164,
};

/// Why there is this call.
#[derive(Clone, Debug)]
pub enum Kind {
    /// We called this phone.
    Placed { attempt: AttemptId, action: Action },
    /// This phone dialled one of our numbers.
    Dialled,
    /// Another call is being connected with this phone.
    Leg { parent: String },
}

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// We.
    Service,
    /// Whoever holds this phone.
    Phone,
    /// Whoever is connected with it.
    Other,
    /// This phone's answering machine.
    Machine,
    /// The carrier itself: tones and apologies.
    Carrier,
}

/// One line of what was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    pub at: Time,
    pub who: Speaker,
    pub text: String,
    /// When it will have been said.
    #[serde(skip)]
    pub until: Time,
}

/// How far a call is, as its phone shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Queued,
    Ringing,
    Talking,
    Ended,
}

/// What the call wants of the person on the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    Keys,
    Recording,
    Nothing,
}

/// What happened on the line.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time passed.
    Time,
    /// The phone's owner picked up.
    Answer,
    /// The phone's owner refused it.
    Reject,
    /// The phone's owner sent it to the voicemail box: the machine picks up at once.
    Divert,
    /// The phone's owner hung up.
    HangUp,
    /// The other side ended it: we, or the call this is a leg of.
    Cancel,
    Press(String),
    Speak(String),
    /// The switchboard said what to do; `None`: it could not.
    Heard(Option<Document>),
    LegAnswered,
    LegEnded,
    /// That call answers the queue this one waits in; what is heard before the two talk is asked of `connect`.
    Fetched {
        by: String,
        connect: Action,
    },
    /// That call, which waited in the queue this one answers, is being connected.
    Joined(String),
    /// Said at the other end.
    Overheard(String),
}

/// What a call asks of the switchboard.
#[derive(Clone, Debug)]
pub enum Effect {
    /// What next? The answer comes back as [`Input::Heard`].
    Ask(Turn),
    Report(Receipt),
    Recorded(Recording),
}

/// What a call asks of other calls.
#[derive(Clone, Debug)]
pub enum Signal {
    /// Ring this number, and call that call `leg`.
    Ring { leg: String, to: E164, ring: TimeDelta },
    /// This call waits in a queue now, or answers it.
    Meet(String),
    /// This happened, as far as the other call is concerned.
    Tell(String, Input),
}

/// The call is not in a state for this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);
