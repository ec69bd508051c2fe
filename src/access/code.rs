//! One-time codes: six digits that only a phone shows. Pure.
//!
//! They are worked out from the code's id with a key of this installation, wherever they are needed: when the text is
//! sent, when the voice reads them, and when they are entered. The database holds none of them.

pub mod sending;

use chrono::TimeDelta;
use hmac::Mac;
use subtle::ConstantTimeEq;

use super::{origin, token::keyed};

/// What the key is derived for.
pub const KEY: &str = "one-time codes";

/// How long a code holds.
pub const LIFE: TimeDelta = TimeDelta::minutes(10);

/// How often it may be guessed.
pub const GUESSES: i64 = 5;

/// Stands for the digits in the text that is kept.
const PLACE: &str = "{code}";

/// The digits of the code of this id: HOTP's truncation (RFC 4226, 5.3) over an id instead of a counter.
pub fn digits(key: &[u8; 32], id: &str) -> String {
    let mut mac = keyed(key);
    mac.update(id.as_bytes());
    let sum = mac.finalize().into_bytes();
    // A 64-bit number is so much larger than a million that no code is likelier than another by more than 1 in 10^13.
    let number = sum.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{:06}", number % 1_000_000)
}

/// Whether these are the digits; spaces between them do not count. Takes as long whether they are or not.
pub fn is(key: &[u8; 32], id: &str, given: &str) -> bool {
    let bare: String = given.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).take(20).collect();
    bool::from(bare.as_bytes().ct_eq(digits(key, id).as_bytes()))
}

/// The text to sign in with, the digits left out. Its last line lets a browser at our address, and no other, offer
/// the code (the format of "origin-bound one-time codes delivered via SMS").
pub fn to_sign_in(public_url: &str) -> String {
    let words = format!("{PLACE} is your Ringdown code to sign in. It holds for 10 minutes. Give it to nobody.");
    match origin::https_host(public_url) {
        Some(host) => format!("{words}\n\n@{host} #{PLACE}"),
        None => words,
    }
}

/// The text that proves a number, the digits left out.
pub fn to_prove() -> String {
    format!("{PLACE} is your Ringdown code to confirm this number. It holds for 10 minutes. Give it to nobody.")
}

/// A text with the digits in it.
pub fn filled(text: &str, digits: &str) -> String {
    text.replace(PLACE, digits)
}

/// As a voice reads them.
pub fn spoken(digits: &str) -> String {
    digits.chars().map(|digit| format!("{digit}.")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_is_six_digits_that_follow_from_its_id_and_the_key() {
        let key = [7; 32];
        let code = digits(&key, "cod_1");
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        assert_eq!(code, digits(&key, "cod_1"));
        assert_ne!(code, digits(&[8; 32], "cod_1"));
        let many: BTreeSet<String> = (0..1000).map(|n| digits(&key, &format!("cod_{n}"))).collect();
        assert!(many.len() > 990 && many.iter().any(|code| code.starts_with('0')));
    }

    #[test]
    fn a_code_is_known_by_all_of_its_digits() {
        let key = [7; 32];
        let code = digits(&key, "cod_1");
        assert!(is(&key, "cod_1", &code) && is(&key, "cod_1", &format!(" {} {}", &code[..3], &code[3..])));
        for bad in ["", "000000 ", &code[..5], &format!("{code}0"), "１２３４５６", &" ".repeat(100_000)] {
            assert!(!is(&key, "cod_1", bad) || bad.trim() == code, "{bad}");
        }
        assert!(!is(&key, "cod_2", &code));
    }

    #[test]
    fn the_text_fits_into_one_and_is_offered_at_our_address_alone() {
        let text = filled(&to_sign_in("https://pager.support.example.com:8443/x"), "012345");
        insta::assert_snapshot!(text, @r"
        012345 is your Ringdown code to sign in. It holds for 10 minutes. Give it to nobody.

        @pager.support.example.com #012345
        ");
        assert!(text.len() <= 160);
        assert!(!to_sign_in("http://127.0.0.1:8080").contains('@'));
        assert_eq!(spoken("0429"), "0. 4. 2. 9.");
    }
}
