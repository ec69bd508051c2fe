//! Requests to the API. A request that was refused was not carried out; one that was never sent was not either; of
//! every other that brought no good answer we do not know, and say so.

use std::{error::Error, time::Duration};

use anyhow::{Context, bail, ensure};
use futures::future::BoxFuture;
use reqwest::{RequestBuilder, Url, header::RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};

use super::{
    doors, errors,
    request::{self, Form, Page},
};
use crate::{
    carrier::{Accepted, Call, Carrier, ErrorClass, SendError, Sent, Sms},
    id::CarrierKey,
    people::{Channel, E164},
    server::settings::TwilioSettings,
};

const CONNECT: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(10);
/// No answer about one text is longer; a list of a hundred is.
const LONGEST_ANSWER: usize = 512 * 1024;
/// Hanging up a call that is over.
const NOT_IN_PROGRESS: u32 = 21_220;
/// The address for receipts is not one that Twilio would call.
const BAD_CALLBACK: &str = "21609";

/// An account with Twilio, or with anything that speaks as Twilio does.
pub struct Twilio {
    key: CarrierKey,
    /// `{base_url}/2010-04-01/Accounts/{sid}`.
    account: String,
    sid: String,
    token: SecretString,
    doors: String,
    from: Vec<E164>,
    http: reqwest::Client,
}

/// What came back, whole.
struct Answer {
    http: u16,
    retry_after: Option<chrono::TimeDelta>,
    body: Vec<u8>,
}

/// So many pages of a list are read to find what was sent: thousands of texts to one number.
const MOST_PAGES: usize = 20;

impl Twilio {
    /// Ready to be asked; nothing is sent yet. `Err` when the settings cannot work.
    pub fn new(key: CarrierKey, settings: &TwilioSettings, public_url: &str) -> anyhow::Result<Twilio> {
        let safe = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        ensure!(safe(key.as_str()), "carrier `{key}`: its key is part of a URL; use letters, digits, `-` and `_`");
        ensure!(safe(&settings.account_sid), "carrier `{key}`: account_sid is not an account's SID (`AC…`)");
        ensure!(!settings.auth_token.expose_secret().is_empty(), "carrier `{key}`: auth_token is empty");
        let base: Url = settings.base_url.parse().with_context(|| format!("carrier `{key}`: base_url is no URL"))?;
        ensure!(
            base.query().is_none() && base.fragment().is_none() && base.username().is_empty(),
            "carrier `{key}`: base_url has a query, a fragment or a user; give scheme, host and path alone"
        );
        let mut from = Vec::new();
        for number in &settings.from {
            from.push(E164::parse(number).with_context(|| format!("carrier `{key}`: a number in `from`"))?);
        }
        ensure!(!from.is_empty(), "carrier `{key}`: `from` is empty; give at least one of your numbers");
        let http = reqwest::Client::builder()
            .user_agent(concat!("ringdown/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .redirect(reqwest::redirect::Policy::none());
        let http = match base.scheme() {
            "https" => http,
            // An emulator; it needs no certificates, and a machine for tests may have none.
            "http" => {
                if !is_loopback(&base) {
                    tracing::warn!(carrier = %key, "base_url is plain http: the auth token travels in the open");
                }
                http.tls_certs_only([])
            }
            scheme => bail!("carrier `{key}`: base_url begins with `{scheme}:`; use https"),
        };
        let http = if is_loopback(&base) { http.no_proxy() } else { http };
        Ok(Twilio {
            account: format!("{}/2010-04-01/Accounts/{}", base.as_str().trim_end_matches('/'), settings.account_sid),
            sid: settings.account_sid.clone(),
            token: settings.auth_token.clone(),
            doors: doors(public_url, key.as_str()),
            from,
            http: http.build().with_context(|| {
                format!("carrier `{key}`: cannot use TLS; are the system's certificates (ca-certificates) installed?")
            })?,
            key,
        })
    }

    /// One request, its answer read whole.
    async fn ask(&self, request: RequestBuilder) -> Result<Answer, SendError> {
        let request = request.basic_auth(&self.sid, Some(self.token.expose_secret()));
        let mut response = request.send().await.map_err(lost)?;
        let http = response.status().as_u16();
        let retry_after =
            request::retry_after(response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()));
        let mut body = Vec::new();
        // The status alone tells a refusal; a body that breaks off matters only where it was taken.
        while let Some(chunk) = response.chunk().await.map_err(lost).or_else(|error| match http {
            200..=299 => Err(error),
            _ => Ok(None),
        })? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                body.clear();
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { http, retry_after, body })
    }

    async fn post(&self, path: &str, form: &Form) -> Result<Accepted, SendError> {
        let answer = self.ask(self.http.post(format!("{}/{path}", self.account)).form(form)).await?;
        request::understand(answer.http, answer.retry_after, &answer.body)
    }

    /// Posts the form made for each of our numbers in turn, until one is not refused for the number's sake.
    async fn post_from_any(
        &self,
        channel: Channel,
        path: &str,
        form: impl Fn(&str) -> Form + Send + Sync,
    ) -> Result<Accepted, SendError> {
        let mut result = Err(unsendable("no number to send from"));
        for from in &self.from {
            let mut form = form(from.as_str());
            result = self.post(path, &form).await;
            if channel == Channel::Sms && refused_with(&result, |code| code == BAD_CALLBACK) {
                // A text without a receipt is better than none.
                tracing::error!(carrier = %self.key, "public_url cannot be called by the carrier: no receipts");
                form.retain(|(name, _)| *name != "StatusCallback");
                result = self.post(path, &form).await;
            }
            let blamed = refused_with(&result, |code| code.parse().is_ok_and(errors::blames_sender));
            if !blamed {
                break;
            }
            tracing::warn!(carrier = %self.key, %from, "refused to send from this number");
        }
        let outcome = match &result {
            Ok(_) => "taken",
            Err(error) => label(error.class),
        };
        metrics::counter!(
            "ringdown_carrier_requests_total",
            "carrier" => self.key.as_str().to_owned(), "channel" => channel.as_str(), "outcome" => outcome
        )
        .increment(1);
        result
    }

