//! A carrier on loopback that speaks as Twilio does and forgives nothing: what a real one would refuse, it refuses,
//! and the test fails for it. All its time is the world's clock.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::TimeDelta;
use ringdown::clock::{Clock, Time};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    form::{self, Form},
    line::{Leg, Step},
    queue::Queued,
};

pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// The number our pages come from, and the one customers dial.
pub const OURS: &str = "+12015550190";

/// How somebody takes a call.
#[derive(Clone, Debug)]
pub enum Voice {
    /// Picks up after so many seconds; presses each key so many seconds into what is said then; talks so long when
    /// bridged. Hangs up after `patience`, if it is given.
    Answers {
        after: i64,
        keys: Vec<(i64, char)>,
        talks: i64,
        patience: Option<i64>,
    },
    /// Lets it ring out.
    Rings,
    Busy,
    /// Declines it after so many seconds.
    Rejects {
        after: i64,
    },
    /// Switched off: SIP 480.
    Off,
    /// A machine takes it after so many seconds.
    Voicemail {
        after: i64,
    },
}

/// What becomes of a text.
#[derive(Clone, Debug)]
pub enum Texts {
    Delivered,
    Undelivered(u32),
    /// Delivered, and answered after so many seconds; `{code}` stands for the page's reply code.
    Replies {
        after: i64,
        with: &'static str,
    },
}

/// A phone.
#[derive(Clone, Debug)]
pub struct Phone {
    pub voice: Voice,
    pub texts: Texts,
}

/// What goes wrong with the next request to send.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Not taken, with this status and code.
    Refuse(u16, u32),
    /// 429 with Retry-After.
    TooMany(u32),
    /// Taken, but the answer is this status.
    TakenButAnswers(u16),
    /// Taken, and never answered.
    TakenAndSilent,
    /// Not taken and never answered.
    Silent,
}

/// How receipts come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipts {
    Prompt,
    /// The first before the answer to the request.
    Early,
    Doubled,
    /// What happened first is told last.
    Reordered,
    Lost,
}

/// A text that went out, or a call that was placed.
#[derive(Clone, Debug)]
pub struct Sent {
    pub sid: String,
    pub voice: bool,
    pub at: Time,
    pub to: String,
    pub from: String,
    /// Of a text.
    pub body: String,
    pub status: String,
    /// What was heard on a call, one entry a document.
    pub heard: Vec<String>,
    pub pressed: String,
    pub ended_at: Option<Time>,
    /// Our side ended it.
    pub hung_up: bool,
    pub(super) form: Form,
    sequence: u32,
}

impl Sent {
    /// The id of our attempt, from where its receipts go.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn attempt(&self) -> Option<String> {
        let url: reqwest::Url = form::get(&self.form, "StatusCallback")?.parse().ok()?;
        url.query_pairs().find(|(name, _)| name == "a").map(|(_, id)| id.into_owned())
    }
}

/// Something that happens at an instant.
#[derive(Clone, Debug)]
pub struct Happening {
    pub sid: String,
    pub step: Step,
}

#[derive(Default)]
pub struct Book {
    phones: HashMap<String, Phone>,
    faults: VecDeque<(Option<bool>, Fault)>,
    always: Option<Fault>,
    pub(super) sent: Vec<Sent>,
    /// Where each stands there, by its id and by its kind and number: a run of hours has many thousands.
    pub(super) by_sid: HashMap<String, usize>,
    pub(super) by_number: HashMap<(bool, String), Vec<usize>>,
    pub(super) legs: HashMap<String, Leg>,
    /// Callers who wait or talk, or did, by the id of their call.
    pub(super) queued: HashMap<String, Queued>,
    due: BTreeMap<(Time, u64), Happening>,
    pub(super) held: HashMap<String, Vec<(String, Form)>>,
    pub(super) violations: Vec<String>,
    /// Requests to us that brought no good answer.
    pub troubles: Vec<String>,
    receipts: Option<Receipts>,
    /// How often our account was looked up.
    looked_up: u64,
    /// `active`, if nothing else is said.
    standing: Option<&'static str>,
    serial: u64,
    server: Option<SocketAddr>,
    /// How far its clock, as its resources show it, is ahead of the world's.
    pub(super) ahead: i64,
}

