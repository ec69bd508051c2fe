//! The conversation itself, pure: (call so far, what the caller did, what we know) -> (call, what to do).
//!
//! Nobody is turned away. Whoever says nothing, presses the wrong keys or hangs up still leaves an incident, and the
//! graver of two readings is taken: better one call too many.

use super::{
    about,
    call::{Answers, Asked, CallRecord, Ending, GREETING_LENGTH, Lead, Step, URL_LENGTH, bounded},
    live::{self, Live},
    number, report,
    summary::Summary,
};
use crate::{
    clock::Time,
    config::Config,
    id::{CustomerKey, IncidentId},
    incident::{Actor, Command, Report},
    people::E164,
    sla::Priority,
};

/// How often a PIN may be tried on one call.
pub const PIN_TRIES: u8 = 3;
/// How often the priority is asked before it counts as P1.
pub const PRIORITY_TRIES: u8 = 3;
/// How often a number is asked for on the keypad.
pub const KEYPAD_TRIES: u8 = 3;
/// How often any other question is put.
pub const TRIES: u8 = 2;
/// No conversation asks more than this.
pub const LONGEST: usize = 24;

/// What the caller did at a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The question that is answered: its name and its place.
    pub step: String,
    pub n: usize,
    /// Keys pressed; `None` is silence.
    pub keys: Option<String>,
    /// Where what was said can be heard.
    pub recording: Option<String>,
    /// Somebody answered the queue, and the talk is over.
    pub bridged: bool,
}

/// What the conversation may look at beside the call.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub config: &'a Config,
    pub now: Time,
    /// The open incidents of the call's customer (also one whose PIN was right just now), gravest first.
    pub open: Vec<Summary>,
    /// The last of the customer's incidents that was closed because they did not answer, if that is not long ago.
    pub idle: Option<Summary>,
    /// This call's own incident as it is now, while the caller waits on the line.
    pub own: Option<Summary>,
    /// Too many wrong PINs were keyed lately: none is asked for.
    pub pin_locked: bool,
    /// Whose PIN the keys of this turn are.
    pub pin_of: Option<CustomerKey>,
    /// This caller opened too many incidents lately: the open one that a new one is added to.
    pub flood: Option<Summary>,
}

/// What the shell must do, in order, in the transaction that saves the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// A wrong PIN is counted.
    WrongPin,
    /// A new incident.
    Open(Box<Report>),
    /// Something about an open incident; if that was closed meanwhile, a new one.
    Tell { incident: IncidentId, commands: Vec<Command>, otherwise: Box<Report> },
    /// Something more about this call's own incident.
    Add(Command),
}

/// The call as it is now, what to do, and which question is put (see [`super::script::document`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub call: CallRecord,
    pub doings: Vec<Doing>,
    pub n: usize,
}

/// The first ring: greets, and puts the first question. A call that was greeted is greeted the same way again.
pub fn begin(mut call: CallRecord, facts: &Facts<'_>) -> Outcome {
    if call.answers.asked.is_empty() {
        let hotline = report::hotline(facts.config, &call);
        let text = bounded(hotline.map_or("", |hotline| &hotline.greeting), GREETING_LENGTH);
        let lead = if text.is_empty() { Lead::None } else { Lead::Greeting { text } };
        call.answers.number = report::best_number(facts.config, &call);
        let step = if call.customer.is_none() && !facts.pin_locked {
            Step::Pin { attempt: 1 }
        } else {
            identified(&call, facts)
        };
        ask(&mut call, lead, step);
    }
    Outcome { call, doings: Vec::new(), n: 0 }
}

/// The next question. A question that was answered before is not answered again: what followed then follows now.
pub fn step(mut call: CallRecord, input: &Input, facts: &Facts<'_>) -> Outcome {
    let Some((current, step)) = call.current() else { return begin(call, facts) };
    let step = step.clone();
    if input.n < current && call.answers.asked[input.n].step.name() == input.step {
        return Outcome { call, doings: Vec::new(), n: input.n + 1 };
    }
    if input.n != current || input.step != step.name() {
        return Outcome { call, doings: Vec::new(), n: current };
    }
    let mut doings = Vec::new();
    let (lead, next) = answer(&mut call, &step, input, facts, &mut doings);
    if let Some(next) = next {
        ask(&mut call, lead, next);
    }
    let n = call.answers.asked.len() - 1;
    Outcome { call, doings, n }
}

