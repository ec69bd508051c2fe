//! Exports, explanations and anchors, through the API, on a clock that is moved by hand.

use super::*;
use crate::{
    incident::{
        Command,
        ledger::{
            anchor,
            signature::Published,
            verify::{Verified, verify},
        },
    },
    report,
};

pub(super) async fn open(house: &House, title: &str) -> (String, String) {
    let token = house.token(Role::Commander).await;
    let body = json!({
        "customer": "acme", "priority": "P1", "title": title,
        "contact": {"name": "Ms Ito", "number": "+1 201 555 0177"},
    });
    let (status, made) = house.send("POST", "/api/v1/incidents", &token, body).await;
    assert_eq!(status, 201, "{made}");
    (made["reference"].as_str().unwrap().into(), made["id"].as_str().unwrap().into())
}

pub(super) async fn act(house: &House, reference: &str, what: &str, body: Value) {
    let token = house.token(Role::Commander).await;
    let (status, answer) = house.send("POST", &format!("/api/v1/incidents/{reference}/{what}"), &token, body).await;
    assert!(status.is_success(), "{what}: {answer}");
}

/// The export as it comes over the wire, checked with the key that is published.
async fn exported(house: &House, name: &str) -> (String, Verified) {
    let token = house.token(Role::Responder).await;
    let path = format!("/api/v1/incidents/{name}/export");
    let request = request("GET", &path, &token).body(Body::empty()).unwrap();
    let response = routes().with_state(house.app.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let published = Request::get("/.well-known/ringdown-ledger-key").body(Body::empty()).unwrap();
    let key = Published::read(&house.ask(published).await.2.to_string()).unwrap();
    (String::from_utf8(bytes.to_vec()).unwrap(), verify(&bytes, Some(&key)))
}

/// Lets the timers fire as the service does.
async fn pass(house: &House, id: &str, until: &str) {
    let until: Time = until.parse().unwrap();
    while house.app.clock.now() < until {
        let next = house.app.clock.now() + chrono::TimeDelta::minutes(1);
        house.hand.set(next.min(until));
        house.app.door.execute(&id.into(), Command::TimerFired).await.unwrap();
    }
}

#[tokio::test]
async fn an_incident_that_was_lived_through_is_exported_and_holds_and_is_explained() {
    let house = House::furnished().await;
    let (reference, id) = open(&house, "Checkout is down").await;
    act(&house, &reference, "acknowledge", json!({"as": "ben"})).await;
    pass(&house, &id, "2026-11-02T12:15:00Z").await;
    let evidence = json!({"evidence": {"kind": "attested", "note": "spoke with Ms Ito"}, "as": "ben"});
    act(&house, &reference, "response", evidence).await;
    pass(&house, &id, "2026-11-02T14:10:00Z").await;
    act(&house, &reference, "resolve", json!({})).await;

    let (text, verified) = exported(&house, &reference).await;
    assert_eq!(verified.findings, []);
    assert!(text.contains("+12015550177"), "in full: the hashes are over what was recorded");
    let reckoning = verified.incident.unwrap().1;
    assert_eq!(reckoning.callbacks[0].kept(), Some(true));
    assert!(reckoning.windows.len() >= 2);

    let viewer = house.token(Role::Viewer).await;
    let path = format!("/api/v1/incidents/{reference}/explanation");
    let (status, answer) = house.send("GET", &path, &viewer, Value::Null).await;
    assert_eq!((status.as_u16(), &answer["contradictions"]), (200, &json!([])), "{answer}");
    assert_eq!(answer["promises"][0]["verdict"], "kept");
    assert!(!answer.to_string().contains("2015550177"), "a viewer sees no number");
}

#[tokio::test]
async fn an_event_changed_in_the_database_is_named() {
    let house = House::furnished().await;
    let (reference, id) = open(&house, "Checkout is down").await;
    const TAMPER: crate::store::Sql = crate::store::Sql::same(
        "update incident_events set body = replace(body, 'Checkout is down', 'Nothing is down') where incident_id = $1",
    );
    let mut tx = house.app.db.begin().await.unwrap();
    crate::on!(&mut tx, TAMPER, |c, sql| sqlx::query(sql).bind(&id).execute(c).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    let (_, verified) = exported(&house, &reference).await;
    let words = verified.findings[0].to_string();
    assert!(words.starts_with("event 1: what it says was changed after it was recorded"), "{words}");
}

#[tokio::test]
async fn each_day_is_anchored_once_and_the_anchors_hang_together() {
    let house = House::furnished().await;
    assert_eq!(report::anchor::make(&house.app).await.unwrap(), None, "nothing was reported yet");
    let (first, id) = open(&house, "one").await;
    pass(&house, &id, "2026-11-02T14:30:00Z").await;
    open(&house, "two").await;
    assert_eq!(report::anchor::make(&house.app).await.unwrap(), None, "the day is not over");
    assert!(exported(&house, &first).await.1.export.unwrap().anchors.is_empty());

    house.hand.set("2026-11-03T00:00:20Z".parse().unwrap());
    let monday = report::anchor::make(&house.app).await.unwrap().unwrap();
    assert_eq!((monday.from.to_string(), monday.day.to_string()), ("2026-11-02".into(), "2026-11-02".into()));
    assert_eq!((monday.heads, monday.previous), (2, anchor::genesis()));
    assert_eq!(report::anchor::make(&house.app).await.unwrap(), None, "once a day");

    house.app.door.execute(&id.as_str().into(), Command::TimerFired).await.unwrap();
    act(&house, &first, "resolve", json!({})).await;
    let (third, _) = open(&house, "three").await;
    // The service was down over two midnights.
    house.hand.set("2026-11-06T08:00:00Z".parse().unwrap());
    let later = report::anchor::make(&house.app).await.unwrap().unwrap();
    assert_eq!((later.from.to_string(), later.day.to_string()), ("2026-11-03".into(), "2026-11-05".into()));
    assert_eq!((later.heads, later.previous), (2, monday.hash()), "those that moved");

    let export = |name: String| {
        let house = &house;
        async move { exported(house, &name).await.1 }
    };
    let verified = export(id).await;
    let anchors = verified.export.unwrap().anchors;
    assert_eq!(verified.findings, []);
    assert_eq!(anchors.iter().map(|covering| covering.anchor.clone()).collect::<Vec<_>>(), [monday, later.clone()]);
    assert!(anchors[0].seq < anchors[1].seq);
    let verified = export(third).await;
    assert_eq!(verified.export.unwrap().anchors[0].anchor, later);

    house.hand.set("2026-11-07T00:01:00Z".parse().unwrap());
    let quiet = report::anchor::make(&house.app).await.unwrap().unwrap();
    assert_eq!((quiet.heads, quiet.previous, quiet.root), (0, later.hash(), anchor::root(&[])), "a day without news");
}

#[tokio::test]
async fn a_history_from_before_there_was_a_ledger_is_chained_when_it_goes_on() {
    let house = House::furnished().await;
    let (reference, id) = open(&house, "old").await;
    for forget in [
        crate::store::Sql::same("update incident_events set hash = '' where incident_id = $1"),
        crate::store::Sql::same("update incidents set head = '' where id = $1"),
    ] {
        let mut tx = house.app.db.begin().await.unwrap();
        crate::on!(&mut tx, forget, |c, sql| sqlx::query(sql).bind(&id).execute(c).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }
    act(&house, &reference, "acknowledge", json!({"as": "ben"})).await;
    assert_eq!(exported(&house, &reference).await.1.findings, []);
}
