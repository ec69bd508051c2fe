use std::{collections::BTreeMap, sync::LazyLock};

use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

use super::*;
use crate::{access::Role, people::MailAddress, sla::Zone};

const NOW: i64 = 1_800_000_000;

/// A key of each kind: how it signs, and what the issuer publishes of it.
static KEYS: LazyLock<Vec<(Algorithm, EncodingKey, Jwk)>> = LazyLock::new(|| {
    let rsa = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let rsa: Vec<u8> = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&rsa).unwrap().as_ref().to_vec();
    let random = aws_lc_rs::rand::SystemRandom::new();
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let ed = Ed25519KeyPair::generate_pkcs8v1(&random).unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        base64::prelude::BASE64_STANDARD.encode(&rsa)
    );
    [
        (Algorithm::RS256, EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()),
        (Algorithm::ES256, EncodingKey::from_ec_der(ec.as_ref())),
        (Algorithm::EdDSA, EncodingKey::from_ed_der(ed.as_ref())),
    ]
    .map(|(algorithm, key)| {
        let mut public = Jwk::from_encoding_key(&key, algorithm).unwrap();
        public.common.key_id = Some(format!("{algorithm:?}"));
        (algorithm, key, public)
    })
    .into()
});

fn published() -> Vec<Jwk> {
    KEYS.iter().map(|(.., public)| public.clone()).collect()
}

fn good() -> Value {
    json!({
        "iss": "https://issuer.example", "aud": "ringdown", "sub": "u1", "nonce": "n1",
        "iat": NOW - 5, "exp": NOW + 300, "email": "Anna@Example.com", "email_verified": true,
    })
}

