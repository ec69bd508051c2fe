//! Phone numbers: E.164 (ITU-T), checked against libphonenumber's data, and never shown in full in a log.

use std::{fmt, sync::LazyLock};

use serde::{Deserialize, Serialize};

/// A phone number in E.164: `+` and at most 15 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(String);

/// Why a number cannot be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNumber {
    /// Not of the form.
    #[error("not a phone number in international form; write `+`, country code and number, for example `+12015550123`")]
    Form,
    /// Of the form, but no such number can exist.
    #[error("no such number exists in its country's numbering plan; check the digits")]
    Unassigned,
    /// A premium or shared-cost number: never dialled by a pager.
    #[error("a premium or shared-cost number is never dialled; give an ordinary line")]
    Premium,
}

impl E164 {
    /// A number of the right form, whether or not its country has assigned it: what a carrier tells us of a caller.
    pub fn parse(text: &str) -> Result<Self, BadNumber> {
        let digits = text.strip_prefix('+').ok_or(BadNumber::Form)?;
        let well_formed = (2..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed { Ok(E164(text.into())) } else { Err(BadNumber::Form) }
    }

    /// A number we may dial: of the form, existing, and not premium. Spaces, dots, dashes and brackets are taken out.
    pub fn dialable(text: &str) -> Result<Self, BadNumber> {
        if text.len() > 64 {
            return Err(BadNumber::Form);
        }
        let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')')).collect();
        let number = Self::parse(&bare)?;
        // The data is parsed once; it takes a while the first time.
        static DATA: LazyLock<&phonenumber::metadata::Database> = LazyLock::new(|| &phonenumber::metadata::DATABASE);
        let parsed = phonenumber::parse(None, &number.0).map_err(|_| BadNumber::Form)?;
        if !phonenumber::is_valid_with(&DATA, &parsed) {
            return Err(BadNumber::Unassigned);
        }
        match parsed.number_type(&DATA) {
            phonenumber::Type::PremiumRate | phonenumber::Type::SharedCost | phonenumber::Type::Emergency => {
                Err(BadNumber::Premium)
            }
            _ => Ok(number),
        }
    }

    /// In full. For the carrier and the person's own page, never for a log.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last two digits, for logs and for people who may not see the number.
    pub fn masked(&self) -> String {
        format!("…{}", &self.0[self.0.len() - 2..])
    }

    /// As a voice reads it: digit by digit.
    pub fn spoken(&self) -> String {
        let digits: Vec<String> = self.0[1..].chars().map(String::from).collect();
        format!("plus {}", digits.join(" "))
    }
}

impl TryFrom<String> for E164 {
    type Error = BadNumber;

    fn try_from(text: String) -> Result<Self, BadNumber> {
        Self::parse(&text)
    }
}

impl From<E164> for String {
    fn from(number: E164) -> String {
        number.0
    }
}

/// Masked: a number in full in a log is a mistake, so the easy way is the safe one.
impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Masked, as above; [`E164::as_str`] gives it in full.
impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_exist_can_be_dialled() {
        for text in ["+12015550123", "+1 415 555 0100", "+61491570156", "+4915112345678", "+44 20 7946 0958"] {
            assert!(E164::dialable(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_must_not_be_dialled_is_refused() {
        for text in ["911", "+1911", "+19005550100", "447700900000", "+0123456", "", "+", "+12015550123;ext=5", "+٣٣"]
        {
            assert!(E164::dialable(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_shows_only_its_last_digits_when_printed() {
        let number = E164::parse("+12015550123").unwrap();
        assert_eq!(format!("{number} {number:?}"), "…23 …23");
    }
}
