//! The one place where behaviour lives: (state, command, world, now) -> events and effects. Pure.

use super::{command::Command, effect::Effect, event::Event, state::Incident};
use crate::{
    clock::Time,
    config::Config,
    id::{IncidentId, PersonKey, ScheduleKey},
    incident::command::Actor,
    oncall::Override,
};

/// What `decide` may look at beside the incident: the configuration in force, and who stands in for whom.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    pub config: &'a Config,
    /// Those that are not over.
    pub overrides: &'a [Override],
}

/// What happened, and what must now be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    pub events: Vec<Event>,
    pub effects: Vec<Effect>,
}

/// Why a command changes nothing. Not an error of ours; the words are for the one who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such incident")]
    Unknown,
    #[error("the incident is closed; reopen it first")]
    Closed,
    #[error("the incident is open already")]
    Open,
    #[error("already acknowledged by {} at {}", name(.by), .at.format("%H:%M"))]
    AlreadyAcknowledged { by: Actor, at: Time },
    #[error("there is no person `{0}` in schedules/people.toml")]
    UnknownPerson(PersonKey),
    #[error("{0}")]
    Invalid(String),
}

/// The actor's name, for people.
pub fn name(actor: &Actor) -> String {
    match actor {
        Actor::Person(key) => key.to_string(),
        Actor::Token(name) => name.clone(),
        Actor::Customer => "the customer".into(),
        Actor::Integration(key) => key.to_string(),
        Actor::System => "Ringdown".into(),
    }
}

impl World<'_> {
    /// Who is on call on a schedule at an instant.
    pub fn on_call(&self, schedule: &ScheduleKey, at: Time) -> Option<PersonKey> {
        crate::oncall::roster::on_call(self.config.schedules.get(schedule)?, self.overrides, at)
    }
}

/// Decides. `incident` is `None` only for [`Command::Report`], which opens the one called `id`.
pub fn decide(
    incident: Option<&Incident>,
    id: &IncidentId,
    command: &Command,
    world: World<'_>,
    now: Time,
) -> Result<Decision, Refusal> {
    let _ = (incident, id, command, world, now);
    todo!()
}
