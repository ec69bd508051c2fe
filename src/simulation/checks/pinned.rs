//! Invariant 8: an incident keeps the plan it was reported under, whatever is edited.

use super::super::world::World;
use crate::incident::Event;

pub(super) const NAME: &str = "8 verdicts are pinned";

pub(super) fn ended(world: &World) -> Result<(), String> {
    for (id, book) in &world.tables.books {
        match book.events.first().map(|line| &line.0.event) {
            Some(Event::Opened { report }) if report.plan == book.incident.plan => {}
            _ => return Err(format!("{id} does not run under the plan it was reported under")),
        }
    }
    Ok(())
}