impl Book {
    fn add(&mut self, sent: Sent) {
        let place = self.sent.len();
        self.by_sid.insert(sent.sid.clone(), place);
        self.by_number.entry((sent.voice, sent.to.clone())).or_default().push(place);
        self.sent.push(sent);
    }
}

/// The carrier. Cheap to clone.
#[derive(Clone)]
pub struct Carrier(pub(super) Arc<Desk>);

pub struct Desk {
    pub clock: Clock,
    pub public_url: String,
    pub(super) http: reqwest::Client,
    pub address: SocketAddr,
    book: Mutex<Book>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl Carrier {
    pub async fn start(clock: Clock, public_url: &str) -> Carrier {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .pool_max_idle_per_host(0)
            .timeout(std::time::Duration::from_secs(15))
            .build()
            .expect("a client");
        let carrier = Carrier(Arc::new(Desk {
            clock,
            public_url: public_url.into(),
            http,
            address,
            book: Mutex::default(),
            listener: Mutex::default(),
        }));
        carrier.listen(listener);
        carrier
    }

    fn listen(&self, listener: TcpListener) {
        let router = Router::new().fallback(door).with_state(self.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        *self.0.listener.lock().expect("listener") = Some(task);
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// Where requests to the public URL really go.
    pub fn connect(&self, server: Option<SocketAddr>) {
        self.book().server = server;
    }

    pub(super) fn server(&self) -> Option<SocketAddr> {
        self.book().server
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().expect("the carrier's book")
    }

    pub(super) fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// No connection is taken any more.
    pub async fn die(&self) {
        let task = self.0.listener.lock().expect("listener").take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
    }

    /// Connections are taken again, at the same port.
    pub async fn come_back(&self) {
        let listener = TcpListener::bind(self.0.address).await.expect("the same port");
        self.listen(listener);
    }

    /// How the phone at a number behaves from now on. Without it a phone rings out, and texts are delivered.
    pub fn phone(&self, number: &str, voice: Voice, texts: Texts) {
        self.book().phones.insert(number.into(), Phone { voice, texts });
    }

    pub(super) fn phone_at(&self, number: &str) -> Phone {
        let unknown = Phone { voice: Voice::Rings, texts: Texts::Delivered };
        self.book().phones.get(number).cloned().unwrap_or(unknown)
    }

    /// The next request to send a text or place a call fails this way.
    pub fn next(&self, fault: Fault) {
        self.book().faults.push_back((None, fault));
    }

    /// The next request to place a call fails this way.
    pub fn next_call(&self, fault: Fault) {
        self.book().faults.push_back((Some(true), fault));
    }

    /// The next request to send a text fails this way.
    pub fn next_text(&self, fault: Fault) {
        self.book().faults.push_back((Some(false), fault));
    }

    /// Every request to send a text or place a call fails this way, until it is said otherwise.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn always(&self, fault: Option<Fault>) {
        self.book().always = fault;
    }

    /// So many seconds passed that the world's clock knows nothing of: while the servers were off.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn ahead_by(&self, seconds: i64) {
        self.book().ahead = seconds;
    }

    /// How receipts come from now on.
    pub fn receipts(&self, how: Receipts) {
        self.book().receipts = Some(how);
    }

    /// How often our account was looked up.
    pub fn looked_up(&self) -> u64 {
        self.book().looked_up
    }

    /// What our account is from now on: `suspended`.
    pub fn stands(&self, status: &'static str) {
        self.book().standing = Some(status);
    }

    pub(super) fn how(&self) -> Receipts {
        self.book().receipts.unwrap_or(Receipts::Prompt)
    }

    /// Every text and call, oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        self.book().sent.clone()
    }

