//! A caller's PIN: kept only as an argon2id hash.

use argon2::{Argon2, PasswordVerifier};

/// Whether `pin` is the one behind `phc`. A hash that cannot be read fits no PIN.
pub fn verify(pin: &str, phc: &str) -> bool {
    Argon2::default().verify_password(pin.as_bytes(), phc).is_ok()
}
