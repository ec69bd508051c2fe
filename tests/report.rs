//! What a support manager reads at the end of the month.

use chrono::TimeDelta;
use ringdown::report::{compliance::Compliance, page, table};
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
