//! Everything is done with a keyboard alone; and whatever changes on a page, the focus and what was begun stay.

use ringdown::{access::password, oncall::roster};
use serde_json::{Value, json};

use super::{driver::Browser, house::House};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const SPACE: &str = " ";

/// More stops no page has.
const MOST_STOPS: usize = 200;

/// What has the focus; null when nothing has. `ring`: whether it is seen to have it.
const FOCUS: &str = "const e = document.activeElement; if (!e || e === document.body) return null; \
    const look = getComputedStyle(e), box = e.getBoundingClientRect(); \
    return { what: e.outerHTML.slice(0, 200), \
             ring: look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2 && look.opacity !== '0', \
             seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight }";

/// What has the focus, which is to be seen.
async fn focused(browser: &Browser) -> Option<Value> {
    let focus = browser.script(FOCUS).await;
    if focus.is_null() {
        return None;
    }
    assert!(focus["ring"] == true && focus["seen"] == true, "it cannot be seen that this has the focus: {focus}");
    Some(focus)
}

async fn is_at(browser: &Browser, css: &str) -> bool {
    browser.script(&format!("return document.activeElement.matches({})", json!(css))).await == true
}

/// Goes on with the Tab key until this has the focus; at each stop it is seen where one is.
async fn tab_to(browser: &Browser, css: &str) {
    browser.shows(css).await;
    let mut around = 0;
    for _ in 0..MOST_STOPS {
        browser.keys(TAB).await;
        // From the last one on it goes around, past the browser's own controls.
        around += usize::from(focused(browser).await.is_none());
        assert!(around <= 1, "nowhere on the way around: {css}\n{}", browser.text().await);
        if is_at(browser, css).await {
            return;
        }
    }
    panic!("not within {MOST_STOPS} stops: {css}\n{}", browser.text().await);
}

/// Past what stands on every page.
async fn skip(browser: &Browser) {
    browser.keys(TAB).await;
    assert!(is_at(browser, "a.skip").await, "the first stop leads past the menu: {:?}", focused(browser).await);
    assert!(focused(browser).await.is_some());
    browser.keys(ENTER).await;
    browser.until("document.activeElement.id === 'main'").await;
}

/// Keeps in mind what has the focus.
async fn remember(browser: &Browser) {
    browser.script("window.kept = document.activeElement").await;
}