    /// The texts and calls from the `first` on, oldest first, as far as they are wanted.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn sent_since<T>(&self, first: usize, wanted: impl Fn(&Sent) -> T) -> Vec<T> {
        self.book().sent[first..].iter().map(wanted).collect()
    }

    pub fn texts_to(&self, number: &str) -> Vec<Sent> {
        self.sent().into_iter().filter(|sent| !sent.voice && sent.to == number).collect()
    }

    pub fn calls_to(&self, number: &str) -> Vec<Sent> {
        self.sent().into_iter().filter(|sent| sent.voice && sent.to == number).collect()
    }

    pub fn violations(&self) -> Vec<String> {
        self.book().violations.clone()
    }

    pub(super) fn violated(&self, what: String) {
        self.book().violations.push(what);
    }

    /// When the next thing happens.
    pub fn next_due(&self) -> Option<Time> {
        self.book().due.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn schedule(&self, seconds: i64, sid: &str, step: Step) {
        let at = self.now() + TimeDelta::seconds(seconds);
        let mut book = self.book();
        book.serial += 1;
        let key = (at, book.serial);
        book.due.insert(key, Happening { sid: sid.into(), step });
    }

    /// Whatever is due happens: of one phone in order, of several at once. False: nothing was due.
    pub async fn run_due(&self) -> bool {
        let mut any = false;
        loop {
            let batch = {
                let (mut book, now) = (self.book(), self.now());
                let mut batch: BTreeMap<String, Vec<Happening>> = BTreeMap::new();
                let first = book.due.keys().next().map(|(at, _)| *at).filter(|at| *at <= now);
                while let Some(entry) = book.due.first_entry().filter(|entry| Some(entry.key().0) == first) {
                    let happening = entry.remove();
                    batch.entry(happening.sid.clone()).or_default().push(happening);
                }
                batch
            };
            if batch.is_empty() {
                return any;
            }
            any = true;
            let lines = batch.into_values().map(|line| async move {
                for happening in line {
                    self.happen(happening).await;
                }
            });
            futures::future::join_all(lines).await;
        }
    }

    pub(super) fn fresh(&self, prefix: &str) -> String {
        let mut book = self.book();
        book.serial += 1;
        format!("{prefix}{:032x}", book.serial)
    }

    pub(super) fn change<T>(&self, sid: &str, change: impl FnOnce(&mut Sent) -> T) -> Option<T> {
        let mut book = self.book();
        let place = *book.by_sid.get(sid)?;
        book.sent.get_mut(place).map(change)
    }

    pub(super) fn find(&self, sid: &str) -> Option<Sent> {
        let book = self.book();
        book.by_sid.get(sid).map(|place| book.sent[*place].clone())
    }

    pub(super) fn sequence(&self, sid: &str) -> u32 {
        self.change(sid, |sent| {
            sent.sequence += 1;
            sent.sequence - 1
        })
        .unwrap_or_default()
    }

    fn fault(&self, voice: bool) -> Option<Fault> {
        let mut book = self.book();
        match book.faults.iter().position(|(kind, _)| kind.is_none_or(|kind| kind == voice)) {
            Some(at) => book.faults.remove(at).map(|(_, fault)| fault),
            None => book.always.clone(),
        }
    }
}

pub(super) fn answer(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    // No connection outlives its answer, so that a dead carrier is dead at once.
    ([(header::CONNECTION, "close"), (header::CONTENT_TYPE, "application/json")], body.to_string())
        .into_response()
        .with_status(status)
}

trait WithStatus {
    fn with_status(self, status: StatusCode) -> Response;
}

impl WithStatus for Response {
    fn with_status(mut self, status: StatusCode) -> Response {
        *self.status_mut() = status;
        self
    }
}

pub(super) fn error(status: u16, code: u32, message: &str) -> Response {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    answer(status, json!({ "code": code, "message": message, "more_info": more, "status": status }))
}

