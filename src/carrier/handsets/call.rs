//! One call on one phone, as a state machine: what happens next, given what just happened and what time it is.
//!
//! A [`Call`] never waits. It says when it wants to be looked at again ([`Call::due`]), takes what happened
//! ([`Call::step`]), and leaves in its outbox what must be asked of the switchboard.

use std::collections::VecDeque;

use chrono::TimeDelta;

use super::{
    happening::{Effect, Input, Kind, Line, Refused, Signal, Speaker, State, WaitingFor},
    phone::{Act, Fate},
    verbs::Doing,
};
use crate::{
    carrier::{Action, AnsweredBy, Document, Receipt, Status, Turn, Verb},
    clock::Time,
    id::CarrierKey,
    people::{Channel, E164},
};

/// No call lasts longer.
const MAX_CALL: TimeDelta = TimeDelta::hours(4);
/// A call that asks more often than this goes in circles.
const MAX_TURNS: u32 = 300;
/// How often a document is asked for before the caller hears an apology.
const MAX_TRIES: u8 = 4;
/// A machine hangs up after this.
const MACHINE_LISTENS: TimeDelta = TimeDelta::seconds(90);
/// Lines of a transcript.
const MAX_LINES: usize = 1000;

/// How far a call is.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Queued {
        until: Time,
    },
    Ringing {
        until: Time,
        pick_up: Option<(Time, AnsweredBy)>,
    },
    Asking {
        turn: Turn,
        tries: u8,
    },
    /// The switchboard could not answer; it is asked again.
    AskingAgain {
        at: Time,
        turn: Turn,
        tries: u8,
    },
    Talking {
        doing: Doing,
        rest: VecDeque<Verb>,
    },
    /// A leg that was answered; until the machine on it hangs up.
    Connected {
        until: Option<Time>,
    },
    Ended(Status),
}

/// A wait in a queue.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    pub queue: String,
    pub hold: Action,
    pub action: Action,
    pub since: Time,
}

/// A call that was answered from a queue.
#[derive(Clone, Debug)]
pub(super) struct Joint {
    pub peer: String,
    /// Where it goes on when the talk is over.
    pub action: Action,
    pub waited: TimeDelta,
    /// Still to be asked, once the question that is open is answered.
    pub connect: Option<Action>,
}

/// One call on one phone.
#[derive(Clone, Debug)]
pub struct Call {
    pub id: String,
    pub kind: Kind,
    /// This phone's number.
    pub phone: E164,
    /// Our number at the other end.
    pub peer: E164,
    pub answered_by: Option<AnsweredBy>,
    pub said: Vec<Line>,
    pub started_at: Time,
    pub answered_at: Option<Time>,
    pub ended_at: Option<Time>,
    /// What was recorded, in words.
    pub recordings: Vec<String>,
    /// For the switchboard, in this order.
    pub outbox: VecDeque<Effect>,
    pub(super) carrier: CarrierKey,
    pub(super) phase: Phase,
    pub(super) signals: Vec<Signal>,
    /// What the person on the phone does by themselves.
    pub(super) script: VecDeque<Act>,
    pub(super) legs: u32,
    /// While it waits in a queue.
    pub(super) queued: Option<Queued>,
    /// Once it was answered from a queue.
    pub(super) joint: Option<Joint>,
    fate: Option<(TimeDelta, Option<(TimeDelta, AnsweredBy)>)>,
    turns: u32,
}

impl Call {
    /// A call that begins now and goes as `fate` says ([`Kind::Dialled`] does not ring: it goes to the switchboard).
    pub fn new(id: String, carrier: CarrierKey, kind: Kind, phone: E164, peer: E164, fate: Fate, now: Time) -> Self {
        let mut call = Call {
            id,
            kind,
            phone,
            peer,
            answered_by: None,
            said: Vec::new(),
            started_at: now,
            answered_at: None,
            ended_at: None,
            recordings: Vec::new(),
            outbox: VecDeque::new(),
            carrier,
            phase: Phase::Queued { until: now },
            signals: Vec::new(),
            script: VecDeque::new(),
            legs: 0,
            queued: None,
            joint: None,
            fate: None,
            turns: 0,
        };
        if let Fate::Rings { script, .. } = &fate {
            call.script = script.clone();
        }
        call.report(Status::Queued);
        match (&call.kind, fate) {
            (Kind::Dialled, _) => call.ask(&Action("voice".into()), Turn::default(), now),
            (_, Fate::Refused) => call.end(Status::Failed, now),
            (_, Fate::Busy) => call.end(Status::Busy, now),
            (_, Fate::Rings { after, ring, pick_up, .. }) => {
                call.fate = Some((ring, pick_up));
                call.phase = Phase::Queued { until: now + after };
                call.pass(now);
            }
        }
        call
    }

