//! Passwords: for the first administrator, and for whoever has no phone of ours. Kept as argon2id hashes.

pub mod store;

use std::time::Duration;

use anyhow::ensure;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use rand::RngExt;

use super::turns::Turns;

/// Fewer characters than these are guessed.
const SHORTEST: usize = 10;
/// Nobody types more.
const LONGEST: usize = 200;

/// The longest name of a password.
const LONGEST_NAME: usize = 100;

/// How many are checked at once: each takes 19 MiB and a core for some time, and pages go out meanwhile.
const AT_ONCE: usize = 2;

/// Who waits longer for their turn is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// What [`Hashing::verify`] compares with where there is no password: as much work as a real one.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$cmluZ2Rvd24tbm9ib2R5cw$\
                       OUVhVhyEZSLvKMr4bq0JXJ9mRZk2FXg2hbRaG0yKgXM";

/// The name as it is kept: people do not mind capitals and spaces around it. `None`: no password is called that.
pub fn name(given: &str) -> Option<String> {
    let name = given.trim().to_lowercase();
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
    ((1..=LONGEST_NAME).contains(&name.chars().count()) && name.chars().all(fine)).then_some(name)
}

/// Hashes a password with a fresh salt, in PHC form. Takes tens of milliseconds on purpose. Errors say what is wrong
/// with it, and not the password.
pub fn hash(password: &str) -> anyhow::Result<String> {
    let length = password.chars().count();
    ensure!(length >= SHORTEST, "a password has at least {SHORTEST} characters");
    ensure!(length <= LONGEST, "a password has at most {LONGEST} characters");
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| anyhow::anyhow!("cannot hash the password: {error}"))?.to_string())
}

fn verify(password: &str, phc: &str) -> bool {
    PasswordHash::new(phc).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// A new password: 25 letters and digits in fives, without those that look alike; 125 bits.
pub fn generate() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let mut rng = rand::rng();
    let mut five = || (0..5).map(|_| LETTERS[rng.random_range(0..LETTERS.len())] as char).collect::<String>();
    (0..5).map(|_| five()).collect::<Vec<_>>().join("-")
}

/// The turns at hashing: a flood of guesses uses no more than these.
#[derive(Debug)]
pub struct Hashing(Turns);

impl Default for Hashing {
    fn default() -> Self {
        Hashing(Turns::new(AT_ONCE))
    }
}

impl Hashing {
    /// Whether the password is the one of this hash, on a thread of its own. Takes as long without a hash, and then it
    /// is not. `None`: too many are asked at once.
    pub async fn verify(&self, password: &str, phc: Option<&str>) -> Option<bool> {
        let known = phc.is_some();
        let (phc, password) = (phc.unwrap_or(NOBODYS).to_owned(), password.to_owned());
        let fine = password.chars().count() <= LONGEST;
        let checked = self.0.take(PATIENCE, move || fine && verify(&password, &phc)).await?;
        Some(checked && known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_by_its_hash_and_nobodys_is_nobodys() {
        let (hashing, phc) = (Hashing::default(), hash("correct horse").unwrap());
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_eq!(hashing.verify("correct horse", Some(&phc)).await, Some(true));
        for (password, phc) in [
            ("correct horsf", Some(phc.as_str())),
            ("", Some(&phc)),
            ("correct horse", None),
            ("correct horse", Some("")),
        ] {
            assert_eq!(hashing.verify(password, phc).await, Some(false), "{password} {phc:?}");
        }
        assert_ne!(phc, hash("correct horse").unwrap(), "salted");
    }

    #[test]
    fn what_stands_for_no_password_is_as_much_work_as_one() {
        let known = PasswordHash::new(NOBODYS).unwrap();
        let params = argon2::Params::try_from(&known).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (19_456, 2, 1));
        assert_eq!(known.hash.unwrap().as_bytes().len(), 32);
    }

    #[test]
    fn a_password_that_is_guessed_is_not_taken() {
        assert!(hash("123456789").is_err() && hash(&"a".repeat(201)).is_err());
        assert!(hash("1234567890").is_ok());
    }

    #[test]
    fn a_generated_password_is_long_and_another_each_time() {
        let (one, other) = (generate(), generate());
        assert_eq!((one.len(), one.split('-').count()), (29, 5), "{one}");
        assert_ne!(one, other);
    }

    #[test]
    fn a_name_is_the_same_in_capitals_and_holds_no_strange_signs() {
        assert_eq!(name("  Admin@Example.com "), Some("admin@example.com".into()));
        for bad in ["", " ", "a b", "a\nb", "<b>", &"a".repeat(101)] {
            assert_eq!(name(bad), None, "{bad:?}");
        }
    }

    #[tokio::test]
    async fn more_than_two_wait_for_their_turn() {
        let hashing = Hashing::default();
        let all = (0..6).map(|_| hashing.verify("correct horse", None));
        assert_eq!(futures::future::join_all(all).await, [Some(false); 6]);
    }
}
