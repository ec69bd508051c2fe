//! A secret as it may be written in a file: itself, `env:NAME` or `file:PATH`.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// No secret is longer.
const LONGEST: u64 = 16 * 1024;

/// Where secrets that are not written out are fetched from.
#[derive(Clone, Copy)]
pub struct Vault<'a> {
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// What `file:PATH` is relative to.
    pub folder: &'a Path,
}

impl Vault<'_> {
    /// The secret itself. The error says what to do and never shows the secret.
    pub fn open(&self, written: &str) -> Result<String, String> {
        let secret = if let Some(name) = written.strip_prefix("env:") {
            (self.env)(name).ok_or_else(|| format!("the environment variable `{name}` is not set; set it"))?
        } else if let Some(path) = written.strip_prefix("file:") {
            read(&self.folder.join(path))?
        } else {
            written.to_owned()
        };
        if secret.is_empty() {
            return Err("the secret is empty; write one, or take the line out".into());
        }
        Ok(secret)
    }
}

fn read(path: &PathBuf) -> Result<String, String> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|error| format!("cannot read {shown}: {error}; correct the path"))?;
    if !size.is_file() || size.len() > LONGEST {
        return Err(format!("{shown} is not a file of at most {LONGEST} bytes; correct the path"));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {shown}: {error}; correct the path or its permissions"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// SHA-256 in lower-case hex.
pub fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_where_it_says() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "from the file\n").unwrap();
        let env = |name: &str| (name == "KEY").then(|| "from the environment".to_owned());
        let vault = Vault { env: &env, folder: folder.path() };
        for (written, secret) in
            [("plain", "plain"), ("env:KEY", "from the environment"), ("file:key", "from the file")]
        {
            assert_eq!(vault.open(written).as_deref(), Ok(secret));
        }
        for written in ["env:OTHER", "file:nowhere", "file:.", ""] {
            assert!(vault.open(written).is_err(), "{written}");
        }
    }
}