    /// How far it is.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Queued { .. } => State::Queued,
            Phase::Ringing { .. } => State::Ringing,
            Phase::Asking { .. } | Phase::AskingAgain { .. } if self.answered_at.is_none() => State::Ringing,
            Phase::Ended(_) => State::Ended,
            _ => State::Talking,
        }
    }

    /// What it wants of the person on the phone.
    pub fn waiting_for(&self) -> WaitingFor {
        match &self.phase {
            Phase::Talking { doing: Doing::Gathering(_), .. } => WaitingFor::Keys,
            Phase::Talking { doing: Doing::Recording(_), .. } => WaitingFor::Recording,
            _ => WaitingFor::Nothing,
        }
    }

    /// As the carrier reports it.
    pub fn status(&self) -> Status {
        match (&self.phase, self.state()) {
            (Phase::Ended(status), _) => *status,
            (_, State::Queued) => Status::Queued,
            (_, State::Ringing) => Status::Ringing,
            _ => Status::InProgress,
        }
    }

    /// Nothing more will happen on it.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// The other call this one is connected with, or is being connected with.
    pub fn connected_with(&self) -> Option<&str> {
        match (&self.kind, &self.phase) {
            (Kind::Leg { parent }, Phase::Connected { .. }) => Some(parent),
            (_, Phase::Connected { .. }) => self.joint.as_ref().map(|joint| joint.peer.as_str()),
            (_, Phase::Talking { doing: Doing::Dialling(dialling), .. }) => Some(&dialling.leg),
            _ => None,
        }
    }

    /// How long it was talked, in seconds.
    pub fn seconds(&self, now: Time) -> u32 {
        let end = self.ended_at.unwrap_or(now);
        self.answered_at.map_or(0, |from| (end - from).num_seconds().clamp(0, u32::MAX.into()) as u32)
    }

    /// When it must be told that time passed, if nothing else happens before.
    pub fn due(&self) -> Option<Time> {
        let next = match &self.phase {
            Phase::Queued { until } => Some(*until),
            Phase::Ringing { until, pick_up } => Some(pick_up.map_or(*until, |(at, _)| at.min(*until))),
            Phase::AskingAgain { at, .. } => Some(*at),
            Phase::Asking { .. } => None,
            Phase::Talking { doing, .. } => doing.due(),
            Phase::Connected { until } => *until,
            Phase::Ended(_) => return None,
        };
        let limit = self.answered_at.map(|at| at + MAX_CALL);
        next.into_iter().chain(limit).min()
    }

    /// Something happened. What the call wants of other calls comes back; what it wants of us is in its outbox.
    pub fn step(&mut self, input: Input, now: Time) -> Result<Vec<Signal>, Refused> {
        match input {
            Input::Time => self.pass(now),
            Input::Heard(document) => self.heard(document, now),
            _ if self.has_ended() => return Err(Refused("the call has ended")),
            Input::Answer => match self.phase {
                Phase::Ringing { .. } => self.answered(AnsweredBy::Human, now),
                Phase::Queued { .. } => return Err(Refused("the phone does not ring yet")),
                _ => return Err(Refused("the phone does not ring")),
            },
            Input::Reject => match self.phase {
                Phase::Ringing { .. } => self.end(Status::Busy, now),
                _ => return Err(Refused("the phone does not ring")),
            },
            Input::Divert => match self.phase {
                Phase::Ringing { .. } => self.answered(AnsweredBy::Machine, now),
                _ => return Err(Refused("the phone does not ring")),
            },
            Input::HangUp => match (&self.kind, self.answered_at) {
                (_, Some(_)) => self.end(Status::Completed, now),
                (Kind::Dialled, None) => self.end(Status::Canceled, now),
                _ if self.state() == State::Ringing => self.end(Status::Busy, now),
                _ => return Err(Refused("the phone does not ring yet")),
            },
            Input::Cancel if self.answered_at.is_some() => self.end(Status::Completed, now),
            Input::Cancel => self.end(Status::Canceled, now),
            Input::Press(keys) => self.press(&keys, now)?,
            Input::Speak(words) => self.speak(words, now)?,
            Input::LegAnswered => self.leg_answered(now),
            Input::LegEnded => self.leg_ended(now),
            Input::Fetched { by, connect } => self.fetched(by, connect, now),
            Input::Joined(peer) => self.joined(peer),
            Input::Overheard(words) => self.line(Speaker::Other, words, now),
        }
        Ok(std::mem::take(&mut self.signals))
    }

    fn pass(&mut self, now: Time) {
        if self.answered_at.is_some_and(|at| at + MAX_CALL <= now) && !self.has_ended() {
            return self.end(Status::Completed, now);
        }
        match &self.phase {
            Phase::Queued { until } if *until <= now => {
                let (ring, pick_up) = self.fate.unwrap_or_default();
                self.phase =
                    Phase::Ringing { until: now + ring, pick_up: pick_up.map(|(after, by)| (now + after, by)) };
                self.report(Status::Ringing);
            }
            Phase::Ringing { until, pick_up } => match pick_up {
                Some((at, by)) if *at <= now && *at <= *until => self.answered(*by, now),
                _ if *until <= now => self.end(Status::NoAnswer, now),
                _ => {}
            },
            Phase::AskingAgain { at, turn, tries } if *at <= now => {
                let (turn, tries) = (turn.clone(), *tries);
                self.outbox.push_back(Effect::Ask(turn.clone()));
                self.phase = Phase::Asking { turn, tries };
            }
            Phase::Talking { doing, .. } if doing.due().is_some_and(|due| due <= now) => self.go_on(now),
            Phase::Connected { until: Some(until) } if *until <= now => self.end(Status::Completed, now),
            _ => {}
        }
    }

    fn answered(&mut self, by: AnsweredBy, now: Time) {
        self.answered_at = Some(now);
        self.answered_by = Some(by);
        if by == AnsweredBy::Machine {
            let greeting = "You have reached a voicemail box. Please leave a message after the tone.";
            self.line(Speaker::Machine, greeting.into(), now);
        }
        self.report(Status::InProgress);
        match self.kind.clone() {
            Kind::Leg { parent } => {
                let machine = by == AnsweredBy::Machine;
                self.phase = Phase::Connected { until: machine.then(|| now + MACHINE_LISTENS) };
                self.signals.push(Signal::Tell(parent.clone(), Input::LegAnswered));
                if machine {
                    self.signals.push(Signal::Tell(parent, Input::Overheard(self.said[0].text.clone())));
                }
            }
            Kind::Placed { action, .. } => self.ask(&action, Turn::default(), now),
            Kind::Dialled => {}
        }
    }

    fn heard(&mut self, document: Option<Document>, now: Time) {
        // An answer that comes after the call moved on, or ended, is for nobody.
        let Phase::Asking { turn, tries } = &self.phase else { return };
        if let Some(connect) = self.joint.as_mut().and_then(|joint| joint.connect.take()) {
            // It was answered meanwhile: what was to be heard while waiting is of no interest any more.
            return self.ask(&connect, Turn::default(), now);
        }
        match document {
            None if *tries < MAX_TRIES => {
                let pause = TimeDelta::seconds(1 << tries.saturating_sub(1));
                self.phase = Phase::AskingAgain { at: now + pause, turn: turn.clone(), tries: tries + 1 };
            }
            None => {
                self.line(Speaker::Carrier, "An application error has occurred. Goodbye.".into(), now);
                self.end(Status::Failed, now);
            }
            Some(document) => {
                if self.answered_at.is_none() {
                    if document.verbs.first() == Some(&Verb::Reject) {
                        return self.end(Status::Busy, now);
                    }
                    self.answered_at = Some(now);
                }
                self.play(document.verbs.into(), now);
            }
        }
    }

    /// Asks the switchboard where the call goes on, with what was heard on it.
    pub(super) fn ask(&mut self, action: &Action, heard: Turn, now: Time) {
        self.turns += 1;
        if self.turns > MAX_TURNS {
            self.line(Speaker::Carrier, "This call goes in circles. Goodbye.".into(), now);
            return self.end(Status::Failed, now);
        }
        let (path, query) = action.split();
        let (from, to) = match self.kind {
            Kind::Dialled => (&self.phone, &self.peer),
            _ => (&self.peer, &self.phone),
        };
        let turn = Turn {
            carrier: self.carrier.to_string(),
            path,
            query,
            call_sid: self.id.clone(),
            from: from.as_str().into(),
            to: to.as_str().into(),
            answered_by: self.answered_by,
            ..heard
        };
        self.outbox.push_back(Effect::Ask(turn.clone()));
        self.phase = Phase::Asking { turn, tries: 1 };
    }

    /// Ends it, once.
    pub(super) fn end(&mut self, status: Status, now: Time) {
        if self.has_ended() {
            return;
        }
        self.cut(now);
        self.ended_at = Some(now);
        if let Phase::Talking { doing, .. } = std::mem::replace(&mut self.phase, Phase::Ended(status)) {
            match doing {
                Doing::Recording(taking) => {
                    self.keep(&taking);
                }
                Doing::Dialling(dialling) => self.signals.push(dialling.let_go()),
                _ => {}
            }
        }
        self.queued = None;
        if let Some(joint) = self.joint.take() {
            self.signals.push(Signal::Tell(joint.peer, Input::LegEnded));
        }
        if let Kind::Leg { parent } = &self.kind {
            self.signals.push(Signal::Tell(parent.clone(), Input::LegEnded));
        }
        self.report(status);
    }

    /// Tells us how far it is. Of an inbound call only the end is told; of a leg its call tells.
    fn report(&mut self, status: Status) {
        let attempt = match &self.kind {
            Kind::Placed { attempt, .. } => Some(attempt.clone()),
            Kind::Dialled if status.is_final() => None,
            _ => return,
        };
        self.outbox.push_back(Effect::Report(Receipt {
            carrier: self.carrier.to_string(),
            attempt,
            sid: self.id.clone(),
            channel: Channel::Voice,
            status: Some(status),
            answered_by: self.answered_by,
            error_code: None,
            seconds: self.ended_at.map(|at| self.seconds(at)),
        }));
    }

    /// Adds a line to what was said.
    pub(super) fn line(&mut self, who: Speaker, text: String, now: Time) {
        if self.said.len() < MAX_LINES {
            let until = now + super::verbs::speaking_time(&text);
            self.said.push(Line { at: now, who, text, until });
        }
    }
}
