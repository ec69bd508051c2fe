//! Standard Webhooks signatures (v1, HMAC-SHA256): is a payload really from its sender, and from now? Pure.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::clock::Time;

/// How far the sender's clock may be from ours, either way.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The header's list may hold several signatures, while a secret is being changed; more are not looked at.
const MAX_SIGNATURES: usize = 16;

/// The three headers, as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signed<'a> {
    /// `webhook-id`: the same on every retry.
    pub id: Option<&'a str>,
    /// `webhook-timestamp`: seconds since 1970, of this attempt.
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`: `v1,<base64>`, several with spaces between.
    pub signature: Option<&'a str>,
}

/// Why a payload is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    #[error("the header `{0}` is missing; this integration takes only signed payloads (Standard Webhooks)")]
    Missing(&'static str),
    #[error("the header `{0}` is malformed")]
    Malformed(&'static str),
    #[error("`webhook-timestamp` is more than 5 minutes from our clock; check the sender's clock")]
    Stale,
    #[error("no signature matches; check the signing secret (`whsec_…`) and that the body is sent as it was signed")]
    Mismatch,
}

/// Checks a payload against each of the secrets (`whsec_<base64>`); gives back the webhook's id.
pub fn verify<'a>(
    secrets: &[SecretString],
    signed: Signed<'a>,
    body: &[u8],
    now: Time,
) -> Result<&'a str, BadSignature> {
    let id = signed.id.ok_or(BadSignature::Missing("webhook-id"))?;
    let timestamp = signed.timestamp.ok_or(BadSignature::Missing("webhook-timestamp"))?;
    let signature = signed.signature.ok_or(BadSignature::Missing("webhook-signature"))?;
    // A dot would let text move between id, timestamp and body under one signature.
    if id.is_empty() || id.len() > 256 || id.contains('.') || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BadSignature::Malformed("webhook-id"));
    }
    if timestamp.is_empty() || timestamp.len() > 12 || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadSignature::Malformed("webhook-timestamp"));
    }
    let sent = timestamp
        .parse()
        .ok()
        .and_then(|seconds| Time::from_timestamp(seconds, 0))
        .ok_or(BadSignature::Malformed("webhook-timestamp"))?;
    if (now - sent).abs() > TOLERANCE {
        return Err(BadSignature::Stale);
    }
    let given: Vec<Vec<u8>> = signature
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .take(MAX_SIGNATURES)
        .filter_map(|one| STANDARD.decode(one).ok())
        .collect();
    for secret in secrets {
        let Some(key) = key_of(secret) else { continue };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { continue };
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        if given.iter().any(|given| mac.clone().verify_slice(given).is_ok()) {
            return Ok(id);
        }
    }
    Err(BadSignature::Mismatch)
}

/// Signs a payload as its sender would: the header `webhook-signature`. `None`: the secret is not of the form.
pub fn sign(secret: &SecretString, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key_of(secret)?).ok()?;
    for part in [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// The bytes of a secret; `None` if it is not of the form. An empty key would let anybody sign.
pub fn key_of(secret: &SecretString) -> Option<Vec<u8>> {
    let text = secret.expose_secret().trim();
    STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok().filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The specification's own example.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: Signed<'static> = Signed {
        id: Some("msg_p5jXN8AQM9LWM0D4loKWxJek"),
        timestamp: Some("1614265330"),
        signature: Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    };

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    fn at(offset: i64) -> Time {
        Time::from_timestamp(1_614_265_330 + offset, 0).unwrap()
    }

    fn check(signed: Signed<'_>, body: &[u8], offset: i64) -> Result<(), BadSignature> {
        verify(&secrets(&[SECRET]), signed, body, at(offset)).map(|_| ())
    }

    #[test]
    fn the_specifications_example_is_believed_for_five_minutes_either_way() {
        assert_eq!(verify(&secrets(&[SECRET]), SIGNED, BODY, at(0)), Ok("msg_p5jXN8AQM9LWM0D4loKWxJek"));
        for (offset, result) in
            [(299, Ok(())), (-299, Ok(())), (301, Err(BadSignature::Stale)), (-301, Err(BadSignature::Stale))]
        {
            assert_eq!(check(SIGNED, BODY, offset), result, "{offset}");
        }
    }

    #[test]
    fn what_we_sign_is_what_the_specification_signs() {
        let signed = sign(&SECRET.into(), SIGNED.id.unwrap(), 1_614_265_330, BODY);
        assert_eq!(signed.as_deref(), SIGNED.signature);
    }

    #[test]
    fn a_changed_body_id_or_time_is_not_believed() {
        assert_eq!(check(SIGNED, b"{\"test\": 2432232315}", 0), Err(BadSignature::Mismatch));
        assert_eq!(check(Signed { id: Some("msg_other"), ..SIGNED }, BODY, 0), Err(BadSignature::Mismatch));
        assert_eq!(check(Signed { timestamp: Some("1614265331"), ..SIGNED }, BODY, 0), Err(BadSignature::Mismatch));
    }

    #[test]
    fn one_good_signature_or_secret_of_several_is_enough() {
        let list = format!("v1,AAAA v1a,xxxx nonsense {}", SIGNED.signature.unwrap());
        assert_eq!(check(Signed { signature: Some(&list), ..SIGNED }, BODY, 0), Ok(()));
        let several = secrets(&["whsec_bmV3IHNlY3JldCBuZXcgc2VjcmV0IG5ldw==", "not base64!", SECRET]);
        assert!(verify(&several, SIGNED, BODY, at(0)).is_ok());
        assert_eq!(verify(&several[..2], SIGNED, BODY, at(0)), Err(BadSignature::Mismatch));
    }

    #[test]
    fn missing_and_malformed_headers_say_which() {
        let bad = BadSignature::Malformed;
        for (signed, error) in [
            (Signed { id: None, ..SIGNED }, BadSignature::Missing("webhook-id")),
            (Signed { timestamp: None, ..SIGNED }, BadSignature::Missing("webhook-timestamp")),
            (Signed { signature: None, ..SIGNED }, BadSignature::Missing("webhook-signature")),
            (Signed { id: Some("a.1614265330"), ..SIGNED }, bad("webhook-id")),
            (Signed { id: Some(""), ..SIGNED }, bad("webhook-id")),
            (Signed { timestamp: Some("-1"), ..SIGNED }, bad("webhook-timestamp")),
            (Signed { timestamp: Some("99999999999999999999"), ..SIGNED }, bad("webhook-timestamp")),
            (Signed { signature: Some(""), ..SIGNED }, BadSignature::Mismatch),
            (Signed { signature: Some("v1,"), ..SIGNED }, BadSignature::Mismatch),
        ] {
            assert_eq!(check(signed, BODY, 0), Err(error));
        }
    }

    #[test]
    fn an_empty_secret_lets_nobody_in() {
        let mac = Hmac::<Sha256>::new_from_slice(b"").unwrap();
        let mut mac = mac;
        mac.update(b"a.1614265330.x");
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let signed = Signed { id: Some("a"), timestamp: Some("1614265330"), signature: Some(&signature) };
        for empty in ["", "whsec_", " "] {
            assert_eq!(verify(&secrets(&[empty]), signed, b"x", at(0)), Err(BadSignature::Mismatch));
        }
    }
}
