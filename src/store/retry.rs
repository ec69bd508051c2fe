//! Transactions that stood in each other's way are carried out again, from the beginning.
//!
//! PostgreSQL ends one of two that wait for each other, after a second (an order of locks that all keep is to leave none;
//! see ARCHITECTURE.md), and one that lost a race. Nothing of it was kept, so the same work again is right. SQLite has
//! one writer and none of this.

use std::time::Duration;

/// How often a piece of work is begun. Each has its luck anew, and another transaction got through meanwhile.
const TRIES: u32 = 6;

/// The pause before the second try; the later ones are longer.
const PAUSE: Duration = Duration::from_millis(10);

/// `serialization_failure` and `deadlock_detected`.
const CONFLICTS: [&str; 2] = ["40001", "40P01"];

/// Two transactions found the same four digits free, and the other one has them.
const RACED: &str = "incidents_reference_open";

/// An error that may be the database's word that two transactions stood in each other's way.
pub trait MayConflict: std::fmt::Display {
    /// Whether the same work may well succeed if it is begun anew.
    fn is_conflict(&self) -> bool;
}

impl MayConflict for sqlx::Error {
    fn is_conflict(&self) -> bool {
        let Some(error) = self.as_database_error() else { return false };
        error.code().is_some_and(|code| CONFLICTS.contains(&code.as_ref())) || error.constraint() == Some(RACED)
    }
}

/// Does `work`, which begins and commits a transaction of its own, and does it again while it loses against others.
/// What it gives at last, good or bad, is given.
pub async fn retried<T, E: MayConflict, F: Future<Output = Result<T, E>>>(mut work: impl FnMut() -> F) -> Result<T, E> {
    let mut tries = 1;
    loop {
        match work().await {
            Err(error) if tries < TRIES && error.is_conflict() => {
                metrics::counter!("ringdown_transactions_retried_total").increment(1);
                tracing::debug!(%error, tries, "a transaction lost against another; it begins anew");
                tokio::time::sleep(PAUSE * rand::random_range(tries..=tries * 3)).await;
                tries += 1;
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("{0}")]
    struct Lost(&'static str);

    impl MayConflict for Lost {
        fn is_conflict(&self) -> bool {
            self.0 == "deadlock"
        }
    }

    /// Fails as said so many times; gives the result and how often it was begun.
    async fn fails(times: u32, why: &'static str) -> (Result<u32, Lost>, u32) {
        let begun = AtomicU32::new(0);
        let work = || async {
            let n = begun.fetch_add(1, Ordering::Relaxed);
            if n < times { Err(Lost(why)) } else { Ok(n) }
        };
        (retried(work).await, begun.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn work_that_lost_is_begun_anew_a_few_times_and_no_other_error_is() {
        assert_eq!(fails(0, "deadlock").await, (Ok(0), 1));
        assert_eq!(fails(3, "deadlock").await, (Ok(3), 4));
        assert_eq!(fails(100, "deadlock").await, (Err(Lost("deadlock")), TRIES));
        assert_eq!(fails(1, "the disk is full").await, (Err(Lost("the disk is full")), 1));
    }
}
