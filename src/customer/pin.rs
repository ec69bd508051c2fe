//! A caller's PIN: kept only as an argon2id hash. Both functions take tens of milliseconds of one core on purpose:
//! call them in `spawn_blocking`.

use anyhow::ensure;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// 4 to 12 digits: what can be keyed in on a phone.
fn is_pin(pin: &str) -> bool {
    (4..=12).contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_digit())
}

/// Hashes a PIN with a fresh salt, in PHC form, for `pin_hash` in `schedules/customers.toml`.
pub fn hash(pin: &str) -> anyhow::Result<String> {
    ensure!(is_pin(pin), "a PIN has 4 to 12 digits and nothing else");
    let hash = Argon2::default().hash_password(pin.as_bytes());
    Ok(hash.map_err(|error| anyhow::anyhow!("cannot hash the PIN: {error}"))?.to_string())
}

/// Whether the digits keyed in are the PIN of this hash. Whatever is not a PIN or not a hash is not.
pub fn verify(pin: &str, phc: &str) -> bool {
    if !is_pin(pin) || !is_hash(phc) {
        return false;
    }
    PasswordHash::new(phc).is_ok_and(|hash| Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok())
}

/// Whether this is an argon2id hash that can be checked within reasonable memory (256 MiB) and time.
pub fn is_hash(phc: &str) -> bool {
    let Ok(hash) = PasswordHash::new(phc) else { return false };
    let Ok(params) = argon2::Params::try_from(&hash) else { return false };
    let bounded = params.m_cost() <= 256 * 1024 && params.t_cost() <= 10 && params.p_cost() <= 16;
    hash.algorithm.as_str() == "argon2id" && hash.salt.is_some() && hash.hash.is_some() && bounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_known_again_by_its_hash() {
        let phc = hash("4711").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$"));
        assert!(is_hash(&phc));
        assert!(verify("4711", &phc));
        assert!(!verify("4712", &phc));
        assert_ne!(phc, hash("4711").unwrap(), "salted");
    }

    #[test]
    fn what_is_not_a_pin_is_neither_hashed_nor_accepted() {
        let phc = hash("123456789012").unwrap();
        assert!(verify("123456789012", &phc));
        for pin in ["", "123", "1234567890123", "12a4", "１２３４", " 1234"] {
            assert!(hash(pin).is_err(), "{pin}");
            assert!(!verify(pin, &phc), "{pin}");
        }
    }

    #[test]
    fn a_hash_that_is_broken_or_ruinous_lets_nobody_in() {
        let ruinous = "$argon2id$v=19$m=4194304,t=3,p=1$c29tZXNhbHRzb21l$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";
        for phc in ["", "4711", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuu", ruinous] {
            assert!(!is_hash(phc), "{phc}");
            assert!(!verify("4711", phc), "{phc}");
        }
    }
}
