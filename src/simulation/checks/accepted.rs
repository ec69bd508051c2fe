//! Invariant 1: what a sender was told is taken, is there.

use std::collections::BTreeSet;

use super::super::world::World;
use crate::incident::Event;

pub(super) const NAME: &str = "1 accepted means committed";

/// The senders' own log.
#[derive(Default)]
pub(in crate::simulation) struct Log(Vec<String>);

impl Log {
    /// A report with this title was answered 2xx.
    pub fn answered(&mut self, title: &str) {
        self.0.push(title.into());
    }

    pub(super) fn ended(&self, world: &World) -> Result<(), String> {
        let mut there = BTreeSet::new();
        for line in world.tables.books.values().flat_map(|book| &book.events) {
            match &line.0.event {
                Event::Opened { report } => drop(there.insert(report.title.as_str())),
                Event::SignalRepeated { summary } => drop(there.insert(summary.as_str())),
                _ => {}
            }
        }
        match self.0.iter().find(|title| !there.contains(title.as_str())) {
            Some(title) => Err(format!("\"{title}\" was answered 2xx and is nowhere in the database")),
            None => Ok(()),
        }
    }
}