/// Whether the same thing still has it.
async fn is_kept(browser: &Browser) -> bool {
    browser.script("return document.activeElement === window.kept && window.kept.isConnected").await == true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_without_a_mouse_signs_in_takes_the_worst_incident_tells_of_it_and_signs_out() {
    let house = House::open().await;
    let app = house.app();
    let hash = password::hash("correct horse battery").expect("a hash");
    let mut tx = app.db.begin().await.expect("the database");
    let set = password::store::set(&mut tx, "ben", &hash, None, Some("ben"), app.clock.now()).await;
    set.expect("the database");
    tx.commit().await.expect("the database");
    house.report("P2", "Invoices are slow").await;
    let worst = house.report("P1", "Checkout is down").await;

    let browser = Browser::open().await;
    browser.look(1280, false).await;
    house.go(&browser, "/").await;
    skip(&browser).await;
    tab_to(&browser, "#name").await;
    browser.keys("ben").await;
    tab_to(&browser, "#password").await;
    browser.keys("correct horse battery").await;
    browser.keys(ENTER).await;

    browser.says("#cards", &worst).await;
    skip(&browser).await;
    tab_to(&browser, "#cards a").await;
    assert!(is_at(&browser, &format!("a[href=\"/incidents/{worst}\"]")).await, "the worst comes first");
    browser.keys(ENTER).await;

    browser.says("h1", "Checkout is down").await;
    skip(&browser).await;
    tab_to(&browser, "form[action$=\"/acknowledge\"] button").await;
    browser.keys(ENTER).await;
    browser.says(".notice", "it is yours").await;

    skip(&browser).await;
    tab_to(&browser, "#text").await;
    browser.keys("We found the cause and are rolling back.").await;
    tab_to(&browser, "#update input[type=checkbox]").await;
    tab_to(&browser, "#update button.main").await;
    browser.keys(SPACE).await;
    browser.says(".notice", "posted").await;
    browser.says("#timeline", "We found the cause and are rolling back.").await;

    skip(&browser).await;
    tab_to(&browser, "#a-pass > summary").await;
    browser.keys(ENTER).await;
    browser.until("document.getElementById('a-pass').open").await;
    tab_to(&browser, "#a-pass button").await;
    tab_to(&browser, "#a-pass > summary").await;
    browser.keys(SPACE).await;
    browser.until("!document.getElementById('a-pass').open").await;
    assert!(is_at(&browser, "#a-pass > summary").await);
    tab_to(&browser, "form[action=\"/sign-out\"] button").await;
    browser.keys(ENTER).await;
    browser.says("h1", "sign in").await;
    let view = house.get(&format!("/api/v1/incidents/{worst}")).await;
    assert_eq!(view["holder"]["key"], "ben", "{view}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_around_it_takes_nobody_out_of_an_incident() {
    let house = House::open().await;
    let reference = house.report("P1", "Checkout is down").await;
    let act = async |act: &str, body: Value| {
        house.post(&format!("/api/v1/incidents/{reference}/{act}"), body).await;
    };
    let browser = house.visitor("ben").await;
    browser.look(1280, true).await;
    house.go(&browser, &format!("/incidents/{reference}")).await;
    browser.says("#live", "live").await;
    // Begun elsewhere on the page: an update, a fold with a field in it, and why somebody was paged.
    tab_to(&browser, "#text").await;
    browser.keys("We are looking at").await;
    for (fold, field) in [("#a-response", Some("#note")), ("#why-all", None)] {
        tab_to(&browser, &format!("{fold} > summary")).await;
        browser.keys(ENTER).await;
        if let Some(field) = field {
            tab_to(&browser, field).await;
            browser.keys("Spoke with Ms Ito").await;
        }
    }
    // What stays in a region that changes keeps the focus.
    tab_to(&browser, "#acts a[href^=\"tel:\"]").await;
    remember(&browser).await;
    act("acknowledge", json!({ "as": "carla" })).await;
    browser.says("#now", "carla mendes since").await;
    browser.until("!document.querySelector('#acts form[action$=\"/acknowledge\"]')").await;
    assert!(is_kept(&browser).await, "{:?}", focused(&browser).await);
    act("updates", json!({ "text": "A certificate ran out.", "as": "carla" })).await;
    browser.says("#timeline", "A certificate ran out.").await;
    assert!(is_kept(&browser).await && focused(&browser).await.is_some());
    let begun = "return [document.getElementById('text').value, document.getElementById('note').value, \
                 document.getElementById('a-response').open, document.getElementById('why-all').open]";
    let begun = browser.script(begun).await;
    assert_eq!(begun, json!(["We are looking at", "Spoke with Ms Ito", true, true]));

    // What goes away leaves it in its place, and no other control gets it.
    act("wait", json!({ "reason": "Which shop?", "as": "carla" })).await;
    tab_to(&browser, "#acts form[action$=\"/resume\"] button").await;
    act("resume", json!({ "as": "carla" })).await;
    browser.until("!document.querySelector('#acts form[action$=\"/resume\"]')").await;
    assert!(is_at(&browser, "#acts").await, "{:?}", focused(&browser).await);
    browser.keys(TAB).await;
    assert!(is_at(&browser, "#acts :is(a, button)").await, "{:?}", focused(&browser).await);
    assert!(browser.console().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_around_it_takes_nobody_off_the_board_or_out_of_a_phone() {
    let house = House::open().await;
    let first = house.report("P2", "Invoices are slow").await;
    let browser = house.visitor("ben").await;
    browser.look(1280, false).await;
    house.go(&browser, "/").await;
    browser.says("#live", "live").await;
    let link = format!("#cards a[href=\"/incidents/{first}\"]");
    tab_to(&browser, &link).await;
    remember(&browser).await;
    // Its own card changes, and another comes before it.
    house.post(&format!("/api/v1/incidents/{first}/acknowledge"), json!({ "as": "carla" })).await;
    browser.says("#cards .holder", "carla mendes has it").await;
    assert!(is_kept(&browser).await, "{:?}", focused(&browser).await);
    let second = house.report("P1", "Checkout is down").await;
    browser.says("#cards > li:first-child", &second).await;
    browser
        .until(&format!(
            "document.querySelector('#cards > li:last-child').contains(document.querySelector({}))",
            json!(link)
        ))
        .await;
    assert!(is_kept(&browser).await, "{:?}", focused(&browser).await);
    // Its card goes away.
    house.post(&format!("/api/v1/incidents/{first}/resolve"), json!({ "note": "over", "as": "carla" })).await;
    browser.until(&format!("!document.querySelector({})", json!(link))).await;
    assert!(is_at(&browser, "#cards").await, "{:?}", focused(&browser).await);
    assert!(focused(&browser).await.is_some());
    browser.keys(TAB).await;
    assert!(is_at(&browser, &format!("#cards a[href=\"/incidents/{second}\"]")).await);

    // A quiet phone in which somebody writes begins to ring: it is another card then, in another place.
    house.post(&format!("/api/v1/incidents/{second}/resolve"), json!({ "note": "over", "as": "ben" })).await;
    assert!(browser.console().await.is_empty());
    let browser = house.admin().await;
    browser.look(1280, false).await;
    house.go(&browser, "/handsets").await;
    browser.says("#live", "live").await;
    let phone = {
        let (config, now) = (house.app().config.load_full(), house.app().clock.now());
        let engineer = roster::on_call(&config.schedules["platform"], &[], now).expect("an engineer");
        let line = &config.people[&engineer].contact[0];
        line.address.as_str().trim_start_matches('+').to_owned()
    };
    tab_to(&browser, &format!("#p{phone}-more > summary")).await;
    browser.keys(ENTER).await;
    tab_to(&browser, &format!("#b-p{phone}")).await;
    browser.keys("I am on my w").await;
    remember(&browser).await;
    house
        .post(
            "/api/v1/incidents",
            json!({ "customer": "borealis", "priority": "P1", "title": "No ward can open a record",
        "contact": { "name": "Mara Ito", "number": "+12015550123" } }),
        )
        .await;
    browser.shows(&format!("#p{phone} .thread")).await;
    browser.until(&format!("!document.getElementById('p{phone}-more')")).await;
    browser.keys("ay").await;
    assert!(is_kept(&browser).await, "{:?}", focused(&browser).await);
    assert_eq!(browser.script("return document.activeElement.value").await, "I am on my way");
    assert!(browser.console().await.is_empty());
}
