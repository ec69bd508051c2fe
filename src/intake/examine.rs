//! Whose payload is it, is it believed, and what does it say? Pure.

use serde_json::Value;

use super::{
    Integration, by_secret,
    json::read,
    sender::{Refused, Sender},
    signal::Signal,
    signature::{self, Signed},
};
use crate::{clock::Time, config::Config};

/// The longest secret that is looked at, in bytes.
const SECRET_BYTES: usize = 256;

/// A payload that may be taken.
#[derive(Debug)]
pub struct Examined<'a> {
    pub integration: &'a Integration,
    pub signals: Vec<Signal>,
    /// The id of a signed webhook: the same one again must have no second effect.
    pub webhook_id: Option<String>,
}

/// A payload that may not, and whose it was if that is known.
#[derive(Debug)]
pub struct Rejected<'a> {
    pub integration: Option<&'a Integration>,
    pub why: Refused,
}

/// Examines a payload that arrived whole. `url_key` is the secret in the URL, for doors that have one.
pub fn examine<'a>(
    sender: &Sender,
    config: &'a Config,
    url_key: Option<&str>,
    signed: Signed<'_>,
    body: &[u8],
    now: Time,
) -> Result<Examined<'a>, Rejected<'a>> {
    let stranger = |why| Rejected { integration: None, why };
    // With the secret in the URL, a stranger's body is not even parsed.
    let from_url = match sender.key_field {
        None => Some(owner(sender, config, url_key.unwrap_or_default()).map_err(stranger)?),
        Some(_) => None,
    };
    let parsed = read(body);
    let from_body = || {
        let key = parsed.as_ref().ok()?.get(sender.key_field?)?.as_str()?;
        Some(owner(sender, config, key))
    };
    let owner = from_url.map(Ok).or_else(from_body);
    let known = owner.as_ref().and_then(|owner| owner.as_ref().ok()).copied();
    let reject = |why: Refused| Rejected { integration: known, why };

    // Before anything is said about the content.
    let webhook_id = match known {
        Some(integration) if !integration.signing_secrets.is_empty() => {
            let id = signature::verify(&integration.signing_secrets, signed, body, now);
            Some(id.map_err(|bad| reject(bad.into()))?.to_owned())
        }
        _ => None,
    };
    let value: Value = parsed.map_err(|bad| reject(bad.into()))?;
    let per = known.map(|integration| integration.per).unwrap_or_default();
    let signals = (sender.decode)(&value, per).map_err(|faults| reject(Refused::Invalid(faults)))?;
    match owner {
        Some(Ok(integration)) => Ok(Examined { integration, signals, webhook_id }),
        Some(Err(why)) => Err(stranger(why)),
        None => Err(stranger(Refused::UnknownKey)),
    }
}

/// The integration of a key, if the key is for this door.
fn owner<'a>(sender: &Sender, config: &'a Config, key: &str) -> Result<&'a Integration, Refused> {
    if key.is_empty() || key.len() > SECRET_BYTES {
        return Err(Refused::UnknownKey);
    }
    let integration = by_secret(&config.integrations, key).ok_or(Refused::UnknownKey)?;
    if integration.kind == sender.kind { Ok(integration) } else { Err(Refused::WrongDoor(integration.kind)) }
}

