//! Beyond reading: would the pages reach somebody, at any hour, before it is too late?

mod calendars;
mod coverage;
mod plans;
mod reach;
mod rules;

use std::path::Path;

use super::{
    Config,
    describe::describe,
    finding::Finding,
    load::{Loaded, environment, read},
};
use crate::{clock::Time, oncall::roster};

/// Reads and checks a folder. Without an error among the findings it can be used, and the configuration is given.
pub fn check(dir: &Path, now: Time) -> (Option<Config>, Vec<Finding>) {
    let (loaded, sound) = checked(dir, now);
    (sound.then_some(loaded.config), loaded.findings)
}

/// Checks a folder and says what is wrong, or with `json` what was loaded and what is wrong. With it the exit code:
/// 1 when the folder cannot be used.
pub fn run_check(dir: &Path, json: bool, now: Time) -> (String, i32) {
    let (loaded, sound) = checked(dir, now);
    let errors = loaded.findings.iter().filter(|finding| finding.is_error()).count();
    let warnings = loaded.findings.len() - errors;
    if json {
        let mut out = if sound { describe(&loaded.config) } else { serde_json::json!({}) };
        out["findings"] = serde_json::json!(loaded.findings);
        out["ok"] = sound.into();
        return (format!("{out:#}\n"), i32::from(!sound));
    }
    let mut said: String = loaded.findings.iter().map(|finding| format!("{finding}\n")).collect();
    let config = &loaded.config;
    let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let noticed = [count(errors, "error", "errors"), count(warnings, "warning", "warnings")].join(", ");
    let last = match sound {
        true => format!(
            "{} is good: {}, {}, {}, {}; {noticed}\n",
            dir.display(),
            count(config.people.len(), "person", "people"),
            count(config.teams.len(), "team", "teams"),
            count(config.customers.len(), "customer", "customers"),
            count(config.hotlines.len(), "hotline", "hotlines"),
        ),
        false => format!("{} cannot be used: {noticed}\n", dir.display()),
    };
    said.push_str(&last);
    (said, i32::from(!sound))
}

/// Reads and checks a folder, and says whether it can be used.
pub(super) fn checked(dir: &Path, now: Time) -> (Loaded, bool) {
    let mut loaded = read(dir, &environment);
    examine(&mut loaded, now, |schedule, from, to| roster::shifts(schedule, &[], from, to));
    let sound = !loaded.findings.iter().any(Finding::is_error);
    (loaded, sound)
}

/// Adds what is wrong with the whole. `shifts` is [`roster::shifts`] without overrides.
fn examine(loaded: &mut Loaded, now: Time, shifts: impl coverage::Shifts) {
    // With half a folder, most of it would be false alarms.
    if !loaded.incomplete {
        reach::check(loaded);
        rules::check(loaded);
        coverage::check(loaded, now, shifts);
        calendars::check(loaded, now);
        plans::check(loaded, now);
    }
    loaded.findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
}

#[cfg(test)]
mod tests;
