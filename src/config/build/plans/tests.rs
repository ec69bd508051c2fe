use std::path::Path;

use crate::{
    config::{
        Config,
        load::{Files, parse},
    },
    escalation::Target,
    sla::{
        Anchor, IntakeChannel, Pausable, Plan,
        Priority::{self, P1, P2, P3},
        Required, Term,
    },
    span::Span,
};

const BASE: &str = r#"
title = "Gold"
calendar = "office"
rule_out = true
call_link = "https://meet.example.com/a"
pauses = ["updates"]
idle = { close_after = "6d", calendar = "always" }
escalation = [{ name = "Team lead", target = "lead", occurrence = true }]

[priorities.P1]
title = "Critical"
response = { within = "30m", calendar = "always" }
updates = { every = "60m", from = "response" }
rca = { draft = "1bd", final = { within = "5bd" } }
channels = ["phone", "web"]
requires = ["callback-number", "contact-name"]

[priorities.P2]
response = "4h"
updates = "3bd"
"#;

const CALENDARS: &str = r#"
[calendars.office]
zone = "Europe/Berlin"
open = [{ days = "weekdays", from = "09:00", to = "17:00" }]
day = "8h"
[calendars.late]
zone = "Europe/Berlin"
open = [{ days = "weekdays", from = "12:00", to = "20:00" }]
day = "8h"
"#;

fn read(plan: &str, more: &str) -> (Config, Vec<String>) {
    let files = [("plans/gold.toml", plan), ("calendars.toml", CALENDARS), ("more.toml", more)];
    let files: Files = files.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
    let loaded = parse(&files, Path::new("schedules"), "", &|_| None);
    (loaded.config, loaded.findings.iter().map(ToString::to_string).collect())
}

fn good(plan: &str) -> Config {
    let (config, findings) = read(plan, "");
    assert_eq!(findings, [""; 0]);
    config
}

fn term(within: &str, calendar: &str) -> Option<Term> {
    Some(Term { within: within.parse().unwrap(), calendar: calendar.into() })
}

fn response(plan: &Plan, priority: Priority) -> Option<Term> {
    plan.promise(priority).response
}

#[test]
fn a_plan_is_read_whole() {
    let config = good(BASE);
    let plan = &config.plans["gold"];
    let p1 = plan.promise(P1);
    assert_eq!((plan.title.as_str(), p1.title.as_str()), ("Gold", "Critical"));
    assert_eq!(p1.response, term("30m", "always"));
    let updates = p1.updates.clone().unwrap();
    assert_eq!((Some(updates.every), updates.from), (term("60m", "office"), Anchor::Response));
    let rca = p1.rca.clone().unwrap();
    assert_eq!((rca.draft, rca.last), (term("1bd", "office"), term("5bd", "office")));
    assert_eq!(p1.channels, [IntakeChannel::Phone, IntakeChannel::Web]);
    assert_eq!(p1.requires, [Required::CallbackNumber, Required::ContactName]);
    assert!(p1.wakes && plan.promise(P2).wakes && !plan.promise(P3).wakes && !p1.live);
    let idle = plan.idle.clone().unwrap();
    assert_eq!(
        (idle.requests, Some(idle.close_after), idle.warn_before),
        (1, term("6d", "always"), Span::minutes(1440))
    );
    let levels = plan.escalation.clone().unwrap();
    assert_eq!((levels[0].name.as_str(), &levels[0].target, levels[0].occurrence), ("Team lead", &Target::Lead, true));
    assert!(plan.rule_out && plan.pauses.contains(&Pausable::Updates) && plan.call_link.is_some());
    assert_eq!(plan.calendars.iter().map(|calendar| calendar.key.as_str()).collect::<Vec<_>>(), ["office"]);
    assert_eq!(plan.zone_database, crate::sla::zone::database_version());
}

#[test]
fn a_reminder_comes_a_quarter_of_an_hour_before_or_two_working_hours_and_never_before_the_window() {
    let plan = &good(BASE).plans["gold"];
    let before = |plan: &Plan, priority| plan.promise(priority).updates.unwrap().remind_before;
    assert_eq!((before(plan, P1), before(plan, P2)), (Span::minutes(15), Span::minutes(120)));
    let short = good(&BASE.replace("\"3bd\"", "\"20m\""));
    assert_eq!(before(&short.plans["gold"], P2), Span::minutes(5));
}

