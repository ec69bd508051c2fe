//! Senders under load, as real ones are: each sends its event until it is taken, and keeps a log of what it was told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::Utc;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use ringdown::clock::Time;
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::world::{GENERIC_KEY, PAGERDUTY_KEY};

/// How long a sender tries: until long after the last fault, on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(900);

/// An event that was answered with 2xx.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub title: String,
    /// The id of its incident, where the door tells it.
    pub id: Option<String>,
    /// When it was sent for the first time.
    pub sent_at: Time,
}

/// What the senders were told.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub accepted: Vec<Accepted>,
    /// Ids of incidents that Ben acknowledged, and was answered 2xx.
    pub acknowledged: Vec<String>,
    /// Requests that brought no answer, and were sent again.
    pub unanswered: u32,
    /// Requests that were refused for now, and were sent again.
    pub refused: u32,
    /// Answers that no sender should get.
    pub wrong: Vec<String>,
}

/// All of them.
pub struct Senders {
    log: Arc<Mutex<Log>>,
    /// Rung when one of them begins to send.
    pub begins: Arc<Notify>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Sender {
    name: String,
    server: SocketAddr,
    token: String,
    http: reqwest::Client,
    log: Arc<Mutex<Log>>,
    begins: Arc<Notify>,
}

impl Senders {
    /// So many, each with a pause of so long on average between two events.
    pub fn start(seed: u64, count: usize, pause: Duration, server: SocketAddr, token: &str) -> Senders {
        let (log, begins, stop) = (Arc::<Mutex<Log>>::default(), Arc::<Notify>::default(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        for n in 0..count {
            let sender = Sender {
                name: format!("s{n}"),
                server,
                token: token.into(),
                http: client(),
                log: log.clone(),
                begins: begins.clone(),
            };
            let chance = StdRng::seed_from_u64(seed ^ (n as u64 + 1));
            tasks.spawn(sender.work(chance, pause, stop.clone()));
        }
        Senders { log, begins, stop, tasks }
    }

    pub fn log(&self) -> Log {
        self.log.lock().expect("the log").clone()
    }

    /// No new events; those under way are sent until they are taken.
    pub async fn finish(&mut self) -> Log {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("a sender");
        }
        self.log()
    }
}

/// Each request on a connection of its own: a kept one would only know the node it began with.
pub fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]).pool_max_idle_per_host(0);
    builder.timeout(Duration::from_secs(3)).build().expect("a client")
}

impl Sender {
    async fn work(self, mut chance: StdRng, pause: Duration, stop: CancellationToken) {
        for n in 1.. {
            let rest = pause.mul_f64(chance.random_range(0.2..1.8));
            if stop.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
                return;
            }
            let title = format!("Trouble {} {n:05}", self.name);
            let generic = chance.random();
            let severity = if chance.random_range(0..4) == 0 { "critical" } else { "error" };
            let id = self.deliver(&title, generic, severity).await;
            if let Some(id) = id.filter(|_| chance.random_range(0..4) == 0) {
                self.acknowledge(&id, &title).await;
            }
        }
    }

    /// The same event until it is taken; gives the incident's id if it is told.
    async fn deliver(&self, title: &str, generic: bool, severity: &str) -> Option<String> {
        let (path, body) = if generic {
            let body = json!({ "action": "trigger", "dedup_key": title, "title": title, "severity": severity });
            (format!("/intake/generic/{GENERIC_KEY}"), body)
        } else {
            let payload = json!({ "summary": title, "source": "x", "severity": severity });
            let event = json!({
                "routing_key": PAGERDUTY_KEY, "event_action": "trigger", "dedup_key": title, "payload": payload,
            });
            ("/v2/enqueue".into(), event)
        };
        let sent_at = Utc::now();
        let answer = self.until_taken(|http, base| http.post(format!("{base}{path}")).json(&body)).await?;
        let id = answer["id"].as_str().map(Into::into);
        let accepted = Accepted { title: title.into(), id, sent_at };
        let id = accepted.id.clone();
        self.log.lock().expect("the log").accepted.push(accepted);
        id
    }

    async fn acknowledge(&self, id: &str, title: &str) {
        let path = format!("/api/v1/incidents/{id}/acknowledge");
        let key = title.replace(' ', "-");
        let request = |http: &reqwest::Client, base: &str| {
            let request = http.post(format!("{base}{path}")).bearer_auth(&self.token);
            request.header("Idempotency-Key", &key).json(&json!({ "as": "ben" }))
        };
        if self.until_taken(request).await.is_some() {
            self.log.lock().expect("the log").acknowledged.push(id.into());
        }
    }

    /// `None`: an answer that says it will never be taken, or nobody took it for too long.
    async fn until_taken(&self, request: impl Fn(&reqwest::Client, &str) -> reqwest::RequestBuilder) -> Option<Value> {
        let (begun, base) = (Instant::now(), format!("http://{}", self.server));
        let mut last = String::new();
        while begun.elapsed() < PATIENCE {
            self.begins.notify_waiters();
            match request(&self.http, &base).send().await {
                Ok(answer) if answer.status().is_success() => match answer.json().await {
                    Ok(body) => return Some(body),
                    // The status came, the rest did not: it counts as taken, but nobody was told.
                    Err(_) => self.log.lock().expect("the log").unanswered += 1,
                },
                Ok(answer) if [429, 503].contains(&answer.status().as_u16()) => {
                    last = answer.status().to_string();
                    let mut log = self.log.lock().expect("the log");
                    log.refused += 1;
                    if !answer.headers().contains_key("retry-after") {
                        log.wrong.push(format!("{} without Retry-After", answer.status()));
                    }
                }
                Ok(answer) => {
                    let status = answer.status();
                    let body = answer.text().await.unwrap_or_default();
                    self.log.lock().expect("the log").wrong.push(format!("{status}: {body}"));
                    return None;
                }
                Err(error) => {
                    last = error.to_string();
                    self.log.lock().expect("the log").unanswered += 1;
                }
            }
            tokio::time::sleep(Duration::from_millis(rand::random_range(10..150))).await;
        }
        self.log.lock().expect("the log").wrong.push(format!("never taken: {last}"));
        None
    }
}
