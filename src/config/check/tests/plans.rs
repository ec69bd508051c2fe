use super::*;

const BASE: &str = r#"
title = "Gold"
calendar = "click-support"

[priorities.P1]
response = "1h"
updates = "2h"
resolution = "8h"
impact_above = 25
channels = ["phone", "web"]

[priorities.P2]
response = "2h"
impact_above = 10
"#;

/// The example, with a plan of its own that has one text put in the place of another.
fn gold(old: &str, new: &str) -> Files {
    assert!(BASE.contains(old), "{old}");
    let mut files = example();
    files.insert("plans/gold.toml".into(), BASE.replacen(old, new, 1));
    files
}

/// Each promise that could not be kept as it is written is found at its line and key.
#[test]
fn every_contradiction_is_found_where_it_was_made() {
    assert_eq!(said(&gold("", "")), [""; 0]);
    for (old, new, found) in [
        (
            "impact_above = 25",
            "rca = { draft = \"72h\", final = \"5bd\" }",
            "plans/gold.toml:9: plans.gold.priorities.P1.rca.draft: the draft would come after the final: for an incident that ends",
        ),
        // By the clock, not by its name: it is overtaken on some weekends only.
        (
            "impact_above = 25",
            "rca = { draft = { within = \"66h\", calendar = \"always\" }, final = \"1bd\" }",
            "plans.gold.priorities.P1.rca.draft: the draft would come after the final",
        ),
        (
            "\"2h\"",
            "{ every = \"2h\", remind_before = \"2h\" }",
            "P1.updates.remind_before: an update is due every 2h, but its reminder comes 2h before",
        ),
        (
            "\"2h\"",
            "\"1bd\"",
            "P1.updates: warning: the first answer is due within 1h, and then the customer hears nothing for 1bd",
        ),
        ("\"8h\"", "\"30m\"", "P1.resolution: warning: its end is promised before its first answer"),
        ("\"8h\"", "{ within = \"20m\", calendar = \"always\" }", "P1.resolution: warning: its end is promised before"),
        (
            "response = \"2h\"",
            "response = \"59m\"",
            "plans/gold.toml:6: plans.gold.priorities.P1.response: warning: P1 is promised less than P2",
        ),
        (
            "response = \"2h\"",
            "response = { within = \"2h\", calendar = \"always\" }",
            "P1.response: warning: P1 is promised less than P2",
        ),
        (
            "response = \"2h\"",
            "response = \"2h\"\nupdates = \"2h\"\nresolution = \"7h\"",
            "P1.resolution: warning: P1 is promised less than P2",
        ),
        ("updates = \"2h\"\n", "", ""),
        (
            "impact_above = 10",
            "updates = \"3h\"\nresolution = \"1h\"",
            "P1.resolution: warning: P1 is promised less than P2",
        ),
        ("resolution = \"8h\"\nimpact_above = 25", "", ""),
        (
            "[priorities.P2]",
            "[priorities.P3]",
            "plans.gold.priorities.P3: warning: P3 is there, but P2 is not, so it carries no promise",
        ),
        ("[priorities.P2]", "[priorities.P3]", "plans.gold: warning: promises no first response for P2"),
        (
            "impact_above = 10",
            "impact_above = 25",
            "plans.gold.priorities.P2.impact_above: P2 begins above 25 % of the users and P1 above 25 %",
        ),
        (
            "[\"phone\", \"web\"]",
            "[\"monitoring\"]\nrequires = [\"callback-number\"]",
            "P1.requires: a call-back number is required, but monitoring",
        ),
        (
            "response = \"1h\"",
            "response = \"immediate\"\nwakes = false",
            "P1.wakes: the caller is connected live, but nobody is woken",
        ),
        (
            "response = \"1h\"",
            "response = \"1h\"\nlive = true\nhours = \"office\"",
            "P1.hours: the caller cannot be connected live and wait",
        ),
        (
            "response = \"1h\"",
            "response = \"immediate\"\nscheduled = true",
            "P1.scheduled: the caller cannot be connected live at a later time",
        ),
        ("response = \"1h\"", "live = true", "P1.live: the caller is connected live, but no response is promised"),
        (
            "channels = [\"phone\", \"web\"]",
            "channels = [\"web\"]\nlive = true",
            "P1.channels: only somebody who phones can be connected live",
        ),
        (
            "resolution = \"8h\"\nimpact_above = 25\nchannels = [\"phone\", \"web\"]",
            "[priorities.P3]\nscheduled = true",
            "P3.scheduled: warning: nothing is promised from the time the customer names",
        ),
        (
            "response = \"1h\"",
            "hours = \"office\"",
            "P1.hours: waits for the hours of the response's calendar, but no response is promised",
        ),
        (
            "response = \"1h\"",
            "response = { within = \"1h\", calendar = \"always\" }\nhours = \"office\"",
            "P1.hours: waits for office hours, but `always`",
        ),
        (
            "response = \"1h\"\nupdates = \"2h\"",
            "updates = { every = \"2h\", from = \"response\" }",
            "P1.updates.from: warning: are counted from the response, but none is promised",
        ),
        (
            "calendar = ",
            "idle = { close_after = \"1d\", calendar = \"always\" }\ncalendar = ",
            "plans/gold.toml:3: plans.gold.idle.close_after: it is closed after 24h, but the customer is told 1d before",
        ),
        (
            "calendar = ",
            "idle = { close_after = \"6d\", requests = 2 }\ncalendar = ",
            "plans.gold.idle.requests: the customer is asked 2 times",
        ),
        (
            "calendar = ",
            "idle = { close_after = \"6d\", again_after = \"1d\" }\ncalendar = ",
            "plans.gold.idle.again_after: warning: the customer is asked once only",
        ),
    ] {
        let said = said(&gold(old, new));
        let good = if found.is_empty() { said.is_empty() } else { said.iter().any(|line| line.contains(found)) };
        assert!(good, "{new}: {found}\n{said:#?}");
    }
}

