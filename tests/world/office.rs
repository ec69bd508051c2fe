//! The people and files of a test: a small office that answers for one customer.

use std::{collections::BTreeMap, path::Path};

/// On call for payments.
pub const BEN: &str = "+12015550101";
/// The team's lead.
pub const CARLA: &str = "+12015550102";
/// The manager.
pub const INES: &str = "+12015550103";
/// The executive.
pub const JONAS: &str = "+12015550104";
/// The founder: the last resort.
pub const KATE: &str = "+12015550105";
/// An engineer who is on call on no schedule.
pub const DORA: &str = "+12015550106";
/// From where Acme calls.
pub const ACME: &str = "+12015550150";
/// A caller nobody knows.
pub const STRANGER: &str = "+12015550177";

pub const PAGERDUTY_KEY: &str = "office0pagerduty0key000000000001";
pub const ALERTMANAGER_KEY: &str = "office-alertmanager-key";
pub const GENERIC_KEY: &str = "office-generic-key";

/// `schedules/`, to be changed before the world starts.
#[derive(Clone, Debug)]
pub struct Office(BTreeMap<&'static str, String>);

impl Default for Office {
    fn default() -> Self {
        let person = |key: &str, name: &str, number: &str| {
            format!(
                "[people.{key}]\nname = \"{name}\"\nzone = \"America/New_York\"\n\
                 contact = {{ mobile = {{ phone = \"{number}\" }} }}\n\n"
            )
        };
        let people = [
            ("ben", "Ben Okafor", BEN),
            ("carla", "Carla Mendes", CARLA),
            ("ines", "Ines Duarte", INES),
            ("jonas", "Jonas Weber", JONAS),
            ("kate", "Kate Armstrong", KATE),
            ("dora", "Dora Lind", DORA),
        ];
        Office(BTreeMap::from([
            ("people.toml", people.iter().map(|(key, name, number)| person(key, name, number)).collect()),
            ("teams.toml", TEAMS.into()),
            ("schedules.toml", SCHEDULES.into()),
            ("policies.toml", POLICIES.into()),
            ("plans/standard.toml", PLAN.into()),
            ("customers.toml", CUSTOMERS.replace("{pin}", &pin())),
            ("hotlines.toml", HOTLINES.into()),
            ("integrations.toml", INTEGRATIONS.into()),
            ("carriers.toml", "[carriers]\n".into()),
        ]))
    }
}

/// Of `2580`, made once: it is slow on purpose.
fn pin() -> String {
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    HASH.get_or_init(|| ringdown::customer::pin::hash("2580").expect("a PIN")).clone()
}

impl Office {
    /// Replaces a piece of a file. Panics when it is not there: the test would not test what it says.
    pub fn edit(mut self, file: &str, from: &str, to: &str) -> Self {
        let text = self.0.get_mut(file).unwrap_or_else(|| panic!("no file {file}"));
        assert!(text.contains(from), "{file} has no `{from}`");
        *text = text.replace(from, to);
        self
    }

    /// With Acme on one of the plans that Ringdown ships.
    pub fn on_plan(mut self, plan: &str) -> Self {
        self.0.extend(SHIPPED.map(|(name, text)| (name, text.to_owned())));
        self.edit("customers.toml", "plan = \"standard\"", &format!("plan = \"{plan}\""))
    }

    /// Takes a file away.
    pub fn without(mut self, file: &str) -> Self {
        assert!(self.0.remove(file).is_some(), "no file {file}");
        self
    }

    /// Writes all files.
    pub fn write(&self, folder: &Path) {
        for (name, text) in &self.0 {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
    }
}

macro_rules! shipped {
    ($($name:literal),*) => { [$(($name, include_str!(concat!("../../schedules/", $name)))),*] };
}

const SHIPPED: [(&str, &str); 8] = shipped![
    "calendars.toml",
    "holidays/romania.toml",
    "holidays/us-federal.toml",
    "plans/synchronet-click.toml",
    "plans/priority-matrix.toml",
    "plans/tiered-support.toml",
    "plans/syncro-soft.toml",
    "plans/clickhelp.toml"
];

const TEAMS: &str = r#"
[teams.payments]
name = "Payments"
zone = "America/New_York"
schedule = "payments"
lead = "carla"
manager = "ines"
executive = "jonas"
last_resort = ["kate"]
"#;

const SCHEDULES: &str = r#"
[schedules.payments]
name = "Payments on-call"
zone = "America/New_York"

[[schedules.payments.layers]]
name = "primary"
people = ["ben"]
turn = "weekly"
day = "monday"
start = 2026-01-05
handoff = "09:00"
"#;

const POLICIES: &str = r#"
[policies.default]
last_resort_after = "5m"
repeat = 1
ack_timeout = "60m"
levels = [
  { name = "on-call engineer", after = "0m", notify = ["on-call"] },
  { name = "team lead", after = "5m", notify = ["lead"] },
  { name = "manager", after = "10m", notify = ["manager"] },
  { name = "executive", after = "15m", notify = ["executive"] },
]
"#;

const PLAN: &str = r#"
title = "Standard"

[priorities.P1]
title = "Business stopped"
response = "30m"
updates = "60m"
remind_before = "15m"

[priorities.P2]
title = "Business degraded"
response = "30m"
updates = "60m"
remind_before = "15m"
"#;

const CUSTOMERS: &str = r#"
[customers.acme]
name = "Acme Bank"
zone = "America/New_York"
phones = ["+12015550150"]
pin_hash = "{pin}"
plan = "standard"
team = "payments"
"#;

const HOTLINES: &str = r#"
[hotlines.main]
number = "+12015550190"
greeting = "Thank you for calling the emergency line."
team = "payments"
plan = "standard"
zone = "America/New_York"
"#;

const INTEGRATIONS: &str = r#"
[integrations.pagerduty]
name = "PagerDuty clients"
kind = "pagerduty"
team = "payments"
plan = "standard"
keys = { office = "office0pagerduty0key000000000001" }
priorities = { critical = "P1", error = "P2", warning = "P3", info = "P4" }
otherwise = "P2"

[integrations.alertmanager]
name = "Prometheus"
kind = "alertmanager"
team = "payments"
plan = "standard"
keys = { office = "office-alertmanager-key" }
priorities = { critical = "P1", error = "P2", warning = "P3" }
otherwise = "P2"

[integrations.generic]
name = "Acme's own checks"
kind = "generic"
team = "payments"
customer = "acme"
keys = { office = "office-generic-key" }
priorities = { critical = "P1", error = "P2", warning = "P3" }
otherwise = "P3"
"#;
