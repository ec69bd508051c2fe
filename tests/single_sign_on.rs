//! Who is let in by an issuer of OpenID Connect.

use ringdown::access::Role;

use crate::{
    access::{PASSWORD, set_password, with_password},
    world::{
        browser::Page,
        issuer::{Issuer, Lie},
        *,
    },
};

/// To the issuer and back.
async fn single_sign_on(browser: &mut Browser) -> Page {
    let there = browser.get("/sign-in/oidc?next=%2Foncall").await;
    let back = browser.get(there.to()).await;
    assert_eq!(back.status, 302, "{back:?}");
    let back = back.location.expect("the way back");
    browser.get(back.strip_prefix(PUBLIC_URL).expect("to us")).await
}

async fn with_issuer(email: &str) -> (World, Issuer) {
    let mail = "mobile = { phone = \"+12015550101\" } }\nmail = \"Ben@Example.com\"";
    let office = Office::default().edit("people.toml", "mobile = { phone = \"+12015550101\" } }", mail);
    let mut world = World::with(office).await;
    let issuer = Issuer::start(world.clock.clone(), email).await;
    world.oidc = Some(issuer.settings());
    world.restart().await;
    (world, issuer)
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_issuer_names_is_signed_in_as_the_person_with_that_address() {
    let (world, issuer) = with_issuer("ben@example.COM").await;
    let mut browser = Browser::of(&world);
    assert!(browser.get("/sign-in").await.text.contains("Sign in with Example"));
    let page = single_sign_on(&mut browser).await;
    assert_eq!(page.to(), "/oncall");
    assert!(browser.get("/sign-in/sessions").await.text.contains("Ben Okafor"));
    assert_eq!(browser.cookies.len(), 1, "the state is forgotten: {:?}", browser.cookies);

    // With the secret in the form, and the address at another endpoint.
    issuer.lies(Some(Lie::Thin));
    let mut browser = Browser::of(&world);
    assert_eq!(single_sign_on(&mut browser).await.to(), "/oncall");

    // With a key that was not known; it is asked for once a minute at most.
    issuer.lies(None);
    let asked = issuer.keys_asked();
    issuer.turns_key("second");
    assert_eq!(single_sign_on(&mut Browser::of(&world)).await.status, 502, "asked a moment ago");
    assert_eq!(issuer.keys_asked(), asked);
    world.minutes(1).await;
    assert_eq!(single_sign_on(&mut Browser::of(&world)).await.to(), "/oncall");
    assert_eq!(issuer.keys_asked(), asked + 1);
    assert_eq!(issuer.violations(), [""; 0]);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_takes_the_secret_in_the_form_alone_is_given_it_there() {
    let mail = "mobile = { phone = \"+12015550101\" } }\nmail = \"ben@example.com\"";
    let office = Office::default().edit("people.toml", "mobile = { phone = \"+12015550101\" } }", mail);
    let mut world = World::with(office).await;
    let issuer = Issuer::start(world.clock.clone(), "ben@example.com").await;
    issuer.wants_post();
    world.oidc = Some(issuer.settings());
    world.restart().await;
    assert_eq!(single_sign_on(&mut Browser::of(&world)).await.to(), "/oncall");
    assert_eq!(issuer.violations(), [""; 0]);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_lies_signs_nobody_in() {
    let (world, issuer) = with_issuer("ben@example.com").await;
    for (lie, status) in [
        (Lie::Nonce, 502),
        (Lie::Audience, 502),
        (Lie::Issuer, 502),
        (Lie::Signature, 502),
        (Lie::NoAlgorithm, 502),
        (Lie::Expired, 502),
        (Lie::SomebodyElse, 502),
        (Lie::MixUp, 403),
        (Lie::Refuses, 403),
        (Lie::Unverified, 403),
    ] {
        issuer.lies(Some(lie));
        let mut browser = Browser::of(&world);
        let page = single_sign_on(&mut browser).await;
        assert_eq!(page.status, status, "{lie:?}: {page:?}");
        assert!(browser.cookies.is_empty() && !browser.is_in().await, "{lie:?}");
    }
    issuer.lies(None);
    issuer.knows("eve&<b>@example.com");
    let page = single_sign_on(&mut Browser::of(&world)).await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("eve&#38;&#60;b&#62;@example.com"), "which address it is, as text: {}", page.text);
    assert_eq!(issuer.violations(), [""; 0]);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_from_the_issuer_counts_in_the_browser_that_was_sent_there() {
    let (world, issuer) = with_issuer("ben@example.com").await;
    let (mut attacker, mut victim) = (Browser::of(&world), Browser::of(&world));
    let there = attacker.get("/sign-in/oidc").await;
    let back = attacker.get(there.to()).await.location.expect("the way back");
    let back = back.strip_prefix(PUBLIC_URL).expect("to us").to_owned();
    // Sent to somebody else, who would then work as the attacker.
    assert_eq!(victim.get(&back).await.status, 400);
    victim.get("/sign-in/oidc").await;
    assert_eq!(victim.get(&back).await.status, 400, "the state of another");
    // Where it belongs, it counts, and once: the issuer is not asked again.
    let kept = attacker.clone();
    assert_eq!(attacker.get(&back).await.to(), "/");
    assert_eq!(kept.clone().get(&back).await.status, 400, "it was used");
    assert_eq!(issuer.violations(), [""; 0]);
    // Not an hour later.
    let mut slow = Browser::of(&world);
    let there = slow.get("/sign-in/oidc").await;
    let back = slow.get(there.to()).await.location.expect("the way back");
    world.minutes(11).await;
    assert_eq!(slow.get(back.strip_prefix(PUBLIC_URL).expect("to us")).await.status, 400);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_from_the_issuer_in_vain_is_stopped_and_leaves_little_behind() {
    let (world, issuer) = with_issuer("ben@example.com").await;
    set_password(&world, "admin", Some(Role::Admin), None).await;
    let begin = async |from: &str| {
        let mut browser = Browser { from: Some(from.into()), ..Browser::of(&world) };
        let there = browser.get("/sign-in/oidc").await;
        let (_, state) = there.to().split_once("&state=").expect("a state");
        let state = state.split('&').next().expect("a state").to_owned();
        (browser, state)
    };
    let (browser, state) = begin("203.0.113.9").await;
    let refused = format!("/sign-in/oidc/callback?state={state}&error=x");
    let mut statuses = Vec::new();
    for _ in 0..40 {
        // It keeps its cookie.
        statuses.push(browser.clone().get(&refused).await.status);
    }
    assert_eq!((statuses[0], &statuses[1..]), (403, [400; 39].as_slice()), "good for one callback");
    let junk = format!("/sign-in/oidc/callback?state={state}&code=junk");
    assert_eq!(browser.clone().get(&junk).await.status, 400);
    assert_eq!(issuer.violations(), [""; 0], "the issuer was not asked");

    let mut statuses = Vec::new();
    for _ in 0..32 {
        let (mut browser, state) = begin("203.0.113.9").await;
        statuses.push(browser.get(&format!("/sign-in/oidc/callback?state={state}&code=junk")).await.status);
    }
    assert_eq!((&statuses[..29], &statuses[29..]), ([502; 29].as_slice(), [429; 3].as_slice()));
    assert_eq!(issuer.violations().len(), 29, "no more than were looked at");
    let mut admin = Browser { from: Some("203.0.113.9".into()), ..Browser::of(&world) };
    assert_eq!(with_password(&mut admin, "admin", PASSWORD).await.to(), "/incidents", "another way is open");
    assert_eq!(admin.get("/audit").await.text.matches("failed to sign in").count(), 30);
    let mut elsewhere = Browser { from: Some("198.51.100.7".into()), ..Browser::of(&world) };
    assert_eq!(single_sign_on(&mut elsewhere).await.to(), "/oncall");
    world.minutes(15).await;
    let mut again = Browser { from: Some("203.0.113.9".into()), ..Browser::of(&world) };
    assert_eq!(single_sign_on(&mut again).await.to(), "/oncall");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_away_takes_nobody_elses_way_in() {
    let mut world = World::start().await;
    let issuer = Issuer::start(world.clock.clone(), "ben@example.com").await;
    let nowhere = ringdown::server::settings::OidcSettings { issuer: "http://127.0.0.1:1".into(), ..issuer.settings() };
    world.oidc = Some(nowhere);
    world.restart().await;
    set_password(&world, "admin", Some(Role::Admin), None).await;
    let mut browser = Browser::of(&world);
    assert_eq!(browser.get("/sign-in").await.status, 200);
    assert_eq!(browser.get("/sign-in/oidc").await.status, 502);
    assert_eq!(with_password(&mut browser, "admin", PASSWORD).await.to(), "/incidents");
    world.finish();
}
