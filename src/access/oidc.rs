//! Signing in with OpenID Connect: the issuer is found by discovery, the browser is sent there, and the code it comes
//! back with is exchanged for an id token. Everything fetched is bounded in time and size; no redirect is followed.

pub mod flow;
pub mod identity;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::TimeDelta;
use jsonwebtoken::jwk::Jwk;
use rand::Rng;
use reqwest::{Client, RequestBuilder, header::ACCEPT};
use secrecy::ExposeSecret;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use self::{
    flow::Flow,
    identity::{Expected, Refused},
};
use super::origin;
use crate::{clock::Time, server::settings::OidcSettings};

/// How long the issuer has to answer.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// No answer is read further.
const LONGEST_ANSWER: usize = 256 * 1024;
/// How long what the issuer says of itself is believed.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// How long it holds when the issuer cannot be asked: what was good is better than nobody signed in.
const STALE: TimeDelta = TimeDelta::hours(24);
/// How often its keys are fetched at most for the sake of one that is not known.
const KEYS_EVERY: TimeDelta = TimeDelta::minutes(1);

/// How long an issuer that did not answer is not asked again.
const REST: TimeDelta = TimeDelta::seconds(5);

/// What the issuer says of itself (OpenID Connect Discovery, 3).
#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What is known of the issuer, and since when.
#[derive(Clone, Debug)]
struct Known {
    metadata: Metadata,
    keys: Arc<Vec<Jwk>>,
    fetched_at: Time,
    keys_fetched_at: Time,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Value>,
}

/// The one issuer of the settings.
pub struct Oidc {
    settings: OidcSettings,
    redirect_uri: String,
    known: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    known: Option<Known>,
    failed_at: Option<Time>,
}

impl Oidc {
    /// Asks nobody yet.
    pub fn new(settings: OidcSettings, public_url: &str) -> Oidc {
        Oidc { settings, redirect_uri: format!("{public_url}/sign-in/oidc/callback"), known: Mutex::default() }
    }

    /// What the button says.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The claim that says who somebody is.
    pub fn claim(&self) -> &str {
        &self.settings.claim
    }

    /// Begins a sign-in: what the browser keeps, and where it is sent.
    pub async fn begin(&self, next: &str, now: Time) -> anyhow::Result<(Flow, String)> {
        let known = self.known(None, now).await?;
        let mut random = [0u8; 96];
        rand::rng().fill_bytes(&mut random);
        let flow = Flow::new(&random, next, now);
        let to = flow.address(&known.metadata.authorization_endpoint, &self.settings.client_id, &self.redirect_uri);
        Ok((flow, to))
    }

    /// Whether an `iss` beside the code is the one it was asked of (RFC 9207). Not every issuer sends it.
    pub fn is_issuer(&self, iss: &str) -> bool {
        iss == self.settings.issuer
    }

    /// Exchanges the code that a browser came back with for what the issuer knows of its owner.
    pub async fn finish(&self, flow: &Flow, code: &str, now: Time) -> anyhow::Result<Map<String, Value>> {
        let known = self.known(None, now).await?;
        let tokens = self.exchange(&known.metadata, code, &flow.verifier).await?;
        let (issuer, client_id) = (self.settings.issuer.as_str(), self.settings.client_id.as_str());
        let expected = Expected { issuer, client_id, nonce: &flow.nonce, now: now.timestamp() };
        let mut claims = match identity::claims(&tokens.id_token, &known.keys, expected) {
            // Keys change; one that is not known yet may be a minute old.
            Err(Refused::UnknownKey) => {
                let known = self.known(Some(known.keys_fetched_at), now).await?;
                identity::claims(&tokens.id_token, &known.keys, expected)
            }
            claims => claims,
        }
        .context("the id token is refused")?;
        if !claims.contains_key(self.claim())
            && let (Some(endpoint), Some(token)) = (&known.metadata.userinfo_endpoint, &tokens.access_token)
        {
            let more = self.user_info(endpoint, token).await?;
            ensure!(more.get("sub") == claims.get("sub"), "the issuer's userinfo is somebody else's");
            for (claim, value) in more {
                claims.entry(claim).or_insert(value);
            }
        }
        Ok(claims)
    }

