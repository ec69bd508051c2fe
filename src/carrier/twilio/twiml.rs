//! A call document as TwiML. Pure text in, text out: what anybody said or wrote is escaped, never markup.

use std::fmt::Write;

use crate::carrier::{Action, Document, Verb, document::Digits};

/// Twilio speaks no more than this many characters in one go.
const MOST_SPOKEN: usize = 4096;
/// The longest text Twilio sends.
const MOST_WRITTEN: usize = 1600;
/// The longest name of a queue, in characters.
const LONGEST_QUEUE: usize = 64;
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// Where a document's links lead, and whose number a bridged call shows.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// `{public_url}/carriers/{key}`.
    pub doors: &'a str,
    /// One of our numbers, so that neither side of a bridge sees the other's. `None`: Twilio's default.
    pub caller_id: Option<&'a str>,
}

/// The document as TwiML, every link absolute.
pub fn render(document: &Document, line: Line<'_>) -> String {
    let mut out = format!("{HEAD}<Response>");
    for verb in &document.verbs {
        put(&mut out, verb, line);
    }
    out.push_str("</Response>");
    out
}

/// The answer to a text: another text, or nothing.
pub fn message(text: Option<&str>) -> String {
    match text.map(|text| clean(text, MOST_WRITTEN)).filter(|text| !text.is_empty()) {
        Some(text) => format!("{HEAD}<Response><Message>{}</Message></Response>", escape(&text)),
        None => format!("{HEAD}<Response/>"),
    }
}

fn put(out: &mut String, verb: &Verb, line: Line<'_>) {
    match verb {
        Verb::Say { text, language } => {
            let text = clean(&text.replace(['\n', '\r', '\t'], " "), MOST_SPOKEN);
            // Twilio warns of a Say without words.
            if text.trim().is_empty() {
                return;
            }
            let language = voice(language);
            let attributes = if language.is_empty() { vec![] } else { vec![("language", language)] };
            open(out, "Say", &attributes, ">");
            out.push_str(&escape(&text));
            out.push_str("</Say>");
        }
        Verb::Pause(seconds) => open(out, "Pause", &[("length", (*seconds).max(1).to_string())], "/>"),
        Verb::Gather { prompts, digits, timeout, action } => {
            let (count, finish) = match digits {
                // No key ends it, so that `*` and `#` are keys like the others.
                Digits::One => (1, ""),
                Digits::UpTo(count) => ((*count).clamp(1, 32), "#"),
            };
            let attributes = [
                ("input", "dtmf".into()),
                ("numDigits", count.to_string()),
                ("timeout", (*timeout).max(1).to_string()),
                ("finishOnKey", finish.into()),
                ("actionOnEmptyResult", "true".into()),
                ("action", link(line, action)),
                ("method", "POST".into()),
            ];
            open(out, "Gather", &attributes, ">");
            for prompt in prompts.iter().filter(|verb| matches!(verb, Verb::Say { .. } | Verb::Pause(_))) {
                put(out, prompt, line);
            }
            out.push_str("</Gather>");
        }
        Verb::Record { max_seconds, action, transcript } => {
            let query = |action: &Action| action.0.split_once('?').map_or("", |(_, query)| query).to_owned();
            let door = |name: &str, query: String| match query.as_str() {
                "" => format!("{}/{name}", line.doors),
                query => format!("{}/{name}?{query}", line.doors),
            };
            let mut attributes = vec![
                ("action", link(line, action)),
                ("method", "POST".into()),
                ("maxLength", (*max_seconds).max(1).to_string()),
                ("playBeep", "true".into()),
                ("timeout", "5".into()),
                ("finishOnKey", "1234567890*#".into()),
                ("recordingStatusCallback", door("recording", query(action))),
                ("recordingStatusCallbackMethod", "POST".into()),
            ];
            if let Some(transcript) = transcript {
                attributes.push(("transcribe", "true".into()));
                attributes.push(("transcribeCallback", door("transcription", query(transcript))));
            }
            open(out, "Record", &attributes, "/>");
            // Where nothing was heard Twilio does not ask the action: it goes on here.
            put(out, &Verb::Redirect(action.clone()), line);
        }
        Verb::Dial { to, ring, limit_seconds, action } => {
            let mut attributes = vec![
                ("action", link(line, action)),
                ("method", "POST".into()),
                ("timeout", (*ring).max(5).to_string()),
                ("timeLimit", (*limit_seconds).clamp(1, 14_400).to_string()),
                ("answerOnBridge", "true".into()),
            ];
            if let Some(number) = line.caller_id {
                attributes.push(("callerId", number.into()));
            }
            open(out, "Dial", &attributes, ">");
            let _ = write!(out, "<Number>{}</Number></Dial>", escape(to.as_str()));
        }
        Verb::Enqueue { queue, hold, action } => {
            let attributes = [
                ("waitUrl", link(line, hold)),
                ("waitUrlMethod", "POST".into()),
                ("action", link(line, action)),
                ("method", "POST".into()),
            ];
            open(out, "Enqueue", &attributes, ">");
            let _ = write!(out, "{}</Enqueue>", escape(&clean(queue, LONGEST_QUEUE)));
            // Whichever way the call leaves the queue, it goes on at one place.
            put(out, &Verb::Redirect(action.clone()), line);
        }
        Verb::Leave => out.push_str("<Leave/>"),
        Verb::Answer { queue, patience, limit_seconds, connect, action } => {
            let attributes = [
                ("action", link(line, action)),
                ("method", "POST".into()),
                ("timeout", (*patience).max(5).to_string()),
                ("timeLimit", (*limit_seconds).clamp(1, 14_400).to_string()),
            ];
            open(out, "Dial", &attributes, ">");
            open(out, "Queue", &[("url", link(line, connect)), ("method", "POST".into())], ">");
            let _ = write!(out, "{}</Queue></Dial>", escape(&clean(queue, LONGEST_QUEUE)));
        }
        Verb::Redirect(action) => {
            open(out, "Redirect", &[("method", "POST".into())], ">");
            out.push_str(&escape(&link(line, action)));
            out.push_str("</Redirect>");
        }
        Verb::Hangup => out.push_str("<Hangup/>"),
        Verb::Reject => out.push_str("<Reject reason=\"busy\"/>"),
    }
}