#[test]
fn a_tier_is_laid_over_the_plan_key_by_key() {
    let tiers = r#"
[tiers.low]
[tiers.high]
title = "Gold, high"
calendar = "always"
escalation = []
idle = { requests = 2, again_after = "2d" }
call_link = "none"
[tiers.high.priorities]
P1 = { response = "10m", rca = "none", updates = { calendar = "late" } }
P2 = "none"
P3 = { response = "immediate", wakes = true }
"#;
    let config = good(&format!("{BASE}{tiers}"));
    assert_eq!(config.plans.keys().map(|key| key.as_str()).collect::<Vec<_>>(), ["gold:high", "gold:low"]);
    let (high, low) = (&config.plans["gold:high"], &config.plans["gold:low"]);
    assert_eq!((high.title.as_str(), low.title.as_str()), ("Gold, high", "Gold"));
    // The term's own calendar stays, and one that had none follows the tier's.
    assert_eq!(response(high, P1), term("10m", "always"));
    let updates = high.promise(P1).updates.unwrap();
    assert_eq!((Some(updates.every), updates.from), (term("60m", "late"), Anchor::Response));
    assert_eq!(high.promise(P1).channels.len(), 2);
    assert!(high.promise(P1).rca.is_none() && low.promise(P1).rca.is_some());
    assert!(!high.priorities.contains_key(&P2) && low.priorities.contains_key(&P2));
    let live = high.promise(P3);
    assert_eq!((live.response, live.live), (term("60s", "always"), true));
    assert_eq!((high.escalation.as_deref(), low.escalation.as_ref().map(Vec::len)), (Some(&[][..]), Some(1)));
    let idle = high.idle.clone().unwrap();
    assert_eq!((idle.requests, idle.again_after), (2, term("2d", "always")));
    assert_eq!(Some(idle.close_after), term("6d", "always"));
    assert!(high.call_link.is_none() && low.call_link.is_some());
    assert_eq!(high.calendars.iter().map(|calendar| calendar.key.as_str()).collect::<Vec<_>>(), ["late"]);
}

#[test]
fn a_term_that_is_no_longer_immediate_is_no_longer_live() {
    let tiers =
        "[tiers.a]\npriorities.P1 = { response = \"immediate\" }\n[tiers.b]\npriorities.P1 = { response = \"30m\" }";
    let base = BASE.replace("{ within = \"30m\", calendar = \"always\" }", "\"immediate\"");
    let config = good(&format!("{base}{tiers}"));
    let of = |tier: &str| config.plans[tier].promise(P1);
    assert_eq!((of("gold:a").live, of("gold:a").response), (true, term("60s", "always")));
    assert_eq!((of("gold:b").live, of("gold:b").response), (false, term("30m", "office")));
}

const OTHERS: &str = r#"
[people.anna]
name = "Anna"
zone = "UTC"
contact.mobile = { phone = "+12015550101" }
[schedules.s]
zone = "UTC"
layers = [{ people = ["anna"], turn = "weekly", start = 2026-01-05, handoff = "09:00" }]
[teams.t]
name = "T"
zone = "UTC"
schedule = "s"
last_resort = ["anna"]
[customers.acme]
name = "Acme"
zone = "UTC"
phones = ["+12015550150"]
team = "t"
plan = "gold"
"#;

#[test]
fn an_agreement_supersedes_the_plan_and_leaves_it_as_it_was() {
    let own = r#"
[customers.acme.agreement]
calendar = "late"
rule_out = false
idle = "none"
[customers.acme.terms]
P1 = { response = "20m" }
P2 = { updates = "none" }
"#;
    let (config, findings) = read(BASE, &format!("{OTHERS}{own}"));
    assert_eq!(findings, [""; 0]);
    let (plan, own) = (&config.plans["gold"], &config.customers["acme"].plan);
    assert_eq!(own.key, plan.key);
    assert_eq!((response(own, P1), response(own, P2)), (term("20m", "always"), term("4h", "late")));
    assert_eq!((response(plan, P1), response(plan, P2)), (term("30m", "always"), term("4h", "office")));
    assert!(own.promise(P2).updates.is_none() && own.promise(P1).updates.is_some());
    assert!(own.idle.is_none() && plan.idle.is_some() && !own.rule_out && plan.rule_out);
    assert_eq!(own.calendars.iter().map(|calendar| calendar.key.as_str()).collect::<Vec<_>>(), ["late"]);
}

