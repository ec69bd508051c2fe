//! A test event: what it says in its sender's language, and what would come of it. Pure.

use serde_json::{Value, json};

use crate::{
    clock::Time,
    config::Config,
    id::IncidentId,
    incident::{
        Actor, Command, Effect, Incident, Recorded, World,
        command::Report,
        decide::{Refusal, decide},
        effect::Recipient,
    },
    intake::{
        Integration, SenderKind, alertmanager, dedup, events_v2, generic,
        sender::Sender,
        signal::{Kind, Signal},
    },
    people::Channel,
    sla::Priority,
};

/// The words that PagerDuty's Events API knows, mildest first.
const WORDS: [&str; 4] = ["info", "warning", "error", "critical"];

/// What would come of a test event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foretold {
    pub priority: Priority,
    /// Whether somebody is woken.
    pub pages: bool,
    /// What is done at once, a sentence each.
    pub at_once: Vec<String>,
    /// The same for closing it.
    pub closing: Vec<String>,
}

/// The door of a sender, and the path to it.
pub fn door(kind: SenderKind, key: &str) -> (&'static Sender, String) {
    match kind {
        SenderKind::Pagerduty => (&events_v2::EVENTS, "/v2/enqueue".into()),
        SenderKind::Alertmanager => (&alertmanager::SENDER, format!("/intake/alertmanager/{key}")),
        SenderKind::Generic => (&generic::SENDER, format!("/intake/generic/{key}")),
    }
}

/// The payload that opens it, or closes it, about `name`.
pub fn payload(integration: &Integration, key: &str, name: &str, kind: Kind) -> Value {
    let word = mildest(integration);
    let title = "Test event from the intake page: nothing is wrong";
    let over = kind == Kind::Resolve;
    match integration.kind {
        SenderKind::Pagerduty if over => json!({"routing_key": key, "event_action": "resolve", "dedup_key": name}),
        SenderKind::Pagerduty => json!({
            "routing_key": key, "event_action": "trigger", "dedup_key": name,
            "payload": {"summary": title, "source": "ringdown", "severity": word},
        }),
        SenderKind::Alertmanager => {
            let status = if over { "resolved" } else { "firing" };
            let labels = json!({"alertname": "RingdownTest", "severity": word});
            json!({
                "version": "4", "status": status, "groupKey": name, "commonLabels": labels,
                "alerts": [{
                    "status": status, "labels": labels, "annotations": {"summary": title}, "fingerprint": name,
                }],
            })
        }
        SenderKind::Generic if over => json!({"action": "resolve", "dedup_key": name}),
        // Our own language can say it outright.
        SenderKind::Generic => json!({
            "action": "trigger", "dedup_key": name, "title": title, "priority": Priority::P4.max(of(integration, word)),
        }),
    }
}

/// What happens if it is sent now. `None`: the integration's own configuration does not allow it.
pub fn foretell(integration: &Integration, world: World<'_>, now: Time) -> Option<Foretold> {
    let body = payload(integration, &"k".repeat(32), "test", Kind::Trigger);
    let (sender, _) = door(integration.kind, "");
    let signal: Signal = (sender.decode)(&body, integration.per).ok()?.into_iter().next()?;
    let report = dedup::report(&signal, integration, world.config, "0000".into());
    let (effects, closing) = both(report, world, now).ok()?;
    let told = |effects: &[Effect]| -> Vec<String> {
        let mut told: Vec<String> =
            effects.iter().filter_map(|effect| words(effect, integration, world.config)).collect();
        told.dedup();
        told
    };
    Some(Foretold {
        priority: dedup::priority(&signal, integration),
        pages: effects.iter().any(|effect| matches!(effect, Effect::Page(_))),
        at_once: told(&effects),
        closing: told(&closing),
    })
}

