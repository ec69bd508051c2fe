//! The pages that are seldom seen, and then by somebody in a hurry: codes, links that are used up, refusals, and what
//! only a form leads to.

use ringdown::access::{Role, session::Who};
use serde_json::json;

use super::{
    accessible::{look_at, look_here},
    driver::Browser,
    house::House,
    issuer::Issuer,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_on_the_way_in_are_for_everybody() {
    let issuer = Issuer::start(ringdown::clock::Clock::system(), "stranger@example.com").await;
    let house = House::with(chrono::Utc::now(), |settings| settings.oidc = Some(issuer.settings())).await;
    issuer.serves(&house.url);
    let browser = Browser::open().await;
    let mut wrong = look_at(&house, &browser, "/sign-in?next=/oncall", "sign-in-oidc").await;
    browser.write("#who", "ben").await;
    browser.click("form[action=\"/sign-in/code\"] button").await;
    browser.shows("#code").await;
    wrong.extend(look_here(&house, &browser, "sign-in-code").await);
    browser.write("#code", "000000").await;
    browser.click("main button.main").await;
    browser.says("[role=alert]", "not the code").await;
    wrong.extend(look_here(&house, &browser, "sign-in-code-wrong").await);
    house.go(&browser, "/sign-in/oidc").await;
    browser.says("[role=alert]", "stranger@example.com").await;
    wrong.extend(look_here(&house, &browser, "sign-in-oidc-stranger").await);
    wrong.extend(look_at(&house, &browser, "/sign-in/oidc/callback?state=x&code=y", "sign-in-oidc-late").await);
    let link = house.link("ben").await;
    let link = link.strip_prefix(&house.url).expect("a link of this house");
    wrong.extend(look_at(&house, &browser, link, "sign-in-link").await);
    browser.click("main button.main").await;
    browser.says(".me", "ben okafor").await;
    wrong.extend(look_at(&house, &browser, link, "sign-in-link-used").await);
    let other = house.visitor("ben").await;
    house.go(&other, "/").await;
    wrong.extend(look_at(&house, &browser, "/sign-in/sessions", "sessions-two").await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_that_only_a_form_leads_to_are_for_everybody() {
    let house = House::with(chrono::Utc::now(), |settings| {
        // A plan that promises an analysis of the cause.
        let file = settings.schedules.join("customers.toml");
        let customers = std::fs::read_to_string(&file).expect("the customers");
        std::fs::write(file, customers.replacen("plan = \"standard\"", "plan = \"synchronet-click\"", 1))
            .expect("a file");
    })
    .await;
    let mut wrong = Vec::new();
    let closed = house.report("P1", "Checkout is down for all shops in Europe").await;
    for (act, body) in [
        ("acknowledge", json!({ "as": "ben" })),
        ("updates", json!({ "text": "We found it: a certificate ran out.", "as": "ben" })),
        ("resolve", json!({ "note": "The new certificate is in place.", "as": "ben" })),
    ] {
        house.post(&format!("/api/v1/incidents/{closed}/{act}"), body).await;
    }
    let ben = house.visitor("ben").await;
    house.go(&ben, &format!("/incidents/{closed}")).await;
    ben.unfold("#a-rca").await;
    wrong.extend(look_here(&house, &ben, "incident-closed-rca").await);

    let open = house.report("P1", "Invoices are slow").await;
    house.go(&ben, &format!("/incidents/{open}")).await;
    ben.write("#text", "We look into it with the bank.").await;
    ben.click("button[formaction$=\"/preview\"]").await;
    ben.shows("#preview").await;
    // It goes on to be live, and what is previewed stays.
    house.post(&format!("/api/v1/incidents/{open}/acknowledge"), json!({ "as": "carla" })).await;
    ben.says("#now", "carla mendes since").await;
    ben.says("#live", "live").await;
    ben.says("#preview", "the customer gets").await;
    assert_eq!(ben.script("return document.getElementById('live').className").await, "live on");
    for fold in ["#a-response", "#a-escalate", "#a-help", "#a-wait", "#why-all", "#proof-all"] {
        ben.unfold(fold).await;
    }
    wrong.extend(look_here(&house, &ben, "incident-preview").await);

    house.go(&ben, "/oncall").await;
    ben.unfold("[id^=shifts-]").await;
    wrong.extend(look_here(&house, &ben, "oncall-shifts").await);
    ben.click("#feeds form button").await;
    ben.shows("#made").await;
    wrong.extend(look_here(&house, &ben, "oncall-feed").await);

    house.go(&ben, "/people/ben").await;
    ben.click("#prove-mobile-sms").await;
    ben.until("document.activeElement.id === 'digits'").await;
    wrong.extend(look_here(&house, &ben, "person-code").await);
    ben.write("#digits", "000000").await;
    ben.click("#code button.main").await;
    ben.shows("#wrong").await;
    wrong.extend(look_here(&house, &ben, "person-code-wrong").await);

    let payload = json!({ "action": "trigger", "dedup_key": "disk-1", "severity": "error",
        "title": "The disk of db-3 is full", "detail": "97 % of 2 TB, and 1 % more each hour since two." });
    house.post("/intake/generic/example-generic-key", payload).await;
    let admin = house.admin().await;
    house.go(&admin, "/intake").await;
    let path =
        admin.script("return document.querySelector('a[href^=\"/intake/payloads/\"]').getAttribute('href')").await;
    wrong.extend(look_at(&house, &admin, path.as_str().expect("a payload"), "intake-payload").await);
    house.go(&admin, "/intake").await;
    admin.unfold("#i-alertmanager").await;
    admin.click("#show-alertmanager").await;
    admin.shows("#i-alertmanager[open] pre").await;
    wrong.extend(look_here(&house, &admin, "intake-keys").await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_what_to_do_and_is_for_everybody() {
    let house = House::open().await;
    let reference = house.report("P1", "Checkout is down").await;
    let incident = format!("/incidents/{reference}");
    let ben = house.visitor("ben").await;
    let mut wrong = look_at(&house, &ben, "/nowhere", "refused-no-page").await;
    ben.says("h1", "no such").await;
    wrong.extend(look_at(&house, &ben, "/incidents/9999", "refused-no-incident").await);
    // The address of an act, asked for by itself, leads to the incident and does nothing.
    house.go(&ben, &format!("{incident}/acknowledge")).await;
    ben.says("h1", &reference).await;
    ben.says("#now", "nobody").await;
    wrong.extend(look_at(&house, &ben, "/oncall/take", "refused-not-by-get").await);
    wrong.extend(look_at(&house, &ben, "/intake", "refused-role").await);
    ben.says("main", "needs the role admin; yours is responder").await;
    wrong.extend(look_at(&house, &ben, "/s/4821aaaaaaaaaaaaaaaa", "status-gone").await);

    // Nothing in it.
    house.go(&ben, &incident).await;
    ben.script("document.getElementById('update').submit()").await;
    ben.says("main", "text").await;
    wrong.extend(look_here(&house, &ben, "refused-fields").await);
    // A page of before.
    house.go(&ben, &incident).await;
    ben.script("document.querySelector('#update [name=csrf]').value = 'x'").await;
    ben.write("#text", "We look into it.").await;
    ben.click("#update button.main").await;
    ben.says("main", "too old").await;
    wrong.extend(look_here(&house, &ben, "refused-old-form").await);
    // Somebody else was faster.
    ben.scripts(false).await;
    house.go(&ben, &incident).await;
    house.post(&format!("/api/v1{incident}/resolve"), json!({ "note": "over", "as": "carla" })).await;
    ben.unfold("#a-resolve").await;
    ben.click("#a-resolve button").await;
    ben.scripts(true).await;
    ben.says("main", "nothing was changed").await;
    wrong.extend(look_here(&house, &ben, "refused-too-late").await);
    // Signed out meanwhile.
    house.go(&ben, "/oncall").await;
    ben.forget().await;
    ben.click("#feeds form button").await;
    ben.says("h1", "sign in first").await;
    wrong.extend(look_here(&house, &ben, "refused-signed-out").await);
    let viewer = house.someone(Who { name: "Auditor".into(), role: Some(Role::Viewer), ..Who::default() }).await;
    wrong.extend(look_at(&house, &viewer, &incident, "incident-viewer").await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
