//! A payload as it came, kept for whoever asks what a sender really sent. Pure.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;

use super::sender::MAX_BODY;
use crate::{
    clock::Time,
    id::{IncidentId, IntakeId, IntegrationKey},
};

/// How much is kept of a body that is too large or a stranger's, in bytes.
pub const STRAY_BYTES: usize = 4 * 1024;

/// The headers that are kept; never one that proves who the sender is.
pub const HEADERS: [&str; 8] = [
    "content-type",
    "content-length",
    "content-encoding",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "x-forwarded-for",
    "x-request-id",
];

/// One payload, good or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Received {
    #[schema(value_type = String)]
    pub id: IntakeId,
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Time,
    /// Which language it came in: `events_v2`, `changes_v2`, `events_v1`, `alertmanager`, `generic`.
    pub door: String,
    /// `None`: nobody we know.
    #[schema(value_type = Option<String>)]
    pub integration: Option<IntegrationKey>,
    pub remote: Option<String>,
    /// A few harmless ones, and the `path` with its secret masked.
    pub headers: BTreeMap<String, String>,
    /// As it came, with secrets masked and bytes that are not UTF-8 replaced. Of a stranger, only the beginning.
    pub body: String,
    /// What was answered.
    pub status: u16,
    /// What became of it, in words.
    pub verdict: String,
    #[schema(value_type = Vec<String>)]
    pub incident_ids: Vec<IncidentId>,
}

/// A secret, so that its owner knows it again and nobody can use it.
pub fn masked(secret: &str) -> String {
    const SHOWN: usize = 4;
    // Of a short secret, the first characters would be most of it.
    let shown = if secret.chars().count() >= 4 * SHOWN { SHOWN } else { 0 };
    format!("{}…", secret.chars().take(shown).collect::<String>())
}

/// A body as text that can be kept: at most `bytes` of it, secrets masked, no NUL.
pub fn kept_body(body: &[u8], bytes: usize) -> String {
    let body = &body[..body.len().min(bytes).min(MAX_BODY)];
    let text = String::from_utf8_lossy(body).replace('\0', "\u{fffd}");
    ["routing_key", "service_key"].into_iter().fold(Cow::from(text), |text, field| mask_field(text, field)).into_owned()
}

/// Masks the value of every `"field": "value"`. Works on text that is not JSON too, for that is kept as well.
fn mask_field<'a>(text: Cow<'a, str>, field: &str) -> Cow<'a, str> {
    let name = format!("\"{field}\"");
    if !text.contains(&name) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find(&name) {
        let (before, after) = rest.split_at(at + name.len());
        out.push_str(before);
        let value = after.trim_start_matches(|c: char| c.is_whitespace() || c == ':');
        out.push_str(&after[..after.len() - value.len()]);
        rest = match value.strip_prefix('"') {
            Some(value) => {
                let (secret, end) = value.split_at(value.find('"').unwrap_or(value.len()));
                out.push('"');
                out.push_str(&masked(secret));
                end
            }
            None => value,
        };
    }
    out.push_str(rest);
    Cow::from(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_in_a_body_are_masked() {
        let body = br#"{"routing_key" : "0123456789abcdef0123456789abcdef","a":"b","x":{"routing_key":"short"}}"#;
        assert_eq!(kept_body(body, 1000), r#"{"routing_key" : "0123…","a":"b","x":{"routing_key":"…"}}"#);
        assert_eq!(kept_body(br#"{"service_key":"0123456789abcdef01"#, 1000), r#"{"service_key":"0123…"#);
        assert_eq!(kept_body(br#"{"service_key":5, "service_key"#, 1000), r#"{"service_key":5, "service_key"#);
    }

    #[test]
    fn a_body_that_is_not_text_is_kept_as_well_as_can_be() {
        assert_eq!(kept_body(b"a\xffb\0c", 1000), "a\u{fffd}b\u{fffd}c");
        assert_eq!(kept_body("ä".repeat(10).as_bytes(), 3), "ä\u{fffd}");
    }

    proptest! {
        #[test]
        fn no_routing_key_survives(before in ".{0,20}", key in "[a-z0-9]{32}", after in ".{0,20}") {
            let text = format!("{before}\"routing_key\":\"{key}\"{after}");
            prop_assert!(!kept_body(text.as_bytes(), 10_000).contains(&key));
        }
    }
}
