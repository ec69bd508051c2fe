//! Transactions that stood in each other's way are carried out again, from the beginning.
//!
//! PostgreSQL gives up one of two transactions that wait for each other, once its `deadlock_timeout` (a second) is over,
//! and refuses the later of two that drew the same reference. Nothing of it was kept, so the same work again is right.
//!
//! Two that wait for each other are a defect all the same: everybody locks rows in one order (what belongs to the
//! request, incidents by their ids, then their timers, attempts, mails and calls; ARCHITECTURE.md), and that second is
//! somebody's at 3 a.m. So each is logged as a warning. 40001 is not expected of read committed transactions. SQLite has
//! one writer and none of this.

use std::time::Duration;

/// How often a piece of work is begun. Each has its luck anew, and another transaction got through meanwhile.
const TRIES: u32 = 6;

/// The pause before the second try; the later ones are longer.
const PAUSE: Duration = Duration::from_millis(10);

const SERIALIZATION_FAILURE: &str = "40001";
const DEADLOCK_DETECTED: &str = "40P01";

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
        match error.code().as_deref() {
            // Said here because every error passes here, whatever it is turned into on its way.
            Some(DEADLOCK_DETECTED) => {
                tracing::warn!(%error, "two transactions waited for each other: rows were locked out of order");
                true
            }
            code => code == Some(SERIALIZATION_FAILURE) || error.constraint() == Some(RACED),
        }
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
    use std::{
        borrow::Cow,
        io::{Read, Seek},
        sync::{
            Mutex,
            atomic::{AtomicU32, Ordering},
        },
    };

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("{0}")]
    struct Lost(&'static str);

    impl MayConflict for Lost {
        fn is_conflict(&self) -> bool {
            self.0 == "deadlock"
        }
    }

    /// As a database says it: a code and a constraint.
    #[derive(Debug, thiserror::Error)]
    #[error("it was refused")]
    struct Refused(&'static str, Option<&'static str>);

    impl DatabaseError for Refused {
        fn message(&self) -> &str {
            "it was refused"
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn constraint(&self) -> Option<&str> {
            self.1
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }
    }

    #[test]
    fn what_lost_against_another_is_begun_anew_and_a_deadlock_is_warned_of() {
        let mut log = tempfile::tempfile().unwrap();
        let writer = Mutex::new(log.try_clone().unwrap());
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();
        let lost = |code, constraint| sqlx::Error::from(Refused(code, constraint)).is_conflict();
        tracing::subscriber::with_default(subscriber, || {
            assert!(lost("40001", None) && lost("23505", Some(RACED)));
            assert!(
                !lost("23505", Some("tokens_pkey")) && !lost("23503", None) && !sqlx::Error::PoolTimedOut.is_conflict()
            );
            assert!(lost("40P01", None));
        });
        let mut said = String::new();
        log.rewind().unwrap();
        log.read_to_string(&mut said).unwrap();
        assert!(said.lines().count() == 1 && said.contains("WARN") && said.contains("waited for each other"), "{said}");
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
