//! An amount of open time as a plan writes it: `30m`, `8h`, `3bd`, `1bd4h`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::span::Span;

/// So many business days of a calendar, and so much time beside them. A plain day (`2d`) is 24 hours, a business
/// day (`2bd`) is as long as its calendar says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount {
    business_days: u16,
    span: Span,
}

/// Not an amount of open time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an amount of open time; write for example `30m`, `8h`, `1h30m` or `3bd` (business days)")]
pub struct BadAmount(String);

/// Ten years of business days bound every promise.
const MOST_BUSINESS_DAYS: u16 = 3650;

impl Amount {
    /// So many business days.
    pub const fn business_days(n: u16) -> Self {
        Amount { business_days: n, span: Span::seconds(0) }
    }

    /// Seconds of open time, where a business day has `day`.
    pub fn seconds(self, day: Span) -> i64 {
        i64::from(self.business_days) * day.delta().num_seconds() + self.span.delta().num_seconds()
    }

    /// Whether it is written in business days, at least in part.
    pub fn counts_business_days(self) -> bool {
        self.business_days > 0
    }
}

impl From<Span> for Amount {
    fn from(span: Span) -> Self {
        Amount { business_days: 0, span }
    }
}

impl FromStr for Amount {
    type Err = BadAmount;

    fn from_str(text: &str) -> Result<Self, BadAmount> {
        let bad = || BadAmount(text.chars().take(30).collect());
        let (days, rest) = match text.trim().split_once("bd") {
            Some((days, rest)) => {
                let digits = (1..=5).contains(&days.len()) && days.bytes().all(|byte| byte.is_ascii_digit());
                let days = days.parse::<u16>().ok().filter(|days| digits && *days <= MOST_BUSINESS_DAYS);
                (days.ok_or_else(bad)?, rest)
            }
            None => (0, text.trim()),
        };
        let business_only = rest.is_empty() && text.contains("bd");
        let span = if business_only { Span::default() } else { rest.parse().map_err(|_| bad())? };
        Ok(Amount { business_days: days, span })
    }
}

impl TryFrom<String> for Amount {
    type Error = BadAmount;

    fn try_from(text: String) -> Result<Self, BadAmount> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> String {
        amount.to_string()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.business_days, self.span == Span::default()) {
            (0, _) => self.span.fmt(f),
            (days, true) => write!(f, "{days}bd"),
            (days, false) => write!(f, "{days}bd{}", self.span),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_and_write_the_same() {
        let day = Span::minutes(9 * 60);
        for (text, written, seconds) in [
            ("8h", "8h", 28_800),
            ("90m", "1h30m", 5400),
            ("1h30m", "1h30m", 5400),
            ("0s", "0s", 0),
            ("3bd", "3bd", 3 * 32_400),
            ("1bd2h", "1bd2h", 32_400 + 7200),
            ("0bd", "0s", 0),
            ("2d", "2d", 172_800),
            (" 72h ", "3d", 259_200),
        ] {
            let amount: Amount = text.parse().unwrap();
            assert_eq!(amount.seconds(day), seconds, "{text}");
            assert_eq!(amount.to_string(), written);
            assert_eq!(written.parse::<Amount>().unwrap(), amount);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "bd", "3", "-3bd", "+3bd", "3bd5", "3bd2bd", "2h3bd", "3 bd", "3651bd", "1.5h", "99999bd", "h"]
        {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }
}
