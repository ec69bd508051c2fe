//! Invariant 6: whatever lives has one row among the timers, and that row says what its state says.

use super::{
    super::{disk::Book, world::World},
    Commit,
};
use crate::incident::agenda;

pub(super) const NAME: &str = "6 every open incident has exactly one next due action";

pub(super) fn committed(commit: &Commit, world: &World) -> Result<(), String> {
    commit.books().try_for_each(|(_, book, _)| agrees(book, world))
}

pub(super) fn ended(world: &World) -> Result<(), String> {
    world.tables.books.values().try_for_each(|book| agrees(book, world))
}

fn agrees(book: &Book, world: &World) -> Result<(), String> {
    let id = &book.incident.id;
    let row = world.tables.timers.get(id).map(|timer| timer.due_at);
    let due = agenda::next(&book.incident);
    if book.incident.is_open() && due.is_none() {
        return Err(format!("{id} is open, and nothing is due"));
    }
    if row != due.map(|(at, _)| at) {
        return Err(format!("{id}: the next is {due:?}, and the timer stands at {row:?}"));
    }
    Ok(())
}
