//! The only requests of the watch: to our own port, and to those outside who are told that we are well, or not.
//! Addresses of dead-man services are secrets; no error says them.

use std::{error::Error, time::Duration};

use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};

/// How long anybody asked by the watch has to answer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// For requests to this machine: no proxy, no certificates, a new connection each time, as a stranger's would be.
pub fn to_ourselves() -> reqwest::Result<Client> {
    Client::builder().no_proxy().tls_certs_only([]).pool_max_idle_per_host(0).timeout(PATIENCE).build()
}

/// Pings an address. The error says what went wrong, and not where.
pub async fn ping(url: &SecretString) -> Result<(), String> {
    let url = url.expose_secret();
    let client = Client::builder()
        .user_agent(concat!("ringdown/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::limited(3))
        .timeout(PATIENCE);
    // Plain http needs no certificates, and a small machine may have none.
    let client = if url.starts_with("http://") { client.tls_certs_only([]) } else { client };
    let client = client.build().map_err(words)?;
    let response = client.get(url).send().await.map_err(words)?;
    match response.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("it answered {}", status.as_u16())),
    }
}

/// What is answered at an address of our own: the status and the beginning of the text. Redirects are not followed.
pub async fn read(url: &str) -> Result<(u16, String), String> {
    const MOST: usize = 1024;
    let none = reqwest::redirect::Policy::none();
    let client = Client::builder().redirect(none).pool_max_idle_per_host(0).timeout(PATIENCE);
    let client = if url.starts_with("http://") { client.tls_certs_only([]) } else { client };
    let mut response = client.build().map_err(words)?.get(url).send().await.map_err(words)?;
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(words)? {
        text.extend_from_slice(&chunk);
        if text.len() > MOST {
            break;
        }
    }
    text.truncate(MOST);
    Ok((response.status().as_u16(), String::from_utf8_lossy(&text).into_owned()))
}

/// Pings from a thread that has no runtime, or whose runtime stands still.
pub fn ping_from_a_thread(url: &SecretString) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(ping(url))
}

/// What went wrong, without the address.
pub fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if error.is_timeout() { "no answer in time".into() } else { cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_wrong_is_said_without_the_address() {
        for url in ["http://127.0.0.1:1/secret-uuid", "http://secret-uuid.invalid/", "https://[::1]:1/secret-uuid"] {
            let said = ping(&url.to_owned().into()).await.unwrap_err();
            assert!(!said.contains("secret-uuid") && !said.is_empty(), "{said}");
        }
    }
}
