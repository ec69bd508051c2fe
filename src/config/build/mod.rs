//! From the tables people write to [`Config`]. A mistake is noted and something harmless put in its place, so that
//! one reading finds them all; a folder with an error is never used.

mod calendars;
mod customers;
mod integrations;
mod people;
mod plans;
mod policies;
mod schedules;
mod teams;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    CarrierOrder, Config,
    document::{Fields, Node, listed, shorten, well_formed},
    secret::Vault,
};
use crate::{
    id::{CarrierKey, PersonKey, ScheduleKey},
    paging::throttle::{Limit, Limits},
    sla::{Calendar, Compiled, HolidaySet, Priority, Zone},
    span::Span,
};

pub use policies::default_policy;

/// The tables a file may hold.
pub const SECTIONS: [&str; 11] = [
    "people",
    "teams",
    "schedules",
    "policies",
    "calendars",
    "holidays",
    "plans",
    "customers",
    "hotlines",
    "integrations",
    "carriers",
];

/// A day, the longest that any wait may last.
const DAY: Span = Span::minutes(24 * 60);

/// The tables of all files, laid together: section, then key.
#[derive(Debug, Default)]
pub struct Tables<'a> {
    sections: BTreeMap<&'static str, BTreeMap<String, Node<'a>>>,
    /// Sets of holidays that were not written in TOML.
    holiday_files: Vec<HolidaySet>,
}

/// What the build gives beside the configuration.
#[derive(Debug, Default)]
pub struct Built {
    pub config: Config,
    /// Schedules whose gaps are meant.
    pub gaps_allowed: BTreeSet<ScheduleKey>,
}

/// The keys that exist, whether or not what they name is sound.
struct Known {
    people: BTreeSet<String>,
    teams: BTreeSet<String>,
    schedules: BTreeSet<String>,
    policies: BTreeSet<String>,
    calendars: BTreeSet<String>,
    /// Empty until they are read.
    plans: plans::Plans,
    customers: BTreeSet<String>,
}

impl<'a> Tables<'a> {
    /// Adds the tables of one file.
    pub fn add_file(&mut self, root: &Node<'a>) {
        for (section, table) in root.entries() {
            match SECTIONS.iter().find(|name| **name == section) {
                Some(section) => table.entries().into_iter().for_each(|(key, node)| self.add(section, key, node)),
                None => table.error(format!("there is no such table; these exist: {}", listed(SECTIONS))),
            }
        }
    }

    /// Adds one entry; a key that was given before is noted with both places.
    pub fn add(&mut self, section: &'static str, key: String, node: Node<'a>) {
        if !well_formed(&key) {
            node.error(format!("`{}` cannot be a key; use lower-case letters, digits, `-` and `_`", shorten(&key)));
        }
        let entries = self.sections.entry(section).or_default();
        match entries.get(&key) {
            Some(first) => node.error(format!("given twice, first at {}; take one out or rename it", first.place())),
            None => {
                entries.insert(key, node);
            }
        }
    }

    /// Adds a set of holidays read from another kind of file. Gives `false` if there is one of that name.
    pub fn add_holidays(&mut self, set: HolidaySet) -> bool {
        let taken = self.of("holidays").any(|(key, _)| key == set.key.as_str())
            || self.holiday_files.iter().any(|other| other.key == set.key);
        if !taken {
            self.holiday_files.push(set);
        }
        !taken
    }

    fn of(&self, section: &str) -> impl Iterator<Item = (&String, &Node<'a>)> {
        self.sections.get(section).into_iter().flatten()
    }

    fn keys(&self, section: &str) -> BTreeSet<String> {
        self.of(section).map(|(key, _)| key.clone()).collect()
    }
}

