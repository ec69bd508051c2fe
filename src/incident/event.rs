//! What happened to an incident. Appended, numbered, never edited.

use serde::{Deserialize, Serialize};

use super::{
    command::{Actor, Contact, Evidence, RcaStage, Report, Via},
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
    /// It was reported in a way, or without something, that the plan asks for; it is worked on all the same.
    TermsUnmet {
        what: String,
    },
    /// `level` is the plan's that was asked for; `offered`: whether the plan offers one.
    CustomerEscalated {
        why: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<Time>,
        offered: bool,
    },
    CustomerReplied {
        text: String,
    },
    /// It waited for office hours or for the time the customer asked for, and begins now.
    Begun {
        due: Time,
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
    /// Somebody answered a page that did not ask them to take it: a reminder, a call for help. Whoever has it keeps it.
    PageAnswered {
        by: Actor,
        via: Via,
        page: u32,
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
    /// The customer was asked once more; this is so many times now.
    CustomerAsked {
        request: u8,
    },
    /// The customer was told that it will be closed.
    IdleWarned {
        closes_at: Time,
    },
    /// Closed because the customer no longer answered.
    ClosedIdle {
        due: Time,
    },
    RuledOut {
        by: Actor,
        note: String,
    },
    Reengaged {
        by: Actor,
        why: String,
    },
    UpstreamNoted {
        by: Actor,
        service: String,
        words: String,
    },
    CallOffered {
        by: Actor,
        link: String,
    },
    ResolutionReminded {
        due: Time,
    },
    ResolutionMissed {
        due: Time,
    },
    RcaReminded {
        stage: RcaStage,
        due: Time,
    },
    RcaMissed {
        stage: RcaStage,
        due: Time,
    },
    RcaDelivered {
        by: Actor,
        stage: RcaStage,
        text: String,
        late: bool,
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
