//! People, their phones and how these are proven; and the page that says whether all is fit for the night.

use reqwest::{Client, StatusCode, header};
use ringdown::access::{
    Role,
    session::{self, From, How, Who},
};

use crate::world::*;

/// Somebody's browser.
struct Browser {
    http: Client,
    cookie: String,
}

impl Browser {
    async fn of(world: &World, who: Who) -> Browser {
        let app = &world.running().app;
        let mut tx = app.db.begin().await.expect("the database");
        let set = session::begin(&mut tx, app, &who, How::Link, &From::default()).await.expect("a session");
        tx.commit().await.expect("the database");
        let cookie = set.to_str().expect("a header").split(';').next().expect("a cookie").to_owned();
        let none = reqwest::redirect::Policy::none();
        let http = Client::builder().no_proxy().tls_certs_only([]).redirect(none).build().expect("a client");
        Browser { http, cookie }
    }

    async fn person(world: &World, key: &str) -> Browser {
        Browser::of(world, Who::person(key.into())).await
    }

    async fn look(&self, world: &World, path: &str) -> (StatusCode, String) {
        let answer = self.http.get(world.url(path)).header("cookie", &self.cookie).send().await.expect("an answer");
        (answer.status(), answer.text().await.expect("a body"))
    }

    /// Sends a form as the page at `path` has it; follows where it leads.
    async fn send(&self, world: &World, page: &str, to: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let (_, shown) = self.look(world, page).await;
        let csrf = shown.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let mut all = vec![("csrf", csrf.unwrap_or("none"))];
        all.extend(fields);
        let request = self.http.post(world.url(to)).header("cookie", &self.cookie).header("origin", PUBLIC_URL);
        let answer = request.form(&all).send().await.expect("an answer");
        world.settle().await;
        match answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned()) {
            Some(next) => self.look(world, next.split('#').next().unwrap()).await,
            None => (answer.status(), answer.text().await.expect("a body")),
        }
    }
}

/// The digits of the newest code at a number.
fn digits(world: &World, number: &str) -> String {
    let texts = world.carrier.texts_to(number);
    let body = &texts.last().expect("a text").body;
    body.split_whitespace().next().expect("digits").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_whole_for_their_owner_and_an_administrator_and_masked_for_others() {
    let world = World::start().await;
    let none = reqwest::redirect::Policy::none();
    let stranger = Client::builder().no_proxy().tls_certs_only([]).redirect(none).build().unwrap();
    for path in ["/people", "/people/ben", "/readiness"] {
        let answer = stranger.get(world.url(path)).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}: sign in first");
    }
    let (ben, carla) = (Browser::person(&world, "ben").await, Browser::person(&world, "carla").await);
    let admin = Browser::of(&world, Who { name: "ops".into(), role: Some(Role::Admin), ..Who::default() }).await;
    let masked = "…01";
    for (browser, path, whole) in
        [(&ben, "/people/ben", true), (&carla, "/people/ben", false), (&admin, "/people/ben", true)]
    {
        let (status, page) = browser.look(&world, path).await;
        assert_eq!((status, page.contains(BEN)), (StatusCode::OK, whole), "{page}");
        assert_eq!(page.contains(masked), !whole);
    }
    let (_, list) = carla.look(&world, "/people").await;
    assert!(list.contains("Ben Okafor") && list.contains("on call") && !list.contains(BEN), "{list}");
    assert_eq!(carla.look(&world, "/people/nobody").await.0, StatusCode::NOT_FOUND);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_proven_with_the_code_that_came_there() {
    let world = World::start().await;
    let ben = Browser::person(&world, "ben").await;
    let (_, page) = ben.look(&world, "/people/ben").await;
    assert!(page.contains("not proven"), "{page}");
    let fields = [("line", "mobile"), ("channel", "sms")];
    let (_, page) = ben.send(&world, "/people/ben", "/people/ben/prove", &fields).await;
    let id =
        page.split("name=\"id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a code").to_owned();
    let right = digits(&world, BEN);
    assert!(!page.contains(&right), "the code comes to the phone and nowhere else");
    let (_, page) = ben.send(&world, "/people/ben", "/people/ben/confirm", &[("id", &id), ("digits", "000000")]).await;
    assert!(page.contains("That is not the code"), "{page}");
    let (_, page) = ben.send(&world, "/people/ben", "/people/ben/confirm", &[("id", &id), ("digits", &right)]).await;
    assert!(page.contains("Proven: a page to this line gets through."), "{page}");
    assert!(page.contains("✓</span> proven"), "{page}");
    // Nobody proves another's.
    let carla = Browser::person(&world, "carla").await;
    let (status, _) = carla.send(&world, "/people/carla", "/people/ben/prove", &fields).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) =
        ben.send(&world, "/people/ben", "/people/ben/prove", &[("line", "<b>"), ("channel", "sms")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_page_goes_to_oneself_and_a_commander_pages_anybody() {
    let world = World::start().await;
    let ben = Browser::person(&world, "ben").await;
    let (_, page) = ben.send(&world, "/people/ben", "/people/ben/test", &[]).await;
    assert!(page.contains("A text and a call are on their way."), "{page}");
    assert!(world.carrier.texts_to(BEN).last().unwrap().body.starts_with("Ringdown test page for Ben"));
    let (status, _) = ben.send(&world, "/people/ben", "/people/carla/test", &[]).await;
    assert_eq!((status, world.carrier.texts_to(CARLA).len()), (StatusCode::FORBIDDEN, 0));
    let lead = Browser::of(&world, Who { name: "desk".into(), role: Some(Role::Commander), ..Who::default() }).await;
    lead.send(&world, "/people/carla", "/people/carla/test", &[]).await;
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_fit_is_told_and_others_are_asked_only_on_request() {
    let world = World::start().await;
    let desk = Browser::of(&world, Who { name: "desk".into(), role: Some(Role::Commander), ..Who::default() }).await;
    let (status, page) = desk.look(&world, "/readiness").await;
    assert_eq!(status, StatusCode::OK);
    for words in
        ["watch.heartbeat is off", "Ben Okafor has not proven mobile (text, call)", "one carrier only", "time zones of"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("was asked") && !page.contains(BEN), "{page}");
    let (status, page) = desk.send(&world, "/readiness", "/readiness", &[]).await;
    assert_eq!(status, StatusCode::OK);
    // Nothing listens at the address of this world.
    assert!(page.contains("cannot be reached from here") && page.contains("carrier main was asked"), "{page}");
    let ben = Browser::person(&world, "ben").await;
    assert!(!ben.look(&world, "/readiness").await.1.contains("id=\"ask\""));
    assert_eq!(ben.send(&world, "/people/ben", "/readiness", &[]).await.0, StatusCode::FORBIDDEN);
    let (nonce, other) = ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdee");
    let echo = async |nonce: &str| world.peek(&format!("/readiness/echo/{nonce}")).await;
    let (one, two) = (echo(nonce).await, echo(other).await);
    assert!(one.status == 200 && one.body != two.body && one.body.as_str().unwrap().len() == 64);
    assert_eq!(echo("x").await.status, 404);
    world.finish();
}
