//! So much open time, counted from an instant, standing still while we wait on the customer.

use chrono::{Datelike, TimeDelta};

use super::{Actor, Book};
use crate::{
    clock::Time,
    sla::{Plan, Priority, Term},
};

/// What a promise began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Began {
    Reported,
    Reopened,
    /// The team came back to what had been ruled out.
    Reengaged,
    Priority,
    /// The first conversation.
    Spoken,
    /// The window before it ended.
    Chained,
    Resolved,
}

/// How a promise is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub began: Began,
    pub priority: Priority,
    pub from: Time,
    pub term: Term,
    /// With the time added that it stood still.
    pub due: Time,
    /// When it stood still, oldest first.
    pub pauses: Vec<Pause>,
}

/// The clock stood still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub since: Time,
    /// `None`: it does still.
    pub until: Option<Time>,
    /// How much open time was left.
    pub left: TimeDelta,
    /// When it would have been due without.
    pub was_due: Time,
    pub by: Actor,
    /// What the customer was asked.
    pub reason: String,
    /// Whether the promise was settled meanwhile, so that it never went on.
    pub settled: bool,
}

impl Count {
    /// Whether it stands still.
    pub fn stands(&self) -> bool {
        self.pauses.last().is_some_and(|pause| pause.until.is_none())
    }

    /// Whether it ran out before `now`.
    pub fn is_over(&self, now: Time) -> bool {
        !self.stands() && self.due < now
    }

    /// When it is due as a clock shows it that takes no notice of a pause in which the promise was settled.
    pub(in super::super) fn shown_due(&self) -> Time {
        self.pauses.last().filter(|pause| pause.settled).map_or(self.due, |pause| pause.was_due)
    }

    /// Stands still from `since` on, or from its own beginning.
    pub(super) fn halt(&mut self, plan: &Plan, since: Time, by: &Actor, reason: &str) {
        if self.stands() {
            return;
        }
        let since = since.max(self.from);
        let left = plan.calendars.elapsed(&self.term.calendar, since, self.due);
        let (by, reason) = (by.clone(), reason.to_owned());
        self.pauses.push(Pause { since, until: None, left, was_due: self.due, by, reason, settled: false });
    }

    /// Goes on with the time it had left.
    pub(super) fn go_on(&mut self, plan: &Plan, at: Time) {
        let Some(pause) = self.pauses.last_mut().filter(|pause| pause.until.is_none()) else { return };
        pause.until = Some(at.max(pause.since));
        self.due = plan.calendars.due(&self.term.calendar, at.max(self.from), pause.left);
    }

    /// The promise is settled, or not owed any more: it stands still no longer.
    pub(super) fn settle(&mut self, plan: &Plan, at: Time) {
        if self.stands() {
            self.go_on(plan, at);
            self.pauses.iter_mut().for_each(|pause| pause.settled = pause.until == Some(at.max(pause.since)));
        }
    }
}

impl Book<'_> {
    /// The count of a term; a contradiction when it ends at no time there is.
    pub(super) fn count(&mut self, began: Began, from: Time, term: &Term) -> Count {
        let due = self.plan.due(from, term);
        if due.year() > 9999 {
            self.wrong("something is promised for no time there is");
        }
        Count { began, priority: self.priority, from, term: term.clone(), due, pauses: Vec::new() }
    }
}
