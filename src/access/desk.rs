//! What signing in needs, of the running process.

use std::fmt;

use hmac::Mac;
use tokio::sync::Semaphore;

use super::{TokenKey, code, oidc::Oidc, password::Hashing, token::keyed};
use crate::server::settings::Settings;

/// How many tries are counted at once. They wait for one another in the database, each on one of its connections, and
/// pages need connections too.
const COUNTED_AT_ONCE: usize = 4;

/// What signing in needs, of the running process.
pub struct Desk {
    pub(super) hashing: Hashing,
    pub(super) counting: Semaphore,
    pub(super) oidc: Option<Oidc>,
    codes: [u8; 32],
    names: [u8; 32],
    pub(super) state: [u8; 32],
}

impl Desk {
    /// Of these settings, with keys of the installation's own.
    pub fn new(settings: &Settings, key: &TokenKey) -> Desk {
        Desk {
            hashing: Hashing::default(),
            counting: Semaphore::new(COUNTED_AT_ONCE),
            oidc: settings.oidc.clone().map(|oidc| Oidc::new(oidc, &settings.public_url)),
            codes: key.derive(code::KEY),
            names: key.derive("names that were tried"),
            state: key.derive("the state of a single sign-on"),
        }
    }

    /// The digits of the one-time code of this id.
    pub fn digits(&self, id: &str) -> String {
        code::digits(&self.codes, id)
    }

    /// Whether these are its digits.
    pub fn is_code(&self, id: &str, given: &str) -> bool {
        code::is(&self.codes, id, given)
    }

    /// A name that was tried, as it is kept: the same each time, and not to be read.
    pub fn hashed(&self, name: &str) -> String {
        let mut mac = keyed(&self.names);
        mac.update(name.as_bytes());
        hex::encode(&mac.finalize().into_bytes()[..16])
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk")
    }
}
