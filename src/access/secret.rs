//! The secret that signs tokens: from the settings, or made at the first start and kept beside the database.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use rand::Rng;
use secrecy::ExposeSecret;

use super::TokenKey;
use crate::server::settings::Settings;

/// HMAC-SHA-256 wants a key as long as its output (RFC 7518, 3.2).
const LEAST_BYTES: usize = 32;

/// The secret that signs tokens. Made and kept in a file (mode 0600) beside the SQLite database when the settings
/// give none. Errors when it is too short, or the file can neither be read nor made.
pub fn secret(settings: &Settings) -> anyhow::Result<Vec<u8>> {
    if let Some(secret) = &settings.token_secret {
        let secret = secret.expose_secret().as_bytes();
        if secret.len() < LEAST_BYTES {
            bail!(
                "token_secret has {} bytes; give at least {LEAST_BYTES}, for example from `openssl rand -hex 32`",
                secret.len()
            );
        }
        return Ok(secret.to_vec());
    }
    let Some(path) = beside(&settings.database, "token-secret") else {
        bail!("token_secret is not set; without an SQLite database there is no place to keep a new one");
    };
    kept(&path, "every token is void then")
}

/// The key that signs tokens here, of [`secret()`].
pub fn token_key(settings: &Settings) -> anyhow::Result<TokenKey> {
    Ok(TokenKey::new(&secret(settings)?))
}

/// `ringdown.db` keeps its secret in `ringdown.token-secret`; `None` where the database is no file.
pub(crate) fn beside(database: &str, extension: &str) -> Option<PathBuf> {
    let path = database.strip_prefix("sqlite:")?.trim_start_matches("//");
    Some(Path::new(path).with_extension(extension))
}

/// The secret kept in this file, of 32 bytes at least; made (mode 0600) when it is not there. `lost`: what deleting
/// the file does.
pub(crate) fn kept(path: &Path, lost: &str) -> anyhow::Result<Vec<u8>> {
    if let Some(secret) = read(path, lost)? {
        return Ok(secret);
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    // Written whole under another name and then linked, so that of two processes that start at once one wins and
    // neither reads half a file.
    let draft = path.with_extension(crate::id::fresh("new"));
    let wrote = write(&draft).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let _ = fs::remove_file(&draft);
    wrote.with_context(|| format!("cannot keep a secret in {}", path.display()))?;
    read(path, lost)?.with_context(|| format!("{} went away", path.display()))
}

fn write(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut bytes = [0u8; LEAST_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    let mut file = options.open(path)?;
    file.write_all(hex::encode(bytes).as_bytes())?;
    file.sync_all()
}

fn read(path: &Path, lost: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    match hex::decode(text.trim()) {
        Ok(bytes) if bytes.len() >= LEAST_BYTES => Ok(Some(bytes)),
        _ => bail!("{} does not hold a secret; put it back from a backup, or delete it: {lost}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_kept_beside_the_database_and_read_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = beside(&format!("sqlite:{}/deep/ringdown.db", folder.path().display()), "token-secret").unwrap();
        let first = kept(&path, "").unwrap();
        assert_eq!(first.len(), LEAST_BYTES);
        assert_eq!(kept(&path, "").unwrap(), first);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_file_that_holds_no_secret_is_an_error_and_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.token-secret");
        fs::write(&path, "short").unwrap();
        assert!(kept(&path, "").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "short");
    }
}