fn with(change: Value) -> Value {
    let mut claims = good();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn signed(algorithm: Algorithm, claims: &Value) -> String {
    let (.., key, _) = KEYS.iter().find(|(known, ..)| *known == algorithm).unwrap();
    let header = Header { kid: Some(format!("{algorithm:?}")), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

fn checked(token: &str) -> Result<Map<String, Value>, Refused> {
    let expected = Expected { issuer: "https://issuer.example", client_id: "ringdown", nonce: "n1", now: NOW };
    claims(token, &published(), expected)
}

#[test]
fn a_token_signed_by_any_of_the_issuers_keys_is_taken() {
    for algorithm in ALGORITHMS {
        let claims = checked(&signed(algorithm, &good())).unwrap();
        assert_eq!(claims["sub"], "u1", "{algorithm:?}");
    }
}

#[test]
fn a_token_that_is_not_for_this_sign_in_is_refused() {
    for (change, refused) in [
        (json!({"iss": "https://issuer.example/"}), Refused::Forged),
        (json!({"iss": null}), Refused::Forged),
        (json!({"aud": "another"}), Refused::Forged),
        (json!({"aud": []}), Refused::Forged),
        (json!({"sub": null}), Refused::Forged),
        (json!({"aud": ["ringdown", "another"]}), Refused::AnotherParty),
        (json!({"aud": ["ringdown", "another"], "azp": "another"}), Refused::AnotherParty),
        (json!({"azp": "another"}), Refused::AnotherParty),
        (json!({"exp": NOW - 60}), Refused::Time),
        (json!({"exp": null}), Refused::Forged),
        (json!({"iat": null}), Refused::Malformed),
        (json!({"iat": NOW + 61}), Refused::Time),
        (json!({"iat": NOW - 3600}), Refused::Time),
        (json!({"nbf": NOW + 61}), Refused::Time),
        (json!({"nonce": "n2"}), Refused::Nonce),
        (json!({"nonce": null}), Refused::Nonce),
    ] {
        assert_eq!(checked(&signed(Algorithm::ES256, &with(change.clone()))), Err(refused), "{change}");
    }
    for fine in [
        json!({"aud": ["ringdown"]}),
        json!({"aud": ["ringdown", "another"], "azp": "ringdown"}),
        json!({"exp": NOW - 59}),
        json!({"iat": NOW + 60, "exp": NOW as f64 + 300.5}),
    ] {
        assert!(checked(&signed(Algorithm::ES256, &with(fine.clone()))).is_ok(), "{fine}");
    }
}

#[test]
fn a_signature_that_is_not_the_issuers_is_refused() {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let (header, body) = (json!({"alg": "none"}), good());
    for alg in ["none", "None", "HS256", "RS512", "PS256"] {
        let header = json!({"alg": alg, "kid": "RS256"});
        for signature in ["", "AAAA"] {
            let token = format!("{}.{}.{signature}", part(&header), part(&body));
            assert_eq!(checked(&token), Err(Refused::Algorithm), "{alg}");
        }
    }
    // The public key of the issuer as the secret of an HMAC.
    let public = serde_json::to_vec(&published()[0]).unwrap();
    let header256 = Header { kid: Some("RS256".into()), ..Header::new(Algorithm::HS256) };
    let confused = jsonwebtoken::encode(&header256, &body, &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(checked(&confused), Err(Refused::Algorithm));
    // Of another key, under the name of a known one.
    let other = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &aws_lc_rs::rand::SystemRandom::new());
    let other = EncodingKey::from_ec_der(other.unwrap().as_ref());
    let es256 = Header { kid: Some("ES256".into()), ..Header::new(Algorithm::ES256) };
    assert_eq!(checked(&jsonwebtoken::encode(&es256, &body, &other).unwrap()), Err(Refused::Forged));
    // Changed on its way.
    let token = signed(Algorithm::ES256, &body);
    let parts: Vec<&str> = token.split('.').collect();
    let raised = part(&with(json!({"email": "boss@example.com"})));
    assert_eq!(checked(&format!("{}.{raised}.{}", parts[0], parts[2])), Err(Refused::Forged));
    assert_eq!(checked(&format!("{}.{}.", part(&header), parts[1])), Err(Refused::Algorithm));
    let long = "a".repeat(LONGEST + 1);
    for text in ["", ".", "..", "a.b.c", "a.b.c.d.e", &long] {
        assert!(checked(text).is_err(), "{text}");
    }
}

#[test]
fn a_key_is_found_by_its_id_and_never_used_for_anything_else() {
    let mut keys = published();
    assert!(key(&keys, Some("ES256"), Algorithm::ES256).is_some());
    assert!(key(&keys, None, Algorithm::ES256).is_some(), "the only one that fits");
    assert!(key(&keys, Some("ES256"), Algorithm::RS256).is_none(), "of another kind");
    assert!(key(&keys, Some("other"), Algorithm::ES256).is_none());
    keys[1].common.public_key_use = Some(PublicKeyUse::Encryption);
    assert!(key(&keys, Some("ES256"), Algorithm::ES256).is_none());
    keys = [published(), published()].concat();
    assert!(key(&keys, None, Algorithm::ES256).is_none(), "one of two is a guess");
}

fn config() -> Config {
    let person = |key: &str, mail: &str| Person {
        key: key.into(),
        name: key.into(),
        zone: Zone::utc(),
        language: "en".into(),
        contact: Vec::new(),
        rules: BTreeMap::new(),
        mail: MailAddress::parse(mail).ok(),
        role: Role::Responder,
    };
    let people = [
        person("anna", "anna@example.com"),
        person("ben", "shared@example.com"),
        person("carla", "Shared@example.com"),
        person("dora", ""),
    ];
    Config { people: people.map(|person| (person.key.clone(), person)).into(), ..Config::default() }
}

#[test]
fn somebody_is_known_by_a_verified_address_that_is_theirs_alone() {
    let config = config();
    let named = |claims: Value, claim: &str| match named(claims.as_object().unwrap(), claim, &config) {
        Named::Person(person) => person.key.to_string(),
        Named::Stranger(name) => format!("stranger {name}"),
        Named::Unverified => "unverified".into(),
        Named::Nameless => "nameless".into(),
    };
    assert_eq!(named(json!({"email": "ANNA@example.com", "email_verified": true}), "email"), "anna");
    assert_eq!(named(json!({"email": "anna@example.com", "email_verified": "true"}), "email"), "anna");
    assert_eq!(named(json!({"email": "anna@example.com"}), "email"), "anna");
    for bad in [json!(false), json!("false"), json!(null), json!(1), json!("yes")] {
        assert_eq!(named(json!({"email": "anna@example.com", "email_verified": bad}), "email"), "unverified", "{bad}");
    }
    assert_eq!(named(json!({"email": "eve@example.com"}), "email"), "stranger eve@example.com");
    assert_eq!(named(json!({"email": "shared@example.com"}), "email"), "stranger shared@example.com");
    for bad in [json!({}), json!({"email": ""}), json!({"email": ["anna@example.com"]}), json!({"email": null})] {
        assert_eq!(named(bad.clone(), "email"), "nameless", "{bad}");
    }
    // By another claim: people's keys, letter for letter.
    let claims = json!({"preferred_username": "dora", "email": "anna@example.com", "email_verified": false});
    assert_eq!(named(claims, "preferred_username"), "dora");
    assert_eq!(named(json!({"preferred_username": "Dora"}), "preferred_username"), "stranger Dora");
}
