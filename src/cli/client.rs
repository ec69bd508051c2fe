//! Speaks the REST interface for the command line.

use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::{Method, Response, Url, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// Where the service is, who asks, and how the answer is printed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Service")]
pub struct Remote {
    /// Where the service is
    #[arg(long, env = "RINGDOWN_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub url: Url,
    /// Who you are; `ringdown token create` makes one
    #[arg(long, env = "RINGDOWN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<SecretString>,
    /// The service's answer as it is, in JSON
    #[arg(long)]
    pub json: bool,
}

/// How often a request is sent when no answer comes.
const TRIES: u32 = 3;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one may take that is worked out of much.
const LONG_PATIENCE: Duration = Duration::from_secs(300);

/// How long is waited.
#[derive(Clone, Copy, Debug)]
enum Patience {
    /// Until the end of the answer.
    InAll(Duration),
    /// From one piece of it to the next.
    BetweenBytes(Duration),
}

impl Remote {
    /// Asks for something, by the parts of its path below `/api/v1`.
    pub async fn get(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, query, None).await
    }

    /// Asks for something that may take the service a while, as text.
    pub async fn text(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<String> {
        let bytes = self.send(Method::GET, path, query, None, LONG_PATIENCE).await?;
        String::from_utf8(bytes).with_context(|| format!("{} does not answer like Ringdown", self.url))
    }

    /// Asks for something that may be long, and hands it on as it comes. Errors when it breaks off.
    pub async fn stream(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        mut take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut response = self.open(Method::GET, path, query, None, Patience::BetweenBytes(LONG_PATIENCE)).await?;
        if !response.status().is_success() {
            return Err(refused(response, &self.url).await);
        }
        while let Some(bytes) = response.chunk().await.context("the answer broke off")? {
            take(&bytes)?;
        }
        Ok(())
    }

    /// Does something. Safe to repeat: each call carries a key of its own, so that it takes effect once however often
    /// it has to be sent.
    pub async fn post(&self, path: &[&str], body: Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    /// Removes something.
    pub async fn delete(&self, path: &[&str]) -> anyhow::Result<()> {
        self.ask(Method::DELETE, path, &[], None).await.map(drop)
    }

    /// Prints the answer: as it is with `--json`, else as `words` puts it.
    pub fn print(&self, answer: &Value, words: impl FnOnce(&Value) -> String) {
        let text = if self.json { format!("{answer:#}\n") } else { words(answer) };
        super::print(&text);
    }

    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let bytes = self.send(method, path, query, body, PATIENCE).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).with_context(|| format!("{} does not answer like Ringdown", self.url))
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<Value>,
        patience: Duration,
    ) -> anyhow::Result<Vec<u8>> {
        let response = self.open(method, path, query, body, Patience::InAll(patience)).await?;
        if !response.status().is_success() {
            return Err(refused(response, &self.url).await);
        }
        Ok(response.bytes().await.context("the answer broke off")?.into())
    }

    /// Sends a request, again when no answer comes, until one begins.
    async fn open(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<Value>,
        patience: Patience,
    ) -> anyhow::Result<Response> {
        let token = self.token.as_ref().filter(|token| !token.expose_secret().trim().is_empty()).context(
            "no token: set RINGDOWN_TOKEN; where the service runs, `ringdown token create NAME --role responder` makes one",
        )?;
        let url = address(&self.url, path, query)?;
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("ringdown/", env!("CARGO_PKG_VERSION")));
        let client = match patience {
            Patience::InAll(patience) => client.timeout(patience),
            Patience::BetweenBytes(patience) => client.read_timeout(patience),
        };
        let client = client.build()?;
        let mut request = client
            .request(method, url)
            .header(header::ACCEPT, "application/json")
            .bearer_auth(token.expose_secret().trim());
        if let Some(body) = body {
            request = request.header("idempotency-key", uuid::Uuid::new_v4().to_string()).json(&body);
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let again = request.try_clone().context("the request cannot be sent twice")?;
            match again.send().await {
                Ok(response) if response.status() == 503 && tries < TRIES => {}
                Ok(response) => return Ok(response),
                Err(error) if tries < TRIES && !error.is_builder() => {}
                Err(error) => return Err(unreachable(&self.url, &error)),
            }
            tokio::time::sleep(Duration::from_millis(300 * u64::from(tries))).await;
        }
    }
}

fn address(base: &Url, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Url> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| anyhow!("RINGDOWN_URL must be an http or https address"))?
        .pop_if_empty()
        .extend(["api", "v1"])
        .extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// What a refusal says.
async fn refused(response: Response, base: &Url) -> anyhow::Error {
    let status = response.status();
    let problem: Value = match response.bytes().await {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(_) => Value::Null,
    };
    match problem["detail"].as_str() {
        Some(detail) => anyhow!("{detail}"),
        None => anyhow!("{base} answers {status}; is it Ringdown?"),
    }
}

fn unreachable(base: &Url, error: &reqwest::Error) -> anyhow::Error {
    if error.is_timeout() {
        return anyhow!("{base} does not answer in time");
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    anyhow!("cannot reach {base}: {cause}; does the service run, and is RINGDOWN_URL right?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_the_public_url_is_kept_and_names_are_escaped() {
        let url = |base: &str| address(&base.parse().unwrap(), &["incidents", "48/21 ?"], &[("open", "a&b".into())]);
        assert_eq!(url("http://h:1").unwrap().as_str(), "http://h:1/api/v1/incidents/48%2F21%20%3F?open=a%26b");
        assert_eq!(url("https://h/x/").unwrap().as_str(), "https://h/x/api/v1/incidents/48%2F21%20%3F?open=a%26b");
        assert!(url("mailto:a@b").is_err());
    }
}
