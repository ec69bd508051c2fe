//! What is due next. It follows from the state alone, so a living incident always has exactly one next due action,
//! and its timer can be written down again at any moment.

use std::fmt;

use serde::Serialize;

use super::{
    command::RcaStage,
    state::{Deadline, Incident, Phase},
};
use crate::{clock::Time, sla::Pausable};

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
    /// It must be over.
    Resolution,
    /// The analysis of its cause must have been delivered.
    Rca {
        stage: RcaStage,
    },
    /// Office hours, or the time the customer asked for.
    Begin,
    /// The customer did not answer: it is closed.
    IdleClose,
    /// Nobody acknowledged: the next level.
    Climb,
    ResponseReminder {
        percent: u8,
    },
    UpdateReminder {
        window: u32,
    },
    ResolutionReminder,
    RcaReminder {
        stage: RcaStage,
    },
    /// The customer is asked once more.
    AskAgain,
    /// The customer is told that it will be closed.
    IdleWarning,
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
            Due::Resolution => f.write_str("the end is due"),
            Due::Rca { stage } => write!(f, "the {stage} analysis of the cause is due"),
            Due::Begin => f.write_str("work begins"),
            Due::IdleClose => f.write_str("it is closed unless the customer answers"),
            Due::Climb => f.write_str("the next level is paged"),
            Due::ResponseReminder { .. } => f.write_str("reminder of the callback"),
            Due::UpdateReminder { window } => write!(f, "reminder of update {window}"),
            Due::ResolutionReminder => f.write_str("reminder of the promised end"),
            Due::RcaReminder { stage } => write!(f, "reminder of the {stage} analysis of the cause"),
            Due::AskAgain => f.write_str("the customer is asked again"),
            Due::IdleWarning => f.write_str("the customer is told that it will be closed"),
            Due::Lapse => f.write_str("the acknowledgement lapses"),
            Due::Review => f.write_str("review"),
        }
    }
}

/// The next due action; `None` when nothing is left to do.
pub fn next(incident: &Incident) -> Option<(Time, Due)> {
    all(incident).into_iter().min()
}

/// Everything that is to come as things stand, in no order.
pub fn all(incident: &Incident) -> Vec<(Time, Due)> {
    let mut agenda = match incident.phase {
        Phase::Open => open(incident),
        Phase::Resolved => analysis(incident),
        Phase::Idle | Phase::Cancelled => return Vec::new(),
    };
    agenda.extend(incident.climb.next_at.map(|at| (incident.in_hours(at), Due::Climb)));
    agenda
}

fn open(incident: &Incident) -> Vec<(Time, Due)> {
    let mut agenda = vec![(incident.in_hours(incident.review_at), Due::Review)];
    agenda.extend(incident.begins_at.map(|at| (at, Due::Begin)));
    let response = &incident.response;
    if let (Some(due), None, false, false) =
        (response.due, &response.met, response.missed, incident.paused(Pausable::Response))
    {
        agenda.push((due, Due::Response));
        agenda
            .extend(response.reminders.first().map(|(percent, at)| (*at, Due::ResponseReminder { percent: *percent })));
    }
    if let (Some(running), false) = (incident.updates.running, incident.paused(Pausable::Updates)) {
        let window = incident.updates.window;
        agenda.push((running.due, Due::WindowEnd { window }));
        let reminder = running.remind_at.filter(|_| !incident.updates.met && !incident.updates.reminded);
        agenda.extend(reminder.map(|at| (at, Due::UpdateReminder { window })));
    }
    if let (Some(resolution), false) = (&incident.resolution, incident.paused(Pausable::Resolution)) {
        agenda.extend(deadline(resolution, Due::Resolution, Due::ResolutionReminder));
    }
    match &incident.waiting {
        Some(waiting) => {
            let steps = [
                (waiting.again_at, Due::AskAgain),
                (waiting.warn_at, Due::IdleWarning),
                (waiting.close_at, Due::IdleClose),
            ];
            agenda.extend(steps.into_iter().filter_map(|(at, due)| Some((at?, due))));
        }
        None => {
            let holder = incident.holder.as_ref().filter(|_| incident.wakes());
            agenda.extend(holder.map(|holder| (incident.in_hours(holder.lapses_at()), Due::Lapse)));
        }
    }
    agenda
}

/// What is owed once it is resolved.
fn analysis(incident: &Incident) -> Vec<(Time, Due)> {
    let rca = incident.rca.iter().flat_map(|rca| [(RcaStage::Draft, &rca.draft), (RcaStage::Final, &rca.last)]);
    rca.filter_map(|(stage, promised)| promised.as_ref().map(|promised| (stage, promised)))
        .flat_map(|(stage, promised)| deadline(promised, Due::Rca { stage }, Due::RcaReminder { stage }))
        .collect()
}

fn deadline(promised: &Deadline, due: Due, reminder: Due) -> impl Iterator<Item = (Time, Due)> + use<> {
    let owed = promised.is_owed();
    let reminder = (owed && !promised.reminded).then_some((promised.remind_at, reminder));
    owed.then_some((promised.due, due)).into_iter().chain(reminder)
}
