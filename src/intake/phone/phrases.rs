//! Every word a caller hears but the hotline's own greeting. Short and calm: the listener is worried and the line is
//! bad. English.

use chrono::Datelike;

use super::{
    call::{Ending, Lead, Step},
    live::Hold,
    summary::Summary,
};
use crate::{
    clock::Time,
    sla::{Priority, Zone},
};

/// The words before a question; empty when there are none.
pub fn lead(lead: &Lead, incident: Option<&Summary>, today: Time) -> String {
    let reference = incident.map(|incident| spaced(&incident.reference));
    match lead {
        Lead::None => String::new(),
        Lead::Greeting { text } => text.clone(),
        Lead::Again => "Sorry, I did not get that.".into(),
        Lead::WrongPin => "That PIN is not right.".into(),
        Lead::Known { name } => format!("Thank you. You are calling for {name}."),
        Lead::WithoutPin => "We go on without a PIN.".into(),
        Lead::Paging => match reference {
            Some(reference) => format!("We are alerting an engineer now. Your reference is {reference}."),
            None => "We are alerting an engineer now.".into(),
        },
        Lead::Closed => match incident.and_then(|incident| Some((incident, incident.begins_at?))) {
            Some((incident, until)) => format!(
                "Our support is closed until {}. Your reference is {}.",
                clock(until, &incident.zone, today),
                spaced(&incident.reference)
            ),
            None => "Our support is closed now.".into(),
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
        Step::Level { about, .. } => {
            let levels = about.levels.iter().flatten().enumerate();
            let choices = levels.map(|(at, name)| format!("For the {name}, press {}.", at + 1));
            choices.collect::<Vec<_>>().join(" ")
        }
        Step::Reply => "After the tone, say what you want to tell us, then press any key.".into(),
        Step::Wait => "Please stay on the line. We connect you with an engineer.".into(),
        Step::Priority { menu, .. } if !menu.is_empty() => {
            let choice = |(priority, title): &(Priority, String)| format!("Press {} for: {title}.", digit(*priority));
            menu.iter().map(choice).collect::<Vec<_>>().join(" ")
        }
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

/// What a caller in the queue hears; `None`: it is time to leave it.
pub fn hold(hold: Hold) -> Option<&'static str> {
    match hold {
        Hold::Waiting => Some("We are calling our engineers. Please stay on the line."),
        Hold::Longer => {
            Some("We are calling more people. Please stay on the line. If you hang up, an engineer calls you back.")
        }
        Hold::Joining => Some("An engineer is coming on the line."),
        Hold::Leave => None,
    }
}

/// What a caller hears just before an engineer does.
pub const CONNECTED: &str = "An engineer is on the line now.";

/// The key of a priority.
fn digit(priority: Priority) -> usize {
    Priority::ALL.iter().position(|other| *other == priority).unwrap_or(0) + 1
}

fn open(about: &Summary, others: usize, today: Time) -> String {
    if about.idle {
        return format!(
            "Your problem with reference {} was closed because we did not hear from you. If you call about it, \
             press 1, and it is open again. If you call about another problem, press 3.",
            spaced(&about.reference)
        );
    }
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
    let first = match &about.waiting {
        Some(asked) => {
            let stop = if asked.ends_with(['.', '!', '?']) { "" } else { "." };
            words.push(format!("We asked you: {asked}{stop}"));
            "To answer, press 1."
        }
        None => "If you call about this and nothing changed, press 1.",
    };
    let second = match &about.levels {
        _ if about.ruled_out => "Press 2 and our engineers are back.",
        Some(levels) if !levels.is_empty() => "If it got worse, or you are not satisfied, press 2.",
        _ => "If it got worse, press 2.",
    };
    words.push(format!("{first} {second} If you call about another problem, press 3."));
    words.join(" ")
}

fn state(about: &Summary) -> &'static str {
    match (about.held, about.wakes) {
        _ if about.ruled_out => "Our part was ruled out as the cause, and our engineers have left.",
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
        Ending::Told => "Thank you. We have told the engineer.",
        Ending::Back => "Thank you. Our engineers are back.",
        Ending::Talked => "Thank you for calling.",
        Ending::Taken => "An engineer has it and will call you. You need not wait on the line.",
        Ending::Waited => "We are sorry: nobody is free to talk yet. We go on calling our engineers.",
        Ending::Added => "Thank you. We have added your call to the problem you told us of before.",
        Ending::Ticket => "Thank you. Your message is recorded.",
    };
    let Some(incident) = incident else { return format!("{opening} Goodbye.") };
    let mut core = format!("Your reference is {}.", spaced(&incident.reference));
    // Somebody who talks to them, or is about to call, promises better than we do.
    if !matches!(ending, Ending::Talked | Ending::Taken) {
        core += &format!(" {}", next(incident, now));
    }
    let told = incident.reachable && matches!(ending, Ending::Reported | Ending::Ticket | Ending::Noted);
    let text = if told { " We also send you this as a text." } else { "" };
    format!("{opening} {core}{text} Once more. {core} Goodbye.")
}

/// What happens next, and until when. Only what is true: no time that is over, no call without a number.
fn next(incident: &Summary, now: Time) -> String {
    let clock = |at| clock(at, &incident.zone, now);
    match (incident.response_due, incident.next_update) {
        (Some(_), _) if !incident.responded && !incident.reachable && incident.begins_at.is_some() => {
            "We have no number to call you on: please call us again when we are open.".into()
        }
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
        _ if incident.wakes => "We are working on it.".into(),
        _ => "Our team will look at it.".into(),
    }
}

/// A clock time in a zone, with the day when it is not the day of `today`: `14:32, London time`.
pub fn clock(at: Time, zone: &Zone, today: Time) -> String {
    let (at, today) = (at.with_timezone(zone), today.with_timezone(zone));
    let days = (at.date_naive() - today.date_naive()).num_days();
    let day = match days {
        0 => String::new(),
        -6..=6 => format!(" on {}", weekday(at.weekday())),
        _ => format!(" on {}", at.format("%A %-d %B")),
    };
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
