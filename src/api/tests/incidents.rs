//! An incident's life, through the API alone.

use super::*;

fn checkout() -> Value {
    json!({
        "customer": "acme", "priority": "P1", "title": "Checkout is down", "detail": "Nobody can pay.",
        "contact": {"name": "Ms Ito", "number": "+1 201 555 0177"},
    })
}

async fn post(house: &House, token: &str, path: &str, body: Value) -> Value {
    let (status, answer) = house.send("POST", &format!("/api/v1/incidents{path}"), token, body).await;
    assert!(status.is_success(), "{path}: {status} {answer}");
    answer
}

async fn get(house: &House, token: &str, path: &str) -> Value {
    let (status, answer) = house.send("GET", &format!("/api/v1/incidents{path}"), token, Value::Null).await;
    assert!(status.is_success(), "{path}: {status} {answer}");
    answer
}

#[tokio::test]
async fn an_incident_is_reported_taken_told_of_and_resolved() {
    let house = House::furnished().await;
    let commander = house.token(Role::Commander).await;
    let made = post(&house, &commander, "", checkout()).await;
    let reference = made["reference"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["phase"], &made["customer"]["name"], &made["source"]),
        (&json!("open"), &json!("Acme Bank"), &json!("api"))
    );
    assert_eq!(made["contact"]["number"], "+12015550177");
    assert_eq!(made["response"]["due"], "2026-11-02T12:30:00Z", "the plan's terms");
    assert!(made["next_action"]["at"].is_string(), "{made}");

    let listed = get(&house, &commander, "?open=true&priority=P1&customer=acme").await;
    assert_eq!(listed["items"][0]["id"], made["id"]);
    assert_eq!(get(&house, &commander, "?customer=borealis").await["items"], json!([]));

    let on = format!("/{reference}");
    let taken = post(&house, &commander, &format!("{on}/acknowledge"), json!({"as": "ben"})).await;
    assert_eq!(taken["holder"]["key"], "ben");
    assert_eq!(taken["response"]["met"], false, "an acknowledgement is not a response");
    let (status, problem) =
        house.send("POST", &format!("/api/v1/incidents{on}/acknowledge"), &commander, json!({"as": "anna"})).await;
    assert_eq!(status, 409, "{problem}");

    let evidence = json!({"evidence": {"kind": "attested", "note": "spoke with Ms Ito"}, "as": "ben"});
    let spoken = post(&house, &commander, &format!("{on}/response"), evidence).await;
    assert_eq!(
        (&spoken["response"]["met"], &spoken["response"]["evidence"]["kind"]),
        (&json!(true), &json!("attested"))
    );
    let told = post(&house, &commander, &format!("{on}/updates"), json!({"text": "We found it.", "as": "ben"})).await;
    assert_eq!(told["window"]["met"], true);
    post(&house, &commander, &format!("{on}/priority"), json!({"priority": "P2", "reason": "half of it works"})).await;
    post(&house, &commander, &format!("{on}/commander"), json!({"person": "carla"})).await;
    let closed = post(&house, &commander, &format!("{on}/resolve"), json!({"note": "Rolled back."})).await;
    assert_eq!((&closed["phase"], &closed["next_action"]), (&json!("resolved"), &Value::Null));

    let shown = get(&house, &commander, &on).await;
    let words = shown["timeline"].as_array().unwrap();
    assert!(words.len() >= 6 && words.iter().all(|entry| entry["words"].as_str().is_some_and(|w| !w.is_empty())));
    assert_eq!(get(&house, &commander, "?open=true").await["items"], json!([]));
    let (status, _) =
        house.send("POST", &format!("/api/v1/incidents{on}/updates"), &commander, json!({"text": "x"})).await;
    assert_eq!(status, 409, "closed");
    assert_eq!(post(&house, &commander, &format!("{on}/reopen"), json!({"why": "again"})).await["phase"], "open");
}

