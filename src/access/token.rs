//! A bearer token: a JWT signed with HMAC-SHA-256 and nothing else. Pure: the key and the time are arguments.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Role;
use crate::{clock::Time, id::PersonKey};

/// Who signs.
pub const ISSUER: &str = "ringdown";
/// How far two machines' clocks may be apart, in seconds.
pub const LEEWAY_SECONDS: i64 = 30;
/// Nothing longer is looked at.
const MOST_CHARACTERS: usize = 4096;

/// The key that signs and verifies.
#[derive(Clone)]
pub struct TokenKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// What the other keys of the installation are made from.
    root: Hmac<Sha256>,
}

impl TokenKey {
    /// From the installation's secret, at least 32 bytes of it ([`super::secret()`]).
    pub fn new(secret: &[u8]) -> Self {
        TokenKey {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            root: keyed(secret),
        }
    }

    /// Another key of the same secret, for one purpose: who learns it learns neither the secret nor the other keys
    /// (the idea of HKDF's second step, RFC 5869, 2.3: the secret is a key already).
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = self.root.clone();
        mac.update(b"ringdown key for ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// HMAC-SHA-256 with this key: it takes one of any length.
pub(super) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey")
    }
}

/// What a token says (RFC 7519, 4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    /// The token's name: who or what it was made for.
    pub sub: String,
    /// `tok_…`, its row in the table.
    pub jti: String,
    pub role: Role,
    /// The person who acts with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonKey>,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970; without it the token holds until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
}

impl Claims {
    /// For a new token.
    pub fn new(name: &str, role: Role, person: Option<PersonKey>, expires_at: Option<Time>, now: Time) -> Self {
        Claims {
            iss: ISSUER.into(),
            sub: name.into(),
            jti: crate::id::fresh("tok"),
            role,
            person,
            iat: now.timestamp(),
            exp: expires_at.map(|at| at.timestamp()),
        }
    }
}

/// Why a token is refused. The words give away nothing that the sender does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    #[error("it is not one of ours, or it was changed")]
    Forged,
    #[error("it is over; make a new one with `ringdown token create`")]
    Expired,
    #[error("it was made in the future; compare the clocks")]
    Early,
}

/// The text of a token.
pub fn issue(key: &TokenKey, claims: &Claims) -> String {
    // HMAC takes a key of any length, and the claims are plain text and numbers.
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key.encoding).unwrap_or_default()
}

/// What a token says, if it is ours and holds now. Whether it was revoked, the table knows.
pub fn verify(key: &TokenKey, token: &str, now: Time) -> Result<Claims, BadToken> {
    if token.len() > MOST_CHARACTERS {
        return Err(BadToken::Forged);
    }
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_issuer(&[ISSUER]);
    rules.set_required_spec_claims(&["iss", "sub"]);
    // The library asks the machine for the time; ours is an argument.
    rules.validate_exp = false;
    rules.validate_nbf = false;
    let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &rules).map_err(|_| BadToken::Forged)?.claims;
    let now = now.timestamp();
    if claims.exp.is_some_and(|exp| now >= exp.saturating_add(LEEWAY_SECONDS)) {
        return Err(BadToken::Expired);
    }
    if claims.iat > now.saturating_add(LEEWAY_SECONDS) {
        return Err(BadToken::Early);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use chrono::TimeDelta;

    use super::*;

    fn now() -> Time {
        "2026-11-01T12:00:00Z".parse().unwrap()
    }

    fn key() -> TokenKey {
        TokenKey::new(&[7; 32])
    }

    fn claims() -> Claims {
        Claims::new("amara's laptop", Role::Responder, Some("amara".into()), Some(now() + TimeDelta::hours(1)), now())
    }

    fn encoded(part: &serde_json::Value) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(part.to_string())
    }

    #[test]
    fn the_keys_of_one_secret_are_different_and_stay_the_same() {
        let key = key();
        assert_eq!(key.derive("codes"), TokenKey::new(&[7; 32]).derive("codes"));
        assert_ne!(key.derive("codes"), key.derive("names"));
        assert_ne!(key.derive("codes"), TokenKey::new(&[8; 32]).derive("codes"));
    }

    #[test]
    fn a_token_gives_back_what_it_was_made_of() {
        let claims = claims();
        assert_eq!(verify(&key(), &issue(&key(), &claims), now()), Ok(claims));
    }

    #[test]
    fn a_token_is_over_at_its_end_and_half_a_minute_of_leeway() {
        let token = issue(&key(), &claims());
        let at = |seconds| verify(&key(), &token, now() + TimeDelta::seconds(seconds)).map(|_| ());
        assert_eq!(at(3600 + 29), Ok(()));
        assert_eq!(at(3600 + 30), Err(BadToken::Expired));
    }

    #[test]
    fn a_token_without_an_end_holds() {
        let claims = Claims { exp: None, ..claims() };
        assert!(verify(&key(), &issue(&key(), &claims), now() + TimeDelta::days(4000)).is_ok());
    }

    #[test]
    fn a_token_from_the_future_is_refused() {
        let token = issue(&key(), &claims());
        assert_eq!(verify(&key(), &token, now() - TimeDelta::seconds(31)), Err(BadToken::Early));
        assert!(verify(&key(), &token, now() - TimeDelta::seconds(30)).is_ok());
    }

    #[test]
    fn a_token_signed_with_another_key_is_refused() {
        assert_eq!(verify(&TokenKey::new(&[8; 32]), &issue(&key(), &claims()), now()), Err(BadToken::Forged));
    }

    #[test]
    fn a_token_that_was_changed_is_refused() {
        let token = issue(&key(), &claims());
        let parts: Vec<&str> = token.split('.').collect();
        let better = Claims { role: Role::Admin, ..claims() };
        let raised = encoded(&serde_json::to_value(better).unwrap());
        assert_eq!(
            verify(&key(), &format!("{}.{raised}.{}", parts[0], parts[2]), now()),
            Err(BadToken::Forged),
            "another role"
        );
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // The last character of a base64 text carries spare bits; a strict decoder refuses those too.
            assert_eq!(verify(&key(), &changed, now()), Err(BadToken::Forged), "byte {place}");
        }
    }

    #[test]
    fn no_algorithm_but_ours_is_taken() {
        let payload = encoded(&serde_json::to_value(claims()).unwrap());
        for alg in ["none", "None", "nOnE", "RS256", "EdDSA", ""] {
            let header = encoded(&serde_json::json!({"alg": alg, "typ": "JWT"}));
            for signature in ["", "AAAA"] {
                let token = format!("{header}.{payload}.{signature}");
                assert_eq!(verify(&key(), &token, now()), Err(BadToken::Forged), "{alg}");
            }
        }
        let stronger = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims(), &key().encoding).unwrap();
        assert_eq!(verify(&key(), &stronger, now()), Err(BadToken::Forged));
    }

    #[test]
    fn another_issuers_token_is_refused() {
        let claims = Claims { iss: "elsewhere".into(), ..claims() };
        assert_eq!(verify(&key(), &issue(&key(), &claims), now()), Err(BadToken::Forged));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let long = "a".repeat(MOST_CHARACTERS + 1);
        for text in ["", ".", "..", "a.b.c", "a.b.c.d", "é.é.é", long.as_str()] {
            assert_eq!(verify(&key(), text, now()), Err(BadToken::Forged));
        }
    }
}
