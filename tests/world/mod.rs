//! A world for a story: the real server in this process, on real HTTP and a real database; a strict carrier; people
//! who answer or do not; and a clock that only the story moves.
//!
//! The world may look into the database to know when everything is quiet; what a story asserts, it sees from outside.

pub mod browser;
pub mod caller;
pub mod carrier;
pub mod form;
pub mod issuer;
pub mod line;
pub mod mailserver;
#[allow(dead_code, reason = "only PostgreSQL has several")]
pub mod node;
pub mod office;
pub mod postgres;
pub mod queue;
mod register;
pub mod twiml;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use ringdown::{
    access::{self, Role},
    clock::{Clock, ManualHand, Time},
    id::CarrierKey,
    incident::{self, Effect, effect},
    mail, on,
    server::{
        boot::{self, Running},
        settings::{CarrierSettings, OidcSettings, Settings, TwilioSettings, WatchSettings},
    },
    store::{Sql, Tx},
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use browser::Browser;
pub use caller::Caller;
pub use carrier::{Carrier, Fault, Receipts, Sent, Texts, Voice};
pub use line::reply_code;
pub use office::*;

/// What Ringdown believes it is called: nothing listens there, the carrier knows where to go.
pub const PUBLIC_URL: &str = "https://pager.example.com";

/// A Wednesday in November, 03:00 in New York.
pub const NIGHT: &str = "2026-11-18T08:00:00Z";

/// In real time, how long the world may take to come to rest: longer than a carrier is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a world is kept in. Each test binary has one: `crate::DATABASE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each binary makes one of them")]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// The address of a new one; `folder` is for what is a file.
    pub async fn address(self, folder: &Path) -> String {
        match self {
            Database::Sqlite => format!("sqlite:{}/ringdown.db", folder.display()),
            Database::Postgres => postgres::database().await,
        }
    }

    /// Where there is no file, there is no place beside it for a secret.
    pub fn token_secret(self) -> Option<&'static str> {
        (self == Database::Postgres).then_some("only the tests sign with this secret")
    }
}

pub struct World {
    pub carrier: Carrier,
    pub clock: Clock,
    hand: ManualHand,
    server: Option<Running>,
    /// While the server is off, this is what it was.
    token: String,
    http: reqwest::Client,
    /// Those that send mail.
    mail: Vec<(CarrierKey, CarrierSettings)>,
    /// Off, but in stories about it.
    pub watch: WatchSettings,
    /// Whom people sign in with, from the next start on.
    pub oidc: Option<OidcSettings>,
    folder: TempDir,
    database: String,
    judged: bool,
}