#[test]
fn a_mistake_above_the_tiers_is_told_once_and_one_in_a_tier_at_the_tier() {
    let tiers = "\n[tiers.a]\ntitle = \"A\"\n[tiers.b]\ntitle = \"B\"\npriorities.P2.response = \"50m\"\n";
    let mut files = gold("\"2h\"", "{ every = \"2h\", remind_before = \"3h\" }");
    files.get_mut("plans/gold.toml").unwrap().push_str(tiers);
    let said = said(&files);
    let found = |part: &str| said.iter().filter(|line| line.contains(part)).count();
    assert_eq!(found("plans/gold.toml:7: plans.gold.priorities.P1.updates.remind_before"), 1, "{said:#?}");
    assert_eq!(
        found("plans/gold.toml:20: plans.gold.tiers.b.priorities.P2.response: warning: P1 is promised less than P2"),
        1,
        "{said:#?}"
    );
    assert_eq!(said.len(), 2, "{said:#?}");
}

#[test]
fn tiers_that_promise_the_same_are_noticed() {
    let mut files = gold("", "");
    files.get_mut("plans/gold.toml").unwrap().push_str("\n[tiers.a]\ntitle = \"A\"\n[tiers.b]\ntitle = \"B\"\n");
    assert_eq!(
        said(&files),
        [
            "schedules/plans/gold.toml:18: plans.gold.tiers.b: warning: promises exactly what tier `a` does; take one out, or say what differs"
        ]
    );
}

#[test]
fn an_agreement_that_contradicts_itself_is_found_at_the_customer() {
    let own = "[customers.borealis.agreement]\nidle = { close_after = \"12h\" }\n\n[customers.borealis.terms.P1]";
    let said = said(&with("customers.toml", "[customers.borealis.terms.P1]", own));
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("customers.borealis.agreement.idle.close_after: it is closed after 12h"), "{said:#?}");
}

#[test]
fn a_level_the_customer_may_ask_for_must_have_somebody_on_it() {
    let platform =
        "executive = \"jonas\"\nlast_resort = [\"kate\"]\npolicies = { P1 = \"default\", P2 = \"unhurried\" }";
    let mut files = with("teams.toml", platform, "last_resort = [\"kate\"]\npolicies = { P1 = \"unhurried\" }");
    let hotlines = files.get_mut("hotlines.toml").unwrap();
    let europe = "team = \"platform\"\nplan = \"standard\"";
    assert!(hotlines.contains(europe));
    *hotlines = hotlines.replace(europe, &europe.replace("standard", "tiered-support:enterprise"));
    let found = "hotlines.europe.team: warning: plan `tiered-support:enterprise` lets the customer ask for `Executive \
                 management`, but team `platform` has nobody there; name them in teams.toml";
    let said = said(&files);
    assert!(said.iter().any(|line| line.contains(found)), "{said:#?}");
}

/// No file can say so today: what is pinned or imported might.
#[test]
fn a_calendar_that_never_opens_cannot_be_promised_in() {
    let mut loaded = examined(&example(), covered);
    let shut = crate::sla::Calendar { key: "shut".into(), openings: Vec::new(), ..crate::sla::Calendar::always() };
    let plan = loaded.config.plans.get_mut("standard").unwrap();
    plan.calendars.insert(shut.into());
    super::super::plans::check(&mut loaded, now());
    let said: Vec<String> = loaded.findings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("calendars.shut: never opens, so nothing"), "{said:#?}");
}
