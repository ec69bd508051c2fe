//! What a plan would promise for a report at some instant: every due instant, nothing kept or missed yet.

use std::sync::LazyLock;

use chrono::TimeDelta;
use serde::Serialize;

use super::{Calendar, Compiled, NoAnswer, Plan, Priority, Term};
use crate::clock::Time;

static AROUND_THE_CLOCK: LazyLock<Compiled> = LazyLock::new(|| Compiled::new(Calendar::always()));

/// How many windows of updates are worked out.
pub const WINDOWS: i32 = 5;

/// When everything is due; `None` where it is not promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    pub response: Option<Time>,
    /// The ends of the first windows; where they are counted from the response, as if it was given at the report.
    pub updates: Option<Vec<Time>>,
    pub resolution: Option<Time>,
    /// As if resolved at the report.
    pub rca_draft: Option<Time>,
    /// As if resolved at the report.
    pub rca_final: Option<Time>,
    /// As if the customer was last heard from, or asked for the last time, at the report.
    pub idle_close: Option<Time>,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOutlook {
    #[error("plan `{plan}` has no {asked}; it has {}", listed(.has))]
    NoPriority { plan: String, asked: Priority, has: Vec<Priority> },
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
}

fn listed(priorities: &[Priority]) -> String {
    let names: Vec<String> = priorities.iter().map(ToString::to_string).collect();
    if names.is_empty() { "no priorities".into() } else { names.join(", ") }
}

impl Plan {
    /// When everything is due for a report at `at`. Where the plan says that a priority is scheduled, its clocks start
    /// at `not_before` if that is later, and without it nothing is due; other priorities take no notice of it.
    pub fn outlook(&self, priority: Priority, at: Time, not_before: Option<Time>) -> Result<Outlook, NoOutlook> {
        let promise = self.priorities.get(&priority).ok_or_else(|| NoOutlook::NoPriority {
            plan: self.key.to_string(),
            asked: priority,
            has: self.priorities.keys().copied().collect(),
        })?;
        let start = match promise.scheduled {
            true => not_before.map(|wanted| wanted.max(at)),
            false => Some(at),
        };
        let times = |term: &Term, n: i32| self.exact(start, term, n);
        let response = promise.response.as_ref().map(|term| times(term, 1)).transpose()?.flatten();
        let resolution = promise.resolution.as_ref().map(|term| times(term, 1)).transpose()?.flatten();
        let updates = promise.updates.as_ref().map(|updates| {
            (1..=WINDOWS).map(|n| times(&updates.every, n)).collect::<Result<Option<Vec<Time>>, NoAnswer>>()
        });
        let after = |term: Option<&Term>| term.map(|term| self.exact(Some(at), term, 1)).transpose();
        let rca = promise.rca.as_ref();
        Ok(Outlook {
            response,
            updates: updates.transpose()?.flatten(),
            resolution,
            rca_draft: after(rca.and_then(|rca| rca.draft.as_ref()))?.flatten(),
            rca_final: after(rca.and_then(|rca| rca.last.as_ref()))?.flatten(),
            idle_close: after(self.idle.as_ref().map(|idle| &idle.close_after))?.flatten(),
        })
    }

    /// When `n` terms, one after the other, are over.
    fn exact(&self, start: Option<Time>, term: &Term, n: i32) -> Result<Option<Time>, NoAnswer> {
        let Some(start) = start else { return Ok(None) };
        let open: TimeDelta = self.length(term) * n;
        let due = match self.calendars.get(&term.calendar) {
            Some(calendar) => calendar.due_in(start, open),
            None => AROUND_THE_CLOCK.due_in(start, open),
        };
        due.map(Some)
    }
}

/// In UTC, RFC 3339, with the keys of `ringdown sla --json`.
impl Serialize for Outlook {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written {
            response: Option<String>,
            updates: Option<Vec<String>>,
            resolution: Option<String>,
            rca_draft: Option<String>,
            rca_final: Option<String>,
            idle_close: Option<String>,
        }
        let one = |at: &Option<Time>| at.as_ref().map(written);
        let written = Written {
            response: one(&self.response),
            updates: self.updates.as_ref().map(|ends| ends.iter().map(written).collect()),
            resolution: one(&self.resolution),
            rca_draft: one(&self.rca_draft),
            rca_final: one(&self.rca_final),
            idle_close: one(&self.idle_close),
        };
        written.serialize(serializer)
    }
}

/// As every answer is written: in UTC, RFC 3339, with `Z`.
pub fn written(at: &Time) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
