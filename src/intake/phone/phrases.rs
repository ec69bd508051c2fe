//! Every word a caller hears but the hotline's own greeting. Short and calm: the listener is worried and the line is
//! bad. English.

use chrono::Datelike;

use super::{
    call::{Ending, Lead, Step},
    summary::Summary,
};
use crate::{
    clock::Time,
    sla::{Priority, Zone},
};

/// The words before a question; empty when there are none.
pub fn lead(lead: &Lead, reference: Option<&str>) -> String {
    match lead {
        Lead::None => String::new(),
        Lead::Greeting { text } => text.clone(),
        Lead::Again => "Sorry, I did not get that.".into(),
        Lead::WrongPin => "That PIN is not right.".into(),
        Lead::Known { name } => format!("Thank you. You are calling for {name}."),
        Lead::WithoutPin => "We go on without a PIN.".into(),
        Lead::Paging => match reference {
            Some(reference) => format!("We are alerting an engineer now. Your reference is {}.", spaced(reference)),
            None => "We are alerting an engineer now.".into(),
        },
        Lead::NotANumber { keys } if keys.is_empty() => "Sorry, that is not a number we can call.".into(),
        Lead::NotANumber { keys } => format!("You keyed {}. That is not a number we can call.", spaced(keys)),
        Lead::Thanks => "Thank you.".into(),
    }
}

/// The question.
pub fn question(step: &Step, today: Time) -> String {
    match step {
        Step::Pin { attempt: 1 } => {
            "If you have a support PIN, key it in, then press the hash or pound key. If not, just press that key."
                .into()
        }
        Step::Pin { .. } => {
            "Key in your PIN again, then press the hash or pound key. To go on without it, just press that key.".into()
        }
        Step::Open { about, others, .. } => open(about, *others, today),
        Step::Priority { .. } => "If your business has stopped, press 1. If it runs, but badly, press 2. \
             For anything else, press 3."
            .into(),
        Step::Number { number, keyed: false, .. } => {
            format!(
                "We will call you on {}. Press 1 if that is right. Press 2 to key in another number.",
                number.spoken()
            )
        }
        Step::Number { number, .. } => {
            format!("We understood {}. Press 1 if that is right. Press 2 to key it in again.", number.spoken())
        }
        Step::Keypad { .. } => {
            "Which number may we call? Key it in with its area code, then press the hash or pound key.".into()
        }
        Step::Name => "After the tone, say your name, then press any key.".into(),
        Step::Words => "After the tone, say what is wrong, then press any key.".into(),
        Step::Voicemail => {
            "After the tone, say your name, your number and what it is about. Then press any key.".into()
        }
        Step::Promise { .. } => String::new(),
    }
}

fn open(about: &Summary, others: usize, today: Time) -> String {
    let mut words = vec![match others {
        0 => format!("There is an open problem, reference {}.", spaced(&about.reference)),
        n => format!("There are {} open problems. The gravest has reference {}.", n + 1, spaced(&about.reference)),
    }];
    words.push(state(about).into());
    if let (Some(text), Some(at)) = (&about.last_update, about.last_update_at) {
        let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
        words.push(format!("The last update, from {}, says: {text}{stop}", clock(at, &about.zone, today)));
    }
    if let Some(at) = about.next_update.filter(|at| *at > today) {
        words.push(format!("The next update comes by {}.", clock(at, &about.zone, today)));
    }
    words.push(
        "If you call about this and nothing changed, press 1. If it got worse, press 2. \
         If you call about another problem, press 3."
            .into(),
    );
    words.join(" ")
}

fn state(about: &Summary) -> &'static str {
    match (about.held, about.priority.pages()) {
        (true, _) => "An engineer has it.",
        (false, true) => "We are calling engineers about it.",
        (false, false) => "It is recorded, and waits for an engineer.",
    }
}

/// The promise as it is `now`, said twice.
pub fn promise(ending: Ending, incident: Option<&Summary>, now: Time) -> String {
    let opening = match ending {
        Ending::Reported => "Thank you.",
        Ending::Same | Ending::Noted => "Thank you. We have noted your call.",
        Ending::Worse => "Thank you. We are alerting more people now.",
        Ending::Added => "Thank you. We have added your call to the problem you told us of before.",
        Ending::Ticket => "Thank you. Your message is recorded.",
    };
    let Some(incident) = incident else { return format!("{opening} Goodbye.") };
    let core = format!("Your reference is {}. {}", spaced(&incident.reference), next(incident, now));
    let told = incident.reachable && matches!(ending, Ending::Reported | Ending::Ticket | Ending::Noted);
    let text = if told { " We also send you this as a text." } else { "" };
    format!("{opening} {core}{text} Once more. {core} Goodbye.")
}

/// What happens next, and until when. Only what is true: no time that is over, no call without a number.
fn next(incident: &Summary, now: Time) -> String {
    let clock = |at| clock(at, &incident.zone, now);
    match (incident.response_due, incident.next_update) {
        (Some(_), _) if !incident.responded && !incident.reachable => {
            "An engineer takes it up. We have no number to call you on: please call us again in ten minutes.".into()
        }
        (Some(due), _) if !incident.responded && due > now => {
            format!("An engineer will call you back by {}.", clock(due))
        }
        (Some(_), _) if !incident.responded => {
            "We are late with our call to you, and this is known. An engineer will call you as soon as possible.".into()
        }
        (_, Some(at)) if at > now => format!("The next update comes by {}.", clock(at)),
        _ if incident.priority.pages() => "We are working on it.".into(),
        _ => "Our team will look at it.".into(),
    }
}

/// A clock time in a zone, with the day when it is not the day of `today`: `14:32, London time`.
pub fn clock(at: Time, zone: &Zone, today: Time) -> String {
    let (at, today) = (at.with_timezone(zone), today.with_timezone(zone));
    let day =
        if at.date_naive() == today.date_naive() { String::new() } else { format!(" on {}", weekday(at.weekday())) };
    let city = zone.name().rsplit('/').next().unwrap_or("UTC").replace('_', " ");
    format!("{}, {city} time,{day}", at.format("%H:%M")).trim_end_matches(',').into()
}

fn weekday(day: chrono::Weekday) -> &'static str {
    match day {
        chrono::Weekday::Mon => "Monday",
        chrono::Weekday::Tue => "Tuesday",
        chrono::Weekday::Wed => "Wednesday",
        chrono::Weekday::Thu => "Thursday",
        chrono::Weekday::Fri => "Friday",
        chrono::Weekday::Sat => "Saturday",
        chrono::Weekday::Sun => "Sunday",
    }
}

/// Digit by digit.
pub fn spaced(digits: &str) -> String {
    let digits: Vec<String> = digits.chars().map(String::from).collect();
    digits.join(" ")
}

/// An incident's title until the caller's own words are known.
pub fn title(priority: Priority) -> &'static str {
    match priority {
        Priority::P1 => "Business stopped, told by phone",
        Priority::P2 => "Business degraded, told by phone",
        _ => "Message left by phone",
    }
}

/// The title when the caller never told the priority.
pub const HUNG_UP: &str = "Caller hung up before telling the priority";
/// The title when the caller pressed nothing.
pub const SILENT: &str = "Caller pressed no key that we know: call back";
