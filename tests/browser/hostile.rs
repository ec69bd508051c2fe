//! Whatever a caller, a customer or a payload says is text.

use serde_json::json;

use super::house::House;

/// Things that were code somewhere.
const PAYLOADS: [&str; 50] = [
    "<script>window.hit=1</script>",
    "</script><script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    "<svg onload=window.hit=1>",
    "<svg><script>window.hit=1</script></svg>",
    "\"><script>window.hit=1</script>",
    "'><script>window.hit=1</script>",
    "\" onmouseover=\"window.hit=1",
    "' onfocus='window.hit=1' autofocus='",
    "<iframe src=javascript:parent.hit=1></iframe>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    "<a href=\"javascript:window.hit=1\">x</a>",
    "<body onload=window.hit=1>",
    "<input autofocus onfocus=window.hit=1>",
    "<details open ontoggle=window.hit=1>",
    "<video><source onerror=window.hit=1></video>",
    "<audio src=x onerror=window.hit=1>",
    "<math href=\"javascript:window.hit=1\">x</math>",
    "<object data=\"javascript:window.hit=1\">",
    "<embed src=\"javascript:window.hit=1\">",
    "<form action=\"javascript:window.hit=1\"><button>x</button></form>",
    "<button formaction=javascript:window.hit=1>x</button>",
    "<meta http-equiv=refresh content=\"0;url=javascript:window.hit=1\">",
    "<base href=\"//evil.example/\">",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'</style>",
    "<style>body{display:none}</style>",
    "<!--<script>window.hit=1</script>-->",
    "--><script>window.hit=1</script>",
    "<![CDATA[<script>window.hit=1</script>]]>",
    "<template><script>window.hit=1</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror=window.hit=1>\">",
    "<title></title><script>window.hit=1</script>",
    "<textarea></textarea><script>window.hit=1</script>",
    "</textarea><script>window.hit=1</script>",
    "</title><script>window.hit=1</script>",
    "<xmp><script>window.hit=1</script></xmp>",
    "<scr<script>ipt>window.hit=1</scr</script>ipt>",
    "<SCRIPT>window.hit=1</SCRIPT>",
    "<script src=data:,window.hit=1></script>",
    "<script src=//evil.example/x.js></script>",
    "&lt;script&gt;window.hit=1&lt;/script&gt;",
    "&#60;script&#62;window.hit=1&#60;/script&#62;",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    "{% include \"/etc/passwd\" %}",
    "javascript:window.hit=1",
    "data:text/html,<script>window.hit=1</script>",
    "\u{202e}txet lacirt",
    "<marquee onstart=window.hit=1>x</marquee>",
    "<div style=\"position:fixed;inset:0;background:red\">x</div>",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_hostile_payloads_are_text_as_title_as_name_and_as_update() {
    let house = House::open().await;
    let mut references = Vec::new();
    for payload in PAYLOADS {
        let body = json!({ "customer": "acme", "priority": "P2", "title": payload, "detail": payload,
            "contact": { "name": payload } });
        let made = house.post("/api/v1/incidents", body).await;
        let reference = made["reference"].as_str().expect("a reference").to_owned();
        let update = json!({ "text": format!("{payload} {reference}"), "as": "ben" });
        house.post(&format!("/api/v1/incidents/{reference}/updates"), update).await;
        references.push(reference);
    }
    let browser = house.admin().await;
    house.go(&browser, "/").await;
    browser.says("#live", "live").await;
    let titles = browser.script("return [...document.querySelectorAll('.card .title')].map(e => e.textContent)").await;
    for payload in PAYLOADS {
        assert!(titles.as_array().expect("a list").iter().any(|title| title == payload), "{payload} is no text");
    }
    for (payload, reference) in PAYLOADS.iter().zip(&references) {
        house.go(&browser, &format!("/incidents/{reference}")).await;
        let seen = browser.script("return [document.querySelector('h1').textContent, document.body.textContent]").await;
        assert_eq!(seen[0], format!("{reference} · {payload}"));
        assert!(seen[1].as_str().expect("text").contains(&format!("{payload} {reference}")), "{payload} as an update");
        assert_eq!(browser.script("return window.hit ?? null").await, serde_json::Value::Null, "{payload} ran");
    }
    for page in ["/incidents", "/compliance"] {
        house.go(&browser, page).await;
        assert_eq!(browser.script("return window.hit ?? null").await, serde_json::Value::Null, "{page}");
    }
    let console = browser.console().await;
    assert!(console.is_empty(), "nothing even tried: {console:?}");
}
