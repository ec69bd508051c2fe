//! Spans of time as people write them in files: `90s`, `5m`, `1h30m`, `2d`.

use std::{fmt, str::FromStr};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// A span of time, whole seconds, never negative. A day is 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(TimeDelta);

impl Span {
    /// So many seconds.
    pub const fn seconds(n: u32) -> Self {
        Span(TimeDelta::seconds(n as i64))
    }

    /// So many minutes.
    pub const fn minutes(n: u32) -> Self {
        Span(TimeDelta::seconds(n as i64 * 60))
    }

    /// As chrono's span.
    pub const fn delta(self) -> TimeDelta {
        self.0
    }
}

/// A span that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a span of time; write for example `90s`, `5m`, `1h30m` or `2d`")]
pub struct BadSpan(String);

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, BadSpan> {
        let bad = || BadSpan(text.chars().take(30).collect());
        let (mut seconds, mut number) = (0i64, None::<i64>);
        for character in text.trim().chars() {
            if let Some(digit) = character.to_digit(10) {
                number = Some(
                    number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(digit.into())).ok_or_else(bad)?,
                );
                continue;
            }
            let unit = match character {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86_400,
                _ => return Err(bad()),
            };
            let part = number.take().and_then(|n| n.checked_mul(unit)).ok_or_else(bad)?;
            seconds = seconds.checked_add(part).ok_or_else(bad)?;
        }
        // Ten years bound every promise; `0s` is written out, an empty text is a mistake.
        if number.is_some() || text.trim().is_empty() || seconds > 3650 * 86_400 {
            return Err(bad());
        }
        Ok(Span(TimeDelta::seconds(seconds)))
    }
}

impl TryFrom<String> for Span {
    type Error = BadSpan;

    fn try_from(text: String) -> Result<Self, BadSpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.num_seconds();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, name) in [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')] {
            if rest >= unit {
                write!(f, "{}{name}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_write_the_same() {
        for (text, written, seconds) in
            [("90s", "1m30s", 90), ("5m", "5m", 300), ("1h30m", "1h30m", 5400), ("2d", "2d", 172_800), ("0s", "0s", 0)]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.delta().num_seconds(), seconds);
            assert_eq!(span.to_string(), written);
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "5", "m", "-5m", "5 m", "5w", "99999999999999999999s", "99999999d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
