//! A person's phones, rules and teams, as they are told. Pure.

use crate::{
    config::Config,
    oncall::Schedule,
    people::{Channel, Person},
    readiness::roster::{Proven, is_proven},
    sla::Priority,
};

/// A phone of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub name: String,
    /// In full only for those who may see it.
    pub address: String,
    /// By text, by call; each with whether it was proven.
    pub channels: Vec<(Channel, bool)>,
}

/// How a person is reached for some priorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Steps {
    /// `P1, P2`
    pub priorities: String,
    /// `text to mobile at once`
    pub steps: Vec<String>,
}

/// `text` or `call`.
pub(super) fn word(channel: &Channel) -> &'static str {
    match channel {
        Channel::Sms => "text",
        Channel::Voice => "call",
    }
}

/// Every phone; with its whole number if `whole`.
pub(super) fn lines(person: &Person, proven: &Proven, whole: bool) -> Vec<Line> {
    let line = |line: &crate::people::ContactMethod| Line {
        name: line.name.clone(),
        address: if whole { line.address.as_str().into() } else { line.address.masked() },
        channels: line.channels.iter().map(|channel| (*channel, is_proven(person, line, *channel, proven))).collect(),
    };
    person.contact.iter().map(line).collect()
}

/// How they are reached, by priority; those that are the same are told once.
pub(super) fn rules(person: &Person) -> Vec<Steps> {
    let mut all: Vec<Steps> = Vec::new();
    for priority in Priority::ALL.into_iter().filter(|priority| priority.pages()) {
        let step = |rule: &crate::people::NotificationRule| {
            let after = if rule.after.delta().is_zero() { "at once".into() } else { format!("after {}", rule.after) };
            format!("{} to {} {after}", word(&rule.channel), rule.method)
        };
        let steps: Vec<String> = person.rules_for(priority).iter().map(step).collect();
        match all.last_mut().filter(|last| last.steps == steps) {
            Some(last) => last.priorities += &format!(", {priority}"),
            None => all.push(Steps { priorities: priority.to_string(), steps }),
        }
    }
    all
}

/// Where they stand, team by team: `Payments: on call, lead`.
pub(super) fn teams(person: &Person, config: &Config) -> Vec<String> {
    let takes_turns =
        |schedule: &Schedule| schedule.layers.iter().any(|layer| layer.rotation.people.contains(&person.key));
    let mut teams = Vec::new();
    for team in config.teams.values() {
        let is = |key: &Option<crate::id::PersonKey>| key.as_ref() == Some(&person.key);
        let stands = [
            (config.schedules.get(&team.schedule).is_some_and(takes_turns), "on call"),
            (is(&team.lead), "lead"),
            (is(&team.manager), "manager"),
            (is(&team.executive), "executive"),
            (team.last_resort.contains(&person.key), "last resort"),
        ];
        let stands: Vec<&str> = stands.into_iter().filter(|(stands, _)| *stands).map(|(_, name)| name).collect();
        if !stands.is_empty() {
            teams.push(format!("{}: {}", team.name, stands.join(", ")));
        }
    }
    teams
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{
        access::Role,
        people::{ContactMethod, E164, NotificationRule},
        sla::Zone,
        span::Span,
    };

    fn ben() -> Person {
        let address = E164::parse("+12015550123").unwrap();
        let rule =
            |channel, minutes| NotificationRule { channel, method: "mobile".into(), after: Span::minutes(minutes) };
        let grave = vec![rule(Channel::Sms, 0), rule(Channel::Voice, 1)];
        Person {
            key: "ben".into(),
            name: "Ben".into(),
            zone: Zone::utc(),
            language: "en".into(),
            contact: vec![ContactMethod {
                name: "mobile".into(),
                address,
                channels: vec![Channel::Sms, Channel::Voice],
            }],
            rules: BTreeMap::from([(Priority::P1, grave.clone()), (Priority::P2, grave)]),
            mail: None,
            role: Role::Responder,
        }
    }

    #[test]
    fn a_number_is_whole_only_for_those_who_may_see_it() {
        let proven: Proven = BTreeSet::from([("ben".into(), "+12015550123".into(), "sms".into())]);
        let line = |whole| lines(&ben(), &proven, whole).remove(0);
        assert_eq!((line(true).address, line(false).address), ("+12015550123".into(), "…23".into()));
        assert_eq!(line(false).channels, [(Channel::Sms, true), (Channel::Voice, false)]);
    }

    #[test]
    fn rules_that_are_the_same_are_told_once() {
        let rules = rules(&ben());
        assert!(rules.len() == 1 && rules[0].priorities.starts_with("P1, P2"), "{rules:?}");
        assert_eq!(rules[0].steps, ["text to mobile at once", "call to mobile after 1m"]);
    }
}
