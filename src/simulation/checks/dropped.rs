//! Invariant 2: what wakes people pages somebody, in the transaction that says so; an empty level is skipped at once.

use super::{super::world::World, Commit};
use crate::{
    id::PageId,
    incident::{Event, event::Recorded},
    paging::Outcome,
};

pub(super) const NAME: &str = "2 nobody on call, carrier down: never a reason to page nobody";

pub(super) fn committed(commit: &Commit, world: &World) -> Result<(), String> {
    for (before, book, news) in commit.books() {
        let id = &book.incident.id;
        let has = |what: fn(&Event) -> bool| news.iter().any(|line| what(&line.0.event));
        let paged = has(|event| matches!(event, Event::Paged { .. }));
        if before.is_none() && book.incident.wakes() && !paged {
            return Err(format!("{id} was opened, wakes people, and paged nobody"));
        }
        if has(|event| matches!(event, Event::LevelSkipped { .. }))
            && !paged
            && !has(|event| matches!(event, Event::LadderExhausted))
        {
            return Err(format!("{id}: an empty level was skipped, and nobody paged instead"));
        }
        for line in news {
            let Recorded { event: Event::Paged { page, person, .. }, .. } = &line.0 else { continue };
            if world.tables.of_page(&PageId::of(id, *page)).is_empty() {
                return Err(format!("{id}: {person} is paged, and no attempt is written down"));
            }
        }
    }
    Ok(())
}

/// No page was given up without a carrier having been asked, or a reason that stands in the row.
pub(super) fn ended(world: &World) -> Result<(), String> {
    for attempt in world.tables.attempts.values().filter(|attempt| attempt.is_page()) {
        let given_up = matches!(attempt.outcome, Some(Outcome::Unreachable | Outcome::Expired));
        if given_up && attempt.sends == 0 && attempt.reason.is_none() {
            return Err(format!("{} was given up ({:?}) and no carrier was asked", attempt.id, attempt.outcome));
        }
    }
    Ok(())
}
