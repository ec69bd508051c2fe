mod incidents;
mod ledger;
mod signed;

use std::collections::BTreeMap;

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{
    access::{self, Role},
    clock::{ManualHand, Time},
    config::{self, Config},
    id::PersonKey,
    oncall::{Layer, Rotation, Schedule, Turn},
    people::Person,
    server::settings::Settings,
    sla::Zone,
};

/// A service with one schedule and two people, on a clock that stands still.
struct House {
    app: App,
    hand: ManualHand,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new() -> House {
        Self::with(config()).await
    }

    /// With the example's people, teams and customers.
    async fn furnished() -> House {
        let folder = tempfile::tempdir().unwrap();
        config::write_example(folder.path()).unwrap();
        let (config, findings) = config::check(folder.path(), "2026-11-02T12:00:00Z".parse().unwrap());
        Self::with(config.unwrap_or_else(|| panic!("{findings:?}"))).await
    }

    async fn with(config: Config) -> House {
        let (app, hand, folder) = App::for_test(Settings::default(), "2026-11-02T12:00:00Z", config, vec![]).await;
        House { app, hand, _folder: folder }
    }

    async fn token(&self, role: Role) -> String {
        self.token_until(role, None).await
    }

    async fn token_until(&self, role: Role, expires_at: Option<Time>) -> String {
        let mut tx = self.app.db.begin().await.unwrap();
        let now = self.app.clock.now();
        let made = access::grant(&mut tx, &self.app.token_key, "t", role, None, expires_at, now).await.unwrap();
        tx.commit().await.unwrap();
        made.1
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, Value) {
        let response = routes().with_state(self.app.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn send(&self, method: &str, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
        let (status, _, answer) = self.ask(request(method, path, token).body(body_of(&body)).unwrap()).await;
        (status, answer)
    }
}

fn body_of(body: &Value) -> Body {
    if body.is_null() { Body::empty() } else { Body::from(body.to_string()) }
}

fn request(method: &str, path: &str, token: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"))
}

fn config() -> Config {
    let person = |key: &str| Person {
        role: crate::access::Role::Responder,
        key: key.into(),
        name: key.to_uppercase(),
        zone: Zone::utc(),
        language: "en".into(),
        contact: Vec::new(),
        rules: BTreeMap::new(),
        mail: None,
    };
    let rotation = Rotation {
        people: vec!["amara".into()],
        turn: Turn::Days(1),
        start: "2026-01-01".parse().unwrap(),
        handoff: "09:00:00".parse().unwrap(),
    };
    let schedule = Schedule {
        key: "primary".into(),
        name: "Primary".into(),
        zone: Zone::utc(),
        layers: vec![Layer { name: "all".into(), rotation, restrictions: Vec::new() }],
    };
    Config {
        people: ["amara", "ben"].map(|key| (PersonKey::from(key), person(key))).into(),
        schedules: [(schedule.key.clone(), schedule)].into(),
        ..Config::default()
    }
}

/// Every route, and the least role that may use it. A route that is not here, or not in the document, fails a test.
const ROUTES: &[(&str, &str, Role)] = &[
    ("post", "/api/v1/incidents/{reference}/call", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/call-link", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/close", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/customer-escalation", Role::Responder),
    ("get", "/api/v1/incidents/{reference}/rca", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/rca", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/reengage", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/reply", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/rule-out", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/upstream", Role::Responder),
    ("get", "/api/v1/changes", Role::Viewer),
    ("get", "/api/v1/config", Role::Admin),
    ("get", "/api/v1/nodes", Role::Viewer),
    ("get", "/api/v1/incidents", Role::Viewer),
    ("post", "/api/v1/incidents", Role::Intake),
    ("get", "/api/v1/incidents/{reference}", Role::Viewer),
    ("post", "/api/v1/incidents/{reference}/acknowledge", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/cancel", Role::Commander),
    ("post", "/api/v1/incidents/{reference}/commander", Role::Commander),
    ("post", "/api/v1/incidents/{reference}/escalate", Role::Responder),
    ("get", "/api/v1/incidents/{reference}/events", Role::Viewer),
    ("get", "/api/v1/incidents/{reference}/explanation", Role::Viewer),
    ("get", "/api/v1/incidents/{reference}/export", Role::Responder),
    ("get", "/api/v1/incidents/{reference}/pages", Role::Viewer),
    ("post", "/api/v1/incidents/{reference}/pass-on", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/priority", Role::Commander),
    ("post", "/api/v1/incidents/{reference}/reopen", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/resolve", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/responders", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/response", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/resume", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/updates", Role::Responder),
    ("post", "/api/v1/incidents/{reference}/wait", Role::Responder),
    ("get", "/api/v1/intake", Role::Admin),
    ("get", "/api/v1/intake/{id}", Role::Admin),
    ("get", "/api/v1/oncall", Role::Viewer),
    ("get", "/api/v1/overrides", Role::Viewer),
    ("post", "/api/v1/overrides", Role::Commander),
    ("delete", "/api/v1/overrides/{id}", Role::Commander),
    ("get", "/api/v1/people", Role::Viewer),
    ("post", "/api/v1/people/{key}/test-page", Role::Responder),
    ("get", "/api/v1/quarantine", Role::Viewer),
    ("post", "/api/v1/quarantine/{reference}", Role::Responder),
    ("get", "/api/v1/report", Role::Viewer),
    ("get", "/api/v1/schedules/{key}/shifts", Role::Viewer),
    ("get", "/api/v1/status", Role::Viewer),
    ("get", "/api/v1/tokens", Role::Admin),
    ("post", "/api/v1/tokens", Role::Admin),
    ("delete", "/api/v1/tokens/{jti}", Role::Admin),
];

#[test]
fn the_document_names_every_route_and_no_other() {
    let document = serde_json::to_value(document()).unwrap();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let operations: Vec<_> = operations.collect();
    let mut ids: Vec<_> = operations.iter().map(|operation| operation["operationId"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), operations.len());
    let given = operations.iter().filter_map(|operation| operation["parameters"].as_array()).flatten();
    let cursors: Vec<_> = given.filter(|parameter| parameter["name"] == "cursor").collect();
    assert!(cursors.len() > 3 && cursors.iter().all(|parameter| parameter["in"] == "query"), "{cursors:?}");
    for answers in operations.into_iter().filter_map(|operation| operation["responses"].as_object()) {
        for (status, answer) in answers {
            assert!(answer["description"].as_str().is_some_and(|words| !words.is_empty()), "{status}: {answer}");
        }
        assert!(answers.contains_key("5XX"));
    }
    assert_eq!(document["openapi"].as_str().map(|version| version.starts_with("3.1")), Some(true));
    let mut described: Vec<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (path.clone(), method.clone())))
        .collect();
    described.sort();
    let mut expected: Vec<_> = ROUTES.iter().map(|(method, path, _)| (path.to_string(), method.to_string())).collect();
    expected.sort();
    assert_eq!(described, expected);
}

/// Whoever may use a route comes as far as its input, which is wrong here on purpose.
#[tokio::test]
async fn every_route_is_open_to_its_roles_and_to_no_other() {
    let house = House::new().await;
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((role, house.token(role).await));
    }
    for (method, path, least) in ROUTES {
        let path = format!("{}?nonsense=1", path.replace(['{', '}'], ""));
        for (role, token) in &tokens {
            let (status, answer) = house.send(&method.to_uppercase(), &path, token, json!({"nonsense": 1})).await;
            let expected: &[u16] = if role.may(*least) { &[400, 422] } else { &[403] };
            assert!(expected.contains(&status.as_u16()), "{role:?} {method} {path}: {status} {answer}");
        }
        let nobody = Request::builder().method(method.to_uppercase().as_str()).uri(&path).body(Body::empty()).unwrap();
        let (status, headers, _) = house.ask(nobody).await;
        assert_eq!((status.as_u16(), headers.contains_key(header::WWW_AUTHENTICATE)), (401, true), "{method} {path}");
    }
}

#[tokio::test]
async fn a_token_is_refused_once_it_is_revoked_expired_or_unknown() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let (status, made) =
        house.send("POST", "/api/v1/tokens", &admin, json!({"name": "ci", "role": "viewer", "days": 1})).await;
    assert_eq!(status, 201, "{made}");
    let (token, jti) = (made["token"].as_str().unwrap(), made["jti"].as_str().unwrap());
    assert_eq!(house.send("GET", "/api/v1/people", token, Value::Null).await.0, 200);
    let path = format!("/api/v1/tokens/{jti}");
    assert_eq!(house.send("DELETE", &path, &admin, Value::Null).await.0, 204);
    assert_eq!(house.send("DELETE", &path, &admin, Value::Null).await.0, 404);
    assert_eq!(house.send("GET", "/api/v1/people", token, Value::Null).await.0, 401, "revoked");

    let now = house.app.clock.now();
    let short = house.token_until(Role::Viewer, Some(now + chrono::TimeDelta::minutes(5))).await;
    assert_eq!(house.send("GET", "/api/v1/people", &short, Value::Null).await.0, 200);
    house.hand.set(now + chrono::TimeDelta::minutes(6));
    assert_eq!(house.send("GET", "/api/v1/people", &short, Value::Null).await.0, 401, "over");

    let claims = access::Claims::new("x", Role::Admin, None, None, now);
    let unknown = access::token::issue(&house.app.token_key, &claims);
    assert_eq!(house.send("GET", "/api/v1/people", &unknown, Value::Null).await.0, 401, "of another database");
}

#[tokio::test]
async fn the_text_of_a_token_is_never_listed_or_kept() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let (_, made) = house.send("POST", "/api/v1/tokens", &admin, json!({"name": "ci", "role": "viewer"})).await;
    let (_, listed) = house.send("GET", "/api/v1/tokens", &admin, Value::Null).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(made["token"].as_str().unwrap()));
    let keyed = request("POST", "/api/v1/tokens", &admin)
        .header("idempotency-key", "k")
        .body(Body::from(json!({"name": "ci", "role": "viewer"}).to_string()))
        .unwrap();
    assert_eq!(house.ask(keyed).await.0, 400);
}

#[tokio::test]
async fn the_same_request_with_the_same_key_takes_effect_once() {
    let house = House::new().await;
    let (token, other) = (house.token(Role::Commander).await, house.token(Role::Commander).await);
    let post = |token: &str, key: &str, person: &str| {
        let body = json!({"schedule": "primary", "person": person, "end": "2026-11-03T12:00:00Z"});
        let request = request("POST", "/api/v1/overrides", token).header("idempotency-key", key);
        house.ask(request.body(body_of(&body)).unwrap())
    };
    let (status, headers, first) = post(&token, "a", "ben").await;
    assert_eq!((status.as_u16(), headers.contains_key("idempotency-replayed")), (201, false), "{first}");
    let (status, headers, again) = post(&token, "a", "ben").await;
    assert_eq!((status.as_u16(), headers.contains_key("idempotency-replayed"), &again), (201, true, &first));
    let (status, _, problem) = post(&token, "a", "amara").await;
    assert_eq!((status.as_u16(), problem["type"].as_str()), (422, Some("/problems/idempotency-key-reused")));
    let (_, _, theirs) = post(&other, "a", "ben").await;
    assert_ne!(theirs["id"], first["id"], "another token's key is another key");
    let (_, listed) = house.send("GET", "/api/v1/overrides", &token, Value::Null).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let house = House::new().await;
    let token = house.token(Role::Commander).await;
    let post = |person: &str| {
        let body = json!({"schedule": "primary", "person": person, "end": "2026-11-03T12:00:00Z"});
        let request = request("POST", "/api/v1/overrides", &token).header("idempotency-key", "a");
        house.ask(request.body(body_of(&body)).unwrap())
    };
    let (status, _, problem) = post("nobody").await;
    assert_eq!((status.as_u16(), problem["errors"][0]["pointer"].as_str()), (422, Some("/person")));
    assert_eq!(post("ben").await.0, 201);
}

#[tokio::test]
async fn an_override_says_which_shifts_it_takes_shows_in_the_roster_and_can_be_ended() {
    let house = House::new().await;
    let token = house.token(Role::Commander).await;
    let body = json!({"schedule": "primary", "person": "ben", "end": "2026-11-02T18:00:00Z"});
    let (status, made) = house.send("POST", "/api/v1/overrides", &token, body).await;
    assert_eq!((status.as_u16(), &made["takes"][0]["start"]), (201, &json!("2026-11-02T12:00:00Z")), "{made}");
    let shifts = "/api/v1/schedules/primary/shifts?from=2026-11-02T11:00:00Z&to=2026-11-02T13:00:00Z";
    let (_, listed) = house.send("GET", shifts, &token, Value::Null).await;
    let people: Vec<_> = listed["shifts"].as_array().unwrap().iter().map(|shift| &shift["person"]["key"]).collect();
    assert_eq!(people, ["amara", "ben"], "{listed}");
    let path = format!("/api/v1/overrides/{}", made["id"].as_str().unwrap());
    house.hand.set("2026-11-02T12:30:00Z".parse().unwrap());
    assert_eq!(house.send("DELETE", &path, &token, Value::Null).await.0, 204);
    assert_eq!(house.send("DELETE", &path, &token, Value::Null).await.0, 409);
    assert_eq!(house.send("DELETE", "/api/v1/overrides/ovr_none", &token, Value::Null).await.0, 404);
}

#[tokio::test]
async fn only_a_commander_acts_for_somebody_else() {
    let house = House::new().await;
    let responder = house.token(Role::Responder).await;
    let path = "/api/v1/incidents/4821/acknowledge";
    let (status, problem) = house.send("POST", path, &responder, json!({"as": "ben"})).await;
    assert_eq!(status, 403, "{problem}");
    let commander = house.token(Role::Commander).await;
    let (status, problem) = house.send("POST", path, &commander, json!({"as": "nobody"})).await;
    assert_eq!((status.as_u16(), problem["errors"][0]["pointer"].as_str()), (422, Some("/as")));
}

#[tokio::test]
async fn problems_have_one_shape() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let (status, headers, problem) = house
        .ask(request("POST", "/api/v1/incidents", &token).body(Body::from(r#"{"priority": "P9"}"#)).unwrap())
        .await;
    assert_eq!(status, 422);
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    insta::assert_snapshot!(serde_json::to_string_pretty(&problem).unwrap(), @r#"
    {
      "detail": "/priority: unknown variant `P9`, expected one of `P1`, `P2`, `P3`, `P4`, `P5`, `P6`",
      "errors": [
        {
          "detail": "unknown variant `P9`, expected one of `P1`, `P2`, `P3`, `P4`, `P5`, `P6`",
          "pointer": "/priority"
        }
      ],
      "status": 422,
      "title": "Some fields are wrong",
      "type": "/problems/invalid"
    }
    "#);

    let large = Body::from(format!("{{\"title\": \"{}\"}}", "x".repeat(request::MOST_BYTES)));
    for (request, expected) in [
        (request("POST", "/api/v1/incidents", &token).body(large).unwrap(), 413),
        (request("POST", "/api/v1/incidents", &token).body(Body::from("{")).unwrap(), 400),
        (
            request("POST", "/api/v1/incidents", &token)
                .header("content-type", "text/plain")
                .body(Body::from("{}"))
                .unwrap(),
            400,
        ),
        (request("GET", "/api/v1/nothing", &token).body(Body::empty()).unwrap(), 404),
        (request("PUT", "/api/v1/incidents", &token).body(Body::empty()).unwrap(), 405),
        (request("GET", "/api/v1/incidents?limit=0", &token).body(Body::empty()).unwrap(), 400),
    ] {
        let (status, headers, problem) = house.ask(request).await;
        assert_eq!(status.as_u16(), expected, "{problem}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json", "{expected}");
        assert_eq!(problem["status"], expected);
    }
}

#[tokio::test]
async fn watchers_need_no_token() {
    let house = House::new().await;
    for path in ["/healthz", "/readyz", "/metrics", "/api/openapi.json", "/.well-known/ringdown-ledger-key"] {
        let (status, _, _) = house.ask(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_database_that_is_held_by_another_is_not_ready() {
    let house = House::new().await;
    let _held = house.app.db.begin().await.unwrap();
    let (status, _, _) = house.ask(Request::get("/readyz").body(Body::empty()).unwrap()).await;
    assert_eq!(status, 503);
    let (status, _, _) = house.ask(Request::get("/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_status_says_what_is_in_force() {
    let house = House::new().await;
    let token = house.token(Role::Viewer).await;
    let (status, answer) = house.send("GET", "/api/v1/status", &token, Value::Null).await;
    assert_eq!(
        (status.as_u16(), &answer["now"], &answer["attempts_waiting"]),
        (200, &json!("2026-11-02T12:00:00Z"), &json!(0))
    );
}
