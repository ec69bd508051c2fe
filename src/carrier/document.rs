//! What is said on a call, and what is asked of the one who listens: a carrier-neutral call document.

use super::Action;
use crate::people::E164;

/// Verbs, carried out in order; the call ends after the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    pub verbs: Vec<Verb>,
}

/// One thing to do on a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Speaks. Plain text: control characters are taken out and markup is escaped by the adapter.
    Say {
        text: String,
        language: String,
    },
    /// Silence, in seconds.
    Pause(u8),
    /// Speaks `prompts` (only [`Verb::Say`] and [`Verb::Pause`]) and waits for keys, then goes on at `action`,
    /// also when no key came.
    Gather {
        prompts: Vec<Verb>,
        digits: Digits,
        timeout: u8,
        action: Action,
    },
    /// A beep, then records until silence or a key; goes on at `action`. That the recording can be fetched is told
    /// later, to [`super::Switchboard::recording`] with the query of `action`; and its words, where the carrier
    /// makes any, with the query of `transcript`.
    Record {
        max_seconds: u16,
        action: Action,
        transcript: Option<Action>,
    },
    /// Connects the call with a number, then goes on at `action`.
    Dial {
        to: E164,
        ring: u8,
        limit_seconds: u32,
        action: Action,
    },
    /// Puts the call into a queue, until somebody takes it from there ([`Verb::Answer`]). What is heard meanwhile is
    /// asked of `hold`, and again whenever that was said to its end. Goes on at `action` when the call left the queue
    /// ([`Verb::Leave`]), or when the talk is over.
    Enqueue {
        queue: String,
        hold: Action,
        action: Action,
    },
    /// Only in answer to a `hold`: the call leaves its queue.
    Leave,
    /// Connects the call with the first one in a queue, or the first that comes there within `patience` seconds.
    /// `connect` is asked on the waiting call just before the two talk. Goes on at `action`.
    Answer {
        queue: String,
        patience: u8,
        limit_seconds: u32,
        connect: Action,
        action: Action,
    },
    /// Goes on at another document.
    Redirect(Action),
    Hangup,
    /// Before answering: not billed, the caller hears that the line is busy.
    Reject,
}

/// When keys end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// After one key, whichever (also `*` and `#`).
    One,
    /// At `#`, at silence, or at so many.
    UpTo(u8),
}

impl Document {
    /// Nothing is said; the call ends.
    pub fn hang_up() -> Self {
        Document { verbs: vec![Verb::Hangup] }
    }

    /// Adds words.
    pub fn say(mut self, language: &str, text: impl Into<String>) -> Self {
        self.verbs.push(Verb::Say { text: text.into(), language: language.into() });
        self
    }

    /// Adds a verb.
    pub fn then(mut self, verb: Verb) -> Self {
        self.verbs.push(verb);
        self
    }

    /// Every word of it, in order: what the listener hears if nothing is pressed.
    pub fn words(&self) -> String {
        fn collect<'a>(verbs: &'a [Verb], words: &mut Vec<&'a str>) {
            for verb in verbs {
                match verb {
                    Verb::Say { text, .. } => words.push(text),
                    Verb::Gather { prompts, .. } => collect(prompts, words),
                    _ => {}
                }
            }
        }
        let mut words = Vec::new();
        collect(&self.verbs, &mut words);
        words.join(" ")
    }
}
