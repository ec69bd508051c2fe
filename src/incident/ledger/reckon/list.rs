//! All promises of an incident in one list, whatever they are about.

use std::fmt;

use serde::Serialize;

use super::{Callback, Count, Deadline, End, Ended, Reckoning, Window};
use crate::{clock::Time, sla::Priority};

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A conversation with the customer.
    Response,
    /// The progress update of this window.
    Update(u32),
    Resolution,
    RcaDraft,
    RcaFinal,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Response => f.write_str("the callback"),
            Kind::Update(window) => write!(f, "update {window}"),
            Kind::Resolution => f.write_str("the end"),
            Kind::RcaDraft => f.write_str("the draft analysis of the cause"),
            Kind::RcaFinal => f.write_str("the final analysis of the cause"),
        }
    }
}

/// How a promise stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Done in time.
    Kept,
    /// Done after it was due.
    Late,
    /// Due, and not done.
    Missed,
    /// Not owed any more before it was due.
    Waived,
    /// It runs.
    Open,
}

/// One promise and how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Promised {
    pub kind: Kind,
    /// Whose promise it is: the incident's priority when it began.
    pub priority: Priority,
    pub from: Time,
    /// With the time added that its clock stood still.
    pub due: Time,
    pub verdict: Verdict,
    /// When it was done (kept, late) or was not owed any more (waived); none for one that is missed or open.
    pub at: Option<Time>,
}

impl Reckoning {
    /// Every promise there was, in the order in which they are due.
    pub fn promises(&self) -> Vec<Promised> {
        let callbacks = self.callbacks.iter().map(Callback::promised);
        let windows = self.windows.iter().map(Window::promised);
        let deadlines = self.deadlines.iter().map(Deadline::promised);
        let mut promises: Vec<_> = callbacks.chain(windows).chain(deadlines).collect();
        promises.sort_by_key(|promise| promise.due);
        promises
    }
}

impl Callback {
    /// As one of all promises.
    pub fn promised(&self) -> Promised {
        let standing = standing(self.held.as_ref().map(|held| held.at), self.missed, self.ended);
        listed(Kind::Response, &self.count, standing)
    }
}

impl Window {
    /// As one of all promises.
    pub fn promised(&self) -> Promised {
        let given = self.given.as_ref().map(|given| given.at);
        let standing = match self.end {
            End::Open => (Verdict::Open, None),
            End::Met => (Verdict::Kept, given),
            End::Missed(_) => (Verdict::Missed, None),
            End::Waived(ended) => (Verdict::Waived, Some(ended.at)),
        };
        listed(Kind::Update(self.number), &self.count, standing)
    }
}

impl Deadline {
    /// As one of all promises.
    pub fn promised(&self) -> Promised {
        let standing = standing(self.done.as_ref().map(|done| done.at), self.missed, self.ended);
        listed(self.kind, &self.count, standing)
    }
}

fn standing(done: Option<Time>, missed: Option<Time>, ended: Option<Ended>) -> (Verdict, Option<Time>) {
    match (done, missed, ended) {
        (Some(at), None, _) => (Verdict::Kept, Some(at)),
        (Some(at), Some(_), _) => (Verdict::Late, Some(at)),
        (None, Some(_), _) => (Verdict::Missed, None),
        (None, None, Some(ended)) => (Verdict::Waived, Some(ended.at)),
        (None, None, None) => (Verdict::Open, None),
    }
}

fn listed(kind: Kind, count: &Count, (verdict, at): (Verdict, Option<Time>)) -> Promised {
    Promised { kind, priority: count.priority, from: count.from, due: count.due, verdict, at }
}
