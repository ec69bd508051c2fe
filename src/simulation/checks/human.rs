//! Invariant 3: no acknowledgement, no answer and no conversation without somebody's own act.

use super::{super::transaction::Origin, Commit};
use crate::incident::{Actor, Event, Via};

pub(super) const NAME: &str = "3 only a human act acknowledges";

pub(super) fn committed(commit: &Commit) -> Result<(), String> {
    for (_, book, news) in commit.books() {
        for line in news {
            let by = match &line.0.event {
                // Whoever sits at a sender's screen is a human too.
                Event::Acknowledged { via: Via::Integration, .. } if commit.origin == Origin::Monitoring => continue,
                Event::Acknowledged { by, .. } | Event::PageAnswered { by, .. } => by,
                Event::PassedOn { by, .. } | Event::Responded { by, .. } | Event::CallbackStarted { by } => by,
                _ => continue,
            };
            let theirs = matches!((&commit.origin, by), (Origin::Human(person), Actor::Person(by)) if person == by);
            if !theirs {
                let incident = &book.incident.id;
                return Err(format!("{incident}: {:?} came of {:?}, and no human did it", line.0.event, commit.origin));
            }
        }
    }
    Ok(())
}
