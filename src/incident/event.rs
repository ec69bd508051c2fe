//! What happened to an incident. Appended, numbered, never edited.

use serde::{Deserialize, Serialize};

use super::{
    command::{Actor, Contact, Evidence, Report, Via},
    effect::Cause,
};
use crate::{clock::Time, id::PersonKey, sla::Priority};

/// An event with its place in the incident's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// From 1, without a gap.
    pub seq: u64,
    pub at: Time,
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    Opened {
        report: Box<Report>,
    },
    SignalRepeated {
        summary: String,
    },
    Amended {
        contact: Contact,
        title: Option<String>,
        detail: Option<String>,
    },
    CustomerEscalated {
        why: String,
    },

    /// The ladder was climbed to this level (0 is the first; one past the last is the last resort).
    /// Unless somebody acknowledges, the next level is paged at `next_at`.
    LevelReached {
        level: usize,
        name: String,
        cause: Cause,
        round: u8,
        next_at: Time,
    },
    /// Nobody stands on this level.
    LevelSkipped {
        level: usize,
        name: String,
    },
    /// Every level and every round is used up; the last resort was paged.
    LadderExhausted,
    Paged {
        page: u32,
        person: PersonKey,
        level: Option<usize>,
        cause: Cause,
    },
    /// This person could not be reached by any of their methods.
    PageExhausted {
        page: u32,
        definite: bool,
    },

    /// It lapses after so many seconds without another act of the holder.
    Acknowledged {
        by: Actor,
        via: Via,
        page: Option<u32>,
        lapses_after: i64,
    },
    PassedOn {
        by: Actor,
        via: Via,
    },
    /// The holder did nothing for the policy's ack timeout.
    AcknowledgementLapsed {
        holder: Actor,
    },
    /// The holder pressed the key to call the customer.
    CallbackStarted {
        by: Actor,
    },

    ResponseReminded {
        percent: u8,
    },
    Responded {
        by: Actor,
        evidence: Evidence,
        late: bool,
    },
    ResponseMissed {
        due: Time,
    },

    UpdateReminded {
        window: u32,
        due: Time,
    },
    /// `counts`: it met the window it fell in. Otherwise `why_not` says why.
    Updated {
        by: Actor,
        text: String,
        customer_visible: bool,
        window: Option<u32>,
        counts: bool,
        why_not: Option<String>,
    },
    UpdateMet {
        window: u32,
        due: Time,
    },
    UpdateMissed {
        window: u32,
        due: Time,
    },

    PriorityChanged {
        by: Actor,
        from: Priority,
        to: Priority,
        reason: String,
    },
    Escalated {
        by: Actor,
        why: String,
    },
    ResponderAdded {
        by: Actor,
        person: PersonKey,
    },
    CommanderAssigned {
        by: Actor,
        person: PersonKey,
    },
    WaitingOnCustomer {
        by: Actor,
        reason: String,
    },
    Resumed {
        by: Actor,
    },
    /// Nothing was promised and nothing is due: looked at again.
    ReviewDue,
    Resolved {
        by: Actor,
        note: String,
    },
    Reopened {
        by: Actor,
        why: String,
    },
    Cancelled {
        by: Actor,
        reason: String,
    },
}
