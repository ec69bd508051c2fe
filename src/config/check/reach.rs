//! Does each level of each policy reach somebody?

use crate::{
    config::{
        Config, Team,
        build::default_policy,
        finding::Severity::{Error, Warning},
        load::Loaded,
    },
    escalation::{Policy, Target},
    id::{PersonKey, PolicyKey, ScheduleKey},
    sla::Priority,
};

/// Everybody who may ever stand on a level of a policy for a team.
pub fn people_on<'a>(config: &'a Config, team: &'a Team, notify: &'a [Target]) -> Vec<&'a PersonKey> {
    let mut people: Vec<&PersonKey> = Vec::new();
    for target in notify {
        match target {
            Target::OnCall => people.extend(rotating(config, &team.schedule)),
            Target::Schedule(key) => people.extend(rotating(config, key)),
            Target::Lead => people.extend(&team.lead),
            Target::Manager => people.extend(&team.manager),
            Target::Executive => people.extend(&team.executive),
            Target::Person(key) => people.push(key),
        }
    }
    people.sort_unstable();
    people.dedup();
    people
}

fn rotating<'a>(config: &'a Config, schedule: &ScheduleKey) -> impl Iterator<Item = &'a PersonKey> {
    config.schedules.get(schedule).into_iter().flat_map(|s| &s.layers).flat_map(|layer| &layer.rotation.people)
}

/// The policies a team uses, each once, gravest priority first.
pub fn policies_of<'a>(config: &'a Config, team: &'a Team) -> Vec<(Priority, &'a Policy)> {
    let mut policies: Vec<(Priority, &Policy)> = Vec::new();
    for priority in Priority::ALL.into_iter().filter(|priority| priority.pages()) {
        let policy = config.policy(&team.key, priority);
        if let Some(policy) = policy.filter(|policy| policies.iter().all(|(_, known)| known.key != policy.key)) {
            policies.push((priority, policy));
        }
    }
    policies
}

/// Notes levels that reach nobody, and what no team uses.
pub fn check(loaded: &mut Loaded) {
    let mut notes = Vec::new();
    let config = &loaded.config;
    for (key, team) in &config.teams {
        let place = format!("teams.{key}");
        if loaded.failed(&place) || loaded.failed(&format!("schedules.{}", team.schedule)) {
            continue;
        }
        for (_, policy) in policies_of(config, team) {
            let written = loaded.is_written(&format!("policies.{}", policy.key));
            if written && loaded.failed(&format!("policies.{}", policy.key)) {
                continue;
            }
            let empty = |level: &&crate::escalation::Level| people_on(config, team, &level.notify).is_empty();
            let skipped: Vec<_> = policy.levels.iter().enumerate().filter(|(_, level)| empty(level)).collect();
            if skipped.len() == policy.levels.len() {
                let message = format!(
                    "no level of policy `{}` reaches anybody in this team; give it a schedule with people, a lead, \
                     a manager or an executive",
                    policy.key
                );
                notes.push((place.clone(), Error, message));
                continue;
            }
            for (i, level) in skipped {
                // Nobody asked for the built-in levels, so a small team need not fill them all.
                let severity = if written { Error } else { Warning };
                let which = format!("level {} (`{}`, after {})", i + 1, level.name, level.after);
                let message = format!(
                    "{which} of policy `{}` reaches nobody in this team and would be skipped; name {}",
                    policy.key,
                    missing(&level.notify)
                );
                notes.push((place.clone(), severity, message));
            }
        }
    }
    unused(loaded, &mut notes);
    for (key, severity, message) in notes {
        loaded.note(&key, severity, message);
    }
}

fn missing(notify: &[Target]) -> String {
    let role = |target: &Target| match target {
        Target::Lead => Some("a `lead`"),
        Target::Manager => Some("a `manager`"),
        Target::Executive => Some("an `executive`"),
        _ => None,
    };
    let roles: Vec<&str> = notify.iter().filter_map(role).collect();
    if roles.is_empty() { "somebody on the level, or take it out".into() } else { roles.join(" and ") }
}

fn unused(loaded: &Loaded, notes: &mut Vec<(String, super::super::Severity, String)>) {
    let config = &loaded.config;
    let policies: Vec<&PolicyKey> = config.teams.values().flat_map(|team| team.policies.values()).collect();
    for key in config.policies.keys().filter(|key| !policies.contains(key)) {
        if config.policies[key] != default_policy() {
            notes.push((format!("policies.{key}"), Warning, "no team uses this policy".into()));
        }
    }
    let by_policy = |key: &ScheduleKey| {
        let named = |target: &Target| matches!(target, Target::Schedule(named) if named == key);
        config.policies.values().flat_map(|policy| &policy.levels).flat_map(|level| &level.notify).any(named)
    };
    for key in config.schedules.keys() {
        if !config.teams.values().any(|team| team.schedule == *key) && !by_policy(key) {
            notes.push((format!("schedules.{key}"), Warning, "no team and no policy uses this schedule".into()));
        }
    }
}
