//! A caller whom the plan promises an engineer at once: waits on the line while people are paged, and is connected with
//! the first who takes it. Pure.
//!
//! The carrier keeps the caller in a queue named after the incident; what we know of it stands in the call's record, so
//! that neither a restart of ours nor a request that comes twice changes who talks to whom.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    call::{CallRecord, Step},
    conversation::{Doing, Outcome},
    summary::Summary,
};
use crate::{
    clock::Time,
    id::{AttemptId, PersonKey},
    incident::{Actor, Command, Evidence, command::CONVERSATION_SECONDS},
};

/// How long a caller is kept waiting at most.
pub const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(5);
/// How long an engineer who took the call is waited for, and waits for the caller.
pub const JOINING: TimeDelta = TimeDelta::seconds(25);
/// After this the caller hears that it takes longer.
const SOON: TimeDelta = TimeDelta::seconds(55);

/// The wait of a caller, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Live {
    /// In the queue since then; `None` while the caller still keys in a number.
    pub since: Option<Time>,
    /// Who comes, or came.
    pub taken: Option<Taken>,
    /// When the two were connected.
    pub met: Option<Time>,
    /// The wait, or the talk, is over.
    pub over: bool,
}

/// Who took the caller from the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    pub attempt: AttemptId,
    pub person: PersonKey,
    /// The carrier's id of the engineer's call.
    pub call: String,
    pub at: Time,
}

/// What a waiting caller hears next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// People are being called.
    Waiting,
    /// It takes longer than promised.
    Longer,
    /// Somebody comes.
    Joining,
    /// There is nothing to wait for any more.
    Leave,
}

/// What becomes of somebody who wants to talk to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// They are connected.
    Join,
    /// Somebody else talks, or is about to.
    Busy(PersonKey),
    /// Nobody waits.
    Gone,
}

/// Whether the caller waits for somebody, or will in a moment, or talks to somebody. One of whom nothing was heard for
/// longer than a wait can last is gone: the word of the call's end was lost.
pub fn waits(call: &CallRecord, now: Time) -> bool {
    let here = |live: &Live| {
        let waited = now - live.since.unwrap_or(call.started_at);
        !live.over && (live.met.is_some() || waited < LONGEST_WAIT + JOINING * 2)
    };
    call.ended_at.is_none() && call.answers.live.as_ref().is_some_and(here)
}

/// Somebody wants to talk to the caller. The first has them; asking again changes nothing.
pub fn claim(call: &mut CallRecord, by: Taken) -> Claim {
    let waits = waits(call, by.at);
    let Some(live) = call.answers.live.as_mut().filter(|_| waits) else { return Claim::Gone };
    match &live.taken {
        Some(taken) if live.met.is_some() && taken.attempt == by.attempt => Claim::Gone,
        Some(taken) if live.met.is_some() => Claim::Busy(taken.person.clone()),
        Some(taken) if taken.attempt != by.attempt && by.at - taken.at < JOINING => Claim::Busy(taken.person.clone()),
        Some(taken) if taken.attempt == by.attempt && by.at - taken.at < JOINING => Claim::Join,
        _ => {
            live.taken = Some(by);
            Claim::Join
        }
    }
}

/// What the caller hears next in the queue. `incident` as it is now.
pub fn hold(call: &CallRecord, incident: Option<&Summary>, now: Time) -> Hold {
    let Some((_, Step::Wait)) = call.current() else { return Hold::Leave };
    let Some(live) = call.answers.live.as_ref().filter(|live| !live.over) else { return Hold::Leave };
    let waited = now - live.since.unwrap_or(call.started_at);
    if live.taken.as_ref().is_some_and(|taken| now - taken.at < JOINING) {
        return Hold::Joining;
    }
    // Whoever took it by text calls back; what is closed needs nobody.
    let settled = incident.is_none_or(|incident| incident.held || incident.over);
    match waited {
        _ if settled => Hold::Leave,
        waited if waited >= LONGEST_WAIT => Hold::Leave,
        waited if waited >= SOON => Hold::Longer,
        _ => Hold::Waiting,
    }
}

/// The two are connected: that is the response that was promised. Said twice it changes nothing.
pub fn connected(mut call: CallRecord, now: Time) -> Outcome {
    let n = call.answers.asked.len().saturating_sub(1);
    let mut doings = Vec::new();
    let sid = call.sid.clone();
    if let Some(live) = call.answers.live.as_mut().filter(|live| live.met.is_none() && !live.over)
        && let Some(taken) = &live.taken
    {
        live.met = Some(now);
        let by = Actor::Person(taken.person.clone());
        doings.push(Doing::Add(Command::RecordResponse { by, evidence: Evidence::Connected { call: sid } }));
    }
    Outcome { call, doings, n }
}

