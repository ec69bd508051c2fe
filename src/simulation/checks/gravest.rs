//! Invariant 12: nothing less is taken in hand while a P1 that is due waits.

use super::super::{disk::Row, transaction::Tx};
use crate::{id::AttemptId, sla::Priority};

pub(super) const NAME: &str = "12 a P1 never waits behind anything less";

/// A pager has claimed these; looked at before anything is done for them.
pub(in crate::simulation) fn claimed(tx: &mut Tx<'_>, claimed: &[AttemptId]) {
    let attempts = &tx.world.tables.attempts;
    let less = claimed.iter().find(|id| attempts.get(*id).is_some_and(|row| row.priority > Priority::P1));
    let Some(less) = less.cloned() else { return };
    let in_hand = &tx.world.nodes[tx.node].in_hand;
    let waits = attempts.values().find(|row| {
        row.priority == Priority::P1
            && row.wake_at.is_some_and(|at| at <= tx.now)
            && !in_hand.contains_key(&row.id)
            && !claimed.contains(&row.id)
            && !tx.is_locked(&Row::Attempt(row.id.clone()))
    });
    if let Some(waits) = waits {
        let what = format!("{less} was taken in hand while {} of a P1 was due since {:?}", waits.id, waits.wake_at);
        tx.world.fail(NAME, what);
    }
}
