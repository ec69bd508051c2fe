//! The secrets of integrations themselves, from the folder on this machine. The configuration in force and the database
//! keep their digests alone; whoever sets up a sender needs what was written.

use std::{collections::BTreeMap, path::Path};

use secrecy::SecretString;

use super::{
    load::texts,
    secret::{Vault, digest},
};

/// Every integration's secret that the folder gives away, by its digest. What is written there as a digest, or cannot be
/// looked up on this machine, is not among them; what is not in force any more may be.
pub fn integration_keys(dir: &Path, env: &dyn Fn(&str) -> Option<String>) -> BTreeMap<String, SecretString> {
    let vault = Vault { env, folder: dir };
    let tables = texts(dir).into_iter().filter_map(|text| toml::from_str::<toml::Table>(&text).ok());
    let mut keys = BTreeMap::new();
    for table in tables {
        let integrations = table.get("integrations").and_then(toml::Value::as_table);
        for integration in integrations.into_iter().flat_map(|all| all.values()) {
            let written = integration.get("keys").and_then(toml::Value::as_table);
            for key in written.into_iter().flat_map(|all| all.values()).filter_map(toml::Value::as_str) {
                if key.starts_with("sha256:") {
                    continue;
                }
                if let Ok(secret) = vault.open(key) {
                    keys.insert(digest(&secret), SecretString::from(secret));
                }
            }
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_secret_is_known_again_by_its_digest_wherever_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "from-the-file-0000\n").unwrap();
        let text = format!(
            "[integrations.a]\nkeys = {{ one = \"written-out-00000\", two = \"env:KEY\", gone = \"env:GONE\" }}\n\
             [integrations.b]\nkeys = {{ one = \"file:key\", two = \"sha256:{}\" }}\n",
            digest("kept elsewhere")
        );
        std::fs::write(folder.path().join("integrations.toml"), text).unwrap();
        std::fs::write(folder.path().join("broken.toml"), "[").unwrap();
        let env = |name: &str| (name == "KEY").then(|| "from-the-environment".to_owned());
        let keys = integration_keys(folder.path(), &env);
        let found = |secret: &str| keys.get(&digest(secret)).map(|key| key.expose_secret().to_owned());
        for secret in ["written-out-00000", "from-the-environment", "from-the-file-0000"] {
            assert_eq!(found(secret).as_deref(), Some(secret));
        }
        assert_eq!((keys.len(), found("kept elsewhere")), (3, None));
    }
}
