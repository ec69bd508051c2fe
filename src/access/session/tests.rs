use std::{collections::BTreeMap, sync::Arc};

use axum::http::Request;

use super::*;
use crate::{clock::ManualHand, config::Config, people::Person, server::settings::Settings, sla::Zone};

const START: &str = "2026-11-02T12:00:00Z";

fn config(role: Role) -> Config {
    let amara = Person {
        key: "amara".into(),
        name: "Amara Osei".into(),
        zone: Zone::utc(),
        language: "en".into(),
        contact: Vec::new(),
        rules: BTreeMap::new(),
        mail: None,
        role,
    };
    Config { people: [(amara.key.clone(), amara)].into(), ..Config::default() }
}

async fn app(role: Role) -> (App, ManualHand, tempfile::TempDir) {
    let settings = Settings { public_url: "https://r.example.com".into(), ..Settings::default() };
    App::for_test(settings, START, config(role), vec![]).await
}

/// Signs in; gives the `Cookie` header of the browser.
async fn signed_in(app: &App, who: &Who) -> String {
    let mut tx = app.db.begin().await.unwrap();
    let from = From { network: "192.0.2.0/24".into(), agent: Some("Browser".into()) };
    let set = begin(&mut tx, app, who, How::Code, &from).await.unwrap();
    tx.commit().await.unwrap();
    let set = set.to_str().unwrap();
    assert!(set.starts_with("__Host-ringdown=") && set.contains("; HttpOnly; SameSite=Lax;"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

async fn visit(app: &App, request: axum::http::request::Builder) -> Result<Visitor, Response> {
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    Visitor::from_request_parts(&mut parts, app).await
}

async fn role(app: &App, cookie: &str) -> Option<Role> {
    visit(app, Request::get("/").header("cookie", cookie)).await.ok().map(|visitor| visitor.caller.role)
}

fn after(hand: &ManualHand, span: TimeDelta) {
    hand.set(START.parse::<Time>().unwrap() + span);
}

#[tokio::test]
async fn a_browser_is_known_by_its_cookie_until_the_session_is_ended() {
    let (app, _hand, _folder) = app(Role::Responder).await;
    let (one, other) = (signed_in(&app, &Who::person("amara".into())).await, "__Host-ringdown=stale");
    let visitor = visit(&app, Request::get("/").header("cookie", format!("{other}; {one}"))).await.unwrap();
    assert_eq!((visitor.caller.name.as_str(), visitor.caller.role), ("Amara Osei", Role::Responder));
    assert_eq!(visitor.caller.person, Some("amara".into()));
    assert_eq!(visitor.caller.jti, visitor.session);
    assert!(!one.contains(&visitor.session), "what is kept is not what the browser shows");
    let another = signed_in(&app, &Who::person("amara".into())).await;
    let mut tx = app.db.begin().await.unwrap();
    assert!(end(&mut tx, &visitor.session, app.clock.now()).await.unwrap());
    assert!(!end(&mut tx, &visitor.session, app.clock.now()).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(role(&app, &one).await, None);
    assert_eq!(role(&app, &another).await, Some(Role::Responder));
    let mut tx = app.db.begin().await.unwrap();
    assert_eq!(end_all_of(&mut tx, &"amara".into(), app.clock.now()).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(role(&app, &another).await, None);
}

#[tokio::test]
async fn a_role_holds_as_the_schedules_have_it_now() {
    let (app, _hand, _folder) = app(Role::Commander).await;
    let cookie = signed_in(&app, &Who::person("amara".into())).await;
    assert_eq!(role(&app, &cookie).await, Some(Role::Commander));
    app.config.store(Arc::new(config(Role::Viewer)));
    assert_eq!(role(&app, &cookie).await, Some(Role::Viewer));
    app.config.store(Arc::new(Config::default()));
    assert_eq!(role(&app, &cookie).await, None, "nobody of ours any more");
}

#[tokio::test]
async fn a_session_is_over_after_a_week_without_use_or_a_month_or_half_a_day_of_an_administrator() {
    let (app, hand, _folder) = app(Role::Responder).await;
    let cookie = signed_in(&app, &Who::person("amara".into())).await;
    after(&hand, TimeDelta::days(7) - TimeDelta::seconds(1));
    assert_eq!(role(&app, &cookie).await, Some(Role::Responder));
    // Another visit does not wait until it is written down.
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        let id = visit(&app, Request::get("/").header("cookie", &cookie)).await.unwrap().session;
        loop {
            let mut tx = app.db.read().await.unwrap();
            if store::find(&mut tx, &id).await.unwrap().unwrap().last_seen_at == app.clock.now() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    after(&hand, TimeDelta::days(14) - TimeDelta::seconds(2));
    assert_eq!(role(&app, &cookie).await, Some(Role::Responder));
    after(&hand, TimeDelta::days(30));
    assert_eq!(role(&app, &cookie).await, None);

    let cookie = signed_in(&app, &Who::person("amara".into())).await;
    app.config.store(Arc::new(config(Role::Admin)));
    assert_eq!(role(&app, &cookie).await, Some(Role::Admin));
    after(&hand, TimeDelta::days(30) + TimeDelta::hours(12));
    assert_eq!(role(&app, &cookie).await, None);
}

#[tokio::test]
async fn without_a_session_a_page_asks_to_sign_in_first_and_nothing_else_is_done() {
    let (app, _hand, _folder) = app(Role::Responder).await;
    let answered = |request| async {
        let response = visit(&app, request).await.unwrap_err();
        let to = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (response.status().as_u16(), to)
    };
    let to = |next: &str| (303, Some(format!("/sign-in{next}")));
    assert_eq!(answered(Request::get("/")).await, to(""));
    assert_eq!(answered(Request::get("/incidents/4821?a=1&b")).await, to("?next=%2Fincidents%2F4821%3Fa%3D1%26b"));
    assert_eq!(answered(Request::head("/audit")).await, to("?next=%2Faudit"));
    assert_eq!(answered(Request::get("//evil.example")).await, to(""));
    assert_eq!(answered(Request::get("/live").header("accept", "text/event-stream")).await, (401, None));
    for method in ["POST", "DELETE", "PUT"] {
        assert_eq!(answered(Request::builder().method(method).uri("/incidents/4821")).await, (401, None));
    }
    for cookie in
        ["", "__Host-ringdown=", "__Host-ringdown=AAAA", "ringdown=x", &format!("__Host-ringdown={}", "A".repeat(43))]
    {
        assert_eq!(answered(Request::get("/").header("cookie", cookie)).await, to(""), "{cookie}");
    }
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_own_session_and_a_page_of_ours() {
    let (app, _hand, _folder) = app(Role::Responder).await;
    let amara = Who::person("amara".into());
    let (one, two) = (signed_in(&app, &amara).await, signed_in(&app, &amara).await);
    let one = visit(&app, Request::get("/").header("cookie", one)).await.unwrap();
    let two = visit(&app, Request::get("/").header("cookie", two)).await.unwrap();
    let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    };
    let ours = headers(&[("host", "10.0.0.7:8080"), ("origin", "https://r.example.com")]);
    let (token, later) = (one.csrf(), one.csrf());
    assert!(token != later && one.csrf_holds(&token, &ours) && one.csrf_holds(&later, &ours));
    for bad in ["", &two.csrf(), &one.session, &token[1..], &format!("{token}A")] {
        assert!(!one.csrf_holds(bad, &ours), "{bad}");
    }
    for theirs in [
        headers(&[("host", "10.0.0.7"), ("origin", "https://evil.example")]),
        headers(&[("sec-fetch-site", "cross-site")]),
        headers(&[("origin", "null"), ("host", "r.example.com")]),
    ] {
        assert!(!one.csrf_holds(&token, &theirs), "{theirs:?}");
    }
    let mut twice = ours.clone();
    twice.append("origin", HeaderValue::from_static("https://r.example.com"));
    assert!(!one.csrf_holds(&token, &twice));
}

#[tokio::test]
async fn a_lesser_role_is_refused_with_a_page_that_says_so() {
    let (app, _hand, _folder) = app(Role::Viewer).await;
    let cookie = signed_in(&app, &Who::person("amara".into())).await;
    let visitor = visit(&app, Request::get("/").header("cookie", cookie)).await.unwrap();
    assert!(visitor.require(Role::Viewer).is_ok());
    let refused = visitor.require(Role::Responder).unwrap_err().into_response();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let body = axum::body::to_bytes(refused.into_body(), 10_000).await.unwrap();
    assert!(String::from_utf8_lossy(&body).contains("This needs the role responder; yours is viewer."));
}

#[tokio::test]
async fn who_is_no_person_has_the_role_that_the_session_was_given() {
    let (app, _hand, _folder) = app(Role::Viewer).await;
    let guest = Who { name: "the demo".into(), role: Some(Role::Commander), ..Who::default() };
    let cookie = signed_in(&app, &guest).await;
    assert_eq!(role(&app, &cookie).await, Some(Role::Commander));
    let gone = Who { account: Some("admin".into()), name: "admin".into(), ..Who::default() };
    let cookie = signed_in(&app, &gone).await;
    assert_eq!(role(&app, &cookie).await, None, "no such password");
}
