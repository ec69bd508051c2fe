//! Invariant 4: every page is sent or says why not, and is sent twice only where nobody can know that it was sent once.

use std::collections::BTreeMap;

use super::{super::world::World, Commit};
use crate::{
    id::AttemptId,
    paging::{Outcome, Stage},
};

pub(super) const NAME: &str = "4 a page is sent, and a second time only when nobody can know";

pub(super) fn committed(commit: &Commit, world: &World) -> Result<(), String> {
    for (before, after) in commit.attempts() {
        let sent = after.stage == Stage::Sent && before.is_none_or(|before| before.stage != Stage::Sent);
        if sent && !world.network.taken.iter().rev().any(|taken| taken.attempt == after.id) {
            return Err(format!("{} is written down as sent, and no carrier has it", after.id));
        }
    }
    Ok(())
}

pub(super) fn ended(world: &World) -> Result<(), String> {
    let mut taken: BTreeMap<&AttemptId, usize> = BTreeMap::new();
    for one in &world.network.taken {
        *taken.entry(&one.attempt).or_default() += 1;
    }
    for (id, times) in &taken {
        let excuses = world.network.excuses.get(*id).copied().unwrap_or(0);
        if *times > 1 + excuses {
            return Err(format!("{id} was sent {times} times, and only {excuses} times nobody could know that it was"));
        }
    }
    for attempt in world.tables.attempts.values() {
        let (id, outcome) = (&attempt.id, attempt.outcome);
        let says_why = attempt.reason.is_some() || attempt.error_code.is_some();
        let sent = taken.contains_key(id);
        let fair = match outcome {
            None | Some(Outcome::Answered) => true,
            Some(Outcome::Delivered | Outcome::NoHuman | Outcome::NoAnswer) => sent,
            Some(Outcome::Unreachable | Outcome::Expired) => sent || says_why,
            Some(Outcome::Cancelled) => attempt.cancelled || says_why,
        };
        if !fair {
            return Err(format!("{id} ended as {outcome:?}; sent: {sent}, and why: {:?}", attempt.reason));
        }
    }
    Ok(())
}
