//! Every page, at three widths, light and dark: nobody is shut out, nothing is fetched from elsewhere, nothing is heavy.

use serde_json::{Value, json};

use super::{driver::Browser, house::House};

const AXE: &str = include_str!("axe.min.js");

/// A phone, a laptop, a wall.
const WIDTHS: [u32; 3] = [390, 1280, 1920];

/// The most bytes that a page may need with all that it fetches.
const HEAVIEST: f64 = 150_000.0;

/// Looks at the page of a path in every way, and tells what is wrong.
pub async fn look_at(house: &House, browser: &Browser, path: &str, name: &str) -> Vec<String> {
    look(house, browser, Some(path), name).await
}

/// The same for the page that the browser shows, which may be one that only a form leads to, with parts unfolded.
pub async fn look_here(house: &House, browser: &Browser, name: &str) -> Vec<String> {
    look(house, browser, None, name).await
}

async fn look(house: &House, browser: &Browser, to: Option<&str>, name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let path = to.unwrap_or(name);
    for dark in [false, true] {
        for width in WIDTHS {
            let scheme = if dark { "dark" } else { "light" };
            let at = format!("{path} at {width}, {scheme}");
            browser.look(width, dark).await;
            if let Some(path) = to {
                house.go(browser, path).await;
            }
            browser.until("document.fonts.status === 'loaded'").await;
            let wider = browser.script("return document.documentElement.scrollWidth - window.innerWidth").await;
            if wider.as_f64().unwrap_or_default() > 0.0 {
                wrong.push(format!("{at}: {wider} pixels wider than the window"));
            }
            wrong.extend(violations(browser).await.into_iter().map(|words| format!("{at}: {words}")));
            let console = browser.console().await;
            // A refusal is told by the console too.
            let console = console.into_iter().filter(|words| !words.contains("the server responded with a status of"));
            wrong.extend(console.map(|words| format!("{at}: the console says {words}")));
            browser.picture(&House::pictures().join(format!("{name}-{width}-{scheme}.png"))).await;
        }
    }
    let fetched = "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]; \
                   return { bytes: all.reduce((sum, one) => sum + one.encodedBodySize, 0), \
                            hosts: [...new Set(all.map(one => new URL(one.name).host))] }";
    let fetched = browser.script(fetched).await;
    if fetched["bytes"].as_f64().unwrap_or(f64::MAX) > HEAVIEST {
        wrong.push(format!("{path}: {} bytes", fetched["bytes"]));
    }
    let own = house.url.trim_start_matches("http://");
    if fetched["hosts"] != json!([own]) {
        wrong.push(format!("{path}: fetches from {}", fetched["hosts"]));
    }
    wrong
}

/// What axe finds that is serious or critical.
async fn violations(browser: &Browser) -> Vec<String> {
    // The page's own policy forbids it to run; the driver may.
    browser.script(AXE).await;
    let run = "const done = arguments[arguments.length - 1]; \
               axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }) \
                  .then(found => done(found.violations), error => done([{ id: String(error), impact: 'critical', nodes: [] }]))";
    let found = browser.slow_script(run).await;
    let serious = |one: &&Value| ["serious", "critical"].contains(&one["impact"].as_str().unwrap_or_default());
    let told = |one: &Value| {
        let nodes = one["nodes"].as_array().into_iter().flatten().take(3);
        let nodes: Vec<String> =
            nodes.map(|node| node["html"].as_str().unwrap_or_default().chars().take(160).collect()).collect();
        format!("{} ({}): {}", one["id"], one["help"], nodes.join(" | "))
    };
    found.as_array().into_iter().flatten().filter(serious).map(told).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_for_everybody_at_each_width_in_both_schemes() {
    let house = House::open().await;
    let first = house.report("P1", "Checkout is down for all shops in Europe").await;
    house.report("P2", "Invoices are slow").await;
    house.post(&format!("/api/v1/incidents/{first}/acknowledge"), json!({ "as": "ben" })).await;
    let update = json!({ "text": "We found the cause and are rolling back.", "as": "ben" });
    house.post(&format!("/api/v1/incidents/{first}/updates"), update).await;
    let closed = house.report("P2", "Exports time out").await;
    house.post(&format!("/api/v1/incidents/{closed}/resolve"), json!({ "note": "a disk was full", "as": "ben" })).await;
    let browser = house.admin().await;
    let mut wrong = Vec::new();
    let open = format!("/incidents/{first}");
    let over = format!("/incidents/{closed}");
    let pages = [
        ("/", "board"),
        ("/?wall=1", "wall"),
        ("/incidents", "incidents"),
        (&open, "incident"),
        (&over, "incident-closed"),
        ("/oncall", "oncall"),
        ("/compliance", "compliance"),
        ("/handsets", "handsets"),
        ("/intake", "intake"),
        ("/audit", "audit"),
        ("/sign-in/sessions", "sessions"),
    ];
    for (path, name) in pages {
        wrong.extend(look_at(&house, &browser, path, name).await);
    }
    browser.forget().await;
    wrong.extend(look_at(&house, &browser, "/sign-in", "sign-in").await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
