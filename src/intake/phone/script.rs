//! A question as a call document: the words, and how the answer is taken.

use super::{
    call::{Asked, CallRecord, Step},
    live::Hold,
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
/// Silence between the words for a caller in the queue: somebody who waits wonders after a quarter of a minute.
const HOLD_SECONDS: u8 = 12;
/// The longest name, message about a problem, and message for a ticket, in seconds.
const NAME_SECONDS: u16 = 20;
const WORDS_SECONDS: u16 = 90;

/// What is said for the `n`th question of a call. Follows from the record alone, so a turn that comes again is
/// answered as the first time.
pub fn document(call: &CallRecord, n: usize, language: &str) -> Document {
    let Some(Asked { lead, step }) = call.answers.asked.get(n) else { return Document::hang_up() };
    let incident = call.answers.incident.as_ref();
    let lead = phrases::lead(lead, incident, call.started_at);
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
        Step::Open { .. } | Step::Level { .. } | Step::Priority { .. } | Step::Number { .. } => {
            gather(said, Digits::One, KEY_SECONDS)
        }
        Step::Name => record(said, NAME_SECONDS, action),
        Step::Words | Step::Voicemail | Step::Reply => record(said, WORDS_SECONDS, action),
        Step::Wait => {
            let queue = call.incident.as_ref().map_or(call.id.as_str(), |incident| incident.as_str()).into();
            Document { verbs: said }.then(Verb::Enqueue { queue, hold: Action("voice/hold".into()), action })
        }
        Step::Promise { .. } => Document { verbs: said }.then(Verb::Hangup),
    }
}

/// What a caller hears in the queue, until it is asked for again.
pub fn hold(hold: Hold, language: &str) -> Document {
    match phrases::hold(hold) {
        Some(words) => Document::default().say(language, words).then(Verb::Pause(HOLD_SECONDS)),
        None => Document::default().then(Verb::Leave),
    }
}

/// What a caller hears just before an engineer does.
pub fn connected(language: &str) -> Document {
    Document::default().say(language, phrases::CONNECTED)
}

/// Records. What becomes known of it later comes with the same place in the call.
fn record(said: Vec<Verb>, max_seconds: u16, action: Action) -> Document {
    Document { verbs: said }.then(Verb::Record { max_seconds, action: action.clone(), transcript: Some(action) })
}
