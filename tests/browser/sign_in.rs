//! Each way to sign in, as a person does it.

use ringdown::access::{Role, password};

use super::{driver::Browser, house::House, issuer::Issuer};

/// The digits of the newest text to a phone.
async fn digits(house: &House, number: &str) -> String {
    for _ in 0..200 {
        let phone = house.get(&format!("/handsets/phones/{number}")).await;
        let texts = phone["texts"].as_array().cloned().unwrap_or_default();
        let mut bodies = texts.iter().filter_map(|text| text["body"].as_str());
        if let Some(code) = bodies.rfind(|body| body.contains("code")) {
            return code.chars().filter(char::is_ascii_digit).take(6).collect();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no code came to {number}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_code_to_ones_own_phone() {
    let house = House::open().await;
    let browser = Browser::open().await;
    house.go(&browser, "/oncall").await;
    browser.says("h1", "sign in").await;
    browser.write("#who", "+12015550101").await;
    browser.click("form[action=\"/sign-in/code\"] button").await;
    browser.shows("#code").await;
    browser.write("#code", "000000").await;
    browser.click("main button.main").await;
    browser.says("[role=alert]", "not the code").await;
    browser.write("#code", &digits(&house, "12015550101").await).await;
    browser.click("main button.main").await;
    browser.says("h1", "on call").await;
    browser.says(".me", "anna reyes").await;
    browser.click("form[action=\"/sign-out\"] button").await;
    browser.says("h1", "sign in").await;
    house.go(&browser, "/").await;
    browser.says("h1", "sign in").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_password_and_with_a_link_that_works_once() {
    let house = House::open().await;
    let app = house.app();
    let hash = password::hash("correct horse battery").expect("a hash");
    let mut tx = app.db.begin().await.expect("the database");
    let set = password::store::set(&mut tx, "admin", &hash, Some(Role::Admin), None, app.clock.now()).await;
    set.expect("the database");
    tx.commit().await.expect("the database");
    let browser = Browser::open().await;
    house.go(&browser, "/audit").await;
    browser.write("#name", "admin").await;
    browser.write("#password", "incorrect horse").await;
    browser.click("form[action=\"/sign-in/password\"] button").await;
    browser.shows("[role=alert]").await;
    browser.write("#name", "admin").await;
    browser.write("#password", "correct horse battery").await;
    browser.click("form[action=\"/sign-in/password\"] button").await;
    browser.says("h1", "audit").await;

    let link = house.link("ben").await;
    let other = Browser::open().await;
    other.go(&link).await;
    other.click("main button.main").await;
    other.says(".me", "ben okafor").await;
    other.forget().await;
    other.go(&link).await;
    other.says("[role=alert]", "used before").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_openid_connect_at_an_issuer() {
    let issuer = Issuer::start(ringdown::clock::Clock::system(), "anna@example.com").await;
    let house = House::with(chrono::Utc::now(), |settings| {
        settings.oidc = Some(issuer.settings());
        let file = settings.schedules.join("people.toml");
        let people = std::fs::read_to_string(&file).expect("the people");
        let with_mail =
            people.replacen("name = \"Anna Reyes\"", "name = \"Anna Reyes\"\nmail = \"anna@example.com\"", 1);
        std::fs::write(file, with_mail).expect("the people");
    })
    .await;
    issuer.serves(&house.url);
    let browser = Browser::open().await;
    house.go(&browser, "/compliance").await;
    browser.click("a[href^=\"/sign-in/oidc\"]").await;
    browser.says(".me", "anna reyes").await;
    assert!(browser.url().await.ends_with("/compliance"), "{}", browser.url().await);
    browser.forget().await;
    issuer.knows("stranger@example.com");
    house.go(&browser, "/compliance").await;
    browser.click("a[href^=\"/sign-in/oidc\"]").await;
    browser.says("[role=alert]", "stranger@example.com").await;
    assert!(issuer.violations().is_empty(), "{:?}", issuer.violations());
}
