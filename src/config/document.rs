//! A TOML document read field by field: every mistake is noted with its file, line and key, and reading goes on.
//!
//! Not serde: it stops at the first mistake and forgets where in the file a value stood.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    str::FromStr,
};

use toml::{Spanned, de::DeTable, de::DeValue};

use super::finding::{Finding, Severity, nearest};
use crate::{
    people::{E164, MailAddress},
    span::Span,
};

/// No list or table in a file is longer.
const MOST_ENTRIES: usize = 5000;
/// No text in a file is longer, in bytes.
const LONGEST_TEXT: usize = 4000;

/// No list of mail addresses is longer.
const MOST_ADDRESSES: usize = 200;

/// One file's text.
#[derive(Debug)]
pub struct Source {
    /// As the reader would open it.
    pub label: String,
    text: String,
    line_starts: Vec<usize>,
}

/// Where a key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub line: usize,
}

/// A text to put in the place of a secret, in a file.
#[derive(Clone, Debug)]
pub struct Redaction {
    pub file: String,
    pub range: Range<usize>,
    pub with: String,
}

/// What was noted while reading.
#[derive(Debug, Default)]
pub struct Notes {
    findings: RefCell<Vec<Finding>>,
    places: RefCell<BTreeMap<String, Place>>,
    redactions: RefCell<Vec<Redaction>>,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    notes: &'a Notes,
    source: &'a Source,
    /// The path of keys to it.
    pub key: String,
    line: usize,
    range: Range<usize>,
    value: &'a DeValue<'a>,
}

/// A table whose keys are read one by one; a key that was never asked for is a mistake.
#[derive(Debug)]
pub struct Fields<'a> {
    node: Node<'a>,
    entries: Vec<(String, Node<'a>)>,
    known: RefCell<BTreeSet<&'static str>>,
}

impl Source {
    /// A file's text under the name it is shown by.
    pub fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        let text: String = text.into();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { label: label.into(), text, line_starts }
    }

    /// The line of a byte, from 1.
    pub fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    /// Parses it. A file with a syntax error gives what could still be read, and `false`.
    pub fn parse(&self, notes: &Notes) -> (Spanned<DeValue<'_>>, bool) {
        let (document, errors) = DeTable::parse_recoverable(&self.text);
        // One slip often upsets the lines after it: the first few say it all.
        for error in errors.iter().take(3) {
            let line = error.span().map_or(0, |span| self.line(span.start));
            let message = format!("{}; correct the TOML here", error.message().trim().replace('\n', ", "));
            notes.add(Finding {
                file: self.label.clone(),
                line,
                key: String::new(),
                severity: Severity::Error,
                message,
            });
        }
        (Spanned::new(document.span(), DeValue::Table(document.into_inner())), errors.is_empty())
    }
}

impl Notes {
    /// Notes a finding.
    pub fn add(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// All findings, by file and line, and where each key stood.
    pub fn finish(self) -> (Vec<Finding>, BTreeMap<String, Place>, Vec<Redaction>) {
        (self.findings.into_inner(), self.places.into_inner(), self.redactions.into_inner())
    }
}

impl<'a> Node<'a> {
    /// The whole of a file, under this path of keys.
    pub fn root(notes: &'a Notes, source: &'a Source, key: &str, document: &'a Spanned<DeValue<'a>>) -> Self {
        Node { notes, source, key: key.into(), line: 1, range: document.span(), value: document.get_ref() }
    }

    /// Notes an error here.
    pub fn error(&self, message: impl Into<String>) {
        self.note(&self.key, Severity::Error, message.into());
    }

    /// Notes a warning here.
    pub fn warn(&self, message: impl Into<String>) {
        self.note(&self.key, Severity::Warning, message.into());
    }

    fn note(&self, key: &str, severity: Severity, message: String) {
        let file = self.source.label.clone();
        self.notes.add(Finding { file, line: self.line, key: key.into(), severity, message });
    }

    /// Where it stands, for people: `schedules/people.toml:14`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.source.label, self.line)
    }

    /// Puts `with`, a TOML value, in its place when the file is kept.
    pub fn redact(&self, with: String) {
        let redaction = Redaction { file: self.source.label.clone(), range: self.range.clone(), with };
        self.notes.redactions.borrow_mut().push(redaction);
    }

