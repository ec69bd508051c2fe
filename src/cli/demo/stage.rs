//! The story's hands and eyes: the HTTP interface, and nothing behind it.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::TimeDelta;
use serde_json::Value;

use crate::clock::{Clock, Time};

/// The HTTP interface of a running server, and its clock to tell the time by.
pub struct Stage {
    client: reqwest::Client,
    url: String,
    token: String,
    pub clock: Clock,
    begun: Time,
}

impl Stage {
    pub fn new(url: &str, token: &str, clock: Clock) -> anyhow::Result<Stage> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(40)).build()?;
        let begun = clock.now();
        Ok(Stage { client, url: url.into(), token: token.into(), clock, begun })
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.client.get(format!("{}{path}", self.url)), path).await
    }

    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.send(self.client.post(format!("{}{path}", self.url)).json(&body), path).await
    }

    pub async fn put(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.send(self.client.put(format!("{}{path}", self.url)).json(&body), path).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, path: &str) -> anyhow::Result<Value> {
        let response = request.bearer_auth(&self.token).send().await.with_context(|| format!("asking {path}"))?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("{path} answered {status}: {text}");
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Looks again and again until `seen` gives something, for at most `within` of the story's time (and never less
    /// than ten real seconds).
    pub async fn wait<T>(
        &self,
        what: &str,
        within: TimeDelta,
        seen: impl AsyncFn() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let (end, least) = (self.clock.now() + within, Instant::now() + Duration::from_secs(10));
        loop {
            if let Some(found) = seen().await? {
                return Ok(found);
            }
            if self.clock.now() > end && Instant::now() > least {
                bail!("this did not happen: {what}");
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// How much of the story's time has gone.
    pub fn elapsed(&self) -> TimeDelta {
        self.clock.now() - self.begun
    }

    /// Waits until so much of the story's time has gone.
    pub async fn until(&self, since_begun: TimeDelta) {
        self.clock.sleep_until(self.begun + since_begun).await;
    }

    /// Tells a line of the story.
    pub fn tell(&self, words: &str) {
        let seconds = self.elapsed().num_seconds();
        say!("  {:>3}:{:02}  {words}", seconds / 60, seconds % 60);
    }

    /// Something said on the phone, or written.
    pub fn quote(&self, who: &str, words: &str) {
        say!("          {who}: “{words}”");
    }

    /// A new part.
    pub fn part(&self, title: &str) {
        say!("\n{title}");
    }
}
