//! What each role may see and do: every route of the web, as nobody and in every role.

use std::collections::BTreeSet;

use ringdown::access::Role;

use crate::world::{browser::Page, *};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Anybody,
    /// Whoever is signed in, whatever their role.
    SignedIn,
    Least(Role),
    /// The person themselves: nobody of those who try here.
    Own,
}

use For::{Anybody, Least, Own, SignedIn};

const VIEWER: For = Least(Role::Viewer);
const RESPONDER: For = Least(Role::Responder);
const COMMANDER: For = Least(Role::Commander);
const ADMIN: For = Least(Role::Admin);

/// Every route of the web, and for whom it is. `4821` stands for an incident's reference. Where acts differ, one row each.
const ROUTES: &[(&str, &str, &str, For)] = &[
    ("GET", "/", "/", VIEWER),
    ("GET", "/incidents", "/incidents", VIEWER),
    ("GET", "/incidents/{reference}", "/incidents/4821", VIEWER),
    ("GET", "/incidents/{reference}/preview", "/incidents/4821/preview", VIEWER),
    ("POST", "/incidents/{reference}/preview", "/incidents/4821/preview", RESPONDER),
    ("GET", "/incidents/{reference}/export", "/incidents/4821/export", RESPONDER),
    ("GET", "/incidents/{reference}/call", "/incidents/4821/call", VIEWER),
    ("POST", "/incidents/{reference}/call", "/incidents/4821/call", RESPONDER),
    ("GET", "/incidents/{reference}/{act}", "/incidents/4821/updates", VIEWER),
    ("POST", "/incidents/{reference}/{act}", "/incidents/4821/updates", RESPONDER),
    ("POST", "/incidents/{reference}/{act}", "/incidents/4821/priority", COMMANDER),
    ("GET", "/oncall", "/oncall", VIEWER),
    ("POST", "/oncall/take", "/oncall/take", RESPONDER),
    ("POST", "/oncall/give", "/oncall/give", RESPONDER),
    ("POST", "/oncall/end", "/oncall/end", COMMANDER),
    ("POST", "/oncall/feeds", "/oncall/feeds", VIEWER),
    ("POST", "/oncall/feeds/revoke", "/oncall/feeds/revoke", VIEWER),
    // Whoever has the address, which is a secret.
    ("GET", "/oncall/feed/{name}", "/oncall/feed/x.ics", Anybody),
    ("GET", "/compliance", "/compliance", VIEWER),
    // With numbers in full.
    ("GET", "/compliance", "/compliance?format=signed", RESPONDER),
    ("GET", "/handsets", "/handsets", ADMIN),
    ("GET", "/handsets/live", "/handsets/live", ADMIN),
    ("POST", "/handsets/dial", "/handsets/dial", ADMIN),
    ("POST", "/handsets/clock", "/handsets/clock", ADMIN),
    ("POST", "/handsets/phone/{number}/sms", "/handsets/phone/12015550101/sms", ADMIN),
    ("POST", "/handsets/phone/{number}/behaviour", "/handsets/phone/12015550101/behaviour", ADMIN),
    ("POST", "/handsets/call/{id}/{act}", "/handsets/call/x/answer", ADMIN),
    ("GET", "/people", "/people", VIEWER),
    ("GET", "/people/{key}", "/people/ben", VIEWER),
    // A responder's own, too.
    ("POST", "/people/{key}/test", "/people/ben/test", COMMANDER),
    ("POST", "/people/{key}/prove", "/people/ben/prove", Own),
    ("POST", "/people/{key}/confirm", "/people/ben/confirm", Own),
    ("GET", "/readiness", "/readiness", VIEWER),
    ("POST", "/readiness", "/readiness", COMMANDER),
    // Asked by ourselves, from outside.
    ("GET", "/readiness/echo/{nonce}", "/readiness/echo/x", Anybody),
    ("GET", "/intake", "/intake", ADMIN),
    ("GET", "/intake/payloads/{id}", "/intake/payloads/x", ADMIN),
    ("POST", "/intake/integrations/{key}/keys", "/intake/integrations/monitoring/keys", ADMIN),
    ("POST", "/intake/integrations/{key}/test", "/intake/integrations/monitoring/test", ADMIN),
    // Whoever has the link of a text.
    ("GET", "/a/{token}", "/a/x", Anybody),
    ("POST", "/a/{token}", "/a/x", Anybody),
    ("GET", "/s/{token}", "/s/x", Anybody),
    ("POST", "/s/{token}", "/s/x", Anybody),
    ("GET", "/live", "/live", VIEWER),
    ("GET", "/assets/{name}", "/assets/style.css", Anybody),
    ("GET", "/favicon.ico", "/favicon.ico", Anybody),
    ("GET", "/sign-in", "/sign-in", Anybody),
    ("POST", "/sign-in/password", "/sign-in/password", Anybody),
    ("GET", "/sign-in/code", "/sign-in/code", Anybody),
    ("POST", "/sign-in/code", "/sign-in/code", Anybody),
    ("POST", "/sign-in/code/enter", "/sign-in/code/enter", Anybody),
    ("GET", "/sign-in/link/{token}", "/sign-in/link/x", Anybody),
    ("POST", "/sign-in/link/{token}", "/sign-in/link/x", Anybody),
    ("GET", "/sign-in/oidc", "/sign-in/oidc", Anybody),
    ("GET", "/sign-in/oidc/callback", "/sign-in/oidc/callback", Anybody),
    ("GET", "/sign-in/sessions", "/sign-in/sessions", SignedIn),
    ("POST", "/sign-in/sessions/end", "/sign-in/sessions/end", SignedIn),
    ("POST", "/sign-in/sessions/end-others", "/sign-in/sessions/end-others", SignedIn),
    ("POST", "/sign-out", "/sign-out", SignedIn),
    ("GET", "/audit", "/audit", ADMIN),
];

