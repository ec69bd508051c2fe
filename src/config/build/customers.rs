//! `[customers.KEY]` and `[hotlines.KEY]`: whom we serve, and the numbers they dial.

use std::collections::BTreeMap;

use super::{Known, Tables, people::language, zone};
use crate::{
    config::{Config, document::Node},
    customer::{Customer, Hotline, pin},
    people::E164,
    sla::{Plan, Zone},
};

const GREETING: &str = "Thank you for calling support.";

/// Reads all customers.
pub fn customers(tables: &Tables<'_>, known: &Known, config: &mut Config) {
    let mut numbers: BTreeMap<E164, String> = BTreeMap::new();
    for (key, node) in tables.of("customers") {
        let customer = node.fields(|t| {
            let mails = |key| t.optional(key).map(Node::mails).unwrap_or_default();
            let mut phones = Vec::new();
            for item in t.required("phones", "[\"+12015550123\"]").map(Node::items).unwrap_or_default() {
                let Some(phone) = item.phone() else { continue };
                match numbers.get(&phone) {
                    Some(first) => item.error(format!(
                        "this number is given at {first} already; a caller must be one customer, so take one out"
                    )),
                    None => {
                        numbers.insert(phone.clone(), item.place());
                        phones.push(phone);
                    }
                }
            }
            let pin_hash = t.optional("pin_hash").and_then(|node| {
                let hash = node.text()?;
                if !pin::is_hash(hash) {
                    node.error("is not an argon2id hash; make one with `ringdown pin`");
                }
                Some(hash.to_owned())
            });
            let named = t.required("plan", "\"standard\"").and_then(|node| known.plans.reference(node));
            let (agreement, terms) = (t.optional("agreement"), t.optional("terms"));
            let plan = match named {
                Some(key) if agreement.is_some() || terms.is_some() => known.plans.agreed(key, agreement, terms, known),
                Some(key) => config.plans.get(key).cloned(),
                None => None,
            };
            Customer {
                key: key.as_str().into(),
                name: t.required("name", "\"Acme Bank\"").and_then(Node::words).unwrap_or(key).into(),
                zone: zone(t),
                phones,
                pin_hash,
                team: t
                    .required("team", "\"KEY\"")
                    .and_then(|node| node.reference("team", "teams", &known.teams))
                    .unwrap_or_default()
                    .into(),
                plan: plan.unwrap_or_else(|| Plan::empty("".into(), "")),
                mail: mails("mail"),
                subscribers: mails("subscribers"),
                administrators: mails("administrators"),
            }
        });
        config.customers.insert(key.as_str().into(), customer);
    }
}

/// Reads all hotlines.
pub fn hotlines(tables: &Tables<'_>, known: &Known, config: &mut Config) {
    let mut numbers: BTreeMap<E164, String> = BTreeMap::new();
    for (key, node) in tables.of("hotlines") {
        let hotline = node.fields(|t| {
            let number = t.required("number", "\"+12015550123\"").and_then(|node| {
                let number = node.phone()?;
                match numbers.get(&number) {
                    Some(first) => node.error(format!("this number is the hotline at {first} already; take one out")),
                    None => {
                        numbers.insert(number.clone(), node.place());
                    }
                }
                Some(number)
            });
            let team = t
                .required("team", "\"KEY\"")
                .and_then(|node| node.reference("team", "teams", &known.teams))
                .unwrap_or_default();
            let plan =
                t.required("plan", "\"standard\"").and_then(|node| known.plans.reference(node)).unwrap_or_default();
            let greeting = t.optional("greeting").and_then(|node| {
                let greeting = node.words()?;
                if greeting.chars().count() > 300 {
                    node.error("a caller in trouble will not listen to more than 300 characters; shorten it");
                }
                Some(greeting)
            });
            let own_zone = t.optional("zone").and_then(Node::parse);
            let language = language(t);
            Some(Hotline {
                key: key.as_str().into(),
                number: number?,
                greeting: greeting.unwrap_or(GREETING).into(),
                language,
                team: team.into(),
                plan: plan.into(),
                zone: own_zone.or_else(|| Some(config.teams.get(team)?.zone.clone())).unwrap_or_else(Zone::utc),
            })
        });
        if let Some(hotline) = hotline {
            config.hotlines.insert(hotline.key.clone(), hotline);
        }
    }
}
