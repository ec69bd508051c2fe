//! Promises with one due instant: the end, and the analyses of its cause.

use super::{Actor, Began, Book, Count, Ended, Kind, human, kind, stamp};
use crate::{
    clock::Time,
    incident::command::RcaStage,
    sla::{Pausable, Promise},
};

/// A promise with one due instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Never a callback or an update.
    pub kind: Kind,
    pub count: Count,
    /// When it was written down as missed.
    pub missed: Option<Time>,
    pub done: Option<Done>,
    /// Why it was not owed any more.
    pub ended: Option<Ended>,
}

/// What was promised was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub at: Time,
    pub by: Actor,
    /// Whether the final analysis stood in for the draft.
    pub by_final: bool,
}

impl Deadline {
    /// Whether it is neither kept nor missed yet.
    pub fn is_owed(&self) -> bool {
        self.done.is_none() && self.missed.is_none() && self.ended.is_none()
    }
}

impl Book<'_> {
    pub(super) fn promise_resolution(&mut self, began: Began, promise: &Promise, from: Time) {
        self.done.now.resolution = None;
        if let Some(term) = &promise.resolution {
            let mut count = self.count(began, from, term);
            self.halt(Pausable::Resolution, &mut count);
            self.done.now.resolution = Some(self.deadline(Kind::Resolution, count));
        }
    }

    /// It is over: what the plan promises from here.
    pub(super) fn promise_analysis(&mut self, at: Time) {
        let Some(rca) = self.plan.promise(self.priority).rca else { return };
        if let Some(term) = &rca.draft {
            let count = self.count(Began::Resolved, at, term);
            self.done.now.draft = Some(self.deadline(Kind::RcaDraft, count));
        }
        if let Some(term) = &rca.last {
            let count = self.count(Began::Resolved, at, term);
            self.done.now.last = Some(self.deadline(Kind::RcaFinal, count));
        }
    }

    fn deadline(&mut self, kind: Kind, count: Count) -> usize {
        self.done.deadlines.push(Deadline { kind, count, missed: None, done: None, ended: None });
        self.done.deadlines.len() - 1
    }

    fn place(&self, kind: Kind) -> Option<usize> {
        match kind {
            Kind::Resolution => self.done.now.resolution,
            Kind::RcaDraft => self.done.now.draft,
            Kind::RcaFinal => self.done.now.last,
            Kind::Response | Kind::Update(_) => None,
        }
    }

    fn at_place(&mut self, place: Option<usize>) -> Option<&mut Deadline> {
        self.done.deadlines.get_mut(place?)
    }

    pub(super) fn owed_deadline(&mut self, place: Option<usize>) -> Option<&mut Deadline> {
        self.at_place(place).filter(|deadline| deadline.is_owed())
    }

    pub(super) fn deadline_reminded(&mut self, kind: Kind, due: Time) {
        let place = self.place(kind);
        match self.owed_deadline(place).map(|deadline| deadline.count.due) {
            Some(expected) if expected == due => {}
            Some(expected) => {
                self.wrong(format!("a reminder says that {kind} was due {}, not {}", stamp(due), stamp(expected)));
            }
            None => self.wrong(format!("somebody was reminded of {kind} where that was not owed")),
        }
    }

    pub(super) fn deadline_missed(&mut self, kind: Kind, due: Time, at: Time) {
        let place = self.place(kind);
        let Some(deadline) = self.owed_deadline(place) else {
            return self.wrong(format!("{kind} is recorded as missed where that was not owed"));
        };
        let (expected, stands) = (deadline.count.due, deadline.count.stands());
        deadline.missed = Some(at);
        if stands {
            self.wrong(format!("{kind} is recorded as missed while its clock stood still"));
        }
        if due != expected {
            self.wrong(format!("{kind} was due {}, not {}", stamp(expected), stamp(due)));
        }
        if at < expected {
            self.wrong(format!("{kind} is recorded as missed before it was due, {}", stamp(expected)));
        }
    }

    pub(super) fn resolution_met(&mut self, by: &Actor, at: Time) {
        self.deadline_done(self.done.now.resolution, by, false, at);
    }

    /// What was promised is done, in time or, after it was recorded as missed, late.
    fn deadline_done(&mut self, place: Option<usize>, by: &Actor, by_final: bool, at: Time) {
        self.overdue_deadline(place, at);
        let plan = self.plan;
        if let Some(deadline) = self.at_place(place).filter(|deadline| deadline.ended.is_none()) {
            deadline.count.settle(plan, at);
            deadline.done.get_or_insert(Done { at, by: by.clone(), by_final });
        }
    }

    pub(super) fn delivered(&mut self, by: &Actor, stage: RcaStage, late: bool, at: Time) {
        if !human(by) {
            self.wrong("nobody stands for the analysis of the cause");
        }
        let kind = kind(stage);
        let place = self.place(kind);
        let Some(due) = self.at_place(place).map(|deadline| deadline.count.due) else {
            return self.wrong(format!("{kind} is recorded as delivered where none was promised"));
        };
        if late != (at > due) {
            let (said, true_) = if late { ("late", "in time") } else { ("in time", "late") };
            self.wrong(format!("{kind} is recorded as {said} but was {true_}: it was due {}", stamp(due)));
        }
        self.deadline_done(place, by, false, at);
        if stage == RcaStage::Final {
            // Whoever has the final revision needs no draft.
            self.deadline_done(self.done.now.draft, by, true, at);
        }
    }

    pub(super) fn end_deadline(&mut self, place: Option<usize>, ended: Ended, until: Time) {
        self.overdue_deadline(place, until);
        let plan = self.plan;
        if let Some(deadline) = self.owed_deadline(place) {
            deadline.count.settle(plan, ended.at);
            deadline.ended = Some(ended);
        }
    }

    pub(super) fn overdue_deadline(&mut self, place: Option<usize>, now: Time) {
        let late = self.owed_deadline(place).filter(|deadline| deadline.count.is_over(now));
        if let Some((kind, due)) = late.map(|deadline| (deadline.kind, deadline.count.due)) {
            self.wrong(format!("{kind}, due {}, was neither done nor recorded as missed", stamp(due)));
        }
    }
}