fn open(out: &mut String, name: &str, attributes: &[(&str, String)], end: &str) {
    out.push('<');
    out.push_str(name);
    for (name, value) in attributes {
        let _ = write!(out, " {name}=\"{}\"", escape(&clean(value, 4000)));
    }
    out.push_str(end);
}

/// Absolute: a relative one would be resolved against whichever document was fetched last.
fn link(line: Line<'_>, action: &Action) -> String {
    format!("{}/{}", line.doors, action.0)
}

/// What XML cannot carry is taken out, and it is cut to `most` characters.
fn clean(text: &str, most: usize) -> String {
    text.chars()
        .filter(|c| (!c.is_control() || matches!(c, '\n' | '\t')) && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .take(most)
        .collect()
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}

/// A language tag as Twilio's voices have it: they all name a region. Empty for what is no tag.
fn voice(language: &str) -> String {
    let well_formed =
        (2..=35).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !well_formed {
        return String::new();
    }
    match language {
        "en" => "en-US",
        "da" => "da-DK",
        "de" => "de-DE",
        "es" => "es-ES",
        "fi" => "fi-FI",
        "fr" => "fr-FR",
        "it" => "it-IT",
        "ja" => "ja-JP",
        "ko" => "ko-KR",
        "nb" | "no" => "nb-NO",
        "nl" => "nl-NL",
        "pl" => "pl-PL",
        "pt" => "pt-PT",
        "ru" => "ru-RU",
        "sv" => "sv-SE",
        "zh" => "zh-CN",
        other => other,
    }
    .into()
}

#[cfg(test)]
#[path = "twiml_tests.rs"]
mod tests;
