//! How the carriers answered this process.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{clock::Time, id::CarrierKey};

/// How one carrier answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// When it last took something, or refused it for the address's sake.
    pub took_at: Option<Time>,
    /// When it last failed, and how, in a word or two.
    pub failed: Option<(Time, String)>,
    /// Not asked before this, while another can be.
    pub left_alone_until: Option<Time>,
}

/// Of all carriers.
#[derive(Debug, Default)]
pub struct Book(Mutex<BTreeMap<CarrierKey, Answers>>);

impl Book {
    /// A carrier answered: `failed` says how, if it did not do its part.
    pub fn note(&self, key: &CarrierKey, failed: Option<String>, left_alone_until: Option<Time>, now: Time) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = book.entry(key.clone()).or_default();
        match failed {
            None => answers.took_at = Some(now),
            Some(why) => answers.failed = Some((now, why)),
        }
        answers.left_alone_until = left_alone_until;
    }

    /// What is known of a carrier.
    pub fn of(&self, key: &CarrierKey) -> Answers {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned().unwrap_or_default()
    }
}
