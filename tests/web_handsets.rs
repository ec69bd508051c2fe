//! The page of the built-in handsets, over real HTTP: who may see it, and what a visitor does with its forms.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use ringdown::{
    access::Role,
    clock::Clock,
    config,
    server::{
        boot::{self, Running},
        settings::{Settings, WatchSettings},
    },
};
use tempfile::TempDir;

use crate::world::Browser;

const ACME: &str = "12015550150";
const HOTLINE: &str = "+12015550190";

/// The example world with its handsets, on a clock that can be made faster.
struct House {
    running: Running,
    _folder: TempDir,
}

impl House {
    async fn open() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let schedules = folder.path().join("schedules");
        config::write_example(&schedules).expect("the example");
        let settings = Settings {
            listen: "127.0.0.1:0".parse().expect("an address"),
            public_url: "http://127.0.0.1:0".into(),
            database: crate::DATABASE.address(folder.path()).await,
            schedules,
            token_secret: Some("only the tests sign with this secret".into()),
            watch: WatchSettings { heartbeat: None, ..WatchSettings::default() },
            lease: TimeDelta::minutes(5),
            ..Settings::default()
        };
        let (clock, _) = Clock::scaled(Utc::now(), 20.0);
        let running = boot::start(settings, clock).await.expect("the server starts");
        House { running, _folder: folder }
    }

    fn stranger(&self) -> Browser {
        let base = format!("http://{}", self.running.address);
        Browser::at(base.clone(), &base)
    }

    async fn visitor(&self, role: Role) -> Browser {
        let mut browser = self.stranger();
        browser.enter(&self.running.app, None, Some(role)).await;
        browser
    }
}

/// Until the page shows it, and the page.
async fn sees(visitor: &mut Browser, what: &str, so: impl Fn(&str) -> bool) -> String {
    let begun = Instant::now();
    loop {
        let page = visitor.get("/handsets").await.text;
        if so(&page) {
            return page;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}\n{page}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// The path of the first form that does this on a call of that phone.
fn act(page: &str, phone: &str, act: &str) -> Option<String> {
    let card = page.split_once(&format!("id=\"p{phone}\""))?.1;
    let card = card.split("<li class=\"phone").next()?;
    let end = card.find(&format!("/{act}\""))?;
    let from = card[..end].rfind("action=\"")? + "action=\"".len();
    Some(format!("{}/{act}", &card[from..end]))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_administrator_comes_near_the_phones() {
    let house = House::open().await;
    let answer = house.stranger().get("/handsets").await;
    assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/sign-in?next=%2Fhandsets")));
    let mut viewer = house.visitor(Role::Viewer).await;
    assert_eq!(viewer.get("/handsets").await.status, 403);
    assert_eq!(viewer.get("/handsets/live").await.status, 403);
    // Everybody's one-time codes are on the phones.
    assert_eq!(house.visitor(Role::Commander).await.get("/handsets").await.status, 403);
    let mut admin = house.visitor(Role::Admin).await;
    assert_eq!(admin.get("/handsets").await.status, 200);
    let dial = [("from", ACME), ("to", HOTLINE), ("csrf", "x")];
    assert_eq!(admin.post("/handsets/dial", &dial).await.status, 403, "a forged form");
    assert_eq!(admin.act("/handsets/call/call_x/answer", &[]).await.status, 404);
    assert_eq!(admin.act("/handsets/call/call_x/dance", &[]).await.status, 404);
    assert_eq!(admin.act("/handsets/clock", &[("rate", "1e9")]).await.status, 422);
    house.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_dials_the_engineers_phone_rings_and_four_takes_it() {
    let house = House::open().await;
    let mut visitor = house.visitor(Role::Admin).await;
    let answer = visitor.act("/handsets/dial", &[("from", ACME), ("to", HOTLINE)]).await;
    assert_eq!(answer.location.as_deref(), Some("/handsets#p12015550150"), "{}", answer.text);
    let page =
        sees(&mut visitor, "the voice asks", |page| page.contains("Press 1 for: ") && page.contains("waits for keys"))
            .await;
    let press = act(&page, ACME, "press").expect("a keypad");
    assert_eq!(visitor.act(&press, &[("keys", "1")]).await.status, 303);
    let page = sees(&mut visitor, "a phone rings", |page| page.contains("data-rings")).await;
    assert!(page.contains("nobody has it") && page.contains("class=\"number now\" id=\"n2\""));
    let ringing = page.split("<li class=\"phone person ringing\" id=\"p").nth(1).expect("a phone").split('"').next();
    let ringing = ringing.expect("a number").to_owned();
    let answer = act(&page, &ringing, "answer").expect("a button");
    assert_eq!(visitor.act(&answer, &[]).await.status, 303);
    let page = sees(&mut visitor, "the question", |page| page.contains("Press 4 to acknowledge")).await;
    let press = act(&page, &ringing, "press").expect("a keypad");
    // Somebody who is quick hears a refusal, not a crash.
    assert!([303, 409].contains(&visitor.act(&press, &[("keys", "4")]).await.status));
    let page = sees(&mut visitor, "it is taken", |page| page.contains(" has it</span>")).await;
    assert!(page.contains("class=\"number done\" id=\"n3\"") || page.contains("class=\"number now\" id=\"n3\""));
    house.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_behaviours_and_the_clock_are_forms_and_what_was_written_is_text() {
    let house = House::open().await;
    let mut visitor = house.visitor(Role::Admin).await;
    let hostile = "<script>alert(1)</script>\"'><img src=x>";
    let sms = visitor.act("/handsets/phone/12015550101/sms", &[("to", "+12015550199"), ("body", hostile)]).await;
    assert_eq!((sms.status, sms.location.as_deref()), (303, Some("/handsets#p12015550101")));
    let page = visitor.get("/handsets").await.text;
    assert!(!page.contains("<script>alert") && page.contains("&#60;script&#62;alert(1)"), "it is not escaped");
    let behave = "/handsets/phone/12015550101/behaviour";
    assert_eq!(visitor.act(behave, &[("behaviour", "voicemail"), ("key", "4")]).await.status, 303);
    assert!(visitor.get("/handsets").await.text.contains("it goes to voicemail"));
    assert_eq!(visitor.act(behave, &[("behaviour", "answers_and_presses"), ("key", "x")]).await.status, 422);
    assert_eq!(visitor.act(behave, &[("behaviour", "sings")]).await.status, 422);
    assert!(visitor.get("/handsets").await.text.contains("data-rate=\"20\""));
    assert_eq!(visitor.act("/handsets/clock", &[("rate", "60")]).await.status, 303);
    assert!(visitor.get("/handsets").await.text.contains("value=\"60\" aria-pressed=\"true\""));
    house.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_told_when_a_phone_rings() {
    let house = House::open().await;
    let mut visitor = house.visitor(Role::Admin).await;
    let mut stream = visitor.stream("/handsets/live").await;
    visitor.act("/handsets/phone/12015550101/behaviour", &[("behaviour", "busy")]).await;
    let mut heard = String::new();
    while !heard.contains("event: change") {
        let chunk = tokio::time::timeout(Duration::from_secs(10), stream.chunk()).await.expect("it is told");
        heard += &String::from_utf8_lossy(&chunk.expect("a chunk").expect("more"));
    }
    // An event without data is not told to a page.
    for event in heard.split("\n\n").filter(|event| event.contains("event: ")) {
        assert!(event.lines().any(|line| line.starts_with("data: ") && line.len() > 6), "{event}");
    }
    drop(stream);
    house.running.stop().await;
}
