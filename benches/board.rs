//! How long the board takes on the server with 200 open incidents, from the request to the last byte, and how heavy it
//! is on the wire. Figures of one run are to be compared with one another, not with another machine's.
//!
//! `cargo bench --bench board`

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use ringdown::{
    access::{
        Role, grant,
        session::{self, From, How, Who},
    },
    clock::Clock,
    config,
    server::{
        boot,
        settings::{Settings, WatchSettings},
    },
};
use serde_json::json;

const OPEN: usize = 200;
const ASKED: usize = 100;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let schedules = folder.path().join("schedules");
    config::write_example(&schedules)?;
    let settings = Settings {
        listen: "127.0.0.1:0".parse()?,
        public_url: "http://127.0.0.1:0".into(),
        database: format!("sqlite:{}", folder.path().join("bench.db").display()),
        schedules,
        watch: WatchSettings { heartbeat: None, ..WatchSettings::default() },
        lease: TimeDelta::minutes(1),
        ..Settings::default()
    };
    let running = boot::start(settings, Clock::system()).await?;
    let (app, url) = (&running.app, format!("http://{}", running.address));
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let (_, token) = grant(&mut tx, &app.token_key, "bench", Role::Admin, None, None, now).await?;
    let who = Who { name: "bench".into(), role: Some(Role::Admin), ..Who::default() };
    let cookie = session::begin(&mut tx, app, &who, How::Link, &From::default()).await?;
    tx.commit().await?;
    let cookie = cookie.to_str()?.split(';').next().unwrap_or_default().to_owned();

    let client = reqwest::Client::new();
    for n in 0..OPEN {
        let priority = if n % 4 == 0 { "P1" } else { "P2" };
        let title = format!("Trouble number {n}: checkout does not answer in {} of 9 regions", n % 9 + 1);
        let body = json!({ "customer": "acme", "priority": priority, "title": title });
        let report = client.post(format!("{url}/api/v1/incidents")).bearer_auth(&token).json(&body);
        anyhow::ensure!(report.send().await?.status() == 201, "not taken");
    }
    // Until their first pages are out.
    tokio::time::sleep(Duration::from_secs(5)).await;

    let mut spans = Vec::new();
    let (mut plain, mut packed) = (0, 0);
    for n in 0..ASKED {
        let begun = Instant::now();
        let asked = client.get(&url).header("cookie", &cookie);
        let asked = if n % 2 == 0 { asked.header("accept-encoding", "gzip") } else { asked };
        let body = asked.send().await?.error_for_status()?.bytes().await?;
        if n % 2 == 0 {
            packed = body.len();
        } else {
            plain = body.len();
        }
        spans.push(begun.elapsed());
    }
    spans.sort();
    let at = |percent: usize| spans[(spans.len() * percent / 100).min(spans.len() - 1)].as_secs_f64() * 1000.0;
    println!(
        "the board with {OPEN} open incidents: p50 {:.1} ms, p95 {:.1} ms, worst {:.1} ms",
        at(50),
        at(95),
        at(100)
    );
    println!("its page: {packed} bytes on the wire, {plain} unpacked");
    running.stop().await;
    Ok(())
}
