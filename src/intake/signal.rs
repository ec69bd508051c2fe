//! What a sender told us, in our words, and what became of it. Pure.

use serde::{Deserialize, Serialize};

use crate::{id::IncidentId, incident::command::Contact, sla::Priority};

/// The longest key a sender may use for one trouble, in characters (PagerDuty's limit).
pub const DEDUP_KEY_CHARS: usize = 255;
/// The longest title an incident is given, in characters.
pub const TITLE_CHARS: usize = 300;
/// The longest detail an incident is given, in characters.
pub const DETAIL_CHARS: usize = 16_000;

/// One thing a sender says about one trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    pub kind: Kind,
    /// The sender's name for the trouble. `None`: one is made.
    pub dedup_key: Option<String>,
    /// The sender's words for how bad it is, lower case; the gravest counts.
    pub severities: Vec<String>,
    /// How bad it is in our own words; it goes before `severities`.
    pub priority: Option<Priority>,
    pub title: String,
    pub detail: String,
    pub contact: Contact,
    /// The customer's key, as the sender writes it.
    pub customer: Option<String>,
}

/// What a sender wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Trigger,
    Acknowledge,
    Resolve,
}

impl Kind {
    /// PagerDuty's words, which are ours too.
    pub fn parse(word: &str) -> Option<Kind> {
        match word {
            "trigger" => Some(Kind::Trigger),
            "acknowledge" => Some(Kind::Acknowledge),
            "resolve" => Some(Kind::Resolve),
            _ => None,
        }
    }
}

impl Signal {
    /// A signal that says nothing but what it wants, of which trouble.
    pub fn bare(kind: Kind, dedup_key: Option<String>) -> Signal {
        Signal {
            kind,
            dedup_key,
            severities: Vec::new(),
            priority: None,
            title: String::new(),
            detail: String::new(),
            contact: Contact::default(),
            customer: None,
        }
    }
}

/// A field that cannot be taken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// RFC 6901.
    pub pointer: &'static str,
    pub detail: String,
}

impl Fault {
    /// The field at `pointer` is wrong.
    pub fn at(pointer: &'static str, detail: impl Into<String>) -> Fault {
        Fault { pointer, detail: detail.into() }
    }
}

/// What became of one signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub status: Status,
    pub dedup_key: String,
    /// `None` when nothing open has this key.
    pub id: Option<IncidentId>,
    /// The short reference of the same incident.
    pub incident: Option<String>,
    /// Why it was dropped, or what else was done.
    pub why: Option<String>,
}

/// What became of one signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A new incident.
    Opened,
    /// An open incident has this key already; nobody is paged again.
    Repeated,
    Acknowledged,
    Resolved,
    /// Nothing open has this key.
    Dropped,
}

impl Outcome {
    /// In words, for the intake log.
    pub fn words(&self) -> String {
        let what = match self.status {
            Status::Opened => "opened",
            Status::Repeated => "repeated",
            Status::Acknowledged => "acknowledged",
            Status::Resolved => "resolved",
            Status::Dropped => "dropped",
        };
        let reference = self.incident.as_ref().map(|reference| format!(" {reference}")).unwrap_or_default();
        let why = self.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("{what}{reference}{why}")
    }
}

/// All outcomes in one line for the intake log; the first twenty in full.
pub fn verdict(outcomes: &[Outcome]) -> String {
    const SHOWN: usize = 20;
    if outcomes.is_empty() {
        return "kept; it asks for nothing".into();
    }
    let mut parts: Vec<String> = outcomes.iter().take(SHOWN).map(Outcome::words).collect();
    if outcomes.len() > SHOWN {
        parts.push(format!("and {} more", outcomes.len() - SHOWN));
    }
    parts.join("; ")
}
