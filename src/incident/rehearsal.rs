//! What would happen: the same `decide`, on a clock of its own, with nobody or somebody answering. Touches nothing.

use chrono::TimeDelta;
use serde::Serialize;

use super::{
    agenda,
    command::{Actor, Command, Report, Via},
    decide::{Refusal, World, decide},
    effect::{Cause, Effect},
    event::{Event, Recorded},
    state::Incident,
};
use crate::{
    clock::Time,
    id::{IncidentId, PersonKey},
    people::Channel,
};

/// How long a rehearsal runs when nobody answers.
const HORIZON: TimeDelta = TimeDelta::hours(4);

/// How many update windows are told.
const WINDOWS: u32 = 5;

/// Something that would happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    pub at: Time,
    #[serde(flatten)]
    pub what: What,
}

/// What would happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum What {
    Opened {
        reference: String,
        customer: String,
        priority: String,
    },
    LevelReached {
        level: usize,
        name: String,
        cause: Cause,
        round: u8,
    },
    LevelSkipped {
        level: usize,
        name: String,
    },
    Paged {
        person: PersonKey,
        level: Option<usize>,
        cause: Cause,
    },
    Attempt {
        person: PersonKey,
        channel: Channel,
        cause: Cause,
    },
    Acknowledged {
        person: PersonKey,
    },
    LadderExhausted,
    /// A promise, at the instant it is due.
    ResponseDue,
    UpdateDue {
        window: u32,
    },
    ResponseMissed,
    UpdateMissed {
        window: u32,
    },
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Nobody,
    /// Whoever was paged last acknowledges, so long after the report.
    After(TimeDelta),
}

/// Rehearses an incident reported at `at`, in order of time. Every promise that falls due within the horizon is told
/// at its due instant.
pub fn rehearse(report: Report, world: World<'_>, at: Time, answer: Answer) -> Result<Vec<Line>, Refusal> {
    let mut stage = Stage { lines: Vec::new(), world, incident: None, id: IncidentId::from("inc_rehearsal") };
    stage.act(&Command::Report(Box::new(report)), at)?;
    stage.promises();
    // What waits for office hours, or for the time the customer wants, is rehearsed from there.
    let begins_at = stage.incident.as_ref().and_then(|incident| incident.begins_at).unwrap_or(at);
    let (end, acknowledged_at) = match answer {
        Answer::Nobody => (begins_at + HORIZON, None),
        Answer::After(wait) => (at + wait, Some(at + wait)),
    };
    while let Some((due, _)) = stage.incident.as_ref().and_then(agenda::next).filter(|(due, _)| *due < end) {
        stage.act(&Command::TimerFired, due)?;
        if stage.lines.iter().any(|line| line.what == What::LadderExhausted) {
            break;
        }
    }
    if let (Some(now), Some(incident)) = (acknowledged_at, &stage.incident) {
        let last = incident.open_pages().last().map(|(number, page)| (number, page.person.clone()));
        if let Some((page, person)) = last {
            let command = Command::Acknowledge { by: Actor::Person(person.clone()), via: Via::Key, page: Some(page) };
            stage.lines.retain(|line| line.at <= now || !matches!(line.what, What::Attempt { .. }));
            stage.act(&command, now)?;
        }
    }
    stage.lines.sort_by_key(|line| line.at);
    Ok(stage.lines)
}

struct Stage<'a> {
    lines: Vec<Line>,
    world: World<'a>,
    incident: Option<Incident>,
    id: IncidentId,
}

impl Stage<'_> {
    fn act(&mut self, command: &Command, now: Time) -> Result<(), Refusal> {
        let decision = decide(self.incident.as_ref(), &self.id, command, self.world, now)?;
        for event in decision.events {
            self.tell(&event, now);
            let seq = self.incident.as_ref().map_or(0, |incident| incident.seq) + 1;
            let recorded = Recorded { seq, at: now, event };
            match &mut self.incident {
                Some(incident) => incident.apply(&recorded),
                None => self.incident = Incident::open(&self.id, &recorded),
            }
        }
        for effect in decision.effects {
            if let Effect::Page(page) = effect {
                self.lines.extend(page.steps.iter().map(|step| Line {
                    at: now + TimeDelta::seconds(step.after_seconds),
                    what: What::Attempt { person: page.person.clone(), channel: step.channel, cause: page.cause },
                }));
            }
        }
        Ok(())
    }

    fn tell(&mut self, event: &Event, at: Time) {
        let what = match event.clone() {
            Event::Opened { report } => What::Opened {
                reference: report.reference,
                customer: report.customer_name,
                priority: report.priority.to_string(),
            },
            Event::LevelReached { level, name, cause, round, .. } => What::LevelReached { level, name, cause, round },
            Event::LevelSkipped { level, name } => What::LevelSkipped { level, name },
            Event::Paged { person, level, cause, .. } => What::Paged { person, level, cause },
            Event::Acknowledged { by: Actor::Person(person), .. } => What::Acknowledged { person },
            Event::LadderExhausted => What::LadderExhausted,
            Event::ResponseMissed { .. } => What::ResponseMissed,
            Event::UpdateMissed { window, .. } => What::UpdateMissed { window },
            _ => return,
        };
        self.lines.push(Line { at, what });
    }

    fn promises(&mut self) {
        let Some(incident) = &self.incident else { return };
        let response = incident.response.due.map(|at| Line { at, what: What::ResponseDue });
        let cadence = incident.plan.promise(incident.priority).updates;
        let next = |due: &Time| cadence.as_ref().map(|cadence| incident.plan.due(*due, &cadence.every));
        let windows = std::iter::successors(incident.window_due(), next)
            .zip(1..=WINDOWS)
            .map(|(at, window)| Line { at, what: What::UpdateDue { window } });
        self.lines.extend(response.into_iter().chain(windows));
    }
}
