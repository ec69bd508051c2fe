//! An escalation policy: who is paged, in turn, and how long each has.

use serde::{Deserialize, Serialize};

use crate::{
    id::{PersonKey, PolicyKey, ScheduleKey},
    span::Span,
};

/// Who is paged, in turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    pub key: PolicyKey,
    /// In order; `after` never falls. The team's last resort follows the last of them.
    pub levels: Vec<Level>,
    /// How long the last level has before the last resort is paged, and the last resort before the next round.
    pub last_resort_after: Span,
    /// How many more times the whole ladder is climbed when nobody took it.
    pub repeat: u8,
    /// How long an acknowledgement holds without another human act.
    pub ack_timeout: Span,
}

/// One rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Level {
    /// `on-call`, `team lead`: for people to read.
    pub name: String,
    /// Counted from the start of the escalation.
    pub after: Span,
    pub notify: Vec<Target>,
}

/// Who stands on a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Whoever the team's own schedule says.
    OnCall,
    /// Whoever this schedule says.
    Schedule(ScheduleKey),
    Lead,
    Manager,
    Executive,
    Person(PersonKey),
}

impl Policy {
    /// How long level `index` has before the next one is paged. The last resort, which follows the last level,
    /// and the levels themselves are counted from 0.
    pub fn patience(&self, index: usize) -> Span {
        match (self.levels.get(index), self.levels.get(index + 1)) {
            (Some(this), Some(next)) => {
                Span::seconds((next.after.delta() - this.after.delta()).num_seconds().clamp(0, u32::MAX.into()) as u32)
            }
            _ => self.last_resort_after,
        }
    }
}
