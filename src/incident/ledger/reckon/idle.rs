//! Waiting on the customer: what stands still meanwhile, and when a silent customer's incident is closed.

use super::{Actor, Book, Count, Ended, Why, human, stamp};
use crate::{
    clock::Time,
    sla::{Pausable, Term},
};

/// We waited on the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    pub since: Time,
    pub by: Actor,
    /// What was asked first.
    pub reason: String,
    /// Every request, the first included.
    pub asked: Vec<Asked>,
    /// When the customer is to be asked again, if that is what comes next.
    pub again_at: Option<Time>,
    /// When it is closed, if that is what comes next; and from when on the customer may be told so.
    pub close_at: Option<Time>,
    warn_at: Option<Time>,
    /// When the customer was told that it will be closed.
    pub warned: Option<Time>,
    pub end: Option<WaitEnd>,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub at: Time,
    /// What the next step counts: its term, from here.
    pub term: Option<Term>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// The customer answered.
    Answered(Time),
    /// We went on without.
    Resumed(Time),
    /// The incident ended, or nobody was on it any more.
    Ended(Ended),
}

impl Book<'_> {
    pub(super) fn waiting(&mut self) -> Option<&mut Wait> {
        self.done.waits.last_mut().filter(|wait| wait.end.is_none())
    }

    /// A clock that starts while we wait stands still at once, if the plan says that it does.
    pub(super) fn halt(&mut self, clock: Pausable, count: &mut Count) {
        if self.plan.pauses.contains(&clock)
            && let Some(Wait { since, by, reason, .. }) = self.waiting().cloned()
        {
            count.halt(self.plan, since, &by, &reason);
        }
    }

    pub(super) fn waits(&mut self, by: &Actor, reason: &str, at: Time) {
        if !self.open {
            self.wrong("nobody waits on the customer for what was closed");
        }
        if !human(by) || reason.trim().is_empty() {
            self.wrong("it takes a person and a reason to wait on the customer");
        }
        if self.waiting().is_none() {
            // What ran out before stands still no more.
            self.overdue(at);
            self.done.waits.push(Wait {
                since: at,
                by: by.clone(),
                reason: reason.to_owned(),
                asked: Vec::new(),
                again_at: None,
                close_at: None,
                warn_at: None,
                warned: None,
                end: None,
            });
            self.halt_all(at, by, reason);
        }
        self.ask(at);
    }

    fn halt_all(&mut self, at: Time, by: &Actor, reason: &str) {
        let plan = self.plan;
        if plan.pauses.contains(&Pausable::Response)
            && let Some(callback) = self.owed_callback()
        {
            callback.count.halt(plan, at, by, reason);
        }
        if plan.pauses.contains(&Pausable::Updates)
            && let Some(window) = self.running()
        {
            window.count.halt(plan, at, by, reason);
        }
        let resolution = self.done.now.resolution;
        if plan.pauses.contains(&Pausable::Resolution)
            && let Some(deadline) = self.owed_deadline(resolution)
        {
            deadline.count.halt(plan, at, by, reason);
        }
    }

    /// The customer was asked, for the first time or again: what comes next, and when.
    fn ask(&mut self, at: Time) {
        let plan = self.plan;
        let Some(wait) = self.waiting() else { return };
        let asked = wait.asked.len() + 1;
        (wait.again_at, wait.close_at, wait.warn_at, wait.warned) = (None, None, None, None);
        let term = plan.idle.as_ref().map(|idle| match &idle.again_after {
            Some(again) if asked < usize::from(idle.requests) => {
                wait.again_at = Some(plan.due(at, again));
                again.clone()
            }
            _ => {
                wait.close_at = Some(plan.due(at, &idle.close_after));
                wait.warn_at = plan.shortly_before(at, &idle.close_after, idle.warn_before);
                idle.close_after.clone()
            }
        });
        wait.asked.push(Asked { at, term });
    }

    pub(super) fn asked_again(&mut self, request: u8, at: Time) {
        let Some((asked, again_at)) = self.waiting().map(|wait| (wait.asked.len(), wait.again_at)) else {
            return self.wrong("the customer is recorded as asked again where nobody waited on them");
        };
        let number = u8::try_from(asked + 1).unwrap_or(u8::MAX);
        if request != number {
            self.wrong(format!("this was request {number}, not {request}"));
        }
        match again_at {
            Some(again_at) if at < again_at => {
                self.wrong(format!("the customer was asked again before the plan says, {}", stamp(again_at)));
            }
            Some(_) => {}
            None => self.wrong("the customer was asked once more than the plan says"),
        }
        self.ask(at);
    }

    pub(super) fn warned(&mut self, closes_at: Time, at: Time) {
        let Some(Wait { close_at, warn_at, warned, .. }) = self.waiting() else {
            return self.wrong("the customer is recorded as told of the closing where nobody waited on them");
        };
        warned.get_or_insert(at);
        let (close_at, warn_at) = (*close_at, warn_at.take());
        match close_at {
            Some(expected) if expected == closes_at => {}
            Some(expected) => self.wrong(format!(
                "the customer was told that it is closed {}, not {}",
                stamp(closes_at),
                stamp(expected)
            )),
            None => self.wrong("the customer was told of a closing where none was to come"),
        }
        match warn_at {
            Some(warn_at) if at < warn_at => {
                self.wrong(format!("the customer was told of the closing before the plan says, {}", stamp(warn_at)));
            }
            Some(_) => {}
            None => self.wrong("the customer was told of the closing where the plan does not say so"),
        }
    }

    pub(super) fn closed_idle(&mut self, due: Time, at: Time) {
        match self.waiting().map(|wait| wait.close_at) {
            None => self.wrong("it was closed for want of an answer where nobody waited on the customer"),
            Some(None) => self.wrong("it was closed for want of an answer where the plan does not say so"),
            Some(Some(expected)) => {
                if due != expected {
                    self.wrong(format!("it was to be closed {}, not {}", stamp(expected), stamp(due)));
                }
                if at < expected {
                    self.wrong(format!("it was closed before the plan says, {}", stamp(expected)));
                }
            }
        }
        // What ran out after it should have been closed was not owed any more, however late that was done.
        self.close(Why::Idle, at, due.min(at));
    }

    /// Somebody goes on, or the customer said something: what stood still goes on with the time it had left.
    pub(super) fn resumed(&mut self, by_us: bool, at: Time) {
        let Some(wait) = self.waiting() else {
            if by_us {
                self.wrong("it is recorded as going on where nobody waited on the customer");
            }
            return;
        };
        wait.end = Some(if by_us { WaitEnd::Resumed(at) } else { WaitEnd::Answered(at) });
        let plan = self.plan;
        if let Some(callback) = self.owed_callback() {
            callback.count.go_on(plan, at);
        }
        if let Some(window) = self.running() {
            window.count.go_on(plan, at);
        }
        let resolution = self.done.now.resolution;
        if let Some(deadline) = self.owed_deadline(resolution) {
            deadline.count.go_on(plan, at);
        }
    }

    pub(super) fn end_wait(&mut self, ended: Ended) {
        if let Some(wait) = self.waiting() {
            wait.end = Some(WaitEnd::Ended(ended));
        }
    }
}
