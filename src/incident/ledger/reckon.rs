//! Every promise of an incident worked out again from its events and the plan they carry.
//!
//! This is arithmetic of its own: it shares no code with what recorded the verdicts (`fold`, `promises`, `due`,
//! `acts`), so that a mistake there, or a history made up, shows as a contradiction here. Only the calendars are the
//! same: what they answer is proved against a count of every minute.

mod callbacks;
mod count;
mod deadlines;
mod idle;
mod list;
mod windows;

use chrono::TimeDelta;

pub use callbacks::{Callback, Held};
pub use count::{Began, Count, Pause};
pub use deadlines::{Deadline, Done};
pub use idle::{Asked, Wait, WaitEnd};
pub use list::{Kind, Promised, Verdict};
pub use windows::{End, Given, Window};

use super::super::{
    command::{Actor, RcaStage, Report},
    event::{Event, Recorded},
};
use crate::{
    clock::Time,
    sla::{Plan, Priority, Promise},
};

/// How long after it is due a promise may be without a verdict: the server writes it down within a second, and after
/// down time at its start.
const GRACE: TimeDelta = TimeDelta::minutes(1);

/// Every promise, how it ended, and what does not add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reckoning {
    pub callbacks: Vec<Callback>,
    pub windows: Vec<Window>,
    /// The end, and the analyses of the cause.
    pub deadlines: Vec<Deadline>,
    /// Each time we waited on the customer.
    pub waits: Vec<Wait>,
    pub contradictions: Vec<Contradiction>,
    /// Which of them count now.
    pub(super) now: Now,
}

/// The places of the promises that count now, kept or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Now {
    pub callback: Option<usize>,
    pub resolution: Option<usize>,
    pub draft: Option<usize>,
    pub last: Option<usize>,
}

/// Something that cannot be true under the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The event that says it, or the last one where something is missing.
    pub seq: u64,
    /// In plain words.
    pub what: String,
}

impl std::fmt::Display for Contradiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "event {}: {}", self.seq, self.what)
    }
}

/// What ended a promise before it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub at: Time,
    pub why: Why,
}

/// Why a promise ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Resolved,
    Cancelled,
    /// Closed because the customer no longer answered.
    Idle,
    /// The trouble is not ours.
    RuledOut,
    /// Opened again: an analysis of the cause would be of half the trouble.
    Reopened,
    Priority {
        to: Priority,
    },
}

/// Works out every promise as of an instant.
pub fn reckon(events: &[Recorded], as_of: Time) -> Reckoning {
    let Some((Recorded { seq, at, event: Event::Opened { report } }, rest)) = events.split_first() else {
        let contradictions = vec![Contradiction { seq: 1, what: "the history does not begin with a report".into() }];
        return Reckoning { contradictions, ..Reckoning::default() };
    };
    let mut book = Book::open(report, *seq, *at);
    for recorded in rest {
        book.seq = recorded.seq;
        book.take(&recorded.event, recorded.at);
    }
    if let Some(as_of) = as_of.checked_sub_signed(GRACE) {
        book.overdue(as_of);
    }
    book.done
}

struct Book<'a> {
    plan: &'a Plan,
    /// The customer wants nothing done before this.
    not_before: Option<Time>,
    priority: Priority,
    open: bool,
    ruled_out: bool,
    seq: u64,
    /// When people are first paged, if that is still to come.
    begins: Option<Time>,
    /// Whether a conversation is recorded since the promises began; and whether that, or its lack, is.
    spoken: bool,
    settled: bool,
    last_text: Option<&'a str>,
    done: Reckoning,
}

