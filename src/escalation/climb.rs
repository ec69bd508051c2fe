//! Who stands on which level, at an instant. Pure.

use super::policy::{Level, Policy, Target};
use crate::{
    clock::Time,
    config::{Config, Team},
    id::{PersonKey, TeamKey},
    incident::World,
    sla::Priority,
};

/// The ladder of a team for a priority: the policy's levels, then the last resort.
#[derive(Clone, Copy, Debug)]
pub struct Ladder<'a> {
    team: Option<&'a Team>,
    policy: Option<&'a Policy>,
    config: &'a Config,
}

/// What a level is called, and who stands on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    pub name: String,
    /// Each once, in the order of the policy.
    pub people: Vec<PersonKey>,
}

impl<'a> Ladder<'a> {
    /// The ladder in force. A team or policy that is gone from the files leaves only the last resort.
    pub fn of(config: &'a Config, team: &TeamKey, priority: Priority) -> Self {
        Ladder { team: config.teams.get(team), policy: config.policy(team, priority), config }
    }

    /// The policy, if there is one.
    pub fn policy(&self) -> Option<&'a Policy> {
        self.policy
    }

    /// The index of the last resort: one past the policy's last level.
    pub fn last_resort(&self) -> usize {
        self.levels().len()
    }

    /// How many more times the whole ladder is climbed.
    pub fn repeat(&self) -> u8 {
        self.policy.map_or(1, |policy| policy.repeat)
    }

    /// How long level `index` has.
    pub fn patience(&self, index: usize) -> chrono::TimeDelta {
        self.policy.map_or(chrono::TimeDelta::minutes(5), |policy| policy.patience(index).delta())
    }

    /// How long an acknowledgement holds, in seconds.
    pub fn ack_timeout(&self) -> i64 {
        self.policy.map_or(3600, |policy| policy.ack_timeout.delta().num_seconds())
    }

    /// The first level whose people include this target.
    pub fn level_of(&self, target: &Target) -> Option<usize> {
        self.levels().iter().position(|level| level.notify.contains(target))
    }

    /// What level `index` is called.
    pub fn name(&self, index: usize) -> String {
        self.levels().get(index).map_or_else(|| "last resort".into(), |level| level.name.clone())
    }

    /// Who stands on level `index` at `at`.
    pub fn rung(&self, index: usize, world: World<'_>, at: Time) -> Rung {
        match self.levels().get(index) {
            Some(level) => Rung { name: self.name(index), people: self.people_of(level, world, at) },
            None => Rung { name: self.name(index), people: self.last_people() },
        }
    }

    fn levels(&self) -> &'a [Level] {
        self.policy.map_or(&[], |policy| &policy.levels)
    }

    fn people_of(&self, level: &Level, world: World<'_>, at: Time) -> Vec<PersonKey> {
        let mut people = Vec::new();
        for target in &level.notify {
            let person = match (target, self.team) {
                (Target::OnCall, Some(team)) => world.on_call(&team.schedule, at),
                (Target::Schedule(schedule), _) => world.on_call(schedule, at),
                (Target::Lead, Some(team)) => team.lead.clone(),
                (Target::Manager, Some(team)) => team.manager.clone(),
                (Target::Executive, Some(team)) => team.executive.clone(),
                (Target::Person(person), _) => Some(person.clone()),
                (_, None) => None,
            };
            people.extend(person.filter(|person| self.can_be_reached(person) && !people.contains(person)));
        }
        people
    }

    /// The team's last resort, or, should its people be gone from the files, that of any other team.
    fn last_people(&self) -> Vec<PersonKey> {
        let reachable = |team: &Team| -> Vec<PersonKey> {
            team.last_resort.iter().filter(|person| self.can_be_reached(person)).cloned().collect()
        };
        let own = self.team.map(reachable).unwrap_or_default();
        if own.is_empty() {
            self.config.teams.values().map(reachable).find(|people| !people.is_empty()).unwrap_or_default()
        } else {
            own
        }
    }

    fn can_be_reached(&self, person: &PersonKey) -> bool {
        self.config.people.get(person).is_some_and(|person| !person.contact.is_empty())
    }
}
