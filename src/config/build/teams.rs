//! `[teams.KEY]`: a team, and those who answer for it.

use std::collections::BTreeMap;

use super::{Known, by_priority, person_key, zone};
use crate::{
    config::{Team, document::Node},
    id::PersonKey,
    sla::Priority,
};

/// Reads a team.
pub fn team(key: &str, node: &Node<'_>, known: &Known) -> Team {
    node.fields(|t| {
        let role = |name| t.optional(name).and_then(|node| person_key(node, known));
        let schedule = t
            .required("schedule", "\"KEY\"")
            .and_then(|node| node.reference("schedule", "schedules", &known.schedules))
            .unwrap_or_default();
        let mut policies = BTreeMap::from([(Priority::P1, "default".into())]);
        for (priority, node) in t.optional("policies").map(by_priority).unwrap_or_default() {
            if let Some(policy) = node.reference("policy", "policies", &known.policies) {
                policies.insert(priority, policy.into());
            }
        }
        Team {
            key: key.into(),
            name: t.required("name", "\"Payments\"").and_then(Node::words).unwrap_or(key).into(),
            zone: zone(t),
            schedule: schedule.into(),
            lead: role("lead"),
            manager: role("manager"),
            executive: role("executive"),
            last_resort: last_resort(t.required("last_resort", "[\"PERSON\"]"), known),
            policies,
            mail: t.optional("mail").map(Node::mails).unwrap_or_default(),
        }
    })
}

fn last_resort(node: Option<&Node<'_>>, known: &Known) -> Vec<PersonKey> {
    let Some(node) = node else { return Vec::new() };
    let mut people: Vec<PersonKey> = Vec::new();
    let items = node.items();
    if items.is_empty() {
        node.error("is empty: when nobody answers, nobody would be paged; name at least one person");
    }
    for item in &items {
        match person_key(item, known) {
            Some(person) if people.contains(&person) => item.warn(format!("`{person}` stands here twice")),
            Some(person) => people.push(person),
            None => {}
        }
    }
    people
}
