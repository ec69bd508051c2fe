//! One inbound call: what was asked, and what the caller has told so far.

use serde::{Deserialize, Serialize};

use super::{live::Live, summary::Summary};
use crate::{
    clock::Time,
    id::{CallId, CustomerKey, HotlineKey, IncidentId},
    people::E164,
    sla::Priority,
};

/// Characters kept of what a carrier says of a caller.
pub const CALLER_LENGTH: usize = 64;
/// Characters kept of a transcript.
pub const TRANSCRIPT_LENGTH: usize = 4_000;
/// Characters kept of a recording's address.
pub const URL_LENGTH: usize = 1_000;
/// Characters kept of a greeting.
pub const GREETING_LENGTH: usize = 1_000;
/// Notes kept of a call.
pub const NOTES: usize = 10;

/// One inbound call, from the first ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    pub id: CallId,
    pub carrier: String,
    /// The carrier's own id of the call.
    pub sid: String,
    /// The hotline that was dialled, or the one that stands in for an unknown number.
    pub hotline: Option<HotlineKey>,
    /// As the carrier wrote it; may be `anonymous`, a SIP address or empty.
    pub caller: String,
    /// Identified by the number or by a PIN.
    pub customer: Option<CustomerKey>,
    /// By a PIN. A number identifies, it does not authenticate.
    pub verified: bool,
    /// The incident this call opened, or the open one it was about.
    pub incident: Option<IncidentId>,
    pub started_at: Time,
    pub ended_at: Option<Time>,
    pub answers: Answers,
}

/// What was asked and told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answers {
    /// Everything asked, in order: the place in this list is the `n` of an action. The last is what is asked now.
    pub asked: Vec<Asked>,
    pub priority: Option<Priority>,
    /// The best number known to call back.
    pub number: Option<E164>,
    /// Where the caller's name can be heard, and what it is.
    pub name_url: Option<String>,
    pub name: Option<String>,
    /// Where it can be heard what is wrong, and the words.
    pub words_url: Option<String>,
    pub words: Option<String>,
    /// Whether this call opened its incident; otherwise it was added to one that was open.
    pub opened: bool,
    /// The wait for an engineer on the line, where the plan promises one at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    /// What is known of the incident, as of this call's last act on it.
    pub incident: Option<Summary>,
    /// What else the engineer should know of this call.
    pub notes: Vec<String>,
}

/// One question, and what is said before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub lead: Lead,
    pub step: Step,
}

/// What is asked of the caller. `attempt` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum Step {
    /// The customer's PIN.
    Pin { attempt: u8 },
    /// Whether it is about this open incident; `others` more are open.
    Open { attempt: u8, about: Box<Summary>, others: usize },
    /// Whom the caller asks for, of those whom the plan names.
    Level { attempt: u8, about: Box<Summary> },
    /// The answer to what we asked the customer, recorded.
    Reply,
    /// In a queue, for an engineer.
    Wait,
    /// How bad it is; `menu`: what the plan calls it, where that is more than stopped or degraded.
    Priority {
        attempt: u8,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        menu: Vec<(Priority, String)>,
    },
    /// Whether this is the number to call; `keyed`: the `keyings`th that the caller keyed in.
    Number { attempt: u8, number: E164, keyed: bool, keyings: u8 },
    /// Another number.
    Keypad { attempt: u8 },
    /// The caller's name, recorded.
    Name,
    /// What is wrong, recorded.
    Words,
    /// A message that does not page anybody, recorded.
    Voicemail,
    /// Nothing more is asked: the promise is told, as it was at this instant, and the call ends.
    Promise { ending: Ending, at: Time },
}

/// Which promise is told at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A new incident.
    Reported,
    /// The open one, unchanged.
    Same,
    /// The open one; somebody higher was asked for.
    Worse,
    /// The open one, under a plan that names nobody higher.
    Told,
    /// It had been ruled out, or closed for want of an answer: we are back.
    Back,
    /// The caller talked to an engineer.
    Talked,
    /// An engineer has it, and calls back.
    Taken,
    /// Nobody was free in time.
    Waited,
    /// The open one, to which a caller's many calls are added.
    Added,
    /// A ticket that pages nobody, with a message.
    Ticket,
    /// A ticket without a message.
    Noted,
}

/// What is said before a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "lead")]
pub enum Lead {
    /// Nothing.
    None,
    /// The hotline's words.
    Greeting {
        text: String,
    },
    /// The key was not understood, or none came.
    Again,
    WrongPin,
    /// The PIN was right.
    Known {
        name: String,
    },
    /// We go on without a PIN.
    WithoutPin,
    /// Somebody is being paged; with the reference.
    Paging,
    /// Support is closed until the summary's `begins_at`.
    Closed,
    /// These keys are no number we can call.
    NotANumber {
        keys: String,
    },
    Thanks,
}

impl Step {
    /// Its name: the last part of an action's path, and the column `step`.
    pub fn name(&self) -> &'static str {
        match self {
            Step::Pin { .. } => "pin",
            Step::Open { .. } => "open",
            Step::Level { .. } => "level",
            Step::Reply => "reply",
            Step::Wait => "wait",
            Step::Priority { .. } => "priority",
            Step::Number { .. } => "number",
            Step::Keypad { .. } => "keypad",
            Step::Name => "name",
            Step::Words => "words",
            Step::Voicemail => "voicemail",
            Step::Promise { .. } => "promise",
        }
    }
}

impl CallRecord {
    /// What is asked now, and its place. `None` before the first answer.
    pub fn current(&self) -> Option<(usize, &Step)> {
        let last = self.answers.asked.len().checked_sub(1)?;
        Some((last, &self.answers.asked[last].step))
    }

    /// Adds a note for the engineer, unless there are too many or it is there already.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = bounded(&note.into(), 200);
        if self.answers.notes.len() < NOTES && !self.answers.notes.contains(&note) {
            self.answers.notes.push(note);
        }
    }
}

/// At most so many characters, control characters taken out.
pub fn bounded(text: &str, length: usize) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(length).collect::<String>().trim().into()
}