/// What somebody without a session, and with each role, gets from a route that is for these.
fn expected(least: For, role: Option<Role>) -> &'static str {
    match (least, role) {
        (Anybody, _) | (SignedIn, Some(_)) => "let in",
        (_, None) => "sign in first",
        (Own, Some(_)) => "not allowed",
        (Least(least), Some(role)) => {
            if role.may(least) {
                "let in"
            } else {
                "not allowed"
            }
        }
    }
}

fn got(method: &str, page: &Page) -> &'static str {
    let to_sign_in = page.location.as_deref().is_some_and(|to| to.starts_with("/sign-in?") || to == "/sign-in");
    match page.status {
        303 if method == "GET" && to_sign_in => "sign in first",
        401 if page.text.contains("You are not signed in") => "sign in first",
        403 if ["This needs", "Only who"].iter().any(|words| page.text.contains(words)) => "not allowed",
        500.. => "trouble",
        _ => "let in",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_for_whom_it_is_meant() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    let mut wrong = Vec::new();
    for role in [None, Some(Role::Viewer), Some(Role::Responder), Some(Role::Commander), Some(Role::Admin)] {
        for (method, _, path, least) in ROUTES {
            let mut browser = match role {
                None => Browser::of(&world),
                Some(role) => Browser::signed_in(&world, None, Some(role)).await,
            };
            let path = path.replace("4821", &reference);
            let asked = async {
                match (*method, role) {
                    ("GET", _) => browser.get(&path).await,
                    (_, None) => browser.post(&path, &[]).await,
                    (_, Some(_)) => browser.act(&path, &[]).await,
                }
            };
            // A stream that begins has let in whoever listens.
            let patience = if path.ends_with("/live") { 2 } else { 60 };
            let answer = tokio::time::timeout(std::time::Duration::from_secs(patience), asked).await;
            let got = match &answer {
                Ok(page) => got(method, page),
                Err(_) if path.ends_with("/live") => "let in",
                Err(_) => "no answer",
            };
            if got != expected(*least, role) {
                wrong.push(format!("{method} {path} as {role:?}: {got}, not {}: {answer:?}", expected(*least, role)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.settle().await;
    world.finish();
}

#[test]
fn no_route_of_the_web_is_missing_in_the_table() {
    let listed: BTreeSet<&str> = ROUTES.iter().map(|(_, route, ..)| *route).collect();
    for text in [include_str!("../src/web/mod.rs"), include_str!("../src/access/web.rs")] {
        for route in text.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(listed.contains(route), "{route} is not in ROUTES");
        }
    }
}
