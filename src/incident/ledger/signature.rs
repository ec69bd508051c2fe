//! Ed25519 signatures over canonical JSON.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    canonical::{self, Unfit},
    hex::Hex,
};

/// Who signed: an Ed25519 public key.
pub type PublicKey = Hex<32>;

/// An Ed25519 signature.
pub type Signature = Hex<64>;

/// The secret half of the server's key.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// The seed makes no key.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("these 32 bytes make no Ed25519 key")]
pub struct BadSeed;

impl SigningKey {
    /// The key of a seed (RFC 8032, 5.1.5): 32 random bytes.
    pub fn of(seed: &[u8; 32]) -> Result<SigningKey, BadSeed> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| BadSeed)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| BadSeed)?;
        Ok(SigningKey { pair, public: Hex(public) })
    }

    /// The half that everybody may know.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs the canonical text of a value.
    pub fn sign(&self, value: &Value) -> Result<Signature, Unfit> {
        let text = canonical::text(value)?;
        let signature = self.pair.try_sign(text.as_bytes()).map_err(|_| Unfit)?;
        signature.as_ref().try_into().map(Hex).map_err(|_| Unfit)
    }
}

/// Whether this key signed the canonical text of this value.
pub fn signed(value: &Value, signature: &Signature, key: &PublicKey) -> bool {
    let verifier = UnparsedPublicKey::new(&ED25519, key.0);
    canonical::text(value).is_ok_and(|text| verifier.verify(text.as_bytes(), &signature.0).is_ok())
}

/// A public key as it is published at `/.well-known/ringdown-ledger-key`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Published {
    /// `Ed25519`.
    pub algorithm: String,
    pub public_key: PublicKey,
}

impl Published {
    /// This key, for publication.
    pub fn of(public_key: PublicKey) -> Published {
        Published { algorithm: "Ed25519".into(), public_key }
    }

    /// The key in a text: what was published, or its hexadecimal digits alone.
    pub fn read(text: &str) -> Option<PublicKey> {
        let text = text.trim();
        let published = serde_json::from_str::<Published>(text).map(|published| published.public_key);
        published.ok().or_else(|| text.to_ascii_lowercase().parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_key_of_a_seed_is_that_of_the_standard() {
        // RFC 8032, 7.1, test 1.
        let seed: Hex<32> = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60".parse().unwrap();
        let key = SigningKey::of(&seed.0).unwrap();
        assert_eq!(key.public().to_string(), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    }

    #[test]
    fn a_signature_holds_for_its_value_and_its_key_alone() {
        let (key, other) = (SigningKey::of(&[1; 32]).unwrap(), SigningKey::of(&[2; 32]).unwrap());
        let signature = key.sign(&json!({"a": 1})).unwrap();
        assert!(signed(&json!({"a": 1}), &signature, &key.public()));
        assert!(!signed(&json!({"a": 2}), &signature, &key.public()));
        assert!(!signed(&json!({"a": 1}), &signature, &other.public()));
    }

    #[test]
    fn a_key_is_read_as_it_was_published_or_as_digits() {
        let key = SigningKey::of(&[1; 32]).unwrap().public();
        let published = serde_json::to_string(&Published::of(key)).unwrap();
        assert_eq!(Published::read(&published), Some(key));
        assert_eq!(Published::read(&format!("{}\n", key.to_string().to_uppercase())), Some(key));
        assert_eq!(Published::read("12"), None);
    }
}