#[test]
fn a_plan_with_tiers_is_named_with_its_tier() {
    let tiers = "[tiers.low]\n[tiers.high]\ncalendar = \"always\"\n";
    for (plan, named, said) in [
        (format!("{BASE}{tiers}"), "gold", "plan `gold` has tiers; write `gold:low` or `gold:high`"),
        (format!("{BASE}{tiers}"), "gold:hihg", "plan `gold` has no tier `hihg`; write `gold:low` or `gold:high`"),
        (BASE.into(), "gold:high", "plan `gold` has no tiers; write `gold`"),
        (BASE.into(), "glod", "there is no plan `glod`; did you mean `gold`?"),
    ] {
        let hotline = format!("[hotlines.h]\nnumber = \"+12015550190\"\nteam = \"t\"\nplan = \"{named}\"\n");
        let sender = format!(
            "[integrations.i]\nkind = \"generic\"\nteam = \"t\"\nplan = \"{named}\"\nkeys = {{ a = \"0123456789abcdefg\" }}\n"
        );
        let others = OTHERS.replace("plan = \"gold\"", &format!("plan = \"{named}\""));
        let (_, findings) = read(&plan, &format!("{others}{hotline}{sender}"));
        for place in ["customers.acme.plan", "hotlines.h.plan", "integrations.i.plan"] {
            let found = format!("{place}: {said}");
            assert!(findings.iter().any(|line| line.contains(&found)), "{found}\n{findings:#?}");
        }
    }
}

#[test]
fn mistakes_are_found_where_they_were_made() {
    for (old, new, found) in [
        (
            "calendar = \"office\"",
            "calendar = \"ofice\"",
            "plans.gold.calendar: there is no calendar `ofice`; did you mean `office`?",
        ),
        (
            "calendar = \"always\" }\nupdates",
            "calendar = \"allways\" }\nupdates",
            "plans.gold.priorities.P1.response.calendar: there is no",
        ),
        (
            "within = \"30m\"",
            "within = \"30s\"",
            "plans.gold.priorities.P1.response.within: `30s` is out of range; write 1m to 366d",
        ),
        (
            "within = \"30m\"",
            "within = \"half an hour\"",
            "plans.gold.priorities.P1.response.within: `half an hour` is not an amount of open time",
        ),
        ("within = \"30m\", ", "", "plans.gold: `priorities.P1.response` does not say how long"),
        ("close_after = \"6d\", ", "", "plans.gold: `idle.close_after` does not say how long"),
        (
            "from = \"response\"",
            "from = \"answer\"",
            "P1.updates.from: `answer` is not known; write `report` or `response`",
        ),
        ("\"web\"", "\"fax\"", "plans.gold.priorities.P1.channels[1]: `fax` is not known"),
        ("\"web\"", "\"phone\"", "plans.gold.priorities.P1.channels[1]: is listed twice"),
        ("\"contact-name\"", "\"shoe-size\"", "plans.gold.priorities.P1.requires[1]: `shoe-size` is not known"),
        ("rule_out = true", "rule_out = \"yes\"", "plans.gold.rule_out: this is a text; write `true` or `false`"),
        ("https://meet", "ftp://meet", "plans.gold.call_link: is not a link"),
        ("target = \"lead\"", "target = \"boss\"", "plans.gold.escalation[0].target: `boss` is not known"),
        ("pauses = [\"updates\"]", "pauses = [\"update\"]", "plans.gold.pauses[0]: `update` is not known"),
        (
            "title = \"Critical\"",
            "impact_above = 100",
            "P1.impact_above: out of range; write a whole number from 0 to 99",
        ),
        ("title = \"Critical\"", "hours = \"9 to 5\"", "P1.hours: `9 to 5` is not known; write `office` or `any`"),
        ("title = \"Gold\"", "", "plans.gold.title: is missing"),
        ("[priorities.P2]", "[priorities.P7]", "plans.gold.priorities.P7: is not a priority"),
        ("title = \"Gold\"", "title = \"Gold\"\ntiers = {}", "plans.gold.tiers: has 0 tiers"),
        ("title = \"Gold\"", "title = \"Gold\"\ntiers = { A = { } }", "plans.gold.tiers.A: cannot be a tier's key"),
        ("updates = \"3bd\"", "updates = \"none\"\nremind_before = \"5m\"", "P2.remind_before: there are no updates"),
        ("from = \"response\"", "remind_before = \"5m\"", ""),
    ] {
        assert!(BASE.contains(old), "{old}");
        let (_, findings) = read(&BASE.replacen(old, new, 1), "");
        let all = findings.join("\n");
        assert!(if found.is_empty() { all.is_empty() } else { all.contains(found) }, "{new}: {found}\n{all}");
    }
}
