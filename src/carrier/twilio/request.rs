//! What we ask of Twilio, as forms and queries, and how its answers are understood. Pure.

use chrono::{DateTime, TimeDelta};
use serde::Deserialize;

use super::words;
use crate::{
    carrier::{Accepted, Call, SendError, Sent, Sms, Status, twilio::errors},
    clock::Time,
    id::AttemptId,
    people::Channel,
};

/// A form, in order, with doubles.
pub type Form = Vec<(&'static str, String)>;

/// Twilio refuses a longer text.
const LONGEST_BODY: usize = 1600;
/// How far Twilio's clock may be off ours, its whole seconds included.
const SKEW: TimeDelta = TimeDelta::seconds(2);
/// A request that was lost was made within this of its attempt's beginning.
const LOST_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// A text, sent from one of our numbers.
pub fn sms(doors: &str, from: &str, sms: &Sms) -> Form {
    vec![
        ("To", sms.to.as_str().into()),
        ("From", from.into()),
        ("Body", sms.body.chars().take(LONGEST_BODY).collect()),
        ("StatusCallback", status_callback(doors, &sms.attempt, Channel::Sms)),
        ("ValidityPeriod", sms.validity.num_seconds().clamp(60, 36_000).to_string()),
    ]
}

/// A call, placed from one of our numbers. What is said does not wait for the machine detection.
pub fn call(doors: &str, from: &str, call: &Call) -> Form {
    let mut form: Form = vec![
        ("To", call.to.as_str().into()),
        ("From", from.into()),
        ("Url", format!("{doors}/{}", call.action.0)),
        ("Method", "POST".into()),
        // Asked once more if we could not answer in time, rather than the person hearing of an error.
        ("FallbackUrl", format!("{doors}/{}", call.action.0)),
        ("FallbackMethod", "POST".into()),
        ("Timeout", call.ring.num_seconds().clamp(5, 600).to_string()),
        ("StatusCallback", status_callback(doors, &call.attempt, Channel::Voice)),
        ("StatusCallbackMethod", "POST".into()),
    ];
    form.extend(["initiated", "ringing", "answered", "completed"].map(|event| ("StatusCallbackEvent", event.into())));
    form.extend([
        ("MachineDetection", "Enable".into()),
        ("AsyncAmd", "true".into()),
        ("AsyncAmdStatusCallback", format!("{doors}/amd?a={}", encoded(call.attempt.as_str()))),
        ("AsyncAmdStatusCallbackMethod", "POST".into()),
    ]);
    form
}

fn status_callback(doors: &str, attempt: &AttemptId, channel: Channel) -> String {
    format!("{doors}/status?a={}&c={}", encoded(attempt.as_str()), channel.as_str())
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The query that lists what we sent to a number. Twilio filters by whole days of UTC only; [`matching`] does the
/// rest.
pub fn listing(from: &str, sent: &Sent) -> String {
    let since = match sent.channel {
        Channel::Sms => "DateSent>",
        Channel::Voice => "StartTime>",
    };
    form_urlencoded::Serializer::new(String::new())
        .append_pair("To", sent.to.as_str())
        .append_pair("From", from)
        .append_pair(since, &(sent.since - SKEW).format("%Y-%m-%d").to_string())
        .append_pair("PageSize", "100")
        .finish()
}

/// A text or call, as the API shows it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Resource {
    pub sid: Option<String>,
    /// A word; of an error answer, the HTTP status.
    pub status: Option<serde_json::Value>,
    pub body: Option<String>,
    pub date_created: Option<String>,
    /// A number; some who speak as Twilio does write it as text.
    pub error_code: Option<serde_json::Value>,
    pub error_message: Option<String>,
    /// Of an error answer.
    pub code: Option<serde_json::Value>,
    pub message: Option<String>,
}

/// A page of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Page {
    pub messages: Vec<Resource>,
    pub calls: Vec<Resource>,
    /// The path of the next, older one.
    pub next_page_uri: Option<String>,
}

impl Resource {
    /// As something taken; `None` without an id.
    pub fn accepted(&self) -> Option<Accepted> {
        let sid = self.sid.clone().filter(|sid| !sid.is_empty() && sid.len() <= 64)?;
        let status = self.status.as_ref().and_then(|word| words::status(word.as_str()?)).unwrap_or(Status::Queued);
        Some(Accepted { sid, status })
    }

    fn created(&self) -> Option<Time> {
        DateTime::parse_from_rfc2822(self.date_created.as_deref()?).ok().map(|at| at.to_utc())
    }
}