/// The integration of a key in the URL, when there is no body to examine.
pub fn owner_by_url<'a>(sender: &Sender, config: &'a Config, url_key: Option<&str>) -> Option<&'a Integration> {
    owner(sender, config, url_key?).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::json;

    use super::*;
    use crate::{
        intake::{
            Grouping, IntegrationSecret, SenderKind, alertmanager, events_v2, generic, json::Unreadable,
            signature::BadSignature,
        },
        sla::Priority,
    };

    pub const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";
    pub const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    pub fn integration(key: &str, kind: SenderKind, secret: &str) -> Integration {
        Integration {
            key: key.into(),
            name: format!("{key} monitoring"),
            kind,
            team: "sre".into(),
            customer: None,
            plan: "gold".into(),
            keys: vec![
                IntegrationSecret {
                    name: "old".into(),
                    digest: IntegrationSecret::digest_of(&format!("{key}-older-secret")),
                },
                IntegrationSecret { name: "new".into(), digest: IntegrationSecret::digest_of(secret) },
            ],
            priorities: [("critical".to_string(), Priority::P1), ("warning".to_string(), Priority::P3)].into(),
            otherwise: Priority::P2,
            per: Grouping::Group,
            signing_secrets: vec![],
        }
    }

    pub fn config() -> Config {
        let mut signed = integration("signed", SenderKind::Generic, "signed-secret");
        signed.signing_secrets = vec![SIGNING.into()];
        let all = [
            integration("pd", SenderKind::Pagerduty, ROUTING_KEY),
            integration("am", SenderKind::Alertmanager, "am-secret"),
            integration("gen", SenderKind::Generic, "gen-secret"),
            signed,
        ];
        Config {
            integrations: all.into_iter().map(|integration| (integration.key.clone(), integration)).collect(),
            ..Config::default()
        }
    }

    pub fn sign(id: &str, at: Time, body: &str) -> String {
        let key = signature::key_of(&SIGNING.into()).unwrap();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{id}.{}.{body}", at.timestamp()).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    fn now() -> Time {
        "2026-03-01T02:00:00Z".parse().unwrap()
    }

    fn look(sender: &Sender, key: Option<&str>, body: &str) -> Result<String, (Option<String>, Refused)> {
        let config = config();
        match examine(sender, &config, key, Signed::default(), body.as_bytes(), now()) {
            Ok(examined) => Ok(examined.integration.key.to_string()),
            Err(rejected) => Err((rejected.integration.map(|i| i.key.to_string()), rejected.why)),
        }
    }

    #[test]
    fn a_key_opens_only_the_door_of_its_kind() {
        let trigger = r#"{"action":"trigger","title":"x"}"#;
        assert_eq!(look(&generic::SENDER, Some("gen-secret"), trigger), Ok("gen".into()));
        assert_eq!(look(&generic::SENDER, Some("gen-older-secret"), trigger), Ok("gen".into()));
        assert_eq!(look(&generic::SENDER, Some("nobody's"), trigger), Err((None, Refused::UnknownKey)));
        assert_eq!(look(&generic::SENDER, Some(""), trigger), Err((None, Refused::UnknownKey)));
        let wrong = Refused::WrongDoor(SenderKind::Generic);
        assert_eq!(look(&alertmanager::SENDER, Some("gen-secret"), trigger), Err((None, wrong)));
    }

    #[test]
    fn a_routing_key_is_found_in_the_body_and_the_content_is_told_first() {
        let event = |key: &str| json!({"routing_key": key, "event_action": "resolve", "dedup_key": "a"}).to_string();
        assert_eq!(look(&events_v2::EVENTS, None, &event(ROUTING_KEY)), Ok("pd".into()));
        let unknown = "f".repeat(32);
        assert_eq!(look(&events_v2::EVENTS, None, &event(&unknown)), Err((None, Refused::UnknownKey)));
        let Err((None, Refused::Invalid(faults))) = look(&events_v2::EVENTS, None, &event("short")) else { panic!() };
        assert_eq!(faults[0].detail, "Length of 'routing_key' is incorrect (should be 32 characters)");
        let Err((owner, _)) = look(&events_v2::EVENTS, None, &json!({"routing_key": ROUTING_KEY}).to_string()) else {
            panic!()
        };
        assert_eq!(owner.as_deref(), Some("pd"));
    }

    #[test]
    fn a_body_that_cannot_be_read_is_still_its_senders() {
        assert_eq!(
            look(&generic::SENDER, Some("gen-secret"), "[1]"),
            Err((Some("gen".into()), Refused::Unreadable(Unreadable::NotAnObject)))
        );
    }

    #[test]
    fn where_a_signature_is_asked_for_an_unsigned_payload_is_refused() {
        let body = r#"{"action":"trigger","title":"x"}"#;
        let missing = Refused::Unsigned(BadSignature::Missing("webhook-id"));
        assert_eq!(look(&generic::SENDER, Some("signed-secret"), body), Err((Some("signed".into()), missing)));

        let config = config();
        let (timestamp, signature) = (now().timestamp().to_string(), sign("msg_1", now(), body));
        let signed = Signed { id: Some("msg_1"), timestamp: Some(&timestamp), signature: Some(&signature) };
        let examined =
            examine(&generic::SENDER, &config, Some("signed-secret"), signed, body.as_bytes(), now()).unwrap();
        assert_eq!(examined.webhook_id.as_deref(), Some("msg_1"));
        // Where none is asked for, the headers are nobody's word.
        let examined = examine(&generic::SENDER, &config, Some("gen-secret"), signed, body.as_bytes(), now()).unwrap();
        assert_eq!(examined.webhook_id, None);
    }
}