    fn child(&self, key: String, at: usize, value: &'a Spanned<DeValue<'a>>) -> Node<'a> {
        let line = self.source.line(at);
        let place = Place { file: self.source.label.clone(), line };
        self.notes.places.borrow_mut().insert(key.clone(), place);
        Node { notes: self.notes, source: self.source, key, line, range: value.span(), value: value.get_ref() }
    }

    fn wrong_type(&self, wanted: &str) {
        self.error(format!("this is {}; write {wanted}", article(self.value.type_str())));
    }

    /// The entries of a table with free keys, in the order written.
    pub fn entries(&self) -> Vec<(String, Node<'a>)> {
        let DeValue::Table(table) = self.value else {
            self.wrong_type("a table, `[…]` or `{ … }`");
            return Vec::new();
        };
        if table.len() > MOST_ENTRIES {
            self.error(format!("more than {MOST_ENTRIES} entries; split it up"));
            return Vec::new();
        }
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let path = |name: &str| {
            let bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            let name = if bare && !name.is_empty() { shorten(name) } else { format!("{:?}", shorten(name)) };
            if self.key.is_empty() { name } else { format!("{}.{name}", self.key) }
        };
        entries
            .into_iter()
            .map(|(key, value)| {
                let name = key.get_ref().to_string();
                let node = self.child(path(&name), key.span().start, value);
                (name, node)
            })
            .collect()
    }

    /// Reads a table's fields; those that `read` never asks for are noted as unknown.
    pub fn fields<T>(&self, read: impl FnOnce(&Fields<'a>) -> T) -> T {
        let fields = Fields { node: self.clone(), entries: self.entries(), known: RefCell::default() };
        let result = read(&fields);
        fields.close();
        result
    }

    /// The items of a list.
    pub fn items(&self) -> Vec<Node<'a>> {
        let DeValue::Array(array) = self.value else {
            self.wrong_type("a list, `[ … ]`");
            return Vec::new();
        };
        if array.len() > MOST_ENTRIES {
            self.error(format!("more than {MOST_ENTRIES} entries; split it up"));
            return Vec::new();
        }
        let item =
            |(i, value): (usize, &'a Spanned<_>)| self.child(format!("{}[{i}]", self.key), value.span().start, value);
        array.iter().enumerate().map(item).collect()
    }

    /// A text, without control characters.
    pub fn text(&self) -> Option<&'a str> {
        let DeValue::String(text) = self.value else {
            self.wrong_type("a text in quotes");
            return None;
        };
        if text.len() > LONGEST_TEXT {
            self.error(format!("longer than {LONGEST_TEXT} bytes; shorten it"));
            return None;
        }
        if text.contains(|c: char| c.is_control() && c != '\n') {
            self.error("holds a control character; take it out");
            return None;
        }
        Some(text)
    }

    /// A text that is not blank.
    pub fn words(&self) -> Option<&'a str> {
        let text = self.text()?.trim();
        if text.is_empty() {
            self.error("is empty; write something or take the line out");
            return None;
        }
        Some(text)
    }

    /// A text that is read as `T`.
    pub fn parse<T: FromStr<Err: std::fmt::Display>>(&self) -> Option<T> {
        self.text()?.parse().map_err(|error: T::Err| self.error(error.to_string())).ok()
    }

    /// A whole number.
    pub fn number<T: TryFrom<i64>>(&self, from: i64, to: i64) -> Option<T> {
        let range = format!("a whole number from {from} to {to}");
        let DeValue::Integer(digits) = self.value else {
            self.wrong_type(&range);
            return None;
        };
        let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
        let number = number.filter(|n| (from..=to).contains(n)).and_then(|n| T::try_from(n).ok());
        if number.is_none() {
            self.error(format!("out of range; write {range}"));
        }
        number
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        let DeValue::Boolean(flag) = self.value else {
            self.wrong_type("`true` or `false`");
            return None;
        };
        Some(*flag)
    }

    /// A span of time within bounds.
    pub fn span(&self, from: Span, to: Span) -> Option<Span> {
        let span: Span = self.parse()?;
        if span < from || span > to {
            self.error(format!("`{span}` is out of range; write {from} to {to}"));
            return None;
        }
        Some(span)
    }

    /// A phone number that may be dialled.
    pub fn phone(&self) -> Option<E164> {
        E164::dialable(self.text()?).map_err(|error| self.error(error.to_string())).ok()
    }

    /// A mail address.
    pub fn mail(&self) -> Option<MailAddress> {
        MailAddress::parse(self.text()?).map_err(|error| self.error(error.to_string())).ok()
    }

    /// A list of mail addresses, each once.
    pub fn mails(&self) -> Vec<MailAddress> {
        let items = self.items();
        if items.len() > MOST_ADDRESSES {
            self.error(format!("more than {MOST_ADDRESSES} addresses; write that of a mailing list instead"));
            return Vec::new();
        }
        let mut addresses: Vec<MailAddress> = Vec::new();
        for item in &items {
            match item.mail() {
                Some(address) if addresses.contains(&address) => item.warn("this address stands here twice"),
                Some(address) => addresses.push(address),
                None => {}
            }
        }
        addresses
    }

    /// A date or a time of day, which TOML can write with and without quotes.
    pub fn moment(&self) -> Option<String> {
        match self.value {
            DeValue::Datetime(moment) => Some(moment.to_string()),
            _ => self.text().map(String::from),
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let written = self.text()?;
        let found = choices.iter().find(|(word, _)| *word == written).map(|(_, value)| *value);
        if found.is_none() {
            self.error(format!("`{}` is not known; write {}", shorten(written), listed(choices.iter().map(|c| c.0))));
        }
        found
    }

    /// The text, if it is one.
    pub fn is_text(&self) -> Option<&'a str> {
        if let DeValue::String(text) = self.value { Some(text) } else { None }
    }

    /// The key of something that must exist, of which `kind` is the name.
    pub fn reference(&self, kind: &str, table: &str, known: &BTreeSet<String>) -> Option<&'a str> {
        let written = self.text()?;
        self.named(kind, table, written, known).then_some(written)
    }

    /// Whether what is named here exists.
    pub fn named(&self, kind: &str, table: &str, written: &str, known: &BTreeSet<String>) -> bool {
        if known.contains(written) {
            return true;
        }
        let name = if well_formed(written) { written } else { "KEY" };
        let make = match table {
            "plans" | "holidays" => format!("write `{table}/{name}.toml`"),
            _ => format!("add `[{table}.{name}]`"),
        };
        let help = match nearest(written, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => make,
            None => format!("{make}, or name one of those that exist"),
        };
        self.error(format!("there is no {kind} `{}`; {help}", shorten(written)));
        false
    }
}

