//! What somebody or something wants of an incident. Everything that reaches one becomes one of these.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    id::{CallId, CustomerKey, IntegrationKey, PersonKey, TeamKey},
    sla::{Plan, Priority, Zone},
};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum Actor {
    /// One of our people.
    Person(PersonKey),
    /// Somebody with a token of this name who is none of our people: a script, a bridge to another tool.
    Token(String),
    /// The customer.
    Customer,
    /// A monitoring sender.
    Integration(IntegrationKey),
    /// Ringdown itself.
    System,
}

/// By which way an act of a person came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    Key,
    Sms,
    Api,
    Web,
    Integration,
}

/// How we heard of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Source {
    /// A call on a hotline.
    Phone {
        call: CallId,
        verified: bool,
    },
    Integration {
        integration: IntegrationKey,
    },
    Api {
        by: String,
    },
}

/// Whom to call back.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub name: Option<String>,
    /// E.164, in full: the engineer has to dial it.
    pub number: Option<String>,
    /// Where they read mail, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
}

/// The number with its last two digits only, as everywhere where it is not needed.
impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tail = |number: &String| format!("…{}", number.get(number.len().saturating_sub(2)..).unwrap_or_default());
        f.debug_struct("Contact")
            .field("name", &self.name)
            .field("number", &self.number.as_ref().map(tail))
            .field("mail", &self.mail.is_some())
            .finish()
    }
}

/// What opens an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Short, spoken: `4821`. Made by the caller of `decide`, unique among the open ones.
    pub reference: String,
    pub source: Source,
    pub priority: Priority,
    pub customer: Option<CustomerKey>,
    /// For people: the customer's name, or the sender's.
    pub customer_name: String,
    /// Where the customer's clock times are told.
    pub zone: Zone,
    pub team: TeamKey,
    /// What was promised, copied.
    pub plan: Plan,
    pub title: String,
    pub detail: String,
    pub contact: Contact,
    /// The customer wants nothing done before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
}

/// What is wanted of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Opens it.
    Report(Box<Report>),
    /// The same trouble was reported again by its sender.
    Signal {
        summary: String,
    },
    /// More became known of what the customer said: a better number, a name, a transcript.
    Amend {
        contact: Contact,
        title: Option<String>,
        detail: Option<String>,
    },
    /// The caller says it got worse, or is not satisfied. `level` is one of the plan's, from 0; else the next.
    CustomerEscalates {
        why: String,
        level: Option<usize>,
        /// When it happened that they complain of.
        occurred_at: Option<Time>,
    },
    /// The customer said something: an answer to what was asked, or a sign that a closed trouble is not over.
    CustomerReplies {
        text: String,
    },
    Acknowledge {
        by: Actor,
        via: Via,
        page: Option<u32>,
    },
    PassOn {
        by: Actor,
        via: Via,
        page: Option<u32>,
    },
    /// A key on a page's call.
    KeyPress {
        page: u32,
        key: char,
    },
    /// They are put through to the customer, on a call of ours that they asked for.
    StartCallback {
        by: Actor,
    },
    RecordResponse {
        by: Actor,
        evidence: Evidence,
    },
    PostUpdate {
        by: Actor,
        text: String,
        customer_visible: bool,
    },
    SetPriority {
        by: Actor,
        priority: Priority,
        reason: String,
    },
    Escalate {
        by: Actor,
        why: String,
    },
    AddResponder {
        by: Actor,
        person: PersonKey,
    },
    AssignCommander {
        by: Actor,
        person: PersonKey,
    },
    WaitOnCustomer {
        by: Actor,
        reason: String,
    },
    Resume {
        by: Actor,
    },
    /// The trouble was shown not to be ours: the team leaves, and can be engaged again.
    RuleOut {
        by: Actor,
        note: String,
    },
    /// After it was ruled out: the promises start anew.
    Reengage {
        by: Actor,
        why: String,
    },
    /// A service of somebody else that we rest on is in trouble.
    NoteUpstream {
        by: Actor,
        service: String,
        words: String,
    },
    /// The customer is sent the plan's link to talk at once.
    OfferCall {
        by: Actor,
    },
    /// The analysis of the cause is given to the customer.
    DeliverRca {
        by: Actor,
        stage: RcaStage,
        text: String,
    },
    Resolve {
        by: Actor,
        note: String,
    },
    Reopen {
        by: Actor,
        why: String,
    },
    /// Opened by mistake.
    Cancel {
        by: Actor,
        reason: String,
    },
    /// Something is due.
    TimerFired,
    /// All ways to reach this person for this page are used up; `definite` when a machine or a dead line said so,
    /// not when it only rang out.
    PageExhausted {
        page: u32,
        definite: bool,
    },
}

/// What proves that the customer was spoken to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Evidence {
    /// A bridged or call-back conversation, by the carrier's ids.
    Conversation { calls: Vec<String>, seconds: u32 },
    /// The caller was connected live, by the carrier's id of the call: the answer itself counts.
    Connected { call: String },
    /// A person's word for it.
    Attested { note: String },
}

/// Which analysis of the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RcaStage {
    Draft,
    Final,
}

impl std::fmt::Display for RcaStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            RcaStage::Draft => "draft",
            RcaStage::Final => "final",
        })
    }
}

/// The least conversation that counts as a response, in seconds.
pub const CONVERSATION_SECONDS: u32 = 30;
