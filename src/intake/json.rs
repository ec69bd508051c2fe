//! A body as JSON, bounded before it is parsed, and text taken from it. Pure.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::signal::DEDUP_KEY_CHARS;

/// How deep objects and arrays may be nested.
pub const MAX_DEPTH: usize = 32;
/// How many values a body may hold: 512 KB of small numbers would take many megabytes once parsed.
pub const MAX_VALUES: usize = 32_768;

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the JSON is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("the JSON holds more than {MAX_VALUES} values")]
    TooMany,
    #[error("not JSON: {0}")]
    Syntax(String),
    #[error("the JSON is not an object")]
    NotAnObject,
}

/// The body as a JSON object.
pub fn read(body: &[u8]) -> Result<Value, Unreadable> {
    // Some Windows senders put a byte order mark first.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    measure(body)?;
    // serde_json's messages name a place, never the content.
    let value: Value = serde_json::from_slice(body).map_err(|error| Unreadable::Syntax(error.to_string()))?;
    if value.is_object() { Ok(value) } else { Err(Unreadable::NotAnObject) }
}

/// Depth and count, without building anything.
fn measure(body: &[u8]) -> Result<(), Unreadable> {
    let (mut depth, mut values) = (0usize, 1usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                values += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Unreadable::TooDeep);
        }
        if values > MAX_VALUES {
            return Err(Unreadable::TooMany);
        }
    }
    Ok(())
}

/// A string, number or boolean as text; blank is none. Other kinds are none.
pub fn text(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// One line of at most `chars` characters: no control characters, no runs of spaces. A cut is marked.
pub fn line(text: &str, chars: usize) -> String {
    let mut line = String::new();
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    for (written, c) in words.flat_map(|word| [" ", word]).flat_map(str::chars).skip(1).enumerate() {
        if written == chars {
            line.pop();
            line.push('…');
            break;
        }
        line.push(c);
    }
    line
}

/// Text of several lines, at most `chars` characters, without other control characters. A cut is marked.
pub fn block(text: &str, chars: usize) -> String {
    let clean = text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control());
    let mut block: String = clean.clone().take(chars).collect();
    if clean.count() > chars {
        block.pop();
        block.push('…');
    }
    block.trim().to_owned()
}

/// A sender's own key for a trouble; one that is too long becomes its SHA-256. NUL cannot be stored.
pub fn bounded_key(key: &str) -> String {
    let clean = key.replace('\0', "\u{fffd}");
    if clean.chars().count() <= DEDUP_KEY_CHARS { clean } else { hex::encode(Sha256::digest(key.as_bytes())) }
}

/// `name: value` lines of an object, for people; anything else as it stands. Never longer than `chars`.
pub fn lines(value: &Value, chars: usize) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if out.len() > chars {
                    break;
                }
                out.push_str(&format!("{}: {}\n", line(name, 200), plain(value)));
            }
        }
        Value::Null => {}
        other => out = plain(other),
    }
    block(&out, chars)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_that_is_too_deep_or_too_wide_is_refused_before_it_is_parsed() {
        let deep = |n: usize| format!("{{\"a\":{}1{}}}", "[".repeat(n), "]".repeat(n));
        assert!(read(deep(31).as_bytes()).is_ok());
        assert_eq!(read(deep(32).as_bytes()), Err(Unreadable::TooDeep));
        assert_eq!(read("[".repeat(500_000).as_bytes()), Err(Unreadable::TooDeep));
        let wide = format!("{{\"a\":[{}1]}}", "1,".repeat(40_000));
        assert_eq!(read(wide.as_bytes()), Err(Unreadable::TooMany));
    }

    #[test]
    fn brackets_inside_strings_are_not_nesting() {
        let body = format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(100), "{".repeat(100));
        assert!(read(body.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_not_a_json_object_is_refused() {
        for body in ["", " ", "null", "[]", "\"x\"", "5"] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        assert!(matches!(read(b"{\"a\":\"\xff\xfe\"}"), Err(Unreadable::Syntax(_))));
        assert!(matches!(read(b"{\"a\":1e999}"), Err(Unreadable::Syntax(_))));
        assert!(matches!(read(b"{\"a\":\"\0\"}"), Err(Unreadable::Syntax(_))));
        assert!(matches!(read(b"{\"a\":1} trailing"), Err(Unreadable::Syntax(_))));
        assert_eq!(read(b"\xef\xbb\xbf{\"a\":1}").unwrap(), json!({"a": 1}));
    }

    #[test]
    fn text_for_people_is_cut_and_cleaned() {
        assert_eq!(line("  a\u{0}b\n\n c  ", 20), "a b c");
        assert_eq!(line("abcdef", 4), "abc…");
        assert_eq!(line("äöüß", 4), "äöüß");
        assert_eq!(line("", 4), "");
        assert_eq!(block("a\u{0}\u{1b}[31m\nb", 20), "a[31m\nb");
        assert_eq!(block("abcdef", 4), "abc…");
        assert_eq!(lines(&json!({"b": [1, 2], "a": "x"}), 100), "a: x\nb: [1,2]");
        assert_eq!(lines(&json!("just words"), 100), "just words");
        assert_eq!(lines(&json!(null), 100), "");
    }

    #[test]
    fn a_key_that_is_too_long_becomes_its_digest() {
        assert_eq!(bounded_key(&"x".repeat(255)), "x".repeat(255));
        assert_eq!(bounded_key(&"x".repeat(256)).len(), 64);
        assert_ne!(bounded_key(&"x".repeat(256)), bounded_key(&"x".repeat(257)));
        assert_eq!(bounded_key("a\0b"), "a\u{fffd}b");
    }

    proptest! {
        #[test]
        fn no_bytes_panic_the_reader(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&body);
        }

        #[test]
        fn a_line_is_never_longer_than_asked(words in ".{0,80}", chars in 1usize..40) {
            let line = line(&words, chars);
            prop_assert!(line.chars().count() <= chars);
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
