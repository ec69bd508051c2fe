//! Load on the real service, on this machine: how long a page takes from the webhook to the carrier, and how many
//! webhooks a second are on disk. Figures of one run are to be compared with one another, not with another machine's.
//!
//! `cargo bench --bench service`

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use ringdown::{
    clock::Clock,
    config,
    server::{
        boot,
        settings::{CarrierSettings, Settings, TwilioSettings},
    },
};
use serde_json::json;

/// Troubles that are open before the load begins.
const KNOWN: usize = 64;

/// When the carrier was first asked about each incident, by the title in the text.
type Asked = Arc<Mutex<HashMap<String, Instant>>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let asked = Asked::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let carrier = Router::new().route("/2010-04-01/Accounts/{account}/{what}", post(take)).with_state(asked.clone());
    tokio::spawn(async move { axum::serve(listener, carrier).await });

    let schedules = folder.path().join("schedules");
    config::write_example(&schedules)?;
    let twilio = TwilioSettings {
        account_sid: format!("AC{}", "0".repeat(32)),
        auth_token: "secret".into(),
        previous_auth_token: None,
        base_url,
        from: vec!["+12015550199".into()],
        ring_seconds: 22,
    };
    let settings = Settings {
        listen: "127.0.0.1:0".parse()?,
        public_url: "http://127.0.0.1:0".into(),
        database: format!("sqlite:{}", folder.path().join("bench.db").display()),
        schedules,
        carriers: [("bench".into(), CarrierSettings::Twilio(twilio))].into(),
        ..Settings::default()
    };
    let running = boot::start(settings, Clock::system()).await?;
    let url = format!("http://{}/intake/generic/example-generic-key", running.address);
    let client = reqwest::Client::new();

    println!("webhook to the carrier's request, one at a time:");
    let mut spans = Vec::new();
    for number in 0..200 {
        let title = format!("one {number}");
        let begun = Instant::now();
        report(&client, &url, &title).await?;
        spans.push(first_asked(&asked, &title).await.duration_since(begun));
    }
    tell(&mut spans);

    // The same troubles again, whatever the number of connections: recorded, and nobody is paged a second time.
    let troubles: Vec<String> = (0..KNOWN).map(|number| format!("known {number}")).collect();
    for title in &troubles {
        report(&client, &url, title).await?;
        first_asked(&asked, title).await;
    }
    for connections in [1, 8, 64] {
        let (begun, each) = (Instant::now(), 3200 / connections);
        let mut tasks = Vec::new();
        for connection in 0..connections {
            let (client, url, troubles) = (client.clone(), url.clone(), troubles.clone());
            tasks.push(tokio::spawn(async move {
                let mut spans = Vec::new();
                for number in 0..each {
                    let asked = Instant::now();
                    report(&client, &url, &troubles[(connection + number) % KNOWN]).await?;
                    spans.push(asked.elapsed());
                }
                anyhow::Ok(spans)
            }));
        }
        let mut spans = Vec::new();
        for task in tasks {
            spans.extend(task.await??);
        }
        let rate = spans.len() as f64 / begun.elapsed().as_secs_f64();
        println!("webhooks on disk, {connections} connections: {rate:.0} a second, answered in:");
        tell(&mut spans);
    }
    running.stop().await;
    Ok(())
}

async fn report(client: &reqwest::Client, url: &str, title: &str) -> anyhow::Result<()> {
    let body = json!({"action": "trigger", "title": title, "severity": "critical", "dedup_key": title});
    let status = client.post(url).json(&body).send().await?.status();
    anyhow::ensure!(status == StatusCode::ACCEPTED, "refused: {status}");
    Ok(())
}

/// Takes every text and call, and notes when.
async fn take(State(asked): State<Asked>, form: String) -> impl IntoResponse {
    let now = Instant::now();
    let fields: HashMap<String, String> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    if let Some(body) = fields.get("Body") {
        let title = body.split(": ").nth(1).and_then(|rest| rest.split('.').next()).unwrap_or_default();
        asked.lock().expect("asked").entry(title.into()).or_insert(now);
    }
    let sid = format!("SM{}", ringdown::id::fresh("x"));
    (StatusCode::CREATED, axum::Json(json!({"sid": sid, "status": "queued", "error_code": null})))
}

async fn first_asked(asked: &Asked, title: &str) -> Instant {
    loop {
        if let Some(at) = asked.lock().expect("asked").get(title) {
            return *at;
        }
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
}

fn tell(spans: &mut [Duration]) {
    spans.sort_unstable();
    let at = |percent: usize| spans[(spans.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    println!("  p50 {:.2} ms   p95 {:.2} ms   p99 {:.2} ms   max {:.2} ms", at(50), at(95), at(99), at(100));
}
