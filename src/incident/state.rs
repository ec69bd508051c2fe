//! What is known of an incident: its events, folded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    command::{Actor, Contact, Evidence, RcaStage, Source},
    effect::Cause,
};
use crate::{
    clock::Time,
    id::{CustomerKey, IncidentId, PersonKey, TeamKey},
    sla::{Pausable, Plan, Priority, Promise, Zone},
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
    /// The customer wants nothing done before this.
    pub not_before: Option<Time>,
    /// How many of the plan's higher levels the customer has asked for.
    pub asked_levels: usize,
    /// Every page made, by number; the next number follows the last.
    pub pages: BTreeMap<u32, PageState>,

    /// It waits until then for office hours, or because the customer wants nothing done before; nobody is woken.
    pub begins_at: Option<Time>,
    pub response: Response,
    pub updates: Updates,
    pub resolution: Option<Deadline>,
    /// Once it is resolved, if its analysis was promised.
    pub rca: Option<Rca>,
    pub waiting: Option<Waiting>,
    /// The trouble is not ours: nothing is promised until somebody engages us again.
    pub ruled_out: Option<RuledOut>,
    /// When a review is due if nothing else is.
    pub review_at: Time,
}

/// Open or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Open,
    Resolved,
    /// The customer no longer answered.
    Idle,
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
    /// The reminders still to come: at so many percent of the time.
    pub reminders: Vec<(u8, Time)>,
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
    /// The window that runs now. `None`: no update is owed.
    pub running: Option<Running>,
    /// Its number, or that of the next one: from 1, and they go on when a closed incident is opened again.
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

/// A window that runs. Each begins where the one before it ended, so that nothing moves the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub from: Time,
    pub due: Time,
    /// When the commander is reminded of it, if at all.
    pub remind_at: Option<Time>,
}

/// A promise with one due instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    pub from: Time,
    pub due: Time,
    pub remind_at: Time,
    pub reminded: bool,
    pub met: Option<Time>,
    pub missed: bool,
}

/// The promised analysis of the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rca {
    pub draft: Option<Deadline>,
    pub last: Option<Deadline>,
}

/// The trouble was shown not to be ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuledOut {
    pub at: Time,
    pub by: Actor,
    pub note: String,
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
    /// What was asked.
    pub reason: String,
    /// How often the customer was asked.
    pub requests: u8,
    /// When the customer is asked once more, if the plan says so and it is not the last time.
    pub again_at: Option<Time>,
    /// When the customer is told that it will be closed, unless that was done.
    pub warn_at: Option<Time>,
    /// When it is closed.
    pub close_at: Option<Time>,
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

    /// When the update window that runs now ends; `None` where no update is owed.
    pub fn window_due(&self) -> Option<Time> {
        self.updates.running.filter(|_| self.is_open()).map(|window| window.due)
    }

    /// By when the customer hears something next: the end of the window that runs, or, where that is met, of the one
    /// after it.
    pub fn next_update_due(&self) -> Option<Time> {
        let due = self.window_due()?;
        match self.plan.promise(self.priority).updates {
            Some(cadence) if self.updates.met => Some(self.plan.due(due, &cadence.every)),
            _ => Some(due),
        }
    }

    /// Whether people are woken for it now.
    pub fn wakes(&self) -> bool {
        self.plan.wakes(self.priority) && self.begins_at.is_none() && self.ruled_out.is_none()
    }

    /// This instant, or the next at which people may be woken for it: a plan that waits for office hours does so as
    /// long as it is open.
    pub fn in_hours(&self, at: Time) -> Time {
        match self.plan.promise(self.priority) {
            Promise { office_hours: true, response: Some(term), .. } => {
                self.plan.calendars.next_open(&term.calendar, at)
            }
            _ => at,
        }
    }

    /// Whether this clock stands still, because we wait on the customer and the plan says that it does.
    pub fn paused(&self, clock: Pausable) -> bool {
        self.waiting.is_some() && self.plan.pauses.contains(&clock)
    }

    /// Whether anything is left to do about it: it is open, or its analysis is owed, or people are being paged.
    pub fn is_live(&self) -> bool {
        self.is_open() || super::agenda::next(self).is_some()
    }
}

impl Deadline {
    /// Whether it is neither kept nor missed yet.
    pub fn is_owed(&self) -> bool {
        self.met.is_none() && !self.missed
    }
}

impl Rca {
    /// The deadline of a stage.
    pub fn stage(&mut self, stage: RcaStage) -> Option<&mut Deadline> {
        match stage {
            RcaStage::Draft => self.draft.as_mut(),
            RcaStage::Final => self.last.as_mut(),
        }
    }
}

impl Holder {
    /// When the acknowledgement lapses.
    pub fn lapses_at(&self) -> Time {
        self.last_act + chrono::TimeDelta::seconds(self.lapses_after)
    }
}
