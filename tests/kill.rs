//! The real binary, killed without warning at any moment, and started again. `RINGDOWN_KILLS=200` kills more often.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use ringdown::clock::Clock;
use serde_json::{Value, json};

use crate::world::*;

/// How often it is killed.
fn kills() -> usize {
    std::env::var("RINGDOWN_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

const RULES: &str = "rules = { P1 = [{ by = 'sms', to = 'mobile' }, { by = 'voice', to = 'mobile' }], \
                     P2 = [{ by = 'sms', to = 'mobile' }] }";

/// Levels two seconds apart, and no limits on how often a number is tried.
fn hasty() -> Office {
    Office::default()
        .edit("policies.toml", "repeat = 1", "repeat = 0")
        .edit("people.toml", "zone = \"America/New_York\"\n", &format!("zone = \"UTC\"\n{RULES}\n"))
        // That of the last resort too.
        .edit("policies.toml", "last_resort_after = \"5m\"", "last_resort_after = \"30s\"")
        .edit("policies.toml", "after = \"5m\"", "after = \"2s\"")
        .edit("policies.toml", "after = \"10m\"", "after = \"4s\"")
        .edit("policies.toml", "after = \"15m\"", "after = \"6s\"")
        .edit(
            "carriers.toml",
            "[carriers]\n",
            "[carriers.limits]\nvoice = [{ count = 1000, per = \"1m\" }]\nsms = [{ count = 1000, per = \"1m\" }]\n",
        )
}

/// The binary, as a process.
pub struct Server {
    pub config: PathBuf,
    pub database: String,
    log: File,
    pub address: SocketAddr,
    /// More of its environment.
    pub env: Vec<(&'static str, String)>,
    child: Option<Child>,
}

impl Server {
    pub async fn new(folder: &Path, carrier: &Carrier) -> Server {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        hasty().write(&folder.join("schedules"));
        let config = folder.join("ringdown.toml");
        let database = crate::DATABASE.address(folder).await;
        let secret = crate::DATABASE.token_secret().map(|secret| format!("token_secret = \"{secret}\"\n"));
        let text = format!(
            "listen = \"{address}\"\npublic_url = \"{PUBLIC_URL}\"\ndatabase = \"{database}\"\n{}\
             schedules = \"{folder}/schedules\"\n[carriers.main]\nkind = \"twilio\"\naccount_sid = \"{}\"\n\
             auth_token = \"{}\"\nbase_url = \"{}\"\nfrom = [\"{}\"]\n",
            secret.unwrap_or_default(),
            carrier::ACCOUNT,
            carrier::TOKEN,
            carrier.base_url(),
            carrier::OURS,
            folder = folder.display(),
        );
        std::fs::write(&config, text).expect("the settings");
        let log = File::create(folder.join("log")).expect("a log");
        Server { config, database, log, address, env: Vec::new(), child: None }
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(self.config.with_file_name("log")).unwrap_or_default()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringdown"));
        command.env_clear().env("RINGDOWN_CONFIG", &self.config).env("PATH", "/usr/bin:/bin");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn start(&mut self) {
        let log = || self.log.try_clone().expect("the log");
        let mut command = self.command();
        let child = command.arg("serve").stdin(Stdio::null()).stdout(log()).stderr(log()).spawn();
        self.child = Some(child.expect("it starts"));
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let ended = child.try_wait().expect("a process");
            assert!(ended.is_none(), "it ended by itself: {}", self.said());
            child.kill().expect("it is there to be killed");
            child.wait().expect("gone");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// As a sender does: the same event again until it is taken.
async fn deliver(http: &reqwest::Client, address: SocketAddr, key: &str) {
    let event = json!({
        "routing_key": PAGERDUTY_KEY, "event_action": "trigger", "dedup_key": key,
        "payload": { "summary": format!("Trouble {key}"), "source": "x", "severity": "critical" },
    });
    let begun = Instant::now();
    loop {
        let sent = http.post(format!("http://{address}/v2/enqueue")).json(&event).send().await;
        if sent.as_ref().is_ok_and(|answer| answer.status() == 202) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "never taken: {sent:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_loses_no_event_and_climbs_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let carrier = Carrier::start(Clock::system(), PUBLIC_URL).await;
    let mut server = Server::new(folder.path(), &carrier).await;
    carrier.connect(Some(server.address));
    let pump = tokio::spawn({
        let carrier = carrier.clone();
        async move {
            loop {
                carrier.run_due().await;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(5))
        .build()
        .expect("a client");
    // The token first: it needs no server.
    let made =
        server.command().args(["token", "create", "tests", "--role", "admin", "--json"]).output().expect("a token");
    let made: Value = serde_json::from_slice(&made.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&made.stderr)));
    let token = text(&made["token"]);
    server.start();

    let kills = kills();
    for n in 0..kills {
        let delivery = tokio::spawn({
            let (http, address) = (http.clone(), server.address);
            async move { deliver(&http, address, &format!("n{n:05}")).await }
        });
        // Now and then in the middle of the event itself, otherwise somewhere in the second after.
        let most = if n % 3 == 0 { 60 } else { 1200 };
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..most))).await;
        server.kill();
        server.start();
        assert!(delivery.await.is_ok(), "the event was not taken: {}", server.said());
    }

    // Everybody up to the executive hears of every event.
    let everybody = [BEN, CARLA, INES, JONAS];
    let begun = Instant::now();
    let complete = |carrier: &Carrier| {
        let texts: Vec<Sent> = carrier.sent().into_iter().filter(|sent| !sent.voice).collect();
        let told = |n: usize, number: &str| {
            texts.iter().filter(|text| text.to == number && text.body.contains(&format!("Trouble n{n:05}"))).count()
        };
        let mut missing = Vec::new();
        let mut twice = 0;
        for n in 0..kills {
            for number in everybody {
                match told(n, number) {
                    0 => missing.push((n, number)),
                    1 => {}
                    more => {
                        assert!(more <= 2, "{number} was told {more} times of n{n:05}");
                        twice += 1;
                    }
                }
            }
        }
        (missing, twice)
    };
    let twice = loop {
        let (missing, twice) = complete(&carrier);
        if missing.is_empty() {
            break twice;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "never told: {missing:?}\n{}", server.said());
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(twice <= kills, "{twice} texts came twice in {kills} kills");

    // One incident an event, each with every level once, in order.
    let url = format!("http://{}/api/v1/incidents", server.address);
    let get = async |url: String| -> Value {
        let answer = http.get(url).bearer_auth(&token).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    };
    let listed = get(format!("{url}?limit=200")).await;
    let incidents = listed["items"].as_array().expect("a list");
    assert_eq!(incidents.len(), kills.min(200), "one incident an event");
    for incident in incidents {
        let events = get(format!("{url}/{}/events?limit=200", text(&incident["id"]))).await;
        let events = events["items"].as_array().expect("a list");
        let numbers: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "no gap and nothing twice");
        let levels: Vec<u64> = events
            .iter()
            .filter(|event| event["event"] == "level_reached")
            .map(|event| event["level"].as_u64().expect("a level"))
            .collect();
        assert!(levels.len() >= everybody.len(), "{incident}");
        assert_eq!(levels, (0..levels.len() as u64).collect::<Vec<_>>(), "each once, in order: {incident}");
    }
    server.kill();
    pump.abort();
    assert_eq!(carrier.violations(), [""; 0]);
}
