//! What the database holds, and what of it is safe.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    clock::Time,
    id::{AttemptId, IncidentId, PageId},
    incident::{Incident, Recorded, ledger::Hash},
    paging::Attempt,
    sla::Priority,
};

/// An incident as it is kept: its events with their hashes, and the projection beside them.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pub incident: Incident,
    pub events: Vec<Rc<(Recorded, Hash)>>,
}

/// A row of the timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timer {
    pub due_at: Time,
    pub wake_at: Time,
}

/// What a sender's key means: its incident, and the gravest that it ever said.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub incident: IncidentId,
    pub reported: Priority,
}

/// One row, with what it says now; `None`: it is not there.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Book(IncidentId, Option<Rc<Book>>),
    Timer(IncidentId, Option<Timer>),
    Attempt(AttemptId, Option<Rc<Attempt>>),
    Key(String, Option<Rc<Held>>),
    /// A receipt, a text or a webhook that was handled.
    Seen(String, Option<()>),
    /// Whether a number refuses texts.
    Refuses(String, Option<bool>),
}

/// The name of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Row {
    Book(IncidentId),
    Timer(IncidentId),
    Attempt(AttemptId),
    Other(String),
}

impl Write {
    pub fn row(&self) -> Row {
        match self {
            Write::Book(id, _) => Row::Book(id.clone()),
            Write::Timer(id, _) => Row::Timer(id.clone()),
            Write::Attempt(id, _) => Row::Attempt(id.clone()),
            Write::Key(name, _) | Write::Seen(name, _) | Write::Refuses(name, _) => Row::Other(name.clone()),
        }
    }
}

/// What everybody sees: all that was committed.
#[derive(Default)]
pub(super) struct Tables {
    pub books: BTreeMap<IncidentId, Rc<Book>>,
    pub timers: BTreeMap<IncidentId, Timer>,
    pub attempts: BTreeMap<AttemptId, Rc<Attempt>>,
    pub keys: BTreeMap<String, Rc<Held>>,
    pub seen: BTreeSet<String>,
    pub refuses: BTreeMap<String, bool>,
    of_page: BTreeMap<PageId, BTreeSet<AttemptId>>,
}

impl Tables {
    /// Puts a row; gives what it said before.
    pub fn put(&mut self, write: Write) -> Write {
        fn swap<K: Ord + Clone, V>(table: &mut BTreeMap<K, V>, key: &K, value: Option<V>) -> Option<V> {
            match value {
                Some(value) => table.insert(key.clone(), value),
                None => table.remove(key),
            }
        }
        match write {
            Write::Book(id, value) => {
                let before = swap(&mut self.books, &id, value);
                Write::Book(id, before)
            }
            Write::Timer(id, value) => {
                let before = swap(&mut self.timers, &id, value);
                Write::Timer(id, before)
            }
            Write::Attempt(id, value) => {
                if let Some(page) = value.as_ref().and_then(|attempt| attempt.page.clone()) {
                    self.of_page.entry(page).or_default().insert(id.clone());
                }
                let before = swap(&mut self.attempts, &id, value);
                Write::Attempt(id, before)
            }
            Write::Key(name, value) => {
                let before = swap(&mut self.keys, &name, value);
                Write::Key(name, before)
            }
            Write::Seen(name, value) => {
                let before = match value {
                    Some(()) => !self.seen.insert(name.clone()),
                    None => self.seen.remove(&name),
                };
                Write::Seen(name, before.then_some(()))
            }
            Write::Refuses(name, value) => {
                let before = swap(&mut self.refuses, &name, value);
                Write::Refuses(name, before)
            }
        }
    }

    /// The attempts of a page, by their place.
    pub fn of_page(&self, page: &PageId) -> Vec<Rc<Attempt>> {
        let ids = self.of_page.get(page).into_iter().flatten();
        let mut found: Vec<Rc<Attempt>> = ids.filter_map(|id| self.attempts.get(id).cloned()).collect();
        found.sort_by_key(|attempt| (attempt.position, attempt.id.clone()));
        found
    }
}