fn both(report: Report, world: World<'_>, now: Time) -> Result<(Vec<Effect>, Vec<Effect>), Refusal> {
    let id = IncidentId::from("inc_test");
    let opened = decide(None, &id, &Command::Report(Box::new(report)), world, now)?;
    let mut events = opened.events.into_iter().zip(1..).map(|(event, seq)| Recorded { seq, at: now, event });
    let mut incident = events.next().and_then(|first| Incident::open(&id, &first)).ok_or(Refusal::Unknown)?;
    events.for_each(|event| incident.apply(&event));
    let by = Actor::Token("test".into());
    let closed = decide(Some(&incident), &id, &Command::Resolve { by, note: String::new() }, world, now)?;
    Ok((opened.effects, closed.effects))
}

fn words(effect: &Effect, integration: &Integration, config: &Config) -> Option<String> {
    let name = |key| config.people.get(key).map_or("Somebody", |person| &person.name);
    Some(match effect {
        Effect::Page(page) => {
            let calls = page.steps.iter().any(|step| step.channel == Channel::Voice);
            let how = if calls { "text and call" } else { "text" };
            format!("{} is PAGED by {how}.", name(&page.person))
        }
        Effect::TellCustomer { .. } => "The customer gets a text.".into(),
        Effect::Tell { person, .. } => format!("{} gets a text.", name(person)),
        Effect::Mail(mail) => match &mail.to {
            Recipient::Customer if integration.customer.is_none() => return None,
            Recipient::Customer => "The customer gets a mail, if an address is known.".into(),
            Recipient::Subscribers => "The customer's subscribers get a mail, if there are any.".into(),
            Recipient::Team => "The team gets a mail, if it has an address.".into(),
            Recipient::Person(person) => format!("{} gets a mail, if they have an address.", name(person)),
        },
        Effect::EndPages { .. } => return None,
    })
}

/// The word that asks for least.
fn mildest(integration: &Integration) -> &str {
    let own = integration.priorities.keys().map(String::as_str);
    let known: Vec<&str> = match integration.kind {
        SenderKind::Pagerduty => WORDS.into(),
        _ => own.chain(["info"]).collect(),
    };
    known.into_iter().rev().max_by_key(|word| of(integration, word)).unwrap_or("info")
}

fn of(integration: &Integration, word: &str) -> Priority {
    integration.priorities.get(word).copied().unwrap_or(integration.otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn example() -> Config {
        let folder = tempfile::tempdir().unwrap();
        config::write_example(folder.path()).unwrap();
        config::check(folder.path(), "2026-11-02T12:00:00Z".parse().unwrap()).0.unwrap()
    }

    fn told(integration: &Integration, config: &Config) -> Foretold {
        foretell(integration, World { config, overrides: &[] }, "2026-11-02T12:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_test_event_of_the_example_wakes_nobody_at_any_door() {
        let config = example();
        for integration in config.integrations.values() {
            let foretold = told(integration, &config);
            assert!(!foretold.pages && foretold.priority == Priority::P4, "{}: {foretold:?}", integration.key);
        }
    }

    #[test]
    fn where_every_word_is_grave_it_is_said_who_is_woken() {
        let config = example();
        let mut pagerduty = config.integrations["pagerduty"].clone();
        for priority in pagerduty.priorities.values_mut() {
            *priority = Priority::P1;
        }
        let foretold = told(&pagerduty, &config);
        assert!(foretold.pages && foretold.at_once.iter().any(|words| words.contains("PAGED by text and call")));
        // Our own language needs no word for it.
        let mut generic = config.integrations["generic"].clone();
        (generic.priorities, generic.otherwise) = (Default::default(), Priority::P1);
        assert!(!told(&generic, &config).pages);
    }

    #[test]
    fn what_opens_it_and_what_closes_it_speak_of_the_same_trouble() {
        let config = example();
        for integration in config.integrations.values() {
            let (sender, _) = door(integration.kind, "k");
            let signal = |kind| {
                let body = payload(integration, &"k".repeat(32), "test-1", kind);
                (sender.decode)(&body, integration.per).unwrap().remove(0)
            };
            let (open, close) = (signal(Kind::Trigger), signal(Kind::Resolve));
            assert_eq!((open.kind, close.kind), (Kind::Trigger, Kind::Resolve));
            assert!(open.dedup_key.is_some() && open.dedup_key == close.dedup_key);
        }
    }
}
