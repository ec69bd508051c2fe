//! `[policies.KEY]`: who is paged, in turn.

use super::{DAY, Known};
use crate::{
    config::document::{Fields, Node, shorten},
    escalation::{Level, Policy, Target},
    span::Span,
};

const WORDS: [(&str, Target); 4] = [
    ("on-call", Target::OnCall),
    ("lead", Target::Lead),
    ("manager", Target::Manager),
    ("executive", Target::Executive),
];

/// On-call at once, lead after 5 minutes, manager after 10, executive after 15.
pub fn default_policy() -> Policy {
    let level = |(i, (name, target)): (u32, (&str, Target))| Level {
        name: name.into(),
        after: Span::minutes(5 * i),
        notify: vec![target],
    };
    let names = ["on-call", "team lead", "manager", "executive"];
    let targets = WORDS.map(|(_, target)| target);
    Policy {
        key: "default".into(),
        levels: (0..).zip(names.into_iter().zip(targets)).map(level).collect(),
        last_resort_after: Span::minutes(5),
        repeat: 1,
        ack_timeout: Span::minutes(60),
    }
}

/// Reads a policy.
pub fn policy(key: &str, node: &Node<'_>, known: &Known) -> Policy {
    node.fields(|t| {
        let standard = default_policy();
        let wait = |name, least| t.optional(name).and_then(|node| node.span(least, DAY));
        let mut levels: Vec<Level> = Vec::new();
        if let Some(list) = t.required("levels", "[…], or `[[policies.KEY.levels]]` tables") {
            let items = list.items();
            if items.is_empty() || items.len() > 20 {
                list.error(format!("has {} levels; write 1 to 20", items.len()));
            }
            for item in items.iter().take(20) {
                item.fields(|t| levels.push(level(t, levels.last(), known)));
            }
        }
        Policy {
            key: key.into(),
            levels,
            last_resort_after: wait("last_resort_after", Span::seconds(30)).unwrap_or(standard.last_resort_after),
            repeat: t.optional("repeat").and_then(|node| node.number(0, 20)).unwrap_or(standard.repeat),
            ack_timeout: wait("ack_timeout", Span::minutes(1)).unwrap_or(standard.ack_timeout),
        }
    })
}

fn level(t: &Fields<'_>, before: Option<&Level>, known: &Known) -> Level {
    let mut after = None;
    match before {
        // The first level is paged at once unless it says otherwise.
        None => {
            if let Some(node) = t.optional("after") {
                after = node.span(Span::seconds(0), DAY);
                if after > Some(Span::seconds(0)) {
                    node.warn("nobody is paged before this; the first level is meant to have `after = \"0m\"`");
                }
            }
        }
        Some(before) => {
            if let Some(node) = t.required("after", "\"5m\"") {
                after = node.span(Span::seconds(0), DAY);
                if after.is_some_and(|after| after <= before.after) {
                    let least = before.after;
                    node.error(format!("does not rise: the level before is paged after {least}; write more than that"));
                    after = None;
                }
            }
        }
    }
    let notify = t.required("notify", "[\"on-call\"]").map(|node| {
        let items = node.items();
        if items.is_empty() || items.len() > 20 {
            node.error("must name 1 to 20 whom to page; for example `[\"on-call\"]`");
        }
        items.iter().take(20).filter_map(|item| target(item, known)).collect::<Vec<_>>()
    });
    let notify = notify.unwrap_or_default();
    let standard = || notify.iter().map(word).collect::<Vec<_>>().join(", ");
    let floor = before.map(|before| before.after).unwrap_or_default();
    Level {
        name: t.optional("name").and_then(Node::words).map_or_else(standard, String::from),
        after: after.unwrap_or(floor),
        notify,
    }
}

/// Whom a word names.
pub fn target(node: &Node<'_>, known: &Known) -> Option<Target> {
    let written = node.text()?;
    if let Some((_, target)) = WORDS.iter().find(|(word, _)| *word == written) {
        return Some(target.clone());
    }
    if let Some(key) = written.strip_prefix("schedule:") {
        return node.named("schedule", "schedules", key, &known.schedules).then(|| Target::Schedule(key.into()));
    }
    if let Some(key) = written.strip_prefix("person:") {
        return node.named("person", "people", key, &known.people).then(|| Target::Person(key.into()));
    }
    node.error(format!(
        "`{}` is not known; write `on-call`, `lead`, `manager`, `executive`, `schedule:KEY` or `person:KEY`",
        shorten(written)
    ));
    None
}

/// A target as it is written in the file.
pub fn word(target: &Target) -> String {
    match target {
        Target::Schedule(key) => format!("schedule:{key}"),
        Target::Person(key) => format!("person:{key}"),
        other => WORDS.iter().find(|(_, target)| target == other).map_or("", |(word, _)| word).into(),
    }
}
