//! Invariant 7: every promise that was missed is recorded, with its due instant: worked out anew from the events.

use super::super::world::World;
use crate::incident::{
    Recorded,
    ledger::{reckon::reckon, verify::disagreement},
};

pub(super) const NAME: &str = "7 a missed promise is recorded with its due instant";

pub(super) fn ended(world: &World) -> Result<(), String> {
    for (id, book) in &world.tables.books {
        let events: Vec<Recorded> = book.events.iter().map(|line| line.0.clone()).collect();
        let reckoning = reckon(&events, world.now);
        if let Some(wrong) = reckoning.contradictions.first() {
            return Err(format!("{id}: {wrong}"));
        }
        if let Some(what) = disagreement(&book.incident, &reckoning) {
            return Err(format!("{id}: {what}"));
        }
    }
    Ok(())
}
