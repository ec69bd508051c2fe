//! A caller about an incident that we know: how it stands, and what they want of it. Pure.

use super::{
    call::{CallRecord, Ending, Lead, Step},
    conversation::{self, Doing, Facts, Input, TRIES, join},
    live::Live,
    summary::Summary,
};
use crate::{
    incident::{Actor, Command},
    sla::Priority,
};

/// What is said for a caller who says nothing.
const SILENT: &str = "The customer called and pressed no key that we know: call back.";

fn escalate(why: &str, level: Option<usize>) -> Command {
    Command::CustomerEscalates { why: why.into(), level, occurred_at: None }
}

fn signal(summary: &str) -> Command {
    Command::Signal { summary: summary.into() }
}

fn raise(about: &Summary, to: Priority, reason: &str) -> Option<Command> {
    (to < about.priority).then(|| Command::SetPriority { by: Actor::Customer, priority: to, reason: reason.into() })
}

/// Silence about an open incident asks for somebody higher, as "worse" does: a line that stays silent may be a
/// caller in trouble, and one page too many is better than one too few. It does not raise the priority of what wakes
/// people already; what wakes nobody is raised until it does.
pub(super) fn answer(
    call: &mut CallRecord,
    (attempt, about, others): (u8, &Summary, usize),
    keys: &str,
    facts: &Facts<'_>,
    doings: &mut Vec<Doing>,
) -> (Lead, Step) {
    let silent = keys != "1" && keys != "2" && keys != "3" && attempt >= TRIES;
    let (commands, ending, priority) = match keys {
        "3" => return (Lead::None, conversation::priority_step(call, facts)),
        "1" | "2" if about.idle => (vec![reply("The customer called: it goes on.")], Ending::Back, about.priority),
        _ if silent && about.idle => (vec![reply(SILENT)], Ending::Back, about.priority),
        "1" if about.waiting.is_some() => {
            let told = vec![signal("The customer called about what we asked.")];
            join(call, facts, (about, about.priority), told, doings);
            return (Lead::None, Step::Reply);
        }
        "1" => (vec![signal("The customer called: still the same.")], Ending::Same, about.priority),
        "2" if about.ruled_out => {
            let why = "The customer called: our engineers are needed again.";
            (vec![escalate(why, None)], Ending::Back, about.priority)
        }
        "2" if about.levels.as_ref().is_some_and(|levels| !levels.is_empty()) => {
            return (Lead::None, Step::Level { attempt: 1, about: Box::new(about.clone()) });
        }
        "2" => {
            let why = "The customer called: it got worse.";
            let to = if about.priority.pages() { Priority::P1 } else { Priority::P2 };
            let ending = if about.levels.is_some() { Ending::Told } else { Ending::Worse };
            let commands = raise(about, to, why).into_iter().chain([escalate(why, None)]).collect();
            (commands, ending, about.priority.min(to))
        }
        _ if !silent => {
            return (Lead::Again, Step::Open { attempt: attempt + 1, about: Box::new(about.clone()), others });
        }
        _ if about.ruled_out => (vec![escalate(SILENT, None)], Ending::Back, about.priority),
        _ => {
            let commands = raise(about, Priority::P2, SILENT).into_iter().chain([escalate(SILENT, None)]).collect();
            (commands, Ending::Worse, about.priority.min(Priority::P2))
        }
    };
    join(call, facts, (about, about.priority), commands, doings);
    // Under such a plan nobody who still waits for an engineer is sent away with a promise.
    let anew = about.ruled_out || about.idle;
    if about.live.contains(&priority) && (anew || (!about.responded && !about.held)) {
        call.answers.live = Some(Live { since: Some(facts.now), ..Live::default() });
        return (Lead::None, Step::Wait);
    }
    (Lead::None, Step::Promise { ending, at: facts.now })
}

/// Whom the caller asks for. Silence asks for the next in turn.
pub(super) fn level(
    call: &mut CallRecord,
    (attempt, about): (u8, &Summary),
    keys: &str,
    facts: &Facts<'_>,
    doings: &mut Vec<Doing>,
) -> (Lead, Step) {
    let levels = about.levels.as_deref().unwrap_or_default();
    let chosen = keys.parse::<usize>().ok().and_then(|key| key.checked_sub(1)).filter(|level| *level < levels.len());
    if chosen.is_none() && !keys.is_empty() && attempt < TRIES {
        return (Lead::Again, Step::Level { attempt: attempt + 1, about: Box::new(about.clone()) });
    }
    let why = match chosen.and_then(|level| levels.get(level)) {
        Some(name) => format!("The customer called and asks for the {name}."),
        None => "The customer called: not satisfied.".into(),
    };
    join(call, facts, (about, about.priority), vec![escalate(&why, chosen)], doings);
    (Lead::None, Step::Promise { ending: Ending::Worse, at: facts.now })
}

/// What the caller said to what we asked.
pub(super) fn replied(
    call: &mut CallRecord,
    input: &Input,
    facts: &Facts<'_>,
    doings: &mut Vec<Doing>,
) -> (Lead, Step) {
    if conversation::heard(&mut call.answers.words_url, input) {
        let url = call.answers.words_url.as_deref().unwrap_or_default();
        doings.push(Doing::Add(reply(&format!("By phone, to hear: {url}"))));
    }
    (Lead::None, Step::Promise { ending: Ending::Same, at: facts.now })
}

fn reply(text: &str) -> Command {
    Command::CustomerReplies { text: text.into() }
}