impl<'a> Fields<'a> {
    /// The table itself.
    pub fn node(&self) -> &Node<'a> {
        &self.node
    }

    /// A field that may be left out.
    pub fn optional(&self, key: &'static str) -> Option<&Node<'a>> {
        self.known.borrow_mut().insert(key);
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// A field that must be there; `example` shows how to write it.
    pub fn required(&self, key: &'static str, example: &str) -> Option<&Node<'a>> {
        let field = self.optional(key);
        if field.is_none() {
            let path = format!("{}.{key}", self.node.key);
            let path = path.trim_start_matches('.');
            self.node.note(path, Severity::Error, format!("is missing; add `{key} = {example}`"));
        }
        field
    }

    fn close(&self) {
        let known = self.known.borrow();
        for (name, node) in self.entries.iter().filter(|(name, _)| !known.contains(name.as_str())) {
            let help = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("these exist: {}", listed(known.iter().copied())),
            };
            node.error(format!("there is no such key; {help}"));
        }
    }
}

/// A key as people write them: in URLs, commands and file names.
pub fn well_formed(key: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    (1..=64).contains(&key.len()) && key.bytes().all(fine)
}

/// `a`, `b` or `c`.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// What somebody wrote, short enough for a message.
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.into(),
    }
}

fn article(type_name: &str) -> String {
    let name = match type_name {
        "string" => "text",
        "boolean" => "`true` or `false`",
        "datetime" => "date or time",
        "array" => "list",
        "float" => "fraction",
        "integer" => "number",
        other => other,
    };
    if name.starts_with('`') { name.into() } else { format!("a {name}") }
}