/// The call ended, or nothing was heard of it for too long. Changes nothing the second time.
pub fn hung_up(mut call: CallRecord, facts: &Facts<'_>) -> Outcome {
    let n = call.answers.asked.len().saturating_sub(1);
    let mut doings = Vec::new();
    if call.ended_at.is_some() {
        return Outcome { call, doings, n };
    }
    call.ended_at = Some(facts.now);
    let step = call.current().map(|(_, step)| step.clone());
    let left = report::left_at(step.as_ref());
    match &step {
        Some(Step::Promise { .. }) => {}
        Some(Step::Wait) if call.answers.live.as_ref().is_some_and(|live| live.met.is_some()) => {
            doings.extend(live::talked(&mut call, None, facts.now).map(Doing::Add));
        }
        // They had asked for somebody already.
        Some(Step::Level { about, .. }) if call.incident.is_none() => {
            let told = Command::CustomerEscalates { why: left.into(), level: None, occurred_at: None };
            join(&mut call, facts, (about, about.priority), vec![told], &mut doings);
        }
        // A caller who hears that engineers are at it and hangs up has what they called for; one who hears of a
        // ticket that wakes nobody may have called for something worse.
        Some(Step::Open { about, .. }) if call.incident.is_none() && about.priority.pages() => {
            let told = vec![Command::Signal { summary: left.into() }];
            join(&mut call, facts, (about, about.priority), told, &mut doings);
        }
        Some(Step::Number { number, keyed: true, .. }) if call.answers.number.is_none() => {
            call.answers.number = Some(number.clone());
            call.note("The number was keyed in, and the caller hung up before confirming it.");
            doings.push(report::amend(&call, left));
        }
        _ if call.incident.is_some() => {
            call.note(left);
            doings.push(report::amend(&call, left));
            if let Some(live) = &mut call.answers.live {
                live.over = true;
            }
        }
        _ => {
            call.note(left);
            open(&mut call, facts, Priority::P1, super::phrases::HUNG_UP, &mut doings);
        }
    }
    Outcome { call, doings, n }
}

fn ask(call: &mut CallRecord, lead: Lead, step: Step) {
    call.answers.asked.push(Asked { lead, step });
}

/// The first question to a caller we know, or who will not be known.
fn identified(call: &CallRecord, facts: &Facts<'_>) -> Step {
    match facts.open.first() {
        Some(gravest) => Step::Open { attempt: 1, about: Box::new(gravest.clone()), others: facts.open.len() - 1 },
        None => match &facts.idle {
            Some(closed) => Step::Open { attempt: 1, about: Box::new(closed.clone()), others: 0 },
            None => priority_step(call, facts),
        },
    }
}

/// The question how bad it is.
pub(super) fn priority_step(call: &CallRecord, facts: &Facts<'_>) -> Step {
    Step::Priority { attempt: 1, menu: report::menu(facts.config, call) }
}

/// One question answered: what is put next, and what is said before it.
fn answer(
    call: &mut CallRecord,
    step: &Step,
    input: &Input,
    facts: &Facts<'_>,
    doings: &mut Vec<Doing>,
) -> (Lead, Option<Step>) {
    let keys = input.keys.as_deref().unwrap_or("");
    // The key that ends a number is no part of it, whether or not the carrier sends it.
    let keys = if matches!(step, Step::Pin { .. } | Step::Keypad { .. }) { keys.trim_end_matches('#') } else { keys };
    let next = match step {
        Step::Pin { attempt } => pin(call, *attempt, keys, facts, doings),
        Step::Open { attempt, about, others } => about::answer(call, (*attempt, about, *others), keys, facts, doings),
        Step::Level { attempt, about } => about::level(call, (*attempt, about), keys, facts, doings),
        Step::Reply => about::replied(call, input, facts, doings),
        Step::Wait => waited(call, input, facts, doings),
        Step::Priority { attempt, menu } => priority(call, (*attempt, menu), keys, facts, doings),
        Step::Number { attempt, number, keyed, keyings } => {
            let again = |attempt| Step::Number { attempt, number: number.clone(), keyed: *keyed, keyings: *keyings };
            match keys {
                "2" => keypad(*keyings + 1, Lead::None),
                "1" => {
                    give_number(call, number, doings);
                    (Lead::Thanks, Step::Name)
                }
                _ if *attempt < TRIES => (Lead::Again, again(attempt + 1)),
                // Silence: a number that was keyed in with care, or that the call comes from, is the best we know.
                _ => {
                    give_number(call, number, doings);
                    (Lead::None, Step::Name)
                }
            }
        }
        Step::Keypad { attempt } => {
            let hotline = report::hotline(facts.config, call).map(|hotline| hotline.number.clone());
            match hotline.and_then(|hotline| number::keyed(keys, &hotline)) {
                Some(number) if call.answers.live.is_some() => {
                    call.note("The number was keyed in, and not read back: the caller was to be connected.");
                    give_number(call, &number, doings);
                    wait(call, Lead::None, facts)
                }
                Some(number) => (Lead::None, Step::Number { attempt: 1, number, keyed: true, keyings: *attempt }),
                None if call.answers.live.is_some() => wait(call, Lead::None, facts),
                None if keys.is_empty() => keypad(attempt + 1, Lead::Again),
                None => {
                    let keys = bounded(keys, 20);
                    call.note(format!("Keyed in {keys}, which is no number we can call."));
                    doings.push(report::amend(call, "The caller keyed in a number that cannot be called."));
                    keypad(attempt + 1, Lead::NotANumber { keys })
                }
            }
        }
        Step::Name => {
            let url = heard(&mut call.answers.name_url, input);
            if url {
                doings.push(report::amend(call, "The caller said a name."));
            }
            (if url { Lead::Thanks } else { Lead::None }, Step::Words)
        }
        Step::Words | Step::Voicemail => {
            if heard(&mut call.answers.words_url, input) {
                let news = format!("The caller left a message: {}", call.answers.words_url.as_deref().unwrap_or(""));
                doings.push(report::amend(call, &news));
            }
            let ending = match (step, call.answers.opened || call.incident.is_none()) {
                (_, false) => Ending::Added,
                (Step::Voicemail, true) if call.answers.words_url.is_none() => Ending::Noted,
                (Step::Voicemail, true) => Ending::Ticket,
                (_, true) => Ending::Reported,
            };
            (Lead::None, Step::Promise { ending, at: facts.now })
        }
        Step::Promise { .. } => return (Lead::None, None),
    };
    (next.0, Some(next.1))
}

