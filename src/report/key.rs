//! The key that signs exports and anchors: from the settings, or made at the first start and kept beside the database.

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;

use crate::{access::secret, incident::ledger::signature::SigningKey, server::settings::Settings};

/// Keeps a key derived from the tokens' secret apart from every other use of that secret.
const DOMAIN: &[u8] = b"ringdown ledger key 1";

/// The key that signs exports and anchors. Without one in the settings it is made and kept in a file (mode 0600) beside
/// the SQLite database; on a database that is no file it is derived from the tokens' secret, so that every node has the
/// same one. Errors when it is malformed, or the file can neither be read nor made.
pub fn key(settings: &Settings) -> anyhow::Result<SigningKey> {
    let seed = match (&settings.ledger_key, secret::beside(&settings.database, "ledger-key")) {
        (Some(given), _) => hex::decode(given.expose_secret().trim()).ok().context("ledger_key is not hexadecimal")?,
        (None, Some(path)) => secret::kept(&path, "exports are signed by another key then")?,
        (None, None) => {
            let mut mac = Hmac::<Sha256>::new_from_slice(&secret::secret(settings)?)?;
            mac.update(DOMAIN);
            mac.finalize().into_bytes().to_vec()
        }
    };
    let seed = seed.as_slice().try_into().ok().context("the ledger's key is not of 32 bytes")?;
    Ok(SigningKey::of(seed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(database: &str, ledger_key: Option<&str>) -> Settings {
        Settings {
            database: database.into(),
            token_secret: Some("x".repeat(32).into()),
            ledger_key: ledger_key.map(Into::into),
            ..Settings::default()
        }
    }

    #[test]
    fn the_key_is_the_same_at_every_start_and_its_own_for_every_database() {
        let folder = tempfile::tempdir().unwrap();
        let database = |name: &str| format!("sqlite:{}/{name}.db", folder.path().display());
        let public = |name: &str| key(&settings(&database(name), None)).unwrap().public();
        assert_eq!(public("a"), public("a"));
        assert_ne!(public("a"), public("b"));
        let path = folder.path().join("a.ledger-key");
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777,
            0o600
        );
    }

    #[test]
    fn a_key_of_the_settings_is_taken_and_nodes_without_a_file_share_one() {
        let given = settings("sqlite:/nowhere/x.db", Some(&"01".repeat(32)));
        assert_eq!(key(&given).unwrap().public(), SigningKey::of(&[1; 32]).unwrap().public());
        let shared = || key(&settings("postgres://db/ringdown", None)).unwrap().public();
        assert_eq!(shared(), shared());
        assert!(key(&settings("sqlite:x.db", Some("0101"))).is_err());
    }
}
