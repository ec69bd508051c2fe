//! A virtual phone: what it does when it rings, and its thread of texts.

use std::collections::VecDeque;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    carrier::{AnsweredBy, Status},
    clock::Time,
    people::E164,
};

/// How many texts and how many calls a phone remembers.
pub const MAX_REMEMBERED: usize = 100;
/// With so many calls at once a phone is busy.
pub const MAX_LIVE: usize = 5;
/// Keys in one go: account numbers and PINs are shorter.
pub const MAX_KEYS: usize = 32;
/// The most a behaviour may put off anything, in seconds.
const MAX_DELAY: u32 = 3600;

/// What a phone does when it is called or written to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "behaviour", rename_all = "snake_case", deny_unknown_fields)]
pub enum Behaviour {
    /// Rings until a person acts, or the time is over.
    #[default]
    Manual,
    /// Picks up after so many seconds of ringing and presses these keys when the call asks for keys: a call that
    /// asks several times gets them one after the other.
    AnswersAndPresses {
        key: String,
        #[serde(default = "three")]
        after: u32,
    },
    /// A machine picks up when it has rung long enough. It talks and listens, and never presses a key.
    Voicemail,
    /// The line is busy. Texts arrive.
    Busy,
    /// No such subscriber: calls and texts are refused.
    Dead,
    /// Calls start to ring, and texts arrive, so many seconds late.
    Slow {
        #[serde(default = "thirty")]
        seconds: u32,
    },
    /// Nobody is near it.
    RingsOut,
}

fn three() -> u32 {
    3
}

fn thirty() -> u32 {
    30
}

/// What somebody on the phone does when the call asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Press(String),
    Say(String),
}

/// How a call to a phone will go. Times count from now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Refused,
    Busy,
    Rings {
        /// Until it starts to ring.
        after: TimeDelta,
        /// How long it rings, and who picks up when in that time, if not a person.
        ring: TimeDelta,
        pick_up: Option<(TimeDelta, AnsweredBy)>,
        script: VecDeque<Act>,
    },
}

/// One text in a phone's thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    pub id: String,
    /// Whether this phone wrote it.
    pub written_here: bool,
    /// The number at the other end.
    pub peer: E164,
    pub body: String,
    pub at: Time,
    pub status: Status,
}

/// A virtual phone.
#[derive(Clone, Debug)]
pub struct Phone {
    pub number: E164,
    pub behaviour: Behaviour,
    /// Oldest first, the last [`MAX_REMEMBERED`].
    pub texts: VecDeque<Text>,
    /// Ids, oldest first.
    pub calls: VecDeque<String>,
    pub used_at: Time,
}

impl Behaviour {
    /// Which field is wrong, and why.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let late = |field, seconds: u32| {
            if seconds > MAX_DELAY { Err((field, format!("at most {MAX_DELAY} seconds"))) } else { Ok(()) }
        };
        match self {
            Behaviour::AnswersAndPresses { key, after } => {
                check_keys(key).map_err(|why| ("/key", why))?;
                late("/after", *after)
            }
            Behaviour::Slow { seconds } => late("/seconds", *seconds),
            _ => Ok(()),
        }
    }

    /// How a call goes that is to ring for `ring`, where a machine picks up after `patience`.
    pub fn fate(&self, ring: TimeDelta, patience: TimeDelta) -> Fate {
        let rings = |after, pick_up, script| Fate::Rings { after, ring, pick_up, script };
        let (none, at_once) = (VecDeque::new(), TimeDelta::zero());
        match self {
            Behaviour::Dead => Fate::Refused,
            Behaviour::Busy => Fate::Busy,
            Behaviour::Manual | Behaviour::RingsOut => rings(at_once, None, none),
            Behaviour::Slow { .. } => rings(self.lateness(), None, none),
            Behaviour::Voicemail => rings(at_once, Some((patience.min(ring), AnsweredBy::Machine)), none),
            Behaviour::AnswersAndPresses { key, after } => rings(
                at_once,
                Some((TimeDelta::seconds((*after).into()), AnsweredBy::Human)),
                [Act::Press(key.clone())].into(),
            ),
        }
    }

    /// How late a text arrives.
    pub fn lateness(&self) -> TimeDelta {
        match self {
            Behaviour::Slow { seconds } => TimeDelta::seconds((*seconds).into()),
            _ => TimeDelta::zero(),
        }
    }
}

/// Only what is on a phone's keypad, and not too much of it.
pub fn check_keys(keys: &str) -> Result<(), String> {
    if keys.is_empty() || keys.len() > MAX_KEYS {
        return Err(format!("between 1 and {MAX_KEYS} keys"));
    }
    if keys.bytes().all(|key| key.is_ascii_digit() || key == b'*' || key == b'#') {
        Ok(())
    } else {
        Err("only the keys 0 to 9, * and #".into())
    }
}

impl Phone {
    /// A phone that nobody used before.
    pub fn new(number: E164, now: Time) -> Self {
        Phone { number, behaviour: Behaviour::default(), texts: VecDeque::new(), calls: VecDeque::new(), used_at: now }
    }

    /// Adds a text; the oldest is forgotten when there are too many.
    pub fn add(&mut self, text: Text) {
        self.texts.push_back(text);
        while self.texts.len() > MAX_REMEMBERED {
            self.texts.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_behaviour_is_written_with_its_name_and_what_it_needs() {
        let table = [
            (r#"{"behaviour":"manual"}"#, Behaviour::Manual),
            (r#"{"behaviour":"rings_out"}"#, Behaviour::RingsOut),
            (
                r#"{"behaviour":"answers_and_presses","key":"4"}"#,
                Behaviour::AnswersAndPresses { key: "4".into(), after: 3 },
            ),
            (r#"{"behaviour":"slow","seconds":9}"#, Behaviour::Slow { seconds: 9 }),
        ];
        for (json, behaviour) in table {
            assert_eq!(serde_json::from_str::<Behaviour>(json).unwrap(), behaviour);
        }
        for json in [r#"{"behaviour":"sings"}"#, "{}", r#"{"behaviour":"slow","second":9}"#] {
            assert!(serde_json::from_str::<Behaviour>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn keys_that_are_on_no_phone_are_refused() {
        for keys in ["", "A", "4 ", "٤", &"1".repeat(MAX_KEYS + 1)] {
            assert!(check_keys(keys).is_err(), "{keys}");
        }
        assert!(check_keys("0123456789*#").is_ok());
        assert!(Behaviour::Slow { seconds: 4000 }.check().is_err());
        assert!(Behaviour::AnswersAndPresses { key: "x".into(), after: 1 }.check().is_err());
    }

    #[test]
    fn a_machine_picks_up_no_later_than_the_call_rings() {
        let seconds = TimeDelta::seconds;
        for (ring, patience, at) in [(25, 20, 20), (10, 20, 10)] {
            let Fate::Rings { pick_up, .. } = Behaviour::Voicemail.fate(seconds(ring), seconds(patience)) else {
                panic!("it rings");
            };
            assert_eq!(pick_up, Some((seconds(at), AnsweredBy::Machine)));
        }
    }
}
