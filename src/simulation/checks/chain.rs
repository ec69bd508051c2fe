//! Invariant 10: what was recorded stands, in its place, and each hash covers all before it.

use std::{collections::BTreeMap, rc::Rc};

use super::{super::world::World, Commit};
use crate::{
    id::IncidentId,
    incident::{
        Incident, Recorded,
        ledger::{self, Hash},
    },
};

pub(super) const NAME: &str = "10 events are never edited";

/// Somebody who wrote everything down as it was committed.
#[derive(Default)]
pub(super) struct Witness(BTreeMap<IncidentId, Vec<Rc<(Recorded, Hash)>>>);

impl Witness {
    pub fn committed(&mut self, commit: &Commit) -> Result<(), String> {
        for (_, book, _) in commit.books() {
            let id = &book.incident.id;
            let known = self.0.entry(id.clone()).or_default();
            let same = book.events.len() >= known.len()
                && known.iter().zip(&book.events).all(|(known, now)| Rc::ptr_eq(known, now));
            if !same {
                return Err(format!("{id}: what was recorded before is not there, or is another"));
            }
            for line in &book.events[known.len()..] {
                if line.0.seq != known.len() as u64 + 1 {
                    return Err(format!("{id}: event {} follows {}", line.0.seq, known.len()));
                }
                known.push(line.clone());
            }
        }
        Ok(())
    }

    pub fn ended(&self, world: &World) -> Result<(), String> {
        for (id, known) in &self.0 {
            let Some(book) = world.tables.books.get(id) else {
                return Err(format!("{id} was committed, and is gone"));
            };
            let same = book.events.len() == known.len()
                && known.iter().zip(&book.events).all(|(known, now)| Rc::ptr_eq(known, now));
            if !same {
                return Err(format!("{id}: {} events were committed, {} are there", known.len(), book.events.len()));
            }
            let mut head = ledger::genesis(id);
            for line in &book.events {
                let made = ledger::link(&head, &line.0, id).map_err(|unfit| unfit.to_string())?;
                if made != line.1 {
                    return Err(format!("{id}: event {} does not have its hash", line.0.seq));
                }
                head = made;
            }
            let replayed = Incident::replay(id, book.events.iter().map(|line| &line.0));
            if replayed.as_ref() != Some(&book.incident) {
                return Err(format!("{id}: its events do not give its state"));
            }
        }
        Ok(())
    }
}
