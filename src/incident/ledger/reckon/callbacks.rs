//! The promise of a conversation with the customer.

use super::{Actor, Began, Book, Count, Ended, human, stamp};
use crate::{
    clock::Time,
    incident::command::{CONVERSATION_SECONDS, Evidence},
    sla::{Pausable, Promise},
};

/// One promise of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    pub count: Count,
    /// Whether the caller was to be connected at once.
    pub live: bool,
    /// When it was written down as missed.
    pub missed: Option<Time>,
    pub held: Option<Held>,
    /// Why it was not owed any more.
    pub ended: Option<Ended>,
}

impl Callback {
    /// Whether it was kept; `None` while it is open, or when it is not owed any more.
    pub fn kept(&self) -> Option<bool> {
        match (&self.held, self.missed) {
            (Some(held), None) => Some(held.at <= self.count.due),
            (_, Some(_)) => Some(false),
            (None, None) => None,
        }
    }
}

/// A conversation with the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub at: Time,
    pub by: Actor,
    pub evidence: Evidence,
}

impl Book<'_> {
    pub(super) fn promise_callback(&mut self, began: Began, promise: &Promise, from: Time) {
        self.done.now.callback = None;
        let Some(term) = &promise.response else { return };
        // What is to be scheduled, and was not, is promised nothing yet.
        if promise.scheduled && self.not_before.is_none() {
            return;
        }
        let mut count = self.count(began, from, term);
        self.halt(Pausable::Response, &mut count);
        self.done.now.callback = Some(self.done.callbacks.len());
        self.done.callbacks.push(Callback { count, live: promise.live, missed: None, held: None, ended: None });
    }

    /// The promise of a conversation that counts now, kept or not.
    fn callback(&mut self) -> Option<&mut Callback> {
        let place = self.done.now.callback?;
        self.done.callbacks.get_mut(place).filter(|callback| callback.ended.is_none())
    }

    /// The one that runs: until it is settled or ends.
    pub(super) fn owed_callback(&mut self) -> Option<&mut Callback> {
        if self.settled { None } else { self.callback() }
    }

    pub(super) fn responded(&mut self, by: &Actor, evidence: &Evidence, late: bool, at: Time) {
        let promise = self.plan.promise(self.priority);
        match evidence {
            Evidence::Conversation { seconds, .. } if *seconds < CONVERSATION_SECONDS => {
                self.wrong(format!("a conversation of {seconds} s counts as none; it takes {CONVERSATION_SECONDS} s"));
            }
            Evidence::Attested { .. } if !human(by) => self.wrong("nobody attests that the customer was spoken to"),
            Evidence::Connected { .. } if !promise.live => {
                self.wrong("under this plan a conversation counts, not that the call was put through");
            }
            _ => {}
        }
        if !self.open {
            self.wrong("a conversation is recorded for what was closed");
        }
        let plan = self.plan;
        self.overdue_callback(at);
        if let Some(callback) = self.owed_callback() {
            callback.count.settle(plan, at);
        }
        // The first is measured against the promise, also one that was missed; what follows takes nothing back.
        let due = self.callback().map(|callback| (callback.count.due, callback.held.is_none()));
        if let Some((due, _)) = due.filter(|(due, first)| late != (*first && at > *due)) {
            let (said, true_) = if late { ("late", "in time") } else { ("in time", "late") };
            self.wrong(format!("the callback is recorded as {said} but was {true_}: it was due {}", stamp(due)));
        } else if due.is_none() && late {
            self.wrong("a callback is recorded as late where none was promised");
        }
        self.settled = true;
        if let Some(callback) = self.callback() {
            let held = Held { at, by: by.clone(), evidence: evidence.clone() };
            callback.held.get_or_insert(held);
        }
        if !std::mem::replace(&mut self.spoken, true) {
            self.first_conversation(&promise, at);
        }
    }

    pub(super) fn response_missed(&mut self, due: Time, at: Time) {
        let Some(callback) = self.owed_callback() else {
            return self.wrong("a callback is recorded as missed where none was owed");
        };
        let (expected, stands) = (callback.count.due, callback.count.stands());
        callback.missed = Some(at);
        // A verdict; a conversation may still follow.
        self.settled = true;
        if stands {
            self.wrong("the callback is recorded as missed while its clock stood still");
        }
        if due != expected {
            self.wrong(format!("the missed callback was due {}, not {}", stamp(expected), stamp(due)));
        }
        if at < expected {
            self.wrong(format!("the callback is recorded as missed before it was due, {}", stamp(expected)));
        }
    }

    pub(super) fn end_callback(&mut self, ended: Ended, until: Time) {
        self.overdue_callback(until);
        let plan = self.plan;
        if let Some(callback) = self.owed_callback() {
            callback.count.settle(plan, ended.at);
            callback.ended = Some(ended);
        }
    }

    pub(super) fn overdue_callback(&mut self, now: Time) {
        let late = self.owed_callback().filter(|callback| callback.count.is_over(now));
        if let Some(due) = late.map(|callback| callback.count.due) {
            self.wrong(format!("the callback due {} was neither made nor recorded as missed", stamp(due)));
        }
    }
}
