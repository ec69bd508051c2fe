//! Bytes as the ledger writes them: lower-case hexadecimal, and no other way.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// So many bytes, written as lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hex<const N: usize>(pub [u8; N]);

/// A SHA-256.
pub type Hash = Hex<32>;

/// A SHA-256 in the making.
#[derive(Clone, Debug, Default)]
pub struct Running(Sha256);

impl Running {
    /// So much more.
    pub fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of what came so far.
    pub fn hash(&self) -> Hash {
        Hex(self.0.clone().finalize().into())
    }
}

/// Not so many lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {0} lower-case hexadecimal digits")]
pub struct NotHex(usize);

impl Hash {
    /// The SHA-256 of these, one after the other.
    pub fn of(parts: &[&[u8]]) -> Hash {
        let mut digest = Sha256::new();
        parts.iter().for_each(|part| digest.update(part));
        Hex(digest.finalize().into())
    }
}

impl<const N: usize> FromStr for Hex<N> {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        let mut bytes = [0; N];
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match ::hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if lower => Ok(Hex(bytes)),
            _ => Err(NotHex(2 * N)),
        }
    }
}

impl<const N: usize> TryFrom<String> for Hex<N> {
    type Error = NotHex;

    fn try_from(text: String) -> Result<Self, NotHex> {
        text.parse()
    }
}

impl<const N: usize> From<Hex<N>> for String {
    fn from(bytes: Hex<N>) -> String {
        bytes.to_string()
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&::hex::encode(self.0))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
