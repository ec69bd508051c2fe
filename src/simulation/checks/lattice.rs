//! Invariant 11: what a carrier said only moves up, and an outcome is said once.

use super::Commit;
use crate::paging::{Outcome, Stage};

pub(super) const NAME: &str = "11 carrier status only moves up";

pub(super) fn committed(commit: &Commit) -> Result<(), String> {
    for (before, after) in commit.attempts() {
        let Some(before) = before else { continue };
        let id = &after.id;
        if let Some(known) = before.status
            && after.status.is_none_or(|said| said.rank() < known.rank())
        {
            return Err(format!("{id} was {known:?} and is {:?}", after.status));
        }
        let mended = matches!(
            (before.outcome, after.outcome),
            (Some(Outcome::Unreachable), Some(Outcome::Delivered)) | (_, Some(Outcome::Answered))
        );
        if before.outcome.is_some() && before.outcome != after.outcome && !mended {
            return Err(format!("{id} had ended as {:?} and ends as {:?}", before.outcome, after.outcome));
        }
        if before.stage == Stage::Over && after.stage != Stage::Over {
            return Err(format!("{id} was over and is {:?}", after.stage));
        }
    }
    Ok(())
}
