//! The links in our texts: the page that acknowledges with one thumb, and the customer's.

use reqwest::{Client, Method, StatusCode, header};
use ringdown::{on, store::Sql};

use crate::world::*;

/// What came back.
struct Seen {
    status: StatusCode,
    to: String,
    body: String,
}

fn client() -> Client {
    let none = reqwest::redirect::Policy::none();
    Client::builder().no_proxy().tls_certs_only([]).redirect(none).build().expect("a client")
}

async fn seen(request: reqwest::RequestBuilder) -> Seen {
    let answer = request.send().await.expect("the server answers");
    let to = answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
    Seen { status: answer.status(), to: to.unwrap_or_default(), body: answer.text().await.expect("a body") }
}

async fn look(world: &World, path: &str) -> Seen {
    seen(client().get(world.url(path))).await
}

/// What a browser does with a form of the page, and with the answer.
async fn press(world: &World, path: &str, fields: &[(&str, &str)]) -> Seen {
    let form = client().post(world.url(path)).header("origin", PUBLIC_URL).form(fields);
    let answer = seen(form.header("sec-fetch-site", "same-origin")).await;
    world.settle().await;
    if answer.status != StatusCode::SEE_OTHER {
        return answer;
    }
    assert!(answer.to.starts_with(path), "{} leads to {}", path, answer.to);
    look(world, &answer.to).await
}

/// The path of the link in the last text to a number.
fn link(world: &World, number: &str, door: &str) -> String {
    let texts = world.carrier.texts_to(number);
    let link = texts.iter().rev().find_map(|text| {
        text.body.split_whitespace().find(|word| word.starts_with(PUBLIC_URL) && word.contains(door)).map(str::to_owned)
    });
    let link = link.unwrap_or_else(|| panic!("no link to {door}: {texts:?}"));
    link[PUBLIC_URL.len()..].to_owned()
}