/// An answer of the API.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl World {
    /// The office as it is, at night.
    pub async fn start() -> World {
        World::open(Office::default(), NIGHT).await
    }

    pub async fn with(office: Office) -> World {
        World::open(office, NIGHT).await
    }

    pub async fn open(office: Office, at: &str) -> World {
        World::posting(office, at, Vec::new()).await
    }

    /// One that sends mail, by these carriers.
    pub async fn posting(office: Office, at: &str, mail: Vec<(CarrierKey, CarrierSettings)>) -> World {
        World::anywhere(office, at, mail, None, WatchSettings { heartbeat: None, ..WatchSettings::default() }).await
    }

    /// The office as it is, at night, where the service watches itself like this.
    pub async fn watched(watch: WatchSettings) -> World {
        World::anywhere(Office::default(), NIGHT, Vec::new(), None, watch).await
    }

    /// The office as it is, at night, in this database.
    #[allow(dead_code, reason = "SQLite has no server that goes away")]
    pub async fn kept_in(database: String) -> World {
        let watch = WatchSettings { heartbeat: None, ..WatchSettings::default() };
        World::anywhere(Office::default(), NIGHT, Vec::new(), Some(database), watch).await
    }

    async fn anywhere(
        office: Office,
        at: &str,
        mail: Vec<(CarrierKey, CarrierSettings)>,
        database: Option<String>,
        watch: WatchSettings,
    ) -> World {
        let start: Time = at.parse().expect("an instant");
        let (clock, hand) = Clock::manual(start);
        let folder = tempfile::tempdir().expect("a folder");
        office.write(&folder.path().join("schedules"));
        let carrier = Carrier::start(clock.clone(), PUBLIC_URL).await;
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).pool_max_idle_per_host(0).build();
        let mut world = World {
            carrier,
            clock,
            hand,
            server: None,
            token: String::new(),
            http: http.expect("a client"),
            mail,
            watch,
            oidc: None,
            database: match database {
                Some(given) => given,
                None => crate::DATABASE.address(folder.path()).await,
            },
            folder,
            judged: false,
        };
        world.boot().await;
        world.token = world.grant("tests", Role::Admin, None).await;
        world
    }

    fn settings(&self) -> Settings {
        let twilio = TwilioSettings {
            account_sid: carrier::ACCOUNT.into(),
            auth_token: carrier::TOKEN.into(),
            previous_auth_token: None,
            base_url: self.carrier.base_url(),
            from: vec![carrier::OURS.into()],
            ring_seconds: 25,
        };
        let phones = ("main".into(), CarrierSettings::Twilio(twilio));
        Settings {
            listen: "127.0.0.1:0".parse().expect("an address"),
            public_url: PUBLIC_URL.into(),
            database: self.database.clone(),
            schedules: self.schedules(),
            carriers: self.mail.iter().cloned().chain([phones]).collect(),
            token_secret: crate::DATABASE.token_secret().map(Into::into),
            ledger_key: None,
            keep_payloads: TimeDelta::days(7),
            watch: self.watch.clone(),
            oidc: self.oidc.clone(),
            ..Settings::default()
        }
    }

    pub fn schedules(&self) -> PathBuf {
        self.folder.path().join("schedules")
    }

    /// The address of the database.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Starts the server, and does not wait until everything is quiet.
    pub async fn boot(&mut self) {
        let running = boot::start(self.settings(), self.clock.clone()).await.expect("the server starts");
        self.carrier.connect(Some(running.address));
        self.server = Some(running);
    }

    /// A bearer token.
    pub async fn grant(&self, name: &str, role: Role, person: Option<&str>) -> String {
        let app = &self.running().app;
        let mut tx = app.db.begin().await.expect("the database");
        let person = person.map(Into::into);
        let granted = access::grant(&mut tx, &app.token_key, name, role, person, None, self.now()).await;
        tx.commit().await.expect("the database");
        granted.expect("a token").1
    }

    pub fn running(&self) -> &Running {
        self.server.as_ref().expect("the server is on")
    }

    /// Ends the server in order. The clock may go on meanwhile.
    pub async fn stop(&mut self) {
        self.carrier.connect(None);
        if let Some(running) = self.server.take() {
            running.stop().await;
        }
    }

    /// Starts it again on the same database.
    pub async fn start_again(&mut self) {
        self.boot().await;
        self.settle().await;
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// The time in this world.
    pub fn now(&self) -> Time {
        self.hand.now()
    }

    /// Lets time pass, from one thing that is due to the next, everything coming to rest in between.
    pub async fn advance(&self, span: TimeDelta) {
        let target = self.now() + span;
        loop {
            self.settle().await;
            let next = match &self.server {
                Some(_) => self.due().await.0,
                None => None,
            };
            let next = [next, self.carrier.next_due()].into_iter().flatten().min();
            // A minute at most, for what the server does by the minute; longer steps through days in which nothing is due.
            let step = self.now() + (span / 500).max(TimeDelta::minutes(1));
            let at = next.into_iter().chain([step, target]).min().expect("one");
            if self.now() >= target {
                return;
            }
            self.hand.set(at);
        }
    }

    pub async fn minutes(&self, minutes: i64) {
        self.advance(TimeDelta::minutes(minutes)).await;
    }

    pub async fn seconds(&self, seconds: i64) {
        self.advance(TimeDelta::seconds(seconds)).await;
    }

    /// Moves the clock without letting anything happen: for a server that is off.
    pub fn sleep_through(&self, span: TimeDelta) {
        assert!(self.server.is_none(), "the server is on");
        self.hand.set(self.now() + span);
    }

    /// Moves the clock, and waits for nothing.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn tick(&self, span: TimeDelta) {
        self.hand.set(self.now() + span);
    }

    /// Until nothing is due, nothing is leased, and the carrier has nothing to tell.
    pub async fn settle(&self) {
        let begun = Instant::now();
        let mut quiet = 0;
        while quiet < 2 {
            let told = self.carrier.run_due().await;
            let rest = match &self.server {
                Some(_) => self.at_rest().await,
                None => true,
            };
            quiet = if rest && !told { quiet + 1 } else { 0 };
            if begun.elapsed() > PATIENCE {
                panic!("the world does not come to rest:\n{}", self.dump().await);
            }
            if quiet < 2 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }

    async fn at_rest(&self) -> bool {
        let (next, leased) = self.due().await;
        leased == 0 && next.is_none_or(|next| next > self.now())
    }

    /// When the server is due next, and how much is leased.
    async fn due(&self) -> (Option<Time>, i64) {
        const NEXT: Sql = Sql::same(
            "select min(wake_at) from (select wake_at from timers \
             union all select wake_at from attempts where wake_at is not null \
             union all select wake_at from mails where wake_at is not null) as due",
        );
        const LEASED: Sql = Sql::same(
            "select (select count(*) from timers where wake_at > due_at) \
             + (select count(*) from attempts where leased_by is not null and wake_at is not null) \
             + (select count(*) from mails where leased_by is not null)",
        );
        let mut tx: Tx = self.running().app.db.read().await.expect("the database");
        let next: Option<Time> =
            on!(&mut tx, NEXT, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await).expect("a query");
        let leased: i64 = on!(&mut tx, LEASED, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await).expect("a query");
        (next, leased)
    }

    /// What there is to see, for whoever reads a failure.
    pub async fn dump(&self) -> String {
        let mut text = format!("now {}\n", self.now());
        if self.server.is_some() {
            const ATTEMPTS: Sql = Sql::same(
                "select id || ' ' || channel || ' ' || stage || ' wake ' || coalesce(cast(wake_at as text), '-') || ' leased ' \
                 || coalesce(leased_by, '-') || ' ' || coalesce(outcome, '-') || ' ' || coalesce(reason, '') \
                 from attempts order by created_at",
            );
            const TIMERS: Sql = Sql::same(
                "select incident_id || ' due ' || cast(due_at as text) || ' wake ' || cast(wake_at as text) from timers",
            );
            const MAILS: Sql = Sql::same(
                "select id || ' ' || stage || ' wake ' || coalesce(cast(wake_at as text), '-') || ' leased ' \
                 || coalesce(leased_by, '-') || ' ' || coalesce(reason, '') from mails order by id",
            );
            let mut tx = self.running().app.db.read().await.expect("the database");
            for sql in [ATTEMPTS, TIMERS, MAILS] {
                let rows: Vec<String> =
                    on!(&mut tx, sql, |c, sql| sqlx::query_scalar(sql).fetch_all(c).await).expect("a query");
                text += &(rows.join("\n") + "\n");
            }
        }
        for sent in self.carrier.sent() {
            text += &format!(
                "{} {} to {} {} {:?} {:?} pressed {:?}\n",
                sent.at, sent.sid, sent.to, sent.status, sent.body, sent.heard, sent.pressed
            );
        }
        text + &self.carrier.violations().join("\n") + &self.carrier.book().troubles.join("\n")
    }

    /// Whether the carrier was treated as its documentation asks. Every story ends with it.
    pub fn finish(mut self) {
        self.judged = true;
        let violations = self.carrier.violations();
        assert!(violations.is_empty(), "the carrier complains:\n{}", violations.join("\n"));
    }

    /// Writes a mail about an incident down, as its door does.
    pub async fn mail(&self, reference: &str, mail: effect::Mail) {
        let app = &self.running().app;
        let mut tx = app.db.begin().await.expect("the database");
        let incident = incident::store::by_reference(&mut tx, reference).await.expect("the database");
        let (incident, config) = (incident.expect("an incident"), app.config.load_full());
        let (effects, domain) = ([Effect::Mail(mail)], app.door.mail_domain.clone());
        let written =
            mail::store::carry_out(&mut tx, &incident, &effects, &config, domain.as_deref(), self.now()).await;
        written.expect("the database");
        tx.commit().await.expect("the database");
        app.bell.ring();
        self.settle().await;
    }

    /// Somebody dials the hotline.
    pub async fn dial(&self, from: &str) -> Caller {
        let caller = Caller::dial(&self.carrier, from).await;
        self.settle().await;
        caller
    }

    /// Somebody writes to our number.
    pub async fn write(&self, from: &str, body: &str) -> Option<String> {
        let answer = self.carrier.write(from, body).await;
        self.settle().await;
        answer
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running().address)
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("the server answers");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// As somebody with this token.
    pub async fn post_as(&self, token: &str, path: &str, body: Value) -> Answer {
        let answer = self.ask(self.http.post(self.url(path)).bearer_auth(token).json(&body)).await;
        self.settle().await;
        answer
    }

    pub async fn try_post(&self, path: &str, body: Value) -> Answer {
        self.post_as(&self.token, path, body).await
    }

    /// With an idempotency key.
    pub async fn try_post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        let request = self.http.post(self.url(path)).bearer_auth(&self.token).header("Idempotency-Key", key);
        let answer = self.ask(request.json(&body)).await;
        self.settle().await;
        answer
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.try_post(path, body).await;
        assert!((200..300).contains(&answer.status), "POST {path}: {answer:?}");
        answer.body
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.ask(self.http.get(self.url(path)).bearer_auth(&self.token)).await;
        assert_eq!(answer.status, 200, "GET {path}: {answer:?}");
        answer.body
    }

    /// Without any token, whatever the answer.
    pub async fn peek(&self, path: &str) -> Answer {
        self.ask(self.http.get(self.url(path))).await
    }

    /// A sender's payload, without any token.
    pub async fn deliver(&self, path: &str, body: Value) -> Answer {
        let answer = self.ask(self.http.post(self.url(path)).json(&body)).await;
        self.settle().await;
        answer
    }

    /// Opens an incident for Acme through the API; gives its reference.
    pub async fn report(&self, priority: &str) -> String {
        let body = json!({
            "customer": "acme", "priority": priority, "title": "Card payments fail",
            "contact": { "name": "Ms Ito", "number": ACME },
        });
        let incident = self.post("/api/v1/incidents", body).await;
        text(&incident["reference"])
    }

    /// An act on an incident, on behalf of somebody.
    pub async fn act(&self, reference: &str, what: &str, person: &str, mut body: Value) -> Answer {
        body["as"] = person.into();
        self.try_post(&format!("/api/v1/incidents/{reference}/{what}"), body).await
    }

    pub async fn incident(&self, reference: &str) -> Value {
        self.get(&format!("/api/v1/incidents/{reference}")).await
    }

    /// Every incident, the newest first.
    pub async fn incidents(&self) -> Vec<Value> {
        let page = self.get("/api/v1/incidents?limit=100").await;
        page["items"].as_array().unwrap_or_else(|| panic!("no items: {page}")).clone()
    }

    /// The incident, when there is exactly one.
    pub async fn the_incident(&self) -> Value {
        let all = self.incidents().await;
        assert_eq!(all.len(), 1, "{all:#?}");
        self.incident(&text(&all[0]["id"])).await
    }

    /// The key of who has it, or nothing.
    pub async fn holder(&self, reference: &str) -> Option<String> {
        self.incident(reference).await["holder"]["key"].as_str().map(Into::into)
    }

    /// Its history in plain words.
    pub async fn timeline(&self, reference: &str) -> String {
        let incident = self.incident(reference).await;
        let entries = incident["timeline"].as_array().expect("a timeline").clone();
        let line = |entry: &Value| format!("{} {}", text(&entry["at"]), text(&entry["words"]));
        entries.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// How many events of this kind an incident has.
    pub async fn events(&self, reference: &str, kind: &str) -> Vec<Value> {
        let page = self.get(&format!("/api/v1/incidents/{reference}/events?limit=200")).await;
        let all = page["items"].as_array().unwrap_or_else(|| panic!("no items: {page}")).clone();
        all.into_iter().filter(|event| event["kind"] == kind || event["event"] == kind).collect()
    }

    /// Waits, in real time, for what the server does beside its timers and pages.
    pub async fn eventually(&self, what: &str, mut holds: impl AsyncFnMut(&World) -> bool) {
        let begun = Instant::now();
        while !holds(self).await {
            assert!(begun.elapsed() < PATIENCE, "never: {what}\n{}", self.dump().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.settle().await;
    }

    /// Minutes after `start` at which the first text or call went to each number, in order.
    pub fn reached(&self, start: Time) -> Vec<(String, i64)> {
        let mut first: Vec<(String, i64)> = Vec::new();
        for sent in self.carrier.sent() {
            if !first.iter().any(|(to, _)| *to == sent.to) {
                first.push((sent.to.clone(), (sent.at - start).num_minutes()));
            }
        }
        first
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !self.judged && !std::thread::panicking() {
            let violations = self.carrier.violations();
            assert!(violations.is_empty(), "the carrier complains:\n{}", violations.join("\n"));
        }
    }
}

/// A JSON string.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).into()
}

/// Picks up and presses a key.
pub fn presses(key: char) -> Voice {
    Voice::Answers { after: 5, keys: vec![(6, key)], talks: 0, patience: None }
}

/// Picks up, talks so long when bridged, presses nothing.
pub fn talks(seconds: i64) -> Voice {
    Voice::Answers { after: 5, keys: vec![], talks: seconds, patience: None }
}