fn pin(call: &mut CallRecord, attempt: u8, keys: &str, facts: &Facts<'_>, doings: &mut Vec<Doing>) -> (Lead, Step) {
    if let Some(customer) = facts.pin_of.as_ref().and_then(|key| facts.config.customers.get(key)) {
        call.customer = Some(customer.key.clone());
        call.verified = true;
        call.answers.number = report::best_number(facts.config, call);
        return (Lead::Known { name: bounded(&customer.name, 100) }, identified(call, facts));
    }
    if keys.is_empty() {
        return (if attempt == 1 { Lead::None } else { Lead::WithoutPin }, identified(call, facts));
    }
    if !facts.pin_locked {
        doings.push(Doing::WrongPin);
        if attempt < PIN_TRIES {
            return (Lead::WrongPin, Step::Pin { attempt: attempt + 1 });
        }
    }
    call.note("The caller keyed in a wrong PIN.");
    (Lead::WithoutPin, identified(call, facts))
}

fn priority(
    call: &mut CallRecord,
    (attempt, menu): (u8, &[(Priority, String)]),
    keys: &str,
    facts: &Facts<'_>,
    doings: &mut Vec<Doing>,
) -> (Lead, Step) {
    let chosen = match keys.parse::<usize>().ok().and_then(|key| key.checked_sub(1)) {
        Some(at) if menu.is_empty() => Priority::ALL.get(at).filter(|_| at < 3).copied(),
        Some(at) => Priority::ALL.get(at).filter(|chosen| menu.iter().any(|(choice, _)| choice == *chosen)).copied(),
        None => None,
    };
    let (priority, silent) = match chosen {
        Some(priority) => (priority, false),
        None if attempt < PRIORITY_TRIES => {
            return (Lead::Again, Step::Priority { attempt: attempt + 1, menu: menu.into() });
        }
        None => (Priority::P1, true),
    };
    call.answers.priority = Some(priority);
    open(call, facts, priority, &report::title(priority, menu, silent), doings);
    let terms = report::terms(call, facts, priority);
    if terms.live && call.answers.opened {
        call.answers.live = Some(Live::default());
    }
    match (terms.wakes, call.answers.opened, &call.answers.number) {
        (false, true, _) if terms.closed => (Lead::Closed, Step::Voicemail),
        (false, _, _) => (Lead::None, Step::Voicemail),
        (true, false, _) => (Lead::Thanks, Step::Words),
        (true, true, Some(_)) if terms.live => wait(call, Lead::Paging, facts),
        // One try: an engineer may be on the line before the number is.
        (true, true, None) if terms.live => (Lead::Paging, Step::Keypad { attempt: KEYPAD_TRIES }),
        (true, true, Some(number)) => {
            (Lead::Paging, Step::Number { attempt: 1, number: number.clone(), keyed: false, keyings: 0 })
        }
        (true, true, None) => (Lead::Paging, Step::Keypad { attempt: 1 }),
    }
}

/// Into the queue.
fn wait(call: &mut CallRecord, lead: Lead, facts: &Facts<'_>) -> (Lead, Step) {
    call.answers.live.get_or_insert_default().since = Some(facts.now);
    (lead, Step::Wait)
}

