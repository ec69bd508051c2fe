//! How promises start, stand still, go on and end: the arithmetic behind [`super::fold`].

use chrono::TimeDelta;

use super::state::{Deadline, Incident, Rca, Response, Running, Verdict, Waiting, Window};
use crate::{
    clock::Time,
    id::CalendarKey,
    sla::{Anchor, Pausable, Plan, Priority, Promise, Term, calendar::ALWAYS},
};

/// At how many percent of the response time somebody is reminded.
const REMINDERS: [u8; 2] = [50, 80];

/// At how many percent of any other promise somebody is reminded.
const WARNING: u8 = 80;

impl Incident {
    /// Starts the promises of the present priority.
    pub(super) fn promise_from(&mut self, at: Time) {
        let promise = self.plan.promise(self.priority);
        let from = self.clock_start(&promise, at);
        self.begins_at = self.beginning(&promise, from).filter(|begins| *begins > at);
        self.response = self.response_from(&promise, from);
        self.start_updates(&promise, Anchor::Report, from);
        self.resolution = promise.resolution.as_ref().map(|term| deadline(&self.plan, from, term));
    }

    /// When the clocks start of a promise made at `at`.
    fn clock_start(&self, promise: &Promise, at: Time) -> Time {
        self.not_before.filter(|_| promise.scheduled).map_or(at, |wanted| wanted.max(at))
    }

    /// When people are first paged for a promise whose clocks start at `from`.
    fn beginning(&self, promise: &Promise, from: Time) -> Option<Time> {
        let calendar = promise.response.as_ref().map(|term| &term.calendar);
        match calendar {
            Some(calendar) if promise.office_hours || (promise.scheduled && self.not_before.is_some()) => {
                Some(self.plan.calendars.next_open(calendar, from))
            }
            _ => Some(from),
        }
    }

    fn response_from(&self, promise: &Promise, from: Time) -> Response {
        // What is to be scheduled, and was not, is promised nothing yet.
        let owed = promise.response.as_ref().filter(|_| !promise.scheduled || self.not_before.is_some());
        let due = owed.map(|term| self.plan.due(from, term));
        let reminders = match owed {
            Some(term) if !promise.live => {
                REMINDERS.map(|percent| (percent, self.plan.partway(from, term, percent))).into()
            }
            _ => Vec::new(),
        };
        Response { from: Some(from), due, reminders, ..Response::default() }
    }

    /// Starts the windows of updates, if that is where the plan says that they start.
    pub(super) fn start_updates(&mut self, promise: &Promise, anchor: Anchor, from: Time) {
        (self.updates.met, self.updates.reminded) = (false, false);
        self.updates.window = self.updates.past.last().map_or(1, |last| last.number + 1);
        self.updates.running = match &promise.updates {
            Some(cadence) if cadence.from == anchor => self.window_from(promise, from),
            _ => None,
        };
    }

    fn window_from(&self, promise: &Promise, from: Time) -> Option<Running> {
        let cadence = promise.updates.as_ref()?;
        if self.plan.length(&cadence.every) <= TimeDelta::zero() {
            return None;
        }
        let due = self.plan.due(from, &cadence.every);
        Some(Running { from, due, remind_at: self.plan.shortly_before(from, &cadence.every, cadence.remind_before) })
    }

    /// The window that runs ends, and the next begins where it ended.
    pub(super) fn next_window(&mut self, number: u32, due: Time, verdict: Verdict) {
        self.updates.past.push(Window { number, due, verdict });
        self.updates.window = number + 1;
        (self.updates.met, self.updates.reminded) = (false, false);
        self.updates.running = self.window_from(&self.plan.promise(self.priority), due);
    }

    /// The window that runs is over before its end: met if it was, otherwise nobody owes it any more.
    pub(super) fn end_window_early(&mut self) {
        if let Some(running) = self.updates.running.take() {
            let verdict = if self.updates.met { Verdict::Met } else { Verdict::Waived };
            self.next_window(self.updates.window, running.due, verdict);
            self.updates.running = None;
        }
    }

