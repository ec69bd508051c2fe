//! What is known of an incident: its events, folded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    command::{Actor, Contact, Evidence, Source},
    effect::Cause,
};
use crate::{
    clock::Time,
    id::{CustomerKey, IncidentId, PersonKey, TeamKey},
    sla::{Plan, Priority, Zone},
};

/// What is known of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub reference: String,
    /// The number of the last event.
    pub seq: u64,
    pub phase: Phase,
    pub opened_at: Time,
    pub closed_at: Option<Time>,
    pub source: Source,
    pub priority: Priority,
    pub customer: Option<CustomerKey>,
    pub customer_name: String,
    pub zone: Zone,
    pub team: TeamKey,
    pub plan: Plan,
    pub title: String,
    pub detail: String,
    pub contact: Contact,

    /// Who has it in hand.
    pub holder: Option<Holder>,
    pub responders: Vec<PersonKey>,
    pub commander: Option<PersonKey>,
    pub climb: Climb,
    /// Every page made, by number; the next number follows the last.
    pub pages: BTreeMap<u32, PageState>,

    pub response: Response,
    pub updates: Updates,
    pub waiting: Option<Waiting>,
    /// When a review is due if nothing else is.
    pub review_at: Time,
}

/// Open or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Open,
    Resolved,
    Cancelled,
}

/// Who has it in hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub who: Actor,
    pub since: Time,
    /// The holder's last act on it.
    pub last_act: Time,
    /// How long the acknowledgement holds without one, in seconds.
    pub lapses_after: i64,
}

/// How far up the ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Climb {
    /// The highest level paged; one past the policy's last is the last resort.
    pub level: Option<usize>,
    pub round: u8,
    /// What began the climb.
    pub cause: Option<Cause>,
    /// When the next level is paged, unless somebody acknowledges. `None`: not climbing.
    pub next_at: Option<Time>,
}

/// A page, as far as the incident cares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageState {
    pub person: PersonKey,
    pub level: Option<usize>,
    pub cause: Cause,
    pub at: Time,
    pub open: bool,
    /// Every method was tried; whether a machine or a dead line said so.
    pub exhausted: Option<bool>,
}

/// The promise of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    pub from: Option<Time>,
    pub due: Option<Time>,
    /// The last reminder sent, in percent of the time.
    pub reminded: u8,
    pub met: Option<Met>,
    pub missed: bool,
}

/// How the promise of a conversation was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    pub at: Time,
    pub by: Actor,
    pub evidence: Evidence,
    pub late: bool,
}

/// The chain of progress updates: windows on a fixed grid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updates {
    /// Where the grid starts and how wide it is, in seconds. `None`: no updates are promised.
    pub grid: Option<Grid>,
    /// The window that runs now, from 1.
    pub window: u32,
    /// Whether it is met, and whether the commander was reminded of it.
    pub met: bool,
    pub reminded: bool,
    /// How the earlier ones ended, oldest first.
    pub past: Vec<Window>,
    /// The last text the customer was given.
    pub last_text: Option<String>,
    pub last_at: Option<Time>,
}

/// Where the windows lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    pub anchor: Time,
    /// The number of the first window of this grid: the numbers go on when a closed incident is opened again.
    pub first: u32,
    pub every_seconds: i64,
    pub remind_before_seconds: i64,
}

/// A window that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub number: u32,
    pub due: Time,
    pub verdict: Verdict,
}

/// How a window ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Met,
    Missed,
    /// The incident was closed, or the promise ended with a change of priority, before its end.
    Waived,
}

/// We asked the customer something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub since: Time,
    pub by: Actor,
    pub reason: String,
}

impl Incident {
    /// Whether promises run and people are paged.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// The pages that somebody may still answer, by number.
    pub fn open_pages(&self) -> impl Iterator<Item = (u32, &PageState)> {
        self.pages.iter().filter(|(_, page)| page.open).map(|(number, page)| (*number, page))
    }

    /// When the update window that runs now ends; `None` where no updates are promised.
    pub fn window_due(&self) -> Option<Time> {
        self.updates.grid.filter(|_| self.is_open()).map(|grid| grid.due(self.updates.window))
    }
}

impl Holder {
    /// When the acknowledgement lapses.
    pub fn lapses_at(&self) -> Time {
        self.last_act + chrono::TimeDelta::seconds(self.lapses_after)
    }
}

impl Grid {
    /// When window `number` ends.
    pub fn due(&self, number: u32) -> Time {
        let windows = i64::from(number.saturating_sub(self.first)) + 1;
        self.anchor + chrono::TimeDelta::seconds(self.every_seconds.saturating_mul(windows))
    }
}
