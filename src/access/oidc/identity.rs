//! Whom an id token names, if it is one (OpenID Connect Core, 3.1.3.7). Pure: the keys and the time are arguments.

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, Jwk, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{config::Config, people::Person};

/// How far two machines' clocks may be apart, in seconds.
const LEEWAY_SECONDS: i64 = 60;
/// An id token is fresh: no older than a sign-in may take.
const OLDEST_SECONDS: i64 = 3600;
/// Nothing longer is looked at.
const LONGEST: usize = 16 * 1024;

/// Signatures that are taken. Nothing else is, whatever the token or the key says.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Why an id token is refused. For the log and the audit; the visitor is told less.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it is no signed token")]
    Malformed,
    #[error("it is signed by an algorithm that is not taken")]
    Algorithm,
    #[error("the issuer has no such key")]
    UnknownKey,
    #[error("its signature, issuer or audience is wrong")]
    Forged,
    #[error("it is for several clients and not given to this one (azp)")]
    AnotherParty,
    #[error("it is over, or from another time; compare the clocks")]
    Time,
    #[error("its nonce is of another sign-in")]
    Nonce,
}

/// What is expected of a token.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// An audience is one or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Deserialize)]
struct Standard {
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
}

/// What a token claims, if it is from this issuer, for us, for this sign-in, and holds now.
pub fn claims(token: &str, keys: &[Jwk], expected: Expected<'_>) -> Result<Map<String, Value>, Refused> {
    if token.len() > LONGEST {
        return Err(Refused::Malformed);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| Refused::Algorithm)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Refused::Algorithm);
    }
    let key = key(keys, header.kid.as_deref(), header.alg).ok_or(Refused::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| Refused::UnknownKey)?;
    let mut rules = Validation::new(header.alg);
    rules.set_issuer(&[expected.issuer]);
    rules.set_audience(&[expected.client_id]);
    rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // The library asks the machine for the time; ours is an argument.
    rules.validate_exp = false;
    rules.validate_nbf = false;
    let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &rules).map_err(|_| Refused::Forged)?.claims;
    let standard: Standard = serde_json::from_value(Value::Object(claims.clone())).map_err(|_| Refused::Malformed)?;
    let several = matches!(&standard.aud, Audience::Several(audiences) if audiences.len() > 1);
    if matches!(&standard.aud, Audience::One(audience) if audience != expected.client_id) {
        return Err(Refused::Forged);
    }
    match standard.azp.as_deref() {
        Some(party) if party != expected.client_id => return Err(Refused::AnotherParty),
        None if several => return Err(Refused::AnotherParty),
        _ => {}
    }
    let now = expected.now as f64;
    let leeway = LEEWAY_SECONDS as f64;
    let fresh = standard.iat <= now + leeway && standard.iat > now - OLDEST_SECONDS as f64;
    if now >= standard.exp + leeway || !fresh || standard.nbf.is_some_and(|nbf| nbf > now + leeway) {
        return Err(Refused::Time);
    }
    if expected.nonce.is_empty() || standard.nonce.as_deref() != Some(expected.nonce) {
        return Err(Refused::Nonce);
    }
    Ok(claims)
}

/// The key of this id, or the only one that fits where none is said.
fn key<'k>(keys: &'k [Jwk], id: Option<&str>, algorithm: Algorithm) -> Option<&'k Jwk> {
    let fits = |key: &&Jwk| {
        let kind = match key.algorithm {
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            AlgorithmParameters::EllipticCurve(_) => Algorithm::ES256,
            AlgorithmParameters::OctetKeyPair(_) => Algorithm::EdDSA,
            // What is shared is no public key, and what is not known cannot be checked.
            _ => return false,
        };
        let signs = key.common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature);
        kind == algorithm && signs && (id.is_none() || key.common.key_id.as_deref() == id)
    };
    let mut fitting = keys.iter().filter(fits);
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first)
}

/// Who of our people this is, and under which name the issuer knows them.
#[derive(Debug)]
pub enum Named<'c> {
    Person(&'c Person),
    /// Known there and not here. The name is for the page of whoever signs in, and for no log.
    Stranger(String),
    /// The issuer has not seen that the address is theirs.
    Unverified,
    /// There is nothing to know them by.
    Nameless,
}

/// Whom the claims name: by the mail address in people.toml, or, with another `claim` than `email`, by their key.
pub fn named<'c>(claims: &Map<String, Value>, claim: &str, config: &'c Config) -> Named<'c> {
    let Some(name) = claims.get(claim).and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty()) else {
        return Named::Nameless;
    };
    let person = if claim == "email" {
        // Some say it as a text.
        if claims.get("email_verified").is_some_and(|verified| *verified != true && *verified != "true") {
            return Named::Unverified;
        }
        let is = |person: &&Person| person.mail.as_ref().is_some_and(|mail| same(mail.as_str(), name));
        let mut people = config.people.values().filter(is);
        people.next().filter(|_| people.next().is_none())
    } else {
        config.people.get(name)
    };
    person.map_or_else(|| Named::Stranger(name.chars().take(200).collect()), Named::Person)
}

/// Letters outside ASCII are not folded: two that look alike are two.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests;
