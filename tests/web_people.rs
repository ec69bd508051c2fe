//! People, their phones and how these are proven; and the page that says whether all is fit for the night.

use ringdown::access::Role;

use crate::world::{browser::Page, *};

async fn person(world: &World, key: &str) -> Browser {
    Browser::signed_in(world, Some(key), None).await
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
    let mut stranger = Browser::of(&world);
    for path in ["/people", "/people/ben", "/readiness"] {
        assert!(stranger.get(path).await.to().starts_with("/sign-in?next="), "{path}: sign in first");
    }
    let (mut ben, mut carla) = (person(&world, "ben").await, person(&world, "carla").await);
    let mut admin = Browser::signed_in(&world, None, Some(Role::Admin)).await;
    let masked = "…01";
    for (browser, path, whole) in
        [(&mut ben, "/people/ben", true), (&mut carla, "/people/ben", false), (&mut admin, "/people/ben", true)]
    {
        let page = browser.get(path).await;
        assert_eq!((page.status, page.text.contains(BEN)), (200, whole), "{page:?}");
        assert_eq!(page.text.contains(masked), !whole);
    }
    let list = carla.get("/people").await.text;
    assert!(list.contains("Ben Okafor") && list.contains("on call") && !list.contains(BEN), "{list}");
    assert_eq!(carla.get("/people/nobody").await.status, 404);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_proven_with_the_code_that_came_there() {
    let world = World::start().await;
    let mut ben = person(&world, "ben").await;
    let page = ben.get("/people/ben").await.text;
    assert!(page.contains("not proven"), "{page}");
    let fields = [("line", "mobile"), ("channel", "sms")];
    let page = ben.fill(&world, "/people/ben", "/people/ben/prove", &fields).await.text;
    let id =
        page.split("name=\"id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a code").to_owned();
    let right = digits(&world, BEN);
    assert!(!page.contains(&right), "the code comes to the phone and nowhere else");
    let page = ben.fill(&world, "/people/ben", "/people/ben/confirm", &[("id", &id), ("digits", "000000")]).await.text;
    assert!(page.contains("That is not the code"), "{page}");
    let page = ben.fill(&world, "/people/ben", "/people/ben/confirm", &[("id", &id), ("digits", &right)]).await.text;
    assert!(page.contains("Proven: a page to this line gets through."), "{page}");
    assert!(page.contains("✓</span> proven"), "{page}");
    // Nobody proves another's.
    let mut carla = person(&world, "carla").await;
    let status = carla.fill(&world, "/people/carla", "/people/ben/prove", &fields).await.status;
    assert_eq!(status, 403);
    let status =
        ben.fill(&world, "/people/ben", "/people/ben/prove", &[("line", "<b>"), ("channel", "sms")]).await.status;
    assert_eq!(status, 422);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_page_goes_to_oneself_and_a_commander_pages_anybody() {
    let world = World::start().await;
    let mut ben = person(&world, "ben").await;
    let page = ben.fill(&world, "/people/ben", "/people/ben/test", &[]).await.text;
    assert!(page.contains("A text and a call are on their way."), "{page}");
    assert!(world.carrier.texts_to(BEN).last().unwrap().body.starts_with("Ringdown test page for Ben"));
    let status = ben.fill(&world, "/people/ben", "/people/carla/test", &[]).await.status;
    assert_eq!((status, world.carrier.texts_to(CARLA).len()), (403, 0));
    let mut lead = Browser::signed_in(&world, None, Some(Role::Commander)).await;
    lead.fill(&world, "/people/carla", "/people/carla/test", &[]).await;
    assert_eq!(world.carrier.texts_to(CARLA).len(), 1);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_fit_is_told_and_others_are_asked_only_on_request() {
    let world = World::start().await;
    let mut desk = Browser::signed_in(&world, None, Some(Role::Commander)).await;
    let Page { status, text: page, .. } = desk.get("/readiness").await;
    assert_eq!(status, 200);
    for words in
        ["watch.heartbeat is off", "Ben Okafor has not proven mobile (text, call)", "one carrier only", "time zones of"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("was asked") && !page.contains(BEN), "{page}");
    let Page { status, text: page, .. } = desk.fill(&world, "/readiness", "/readiness", &[]).await;
    assert_eq!(status, 200);
    // Nothing listens at the address of this world.
    assert!(page.contains("cannot be reached from here") && page.contains("carrier main was asked"), "{page}");
    let mut ben = person(&world, "ben").await;
    assert!(!ben.get("/readiness").await.text.contains("id=\"ask\""));
    assert_eq!(ben.fill(&world, "/people/ben", "/readiness", &[]).await.status, 403);
    let (nonce, other) = ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdee");
    let echo = async |nonce: &str| world.peek(&format!("/readiness/echo/{nonce}")).await;
    let (one, two) = (echo(nonce).await, echo(other).await);
    assert!(one.status == 200 && one.body != two.body && one.body.as_str().unwrap().len() == 64);
    assert_eq!(echo("x").await.status, 404);
    world.finish();
}
