//! Invariant 5: nothing happens before it is due, nothing twice, and a claim is finished by nobody but its holder.

use super::{super::transaction::Origin, Commit};
use crate::incident::{Event, agenda};

pub(super) const NAME: &str = "5 no timer fires early; each takes effect once";

pub(super) fn committed(commit: &Commit) -> Result<(), String> {
    for (before, book, news) in commit.books() {
        let id = &book.incident.id;
        for line in news {
            let due = match &line.0.event {
                Event::ResponseMissed { due } | Event::ResolutionMissed { due } => *due,
                Event::UpdateMissed { due, .. } | Event::UpdateMet { due, .. } => *due,
                Event::RcaMissed { due, .. } | Event::Begun { due } | Event::ClosedIdle { due } => *due,
                _ => continue,
            };
            if line.0.at < due {
                return Err(format!("{id}: {:?} at {}, before it was due", line.0.event, line.0.at));
            }
            let same = |other: &&std::rc::Rc<(crate::incident::Recorded, _)>| other.0.event == line.0.event;
            if book.events.iter().filter(same).count() > 1 {
                return Err(format!("{id}: {:?} twice", line.0.event));
            }
        }
        if commit.origin == Origin::Timer
            && let (Some(before), Some(first)) = (before, news.first())
        {
            let due = agenda::next(&before.incident).map(|(at, _)| at);
            if due.is_none_or(|due| due > first.0.at) {
                return Err(format!("{id}: {:?} at {} by a timer that is due {due:?}", first.0.event, first.0.at));
            }
        }
    }
    if let Origin::Finish(id, holder, tries) = &commit.origin {
        for (before, _) in commit.attempts() {
            let Some(before) = before.filter(|before| before.id == *id) else { continue };
            if before.leased_by != *holder || before.tries != *tries {
                return Err(format!(
                    "{id}: {holder:?} finished its try {tries}, and {:?} had it in its try {}",
                    before.leased_by, before.tries
                ));
            }
        }
    }
    Ok(())
}
