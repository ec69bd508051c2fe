//! A support plan as data: what is promised for each priority.
//!
//! Every span here is counted around the clock (calendar `always`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Priority;
use crate::{id::PlanKey, span::Span};

/// What a customer was promised. An incident carries a copy from its first moment, so that a later edit of the
/// file never rewrites what was promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The name of its file.
    pub key: PlanKey,
    /// For people.
    pub title: String,
    /// A priority without an entry carries no promise.
    pub priorities: BTreeMap<Priority, Promise>,
}

/// What is promised for one priority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// In words, for the caller and the engineer.
    pub title: String,
    /// From the report to a conversation with the customer.
    pub response: Option<Span>,
    /// The length of one window of progress updates, on a grid that starts at the report.
    pub updates: Option<Span>,
    /// How long before the end of a window the commander is reminded.
    pub remind_before: Option<Span>,
}

impl Plan {
    /// The promise for a priority; an empty one where the plan makes none.
    pub fn promise(&self, priority: Priority) -> Promise {
        self.priorities.get(&priority).cloned().unwrap_or_default()
    }
}
