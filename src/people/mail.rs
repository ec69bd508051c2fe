//! Mail addresses: checked as SMTP will need them, and never shown in full in a log.

use std::fmt;

use lettre::Address;

/// No address is longer (RFC 5321, 4.5.3.1.3).
const LONGEST: usize = 254;

/// A mail address: a local part, one `@` and a domain, all of it ASCII.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailAddress(Address);

/// Why mail cannot be sent there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Not of the form.
    #[error("not a mail address; write it as `support@example.com`, without a name or brackets")]
    Form,
    /// Many servers do not take such addresses.
    #[error("has letters that many mail servers do not take; write the domain in its ASCII form, `xn--…`")]
    Ascii,
}

impl MailAddress {
    /// Reads an address; spaces around it are taken off.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        if text.len() > LONGEST || text.matches('@').count() != 1 {
            return Err(BadAddress::Form);
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(BadAddress::Form);
        }
        if !text.is_ascii() {
            return Err(BadAddress::Ascii);
        }
        text.parse().map(MailAddress).map_err(|_| BadAddress::Form)
    }

    /// In full. For the mail carrier and those who may see it, never for a log.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// What is behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.domain()
    }

    /// The first letter and the domain, for logs and for people who may not see the address.
    pub fn masked(&self) -> String {
        format!("{}…@{}", &self.0.user()[..1], self.0.domain())
    }
}

impl From<MailAddress> for Address {
    fn from(address: MailAddress) -> Address {
        address.0
    }
}

/// Masked: an address in full in a log is a mistake, so the easy way is the safe one.
impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Masked, as above; [`MailAddress::as_str`] gives it in full.
impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_are_taken() {
        for text in ["ops@example.com", " o.p-s+x@mail.example.co.uk ", "a@b.example", "root@xn--bcher-kva.example"] {
            assert_eq!(MailAddress::parse(text).map(|it| it.as_str().to_owned()), Ok(text.trim().to_owned()));
        }
    }

    #[test]
    fn what_could_not_be_delivered_or_would_break_out_of_a_header_is_refused() {
        let long = format!("{}@example.com", "x".repeat(260));
        for text in [
            "",
            "ops",
            "@example.com",
            "ops@",
            "a@b@example.com",
            "Ops <ops@example.com>",
            "ops@example.com\r\nBcc: all@example.com",
            "ops@exa mple.com",
            "ops@example.com,dev@example.com",
            "ops\0@example.com",
            &long,
        ] {
            assert_eq!(MailAddress::parse(text), Err(BadAddress::Form), "{text}");
        }
        assert_eq!(MailAddress::parse("ops@bücher.example"), Err(BadAddress::Ascii));
    }

    #[test]
    fn an_address_shows_only_its_first_letter_and_its_domain_when_printed() {
        let address = MailAddress::parse("ops@example.com").unwrap();
        assert_eq!(format!("{address} {address:?}"), "o…@example.com o…@example.com");
    }
}
