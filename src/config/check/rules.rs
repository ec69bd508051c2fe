//! Can each notification rule fire before somebody else is paged?

use std::collections::BTreeMap;

use super::reach::people_on;
use crate::{
    config::{
        finding::Severity::{Error, Warning},
        load::Loaded,
    },
    id::PersonKey,
    people::{Channel, ContactMethod, Person},
    sla::Priority,
    span::Span,
};

/// Where a person stands: how long they have there, and what the place is called.
struct Stand {
    patience: Span,
    level: String,
}

/// Notes rules that never fire, and contact methods that no rule uses.
pub fn check(loaded: &mut Loaded) {
    let stands = stands(loaded);
    let mut notes = Vec::new();
    for (key, person) in &loaded.config.people {
        let place = format!("people.{key}");
        if loaded.failed(&format!("{place}.rules")) || loaded.failed(&format!("{place}.contact")) {
            continue;
        }
        for priority in Priority::ALL.into_iter().filter(|priority| priority.pages()) {
            let Some(stands) = stands.get(&(key, priority)) else { continue };
            for (i, rule) in person.rules_for(priority).iter().enumerate() {
                let late: Vec<&Stand> = stands.iter().filter(|stand| rule.after >= stand.patience).collect();
                let Some(first) = late.first() else { continue };
                let by = rule.channel.as_str();
                let path = format!("{place}.rules.{priority}");
                let own = if loaded.is_written(&path) { "" } else { " (a default rule)" };
                let message = format!(
                    "`{by}` to `{}` after {}{own} comes too late: {} has {} before the next level is paged; write a \
                     shorter `after`",
                    rule.method, rule.after, first.level, first.patience
                );
                // One place where it can fire is enough for a rule to make sense.
                let severity = if late.len() == stands.len() { Error } else { Warning };
                notes.push((format!("{path}[{i}]"), severity, message));
            }
        }
        for method in idle(person) {
            let message = "no notification rule uses this line; add a rule or take it out".to_owned();
            notes.push((format!("{place}.contact.{}", method.name), Warning, message));
        }
    }
    for (key, severity, message) in notes {
        loaded.note(&key, severity, message);
    }
}

/// Every level each person may stand on. The last resort is not among them: nobody comes after it.
fn stands(loaded: &Loaded) -> BTreeMap<(&PersonKey, Priority), Vec<Stand>> {
    let config = &loaded.config;
    let mut stands: BTreeMap<_, Vec<Stand>> = BTreeMap::new();
    for team in config.teams.values() {
        for priority in Priority::ALL.into_iter().filter(|priority| priority.pages()) {
            let Some(policy) = config.policy(&team.key, priority) else { continue };
            // A policy with a mistake in it is reported as that.
            if loaded.failed(&format!("policies.{}", policy.key)) {
                continue;
            }
            for (i, level) in policy.levels.iter().enumerate() {
                for person in people_on(config, team, &level.notify) {
                    let name = format!("level {} (`{}`) of policy `{}`", i + 1, level.name, policy.key);
                    let stand = Stand { patience: policy.patience(i), level: name };
                    stands.entry((person, priority)).or_default().push(stand);
                }
            }
        }
    }
    stands
}

/// Lines that none of the person's rules uses.
fn idle(person: &Person) -> impl Iterator<Item = &ContactMethod> {
    let used = |method: &ContactMethod, channel: Channel| {
        person.rules.values().flatten().any(|rule| rule.method == method.name && rule.channel == channel)
    };
    person.contact.iter().filter(move |method| !method.channels.iter().any(|channel| used(method, *channel)))
}