#[tokio::test]
async fn a_report_sent_twice_with_one_key_is_one_incident() {
    let house = House::furnished().await;
    let token = house.token(Role::Intake).await;
    let report = || {
        let request = request("POST", "/api/v1/incidents", &token).header("idempotency-key", "\"r-1\"");
        house.ask(request.body(body_of(&checkout())).unwrap())
    };
    let (first, _, made) = report().await;
    let (again, headers, same) = report().await;
    assert_eq!((first.as_u16(), again.as_u16(), &made), (201, 201, &same));
    assert_eq!(headers["idempotency-replayed"], "true");
    let viewer = house.token(Role::Viewer).await;
    assert_eq!(get(&house, &viewer, "").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_viewer_sees_no_phone_number() {
    let house = House::furnished().await;
    let (admin, viewer) = (house.token(Role::Admin).await, house.token(Role::Viewer).await);
    let made = post(&house, &admin, "", checkout()).await;
    let on = format!("/{}", made["id"].as_str().unwrap());
    for path in [on.clone(), format!("{on}/events"), format!("{on}/pages"), String::new()] {
        let seen = get(&house, &viewer, &path).await.to_string();
        assert!(!seen.contains("+1201555"), "{path}: {seen}");
    }
    let pages = get(&house, &admin, &format!("{on}/pages")).await;
    let people = pages["items"].as_array().unwrap().iter().filter(|attempt| attempt["purpose"] == "page");
    assert!(people.clone().count() >= 2, "a text and a call: {pages}");
    assert!(people.clone().all(|attempt| attempt["address"].as_str().unwrap().starts_with("+1")), "{pages}");
    let (_, people) = house.send("GET", "/api/v1/people", &admin, Value::Null).await;
    assert!(!people.to_string().contains("+1201555"), "{people}");
}

#[tokio::test]
async fn lists_go_on_where_the_page_before_ended() {
    let house = House::furnished().await;
    let token = house.token(Role::Commander).await;
    for _ in 0..5 {
        post(&house, &token, "", checkout()).await;
    }
    let mut seen = Vec::new();
    let mut path = "?limit=2".to_owned();
    loop {
        let page = get(&house, &token, &path).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("?limit=2&cursor={next}");
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|newer, older| newer > older), "newest first: {seen:?}");

    let on = format!("/{}/events", seen[0]);
    let first = get(&house, &token, &format!("{on}?limit=1")).await;
    let rest = get(&house, &token, &format!("{on}?cursor={}", first["next"].as_str().unwrap())).await;
    assert_eq!((&first["items"][0]["seq"], &rest["items"][0]["seq"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn a_report_names_every_wrong_field() {
    let house = House::furnished().await;
    let token = house.token(Role::Admin).await;
    let body = json!({
        "customer": "nobody", "team": "none", "plan": "gone", "priority": "P1", "title": " ",
        "contact": {"number": "911"},
    });
    let (status, problem) = house.send("POST", "/api/v1/incidents", &token, body).await;
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().filter_map(|error| error["pointer"].as_str()).collect();
    assert_eq!(status, 422);
    assert_eq!(pointers, ["/title", "/contact/number", "/customer", "/team", "/plan"]);
    let unknown = house.send("GET", "/api/v1/incidents/0000", &token, Value::Null).await;
    assert_eq!(unknown.0, 404);
}

#[tokio::test]
async fn trouble_of_nobody_we_know_goes_to_the_team_it_names() {
    let house = House::furnished().await;
    let token = house.token(Role::Intake).await;
    let body = json!({"team": "platform", "priority": "P3", "title": "A disk fills up"});
    let made = post(&house, &token, "", body).await;
    assert_eq!(
        (&made["team"]["key"], &made["plan"]["key"], &made["response"]["due"]),
        (&json!("platform"), &json!("none"), &Value::Null)
    );
}

#[tokio::test]
async fn a_test_page_is_for_oneself_unless_one_commands() {
    let house = House::furnished().await;
    let (responder, commander) = (house.token(Role::Responder).await, house.token(Role::Commander).await);
    let path = "/api/v1/people/ben/test-page";
    assert_eq!(house.send("POST", path, &responder, json!({})).await.0, 403);
    let (status, sent) = house.send("POST", path, &commander, Value::Null).await;
    assert_eq!((status.as_u16(), sent["attempts"].as_array().unwrap().is_empty()), (202, false), "{sent}");
    assert_eq!(house.send("POST", "/api/v1/people/nobody/test-page", &commander, json!({})).await.0, 404);
}

#[tokio::test]
async fn on_call_shows_every_team_and_its_ladder() {
    let house = House::furnished().await;
    let token = house.token(Role::Viewer).await;
    let (status, answer) = house.send("GET", "/api/v1/oncall?at=2026-12-25T09:00:00Z", &token, Value::Null).await;
    let teams = answer["teams"].as_array().unwrap();
    assert_eq!((status.as_u16(), teams.len()), (200, house.app.config.load().teams.len()));
    for team in teams {
        assert_eq!(team["levels"][0]["people"][0], team["person"], "{team}");
        assert!(team["until"].as_str() > Some("2026-12-25T09:00:00Z"), "{team}");
    }
}

#[tokio::test]
async fn the_configuration_is_shown_to_admins_without_secrets() {
    let house = House::furnished().await;
    let token = house.token(Role::Admin).await;
    let (status, answer) = house.send("GET", "/api/v1/config", &token, Value::Null).await;
    assert_eq!((status.as_u16(), answer["customers"][0]["has_pin"].is_boolean()), (200, true));
    assert!(!answer.to_string().contains("argon2"));
}
