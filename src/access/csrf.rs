//! What proves that a form came from a page of ours: the token of the session, in each page under another mask. Pure.
//!
//! Pages are compressed, and what others said stands in them. A token that stood in every page as it is could be read
//! from their lengths, letter by letter, by whoever makes a browser ask for many of them (the attack called BREACH).
//! Under a mask that is new each time no two pages have those letters in common.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::Mac;
use subtle::ConstantTimeEq;

use super::token::keyed;

/// Bytes of a token, and of a mask.
const BYTES: usize = 32;

/// Letters of a mask and what it covers.
const LETTERS: usize = (2 * BYTES * 8).div_ceil(6);

/// The token of one session.
#[derive(Clone)]
pub struct Token([u8; BYTES]);

impl Token {
    /// Worked out from what only this browser and we have seen, and it tells nothing of it.
    pub fn of(session: &[u8; 32]) -> Token {
        let mut mac = keyed(session);
        mac.update(b"csrf");
        Token(mac.finalize().into_bytes().into())
    }

    /// As a page has it: the mask, and the token under it. A mask is 32 random bytes and used once.
    pub fn masked(&self, mask: &[u8; BYTES]) -> String {
        let mut both = [0; 2 * BYTES];
        both[..BYTES].copy_from_slice(mask);
        for (at, byte) in self.0.iter().enumerate() {
            both[BYTES + at] = byte ^ mask[at];
        }
        BASE64_URL_SAFE_NO_PAD.encode(both)
    }

    /// Whether a form has this token, under whichever mask. Takes as long whether it does or not.
    pub fn is(&self, given: &str) -> bool {
        if given.len() != LETTERS {
            return false;
        }
        let Ok(both) = BASE64_URL_SAFE_NO_PAD.decode(given) else { return false };
        let Some((mask, covered)) = both.split_at_checked(BYTES) else { return false };
        let bare: Vec<u8> = mask.iter().zip(covered).map(|(mask, byte)| mask ^ byte).collect();
        bool::from(bare.ct_eq(&self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_known_under_every_mask_and_no_other_is(session: [u8; 32], other: [u8; 32], mask: [u8; 32]) {
            let token = Token::of(&session);
            prop_assert!(token.is(&token.masked(&mask)));
            prop_assert_eq!(Token::of(&other).is(&token.masked(&mask)), session == other);
        }

        #[test]
        fn whatever_a_form_says_is_no_token(given in ".{0,100}") {
            prop_assert!(!Token::of(&[7; 32]).is(&given));
        }
    }

    #[test]
    fn two_pages_have_nothing_in_common() {
        let token = Token::of(&[7; 32]);
        let (one, two) = (token.masked(&[0x0f; 32]), token.masked(&[0xa5; 32]));
        assert_eq!((one.len(), two.len()), (LETTERS, LETTERS));
        let long = |text: &str, other: &str| (0..text.len() - 4).any(|at| other.contains(&text[at..at + 4]));
        // But for the masks, which are these bytes over and over again.
        assert!(!long(&one[44..], &two[44..]), "{one} {two}");
    }

    #[test]
    fn a_token_without_its_mask_or_with_a_letter_changed_is_none() {
        let token = Token::of(&[7; 32]);
        let masked = token.masked(&[9; 32]);
        let bare = BASE64_URL_SAFE_NO_PAD.encode(token.0);
        for bad in ["", &bare, &masked[1..], &format!("{masked}A"), &format!("{bare}{bare}"), &"A".repeat(LETTERS)] {
            assert!(!token.is(bad), "{bad}");
        }
        for at in 0..LETTERS - 1 {
            let other = if masked.as_bytes()[at] == b'A' { "B" } else { "A" };
            assert!(!token.is(&format!("{}{other}{}", &masked[..at], &masked[at + 1..])), "letter {at}");
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}
