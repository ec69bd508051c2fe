//! What is wrong with a file, where, and what to do about it.

use std::fmt;

use serde::Serialize;

/// One thing that is wrong, or looks wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// As the reader would open it: `schedules/people.toml`.
    pub file: String,
    /// From 1; 0 when no line is to blame.
    pub line: usize,
    /// `people.anna.contact.mobile.phone`; empty when no key is to blame. Lists are counted from 0.
    pub key: String,
    pub severity: Severity,
    /// What is wrong and what to do.
    pub message: String,
}

/// Whether the folder can be used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The folder is not taken.
    Error,
    /// The folder is taken; somebody should look.
    Warning,
}

impl Finding {
    /// Whether the folder cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        f.write_str(": ")?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(&self.message)
    }
}

/// The name nearest to what was written, if one is near enough to be meant.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A long key is no typing mistake, and the measure is quadratic.
    if written.len() > 40 {
        return None;
    }
    let near = |name: &&str| distance(written, name) <= 1 + written.chars().count() / 4;
    names.into_iter().filter(|name| name.len() <= 40).filter(near).min_by_key(|name| distance(written, name))
}

/// How many letters must change to make one text the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        let names = ["anna", "ben", "charlotte"];
        for (written, meant) in
            [("ana", Some("anna")), ("Ben", Some("ben")), ("charlote", Some("charlotte")), ("zoe", None), ("", None)]
        {
            assert_eq!(nearest(written, names), meant, "{written}");
        }
    }
}
