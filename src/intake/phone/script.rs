//! A question as a call document: the words, and how the answer is taken.

use super::{
    call::{Asked, CallRecord, Step},
    phrases,
};
use crate::carrier::{Action, Document, Verb, document::Digits};

/// Seconds a caller has for one key.
const KEY_SECONDS: u8 = 7;
/// Seconds between the keys of a PIN or a number.
const KEYS_SECONDS: u8 = 10;
/// Keys taken of a PIN.
const PIN_KEYS: u8 = 12;
/// Keys taken of a number: fifteen digits after `011`.
const NUMBER_KEYS: u8 = 18;
/// The longest name, message about a problem, and message for a ticket, in seconds.
const NAME_SECONDS: u16 = 20;
const WORDS_SECONDS: u16 = 90;

/// What is said for the `n`th question of a call. Follows from the record alone, so a turn that comes again is
/// answered as the first time.
pub fn document(call: &CallRecord, n: usize, language: &str) -> Document {
    let Some(Asked { lead, step }) = call.answers.asked.get(n) else { return Document::hang_up() };
    let incident = call.answers.incident.as_ref();
    let lead = phrases::lead(lead, incident.map(|incident| incident.reference.as_str()));
    let say = |text: String| Verb::Say { text, language: language.into() };
    let mut said: Vec<Verb> = (!lead.is_empty()).then(|| say(lead)).into_iter().collect();
    let question = match step {
        Step::Promise { ending, at } => phrases::promise(*ending, incident, *at),
        step => phrases::question(step, call.started_at),
    };
    said.push(say(question));
    let action = Action(format!("voice/{}?n={n}", step.name()));
    let gather = |prompts, digits, timeout| Document {
        verbs: vec![Verb::Gather { prompts, digits, timeout, action: action.clone() }],
    };
    match step {
        Step::Pin { .. } => gather(said, Digits::UpTo(PIN_KEYS), KEYS_SECONDS),
        Step::Keypad { .. } => gather(said, Digits::UpTo(NUMBER_KEYS), KEYS_SECONDS),
        Step::Open { .. } | Step::Priority { .. } | Step::Number { .. } => gather(said, Digits::One, KEY_SECONDS),
        Step::Name => record(said, NAME_SECONDS, action),
        Step::Words | Step::Voicemail => record(said, WORDS_SECONDS, action),
        Step::Promise { .. } => Document { verbs: said }.then(Verb::Hangup),
    }
}

/// Records. What becomes known of it later comes with the same place in the call.
fn record(said: Vec<Verb>, max_seconds: u16, action: Action) -> Document {
    Document { verbs: said }.then(Verb::Record { max_seconds, action: action.clone(), transcript: Some(action) })
}
