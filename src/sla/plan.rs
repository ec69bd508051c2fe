//! A support plan as data: what is promised for each priority, and counted in which calendar.
//!
//! A plan carries the calendars it counts in and names the version of the zone database, so that an incident with a
//! copy of it can be judged for ever by what held when it was reported.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Amount, Priority, pinned::Calendars};
use crate::{clock::Time, escalation::Target, id::CalendarKey, id::PlanKey, span::Span};

/// What a customer was promised. An incident carries a copy from its first moment, so that a later edit of the
/// file never rewrites what was promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The name of its file, and of the tier where it has tiers: `clickhelp:growth`.
    pub key: PlanKey,
    /// For people.
    pub title: String,
    /// A priority without an entry carries no promise.
    pub priorities: BTreeMap<Priority, Promise>,
    /// How an incident that waits on a silent customer is closed; `None`: never by itself.
    pub idle: Option<Idle>,
    /// What stands still while we wait on the customer.
    pub pauses: BTreeSet<Pausable>,
    /// Whom the customer may ask for, in turn. `None`: one level up of the team's own policy, each time. None in the
    /// list: the plan offers no escalation.
    pub escalation: Option<Vec<Higher>>,
    /// Whether the team may leave once the trouble is shown not to be ours; a call engages it again.
    pub rule_out: bool,
    /// Services of others that everything rests on.
    pub upstream: Vec<String>,
    /// Where an engineer may send the customer in an emergency, to talk at once.
    pub call_link: Option<String>,
    /// Whether changes of the customer's configuration are taken only from an administrator's address.
    pub administrators_only: bool,
    /// Whether mails leave out names, numbers and the caller's words.
    pub private: bool,
    /// What the customer is asked to send.
    pub documents: Vec<String>,
    /// What the plan does not cover.
    pub out_of_scope: Vec<String>,
    /// What the terms are counted in.
    pub calendars: Calendars,
    /// The version of the zone database, as IANA names it.
    pub zone_database: String,
}

/// What is promised for one priority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// In words, for the caller and the engineer.
    pub title: String,
    /// When it is this priority, in words.
    pub criteria: Vec<String>,
    /// It is at least this priority when more than so many percent of the users are hit.
    pub impact_above: Option<u8>,
    /// How it must be reported; empty: any way.
    pub channels: Vec<IntakeChannel>,
    /// What a report must carry.
    pub requires: Vec<Required>,
    /// Whether people are woken for it. The others are told by text or mail, and paged when a promise is at risk.
    pub wakes: bool,
    /// Whether it waits for the hours of the response's calendar: outside them the team gets a mail, and people are
    /// paged when they open.
    pub office_hours: bool,
    /// Whether the caller is connected at once: the answer is the response, and everybody on a level rings together.
    pub live: bool,
    /// Whether its clocks start at the report's "not before".
    pub scheduled: bool,
    /// Whether the contact must stay reachable all the time.
    pub reachable: bool,
    /// From the report to a conversation with the customer.
    pub response: Option<Term>,
    /// The windows of progress updates.
    pub updates: Option<Cadence>,
    /// From the report to its end.
    pub resolution: Option<Term>,
    /// The analysis of its cause, counted from its end.
    pub rca: Option<Rca>,
}

/// So much open time of a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Term {
    pub within: Amount,
    pub calendar: CalendarKey,
}

/// The chain of progress updates: a window follows a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cadence {
    /// The length of one window.
    pub every: Term,
    pub from: Anchor,
    /// How much open time before the end of a window the commander is reminded.
    pub remind_before: Span,
}

/// Where a chain of windows starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    #[default]
    Report,
    /// The first conversation.
    Response,
}

/// The analysis of the cause: a draft, then a final revision, both counted from the end of the incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rca {
    pub draft: Option<Term>,
    pub last: Option<Term>,
}

/// How an incident that waits on a silent customer ends: so many requests without an answer, then so much time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// How often the customer is asked; the last request starts the closing clock.
    pub requests: u8,
    /// How long after one request the next is made, where there are several.
    pub again_after: Option<Term>,
    /// How long after the last request, or the last word of the customer, it is closed.
    pub close_after: Term,
    /// How much open time before it is closed the customer is told.
    pub warn_before: Span,
}

/// Somebody the customer may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Higher {
    /// In the policy's words: `Support team lead`.
    pub name: String,
    /// Who that is in the team's escalation policy.
    pub target: Target,
    /// Whether the customer must say when it happened.
    pub occurrence: bool,
}

/// A clock that may stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pausable {
    Response,
    Updates,
    Resolution,
}

/// By which way a report comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntakeChannel {
    Phone,
    Mail,
    Web,
    Monitoring,
}