    /// Another priority: what it promises otherwise starts anew.
    pub(super) fn change_priority(&mut self, to: Priority, at: Time) {
        let before = self.plan.promise(self.priority);
        self.priority = to;
        if self.ruled_out.is_some() {
            return;
        }
        let promise = self.plan.promise(to);
        let from = self.clock_start(&promise, at);
        self.begins_at = self.beginning(&promise, from).filter(|begins| *begins > at && self.holder.is_none());
        if promise.updates != before.updates {
            self.end_window_early();
            let anchor = if self.response.met.is_some() { Anchor::Response } else { Anchor::Report };
            self.start_updates(&promise, Anchor::Report, from);
            if anchor == Anchor::Response && self.updates.running.is_none() {
                self.start_updates(&promise, anchor, from);
            }
        }
        // A conversation that was held, or missed, is not undone by a new priority.
        if promise.response != before.response && self.response.met.is_none() && !self.response.missed {
            self.response = self.response_from(&promise, from);
        }
        if promise.resolution != before.resolution {
            self.resolution = promise.resolution.as_ref().map(|term| deadline(&self.plan, from, term));
        }
        if !self.wakes() {
            self.stop_climbing();
        }
    }

    /// The customer is heard again, or we go on without: what stood still goes on with the time it had left.
    pub(super) fn resume(&mut self, at: Time) {
        let Some(Waiting { since, .. }) = self.waiting else { return };
        let promise = self.plan.promise(self.priority);
        let calendars = self.plan.calendars.clone();
        let shifted = |term: Option<&Term>, from: Time, instant: Time| {
            let always = CalendarKey::from(ALWAYS);
            let calendar = term.map_or(&always, |term| &term.calendar);
            calendars.due(calendar, at.max(from), calendars.elapsed(calendar, since.max(from), instant))
        };
        if self.paused(Pausable::Response)
            && self.response.met.is_none()
            && !self.response.missed
            && let (Some(from), Some(due)) = (self.response.from, self.response.due)
        {
            self.response.due = Some(shifted(promise.response.as_ref(), from, due));
            for (_, at) in &mut self.response.reminders {
                *at = shifted(promise.response.as_ref(), from, *at);
            }
        }
        let every = promise.updates.as_ref().map(|cadence| &cadence.every);
        if self.paused(Pausable::Updates)
            && let Some(running) = &mut self.updates.running
        {
            running.remind_at = running.remind_at.map(|at| shifted(every, running.from, at));
            running.due = shifted(every, running.from, running.due);
        }
        if self.paused(Pausable::Resolution)
            && let Some(resolution) = self.resolution.as_mut().filter(|resolution| resolution.is_owed())
        {
            resolution.remind_at = shifted(promise.resolution.as_ref(), resolution.from, resolution.remind_at);
            resolution.due = shifted(promise.resolution.as_ref(), resolution.from, resolution.due);
        }
        self.waiting = None;
    }

    /// The customer was asked for something at `at`: when they are asked again, and when it is closed.
    pub(super) fn schedule_closing(&mut self, at: Time) {
        let (Some(waiting), Some(idle)) = (&mut self.waiting, &self.plan.idle) else { return };
        (waiting.again_at, waiting.warn_at, waiting.close_at) = (None, None, None);
        match &idle.again_after {
            Some(term) if waiting.requests < idle.requests => waiting.again_at = Some(self.plan.due(at, term)),
            _ => {
                waiting.close_at = Some(self.plan.due(at, &idle.close_after));
                waiting.warn_at = self.plan.shortly_before(at, &idle.close_after, idle.warn_before);
            }
        }
    }

    /// It is over: the analysis of its cause is owed from now.
    pub(super) fn promise_rca(&mut self, at: Time) {
        self.rca = self.plan.promise(self.priority).rca.map(|rca| {
            let owed = |term: &Option<Term>| term.as_ref().map(|term| deadline(&self.plan, at, term));
            Rca { draft: owed(&rca.draft), last: owed(&rca.last) }
        });
    }
}

fn deadline(plan: &Plan, from: Time, term: &Term) -> Deadline {
    let (due, remind_at) = (plan.due(from, term), plan.partway(from, term, WARNING));
    Deadline { from, due, remind_at, reminded: false, met: None, missed: false }
}