    async fn exchange(&self, metadata: &Metadata, code: &str, verifier: &str) -> anyhow::Result<Tokens> {
        let client_id = self.settings.client_id.as_str();
        let secret = self.settings.client_secret.expose_secret();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", verifier),
        ];
        let methods = metadata.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let has = |method: &str| methods.iter().any(|known| known == method);
        let request = client(&metadata.token_endpoint)?.post(&metadata.token_endpoint);
        // Where nothing is said, it is `client_secret_basic` (Discovery, 3).
        let request = if !has("client_secret_basic") && has("client_secret_post") {
            form.extend([("client_id", client_id), ("client_secret", secret)]);
            request
        } else {
            // Encoded as in a form first (RFC 6749, 2.3.1).
            let part = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = BASE64_STANDARD.encode(format!("{}:{}", part(client_id), part(secret)));
            request.header("authorization", format!("Basic {pair}"))
        };
        read(request.form(&form)).await.context("the issuer does not exchange the code")
    }

    async fn user_info(&self, endpoint: &str, token: &str) -> anyhow::Result<Map<String, Value>> {
        read(client(endpoint)?.get(endpoint).bearer_auth(token)).await.context("the issuer's userinfo")
    }

    /// What is known of the issuer, fetched anew where it is too old. With `than`, keys newer than those are wanted.
    async fn known(&self, than: Option<Time>, now: Time) -> anyhow::Result<Known> {
        // Of a clock that was set back, nothing is fresh.
        let within = |at: Time, span: TimeDelta| (now - at).abs() < span;
        let mut memory = self.known.lock().await;
        if let Some(known) = memory.known.as_mut().filter(|known| within(known.fetched_at, FRESH)) {
            let wanted = than.is_some_and(|than| known.keys_fetched_at <= than);
            if wanted && !within(known.keys_fetched_at, KEYS_EVERY) {
                known.keys = Arc::new(keys(&known.metadata.jwks_uri).await?);
                known.keys_fetched_at = now;
            }
            return Ok(known.clone());
        }
        let mut why = anyhow::anyhow!("the issuer did not answer just now");
        // Nobody waits behind a line of those who ask an issuer that does not answer.
        if memory.failed_at.is_none_or(|failed| !within(failed, REST)) {
            memory.failed_at = None;
            match self.discover(now).await {
                Ok(known) => return Ok(memory.known.insert(known).clone()),
                Err(error) => {
                    memory.failed_at = Some(now);
                    why = error;
                }
            }
        }
        // Each token is still checked.
        let known = memory.known.as_ref().filter(|known| within(known.fetched_at, STALE));
        known.cloned().ok_or(why)
    }

    async fn discover(&self, now: Time) -> anyhow::Result<Known> {
        let issuer = &self.settings.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = read(client(&url)?.get(&url)).await.context("the issuer's discovery document")?;
        ensure!(metadata.issuer == *issuer, "the issuer calls itself otherwise: write `issuer` exactly as it does");
        let userinfo = metadata.userinfo_endpoint.as_ref();
        for endpoint in
            [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri].into_iter().chain(userinfo)
        {
            ensure!(is_safe(endpoint), "an endpoint of the issuer is not https");
        }
        let keys = Arc::new(keys(&metadata.jwks_uri).await?);
        Ok(Known { metadata, keys, fetched_at: now, keys_fetched_at: now })
    }
}

/// Encrypted on its way, or not on its way at all.
pub fn is_safe(url: &str) -> bool {
    let fine = url.len() <= 2000 && url.bytes().all(|byte| byte.is_ascii_graphic());
    let encrypted = url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    fine && (encrypted || (url.starts_with("http://") && origin::is_loopback(url)))
}

async fn keys(url: &str) -> anyhow::Result<Vec<Jwk>> {
    let all: Keys = read(client(url)?.get(url)).await.context("the issuer's keys")?;
    // Some may be of a kind that we have not heard of.
    Ok(all.keys.into_iter().take(100).filter_map(|key| serde_json::from_value(key).ok()).collect())
}

fn client(url: &str) -> anyhow::Result<Client> {
    let client = Client::builder()
        .user_agent(concat!("ringdown/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none());
    // Plain http is to this machine, and needs neither certificates nor a proxy.
    let client = if url.starts_with("http://") { client.tls_certs_only([]).no_proxy() } else { client };
    client.build().context("cannot use TLS; are the system's certificates (ca-certificates) installed?")
}

/// One answer, read whole. The error has no address: there may be a code in it.
async fn read<T: DeserializeOwned>(request: RequestBuilder) -> anyhow::Result<T> {
    let mut response = request.header(ACCEPT, "application/json").send().await.map_err(reqwest::Error::without_url)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        ensure!(body.len() + chunk.len() <= LONGEST_ANSWER, "its answer is too long");
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        // `invalid_grant` and its like (RFC 6749, 5.2): a word of the issuer's, for the log.
        let error = serde_json::from_slice::<Value>(&body).ok();
        let word = error.as_ref().and_then(|error| error.get("error")?.as_str()).unwrap_or_default();
        let word: String = word.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
        bail!("it answered {} {word}", status.as_u16());
    }
    serde_json::from_slice(&body).map_err(|_| anyhow::anyhow!("its answer cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_encrypted_or_on_this_machine() {
        for url in ["https://issuer.example/x", "http://127.0.0.1:9000", "http://localhost/realms/x", "http://[::1]:1/"]
        {
            assert!(is_safe(url), "{url}");
        }
        for url in
            ["", "http://issuer.example", "https://", "ftp://127.0.0.1", "http://localhost.evil.example", "https://a b"]
        {
            assert!(!is_safe(url), "{url}");
        }
    }
}
