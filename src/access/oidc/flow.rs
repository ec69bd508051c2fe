//! What is sent to the issuer with a browser, and what the browser keeps for when it comes back (OpenID Connect Core,
//! 3.1.2; PKCE, RFC 7636). Pure.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use hmac::Mac;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{access::token::keyed, clock::Time};

/// How long somebody may take at the issuer.
pub const LIFE: TimeDelta = TimeDelta::minutes(10);

/// No cookie of ours is longer.
const LONGEST: usize = 4096;

/// One sign-in under way: bound to the browser that began it, by a cookie that we signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the id token.
    pub nonce: String,
    /// Shown when the code is exchanged; its hash goes ahead.
    pub verifier: String,
    /// The page that was asked for.
    pub next: String,
    /// Seconds since 1970.
    pub begun_at: i64,
}

impl Flow {
    /// A new one, from 96 random bytes.
    pub fn new(random: &[u8; 96], next: &str, now: Time) -> Flow {
        let part = |at: usize| BASE64_URL_SAFE_NO_PAD.encode(&random[at..at + 32]);
        Flow { state: part(0), nonce: part(32), verifier: part(64), next: next.into(), begun_at: now.timestamp() }
    }

    /// As the cookie holds it.
    pub fn sealed(&self, key: &[u8; 32]) -> String {
        let body = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default());
        let mac = BASE64_URL_SAFE_NO_PAD.encode(mac(key, &body));
        format!("{body}.{mac}")
    }

    /// From a cookie that we signed, lately.
    pub fn open(sealed: &str, key: &[u8; 32], now: Time) -> Option<Flow> {
        let (body, given) = sealed.split_once('.').filter(|_| sealed.len() <= LONGEST)?;
        let given = BASE64_URL_SAFE_NO_PAD.decode(given).ok()?;
        if !bool::from(given.ct_eq(&mac(key, body))) {
            return None;
        }
        let flow: Flow = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        let age = now.timestamp() - flow.begun_at;
        (0..LIFE.num_seconds()).contains(&age).then_some(flow)
    }

    /// Whether the browser came back from where it was sent.
    pub fn is(&self, state: &str) -> bool {
        bool::from(self.state.as_bytes().ct_eq(state.as_bytes()))
    }

    /// Where the browser is sent. `endpoint` may have a query of its own.
    pub fn address(&self, endpoint: &str, client_id: &str, redirect_uri: &str) -> String {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()));
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        format!("{endpoint}{}{query}", if endpoint.contains('?') { '&' } else { '?' })
    }
}

fn mac(key: &[u8; 32], body: &str) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn flow() -> Flow {
        Flow::new(&std::array::from_fn(|n| n as u8), "/incidents/4821", at(0))
    }

    #[test]
    fn a_cookie_gives_back_what_we_signed_for_ten_minutes() {
        let (flow, key) = (flow(), [7; 32]);
        let sealed = flow.sealed(&key);
        assert_eq!(Flow::open(&sealed, &key, at(599)), Some(flow));
        for (sealed, key, now) in [
            (sealed.clone(), key, at(600)),
            (sealed.clone(), key, at(-1)),
            (sealed.clone(), [8; 32], at(0)),
            (sealed.replacen(|c: char| c.is_ascii_lowercase(), "A", 1), key, at(0)),
            (sealed[..sealed.len() - 4].to_owned(), key, at(0)),
            (String::new(), key, at(0)),
            (".".into(), key, at(0)),
            (format!("{}{sealed}", "a".repeat(5000)), key, at(0)),
        ] {
            assert_eq!(Flow::open(&sealed, &key, now), None, "{sealed}");
        }
    }

    #[test]
    fn the_issuer_is_told_the_hash_of_the_verifier_alone() {
        // RFC 7636, appendix B.
        let flow = Flow { verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into(), ..flow() };
        let address = flow.address("https://issuer.example/auth?tenant=a", "ring down", "https://r.example.com/back");
        insta::assert_snapshot!(address, @"https://issuer.example/auth?tenant=a&response_type=code&client_id=ring+down&redirect_uri=https%3A%2F%2Fr.example.com%2Fback&scope=openid+email+profile&state=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8&nonce=ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256");
        assert!(!address.contains(&flow.verifier));
    }

    #[test]
    fn a_browser_that_was_sent_by_somebody_else_is_known() {
        let flow = flow();
        assert!(flow.is(&flow.state.clone()));
        assert!(!flow.is("") && !flow.is(&flow.nonce) && !flow.is(&flow.state[1..]));
    }
}
