//! A service for a browser: the real server in this process with the built-in handsets, the example's people, and a
//! clock that runs as fast as a test wants.

use std::{net::TcpListener, path::PathBuf, time::Duration};

use chrono::{TimeDelta, Utc};
use ringdown::{
    access::{
        self, Role, grant,
        session::{self, From, How, Who},
    },
    clock::{Clock, Speed, Time},
    config,
    server::{
        App,
        boot::{self, Running},
        settings::{Settings, WatchSettings},
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::driver::Browser;

/// A service.
pub struct House {
    pub url: String,
    pub token: String,
    settings: Settings,
    clock: Clock,
    /// How fast its clock runs.
    pub speed: Speed,
    running: Option<Running>,
    http: reqwest::Client,
    _folder: TempDir,
}

impl House {
    /// With the example's people, at the present instant.
    pub async fn open() -> House {
        House::with(Utc::now(), |_| {}).await
    }

    /// From an instant on.
    pub async fn at(instant: &str) -> House {
        House::with(instant.parse().expect("an instant"), |_| {}).await
    }

    /// With settings of its own.
    pub async fn with(start: Time, change: impl FnOnce(&mut Settings)) -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let schedules = folder.path().join("schedules");
        config::write_example(&schedules).expect("the example");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
        let mut settings = Settings {
            listen: free,
            public_url: format!("http://{free}"),
            database: format!("sqlite:{}", folder.path().join("ringdown.db").display()),
            schedules,
            watch: WatchSettings { heartbeat: None, ..WatchSettings::default() },
            lease: TimeDelta::minutes(5),
            ..Settings::default()
        };
        change(&mut settings);
        let (clock, speed) = Clock::scaled(start, 1.0);
        let running = boot::start(settings.clone(), clock.clone()).await.expect("it starts");
        let app = &running.app;
        let now = clock.now();
        let mut tx = app.db.begin().await.expect("the database");
        let granted = grant(&mut tx, &app.token_key, "tests", Role::Admin, None, None, now).await;
        let (_, token) = granted.expect("a token");
        tx.commit().await.expect("the database");
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).pool_max_idle_per_host(0).build();
        let (url, http) = (settings.public_url.clone(), http.expect("a client"));
        House { url, token, settings, clock, speed, running: Some(running), http, _folder: folder }
    }

    /// A browser in which one of our people is signed in.
    pub async fn visitor(&self, person: &str) -> Browser {
        self.someone(Who::person(person.into())).await
    }

    /// A browser in which somebody is signed in who may do everything.
    pub async fn admin(&self) -> Browser {
        self.someone(Who { name: "ops".into(), role: Some(Role::Admin), ..Who::default() }).await
    }

    /// A browser in which somebody is signed in.
    pub async fn someone(&self, who: Who) -> Browser {
        let browser = Browser::open().await;
        self.sign_in(&browser, who).await;
        browser
    }

    async fn sign_in(&self, browser: &Browser, who: Who) {
        let app = self.app();
        let mut tx = app.db.begin().await.expect("the database");
        let header = session::begin(&mut tx, app, &who, How::Link, &From::default()).await.expect("a session");
        tx.commit().await.expect("the database");
        let header = header.to_str().expect("a header");
        let (name, value) = header.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
        browser.go(&format!("{}/assets/icon.svg", self.url)).await;
        browser.cookie(name, value).await;
    }

    /// What runs.
    pub fn app(&self) -> &App {
        &self.running.as_ref().expect("it runs").app
    }

    /// A link that signs one of our people in, once.
    pub async fn link(&self, person: &str) -> String {
        let app = self.app();
        let mut tx = app.db.begin().await.expect("the database");
        let key = person.into();
        let made = access::sign_in::make_link(&mut tx, Some(&key), person, None, app.clock.now()).await;
        let made = made.expect("a link");
        tx.commit().await.expect("the database");
        format!("{}/sign-in/link/{made}", self.url)
    }

    /// Goes to a path.
    pub async fn go(&self, browser: &Browser, path: &str) {
        browser.go(&format!("{}{path}", self.url)).await;
    }

    /// The API, as an administrator.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(&body);
        let answer = request.send().await.expect("an answer");
        let (status, body) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).unwrap_or_default()
    }

    /// The API, as an administrator.
    pub async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        request.send().await.expect("an answer").json().await.expect("JSON")
    }

    /// Opens an incident; gives its reference.
    pub async fn report(&self, priority: &str, title: &str) -> String {
        self.report_of("acme", priority, title).await
    }

    /// Opens an incident of a customer; gives its reference.
    pub async fn report_of(&self, customer: &str, priority: &str, title: &str) -> String {
        let body = json!({ "customer": customer, "priority": priority, "title": title,
            "contact": { "name": "Mara Ito", "number": "+12015550123" } });
        let made = self.post("/api/v1/incidents", body).await;
        made["reference"].as_str().expect("a reference").to_owned()
    }

    /// Lets time run until so many windows of updates are over.
    pub async fn until_past(&self, reference: &str, windows: usize) {
        self.speed.set(600.0);
        for _ in 0..400 {
            let view = self.get(&format!("/api/v1/incidents/{reference}")).await;
            if view["windows"].as_array().is_some_and(|past| past.len() >= windows) {
                self.speed.set(1.0);
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {windows} windows of {reference} ended");
    }

    /// What a phone does when it rings.
    pub async fn behave(&self, number: &str, behaviour: Value) {
        let request =
            self.http.put(format!("{}/handsets/phones/{number}/behaviour", self.url)).bearer_auth(&self.token);
        let answer = request.json(&behaviour).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{number}: {}", answer.status());
    }

    /// The path of the link in the text about an incident to whoever was paged first.
    pub async fn page_link(&self, reference: &str) -> String {
        let phones = self.get("/handsets/phones").await;
        let texts =
            phones.as_array().into_iter().flatten().flat_map(|phone| phone["texts"].as_array().into_iter().flatten());
        let path = format!("/a/{reference}");
        let mut links = texts.filter_map(|text| {
            let body = text["body"].as_str()?;
            let word = body.split_whitespace().find(|word| word.contains(&path))?;
            word.strip_prefix(&self.url).map(str::to_owned)
        });
        links.next().unwrap_or_else(|| panic!("no link to {reference} in {phones}"))
    }

    /// Ends the server, and starts it again on the same port and database.
    pub async fn restart(&mut self) {
        self.stop().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.running = Some(boot::start(self.settings.clone(), self.clock.clone()).await.expect("it starts again"));
    }

    /// Ends the server.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Where pictures are put.
    pub fn pictures() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/pictures")
    }
}