/// Builds everything.
pub fn build(tables: &Tables<'_>, vault: Vault<'_>) -> Built {
    let mut known = Known {
        people: tables.keys("people"),
        teams: tables.keys("teams"),
        schedules: tables.keys("schedules"),
        policies: tables.keys("policies"),
        calendars: tables.keys("calendars"),
        plans: plans::Plans::default(),
        customers: tables.keys("customers"),
    };
    known.policies.insert("default".into());
    known.calendars.insert("always".into());
    let mut built = Built::default();
    let config = &mut built.config;
    for (key, node) in tables.of("people") {
        config.people.insert(key.as_str().into(), people::person(key, node));
    }
    for set in &tables.holiday_files {
        config.holidays.insert(set.key.clone(), Arc::new(set.clone()));
    }
    for (key, node) in tables.of("holidays") {
        config.holidays.insert(key.as_str().into(), Arc::new(calendars::holiday_set(key, node)));
    }
    config.calendars.insert("always".into(), Arc::new(Calendar::always()));
    for (key, node) in tables.of("calendars") {
        let calendar = calendars::calendar(key, node, &config.holidays);
        config.calendars.insert(key.as_str().into(), Arc::new(calendar));
    }
    let compiled = config.calendars.iter().map(|(key, it)| (key.clone(), Arc::new(Compiled::new(it.clone()))));
    let (named, plans) = plans::plans(tables, &known, compiled.collect());
    known.plans = named;
    config.plans = plans.into_iter().map(|plan| (plan.key.clone(), plan)).collect();
    for (key, node) in tables.of("schedules") {
        let (schedule, gaps_allowed) = schedules::schedule(key, node, &known);
        if gaps_allowed {
            built.gaps_allowed.insert(schedule.key.clone());
        }
        config.schedules.insert(key.as_str().into(), schedule);
    }
    config.policies.insert("default".into(), default_policy());
    for (key, node) in tables.of("policies") {
        config.policies.insert(key.as_str().into(), policies::policy(key, node, &known));
    }
    for (key, node) in tables.of("teams") {
        config.teams.insert(key.as_str().into(), teams::team(key, node, &known));
    }
    customers::customers(tables, &known, config);
    customers::hotlines(tables, &known, config);
    integrations::integrations(tables, &known, vault, config);
    config.carriers = carriers(tables);
    built
}

fn carriers(tables: &Tables<'_>) -> CarrierOrder {
    let mut order = CarrierOrder::default();
    for (key, node) in tables.of("carriers") {
        match key.as_str() {
            "sms" => order.sms = carrier_keys(node),
            "voice" => order.voice = carrier_keys(node),
            "mail" => order.mail = carrier_keys(node),
            "limits" => {
                let standard = Limits::default();
                order.limits = node.fields(|t| Limits {
                    voice: t.optional("voice").map_or(standard.voice, limits),
                    sms: t.optional("sms").map_or(standard.sms, limits),
                });
            }
            _ => node.error("there is no such key; these exist: `sms`, `voice`, `mail` and `limits`"),
        }
    }
    order
}

fn carrier_keys(node: &Node<'_>) -> Vec<CarrierKey> {
    node.items().iter().filter_map(Node::words).map(CarrierKey::from).collect()
}

fn limits(node: &Node<'_>) -> Vec<Limit> {
    let limit = |t: &Fields<'_>| {
        let count = t.required("count", "3").and_then(|node| node.number(1, 1000));
        let per = t.required("per", "\"15m\"").and_then(|node| node.span(Span::seconds(1), DAY));
        Some(Limit { count: count?, per: per? })
    };
    node.items().iter().filter_map(|item| item.fields(limit)).collect()
}

/// The zone of a table; UTC where none can be read.
fn zone(t: &Fields<'_>) -> Zone {
    t.required("zone", "\"Europe/Berlin\"").and_then(Node::parse).unwrap_or_else(Zone::utc)
}

/// A table by priority: `P1 = …`.
fn by_priority<'a>(node: &Node<'a>) -> Vec<(Priority, Node<'a>)> {
    let priority = |(name, node): (String, Node<'a>)| {
        // Only as written everywhere else; `p1` beside `P1` would be two.
        let found = Priority::ALL.into_iter().find(|priority| priority.to_string() == name);
        if found.is_none() {
            node.error("is not a priority; write `P1` to `P6`");
        }
        Some((found?, node))
    };
    node.entries().into_iter().filter_map(priority).collect()
}

fn person_key(node: &Node<'_>, known: &Known) -> Option<PersonKey> {
    node.reference("person", "people", &known.people).map(PersonKey::from)
}
