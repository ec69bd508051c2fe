//! What a mail server's answer means.

use std::error::Error as _;

use lettre::transport::smtp::Error;

use crate::mail::Refused;

/// Replies about this mail or its mailbox (RFC 5321, 4.2.1: x5z). Every other refusal is about how we speak or sign in:
/// a mistake that somebody mends, not a reason to drop the mail.
const ABOUT_THE_MAIL: std::ops::RangeInclusive<u16> = 550..=559;

/// Replies about our signing in.
const SIGN_IN: [u16; 5] = [530, 534, 535, 538, 454];

/// No explanation is longer, in characters.
const LONGEST: usize = 200;

/// Why a mail was not taken. Only a plain refusal of this mail is permanent; a lost answer, a server that cannot be
/// reached and a sign-in that failed are not.
pub fn refused(error: &Error) -> Refused {
    let code = error.status().map(u16::from);
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    Refused { permanent: permanent(code), code, words: words(&what(error, code), &said) }
}

fn permanent(code: Option<u16>) -> bool {
    code.is_some_and(|code| ABOUT_THE_MAIL.contains(&code))
}

fn what(error: &Error, code: Option<u16>) -> String {
    match code {
        Some(code) if SIGN_IN.contains(&code) => format!("the mail server does not let us sign in ({code})"),
        Some(code) => format!("the mail server refused it ({code})"),
        None if error.is_tls() => "the line to the mail server cannot be encrypted".into(),
        None if error.is_timeout() => "the mail server did not answer in time".into(),
        None if error.is_client() => "the mail server cannot do what we need".into(),
        None => "the mail server cannot be reached, or hung up".into(),
    }
}

/// What went wrong and what the server said to it, short, on one line, and without any mail address.
fn words(what: &str, said: &str) -> String {
    let mask = |word: &str| if word.contains('@') { "…".to_owned() } else { word.to_owned() };
    let said: Vec<String> = said.split(|c: char| c.is_whitespace() || c.is_control()).map(mask).collect();
    let said = said.join(" ");
    let whole = if said.trim().is_empty() { what.to_owned() } else { format!("{what}: {}", said.trim()) };
    whole.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_the_mail_itself_is_permanent() {
        for code in [550, 552, 554] {
            assert!(permanent(Some(code)), "{code}");
        }
        for code in [Some(421), Some(451), Some(503), Some(530), Some(535), None] {
            assert!(!permanent(code), "{code:?}");
        }
    }

    #[test]
    fn what_a_server_said_is_kept_without_the_address() {
        assert_eq!(
            words("the mail server refused it (550)", "5.1.1 <bob@example.com>:\r\nno such user"),
            "the mail server refused it (550): 5.1.1 …  no such user"
        );
        assert_eq!(words("it hung up", ""), "it hung up");
        assert_eq!(words("it said", &"x".repeat(1000)).chars().count(), LONGEST);
    }
}
