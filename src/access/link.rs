//! The short links in our texts: `/a/TOKEN` for whoever is paged, `/s/TOKEN` for the customer. Pure.
//!
//! A token is the incident's reference and a seal of 80 bits (HMAC-SHA-256 over the page's or the incident's id, with a
//! key of its own purpose, cut as RFC 2104, 5 allows). It is worked out anew when a text is sent and when it is opened,
//! and stands nowhere: a text in the outbox has asterisks in the seal's place, so that nobody who reads the database, or
//! may only look, can acknowledge as somebody else.

use std::{fmt, sync::Arc};

use hmac::Mac;
use subtle::ConstantTimeEq;

use super::{TokenKey, token::keyed};
use crate::id::{IncidentId, PageId};

/// Small letters and digits that are not mistaken for one another: all of them in one septet of a text.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The length of a seal, in letters of five bits.
pub const SEAL: usize = 16;

/// What stands for a seal in a text that waits to be sent.
const BLANK: &str = "****************";

/// No reference is longer.
const LONGEST_REFERENCE: usize = 9;

/// Makes and knows the links of this installation.
#[derive(Clone)]
pub struct Links {
    public_url: Arc<str>,
    page: [u8; 32],
    customer: [u8; 32],
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Links")
    }
}

/// What a link stands for.
#[derive(Clone, Copy, Debug)]
pub enum For<'a> {
    /// To acknowledge one page.
    Page(&'a PageId),
    /// To follow one incident, for the customer.
    Customer(&'a IncidentId),
}

impl Links {
    /// The links of a service that people reach at `public_url`.
    pub fn new(public_url: &str, key: &TokenKey) -> Links {
        Links {
            public_url: public_url.trim_end_matches('/').into(),
            page: key.derive("links of pages"),
            customer: key.derive("links of customers"),
        }
    }

    /// The link for a page, with a blank for its seal.
    pub fn of_page(&self, reference: &str) -> String {
        format!("{}/a/{reference}{BLANK}", self.public_url)
    }

    /// The link for the customer, with a blank for its seal.
    pub fn of_customer(&self, reference: &str) -> String {
        format!("{}/s/{reference}{BLANK}", self.public_url)
    }

    /// What stands behind `/a/` or `/s/`.
    pub fn token(&self, reference: &str, what: For<'_>) -> String {
        format!("{reference}{}", self.seal(what))
    }

    /// A text with the seal where its blank is; the same each time. A text without a link stays as it is.
    pub fn sealed(&self, text: &str, what: For<'_>) -> String {
        let door = match what {
            For::Page(_) => "/a/",
            For::Customer(_) => "/s/",
        };
        let found = text.rfind(BLANK).filter(|at| {
            // A run of asterisks that somebody wrote is no link.
            text[..*at].trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(door)
        });
        match found {
            Some(at) => format!("{}{}{}", &text[..at], self.seal(what), &text[at + SEAL..]),
            None => text.into(),
        }
    }

    /// Whether a seal that somebody shows is the one of this.
    pub fn holds(&self, seal: &str, what: For<'_>) -> bool {
        self.seal(what).as_bytes().ct_eq(seal.as_bytes()).into()
    }

    fn seal(&self, what: For<'_>) -> String {
        let (key, id) = match what {
            For::Page(page) => (&self.page, page.as_str()),
            For::Customer(incident) => (&self.customer, incident.as_str()),
        };
        let mut mac = keyed(key);
        mac.update(id.as_bytes());
        let tag = mac.finalize().into_bytes();
        let letter = |at: usize| {
            // Five bits from bit `at * 5` on.
            let (byte, shift) = (at * 5 / 8, at * 5 % 8);
            let pair = u16::from_be_bytes([tag[byte], tag[byte + 1]]);
            char::from(LETTERS[usize::from(pair << shift >> 11)])
        };
        (0..SEAL).map(letter).collect()
    }
}

/// The reference and the seal of a token, if it has the form of one.
pub fn read(token: &str) -> Option<(&str, &str)> {
    let at = token.len().checked_sub(SEAL).filter(|at| (1..=LONGEST_REFERENCE).contains(at))?;
    let (reference, seal) = (token.get(..at)?, token.get(at..)?);
    let fine = reference.bytes().all(|byte| byte.is_ascii_digit()) && seal.bytes().all(|byte| LETTERS.contains(&byte));
    fine.then_some((reference, seal))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn links() -> Links {
        Links::new("https://r.example.com/", &TokenKey::new(&[7; 32]))
    }

    #[test]
    fn a_link_is_known_again_by_its_seal_and_for_its_purpose_alone() {
        let (page, incident) = (PageId::from("inc_x.1"), IncidentId::from("inc_x.1"));
        let token = links().token("4821", For::Page(&page));
        let (reference, seal) = read(&token).unwrap();
        assert_eq!((reference, seal.len()), ("4821", SEAL));
        assert!(links().holds(seal, For::Page(&page)));
        assert!(!links().holds(seal, For::Page(&"inc_x.2".into())), "another page");
        assert!(!links().holds(seal, For::Customer(&incident)), "another purpose");
        let other = Links::new("https://r.example.com", &TokenKey::new(&[8; 32]));
        assert!(!other.holds(seal, For::Page(&page)), "another installation");
    }

    #[test]
    fn a_text_that_waits_has_no_seal_and_gets_the_same_one_each_time() {
        let (links, page) = (links(), PageId::from("inc_x.1"));
        let waits = format!("4821 P1. Reply 37 4. {}", links.of_page("4821"));
        assert!(waits.ends_with("https://r.example.com/a/4821****************"));
        let sent = links.sealed(&waits, For::Page(&page));
        assert_eq!(sent.len(), waits.len());
        let token = sent.rsplit('/').next().unwrap();
        assert_eq!(token, links.token("4821", For::Page(&page)));
        assert_eq!(links.sealed(&waits, For::Page(&page)), sent);
        assert_eq!(links.sealed(&sent, For::Page(&page)), sent);
        for text in ["", "stars **************** of somebody", "/s/4821****************"] {
            assert_eq!(links.sealed(text, For::Page(&page)), text);
        }
    }

    #[test]
    fn seals_differ_and_use_every_letter() {
        let links = links();
        let seals: BTreeSet<String> =
            (0..2000).map(|n| links.token("1", For::Page(&format!("inc_x.{n}").into()))).collect();
        assert_eq!(seals.len(), 2000);
        let used: BTreeSet<char> = seals.iter().flat_map(|token| token[1..].chars()).collect();
        assert_eq!(used.len(), LETTERS.len());
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        for text in [
            "",
            "4821",
            "abcdefghijkmnpqr",
            "x821abcdefghijkmnpqr",
            "4821ABCDEFGHIJKMNPQR",
            "4821abcdefghijkmnp/r",
            "1234567890abcdefghijkmnpqr",
            "4821éééééééééééééééé",
            "4821abcdefghijkmnpql",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("4821abcdefghijkmnpqr"), Some(("4821", "abcdefghijkmnpqr")));
    }
}
