//! What a support manager reads at the end of the month.

use chrono::TimeDelta;
use ringdown::{
    access::Role,
    report::{compliance::Compliance, page, table},
};
use serde_json::json;

use crate::world::*;

/// The night of [`NIGHT`], as the API tells it.
async fn report(world: &World, query: &str) -> Compliance {
    let answer = world.get(&format!("/api/v1/report?from=2026-11-18&zone=America/New_York{query}")).await;
    serde_json::from_value(answer).expect("a report")
}

/// Lets time pass by the minute, so that the server comes to write down that it runs: nothing that the world waits for.
async fn quietly(world: &World, minutes: i64) {
    for _ in 0..minutes {
        world.minutes(1).await;
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_tells_what_was_kept_late_and_missed_and_when_the_system_was_unavailable() {
    let mut world = World::start().await;
    world.carrier.phone(BEN, presses('4'), Texts::Delivered);

    // A P1: called back in time, one update given, one not; then the server is off for two hours.
    let first = world.report("P1").await;
    quietly(&world, 10).await;
    assert_eq!(world.holder(&first).await.as_deref(), Some("ben"));
    world.act(&first, "response", "ben", json!({"evidence": {"kind": "attested", "note": "spoke"}})).await;
    quietly(&world, 20).await;
    world.act(&first, "updates", "ben", json!({"text": "We are on it."})).await;
    quietly(&world, 95).await;
    world.stop().await;
    let off = world.now();
    world.sleep_through(TimeDelta::hours(2));
    world.start_again().await;
    let on = world.now();
    world.act(&first, "updates", "ben", json!({"text": "We found the cause."})).await;
    quietly(&world, 2).await;
    world.act(&first, "resolve", "ben", json!({})).await;

    // A P2: called back five minutes late.
    let second = world.report("P2").await;
    quietly(&world, 35).await;
    world.act(&second, "response", "ben", json!({"evidence": {"kind": "attested", "note": "spoke"}})).await;
    world.act(&second, "resolve", "ben", json!({})).await;

    let report = report(&world, "&to=2026-11-19").await;
    assert_eq!(report.opened, 2);
    let lines: Vec<String> = report
        .by_priority
        .iter()
        .flat_map(|line| {
            line.promises.iter().map(|subject| {
                let counts = &subject.counts;
                let numbers = (counts.kept, counts.late, counts.missed, counts.waived, counts.open);
                format!("{} {} {numbers:?}", line.priority, subject.promise.as_str())
            })
        })
        .collect();
    let expected = [
        "P1 response (1, 0, 0, 0, 0)",
        // Kept, missed, missed twice while the server was off, kept once it was back.
        "P1 update (2, 0, 3, 0, 0)",
        "P2 response (0, 1, 0, 0, 0)",
        "P2 update (0, 0, 0, 1, 0)",
    ];
    assert_eq!(lines, expected, "{report:#?}\n{}", world.timeline(&first).await);
    assert_eq!((report.contradictory, report.unreadable, report.promises.percent_kept), (0, 0, Some(42.8)));

    // It stopped in order, so the gap is exact.
    let gaps: Vec<_> = report.unavailable.iter().map(|gap| (gap.from, gap.to)).collect();
    assert_eq!(gaps, [(off, on)]);
    assert_eq!(report.incidents[0].unavailable, report.unavailable);
    assert!(report.incidents[1].unavailable.is_empty());

    let ben = report.people.iter().find(|person| person.key == "ben").expect("Ben was paged");
    assert!(ben.pages >= 2 && ben.at_night >= 1 && ben.acknowledged >= 2 && ben.calls >= 2, "{ben:?}");
    assert_eq!((ben.nights, ben.zone.as_str()), (1, "America/New_York"));

    let text = table::text(&report);
    assert!(text.contains("System unavailable for 2 h 00 min") && text.contains("First response late by"), "{text}");
    let html = page::html(&report).expect("a page");
    assert!(html.contains("System unavailable for 2 h 00 min") && !html.contains(ACME), "{html}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_csv_and_the_filters_hold_what_the_report_holds() {
    let world = World::start().await;
    let first = world.report("P1").await;
    world.act(&first, "acknowledge", "ben", json!({})).await;
    world.minutes(65).await;
    world.act(&first, "resolve", "ben", json!({})).await;

    let csv = world.get("/api/v1/report?from=2026-11-18&format=csv").await;
    let csv = text(&csv);
    let rows: Vec<Vec<&str>> = csv.trim_end().split("\r\n").map(|row| row.split(',').collect()).collect();
    let verdicts: Vec<_> = rows[1..].iter().map(|row| (row[0], row[7], row[8], row[11])).collect();
    let first = first.as_str();
    // The second window ends later than now.
    assert_eq!(verdicts, [(first, "response", "", "missed"), (first, "update", "1", "missed")], "{csv}");
    assert!(!csv.contains(ACME), "no number is in it");

    assert_eq!(report(&world, "&customer=acme&plan=standard").await.opened, 1);
    assert_eq!(report(&world, "&customer=nobody").await.opened, 0);
    assert_eq!(report(&world, "&plan=other").await.opened, 0);
    assert_eq!(report(&world, "&to=2026-11-18T08:00:00Z").await.opened, 0, "opened at the end is not before it");
    world.finish();
}

/// The program on this machine: its exit code, and what it printed.
fn ringdown(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ringdown"));
    let done = command.env_clear().args(arguments).envs(environment.iter().copied()).output().expect("the program");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (done.status.code(), text(done.stdout), text(done.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_exported_signed_and_whatever_is_done_to_the_file_is_refused() {
    let world = World::start().await;
    // One promise kept and one missed, one late, one that runs.
    let first = world.report("P1").await;
    world.act(&first, "response", "ben", json!({"evidence": {"kind": "attested", "note": "spoke"}})).await;
    world.minutes(65).await;
    world.act(&first, "resolve", "ben", json!({})).await;
    let second = world.report("P2").await;
    world.minutes(35).await;
    world.act(&second, "response", "ben", json!({"evidence": {"kind": "attested", "note": "spoke"}})).await;
    let third = world.report("P2").await;
    let period = "from=2026-11-18&to=2026-11-20&zone=America/New_York";
    let report: Compliance =
        serde_json::from_value(world.get(&format!("/api/v1/report?{period}")).await).expect("a report");

    // By the program, as a responder; then checked without the service.
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let (responder, viewer) =
        (world.grant("r", Role::Responder, None).await, world.grant("v", Role::Viewer, None).await);
    let url = world.url("");
    let call = |token: &str, arguments: &[&str]| {
        let environment = [("RINGDOWN_URL", url.as_str()), ("RINGDOWN_TOKEN", token)];
        tokio::task::block_in_place(|| ringdown(arguments, &environment))
    };
    let out = path("november.jsonl");
    let mut asked = vec!["report", "--from", "2026-11-18", "--to", "2026-11-20", "--zone", "America/New_York"];
    asked.extend(["--format", "signed", "--out", &out]);
    let (code, _, said) = call(&viewer, &asked);
    assert!(code == Some(1) && said.contains("role `responder`"), "{said}");
    assert!(std::fs::read_dir(folder.path()).expect("the folder").next().is_none(), "nothing is left behind");
    let (code, _, said) = call(&responder, &asked);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let key = path("key.json");
    std::fs::write(&key, world.peek("/.well-known/ringdown-ledger-key").await.body.to_string()).expect("the key");
    let verify = |file: &str| call("", &["verify", file, "--key", &key, "--period"]);
    let (code, told, _) = verify(&out);
    assert_eq!(code, Some(0), "{told}");
    for words in ["It holds: 3 incidents", "Acme Bank", &first, &second, &third, "as you gave it"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let (_, json, _) = call("", &["verify", &out, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let totals = json["promises"].as_array().expect("totals").iter();
    let totals: Vec<_> = totals
        .map(|total| {
            (
                text(&total["priority"]),
                text(&total["promise"]),
                total["kept"].clone(),
                total["late"].clone(),
                total["missed"].clone(),
            )
        })
        .collect();
    let expected: Vec<_> = report
        .by_priority
        .iter()
        .flat_map(|line| {
            line.promises.iter().map(|subject| {
                (
                    line.priority.to_string(),
                    subject.promise.as_str().to_owned(),
                    json!(subject.counts.kept),
                    json!(subject.counts.late),
                    json!(subject.counts.missed),
                )
            })
        })
        .collect();
    assert_eq!(totals, expected);
    assert!((report.promises.kept, report.promises.late, report.promises.missed) >= (1, 1, 1), "{report:#?}");

    // A line is the incident's own export; the whole is no incident.
    let whole = std::fs::read_to_string(&out).expect("the file");
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 4);
    let written = |name: &str, lines: &[&str]| {
        std::fs::write(path(name), lines.concat()).expect("a file");
        path(name)
    };
    let one = written("one.json", &lines[..1]);
    let (code, told, _) = call("", &["verify", &one, "--key", &key]);
    assert!(code == Some(0) && told.contains("It holds: the history is unbroken"), "{told}");
    assert_eq!(verify(&one).0, Some(1), "an incident is no period");
    let (code, _, said) = call("", &["explain", "--file", &out]);
    assert!(code == Some(1) && said.contains("the export of a period"), "{said}");

    // What a customer, or we, might do to it.
    let changed = lines[0].replace("Card payments fail", "Nothing is broken!");
    let kinder = lines[3].replacen("\"missed\":1", "\"missed\":0", 1);
    assert!(changed != lines[0] && kinder != lines[3]);
    for (what, lines, expected) in [
        ("left out", vec![lines[0], lines[2], lines[3]], "which is not here: it was taken out"),
        ("reordered", vec![lines[1], lines[0], lines[2], lines[3]], "the lines were reordered"),
        ("cut off", vec![lines[0], lines[1]], "without a table of contents: it was cut off"),
        (
            "a line changed",
            vec![&changed, lines[1], lines[2], lines[3]],
            "what it says was changed after it was recorded",
        ),
        ("totals changed", vec![lines[0], lines[1], lines[2], &kinder], "the signature: it is not that of the key"),
    ] {
        let (code, told, _) = verify(&written("bad.jsonl", &lines));
        assert!(code == Some(1) && told.contains("IT DOES NOT HOLD") && told.contains(expected), "{what}: {told}");
    }

    // The same over the web, to those who may.
    let mut browser = Browser::signed_in(&world, None, Some(Role::Responder)).await;
    let page = browser.get("/compliance?from=2026-11-18&to=2026-11-20").await.text;
    assert!(page.contains("format=signed"), "{page}");
    let file = browser.get("/compliance?from=2026-11-18&to=2026-11-20&format=signed").await;
    let (code, told, _) = verify(&written("web.jsonl", &[&file.text]));
    assert!(code == Some(0) && told.contains("It holds: 3 incidents"), "{told}");
    let none = browser.get("/compliance?from=2026-11-18&customer=nobody&format=signed").await;
    let (code, told, _) = verify(&written("none.jsonl", &[&none.text]));
    assert!(code == Some(0) && told.contains("Customer: nobody") && told.contains("It holds: 0 incidents"), "{told}");
    let mut admin = Browser::signed_in(&world, None, Some(Role::Admin)).await;
    let audit = admin.get("/audit").await.text;
    assert_eq!(audit.matches("the promises from 2026-11-18").count(), 3, "{audit}");
    world.finish();
}
