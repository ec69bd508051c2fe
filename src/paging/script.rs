//! What is said on a page's call: who and how bad in the first second, then what, then the keys. Pure.

use super::message::{due_at, response_due, short, why};
use crate::{
    carrier::{Action, AnsweredBy, Document, Verb, document::Digits},
    id::AttemptId,
    incident::{Incident, effect::Cause},
    people::E164,
    sla::Zone,
};

/// How often the page is said when no key comes: together more than half a minute, which outlasts a screening phone.
pub const ROUNDS: u32 = 3;

/// How many turns one call may take, whatever is pressed.
pub const MOST_TURNS: u32 = 30;

/// How long a key is waited for, in seconds.
const PATIENCE: u8 = 7;

/// How long the customer's phone rings, in seconds.
const CUSTOMER_RINGS: u8 = 40;

/// The longest conversation with a customer, in seconds.
const LONGEST_TALK: u32 = 4 * 3600;

/// How long the caller's coming into the queue is waited for, in seconds: they may be keying in their number.
const CALLER_COMES: u8 = 20;

const WAITING_KEYS: &str =
    "The caller waits on the line. Press 4 to take it and talk to them. 9 to pass it on. Star to hear it again.";

const KEYS: &str = "Press 4 to acknowledge. 5 to call the customer now. 9 to pass it on. Star to hear it again.";

/// On whose call, and how they are spoken to.
#[derive(Clone, Copy, Debug)]
pub struct Listener<'a> {
    pub attempt: &'a AttemptId,
    /// BCP 47.
    pub language: &'a str,
    pub zone: &'a Zone,
}

/// How far the call is: rounds without a key, and turns altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub round: u32,
    pub turns: u32,
}

/// What a turn of a page's call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A machine picked up. Nobody heard anything.
    Machine,
    /// A key that acts.
    Press(char),
    /// Keys without end, none that acts.
    TooLong,
    /// The page was said often enough, and no key came.
    Silence,
    /// It goes on.
    More,
}

/// What a turn comes to: who picked up, as far as the carrier knows, the key that was pressed, how far the call is.
pub fn heard(answered_by: Option<AnsweredBy>, key: Option<char>, at: Progress) -> Heard {
    match key {
        _ if answered_by == Some(AnsweredBy::Machine) => Heard::Machine,
        Some(key @ ('4' | '5' | '9')) => Heard::Press(key),
        _ if at.turns >= MOST_TURNS => Heard::TooLong,
        None if at.round > ROUNDS => Heard::Silence,
        _ => Heard::More,
    }
}

