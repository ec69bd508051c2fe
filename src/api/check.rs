//! The bounds of what a request may carry. Every wrong field is named at once.

use chrono::{DateTime, Datelike, Utc};

use super::{Problem, problem::FieldError};

/// The longest one-line text, in characters.
pub const LINE: usize = 200;
/// The longest text, in characters.
pub const TEXT: usize = 4000;

/// The wrong fields found so far.
#[derive(Debug, Default)]
pub struct Check(Vec<FieldError>);

impl Check {
    /// This field is wrong.
    pub fn wrong(&mut self, pointer: &str, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.into(), detail: detail.into() });
    }

    /// A text that must be there, without the blanks around it.
    pub fn text(&mut self, pointer: &str, text: &str, most: usize) -> String {
        if text.trim().is_empty() {
            self.wrong(pointer, "must not be empty");
        }
        self.optional(pointer, text, most)
    }

    /// An instant that can be reckoned with.
    pub fn instant(&mut self, pointer: &str, at: Option<DateTime<Utc>>) {
        if at.is_some_and(|at| !(1970..2200).contains(&at.year())) {
            self.wrong(pointer, "must lie in the years 1970 to 2199");
        }
    }

    /// A text that may be empty, without the blanks around it.
    pub fn optional(&mut self, pointer: &str, text: &str, most: usize) -> String {
        let text = text.trim();
        if text.chars().nth(most).is_some() {
            self.wrong(pointer, format!("must have at most {most} characters"));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.wrong(pointer, "must not have control characters");
        }
        text.into()
    }

    /// 422 with every wrong field, if there is one.
    pub fn done(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let mut check = Check::default();
        check.text("/title", "  ", LINE);
        check.optional("/detail", &"é".repeat(TEXT + 1), TEXT);
        check.text("/note", "a\u{0}b", LINE);
        let problem = check.done().unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!((problem.status, pointers), (422, vec!["/title", "/detail", "/note"]));
    }

    #[test]
    fn bounds_count_characters_not_bytes() {
        let mut check = Check::default();
        assert_eq!(check.text("/title", &format!(" {} ", "é".repeat(LINE)), LINE).chars().count(), LINE);
        check.done().unwrap();
    }
}