/// The talk is over; `seconds`: how long it was, where the carrier says so. What is recorded of it, the first time and
/// if it was long enough for a conversation.
pub fn talked(call: &mut CallRecord, seconds: Option<u32>, now: Time) -> Option<Command> {
    let sid = call.sid.clone();
    let live = call.answers.live.as_mut().filter(|live| !live.over)?;
    let (known, taken) = (live.met, live.taken.as_ref()?);
    let told = seconds.filter(|seconds| *seconds > 0);
    // That they were connected may have been told to nobody: we were not there to hear it.
    let met = known.or_else(|| told.map(|seconds| now - TimeDelta::seconds(seconds.into())))?;
    (live.met, live.over) = (Some(met), true);
    let measured = u32::try_from((now - met).num_seconds()).unwrap_or(0);
    let seconds = told.unwrap_or(measured);
    let by = Actor::Person(taken.person.clone());
    let evidence = match known {
        _ if seconds >= CONVERSATION_SECONDS => {
            Evidence::Conversation { calls: vec![taken.call.clone(), sid], seconds }
        }
        None => Evidence::Connected { call: sid },
        Some(_) => return None,
    };
    Some(Command::RecordResponse { by, evidence })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::phone::call::{Asked, Lead};

    fn at(seconds: i64) -> Time {
        "2026-11-05T14:02:00Z".parse::<Time>().unwrap() + TimeDelta::seconds(seconds)
    }

    fn waiting() -> CallRecord {
        let mut line = crate::intake::phone::tests::Line::from(crate::intake::phone::tests::ACME);
        line.call.answers.asked.push(Asked { lead: Lead::None, step: Step::Wait });
        line.call.answers.live = Some(Live { since: Some(at(0)), ..Live::default() });
        line.call
    }

    fn by(attempt: &str, seconds: i64) -> Taken {
        Taken { attempt: attempt.into(), person: attempt.into(), call: format!("CA-{attempt}"), at: at(seconds) }
    }

    fn known(held: bool) -> Summary {
        let line = crate::intake::phone::tests::Line::from(crate::intake::phone::tests::ACME);
        Summary { held, ..crate::intake::phone::tests::known(crate::sla::Priority::P1, &line.call) }
    }

    #[test]
    fn the_first_who_takes_the_caller_has_them() {
        let mut call = waiting();
        assert_eq!(claim(&mut call, by("ben", 20)), Claim::Join);
        assert_eq!(claim(&mut call, by("ben", 21)), Claim::Join);
        assert_eq!(claim(&mut call, by("carla", 22)), Claim::Busy("ben".into()));
        let mut call = connected(call, at(24)).call;
        assert_eq!(claim(&mut call, by("carla", 90)), Claim::Busy("ben".into()));
        assert!(talked(&mut call, None, at(300)).is_some());
        assert_eq!(claim(&mut call, by("carla", 301)), Claim::Gone);
    }

    #[test]
    fn whoever_took_the_caller_and_did_not_come_makes_room() {
        let mut call = waiting();
        assert_eq!(claim(&mut call, by("ben", 20)), Claim::Join);
        assert_eq!(claim(&mut call, by("carla", 50)), Claim::Join);
        assert_eq!(call.answers.live.unwrap().taken, Some(by("carla", 50)));
    }

    #[test]
    fn nobody_is_connected_with_a_caller_who_hung_up() {
        let mut call = CallRecord { ended_at: Some(at(10)), ..waiting() };
        assert_eq!(claim(&mut call, by("ben", 20)), Claim::Gone);
        // The word of it was lost.
        assert_eq!(claim(&mut waiting(), by("ben", 400)), Claim::Gone);
    }

    #[test]
    fn a_caller_waits_five_minutes_at_most_and_not_for_somebody_who_calls_back() {
        let call = waiting();
        for (seconds, held, heard) in [
            (0, false, Hold::Waiting),
            (54, false, Hold::Waiting),
            (60, false, Hold::Longer),
            (299, false, Hold::Longer),
            (300, false, Hold::Leave),
            (30, true, Hold::Leave),
        ] {
            assert_eq!(hold(&call, Some(&known(held)), at(seconds)), heard, "{seconds} {held}");
        }
        assert_eq!(hold(&call, None, at(1)), Hold::Leave);
        let mut taken = waiting();
        claim(&mut taken, by("ben", 20));
        assert_eq!(hold(&taken, Some(&known(true)), at(30)), Hold::Joining);
        assert_eq!(hold(&taken, Some(&known(true)), at(50)), Hold::Leave);
    }

    #[test]
    fn the_connection_is_the_response_and_the_talk_is_further_evidence_once() {
        let mut call = waiting();
        claim(&mut call, by("ben", 20));
        let outcome = connected(call, at(22));
        let by = Actor::Person("ben".into());
        let evidence = Evidence::Connected { call: "CA1".into() };
        assert_eq!(outcome.doings, [Doing::Add(Command::RecordResponse { by: by.clone(), evidence })]);
        assert_eq!(connected(outcome.call.clone(), at(23)).doings, []);
        let evidence = |seconds| Evidence::Conversation { calls: vec!["CA-ben".into(), "CA1".into()], seconds };
        let (mut short, mut told, mut measured) = (outcome.call.clone(), outcome.call.clone(), outcome.call);
        assert_eq!(talked(&mut short, Some(29), at(300)), None);
        let response = |seconds| Some(Command::RecordResponse { by: by.clone(), evidence: evidence(seconds) });
        assert_eq!(talked(&mut told, Some(95), at(300)), response(95));
        assert_eq!(talked(&mut measured, None, at(82)), response(60));
        assert_eq!(talked(&mut measured, None, at(82)), None);
    }
}