impl Listener<'_> {
    fn say(&self, text: impl Into<String>) -> Verb {
        Verb::Say { text: text.into(), language: self.language.into() }
    }

    fn ask(&self, prompts: Vec<Verb>, next: Progress) -> Document {
        let action = Action(format!("voice/page?a={}&n={}&t={}", self.attempt, next.round, next.turns));
        Document::default().then(Verb::Gather { prompts, digits: Digits::One, timeout: PATIENCE, action })
    }

    /// Words, then the end of the call.
    pub fn goodbye(&self, text: &str) -> Document {
        Document::default().say(self.language, format!("{text} Goodbye.")).then(Verb::Hangup)
    }

    /// The page itself. `waiting`: the caller is on the line, and is connected with whoever takes it.
    pub fn page(&self, incident: &Incident, cause: Cause, waiting: bool, next: Progress) -> Document {
        let gravity = incident.plan.promise(incident.priority).title;
        let mut first = format!("Ringdown. {}. {}.", incident.priority, short(&incident.customer_name, 60));
        if !gravity.is_empty() {
            first += &format!(" {}.", short(gravity.trim_end_matches('.'), 60));
        }
        let mut what = format!("{}.", short(incident.title.trim_end_matches('.'), 200));
        let why = why(incident, cause, self.zone);
        if !why.is_empty() {
            what += &format!(" {why}");
        }
        what += &format!(" Incident {}.", spelled(&incident.reference));
        let keys = if waiting { WAITING_KEYS } else { KEYS };
        self.ask(vec![self.say(first), self.say(what), Verb::Pause(1), self.say(keys)], next)
    }

    /// A key that means nothing.
    pub fn keys_again(&self, next: Progress) -> Document {
        self.ask(vec![self.say(format!("That key does nothing. {KEYS}"))], next)
    }

    /// A test page.
    pub fn test(&self, next: Progress) -> Document {
        self.ask(vec![self.say("Ringdown. This is a test. Nothing is wrong. Press 4 to say that you hear it.")], next)
    }

    /// Somebody asked to talk to the customer. `waiting`: the caller is on the line.
    pub fn callback(&self, incident: &Incident, waiting: bool, next: Progress) -> Document {
        let (reference, customer) = (spelled(&incident.reference), short(&incident.customer_name, 60));
        let there = if waiting {
            "The caller waits on the line. Press 5 to talk to them."
        } else {
            "Press 5 to call them now."
        };
        let words = format!(
            "Ringdown. You asked to talk to the customer of {reference}, {customer}. {there} If it was not you, hang up."
        );
        self.ask(vec![self.say(words)], next)
    }

    /// A one-time code was asked for.
    pub fn code_waits(&self, next: Progress) -> Document {
        let words = "Ringdown. You, or somebody else, asked for a one-time code. Press 4 to hear it. If it was not you, \
                     hang up.";
        self.ask(vec![self.say(words)], next)
    }

    /// The code, digit by digit.
    pub fn code(&self, spoken: &str) -> Document {
        let mut document = Document::default();
        for _ in 0..3 {
            document = document.say(self.language, format!("Your code is: {spoken}")).then(Verb::Pause(1));
        }
        document.say(self.language, "Give it to nobody. Goodbye.").then(Verb::Hangup)
    }

    /// After 4.
    pub fn acknowledged(&self, incident: &Incident) -> Document {
        self.goodbye(&format!("Acknowledged. {}", self.owed(incident)))
    }

    /// After 5: the customer's phone rings.
    pub fn connecting(&self, incident: &Incident, mine: bool, to: E164) -> Document {
        let who = incident.contact.name.as_deref().map_or("the customer".into(), |name| short(name, 40));
        let owned = if mine { format!("{} is yours. ", spelled(&incident.reference)) } else { String::new() };
        let words = format!("{owned}Calling {who} now.");
        let action = Action(format!("voice/page/bridged?a={}", self.attempt));
        Document::default().say(self.language, words).then(Verb::Dial {
            to,
            ring: CUSTOMER_RINGS,
            limit_seconds: LONGEST_TALK,
            action,
        })
    }

    /// After 4 or 5, when the caller waits on the line.
    pub fn joining(&self, incident: &Incident, mine: bool) -> Document {
        let owned = if mine { format!("{} is yours. ", spelled(&incident.reference)) } else { String::new() };
        let action = Action(format!("voice/page/talked?a={}", self.attempt));
        Document::default().say(self.language, format!("{owned}Connecting you with the caller.")).then(Verb::Answer {
            queue: incident.id.as_str().into(),
            patience: CALLER_COMES,
            limit_seconds: LONGEST_TALK,
            connect: Action("voice/connected".into()),
            action,
        })
    }

    /// The caller was gone when the queue was answered.
    pub fn caller_left(&self, incident: &Incident, next: Progress) -> Document {
        let mut words = "The caller is no longer on the line.".to_owned();
        if let Some(due) = response_due(incident) {
            words += &format!(" The call was promised by {}.", due_at(incident, due, self.zone));
        }
        self.ask(vec![self.say(words), self.say("Press 5 to call the customer, or hang up.")], next)
    }

    /// The talk with the caller is over.
    pub fn talked(&self, incident: &Incident) -> Document {
        self.goodbye(&format!("Recorded: you spoke to the customer of {}.", spelled(&incident.reference)))
    }

    /// After 5, when nobody left a number.
    pub fn no_number(&self, incident: &Incident) -> Document {
        self.goodbye(&format!("Acknowledged. {} There is no number to call the customer on.", self.owed(incident)))
    }

    /// The conversation was long enough.
    pub fn responded(&self, incident: &Incident, seconds: u32) -> Document {
        let length = match seconds / 60 {
            0 => format!("{seconds} seconds"),
            1 => "1 minute".into(),
            minutes => format!("{minutes} minutes"),
        };
        self.goodbye(&format!("Recorded: you spoke to the customer of {} for {length}.", spelled(&incident.reference)))
    }

    /// The customer was not reached, or for too short a time.
    pub fn not_reached(&self, incident: &Incident, talked: bool, next: Progress) -> Document {
        let mut words = match talked {
            true => "That was too short to count as a callback.".to_owned(),
            false => "The customer did not answer. This does not count as a callback yet.".to_owned(),
        };
        if let Some(due) = response_due(incident) {
            words += &format!(" It is due by {}.", due_at(incident, due, self.zone));
        }
        self.ask(vec![self.say(words), self.say("Press 5 to call again, or hang up.")], next)
    }

    fn owed(&self, incident: &Incident) -> String {
        let mut words = format!("{} is yours.", spelled(&incident.reference));
        if let Some(due) = response_due(incident) {
            words += &format!(" Call the customer back by {}.", due_at(incident, due, self.zone));
        }
        words
    }
}