    async fn hang_up_call(&self, sid: &str) -> Result<(), SendError> {
        if sid.is_empty() || !sid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(unsendable("not the id of a call"));
        }
        let form = [("Status", "completed")];
        let answer = self.ask(self.http.post(format!("{}/Calls/{sid}.json", self.account)).form(&form)).await?;
        if answer.http == 404 || (200..300).contains(&answer.http) {
            return Ok(());
        }
        match request::understand(answer.http, answer.retry_after, &answer.body) {
            Err(error) if error.code.as_deref() == Some(&*NOT_IN_PROGRESS.to_string()) => Ok(()),
            other => other.map(drop),
        }
    }

    async fn account(&self) -> Result<(), SendError> {
        let answer = self.ask(self.http.get(format!("{}.json", self.account))).await?;
        request::standing(answer.http, answer.retry_after, &answer.body)
    }

    /// One page of a list.
    async fn page(&self, url: &str) -> Result<Page, SendError> {
        let answer = self.ask(self.http.get(url)).await?;
        if !(200..300).contains(&answer.http) {
            return Err(request::understand(answer.http, answer.retry_after, &answer.body)
                .err()
                .unwrap_or_else(|| unsendable("an answer that cannot be read")));
        }
        serde_json::from_slice(&answer.body).map_err(|_| SendError {
            class: ErrorClass::Ambiguous,
            code: None,
            message: "the carrier's list cannot be read".into(),
        })
    }

    /// Where a path that the carrier named is; nothing elsewhere, where our token must not go.
    fn beside(&self, path: &str) -> Option<String> {
        let account = Url::parse(&self.account).ok()?;
        let url = account.join(path).ok()?;
        (url.origin() == account.origin()).then(|| url.into())
    }

    async fn find(&self, sent: &Sent) -> Result<Option<Accepted>, SendError> {
        let list = match sent.channel {
            Channel::Sms => "Messages.json",
            Channel::Voice => "Calls.json",
        };
        for from in &self.from {
            let query = request::listing(from.as_str(), sent);
            let (mut listed, mut next) = (Page::default(), Some(format!("{}/{list}?{query}", self.account)));
            for _ in 0..MOST_PAGES {
                let Some(url) = next else { break };
                let page = self.page(&url).await?;
                next = request::older(&page, sent).and_then(|path| self.beside(path));
                listed.messages.extend(page.messages);
                listed.calls.extend(page.calls);
            }
            if let Some(accepted) = request::matching(&listed, sent) {
                return Ok(Some(accepted));
            }
        }
        Ok(None)
    }
}

impl Carrier for Twilio {
    fn key(&self) -> &CarrierKey {
        &self.key
    }

    fn can(&self, channel: Channel) -> bool {
        match channel {
            Channel::Sms | Channel::Voice => true,
        }
    }

    fn send_sms<'a>(&'a self, sms: &'a Sms) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(self.post_from_any(Channel::Sms, "Messages.json", |from| request::sms(&self.doors, from, sms)))
    }

    fn place_call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(self.post_from_any(Channel::Voice, "Calls.json", |from| request::call(&self.doors, from, call)))
    }

    fn hang_up<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.hang_up_call(sid))
    }

    fn look_up<'a>(&'a self, attempt: &'a Sent) -> BoxFuture<'a, Result<Option<Accepted>, SendError>> {
        Box::pin(self.find(attempt))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(self.account())
    }

    fn meaning(&self, error_code: &str) -> Option<ErrorClass> {
        errors::class_of(error_code.parse().ok()?)
    }

    fn opted_out(&self, error_code: &str) -> bool {
        error_code == errors::OPTED_OUT
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

fn refused_with(result: &Result<Accepted, SendError>, code: impl Fn(&str) -> bool) -> bool {
    match result {
        // Only what was surely not carried out is asked again.
        Err(error) if error.class != ErrorClass::Ambiguous => error.code.as_deref().is_some_and(code),
        _ => false,
    }
}

fn unsendable(message: &str) -> SendError {
    SendError { class: ErrorClass::PermanentRequest, code: None, message: message.into() }
}

/// A request that brought no answer. Without its URL, which has the account in it.
fn lost(error: reqwest::Error) -> SendError {
    let (class, what) = if error.is_builder() {
        (ErrorClass::PermanentRequest, "the request cannot be made")
    } else if error.is_connect() {
        (ErrorClass::Transient { retry_after: None }, "cannot connect to the carrier")
    } else if error.is_timeout() {
        (ErrorClass::Ambiguous, "the carrier did not answer in time")
    } else {
        (ErrorClass::Ambiguous, "the carrier broke off")
    };
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    SendError { class, code: None, message: format!("{what}: {cause}") }
}

fn label(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::PermanentContact => "permanent_contact",
        ErrorClass::PermanentConfig => "permanent_config",
        ErrorClass::PermanentRequest => "permanent_request",
        ErrorClass::Transient { .. } => "transient",
        ErrorClass::Ambiguous => "ambiguous",
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
