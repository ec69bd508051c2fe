//! The board tells the truth without being asked again, and says so when it cannot.

use serde_json::json;

use super::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_follows_without_a_reload_and_after_a_restart() {
    let mut house = House::open().await;
    let browser = house.visitor("anna").await;
    house.go(&browser, "/").await;
    browser.says("#live", "live").await;
    browser.says("#rest", "no p1 and no p2 is open").await;
    // Gone if the page is loaded anew.
    browser.script("window.same = true").await;

    let reference = house.report("P1", "Checkout is down").await;
    browser.says("#cards", &reference).await;
    browser.says("#cards", "nobody has it").await;
    house.post(&format!("/api/v1/incidents/{reference}/acknowledge"), json!({ "as": "ben" })).await;
    browser.says("#cards .holder", "ben okafor has it").await;

    house.stop().await;
    browser.says("#live", "not live since").await;
    house.restart().await;
    browser.until("document.getElementById('live').classList.contains('on')").await;
    house.post(&format!("/api/v1/incidents/{reference}/resolve"), json!({ "note": "over", "as": "ben" })).await;
    browser.says("#rest", "no p1 and no p2 is open").await;
    assert_eq!(browser.script("return window.same").await, true, "never loaded anew");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_being_written_stays_while_the_page_changes_around_it() {
    let house = House::open().await;
    let reference = house.report("P1", "Checkout is down").await;
    let browser = house.visitor("ben").await;
    house.go(&browser, &format!("/incidents/{reference}")).await;
    browser.says("#live", "live").await;
    browser.write("#text", "We are looking at").await;
    house.post(&format!("/api/v1/incidents/{reference}/acknowledge"), json!({ "as": "ben" })).await;
    browser.says("#timeline", "acknowledged by ben okafor").await;
    assert_eq!(browser.script("return document.getElementById('text').value").await, "We are looking at");
    assert_eq!(browser.script("return document.activeElement.id").await, "text");
}