/// `4 8 2 1`.
fn spelled(reference: &str) -> String {
    reference.chars().take(12).map(String::from).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paging::message::tests::incident;

    fn with<T>(then: impl Fn(Listener<'_>) -> T) -> T {
        let (attempt, zone) = (AttemptId::from("att_1"), "Europe/Berlin".parse().unwrap());
        then(Listener { attempt: &attempt, language: "en-US", zone: &zone })
    }

    const NEXT: Progress = Progress { round: 2, turns: 2 };

    #[test]
    fn who_and_how_bad_come_first_then_what_then_the_keys() {
        let page = |cause| with(|to| to.page(&incident(), cause, false, NEXT).words());
        insta::assert_snapshot!(page(Cause::Opened), @"Ringdown. P1. Acme Bank. Business stopped. checkout down. Incident 4 8 2 1. Press 4 to acknowledge. 5 to call the customer now. 9 to pass it on. Star to hear it again.");
        insta::assert_snapshot!(page(Cause::CallbackAtRisk), @"Ringdown. P1. Acme Bank. Business stopped. checkout down. Call the customer by 13:30. Incident 4 8 2 1. Press 4 to acknowledge. 5 to call the customer now. 9 to pass it on. Star to hear it again.");
    }

    #[test]
    fn whoever_asked_for_the_customer_is_asked_for_a_key_before_anybody_is_called() {
        let asked = |waiting| with(|to| to.callback(&incident(), waiting, NEXT).words());
        insta::assert_snapshot!(asked(false), @"Ringdown. You asked to talk to the customer of 4 8 2 1, Acme Bank. Press 5 to call them now. If it was not you, hang up.");
        insta::assert_snapshot!(asked(true), @"Ringdown. You asked to talk to the customer of 4 8 2 1, Acme Bank. The caller waits on the line. Press 5 to talk to them. If it was not you, hang up.");
    }

    #[test]
    fn a_page_waits_for_one_key_and_goes_on_in_the_next_round() {
        let document = with(|to| to.page(&incident(), Cause::Opened, false, NEXT));
        let [Verb::Gather { digits: Digits::One, action, timeout, .. }] = document.verbs.as_slice() else {
            panic!("{document:?}");
        };
        assert_eq!(action.0, "voice/page?a=att_1&n=2&t=2");
        assert!(u32::from(*timeout) * ROUNDS >= 20);
    }

    #[test]
    fn every_key_is_confirmed_in_words() {
        let told = incident();
        insta::assert_snapshot!(with(|to| to.acknowledged(&told).words()), @"Acknowledged. 4 8 2 1 is yours. Call the customer back by 13:30. Goodbye.");
        insta::assert_snapshot!(with(|to| to.connecting(&told, true, E164::parse("+12015550199").unwrap()).words()), @"4 8 2 1 is yours. Calling Ann now.");
        insta::assert_snapshot!(with(|to| to.no_number(&told).words()), @"Acknowledged. 4 8 2 1 is yours. Call the customer back by 13:30. There is no number to call the customer on. Goodbye.");
        insta::assert_snapshot!(with(|to| to.responded(&told, 95).words()), @"Recorded: you spoke to the customer of 4 8 2 1 for 1 minute. Goodbye.");
        insta::assert_snapshot!(with(|to| to.responded(&told, 31).words()), @"Recorded: you spoke to the customer of 4 8 2 1 for 31 seconds. Goodbye.");
        insta::assert_snapshot!(with(|to| to.not_reached(&told, true, NEXT).words()), @"That was too short to count as a callback. It is due by 13:30. Press 5 to call again, or hang up.");
        insta::assert_snapshot!(with(|to| to.not_reached(&told, false, NEXT).words()), @"The customer did not answer. This does not count as a callback yet. It is due by 13:30. Press 5 to call again, or hang up.");
        insta::assert_snapshot!(with(|to| to.keys_again(NEXT).words()), @"That key does nothing. Press 4 to acknowledge. 5 to call the customer now. 9 to pass it on. Star to hear it again.");
        insta::assert_snapshot!(with(|to| to.test(NEXT).words()), @"Ringdown. This is a test. Nothing is wrong. Press 4 to say that you hear it.");
    }

    #[test]
    fn a_call_is_connected_with_the_customer_and_comes_back() {
        let document = with(|to| to.connecting(&incident(), true, E164::parse("+12015550199").unwrap()));
        let Some(Verb::Dial { to, action, .. }) = document.verbs.last() else { panic!("{document:?}") };
        assert_eq!((to.as_str(), action.0.as_str()), ("+12015550199", "voice/page/bridged?a=att_1"));
    }
}
