//! What was loaded, for `ringdown check --json`: the operator's own file, so numbers are in full. Secrets are not.

use serde_json::{Value, json};

use super::{Config, build::SECTIONS};
use crate::{
    customer::{Customer, Hotline},
    intake::Integration,
    oncall::{Layer, Schedule, Turn},
    paging::throttle::Limit,
    people::{E164, MailAddress, Person},
    sla::{Calendar, Plan},
};

/// Everything a person may want to see of what was loaded; integrations with their keys' names, never the keys.
pub fn describe(config: &Config) -> Value {
    let out = json!({
        "revision": config.revision,
        "people": config.people.values().map(person).collect::<Vec<_>>(),
        "teams": config.teams.values().map(|team| json!({
            "key": team.key,
            "name": team.name,
            "zone": team.zone,
            "schedule": team.schedule,
            "lead": team.lead,
            "manager": team.manager,
            "executive": team.executive,
            "last_resort": team.last_resort,
            "policies": team.policies,
            "mail": mails(&team.mail),
        })).collect::<Vec<_>>(),
        "schedules": config.schedules.values().map(schedule).collect::<Vec<_>>(),
        "policies": config.policies.values().collect::<Vec<_>>(),
        "calendars": config.calendars.values().map(|it| calendar(it)).collect::<Vec<_>>(),
        "holidays": config.holidays.values().collect::<Vec<_>>(),
        "plans": config.plans.values().map(plan).collect::<Vec<_>>(),
        "customers": config.customers.values().map(customer).collect::<Vec<_>>(),
        "hotlines": config.hotlines.values().map(hotline).collect::<Vec<_>>(),
        "integrations": config.integrations.values().map(integration).collect::<Vec<_>>(),
        "carriers": {
            "sms": config.carriers.sms,
            "voice": config.carriers.voice,
            "mail": config.carriers.mail,
            "limits": {
                "sms": config.carriers.limits.sms.iter().map(limit).collect::<Vec<_>>(),
                "voice": config.carriers.limits.voice.iter().map(limit).collect::<Vec<_>>(),
            },
        },
    });
    debug_assert!(SECTIONS.iter().all(|section| out.get(section).is_some()));
    out
}

fn limit(limit: &Limit) -> Value {
    json!({ "count": limit.count, "per": limit.per })
}

fn numbers(numbers: &[E164]) -> Vec<&str> {
    numbers.iter().map(E164::as_str).collect()
}

fn mails(addresses: &[MailAddress]) -> Vec<&str> {
    addresses.iter().map(MailAddress::as_str).collect()
}

fn person(person: &Person) -> Value {
    let contact = person
        .contact
        .iter()
        .map(|method| json!({ "name": method.name, "phone": method.address.as_str(), "can": method.channels }));
    let rules = person.rules.iter().map(|(priority, rules)| {
        let rule = |rule: &crate::people::NotificationRule| {
            json!({ "by": rule.channel, "to": rule.method, "after": rule.after })
        };
        (priority.to_string(), rules.iter().map(rule).collect::<Vec<_>>().into())
    });
    json!({
        "key": person.key,
        "name": person.name,
        "zone": person.zone,
        "language": person.language,
        "contact": contact.collect::<Vec<_>>(),
        "rules": rules.collect::<serde_json::Map<_, Value>>(),
        "mail": person.mail.as_ref().map(MailAddress::as_str),
        "role": person.role,
    })
}

fn schedule(schedule: &Schedule) -> Value {
    json!({
        "key": schedule.key,
        "name": schedule.name,
        "zone": schedule.zone,
        "layers": schedule.layers.iter().map(layer).collect::<Vec<_>>(),
    })
}

fn layer(layer: &Layer) -> Value {
    let rotation = &layer.rotation;
    let (turn, day) = match rotation.turn {
        Turn::Days(n) => (format!("{n}d"), None),
        Turn::Weeks(n, day) => (format!("{n}w"), Some(day.to_string())),
        Turn::Hours(n) => (format!("{n}h"), None),
    };
    let restrictions = layer.restrictions.iter().map(|restriction| {
        json!({
            "days": restriction.days.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "from": restriction.from.format("%H:%M").to_string(),
            "to": restriction.to.format("%H:%M").to_string(),
        })
    });
    json!({
        "name": layer.name,
        "people": rotation.people,
        "turn": turn,
        "day": day,
        "start": rotation.start.to_string(),
        "handoff": rotation.handoff.format("%H:%M").to_string(),
        "restrictions": restrictions.collect::<Vec<_>>(),
    })
}

fn calendar(calendar: &Calendar) -> Value {
    json!({
        "key": calendar.key,
        "title": calendar.title,
        "zone": calendar.zone,
        "open": calendar.openings,
        "holidays": calendar.holidays.iter().map(|set| &set.key).collect::<Vec<_>>(),
        "exceptions": calendar.exceptions,
        "day": calendar.day,
    })
}

fn plan(plan: &Plan) -> Value {
    let mut out = json!(plan);
    // They stand on their own; what was pinned to an incident is whole.
    out["calendars"] = plan.calendars.iter().map(|calendar| json!(calendar.key)).collect();
    out
}

fn customer(customer: &Customer) -> Value {
    json!({
        "key": customer.key,
        "name": customer.name,
        "zone": customer.zone,
        "phones": numbers(&customer.phones),
        "has_pin": customer.pin_hash.is_some(),
        "team": customer.team,
        "plan": plan(&customer.plan),
        "mail": mails(&customer.mail),
        "subscribers": mails(&customer.subscribers),
        "administrators": mails(&customer.administrators),
    })
}

fn hotline(hotline: &Hotline) -> Value {
    json!({
        "key": hotline.key,
        "number": hotline.number.as_str(),
        "greeting": hotline.greeting,
        "language": hotline.language,
        "team": hotline.team,
        "plan": hotline.plan,
        "zone": hotline.zone,
    })
}

fn integration(integration: &Integration) -> Value {
    json!({
        "key": integration.key,
        "name": integration.name,
        "kind": integration.kind,
        "team": integration.team,
        "customer": integration.customer,
        "plan": integration.plan,
        "keys": integration.keys.iter().map(|secret| &secret.name).collect::<Vec<_>>(),
        "priorities": integration.priorities,
        "otherwise": integration.otherwise,
        "per": integration.per,
        "signed": !integration.signing_secrets.is_empty(),
    })
}
