//! The checkers: one file an invariant. Each looks at every commit as it is made, and at the whole world at its end.

mod accepted;
mod chain;
mod dropped;
pub(super) mod gravest;
mod human;
mod lattice;
pub(super) mod liveness;
mod missed;
mod next_action;
mod pages;
mod pinned;
mod timers;

use std::rc::Rc;

use super::{disk::Book, transaction::Origin, world::World};
use crate::{
    incident::{Recorded, ledger::Hash},
    paging::Attempt,
};

/// The invariants that are checked, as ARCHITECTURE.md numbers them; the last follows from all of them.
pub const INVARIANTS: &[&str] = &[
    accepted::NAME,
    dropped::NAME,
    human::NAME,
    pages::NAME,
    timers::NAME,
    next_action::NAME,
    missed::NAME,
    pinned::NAME,
    chain::NAME,
    lattice::NAME,
    gravest::NAME,
    liveness::NAME,
];

/// An event and its hash.
type Line = Rc<(Recorded, Hash)>;

/// A look at the whole world.
type Check<'a> = dyn Fn(&World) -> Result<(), String> + 'a;

/// What a commit changed in one row.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Book(Option<Rc<Book>>, Rc<Book>),
    Attempt(Option<Rc<Attempt>>, Rc<Attempt>),
}

/// A commit, as somebody sees it who knows the truth.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub node: usize,
    pub origin: Origin,
    pub changes: Vec<Change>,
}

impl Commit {
    /// The incidents that changed: before, after, and what was appended.
    pub fn books(&self) -> impl Iterator<Item = (Option<&Book>, &Book, &[Line])> {
        self.changes.iter().filter_map(|change| match change {
            Change::Book(before, after) => {
                let known = before.as_ref().map_or(0, |before| before.events.len());
                Some((before.as_deref(), &**after, after.events.get(known..).unwrap_or_default()))
            }
            Change::Attempt(..) => None,
        })
    }

    /// The attempts that changed.
    pub fn attempts(&self) -> impl Iterator<Item = (Option<&Attempt>, &Attempt)> {
        self.changes.iter().filter_map(|change| match change {
            Change::Attempt(before, after) => Some((before.as_deref(), &**after)),
            Change::Book(..) => None,
        })
    }

    /// For the trace.
    pub fn words(&self) -> String {
        let mut words = format!("node {} commits ({:?})", self.node, self.origin);
        for (_, book, news) in self.books() {
            for line in news {
                let event = serde_json::to_value(&line.0.event).unwrap_or_default();
                let mut said = event.to_string();
                if event["event"] == "opened" {
                    said = format!("opened {} {}", event["report"]["priority"], event["report"]["title"]);
                }
                words.push_str(&format!("\n             {} {} {said}", book.incident.id, line.0.seq));
            }
        }
        for (_, attempt) in self.attempts() {
            words.push_str(&format!(
                "\n             {} {:?} {} {:?} {:?} tries {} sends {} by {:?} {:?}",
                attempt.id,
                attempt.priority,
                attempt.channel.as_str(),
                attempt.stage,
                attempt.outcome,
                attempt.tries,
                attempt.sends,
                attempt.leased_by,
                attempt.status
            ));
        }
        words
    }
}

/// What a checker says that found something: the invariant, and what was found.
pub(super) type Found = Result<(), (&'static str, String)>;

/// What the checkers remember.
#[derive(Default)]
pub(super) struct Checks {
    pub accepted: accepted::Log,
    chain: chain::Witness,
}

impl Checks {
    pub fn committed(&mut self, commit: &Commit, world: &World) -> Found {
        let named = |name: &'static str, found: Result<(), String>| found.map_err(|what| (name, what));
        named(human::NAME, human::committed(commit))?;
        named(lattice::NAME, lattice::committed(commit))?;
        named(timers::NAME, timers::committed(commit))?;
        named(next_action::NAME, next_action::committed(commit, world))?;
        named(dropped::NAME, dropped::committed(commit, world))?;
        named(pages::NAME, pages::committed(commit, world))?;
        named(liveness::NAME, liveness::committed(commit, world))?;
        named(chain::NAME, self.chain.committed(commit))
    }
}

/// Looks at the whole world at its end.
pub(super) fn ended(world: &mut World) {
    let checks = std::mem::take(&mut world.checks);
    let all: [(&'static str, &Check<'_>); 8] = [
        (accepted::NAME, &|world| checks.accepted.ended(world)),
        (chain::NAME, &|world| checks.chain.ended(world)),
        (missed::NAME, &missed::ended),
        (pinned::NAME, &pinned::ended),
        (pages::NAME, &pages::ended),
        (next_action::NAME, &next_action::ended),
        (dropped::NAME, &dropped::ended),
        (liveness::NAME, &liveness::ended),
    ];
    for (name, check) in all {
        if world.failure.is_some() {
            return;
        }
        if let Err(what) = check(world) {
            world.fail(name, what);
        }
    }
}
