//! The words of a mail made fit to be sent: whatever a caller said, no header breaks and nothing grows without bound.

use super::{Letter, Mail};

/// No subject is longer, in characters.
const SUBJECT: usize = 200;

/// No body is longer, in bytes.
const BODY: usize = 64 * 1024;

/// No attachment is longer, in bytes.
const ATTACHMENT: usize = 512 * 1024;

/// No file name is longer, in characters.
const NAME: usize = 80;

/// What goes to the carrier; `None` when the text was forgotten.
pub fn letter(mail: &Mail) -> Option<Letter> {
    Some(Letter {
        message_id: format!("<{}@{}>", mail.id, mail.domain),
        thread: format!("<{}@{}>", mail.incident, mail.domain),
        to: mail.address.clone(),
        subject: mail.subject.clone(),
        body: mail.body.clone()?,
        attachment: mail.attachment.clone(),
        date: mail.created_at,
    })
}

/// A subject on one line, with the incident's reference: `[4821] Card payments fail`.
pub fn subject(reference: &str, words: &str) -> String {
    let tag = format!("[{reference}]");
    let words = one_line(words);
    let whole = if words.contains(&tag) { words } else { format!("{tag} {words}") };
    shortened(whole.trim_end(), SUBJECT)
}

/// A text with line feeds as its only control characters, of bounded length, with a line feed at the end.
pub fn body(words: &str) -> String {
    let text = plain(words);
    let mut text = cut(text.trim_end(), BODY);
    text.push('\n');
    text
}

/// A text that goes with a mail, and its name.
pub fn attachment(name: &str, text: &str) -> (String, String) {
    (file_name(name), cut(&plain(text), ATTACHMENT))
}

/// A name that is one on every system: letters, digits, `-`, `_` and inner dots.
fn file_name(name: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
    let name: String = name.chars().take(NAME).map(fine).collect();
    let name = name.trim_matches(|c| c == '.' || c == '-');
    if name.is_empty() { "attachment.txt".into() } else { name.into() }
}

/// What could hide or turn words around: control characters, and the marks of reading direction.
fn unwanted(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

fn one_line(words: &str) -> String {
    let spaced: String = words.chars().map(|c| if unwanted(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn plain(words: &str) -> String {
    let lines = words.replace("\r\n", "\n").replace('\r', "\n");
    lines.chars().filter(|c| matches!(c, '\n' | '\t') || !unwanted(*c)).collect()
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    let start: String = text.chars().take(most - 1).collect();
    format!("{}…", start.trim_end())
}

/// At most `most` bytes and a word that it was cut.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.into();
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}\n[cut here: the rest is too long for a mail]", &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_subject_carries_the_reference_once() {
        assert_eq!(subject("4821", "Card payments fail"), "[4821] Card payments fail");
        assert_eq!(subject("4821", "Update [4821]: back soon"), "Update [4821]: back soon");
        assert_eq!(subject("4821", " \r\n "), "[4821]");
    }

    #[test]
    fn a_header_cannot_be_smuggled_into_a_subject() {
        assert_eq!(subject("4821", "x\r\nBcc: all@example.com\u{2028}y"), "[4821] x Bcc: all@example.com y");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let text = body(&"ü".repeat(BODY));
        assert!(text.len() < BODY + 64 && text.ends_with("[cut here: the rest is too long for a mail]\n"));
        assert_eq!(body("One.\r\nTwo.\0\rThree.\n\n"), "One.\nTwo.\nThree.\n");
    }

    #[test]
    fn a_file_name_is_one_on_every_system() {
        for (given, name) in [
            ("rca-4821.md", "rca-4821.md"),
            ("../../etc/passwd", "etc-passwd"),
            ("a\"b\r\n.txt", "a-b--.txt"),
            ("….", "attachment.txt"),
            ("", "attachment.txt"),
        ] {
            assert_eq!(attachment(given, "x").0, name);
        }
    }

    proptest! {
        #[test]
        fn whatever_was_said_a_subject_is_one_short_line(words in any::<String>()) {
            let subject = subject("4821", &words);
            prop_assert!(subject.contains("[4821]") || subject.chars().count() == SUBJECT);
            prop_assert!(subject.chars().count() <= SUBJECT);
            prop_assert!(!subject.contains(unwanted));
        }

        #[test]
        fn whatever_was_said_a_body_holds_no_control_character_but_line_feeds_and_tabs(words in any::<String>()) {
            prop_assert!(!body(&words).contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
