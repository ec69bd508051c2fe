//! The worst hour of a customer's year, from the first ring to the record of it, all of it seen and done in a browser.

use super::{driver::Browser, house::House};

const BEN: &str = "[data-name=\"Ben Okafor\"]";
const CARLA: &str = "[data-name=\"Carla Mendes\"]";

/// What the hotline says, and then what the caller does.
async fn hears(desk: &Browser, words: &str) {
    desk.says("[data-call] .log", words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_calls_and_the_record_shows_what_was_kept_and_what_was_missed() {
    // A Wednesday, nine in the morning in New York: Ben is on call, Carla leads the team.
    let house = House::at("2026-11-18T14:00:00Z").await;
    let desk = house.admin().await;
    house.go(&desk, "/handsets").await;
    desk.says("#live", "live").await;
    desk.pick("#dial-from", "+12015550150").await;
    desk.pick("#dial-to", "+12015550190").await;
    desk.click("#dial").await;

    hears(&desk, "press 1 for: business stopped").await;
    desk.click("[data-call] .keypad button[value=\"1\"]").await;
    hears(&desk, "press 1 if that is right").await;
    desk.click("[data-call] .keypad button[value=\"1\"]").await;
    hears(&desk, "say your name").await;
    desk.write("[data-call] .say input[name=text]", "Ada Byron").await;
    desk.click("[data-call] .say button").await;
    hears(&desk, "say what is wrong").await;
    desk.write("[data-call] .say input[name=text]", "The checkout is down for all our customers.").await;
    desk.click("[data-call] .say button").await;

    // The engineer's phone goes to voicemail: nobody has answered.
    desk.click(&format!("{BEN} [data-rings] button[formaction$=\"/divert\"]")).await;
    // What stays is waited for: on a clock this fast a phone rings for less than half a second.
    house.speed.set(60.0);
    desk.shows(&format!("{CARLA} .thread a[href^=\"/a/\"]")).await;
    house.speed.set(1.0);
    let incidents = house.get("/api/v1/incidents?open=true").await;
    let reference = incidents["items"][0]["reference"].as_str().expect("an incident").to_owned();

    // The lead takes it, on the page that her text leads to, on a phone.
    let link = format!("return document.querySelector('{CARLA} .thread a[href^=\"/a/\"]').getAttribute('href')");
    let link = desk.script(&link).await.as_str().expect("a link").to_owned();
    let phone = Browser::open().await;
    phone.look(390, true).await;
    house.go(&phone, &link).await;
    phone.says("#trouble", "business stopped, told by phone").await;
    phone.click("#take").await;
    phone.says("#stand", "it is yours").await;

    // She tells the customer, from the page of the incident.
    let lead = house.visitor("carla").await;
    house.go(&lead, &format!("/incidents/{reference}")).await;
    lead.says("#now", "carla mendes since").await;
    lead.unfold("#a-response").await;
    lead.write("#note", "Spoke with Ada: nobody can pay.").await;
    lead.click("#a-response button").await;
    lead.write("#text", "We found it: a certificate ran out. A new one is on its way.").await;
    lead.click("#update button.main").await;
    lead.says("#now .windows .given", "1").await;

    // Then nobody says anything for more than an hour: the second window is missed, and that climbs.
    house.speed.set(600.0);
    lead.shows("#now .windows .missed").await;
    lead.says("#timeline", "update 2, due by").await;
    lead.says("#timeline", "paged (an update was missed)").await;
    house.speed.set(1.0);

    lead.unfold("#a-resolve").await;
    lead.write("#resolution", "The new certificate is in place.").await;
    lead.click("#a-resolve button").await;
    lead.says(".notice", "resolved").await;

    house.go(&lead, "/compliance").await;
    lead.says(".report", &reference).await;
    lead.says(".report", "progress update 2 missed").await;
    lead.click(".report a[href^=\"/incidents/inc_\"]").await;
    lead.unfold("#proof-all").await;
    lead.says("#proof", "update 2").await;
    assert!(desk.console().await.iter().chain(&lead.console().await).next().is_none(), "no errors on the way");
}
