use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

use crate::{
    config::{
        example::example_files,
        load::{Files, parse},
    },
    oncall::{Schedule, Shift},
};

mod calendars;
mod folders;
mod plans;

fn now() -> Time {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn example() -> Files {
    example_files().iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

/// Somebody is always on call.
fn covered(_: &Schedule, start: Time, end: Time) -> Vec<Shift> {
    vec![Shift { person: Some("anna".into()), start, end, overridden: false }]
}

fn examined(files: &Files, shifts: impl coverage::Shifts) -> Loaded {
    let mut loaded = parse(files, Path::new("schedules"), "schedules/", &|_| None);
    examine(&mut loaded, now(), shifts);
    loaded
}

fn said(files: &Files) -> Vec<String> {
    examined(files, covered).findings.iter().map(ToString::to_string).collect()
}

/// The example with one text put in the place of another.
fn with(file: &str, old: &str, new: &str) -> Files {
    let mut files = example();
    let text = files.get_mut(file).unwrap();
    assert!(text.contains(old), "{old} is not in {file}");
    *text = text.replacen(old, new, 1);
    files
}

#[test]
fn the_example_has_nothing_wrong_with_it() {
    assert_eq!(said(&example()), [""; 0]);
}

#[test]
fn the_example_has_somebody_on_call_at_every_hour() {
    for year in 2026..=2030 {
        for month in [1, 3, 6, 9, 10, 12] {
            let at: Time = format!("{year}-{month:02}-17T03:30:00Z").parse().unwrap();
            let mut loaded = parse(&example(), Path::new("schedules"), "schedules/", &|_| None);
            examine(&mut loaded, at, |schedule, from, to| roster::shifts(schedule, &[], from, to));
            assert_eq!(loaded.findings, [], "{at}");
        }
    }
}

#[test]
fn the_examples_pins_are_those_in_its_comments() {
    let loaded = examined(&example(), covered);
    for (customer, pin) in [("acme", "2580"), ("borealis", "1470")] {
        let hash = loaded.config.customers[customer].pin_hash.clone().unwrap();
        assert!(crate::customer::pin::verify(pin, &hash), "{customer}");
    }
}

/// Each mistake, made in the example, is found at its line and key.
#[test]
fn every_mistake_is_found_where_it_was_made() {
    let cases = [
        // Syntax and shape.
        ("people.toml", "[people.anna]\n", "[people.anna\n", "people.toml:6: unclosed table"),
        (
            "people.toml",
            "name = \"Anna Reyes\"",
            "nmae = \"Anna\"",
            "people.toml:7: people.anna.nmae: there is no such key; did you mean `name`?",
        ),
        ("people.toml", "name = \"Anna Reyes\"", "", "people.toml:6: people.anna.name: is missing; add `name = "),
        (
            "people.toml",
            "name = \"Anna Reyes\"",
            "name = 7",
            "people.toml:7: people.anna.name: this is a number; write a text in quotes",
        ),
        ("people.toml", "[people.anna]\n", "[poeple.anna]\n", "people.toml:6: poeple: there is no such table"),
        ("people.toml", "people.carla", "people.Carla", "`Carla` cannot be a key; use lower-case"),
        (
            "people.toml",
            "America/New_York",
            "America/Newyork",
            "people.toml:8: people.anna.zone: no time zone is named",
        ),
        ("people.toml", "\"en-US\"", "\"English!\"", "people.toml:9: people.anna.language: is not a language tag"),
        // Numbers.
        (
            "people.toml",
            "+12015550101",
            "201 555 0101",
            "people.toml:12: people.anna.contact.mobile.phone: not a phone number in international form",
        ),
        (
            "people.toml",
            "+12015550101",
            "+12010000000",
            "people.toml:12: people.anna.contact.mobile.phone: no such number exists",
        ),
        ("people.toml", "+12015550101", "+19005550100", "people.toml:12: people.anna.contact.mobile.phone: a premium"),
        // Mail.
        (
            "people.toml",
            "+12015550101\" }",
            "+12015550101\" }\n[people.zed]\nname = \"Zed\"\nzone = \"UTC\"\nmail = \"Zed <zed@example.com>\"\n\
             contact = { mobile = { phone = \"+12015550107\" } }",
            "people.toml:16: people.zed.mail: not a mail address; write it as `support@example.com`",
        ),
        (
            "teams.toml",
            "[\"kate\", \"jonas\"]",
            "[\"kate\", \"jonas\"]\nmail = \"team@example.com\"",
            "teams.toml:14: teams.payments.mail: this is a text; write a list, `[ … ]`",
        ),
        (
            "teams.toml",
            "[\"kate\", \"jonas\"]",
            "[\"kate\", \"jonas\"]\nmail = [\"team@example.com\", \"team@example.com\"]",
            "teams.toml:14: teams.payments.mail[1]: warning: this address stands here twice",
        ),
        (
            "customers.toml",
            "team = \"payments\"",
            "team = \"payments\"\nmail = [\"ito@acme.example\", \"ito@acme@example\"]",
            "customers.toml:13: customers.acme.mail[1]: not a mail address",
        ),
        (
            "customers.toml",
            "team = \"payments\"",
            "team = \"payments\"\nadministrators = [\"root@bücher.example\"]",
            "customers.toml:13: customers.acme.administrators[0]: has letters that many mail servers do not take",
        ),
        // Rules.
        (
            "people.toml",
            "to = \"mobile\" },\n  { by = \"voice\"",
            "to = \"mobil\" },\n  { by = \"voice\"",
            "people.ben.rules.P1[0].to: the person has no line `mobil`; write `mobile` or `home`",
        ),
        (
            "people.toml",
            "{ by = \"sms\", to = \"mobile\" }",
            "{ by = \"sms\", to = \"home\" }",
            "people.ben.rules.P1[0].to: `home` cannot do `sms`",
        ),
        (
            "people.toml",
            "{ by = \"sms\"",
            "{ by = \"fax\"",
            "people.ben.rules.P1[0].by: `fax` is not known; write `sms` or `voice`",
        ),
        (
            "people.toml",
            "to = \"home\", after = \"2m\"",
            "to = \"home\", after = \"5m\"",
            "people.ben.rules.P1[2]: `voice` to `home` after 5m comes too late",
        ),
        (
            "people.toml",
            "  { by = \"voice\", to = \"home\", after = \"2m\" },\n",
            "",
            "people.ben.contact.home: warning: no notification rule uses this line",
        ),
        ("people.toml", "P1 = [", "P7 = [", "people.ben.rules.P7: is not a priority"),
        (
            "people.toml",
            "after = \"2m\"",
            "after = \"2 minutes\"",
            "people.ben.rules.P1[2].after: `2 minutes` is not a span of time",
        ),
        // References.
        (
            "teams.toml",
            "lead = \"carla\"",
            "lead = \"carlo\"",
            "teams.toml:10: teams.payments.lead: there is no person `carlo`; did you mean `carla`?",
        ),
        (
            "teams.toml",
            "schedule = \"payments\"",
            "schedule = \"x\"",
            "teams.toml:9: teams.payments.schedule: there is no schedule `x`",
        ),
        ("teams.toml", "[\"kate\", \"jonas\"]", "[]", "teams.toml:13: teams.payments.last_resort: is empty"),
        (
            "teams.toml",
            "last_resort = [\"kate\", \"jonas\"]",
            "",
            "teams.toml:6: teams.payments.last_resort: is missing",
        ),
        (
            "teams.toml",
            "\"kate\", \"jonas\"",
            "\"kate\", \"zoe\"",
            "teams.toml:13: teams.payments.last_resort[1]: there is no person `zoe`",
        ),
        (
            "teams.toml",
            "P2 = \"unhurried\"",
            "P2 = \"unhuried\"",
            "teams.platform.policies.P2: there is no policy `unhuried`; did you mean `unhurried`?",
        ),
        (
            "teams.toml",
            "executive = \"jonas\"",
            "",
            "teams.toml:6: teams.payments: level 4 (`executive`, after 15m) of policy `default` reaches nobody",
        ),
        // Schedules.
        (
            "schedules.toml",
            "[\"anna\", \"ben\"]",
            "[]",
            "schedules.toml:16: schedules.payments.layers[0].people: is an empty rotation",
        ),
        (
            "schedules.toml",
            "[\"anna\", \"ben\"]",
            "[\"anna\", \"bob\"]",
            "schedules.toml:16: schedules.payments.layers[0].people[1]: there is no person `bob`",
        ),
        (
            "schedules.toml",
            "turn = \"weekly\"",
            "turn = \"monthly\"",
            "schedules.toml:17: schedules.payments.layers[0].turn: is not a turn",
        ),
        (
            "schedules.toml",
            "turn = \"weekly\"",
            "turn = \"daily\"",
            "schedules.toml:18: schedules.payments.layers[0].day: goes only with turns of weeks",
        ),
        (
            "schedules.toml",
            "start = 2026-01-05",
            "start = \"5 January\"",
            "schedules.toml:19: schedules.payments.layers[0].start: is not a date",
        ),
        (
            "schedules.toml",
            "handoff = \"09:00\"",
            "handoff = \"9 a.m.\"",
            "schedules.toml:20: schedules.payments.layers[0].handoff: is not a time of day",
        ),
        (
            "schedules.toml",
            "days = \"weekdays\"",
            "days = []",
            "schedules.platform.layers[0].restrictions[0].days: holds on no day",
        ),
        (
            "schedules.toml",
            "restrictions = [{ days = \"weekdays\", from = \"09:00\", to = \"17:00\" }]",
            "",
            "schedules.platform.layers[1]: warning: the layers above hold at every hour",
        ),
        // Policies.
        ("policies.toml", "after = \"10m\"", "after = \"5m\"", "policies.default.levels[2].after: does not rise"),
        (
            "policies.toml",
            "notify = [\"lead\"]",
            "notify = [\"boss\"]",
            "policies.default.levels[1].notify[0]: `boss` is not known",
        ),
        (
            "policies.toml",
            "notify = [\"lead\"]",
            "notify = [\"person:x\"]",
            "policies.default.levels[1].notify[0]: there is no person `x`",
        ),
        (
            "policies.toml",
            "repeat = 1",
            "repeat = 1000",
            "policies.toml:8: policies.default.repeat: out of range; write a whole number from 0 to 20",
        ),
        (
            "policies.toml",
            "after = \"0m\"",
            "after = \"1m\"",
            "policies.default.levels[0].after: warning: nobody is paged before this",
        ),
        // Customers, hotlines, plans.
        (
            "customers.toml",
            "+12015550160",
            "+12015550150",
            "customers.borealis.phones[0]: this number is given at schedules/customers.toml:9 already",
        ),
        (
            "customers.toml",
            "$argon2id",
            "$bcrypt",
            "customers.toml:10: customers.acme.pin_hash: is not an argon2id hash",
        ),
        (
            "customers.toml",
            "plan = \"standard\"",
            "plan = \"gold\"",
            "customers.toml:11: customers.acme.plan: there is no plan `gold`",
        ),
        (
            "customers.toml",
            "response = \"20m\"",
            "updates = \"10m\"",
            "customers.toml:25: customers.borealis.terms.P1.updates: an update is due every 10m, but its reminder comes 15m before",
        ),
        (
            "hotlines.toml",
            "+442079460958",
            "+12015550190",
            "hotlines.main.number: this number is the hotline at schedules/hotlines.toml:13 already",
        ),
        (
            "plans/standard.toml",
            "updates = \"60m\"",
            "updates = \"15m\"",
            "plans/standard.toml:9: plans.standard.priorities.P1.remind_before: an update is due every 15m",
        ),
        (
            "plans/standard.toml",
            "response = \"30m\" ",
            "# ",
            "plans.standard: warning: promises no first response for P1",
        ),
        // Integrations and carriers.
        (
            "integrations.toml",
            "example0pagerduty0key00000000001",
            "example0pagerduty0key",
            "integrations.pagerduty.keys.example: has 21 characters; PagerDuty's clients insist on exactly 32",
        ),
        (
            "integrations.toml",
            "{ example = \"example-generic-key\" }",
            "{ example = \"example-alertmanager-key\" }",
            "integrations.generic.keys.example: the same secret is used at schedules/integrations.toml:",
        ),
        (
            "integrations.toml",
            "{ example = \"example-generic-key\" }",
            "{ example = \"env:NOWHERE\" }",
            "integrations.generic.keys.example: the environment variable `NOWHERE` is not set",
        ),
        (
            "integrations.toml",
            "{ example = \"example-generic-key\" }",
            "{ example = \"example/generic/key\" }",
            "integrations.generic.keys.example: may hold only letters",
        ),
        (
            "integrations.toml",
            "kind = \"generic\"",
            "kind = \"nagios\"",
            "integrations.generic.kind: `nagios` is not known; write `pagerduty`, `alertmanager` or `generic`",
        ),
        (
            "integrations.toml",
            "page = \"P1\"",
            "page = \"P0\"",
            "integrations.alertmanager.priorities.page: `P0` is not known",
        ),
        ("carriers.toml", "count = 1,", "count = 0,", "carriers.toml:9: carriers.limits.voice[0].count: out of range"),
        (
            "carriers.toml",
            "[carriers.limits]",
            "[carriers.limit]",
            "carriers.toml:8: carriers.limit: there is no such key",
        ),
    ];
    let mut missed = Vec::new();
    for (file, old, new, expected) in cases {
        let said = said(&with(file, old, new));
        if !said.iter().any(|line| line.contains(expected)) {
            missed.push(format!("{old} -> {new}\n  expected {expected}\n  said {}", said.join("\n       ")));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

#[test]
fn mistakes_of_every_sort_are_found_in_one_reading() {
    let mut files = example();
    for (file, old, new) in [
        ("people.toml", "America/New_York", "Mars/Olympus"),
        ("people.toml", "to = \"home\", after = \"2m\"", "to = \"home\", after = \"7m\""),
        ("teams.toml", "manager = \"ines\"", ""),
        ("schedules.toml", "[\"gita\", \"hari\"]", "[]"),
        ("hotlines.toml", "+442079460958", "911"),
    ] {
        let text = files.get_mut(file).unwrap();
        *text = text.replacen(old, new, 1);
    }
    let keys: Vec<String> = examined(&files, covered).findings.into_iter().map(|finding| finding.key).collect();
    assert_eq!(
        keys,
        [
            "hotlines.europe.number",
            "people.anna.zone",
            "people.ben.rules.P1[2]",
            "schedules.support-desk.layers[0].people",
            "teams.payments"
        ]
    );
}

#[test]
fn one_mistake_is_said_once() {
    // What follows from a mistake is no news.
    for (file, old, new) in [
        ("people.toml", "+12015550101", "201 555 0101"),
        ("people.toml", "America/New_York", "Mars/Olympus"),
        ("people.toml", "[people.anna]\n", "[people.anna\n"),
        ("teams.toml", "lead = \"carla\"", "lead = \"carlo\""),
        ("schedules.toml", "[\"anna\", \"ben\"]", "[]"),
        ("policies.toml", "notify = [\"lead\"]", "notify = [\"boss\"]"),
        ("plans/standard.toml", "title = \"Standard support\"", "title = 1"),
    ] {
        let said = said(&with(file, old, new));
        assert_eq!(said.len(), 1, "{new}: {}", said.join("\n"));
    }
}

#[test]
fn a_key_in_two_files_names_both_places() {
    let mut files = example();
    files.insert("zoo.toml".into(), "\n[people.anna]\nname = \"Another\"\n".into());
    let said = said(&files);
    // Read in the order of their names.
    assert_eq!(
        said,
        ["schedules/zoo.toml:2: people.anna: given twice, first at schedules/people.toml:6; take one out or rename it"]
    );
}

#[test]
fn tables_may_be_split_over_files_as_the_operator_likes() {
    let all: String = example_files()
        .iter()
        .map(|(name, text)| match name.trim_end_matches(".toml").split_once('/') {
            Some((section, key)) => ["priorities.", "tiers.", "idle]", "escalation]"]
                .into_iter()
                .fold(text.to_string(), |text, table| {
                    let under =
                        |brackets: &str| (format!("\n{brackets}{table}"), format!("\n{brackets}plans.{key}.{table}"));
                    let ((one, all), (list, lists)) = (under("["), under("[["));
                    text.replace(&one, &all).replace(&list, &lists)
                })
                .replace("[[holidays]]", &format!("[[holidays.{key}.holidays]]"))
                .replacen("\ntitle = ", &format!("\n[{section}.{key}]\ntitle = "), 1),
            None => text.to_string(),
        })
        .collect();
    let files = Files::from([("everything.toml".into(), all)]);
    assert_eq!(said(&files), [""; 0]);
    assert_eq!(describe(&examined(&files, covered).config), describe(&examined(&example(), covered).config));
}

#[test]
fn a_gap_is_an_error_unless_it_is_meant() {
    let gap = |schedule: &Schedule, start: Time, end: Time| {
        let mut shifts = covered(schedule, start, start + TimeDelta::days(7));
        if schedule.key.as_str() == "platform" {
            let until = start + TimeDelta::hours(175);
            shifts.push(Shift { person: None, start: start + TimeDelta::days(7), end: until, overridden: false });
            shifts.extend(covered(schedule, until, end));
        }
        shifts
    };
    let said: Vec<String> = examined(&example(), gap).findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["schedules/schedules.toml:22: schedules.platform: nobody is on call from Mon 2026-06-08 02:00 to Mon \
          2026-06-08 09:00, Europe/Berlin; add people or a layer without restrictions, or write `gaps = \"allowed\"`"]
    );
    let meant = with("schedules.toml", "name = \"Platform on-call\"", "name = \"Platform\"\ngaps = \"allowed\"");
    assert_eq!(examined(&meant, gap).findings, []);
}

#[test]
fn a_small_team_need_not_fill_the_built_in_levels() {
    let mut files = with("teams.toml", "executive = \"jonas\"", "");
    files.remove("policies.toml");
    let teams = files["teams.toml"].replace("policies = {", "# ");
    files.insert("teams.toml".into(), teams);
    let loaded = examined(&files, covered);
    let said: Vec<String> = loaded.findings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("warning: level 4 (`executive`, after 15m) of policy `default` reaches nobody"),
        "{said:?}"
    );
}

#[test]
fn a_policy_that_reaches_nobody_is_an_error() {
    let files = Files::from([(
        "all.toml".to_owned(),
        r#"
        [people.anna]
        name = "Anna"
        zone = "UTC"
        contact.mobile.phone = "+12015550101"
        [schedules.s]
        zone = "UTC"
        layers = [{ people = ["anna"], turn = "daily", start = 2026-01-01 }]
        [policies.p]
        levels = [{ notify = ["lead"] }, { after = "5m", notify = ["manager"] }]
        [teams.t]
        name = "T"
        zone = "UTC"
        schedule = "s"
        last_resort = ["anna"]
        policies.P1 = "p"
        "#
        .to_owned(),
    )]);
    let said = said(&files);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("schedules/all.toml:11: teams.t: no level of policy `p` reaches anybody"), "{said:?}");
}

#[test]
fn customers_have_their_own_terms_over_the_plan() {
    use crate::{
        sla::{
            Priority::{P1, P2},
            Term,
        },
        span::Span,
    };
    let config = examined(&example(), covered).config;
    let span = |text: &str| Some(Term::from(text.parse::<Span>().unwrap()));
    let every = |priority| config.customers["borealis"].plan.promise(priority).updates;
    let plan = &config.customers["borealis"].plan;
    assert_eq!(plan.key.as_str(), "standard");
    assert_eq!((plan.promise(P1).response, every(P1).map(|updates| updates.every)), (span("20m"), span("60m")));
    assert_eq!((plan.promise(P2).response, every(P2).unwrap().remind_before), (span("30m"), Span::minutes(15)));
    assert_eq!(config.plans["standard"].promise(P1).response, span("30m"));
}

#[test]
fn people_without_rules_get_the_usual_ones() {
    let config = examined(&example(), covered).config;
    let rules = |person: &str, priority| {
        let rule = |rule: &crate::people::NotificationRule| format!("{} {}", rule.channel.as_str(), rule.after);
        config.people[person].rules_for(priority).iter().map(rule).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(rules("anna", crate::sla::Priority::P1), "sms 0s, voice 0s");
    assert_eq!(rules("anna", crate::sla::Priority::P2), "sms 0s, voice 2m");
}

#[test]
fn what_is_kept_and_what_is_described_hold_no_secret() {
    let loaded = examined(&example(), covered);
    let described = describe(&loaded.config).to_string();
    let kept = loaded.files["integrations.toml"].clone();
    for line in ["example0pagerduty0key00000000001\"", "\"example-alertmanager-key\"", "\"example-generic-key\""] {
        assert!(!kept.contains(line) && !described.contains(line), "{line}");
    }
    // The names of the keys are shown, and the kept text means the same.
    assert!(described.contains("\"keys\":[\"example\"]"));
    let again = examined(&loaded.files, covered);
    assert_eq!(again.findings, []);
    assert_eq!(again.config.integrations["generic"].keys, loaded.config.integrations["generic"].keys);
    assert_eq!(again.files, loaded.files);
}