async fn door(State(carrier): State<Carrier>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{ACCOUNT}:{TOKEN}")));
    if headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(&expected) {
        carrier.violated(format!("{method} {} without the account's credentials", uri.path()));
        return error(401, 20003, "Authenticate");
    }
    if method == Method::GET && uri.path() == format!("/2010-04-01/Accounts/{ACCOUNT}.json") {
        return carrier.account();
    }
    let Some(rest) = uri.path().strip_prefix(&format!("/2010-04-01/Accounts/{ACCOUNT}/")) else {
        carrier.violated(format!("{method} {}: no such path", uri.path()));
        return error(404, 20404, "The requested resource was not found");
    };
    let pairs = |bytes: &[u8]| -> Form { form_urlencoded::parse(bytes).into_owned().collect() };
    let posted = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if method == Method::POST && !posted.starts_with("application/x-www-form-urlencoded") {
        carrier.violated(format!("{method} {rest} with content type `{posted}`"));
        return error(400, 20001, "Unknown content type");
    }
    let form = pairs(&body);
    match (method.as_str(), rest.split('/').collect::<Vec<_>>().as_slice()) {
        ("POST", ["Messages.json"]) => carrier.take(form, false).await,
        ("POST", ["Calls.json"]) => carrier.take(form, true).await,
        ("POST", ["Calls", sid]) => carrier.end_call(sid.trim_end_matches(".json"), &form),
        ("GET", [list @ ("Messages.json" | "Calls.json")]) => {
            carrier.list(*list == "Calls.json", &pairs(uri.query().unwrap_or_default().as_bytes()))
        }
        ("GET", ["Messages" | "Calls", sid]) => match carrier.find(sid.trim_end_matches(".json")) {
            Some(sent) => answer(200, carrier.resource(&sent)),
            None => error(404, 20404, "The requested resource was not found"),
        },
        _ => {
            carrier.violated(format!("{method} {rest}: no such path"));
            error(404, 20404, "The requested resource was not found")
        }
    }
}

impl Carrier {
    fn account(&self) -> Response {
        let mut book = self.book();
        book.looked_up += 1;
        let status = book.standing.unwrap_or("active");
        let resource = json!({
            "sid": ACCOUNT, "status": status, "type": "Full", "friendly_name": "Tests", "owner_account_sid": ACCOUNT,
            "uri": format!("/2010-04-01/Accounts/{ACCOUNT}.json"),
        });
        answer(200, resource)
    }

    async fn take(&self, form: Form, voice: bool) -> Response {
        let ours = [OURS.to_owned()];
        let checked = if voice { form::call(&form, &ours) } else { form::message(&form, &ours) };
        if let Err((code, message)) = checked {
            self.violated(format!("{}: {message}", if voice { "Calls.json" } else { "Messages.json" }));
            return error(400, code, &message);
        }
        let fault = self.fault(voice);
        match fault {
            Some(Fault::Refuse(status, code)) => return error(status, code, "refused by the test"),
            Some(Fault::TooMany(seconds)) => {
                let mut response = error(429, 20429, "Too many requests");
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
                return response;
            }
            Some(Fault::Silent) => return self.never().await,
            _ => {}
        }
        let sent = Sent {
            sid: self.fresh(if voice { "CA" } else { "SM" }),
            voice,
            at: self.now(),
            to: form::get(&form, "To").unwrap_or_default().into(),
            from: form::get(&form, "From").unwrap_or_default().into(),
            body: form::get(&form, "Body").unwrap_or_default().into(),
            status: "queued".into(),
            heard: vec![],
            pressed: String::new(),
            ended_at: None,
            hung_up: false,
            form,
            sequence: 0,
        };
        self.book().add(sent.clone());
        self.set_going(&sent).await;
        match fault {
            Some(Fault::TakenButAnswers(status)) => error(status, 20500, "Internal server error"),
            Some(Fault::TakenAndSilent) => self.never().await,
            _ => answer(201, self.resource(&sent)),
        }
    }

    async fn never(&self) -> Response {
        std::future::pending().await
    }

    fn end_call(&self, sid: &str, form: &Form) -> Response {
        if let Err((code, message)) = form::change(form) {
            self.violated(format!("Calls/{sid}.json: {message}"));
            return error(400, code, &message);
        }
        let Some(call) = self.find(sid) else {
            self.violated(format!("Calls/{sid}.json: there is no such call"));
            return error(404, 20404, "The requested resource was not found");
        };
        if call.ended_at.is_some() {
            return error(400, 21220, "Call is not in-progress. Cannot redirect.");
        }
        self.change(sid, |call| call.hung_up = true);
        self.schedule(
            0,
            sid,
            Step::End { status: if call.status == "in-progress" { "completed" } else { "canceled" } },
        );
        answer(200, self.resource(&call))
    }
}