/// What a report must carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Required {
    CallbackNumber,
    ContactName,
}

impl Plan {
    /// One that promises nothing yet.
    pub fn empty(key: PlanKey, title: impl Into<String>) -> Self {
        Plan {
            key,
            title: title.into(),
            priorities: BTreeMap::new(),
            idle: None,
            pauses: BTreeSet::new(),
            escalation: None,
            rule_out: false,
            upstream: Vec::new(),
            call_link: None,
            administrators_only: false,
            private: false,
            documents: Vec::new(),
            out_of_scope: Vec::new(),
            calendars: Calendars::default(),
            zone_database: super::zone::database_version().into(),
        }
    }

    /// The promise for a priority; where the plan makes none, an empty one that wakes people for P1 and P2.
    pub fn promise(&self, priority: Priority) -> Promise {
        self.priorities.get(&priority).cloned().unwrap_or_else(|| Promise::of(priority))
    }

    /// Whether somebody is woken for this priority.
    pub fn wakes(&self, priority: Priority) -> bool {
        self.priorities.get(&priority).map_or(priority.pages(), |promise| promise.wakes)
    }

    /// The gravest priority whose threshold this share of the users passes, in percent.
    pub fn priority_of_impact(&self, percent: u8) -> Option<Priority> {
        let passed = |promise: &Promise| promise.impact_above.is_some_and(|above| percent > above);
        self.priorities.iter().find(|(_, promise)| passed(promise)).map(|(priority, _)| *priority)
    }

    /// When a term that starts at `from` is over.
    pub fn due(&self, from: Time, term: &Term) -> Time {
        self.calendars.due(&term.calendar, from, self.length(term))
    }

    /// The instant at which so many percent of a term that starts at `from` have passed.
    pub fn partway(&self, from: Time, term: &Term, percent: u8) -> Time {
        self.calendars.due(&term.calendar, from, self.length(term) * i32::from(percent.min(100)) / 100)
    }

    /// The instant `before` the end of a term that starts at `from`, in open time; `None` when the term is not longer.
    pub fn shortly_before(&self, from: Time, term: &Term, before: Span) -> Option<Time> {
        let length = self.length(term) - before.delta();
        (length > TimeDelta::zero()).then(|| self.calendars.due(&term.calendar, from, length))
    }

    /// The calendars that its terms name, each once.
    pub fn named_calendars(&self) -> BTreeSet<CalendarKey> {
        let idle = self.idle.iter().flat_map(|idle| [Some(&idle.close_after), idle.again_after.as_ref()]);
        let promised = self.priorities.values().flat_map(Promise::calendars);
        promised.chain(idle.flatten().map(|term| &term.calendar)).cloned().collect()
    }

    /// How much open time a term is.
    pub fn length(&self, term: &Term) -> TimeDelta {
        self.calendars.length(&term.calendar, term.within)
    }
}

impl Promise {
    /// Without any terms.
    pub fn of(priority: Priority) -> Self {
        Promise { wakes: priority.pages(), ..Promise::default() }
    }

    /// The calendars of its terms.
    pub fn calendars(&self) -> impl Iterator<Item = &CalendarKey> {
        let rca = self.rca.iter().flat_map(|rca| [rca.draft.as_ref(), rca.last.as_ref()]);
        let updates = self.updates.as_ref().map(|updates| &updates.every);
        let terms = [self.response.as_ref(), updates, self.resolution.as_ref()].into_iter().chain(rca);
        terms.flatten().map(|term| &term.calendar)
    }
}

impl Term {
    /// In a calendar.
    pub fn new(within: impl Into<Amount>, calendar: impl Into<CalendarKey>) -> Self {
        Term { within: within.into(), calendar: calendar.into() }
    }
}

/// `30m`, `24h`, `3bd`: days only where a day has 24 hours, and hours as far as people count in them.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.within.seconds(Span::default());
        let days = self.calendar.as_str() == super::calendar::ALWAYS && seconds > 72 * 3600;
        if days || self.within.counts_business_days() || seconds < 86_400 || seconds % 60 > 0 {
            return self.within.fmt(f);
        }
        write!(f, "{}h", seconds / 3600)?;
        match seconds % 3600 / 60 {
            0 => Ok(()),
            minutes => write!(f, "{minutes}m"),
        }
    }
}

/// Around the clock.
impl From<Span> for Term {
    fn from(span: Span) -> Self {
        Term::new(span, super::calendar::ALWAYS)
    }
}

impl Cadence {
    /// Windows around the clock from the report.
    pub fn every(span: Span, remind_before: Span) -> Self {
        Cadence { every: span.into(), from: Anchor::Report, remind_before }
    }
}
