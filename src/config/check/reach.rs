//! Does each level of each policy reach somebody?

use crate::{
    config::{
        Config, Team,
        build::default_policy,
        finding::Severity::{self, Error, Warning},
        load::Loaded,
    },
    escalation::{Level, Policy, Target},
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

/// The policies that page for a team, each once.
fn policies_of<'a>(config: &'a Config, team: &Team) -> Vec<&'a Policy> {
    let pages = Priority::ALL.into_iter().filter(|priority| priority.pages());
    let mut policies: Vec<&Policy> = pages.filter_map(|priority| config.policy(&team.key, priority)).collect();
    policies.dedup_by_key(|policy| policy.key.clone());
    policies
}

/// Notes levels that reach nobody, and what no team uses.
pub fn check(loaded: &mut Loaded) {
    let mut notes = Vec::new();
    for team in loaded.config.teams.values() {
        for policy in policies_of(&loaded.config, team) {
            notes.extend(empty_levels(loaded, team, policy));
        }
    }
    unused(loaded, &mut notes);
    for (key, severity, message) in notes {
        loaded.note(&key, severity, message);
    }
}

type Note = (String, Severity, String);

fn empty_levels(loaded: &Loaded, team: &Team, policy: &Policy) -> Vec<Note> {
    let (place, name) = (format!("teams.{}", team.key), &policy.key);
    let written = loaded.is_written(&format!("policies.{name}"));
    if written && loaded.failed(&format!("policies.{name}.levels")) {
        return Vec::new();
    }
    let empty = |level: &Level| people_on(&loaded.config, team, &level.notify).is_empty();
    let skipped: Vec<_> = policy.levels.iter().enumerate().filter(|(_, level)| empty(level)).collect();
    // What could not be read is reported as that.
    let told =
        |level: &Level| level.notify.iter().flat_map(|target| sources(team, target)).any(|key| loaded.failed(&key));
    if skipped.len() == policy.levels.len() && !skipped.iter().any(|(_, level)| told(level)) {
        let message = format!(
            "no level of policy `{name}` reaches anybody in this team; give it a schedule with people, a lead, a \
             manager or an executive"
        );
        return vec![(place, Error, message)];
    }
    // Nobody asked for the built-in levels, so a small team need not fill them all.
    let severity = if written { Error } else { Warning };
    let note = |(i, level): (usize, &Level)| {
        let which = format!("level {} (`{}`, after {})", i + 1, level.name, level.after);
        let help = missing(&level.notify);
        let message =
            format!("{which} of policy `{name}` reaches nobody in this team and would be skipped; name {help}");
        (place.clone(), severity, message)
    };
    skipped.into_iter().filter(|(_, level)| !told(level)).map(note).collect()
}

/// The keys that say who a target is.
fn sources(team: &Team, target: &Target) -> Vec<String> {
    let role = |role: &str| vec![format!("teams.{}.{role}", team.key)];
    match target {
        Target::OnCall => vec![format!("teams.{}.schedule", team.key), format!("schedules.{}.layers", team.schedule)],
        Target::Schedule(key) => vec![format!("schedules.{key}.layers")],
        Target::Lead => role("lead"),
        Target::Manager => role("manager"),
        Target::Executive => role("executive"),
        Target::Person(_) => Vec::new(),
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

fn unused(loaded: &Loaded, notes: &mut Vec<Note>) {
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