/// Out of the queue: after a talk, or because there is nothing to wait for.
fn waited(call: &mut CallRecord, input: &Input, facts: &Facts<'_>, doings: &mut Vec<Doing>) -> (Lead, Step) {
    if let Some(own) = &facts.own {
        call.answers.incident = Some(own.clone());
    }
    let met = call.answers.live.as_ref().is_some_and(|live| live.met.is_some());
    doings.extend(live::talked(call, None, facts.now).map(Doing::Add));
    call.answers.live.get_or_insert_default().over = true;
    let held = call.answers.incident.as_ref().is_some_and(|incident| incident.held);
    let ending = match (met || input.bridged, held) {
        (true, _) => Ending::Talked,
        (false, true) => Ending::Taken,
        (false, false) => Ending::Waited,
    };
    (Lead::None, Step::Promise { ending, at: facts.now })
}

/// Another try on the keypad, or on without.
fn keypad(attempt: u8, lead: Lead) -> (Lead, Step) {
    if attempt <= KEYPAD_TRIES { (lead, Step::Keypad { attempt }) } else { (Lead::None, Step::Name) }
}

fn give_number(call: &mut CallRecord, number: &E164, doings: &mut Vec<Doing>) {
    if call.answers.number.as_ref() != Some(number) {
        call.answers.number = Some(number.clone());
        doings.push(report::amend(call, "The caller gave another number."));
    }
}

/// Keeps where it can be heard; whether that is news.
pub(super) fn heard(kept: &mut Option<String>, input: &Input) -> bool {
    let url = input.recording.as_deref().and_then(address);
    let news = url.is_some() && *kept != url;
    if news {
        *kept = url;
    }
    news
}

/// A recording's address, if it is one.
fn address(url: &str) -> Option<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    (web && url.len() <= URL_LENGTH && !url.chars().any(|c| c.is_control() || c.is_whitespace())).then(|| url.into())
}

/// Opens this call's incident, or adds it to the open one of a caller who opened too many. A call that has one
/// already only tells it what was said.
fn open(call: &mut CallRecord, facts: &Facts<'_>, priority: Priority, title: &str, doings: &mut Vec<Doing>) {
    if call.incident.is_some() || call.answers.opened {
        call.note(format!("The caller then chose {priority}."));
        doings.push(report::amend(call, &format!("The caller then chose {priority}.")));
        return;
    }
    call.answers.priority.get_or_insert(priority);
    match &facts.flood {
        Some(about) => {
            let mut commands = vec![Command::Signal { summary: format!("{title} ({priority}), once more") }];
            if priority < about.priority {
                let reason = "The caller called again with something graver.".into();
                commands.push(Command::SetPriority { by: Actor::Customer, priority, reason });
            }
            join(call, facts, (about, priority), commands, doings);
        }
        None => {
            call.answers.opened = true;
            doings.push(Doing::Open(report::report(call, facts, priority, title)));
        }
    }
}

/// Tells an open incident, and makes it this call's own unless the call has one. Should it be closed by now, a new one
/// of this priority takes its place.
pub(super) fn join(
    call: &mut CallRecord,
    facts: &Facts<'_>,
    (about, priority): (&Summary, Priority),
    commands: Vec<Command>,
    doings: &mut Vec<Doing>,
) {
    let otherwise = report::report(call, facts, priority, super::phrases::title(priority));
    if call.incident.is_none() {
        call.incident = Some(about.id.clone());
        call.answers.incident = Some(about.clone());
    }
    doings.push(Doing::Tell { incident: about.id.clone(), commands, otherwise });
}

/// What the caller said at the `n`th question became available: kept, and told to the incident if it is news.
pub fn recorded(mut call: CallRecord, n: Option<usize>, url: Option<&str>, transcript: Option<&str>) -> Outcome {
    let before = call.answers.clone();
    let name = n.and_then(|n| before.asked.get(n)).is_some_and(|asked| asked.step == Step::Name);
    let Answers { name_url, name: name_words, words_url, words, .. } = &mut call.answers;
    let (kept_url, kept_words, length) =
        if name { (name_url, name_words, 80) } else { (words_url, words, super::call::TRANSCRIPT_LENGTH) };
    if kept_url.is_none() {
        *kept_url = url.and_then(address);
    }
    let transcript = transcript.map(|text| bounded(text, length)).filter(|text| !text.is_empty());
    if transcript.is_some() {
        *kept_words = transcript;
    }
    let mut doings = Vec::new();
    if call.answers != before {
        let said = call.answers.words.as_deref().or(call.answers.words_url.as_deref()).unwrap_or("a name");
        let news = format!("The caller said: {said}");
        doings.push(report::amend(&call, &news));
    }
    let n = call.answers.asked.len().saturating_sub(1);
    Outcome { call, doings, n }
}
