//! What must now be done, said by `decide` and carried out by the store and the pager.
//!
//! There is no effect for timers: the one next due instant of an incident follows from its state
//! ([`super::agenda`]), and the store writes it beside the projection.

use serde::{Deserialize, Serialize};

use crate::{
    id::PersonKey,
    people::{Channel, E164},
};

/// What must now be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Reach this person about this incident.
    Page(Page),
    /// Nobody need be reached by these pages any more: cancel what waits, hang up what rings.
    EndPages { pages: Vec<u32> },
    /// Tell the customer, by text, at their contact number.
    TellCustomer { text: String },
    /// Tell one of our people something that asks for nothing.
    Tell { person: PersonKey, text: String },
    /// Send a mail.
    Mail(Mail),
}

/// A mail to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: Recipient,
    pub subject: String,
    pub body: String,
    pub attachment: Option<Attachment>,
}

/// Who gets a mail; the addresses are those of the configuration in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The contact of the incident, else the customer's addresses.
    Customer,
    /// The team that answers for it.
    Team,
    /// Those at the customer who want to know of updates.
    Subscribers,
    Person(PersonKey),
}

/// A text that goes with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// A file name.
    pub name: String,
    pub text: String,
}

/// A decision to reach one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its number within the incident.
    pub number: u32,
    pub person: PersonKey,
    pub cause: Cause,
    /// Which ways, and when; from the person's notification rules at this moment.
    pub steps: Vec<Step>,
}

/// One way to reach a person, at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub channel: Channel,
    pub address: E164,
    /// After the page began, in seconds.
    pub after_seconds: i64,
}

/// Why somebody is paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// New.
    Opened,
    /// The level below did not acknowledge in time, or could not be reached.
    NotAcknowledged,
    /// The callback is due soon, or late.
    CallbackAtRisk,
    CallbackMissed,
    /// An update is due soon, or was missed.
    UpdateDue,
    UpdateMissed,
    /// The customer asked for somebody higher.
    CustomerAsked,
    /// One of our people asked.
    Asked,
    /// Acknowledged, then silence.
    Forgotten,
    /// Somebody passed it on.
    PassedOn,
    Reopened,
    PriorityRaised,
    /// It waited for office hours, or for the time the customer asked for.
    Begins,
    /// It had been ruled out, and the customer engages us again.
    Reengaged,
    /// Its end was promised, and is due soon, or late.
    ResolutionDue,
    ResolutionMissed,
    /// The analysis of the cause is due soon, or late.
    RcaDue,
    RcaMissed,
}
