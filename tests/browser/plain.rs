//! Every act works without a script.

use super::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_taken_told_about_and_resolved_without_javascript() {
    let house = House::open().await;
    let reference = house.report("P1", "Checkout is down").await;
    let browser = house.visitor("ben").await;
    browser.scripts(false).await;
    house.go(&browser, "/").await;
    browser.click(&format!("a[href=\"/incidents/{reference}\"]")).await;
    browser.click("form[action$=\"/acknowledge\"] button").await;
    browser.says(".notice", "it is yours").await;
    browser.says("#live", "not live").await;

    browser.write("#text", "We found the cause and are rolling back.").await;
    browser.click("button[formaction$=\"/preview\"]").await;
    browser.says("#preview", "the customer gets").await;
    browser.says("#preview", &format!("{reference}: We found the cause")).await;
    browser.click("#update button.main").await;
    browser.says(".notice", "posted").await;
    browser.says("#timeline", "update by ben okafor").await;

    browser.unfold("#a-response").await;
    browser.write("#note", "Spoke with Ms Ito; their shops are up again.").await;
    browser.click("#a-response button").await;
    browser.says("#now", "made by ben okafor").await;

    browser.unfold("#a-resolve").await;
    browser.write("#resolution", "Rolled back.").await;
    browser.click("#a-resolve button").await;
    browser.says(".notice", "resolved").await;
    let view = house.get(&format!("/api/v1/incidents/{reference}")).await;
    assert_eq!(view["phase"], "resolved", "{view}");
}
