//! Who is let in: each way to sign in, and what it takes to stay.

use std::{collections::BTreeSet, fs};

use chrono::TimeDelta;
use ringdown::{
    access::{
        Role, password,
        sign_in::store::{self, Kind},
    },
    server::boot,
};

use crate::world::{
    browser::{Page, link},
    *,
};

pub const PASSWORD: &str = "correct horse battery";

pub async fn set_password(world: &World, name: &str, role: Option<Role>, person: Option<&str>) {
    let hash = password::hash(PASSWORD).expect("a hash");
    let mut tx = world.running().app.db.begin().await.expect("the database");
    password::store::set(&mut tx, name, &hash, role, person, world.now()).await.expect("the database");
    tx.commit().await.expect("the database");
}

pub async fn with_password(browser: &mut Browser, name: &str, password: &str) -> Page {
    browser.post("/sign-in/password", &[("name", name), ("password", password), ("next", "/incidents")]).await
}

/// Asks for a code; gives its id and the six digits of the text, if one came.
async fn ask_code(world: &World, browser: &mut Browser, who: &str, number: &str) -> (String, Option<String>) {
    let before = world.carrier.texts_to(number).len();
    let page = browser.post("/sign-in/code", &[("who", who), ("next", "/incidents")]).await;
    world.settle().await;
    let query = page.to().strip_prefix("/sign-in/code?c=").expect("where the code is entered").to_owned();
    let (id, next) = query.split_once('&').expect("two fields");
    assert_eq!(next, "next=%2Fincidents");
    let text = world.carrier.texts_to(number).into_iter().nth(before);
    (id.into(), text.map(|text| text.body.chars().take(6).collect()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_signs_in_and_out_again() {
    let world = World::start().await;
    set_password(&world, "admin", Some(Role::Admin), None).await;
    let mut browser = Browser::of(&world);
    assert_eq!(browser.get("/incidents?open=true").await.to(), "/sign-in?next=%2Fincidents%3Fopen%3Dtrue");
    assert!(
        browser.get("/sign-in?next=%2Fincidents").await.text.contains("value=\"&#47;incidents\"")
            || browser.get("/sign-in?next=%2Fincidents").await.text.contains("value=\"/incidents\"")
    );
    let page = with_password(&mut browser, "Admin", PASSWORD).await;
    assert_eq!(page.to(), "/incidents");
    let set = &page.set[0];
    assert!(set.starts_with("__Host-ringdown=") && set.ends_with("; Secure"), "{set}");
    for rule in ["Path=/", "HttpOnly", "SameSite=Lax"] {
        assert!(set.contains(rule), "{set}");
    }
    assert!(browser.is_in().await);
    assert_eq!(browser.get("/sign-in?next=/oncall").await.to(), "/oncall", "there already");
    let stolen = browser.clone();
    assert_eq!(browser.act("/sign-out", &[]).await.to(), "/sign-in");
    assert!(browser.cookies.is_empty());
    for mut browser in [browser, stolen] {
        assert!(!browser.is_in().await);
    }
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_to_a_phone_signs_its_owner_in_and_proves_the_line() {
    let world = World::start().await;
    let mut browser = Browser::of(&world);
    let (id, digits) = ask_code(&world, &mut browser, "+1 201 555 0101", BEN).await;
    let digits = digits.expect("a text");
    let text = &world.carrier.texts_to(BEN)[0].body;
    assert!(text.ends_with(&format!("@pager.example.com #{digits}")) && text.len() <= 160, "{text}");
    assert!(browser.get(&format!("/sign-in/code?c={id}")).await.text.contains("one-time-code"));
    let page = browser.post("/sign-in/code/enter", &[("c", &id), ("code", &digits), ("next", "/incidents")]).await;
    assert_eq!(page.to(), "/incidents");
    assert!(browser.get("/sign-in/sessions").await.text.contains("Ben Okafor"));
    // Once.
    let mut other = Browser::of(&world);
    assert_eq!(other.post("/sign-in/code/enter", &[("c", &id), ("code", &digits)]).await.status, 401);
    let mut tx = world.running().app.db.read().await.expect("the database");
    let proven = ringdown::access::proof::proven(&mut tx, "ben").await.expect("the database");
    assert_eq!((proven[0].address.as_str(), proven[0].proven_at), (BEN, world.now()));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_takes_no_texts_is_called_and_a_voicemail_is_told_nothing() {
    let voice_only = "{ phone = \"+12015550101\", can = [\"voice\"] }";
    let world = World::with(Office::default().edit("people.toml", "{ phone = \"+12015550101\" }", voice_only)).await;
    let mut browser = Browser::of(&world);
    world.carrier.phone(BEN, Voice::Voicemail { after: 5 }, Texts::Delivered);
    browser.post("/sign-in/code", &[("who", "ben")]).await;
    world.minutes(2).await;
    let heard = |call: &Sent| call.heard.join(" ");
    assert!(!heard(&world.carrier.calls_to(BEN)[0]).contains("Your code"), "{:?}", world.carrier.calls_to(BEN)[0]);

    let answers = Voice::Answers { after: 4, keys: vec![(6, '4')], talks: 0, patience: None };
    world.carrier.phone(BEN, answers, Texts::Delivered);
    let page = browser.post("/sign-in/code", &[("who", "ben")]).await;
    let id = page.to().strip_prefix("/sign-in/code?c=").expect("an id").split('&').next().expect("an id").to_owned();
    world.minutes(2).await;
    let heard = heard(&world.carrier.calls_to(BEN)[1]);
    let (_, spoken) = heard.split_once("Your code is: ").unwrap_or_else(|| panic!("{heard}"));
    let digits: String = spoken.chars().filter(char::is_ascii_digit).take(6).collect();
    assert_eq!(browser.post("/sign-in/code/enter", &[("c", &id), ("code", &digits)]).await.to(), "/");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_goes_out_again_after_a_lost_answer_and_is_the_same() {
    let world = World::start().await;
    world.carrier.next_text(Fault::TakenButAnswers(500));
    let mut browser = Browser::of(&world);
    let (id, digits) = ask_code(&world, &mut browser, "ben", BEN).await;
    world.seconds(30).await;
    // It was looked up by its text, found, and not sent twice.
    assert_eq!(world.carrier.texts_to(BEN).len(), 1);
    let digits = digits.expect("a text");
    assert_eq!(browser.post("/sign-in/code/enter", &[("c", &id), ("code", &digits)]).await.to(), "/");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_that_anybody_asks_for_hold_up_no_page() {
    let world = World::start().await;
    let asks = (0..40).map(|n| {
        let mut browser = Browser { from: Some(format!("198.51.{n}.1")), ..Browser::of(&world) };
        async move { browser.post("/sign-in/code", &[("who", "ben")]).await }
    });
    futures::future::join_all(asks).await;
    world.settle().await;
    let codes = world.carrier.texts_to(BEN).len();
    assert_eq!(codes, 30, "thirty in an hour");
    world.report("P2").await;
    world.settle().await;
    assert_eq!(world.carrier.texts_to(BEN).len(), codes + 1, "the page's text goes at once");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_the_command_line_signs_in_once_and_looking_at_it_does_not() {
    let world = World::start().await;
    let (mut preview, mut browser) = (Browser::of(&world), Browser::of(&world));
    let link = link(&world, Some("carla"), None).await;
    for _ in 0..3 {
        let page = preview.get(&link).await;
        assert_eq!((page.status, page.set.len()), (200, 0));
    }
    assert_eq!(browser.post(&link, &[]).await.to(), "/");
    assert!(browser.get("/sign-in/sessions").await.text.contains("Carla Mendes"));
    assert_eq!(preview.post(&link, &[]).await.status, 410);
    assert_eq!(preview.get(&link).await.status, 410);
    assert_eq!(preview.get("/sign-in/link/nonsense").await.status, 410);
    let late = browser::link(&world, Some("carla"), None).await;
    world.minutes(10).await;
    assert_eq!(preview.post(&late, &[]).await.status, 410);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_which_names_and_numbers_there_are() {
    let world = World::start().await;
    set_password(&world, "admin", Some(Role::Admin), None).await;
    let mut answers = BTreeSet::new();
    for (name, password) in [("admin", "wrong password"), ("nobody", "wrong password"), ("", ""), ("admin", "")] {
        let page = with_password(&mut Browser::of(&world), name, password).await;
        answers.insert((page.status, timeless(&page.text)));
    }
    // One that is held up.
    for _ in 0..6 {
        with_password(&mut Browser::of(&world), "admin", "wrong password").await;
    }
    let page = with_password(&mut Browser::of(&world), "admin", PASSWORD).await;
    answers.insert((page.status, timeless(&page.text)));
    assert_eq!(answers.len(), 1, "{answers:#?}");

    let mut answers = BTreeSet::new();
    for (n, who) in ["ben", "nobody", "+12015550101", "+12015550199", "", "<script>"].into_iter().enumerate() {
        let mut browser = Browser { from: Some(format!("198.51.{n}.1")), ..Browser::of(&world) };
        let asked = browser.post("/sign-in/code", &[("who", who)]).await;
        let id = asked.to().strip_prefix("/sign-in/code?c=").expect("an id").split('&').next().expect("an id");
        let entered = browser.get(asked.to()).await.text.replace(id, "ID");
        let wrong = browser.post("/sign-in/code/enter", &[("c", id), ("code", "1")]).await;
        answers.insert((
            id.len(),
            id[..4].to_owned(),
            timeless(&entered),
            wrong.status,
            timeless(&wrong.text).replace(id, "ID"),
        ));
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    world.finish();
}

/// Pages say when they were made.
fn timeless(page: &str) -> String {
    page.lines().filter(|line| !line.contains("data-now")).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_holds_up_the_network_that_guesses_and_nobody_else() {
    let world = World::start().await;
    set_password(&world, "admin", Some(Role::Admin), None).await;
    let attacker = || Browser { from: Some("203.0.113.9".into()), ..Browser::of(&world) };
    let mut owner = Browser { from: Some("198.51.100.7".into()), ..Browser::of(&world) };
    for _ in 0..5 {
        assert_eq!(with_password(&mut attacker(), "admin", "wrong password").await.status, 401);
    }
    assert_eq!(with_password(&mut attacker(), "admin", PASSWORD).await.status, 401, "right, and too late");
    assert_eq!(with_password(&mut owner, "admin", PASSWORD).await.to(), "/incidents");
    world.seconds(30).await;
    assert_eq!(with_password(&mut attacker(), "admin", PASSWORD).await.to(), "/incidents");
    // Every name counts against the network.
    let mut last = 0;
    for n in 0..32 {
        last = with_password(&mut attacker(), &format!("name{n}"), "wrong password").await.status;
    }
    assert_eq!(last, 429);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_tries_at_once_are_a_hundred() {
    let world = World::start().await;
    set_password(&world, "admin", Some(Role::Admin), None).await;
    let tries = (0..100).map(|_| {
        let mut browser = Browser { from: Some("203.0.113.9".into()), ..Browser::of(&world) };
        async move { with_password(&mut browser, "admin", "wrong password").await.status }
    });
    let statuses = futures::future::join_all(tries).await;
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    let app = &world.running().app;
    let (name, since) = (app.desk.hashed("admin"), world.now() - TimeDelta::hours(1));
    let mut tx = app.db.read().await.expect("the database");
    let of_name = store::of_name(&mut tx, &name, Kind::Password, since).await.expect("the database");
    let of_network = store::of_network(&mut tx, "203.0.113.0/24", Kind::Password, false, since).await;
    assert_eq!((of_name, of_network.expect("the database")), (5, 30), "looked at, and held up, and no more");
    drop(tx);

    let asks = (0..20).map(|_| {
        let mut browser = Browser { from: Some("203.0.113.9".into()), ..Browser::of(&world) };
        async move { browser.post("/sign-in/code", &[("who", "ben")]).await.status }
    });
    let statuses = futures::future::join_all(asks).await;
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 10, "{statuses:?}");
    world.settle().await;
    assert_eq!(world.carrier.texts_to(BEN).len(), 3);
    world.finish();
}

/// SQLite keeps U+0000 in a text, and PostgreSQL does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_nul_in_an_address_or_a_form_is_no_mistake_of_ours() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    let mut admin = Browser::signed_in(&world, None, Some(Role::Admin)).await;
    for path in [
        "/a/%00",
        "/a/4821%00",
        "/s/%00",
        "/incidents/%00",
        "/incidents/%00/export",
        "/incidents?team=%00&customer=%00",
        "/people/%00",
        "/audit?before=aud_%00",
        "/compliance?team=%00&from=%00",
        "/intake/payloads/%00",
        "/oncall?schedule=%00",
        "/oncall/feed/%00.ics",
        "/sign-in/link/%00",
        "/sign-in/code?c=%00",
        "/sign-in?next=%00",
        "/sign-in/oidc/callback?state=%00",
    ] {
        for browser in [&mut Browser::of(&world), &mut admin] {
            let page = browser.get(path).await;
            assert!(matches!(page.status, 400 | 404), "{path}: {page:?}");
        }
    }
    for path in
        ["/api/v1/incidents/%00", "/api/v1/incidents?customer=%00", "/api/v1/intake/%00", "/api/v1/changes?after=%00"]
    {
        let answer = world.peek(path).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
    }
    let mut stranger = Browser::of(&world);
    for (path, fields) in [
        ("/sign-in/password", vec![("name", "\0"), ("password", "\0"), ("next", "\0")]),
        ("/sign-in/code", vec![("who", "\0"), ("next", "/\0")]),
        ("/sign-in/code/enter", vec![("c", "cod_\0"), ("code", "\0")]),
        ("/sign-in/link/nonsense", vec![("\0", "\0")]),
    ] {
        let page = stranger.post(path, &fields).await;
        assert!(page.status < 500, "{path}: {page:?}");
    }
    let update = format!("/incidents/{reference}/updates");
    for (path, fields) in [
        ("/sign-in/sessions/end", [("id", "\0"), ("x", "")]),
        ("/oncall/feeds/revoke", [("id", "\0"), ("x", "")]),
        ("/oncall/end", [("id", "\0"), ("x", "")]),
        (&update, [("summary", "a\0b"), ("x", "\0")]),
        ("/incidents/%00/acknowledge", [("x", ""), ("y", "")]),
        ("/people/ben/confirm", [("id", "\0"), ("digits", "\0")]),
    ] {
        let page = admin.act(path, &fields).await;
        assert!(page.status < 500, "{path}: {page:?}");
    }
    for body in [
        serde_json::json!({"customer": "\0", "priority": "P1", "title": "a", "contact": {"name": "b", "number": ACME}}),
        serde_json::json!({"customer": "acme", "priority": "P1", "title": "\0", "contact": {"name": "\0", "number": "\0"}}),
    ] {
        let answer = world.try_post("/api/v1/incidents", body).await;
        assert!(answer.status < 500, "{answer:?}");
    }
    world.settle().await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_does_nothing() {
    let world = World::start().await;
    set_password(&world, "admin", Some(Role::Admin), None).await;
    let mut browser = Browser::signed_in(&world, Some("ben"), None).await;
    let reference = world.report("P1").await;
    let csrf = browser.csrf().await;
    let path = format!("/incidents/{reference}/acknowledge");
    let evil = |origin: &str, site: Option<&str>| Browser {
        origin: origin.into(),
        site: site.map(Into::into),
        ..browser.clone()
    };
    let other = Browser::signed_in(&world, Some("ben"), None).await.csrf().await;
    for (mut from, csrf) in [
        (browser.clone(), ""),
        (browser.clone(), other.as_str()),
        (evil("https://evil.example", Some("cross-site")), &csrf),
        (evil("https://evil.example", None), &csrf),
        (evil("https://sub.pager.example.com", Some("same-site")), &csrf),
        (evil("null", None), &csrf),
    ] {
        assert_eq!(from.post(&path, &[("csrf", csrf)]).await.status, 403, "{from:?}");
        assert_eq!(from.post("/sign-out", &[("csrf", csrf)]).await.status, 403);
    }
    assert!(browser.is_in().await && world.holder(&reference).await.is_none());
    // Nor is anybody signed in by one, as somebody else.
    let mut from = Browser { site: Some("cross-site".into()), ..Browser::of(&world) };
    assert_eq!(with_password(&mut from, "admin", PASSWORD).await.status, 403);
    let link = link(&world, Some("ben"), None).await;
    assert_eq!(from.post(&link, &[]).await.status, 403);
    assert_eq!(browser.act(&path, &[]).await.status, 303);
    world.settle().await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_leads_to_a_page_of_ours_and_nowhere_else() {
    let world = World::start().await;
    set_password(&world, "admin", Some(Role::Admin), None).await;
    for (next, to) in [
        ("/incidents/4821?x=1", "/incidents/4821?x=1"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("/sign-in", "/"),
        ("", "/"),
    ] {
        let mut browser = Browser::of(&world);
        let fields = [("name", "admin"), ("password", PASSWORD), ("next", next)];
        let page = browser.post("/sign-in/password", &fields).await;
        assert_eq!(page.to(), to, "{next}");
        assert_eq!(page.set.len(), 1);
    }
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_where_one_is_signed_in_and_ends_it_there() {
    let world = World::start().await;
    let mut phone = Browser::signed_in(&world, Some("ben"), None).await;
    let mut lost = Browser::signed_in(&world, Some("ben"), None).await;
    let mut carla = Browser::signed_in(&world, Some("carla"), None).await;
    let page = phone.get("/sign-in/sessions").await.text;
    assert_eq!(page.matches("Firefox on Linux").count(), 2, "{page}");
    // Not somebody else's.
    let hers = carla.get("/sign-in/sessions").await.hidden("id").expect("her session");
    assert_eq!(phone.act("/sign-in/sessions/end", &[("id", &hers)]).await.to(), "/sign-in/sessions");
    assert!(carla.is_in().await);
    phone.act("/sign-in/sessions/end-others", &[]).await;
    assert!(phone.is_in().await && !lost.is_in().await && carla.is_in().await);
    let own = phone.get("/sign-in/sessions").await.hidden("id").expect("the session");
    phone.act("/sign-in/sessions/end", &[("id", &own)]).await;
    assert!(!phone.is_in().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_over_after_a_week_without_use() {
    let world = World::start().await;
    let mut browser = Browser::signed_in(&world, Some("ben"), None).await;
    world.advance(TimeDelta::days(6)).await;
    assert!(browser.is_in().await);
    world.advance(TimeDelta::days(7)).await;
    assert!(!browser.is_in().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_taken_away_in_people_toml_is_gone_at_once() {
    let zone = "[people.ben]\nname = \"Ben Okafor\"";
    let world = World::with(Office::default().edit("people.toml", zone, &format!("{zone}\nrole = \"admin\""))).await;
    let mut browser = Browser::signed_in(&world, Some("ben"), None).await;
    assert_eq!(browser.get("/audit").await.status, 200);
    let edit = |from: &str, to: &str| {
        let path = world.schedules().join("people.toml");
        let text = fs::read_to_string(&path).expect("people.toml");
        assert!(text.contains(from));
        fs::write(path, text.replace(from, to)).expect("people.toml");
    };
    edit("role = \"admin\"", "role = \"viewer\"");
    boot::reload(&world.running().app).await.expect("it is read again");
    assert_eq!(browser.get("/audit").await.status, 403);
    assert_eq!(browser.get("/").await.status, 200);
    let reference = world.report("P1").await;
    assert_eq!(browser.act(&format!("/incidents/{reference}/acknowledge"), &[]).await.status, 403);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_tells_who_did_what_and_no_secret() {
    let world = World::start().await;
    set_password(&world, "admin", Some(Role::Admin), None).await;
    let mut browser = Browser { from: Some("203.0.113.9".into()), ..Browser::of(&world) };
    with_password(&mut browser, "my-password-by-mistake", PASSWORD).await;
    with_password(&mut browser, "admin", PASSWORD).await;
    let (id, _) = ask_code(&world, &mut browser, "ben", BEN).await;
    let made = world.try_post("/api/v1/tokens", serde_json::json!({"name": "grafana", "role": "intake"})).await;
    let jti = made.body["jti"].as_str().expect("a token").to_owned();
    let page = browser.get("/audit").await.text;
    for said in [
        "failed to sign in",
        "signed in",
        "was sent a code",
        "made a token",
        &jti,
        "203.0.113.0&#47;24",
        "put schedules in force",
    ] {
        let plain = said.replace("&#47;", "/");
        assert!(page.contains(said) || page.contains(&plain), "{said}\n{page}");
    }
    let token = made.body["token"].as_str().expect("its text");
    for secret in ["my-password-by-mistake", PASSWORD, BEN, "203.0.113.9", token, &id] {
        assert!(!page.contains(secret), "{secret}");
    }
    // By pages, without end.
    let mut tx = world.running().app.db.begin().await.expect("the database");
    for n in 0..150 {
        let detail = format!("number {n}.");
        let entry =
            ringdown::access::audit::Entry { who: "tests", what: "wrote", network: None, detail: Some(&detail) };
        ringdown::access::audit::note(&mut tx, entry, world.now()).await.expect("the database");
    }
    tx.commit().await.expect("the database");
    let first = browser.get("/audit").await.text;
    assert!(first.contains("number 149.") && first.contains("number 50.") && !first.contains("number 49."));
    let (_, rest) = first.split_once("href=\"/audit?before=").expect("older ones");
    let older = browser.get(&format!("/audit?before={}", rest.split('"').next().expect("an id"))).await.text;
    assert!(older.contains("number 49.") && older.contains("number 0.") && older.contains(&jti));
    assert_eq!(browser.get("/audit?before='%20or%201=1").await.status, 200);
    world.finish();
}

/// The program on this machine, with the settings of this world.
fn ringdown(world: &World, arguments: &[&str], input: &str) -> (bool, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ringdown"));
    command.env_clear().args(arguments).env("RINGDOWN_DATABASE", world.database());
    command.env("RINGDOWN_PUBLIC_URL", PUBLIC_URL).env("RINGDOWN_SCHEDULES", world.schedules());
    command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the program");
    std::io::Write::write_all(&mut child.stdin.take().expect("its input"), input.as_bytes()).expect("its input");
    let done = child.wait_with_output().expect("the program");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").trim().to_owned();
    (done.status.success(), text(done.stdout), text(done.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_can_write_the_database_lets_people_in_and_out() {
    let world = World::start().await;
    let run = |arguments: &[&str], input: &str| tokio::task::block_in_place(|| ringdown(&world, arguments, input));
    let (done, ..) = run(&["password", "boss"], PASSWORD);
    assert!(!done, "of a new one it must be said what its owner may do");
    let (done, generated, said) = run(&["password", "Boss", "--role", "admin", "--generate"], "");
    assert!(done && generated.len() == 29 && !said.contains(&generated), "{generated} {said}");
    let mut boss = Browser::of(&world);
    assert_eq!(with_password(&mut boss, "boss", &generated).await.to(), "/incidents");
    assert_eq!(boss.get("/audit").await.status, 200);
    // Another password ends what began with this one; the role stays.
    let (done, nothing, said) = run(&["password", "boss"], &format!("{PASSWORD}\n"));
    assert!(done && nothing.is_empty() && said.contains("1 session"), "{said}");
    assert!(!boss.is_in().await);
    assert_eq!(with_password(&mut boss, "boss", &generated).await.status, 401);
    assert_eq!(with_password(&mut boss, "boss", PASSWORD).await.to(), "/incidents");
    assert_eq!(boss.get("/audit").await.status, 200);
    // A person's has the person's role.
    assert!(run(&["password", "carla", "--person", "carla"], PASSWORD).0);
    assert!(!run(&["password", "eve", "--person", "eve"], PASSWORD).0, "nobody of that key");
    let mut carla = Browser::of(&world);
    assert_eq!(with_password(&mut carla, "carla", PASSWORD).await.to(), "/incidents");
    assert!(carla.get("/sign-in/sessions").await.text.contains("Carla Mendes"));
    assert_eq!(carla.get("/audit").await.status, 403);
    assert!(run(&["password", "carla", "--remove"], "").0 && !run(&["password", "carla", "--remove"], "").0);
    assert!(!carla.is_in().await);

    let (done, link, _) = run(&["sign-in", "--person", "ben"], "");
    let link = link.strip_prefix(PUBLIC_URL).expect("a link to us").to_owned();
    assert!(done);
    let mut ben = Browser::of(&world);
    assert_eq!(ben.post(&link, &[]).await.to(), "/");
    assert!(!run(&["sign-in", "--person", "eve"], "").0 && !run(&["sign-in", "--role", "intake"], "").0);
    let audit = boss.get("/audit").await.text;
    for said in ["set a password", "removed a password", "made a sign-in link", "the command line"] {
        assert!(audit.contains(said), "{said}");
    }
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn init_makes_the_first_administrator_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("mine");
    let run = |dir: &std::path::Path| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ringdown"));
        let done = command.env_clear().arg("init").arg(dir).output().expect("the program");
        (done.status.success(), String::from_utf8(done.stdout).expect("text"))
    };
    let (done, said) = tokio::task::block_in_place(|| run(&dir));
    assert!(done, "{said}");
    let generated = said.lines().find(|line| line.trim().len() == 29).expect("a password").trim().to_owned();
    assert!(dir.join("schedules/people.toml").exists() && !tokio::task::block_in_place(|| run(&dir)).0);
    let world = World::kept_in(format!("sqlite:{}/ringdown.db", dir.display())).await;
    let mut browser = Browser::of(&world);
    assert_eq!(with_password(&mut browser, "admin", &generated).await.to(), "/incidents");
    assert_eq!(browser.get("/audit").await.status, 200);
    world.finish();
}
