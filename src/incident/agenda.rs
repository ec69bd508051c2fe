//! What is due next. It follows from the state alone, so an open incident always has exactly one next due action,
//! and its timer can be written down again at any moment.

use std::fmt;

use chrono::TimeDelta;
use serde::Serialize;

use super::state::Incident;
use crate::clock::Time;

/// At how many percent of the response time the holder is reminded.
const REMINDERS: [u8; 2] = [50, 80];

/// Something that is due. The order is that in which things due at one instant are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Due {
    /// An update window ends.
    WindowEnd {
        window: u32,
    },
    /// The callback must have been made.
    Response,
    /// Nobody acknowledged: the next level.
    Climb,
    ResponseReminder {
        percent: u8,
    },
    UpdateReminder {
        window: u32,
    },
    /// The holder has done nothing for too long.
    Lapse,
    /// Nothing else is due.
    Review,
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Due::WindowEnd { window } => write!(f, "update {window} is due"),
            Due::Response => f.write_str("the callback is due"),
            Due::Climb => f.write_str("the next level is paged"),
            Due::ResponseReminder { .. } => f.write_str("reminder of the callback"),
            Due::UpdateReminder { window } => write!(f, "reminder of update {window}"),
            Due::Lapse => f.write_str("the acknowledgement lapses"),
            Due::Review => f.write_str("review"),
        }
    }
}

/// The next due action; `None` when the incident is closed.
pub fn next(incident: &Incident) -> Option<(Time, Due)> {
    all(incident).into_iter().min()
}

/// Everything that is to come as things stand, in no order.
pub fn all(incident: &Incident) -> Vec<(Time, Due)> {
    if !incident.is_open() {
        return Vec::new();
    }
    let mut agenda = vec![(incident.review_at, Due::Review)];
    agenda.extend(incident.climb.next_at.map(|at| (at, Due::Climb)));
    let response = &incident.response;
    if let (Some(from), Some(due), None, false) = (response.from, response.due, &response.met, response.missed) {
        agenda.push((due, Due::Response));
        let reminder =
            |percent: u8| (from + (due - from) * i32::from(percent) / 100, Due::ResponseReminder { percent });
        agenda.extend(REMINDERS.into_iter().find(|percent| *percent > response.reminded).map(reminder));
    }
    if let (Some(grid), Some(due)) = (incident.updates.grid, incident.window_due()) {
        let window = incident.updates.window;
        agenda.push((due, Due::WindowEnd { window }));
        if !incident.updates.met && !incident.updates.reminded && grid.remind_before_seconds < grid.every_seconds {
            agenda.push((due - TimeDelta::seconds(grid.remind_before_seconds), Due::UpdateReminder { window }));
        }
    }
    if let (Some(holder), None, true) = (&incident.holder, &incident.waiting, incident.priority.pages()) {
        agenda.push((holder.lapses_at(), Due::Lapse));
    }
    agenda
}