/// A code, written as a number or as text.
pub fn number(code: &Option<serde_json::Value>) -> Option<u32> {
    match code.as_ref()? {
        serde_json::Value::Number(number) => number.as_u64()?.try_into().ok(),
        serde_json::Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .filter(|code| *code != 0)
}

/// What was taken, or why not.
pub fn understand(http: u16, retry_after: Option<TimeDelta>, body: &[u8]) -> Result<Accepted, SendError> {
    let answer: Option<Resource> = serde_json::from_slice(body).ok();
    let taken = (200..300).contains(&http);
    let resource = answer.unwrap_or_default();
    let (code, message) = if taken {
        (number(&resource.error_code), &resource.error_message)
    } else {
        (number(&resource.code), &resource.message)
    };
    match resource.accepted() {
        Some(accepted) if taken && code.is_none() => return Ok(accepted),
        // It said yes, and we cannot read what it took.
        None if taken && code.is_none() => {
            let message = format!("the carrier answered {http} without an id that can be read");
            return Err(SendError { class: crate::carrier::ErrorClass::Ambiguous, code: None, message });
        }
        _ => {}
    }
    let class = match errors::classify(http, code) {
        crate::carrier::ErrorClass::Transient { retry_after: None } => {
            crate::carrier::ErrorClass::Transient { retry_after }
        }
        class => class,
    };
    let message = match (code, message) {
        (Some(code), Some(message)) => format!("error {code}: {}", without_numbers(message)),
        (Some(code), None) => format!("error {code}"),
        (None, _) => format!("the carrier answered {http}"),
    };
    Err(SendError { class, code: code.map(|code| code.to_string()), message })
}

/// Whether the account that was asked for may send. Nothing was sent, so no failure leaves anything unclear.
pub fn standing(http: u16, retry_after: Option<TimeDelta>, body: &[u8]) -> Result<(), SendError> {
    use crate::carrier::ErrorClass::{Ambiguous, PermanentConfig, Transient};
    let passing = Transient { retry_after };
    if !(200..300).contains(&http) {
        let Err(error) = understand(http, retry_after, body) else { return Ok(()) };
        let class = if error.class == Ambiguous { passing } else { error.class };
        return Err(SendError { class, ..error });
    }
    let account: Option<Resource> = serde_json::from_slice(body).ok();
    let status = account.and_then(|account| account.status);
    match status.as_ref().and_then(|status| status.as_str()) {
        Some("active") => Ok(()),
        Some(other) => {
            let message = format!("the account is {}", without_numbers(other));
            Err(SendError { class: PermanentConfig, code: None, message })
        }
        None => Err(SendError { class: passing, code: None, message: "an account that cannot be read".into() }),
    }
}

/// The text or call of an attempt whose answer was lost: the first one made after the attempt began.
pub fn matching(page: &Page, sent: &Sent) -> Option<Accepted> {
    let made = |resource: &&Resource| {
        // One without a date cannot be told from an older one.
        resource.created().is_some_and(|at| at >= sent.since - SKEW && at <= sent.since + LOST_WITHIN)
    };
    let found = match sent.channel {
        Channel::Sms => {
            let body: String = sent.body.as_deref()?.chars().take(LONGEST_BODY).collect();
            // A trial account puts words of its own before ours.
            let same = |resource: &&Resource| {
                resource.body.as_deref().is_some_and(|sent| sent.trim_end().ends_with(body.trim_end()))
            };
            page.messages.iter().filter(made).filter(same).min_by_key(|resource| resource.created())
        }
        Channel::Voice => page.calls.iter().filter(made).min_by_key(|resource| resource.created()),
    };
    found.and_then(Resource::accepted)
}

/// Where the list goes on, unless all of this page and so of the next ones is from before the attempt began.
pub fn older<'a>(page: &'a Page, sent: &Sent) -> Option<&'a str> {
    let oldest = page.messages.iter().chain(&page.calls).filter_map(Resource::created).min();
    page.next_page_uri.as_deref().filter(|_| oldest.is_none_or(|oldest| oldest >= sent.since - SKEW))
}

/// What a carrier wrote, for an operator: no phone numbers, one line, not long.
pub fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        match run.chars().filter(char::is_ascii_digit).count() {
            // Shorter ones are codes and limits.
            0..=6 => out.push_str(run),
            _ => out.push_str("(a number) "),
        }
        run.clear();
    };
    for c in text.chars().take(300) {
        let inside = c.is_ascii_digit() || c == '+' || (!run.is_empty() && matches!(c, ' ' | '-' | '.' | '(' | ')'));
        if !inside {
            flush(&mut run, &mut out);
        }
        if inside {
            run.push(c);
        } else {
            out.push(if c.is_control() { ' ' } else { c });
        }
    }
    flush(&mut run, &mut out);
    out.trim_end().into()
}

/// `Retry-After` in seconds, an hour at most. A date is not read: the wait is then ours to choose.
pub fn retry_after(header: Option<&str>) -> Option<TimeDelta> {
    let seconds: u32 = header?.trim().parse().ok()?;
    Some(TimeDelta::seconds(i64::from(seconds.min(3600))))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
