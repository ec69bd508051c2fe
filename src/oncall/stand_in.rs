//! What makes an override acceptable before it is written down.

use chrono::{Months, TimeDelta};

use super::Override;
use crate::{
    clock::Time,
    config::Config,
    id::{PersonKey, ScheduleKey},
};

/// The shortest override that is accepted.
pub const SHORTEST: TimeDelta = TimeDelta::minutes(1);
/// The longest override that is accepted; what lasts longer is a change of the schedule.
pub const LONGEST: TimeDelta = TimeDelta::days(366);
/// How far ahead an override may begin, in months.
pub const FURTHEST_MONTHS: u32 = 24;
/// The longest name of who wrote it, in characters.
pub const LONGEST_NAME: usize = 200;

/// Why an override is refused. The words are for the one who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("there is no schedule `{0}`")]
    UnknownSchedule(ScheduleKey),
    #[error("there is no person `{0}` in schedules/people.toml")]
    UnknownPerson(PersonKey),
    #[error("`{0}` cannot stand in for themselves")]
    Oneself(PersonKey),
    #[error("it ends before it starts; put `start` before `end`")]
    Backwards,
    #[error("it is shorter than a minute")]
    TooShort,
    #[error("it is longer than 366 days; change the schedule instead")]
    TooLong,
    #[error("it is over already; its end must be in the future")]
    Over,
    #[error("it begins more than two years from now")]
    TooFar,
    #[error("the name of who wrote it is empty or too long")]
    CreatedBy,
}

impl Refused {
    /// The field it is about.
    pub fn field(&self) -> &'static str {
        match self {
            Refused::UnknownSchedule(_) => "schedule",
            Refused::UnknownPerson(_) => "person",
            Refused::Oneself(_) => "instead_of",
            Refused::Backwards | Refused::TooShort | Refused::TooLong | Refused::Over => "end",
            Refused::TooFar => "start",
            Refused::CreatedBy => "created_by",
        }
    }
}

impl Override {
    /// Whether it may be written down: everybody in it exists, and its time makes sense now.
    pub fn check(&self, config: &Config, now: Time) -> Result<(), Refused> {
        if !config.schedules.contains_key(&self.schedule) {
            return Err(Refused::UnknownSchedule(clipped(self.schedule.as_str()).into()));
        }
        for person in std::iter::once(&self.person).chain(&self.instead_of) {
            if !config.people.contains_key(person) {
                return Err(Refused::UnknownPerson(clipped(person.as_str()).into()));
            }
        }
        if self.instead_of.as_ref() == Some(&self.person) {
            return Err(Refused::Oneself(self.person.clone()));
        }
        let length = self.end - self.start;
        let furthest = now.checked_add_months(Months::new(FURTHEST_MONTHS)).unwrap_or(Time::MAX_UTC);
        let named = (1..=LONGEST_NAME).contains(&self.created_by.chars().take(LONGEST_NAME + 1).count());
        match () {
            () if length <= TimeDelta::zero() => Err(Refused::Backwards),
            () if length < SHORTEST => Err(Refused::TooShort),
            () if length > LONGEST => Err(Refused::TooLong),
            () if self.end <= now => Err(Refused::Over),
            () if self.start > furthest => Err(Refused::TooFar),
            () if !named => Err(Refused::CreatedBy),
            () => Ok(()),
        }
    }
}

/// No more of what somebody sent than is needed to recognise it.
fn clipped(text: &str) -> String {
    text.chars().take(40).collect()
}
