//! A period's signed export, as it leaves: while its incidents change, and when something goes wrong on the way.

use super::{
    ledger::{act, open},
    *,
};
use crate::{
    id::IncidentId,
    incident::store::chain,
    on,
    report::{
        gather::Question,
        period::Period,
        signed::{
            Exporting,
            check::{Check, Checked},
        },
    },
    store::Sql,
};

fn november() -> Question {
    let zone = Zone::utc();
    let now = "2026-11-02T12:00:00Z".parse().unwrap();
    let period = Period::read("2026-11-01", Some("2026-12-01"), &zone, now).unwrap();
    Question { period, zone, customer: None, plan: None }
}

fn checked(house: &House, lines: &[String]) -> Checked {
    let mut check = Check::begin(Some(house.app.ledger_key.public()));
    lines.iter().for_each(|line| check.line(line.as_bytes()));
    check.finish()
}

async fn rest(exporting: &mut Exporting) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(line) = exporting.next().await.unwrap() {
        lines.push(line);
    }
    lines
}

async fn head(house: &House, id: &str) -> String {
    let mut tx = house.app.db.read().await.unwrap();
    chain(&mut tx, &IncidentId::from(id)).await.unwrap().last().unwrap().hash.to_string()
}

#[tokio::test]
async fn what_changes_meanwhile_is_in_it_as_it_was_when_its_line_was_written() {
    let house = House::furnished().await;
    let (first, first_id) = open(&house, "one").await;
    let (second, second_id) = open(&house, "two").await;
    let mut exporting = Exporting::begin(&house.app, november()).await.unwrap();
    let mut lines = vec![exporting.next().await.unwrap().unwrap()];
    let before = head(&house, &first_id).await;
    for reference in [&first, &second] {
        act(&house, reference, "acknowledge", json!({"as": "ben"})).await;
    }
    open(&house, "opened after it began").await;
    lines.extend(rest(&mut exporting).await);
    let checked = checked(&house, &lines);
    assert!(checked.holds(), "{checked:#?}");
    let heads: Vec<(String, String)> = checked
        .contents
        .unwrap()
        .incidents
        .iter()
        .map(|named| (named.incident.to_string(), named.head.to_string()))
        .collect();
    let expected = [(first_id.clone(), before.clone()), (second_id.clone(), head(&house, &second_id).await)];
    assert_eq!(heads, expected);
    assert_ne!(before, head(&house, &first_id).await);
    assert_eq!(exporting.next().await.unwrap(), None, "it is over");
}

#[tokio::test]
async fn each_line_has_the_anchors_of_its_incident() {
    let house = House::furnished().await;
    open(&house, "one").await;
    open(&house, "two").await;
    house.hand.set("2026-11-03T00:00:20Z".parse().unwrap());
    crate::report::anchor::make(&house.app).await.unwrap().unwrap();
    let lines = rest(&mut Exporting::begin(&house.app, november()).await.unwrap()).await;
    for line in &lines[..2] {
        let export: Value = serde_json::from_str(line).unwrap();
        assert_eq!(export["anchors"].as_array().unwrap().len(), 1, "{export}");
    }
    let checked = checked(&house, &lines);
    assert_eq!(checked.findings, []);
    // No timer ran, so that their promises are wrong; their anchors are not.
    let words: Vec<String> = checked.lines.iter().flat_map(|line| &line.findings).map(ToString::to_string).collect();
    assert!(words.iter().all(|words| words.starts_with("event 3, verdicts: ")), "{words:?}");
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_leaves_a_file_that_does_not_look_whole() {
    let house = House::furnished().await;
    open(&house, "one").await;
    open(&house, "two").await;
    let mut exporting = Exporting::begin(&house.app, november()).await.unwrap();
    let first = exporting.next().await.unwrap().unwrap();
    let body = crate::api::report::signed(&house.app, november(), "t", None).await.unwrap();
    house.app.db.close().await;
    assert!(exporting.next().await.is_err());
    assert_eq!(exporting.next().await.unwrap(), None, "and nothing after it");
    let words = checked(&house, &[first]).findings[0].to_string();
    assert_eq!(words, "the file: it ends after line 1 without a table of contents: it was cut off");
    assert!(to_bytes(body, usize::MAX).await.is_err(), "the answer breaks off");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_missed_by_whoever_checks() {
    let house = House::furnished().await;
    let (_, id) = open(&house, "one").await;
    open(&house, "two").await;
    const SPOIL: Sql = Sql::same("update incident_events set body = '{}' where incident_id = $1");
    let mut tx = house.app.db.begin().await.unwrap();
    on!(&mut tx, SPOIL, |c, sql| sqlx::query(sql).bind(&id).execute(c).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    let lines = rest(&mut Exporting::begin(&house.app, november()).await.unwrap()).await;
    let words: Vec<String> = checked(&house, &lines).findings.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(words, ["the table of contents: the server could not read 1 of its records, and they are not here"]);
}

#[tokio::test]
async fn it_is_for_responders_and_says_so() {
    let house = House::furnished().await;
    open(&house, "one").await;
    let path = "/api/v1/report?from=2026-11-01&to=2026-12-01&format=signed";
    for (role, expected) in [(Role::Intake, 403), (Role::Viewer, 403), (Role::Responder, 200), (Role::Admin, 200)] {
        let token = house.token(role).await;
        let (status, headers, answer) = house.ask(request("GET", path, &token).body(Body::empty()).unwrap()).await;
        assert_eq!(status, expected, "{role:?}");
        if role == Role::Viewer {
            assert_eq!(answer["detail"], "This needs a token with the role `responder`; yours has `viewer`.");
        }
        if expected == 200 {
            assert_eq!(headers[header::CONTENT_TYPE], "application/jsonl");
        }
    }
    let mut tx = house.app.db.read().await.unwrap();
    let noted = access::audit::store::list(&mut tx, None, 50).await.unwrap();
    let exported: Vec<&str> =
        noted.iter().filter(|entry| entry.what == "exported").filter_map(|entry| entry.detail.as_deref()).collect();
    assert_eq!(
        exported, ["the promises from 2026-11-01 00:00:00 UTC to 2026-12-01 00:00:00 UTC"; 2],
        "once for each who got it"
    );
}