async fn paged() -> (World, String, String) {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.seconds(10).await;
    let path = link(&world, BEN, "/a/");
    (world, reference, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_previews_a_link_acknowledges_nothing() {
    let (world, reference, path) = paged().await;
    let before = world.incident(&reference).await["seq"].clone();
    for agent in ["WhatsApp/2.23", "facebookexternalhit/1.1", "Slackbot-LinkExpanding 1.0", "Mozilla/5.0"] {
        for method in [Method::GET, Method::HEAD] {
            let answer = client().request(method, world.url(&path)).header("user-agent", agent);
            assert_eq!(seen(answer).await.status, StatusCode::OK);
        }
    }
    for method in [Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = seen(client().request(method, world.url(&path))).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    world.settle().await;
    assert_eq!(world.holder(&reference).await, None);
    assert_eq!(world.incident(&reference).await["seq"], before);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_press_takes_it_as_the_one_who_was_paged() {
    let (world, reference, path) = paged().await;
    let page = look(&world, &path).await.body;
    for words in [&reference, "Acme Bank", "Card payments fail", "Nobody has it", "I take it"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains(ACME), "whoever has it gets the number");
    let taken = press(&world, &path, &[("act", "take")]).await.body;
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"));
    let events = world.events(&reference, "acknowledged").await;
    assert_eq!((events.len(), &events[0]["via"], &events[0]["page"]), (1, &"web".into(), &1.into()));
    for words in ["It is yours", "Call the customer by 03:30", &format!("tel:{ACME}"), "Next update"] {
        assert!(taken.contains(words), "{words}: {taken}");
    }
    world.seconds(5).await;
    assert!(world.carrier.calls_to(BEN)[0].hung_up, "{}", world.dump().await);
    // Twice is once; the code still works.
    press(&world, &path, &[("act", "take")]).await;
    assert_eq!(world.events(&reference, "acknowledged").await.len(), 1);
    let code = reply_code(&world.carrier.texts_to(BEN)[0].body).expect("a code");
    assert!(taken.contains(&format!("{code} 6")), "{taken}");
    world.write(BEN, &format!("{code} 6")).await;
    let over = look(&world, &path).await.body;
    assert!(over.contains(&format!("{reference} is resolved")) && !over.contains("<button"), "{over}");
    assert!(press(&world, &path, &[("act", "take")]).await.body.contains("not possible any more"));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_it_is_rung_and_put_through_by_one_press() {
    let (world, reference, path) = paged().await;
    let taken = press(&world, &path, &[("act", "take")]).await.body;
    assert!(taken.contains("ring me now"), "{taken}");
    world.minutes(1).await;
    world.carrier.phone(BEN, presses('5'), Texts::Delivered);
    world.carrier.phone(ACME, talks(33), Texts::Delivered);
    let rings = press(&world, &path, &[("act", "call")]).await.body;
    assert!(rings.contains("Your phone rings."), "{rings}");
    assert_eq!(press(&world, &path, &[("act", "call")]).await.status, StatusCode::CONFLICT);
    world.minutes(2).await;
    let response = &world.incident(&reference).await["response"];
    assert_eq!((response["met"].as_bool(), response["evidence"]["seconds"].as_i64()), (Some(true), Some(33)));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_noted_for_the_team_and_not_told_to_the_customer() {
    let (world, reference, path) = paged().await;
    let told = world.carrier.texts_to(ACME).len();
    let page = press(&world, &path, &[("eta", "15")]).await.body;
    assert!(page.contains("On it in 15 min, you said."), "{page}");
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"));
    press(&world, &path, &[("eta", "15")]).await;
    press(&world, &path, &[("eta", "60")]).await;
    let notes = world.events(&reference, "updated").await;
    let said: Vec<&str> = notes.iter().map(|note| note["text"].as_str().unwrap()).collect();
    assert_eq!(said, ["On it, ETA 15 min.", "On it, ETA 1 h."]);
    assert!(notes.iter().all(|note| note["customer_visible"] == false && note["counts"] == false));
    assert_eq!(world.carrier.texts_to(ACME).len(), told);
    for bad in ["0", "7", "99999", "-5", "x"] {
        assert_eq!(press(&world, &path, &[("eta", bad)]).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_asked_for_help_and_says_when_has_answered_the_page() {
    let (world, reference, _) = paged().await;
    world.minutes(6).await;
    press(&world, &link(&world, CARLA, "/a/"), &[("act", "take")]).await;
    world.act(&reference, "responders", "carla", serde_json::json!({ "person": "dora" })).await;
    world.seconds(10).await;
    let dora = link(&world, DORA, "/a/");
    let page = press(&world, &dora, &[("eta", "15")]).await.body;
    assert!(page.contains("You help; on it in 15 min, you said."), "{page}");
    assert_eq!(world.events(&reference, "page_answered").await.len(), 1, "{}", world.timeline(&reference).await);
    assert_eq!(world.holder(&reference).await.as_deref(), Some("carla"));
    world.minutes(1).await;
    let calls = world.carrier.calls_to(DORA);
    assert!(calls.iter().all(|call| call.hung_up), "her phone rings no more: {}", world.dump().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_has_is_said_and_help_is_offered() {
    let (world, reference, ben) = paged().await;
    world.minutes(6).await;
    let carla = link(&world, CARLA, "/a/");
    press(&world, &carla, &[("act", "take")]).await;
    let page = look(&world, &ben).await.body;
    assert!(page.contains("has it since") && page.contains("Offer to help") && !page.contains(ACME), "{page}");
    let late = press(&world, &ben, &[("act", "take")]).await.body;
    assert!(late.contains("not possible any more"), "{late}");
    assert_eq!(world.holder(&reference).await.as_deref(), Some("carla"));
    let before = world.carrier.texts_to(CARLA).len();
    let offered = press(&world, &ben, &[("act", "help")]).await.body;
    assert!(offered.contains("They know that you can help."), "{offered}");
    press(&world, &ben, &[("act", "help")]).await;
    let texts = world.carrier.texts_to(CARLA);
    assert_eq!(texts.len(), before + 1);
    assert!(texts.last().unwrap().body.ends_with("offers to help."), "{texts:?}");
    // Carla passes it on.
    press(&world, &carla, &[("act", "pass-on")]).await;
    assert_eq!(world.holder(&reference).await, None);
    assert_eq!(world.events(&reference, "passed_on").await[0]["via"], "web");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_does_nothing() {
    let (world, reference, path) = paged().await;
    for headers in [
        [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        [("origin", "null"), ("sec-fetch-site", "cross-site")],
        [("origin", "https://evil.example"), ("x-none", "")],
    ] {
        let mut request = client().post(world.url(&path)).form(&[("act", "take")]);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        assert_eq!(seen(request).await.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    assert_eq!(world.holder(&reference).await, None);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_does_not_hold_says_no_more_than_that() {
    let (world, reference, path) = paged().await;
    let customer = link(&world, ACME, "/s/");
    let seal = &path[path.len() - 16..];
    let strange = look(&world, &format!("/a/{reference}aaaaaaaaaaaaaaaa")).await;
    assert_eq!(strange.status, StatusCode::NOT_FOUND);
    for wrong in [
        format!("/a/{seal}"),
        format!("/a/9999{seal}"),
        format!("/a/{}", customer.trim_start_matches("/s/")),
        format!("/a/{reference}{}", seal.to_uppercase()),
        "/a/x".into(),
        format!("/a/{}", "2".repeat(3000)),
    ] {
        let answer = look(&world, &wrong).await;
        assert_eq!((answer.status, &answer.body), (StatusCode::NOT_FOUND, &strange.body), "{wrong}");
    }
    assert_eq!(look(&world, &path.replace("/a/", "/s/")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(press(&world, &format!("/a/{reference}aaaaaaaaaaaaaaaa"), &[("act", "take")]).await.status, 404);
    world.act(&reference, "resolve", "ben", serde_json::json!({ "note": "mended" })).await;
    world.advance(chrono::TimeDelta::hours(24)).await;
    let old = look(&world, &path).await;
    assert_eq!((old.status, old.body), (StatusCode::NOT_FOUND, strange.body), "it is too old");
    assert_eq!(look(&world, &customer).await.status, StatusCode::OK, "the customer's holds for a month");
    world.advance(chrono::TimeDelta::days(30)).await;
    assert_eq!(look(&world, &customer).await.status, StatusCode::NOT_FOUND);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleagues_wrong_pastes_lock_nobody_out() {
    let (world, reference, path) = paged().await;
    let http = client();
    for n in 0..100 {
        let wrong = seen(http.get(world.url(&format!("/a/{reference}{n:a>16}")))).await;
        assert_eq!(wrong.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(look(&world, &path).await.status, StatusCode::OK);
    press(&world, &path, &[("act", "take")]).await;
    assert_eq!(world.holder(&reference).await.as_deref(), Some("ben"));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_seal_stands_in_the_database() {
    let (world, reference, path) = paged().await;
    const BODIES: Sql = Sql::same("select body from attempts where body is not null");
    let mut tx = world.running().app.db.read().await.expect("the database");
    let kept: Vec<String> = on!(&mut tx, BODIES, |c, sql| sqlx::query_scalar(sql).fetch_all(c).await).expect("a query");
    drop(tx);
    let kept = kept.join("\n");
    assert!(kept.contains(&format!("/a/{reference}****************")), "{kept}");
    assert!(kept.contains(&format!("/s/{reference}****************")), "{kept}");
    for path in [path, link(&world, ACME, "/s/")] {
        assert!(!kept.contains(&path[path.len() - 16..]), "{kept}");
    }
    world.finish();
}

async fn customer() -> (World, String, String) {
    let world = World::start().await;
    let reference = world.report("P1").await;
    world.seconds(10).await;
    let path = link(&world, ACME, "/s/");
    (world, reference, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_what_is_promised_and_nothing_of_ours() {
    let (world, reference, path) = customer().await;
    let page = look(&world, &path).await.body;
    for words in [&reference, "Our engineers are being called", "we call you by", "03:30", "none yet"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    world.act(&reference, "acknowledge", "ben", serde_json::json!({})).await;
    let (inner, outer) = ("disk of shop-3", "<b>We</b> know the cause.");
    world.act(&reference, "updates", "ben", serde_json::json!({ "text": inner, "customer_visible": false })).await;
    world.act(&reference, "updates", "ben", serde_json::json!({ "text": outer })).await;
    let page = look(&world, &path).await.body;
    assert!(page.contains("An engineer is working on it") && page.contains("know the cause."), "{page}");
    assert!(page.contains("05:00"), "the window is met, the next one counts: {page}");
    assert!(!page.contains("<b>We") && !page.contains("shop-3"), "{page}");
    for ours in ["Ben", "ben", "Carla", "payments", "Card payments", ACME, "on-call"] {
        assert!(!page.contains(ours), "{ours}: {page}");
    }
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_says_is_heard_and_worse_raises_the_level_once() {
    let (world, reference, path) = customer().await;
    world.act(&reference, "acknowledge", "ben", serde_json::json!({})).await;
    let before = world.carrier.texts_to(BEN).len();
    let page = press(&world, &path, &[("act", "still"), ("words", "<img src=x> tills in Bonn")]).await.body;
    assert!(page.contains("Whoever works on it was told."), "{page}");
    assert_eq!(
        world.events(&reference, "customer_replied").await[0]["text"],
        "Still broken: <img src=x> tills in Bonn"
    );
    assert_eq!(world.carrier.texts_to(BEN).len(), before + 1);
    press(&world, &path, &[("act", "worse")]).await;
    press(&world, &path, &[("act", "worse"), ("words", "all of Bonn")]).await;
    assert_eq!(world.events(&reference, "customer_escalated").await.len(), 1);
    assert_eq!(world.events(&reference, "customer_replied").await[1]["text"], "It got worse: all of Bonn");
    for _ in 0..12 {
        press(&world, &path, &[("act", "still")]).await;
    }
    assert_eq!(world.events(&reference, "customer_replied").await.len(), 9);
    assert!(press(&world, &path, &[("act", "still")]).await.body.contains("please call us"));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_closes_it_when_asked_twice_and_opens_it_again() {
    let (world, reference, path) = customer().await;
    world.act(&reference, "acknowledge", "ben", serde_json::json!({})).await;
    let sure = press(&world, &path, &[("act", "fixed")]).await;
    assert!(sure.body.contains("Is it solved?"), "{}", sure.body);
    assert_eq!(world.incident(&reference).await["phase"], "open");
    let page = press(&world, &path, &[("act", "close")]).await.body;
    assert!(page.contains("It is resolved"), "{page}");
    assert_eq!(world.events(&reference, "resolved").await[0]["by"]["kind"], "customer");
    assert!(world.carrier.texts_to(BEN).last().unwrap().body.contains("says that it is solved"));
    let page = press(&world, &path, &[("act", "still"), ("words", "no")]).await.body;
    assert!(page.contains("It is open again"), "{page}");
    assert_eq!(world.incident(&reference).await["phase"], "open");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_corrects_the_number_and_it_is_shown_as_untried() {
    let (world, reference, path) = customer().await;
    press(&world, &link(&world, BEN, "/a/"), &[("act", "take")]).await;
    for (bad, words) in [("12345", "not a phone number"), ("+19005550123", "premium"), ("<script>", "&#60;script")] {
        let page = press(&world, &path, &[("act", "number"), ("number", bad)]).await.body;
        assert!(page.contains(words), "{bad}: {page}");
    }
    let page = press(&world, &path, &[("act", "number"), ("number", "+49 30 901820")]).await.body;
    assert!(page.contains("We call you there."), "{page}");
    let incident = world.incident(&reference).await;
    assert_eq!(incident["contact"]["number"], "+4930901820");
    assert!(world.timeline(&reference).await.contains("nobody has tried it yet"));
    assert!(world.carrier.texts_to(BEN).last().unwrap().body.contains("+4930901820 (not tried yet)"));
    let engineer = look(&world, &link(&world, BEN, "/a/")).await.body;
    assert!(engineer.contains("tel:+4930901820") && engineer.contains("not tried yet"), "{engineer}");
    // Each change sends a text to somebody.
    for last in ["21", "22", "23"] {
        press(&world, &path, &[("act", "number"), ("number", &format!("+49309018{last}"))]).await;
    }
    assert_eq!(world.incident(&reference).await["contact"]["number"], "+4930901822");
    world.finish();
}