impl<'a> Book<'a> {
    fn open(report: &'a Report, seq: u64, at: Time) -> Book<'a> {
        let mut book = Book {
            plan: &report.plan,
            not_before: report.not_before,
            priority: report.priority,
            open: true,
            ruled_out: false,
            seq,
            begins: None,
            spoken: false,
            settled: false,
            last_text: None,
            done: Reckoning::default(),
        };
        book.promise(Began::Reported, at);
        book
    }

    fn wrong(&mut self, what: impl Into<String>) {
        self.done.contradictions.push(Contradiction { seq: self.seq, what: what.into() });
    }

    /// Everything that the plan promises for the present priority, from now.
    fn promise(&mut self, began: Began, at: Time) {
        let promise = self.plan.promise(self.priority);
        let from = self.starts(&promise, at);
        self.begins = self.beginning(&promise, from, at);
        (self.spoken, self.settled) = (false, false);
        self.promise_callback(began, &promise, from);
        self.promise_updates(began, &promise, from);
        self.promise_resolution(began, &promise, from);
    }

    /// When the clocks of a promise start.
    fn starts(&self, promise: &Promise, at: Time) -> Time {
        match self.not_before {
            Some(wanted) if promise.scheduled && wanted > at => wanted,
            _ => at,
        }
    }

    /// When people are first paged, if not at once: when the calendar of the callback opens.
    fn beginning(&self, promise: &Promise, from: Time, at: Time) -> Option<Time> {
        let begins = match &promise.response {
            Some(term) if promise.office_hours || (promise.scheduled && self.not_before.is_some()) => {
                self.plan.calendars.next_open(&term.calendar, from)
            }
            _ => from,
        };
        (begins > at).then_some(begins)
    }

    fn take(&mut self, event: &'a Event, at: Time) {
        match event {
            Event::Opened { .. } => self.wrong("it was opened a second time"),
            Event::Begun { due } => self.begun(*due, at),
            Event::Acknowledged { .. } => self.begins = None,
            Event::Responded { by, evidence, late } => self.responded(by, evidence, *late, at),
            Event::ResponseMissed { due } => self.response_missed(*due, at),
            Event::Updated { by, text, customer_visible, window, counts, .. } => {
                self.updated(by, text, *customer_visible, (*window, *counts), at)
            }
            Event::UpdateReminded { window, due } => self.update_reminded(*window, *due),
            Event::UpdateMet { window, due } => self.window_over(*window, *due, true, at),
            Event::UpdateMissed { window, due } => self.window_over(*window, *due, false, at),
            Event::PriorityChanged { from, to, .. } => self.reprioritised(*from, *to, at),
            Event::WaitingOnCustomer { by, reason } => self.waits(by, reason, at),
            Event::CustomerAsked { request } => self.asked_again(*request, at),
            Event::Resumed { .. } => self.resumed(true, at),
            Event::CustomerReplied { .. } => self.resumed(false, at),
            Event::IdleWarned { closes_at } => self.warned(*closes_at, at),
            Event::ClosedIdle { due } => self.closed_idle(*due, at),
            Event::RuledOut { by, .. } => self.rule_out(by, at),
            Event::Reengaged { .. } => self.reengaged(at),
            Event::ResolutionReminded { due } => self.deadline_reminded(Kind::Resolution, *due),
            Event::ResolutionMissed { due } => self.deadline_missed(Kind::Resolution, *due, at),
            Event::RcaReminded { stage, due } => self.deadline_reminded(kind(*stage), *due),
            Event::RcaMissed { stage, due } => self.deadline_missed(kind(*stage), *due, at),
            Event::RcaDelivered { by, stage, late, .. } => self.delivered(by, *stage, *late, at),
            Event::Resolved { by, .. } => self.resolved(by, at),
            Event::Cancelled { .. } => self.close(Why::Cancelled, at, at),
            Event::Reopened { .. } => self.reopened(at),
            _ => {}
        }
    }

    /// People are paged now for what waited.
    fn begun(&mut self, due: Time, at: Time) {
        match self.begins.take() {
            Some(begins) if begins != due => {
                self.wrong(format!("work was to begin {}, not {}", stamp(begins), stamp(due)));
            }
            Some(begins) if at < begins => self.wrong(format!("work began before it was to, {}", stamp(begins))),
            Some(_) => {}
            None => self.wrong("work is recorded as beginning where nothing had waited"),
        }
    }

    fn reprioritised(&mut self, from: Priority, to: Priority, at: Time) {
        if from != self.priority {
            self.wrong(format!("the priority was {}, not {from}", self.priority));
        }
        let (before, after) = (self.plan.promise(self.priority), self.plan.promise(to));
        self.priority = to;
        if self.ruled_out {
            return;
        }
        let start = self.starts(&after, at);
        self.begins = self.beginning(&after, start, at);
        let ended = Ended { at, why: Why::Priority { to } };
        if before.updates != after.updates {
            self.end_window(ended, at);
            self.promise_updates(Began::Priority, &after, start);
        }
        if before.response != after.response && !self.settled {
            self.end_callback(ended, at);
            self.promise_callback(Began::Priority, &after, start);
        }
        if before.resolution != after.resolution {
            self.end_deadline(self.done.now.resolution, ended, at);
            self.promise_resolution(Began::Priority, &after, start);
        }
    }

    fn rule_out(&mut self, by: &Actor, at: Time) {
        if !self.plan.rule_out {
            self.wrong("it was ruled out, which the plan does not allow");
        }
        if !human(by) {
            self.wrong("nobody stands for it that it was ruled out");
        }
        if !self.open || self.ruled_out {
            self.wrong("it was ruled out where nobody was on it");
        }
        self.end_all(Ended { at, why: Why::RuledOut }, at);
        self.ruled_out = true;
        self.begins = None;
    }

    fn reengaged(&mut self, at: Time) {
        if !self.ruled_out {
            self.wrong("the team is recorded as coming back to what it had not left");
        }
        self.ruled_out = false;
        self.promise(Began::Reengaged, at);
    }

    fn resolved(&mut self, by: &Actor, at: Time) {
        self.resolution_met(by, at);
        self.close(Why::Resolved, at, at);
        self.promise_analysis(at);
    }

    fn reopened(&mut self, at: Time) {
        if self.open {
            self.wrong("it was opened again while it was open");
        }
        let ended = Ended { at, why: Why::Reopened };
        for place in [self.done.now.draft.take(), self.done.now.last.take()] {
            self.end_deadline(place, ended, at);
        }
        self.open = true;
        self.promise(Began::Reopened, at);
    }

    /// It is over. `until`: up to when every promise that ran out must have its verdict.
    fn close(&mut self, why: Why, at: Time, until: Time) {
        if !self.open {
            self.wrong("it was closed a second time");
        }
        self.end_all(Ended { at, why }, until);
        (self.open, self.ruled_out, self.begins) = (false, false, None);
    }

    fn end_all(&mut self, ended: Ended, until: Time) {
        self.end_window(ended, until);
        let unsettled = !self.settled;
        self.end_callback(ended, until);
        self.end_deadline(self.done.now.resolution, ended, until);
        if ended.why == Why::RuledOut {
            self.done.now.resolution = None;
            if unsettled {
                self.done.now.callback = None;
            }
        }
        self.end_wait(ended);
    }

    /// What should have its verdict by now.
    fn overdue(&mut self, now: Time) {
        self.overdue_window(now);
        self.overdue_callback(now);
        let Now { resolution, draft, last, .. } = self.done.now;
        for place in [resolution, draft, last] {
            self.overdue_deadline(place, now);
        }
    }
}

fn kind(stage: RcaStage) -> Kind {
    match stage {
        RcaStage::Draft => Kind::RcaDraft,
        RcaStage::Final => Kind::RcaFinal,
    }
}

fn human(actor: &Actor) -> bool {
    matches!(actor, Actor::Person(_))
}

fn stamp(at: Time) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
