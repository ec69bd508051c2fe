//! The pictures of the README: `docs/pictures.sh` makes them anew.

use std::time::Duration;

use serde_json::json;

use super::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_in_a_bad_night_and_the_page_that_a_text_leads_to() {
    // Eight in the evening in New York, when nobody expects it.
    let house = House::at("2026-11-19T01:00:00Z").await;
    let act = async |reference: &str, act: &str, body: serde_json::Value| {
        house.post(&format!("/api/v1/incidents/{reference}/{act}"), body).await;
    };
    let first = house.report("P1", "Checkout is down for all shops in Europe").await;
    act(&first, "acknowledge", json!({ "as": "ben" })).await;
    let note = json!({ "kind": "attested", "note": "Spoke with Ms Ito: nobody can pay." });
    act(&first, "response", json!({ "evidence": note, "as": "ben" })).await;
    act(&first, "updates", json!({ "text": "We found it: a certificate ran out.", "as": "ben" })).await;
    house.until_past(&first, 1).await;
    act(&first, "updates", json!({ "text": "The new certificate is on half of the machines.", "as": "ben" })).await;
    house.until_past(&first, 2).await;
    house.behave("12015550102", json!({ "behaviour": "voicemail" })).await;
    house.behave("12015550103", json!({ "behaviour": "voicemail" })).await;
    let second = house.report_of("borealis", "P1", "No ward can open a patient's record").await;
    let third = house.report("P2", "Exports take ten minutes").await;
    house.speed.set(60.0);
    tokio::time::sleep(Duration::from_secs(4)).await;
    house.speed.set(1.0);
    act(&third, "acknowledge", json!({ "as": "carla" })).await;

    let browser = house.visitor("carla").await;
    browser.look(1280, false).await;
    house.go(&browser, "/").await;
    browser.says("#live", "live").await;
    for reference in [&first, &second, &third] {
        browser.says("#cards", reference).await;
    }
    browser.picture(&House::pictures().join("readme-board.png")).await;

    let link = house.page_link(&second).await;
    let phone = super::driver::Browser::open().await;
    phone.look(390, true).await;
    house.go(&phone, &link).await;
    phone.shows("#take").await;
    phone.picture(&House::pictures().join("readme-acknowledge.png")).await;
}
