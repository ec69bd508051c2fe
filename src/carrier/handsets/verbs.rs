//! Carrying out a call document on a call: speaking, waiting for keys, recording, connecting.

use std::collections::VecDeque;

use chrono::TimeDelta;

use super::{
    call::{Call, Joint, Phase, Queued},
    happening::{Effect, Input, Kind, Refused, Signal, Speaker},
    phone::Act,
};
use crate::{
    carrier::{Action, Bridge, Recording, Status, Turn, Verb, Waited, document::Digits},
    clock::Time,
};

/// How fast anybody speaks.
const CHARACTERS_A_SECOND: i64 = 15;
/// Silence after words ends a recording.
const SILENCE: TimeDelta = TimeDelta::seconds(3);
/// Somebody who acts by themselves hears a question to its end, and takes so long to press a key or to speak.
const LISTENS: TimeDelta = TimeDelta::seconds(1);

/// What is being done on a call.
#[derive(Clone, Debug)]
pub(super) enum Doing {
    /// Speaking, or silence.
    Speaking {
        until: Time,
    },
    Gathering(Gathering),
    Recording(Taking),
    Dialling(Dialling),
    Answering(Answering),
}

#[derive(Clone, Debug)]
pub(super) struct Gathering {
    prompts: VecDeque<Verb>,
    /// Until the prompt has been said or, after the last, for how long keys are waited for.
    until: Time,
    prompting: bool,
    keys: String,
    digits: Digits,
    timeout: TimeDelta,
    action: Action,
    /// When somebody presses by themselves.
    press_at: Option<Time>,
}

#[derive(Clone, Debug)]
pub(super) struct Taking {
    since: Time,
    until: Time,
    latest: Time,
    words: String,
    action: Action,
    transcript: Option<Action>,
    /// When somebody speaks by themselves.
    speak_at: Option<Time>,
}

#[derive(Clone, Debug)]
pub(super) struct Dialling {
    pub(super) leg: String,
    answered_at: Option<Time>,
    limit: TimeDelta,
    action: Action,
    /// The other call waited in a queue: it is a call of its own, and goes on after this one.
    of_queue: bool,
}

/// Until somebody is in the queue, or it took too long.
#[derive(Clone, Debug)]
pub(super) struct Answering {
    queue: String,
    pub(super) until: Time,
    pub(super) connect: Action,
    limit: TimeDelta,
    action: Action,
}

impl Dialling {
    /// The other end need not talk to this one any more.
    pub(super) fn let_go(self) -> Signal {
        Signal::Tell(self.leg, if self.of_queue { Input::LegEnded } else { Input::Cancel })
    }
}

/// How long it takes to say this.
pub fn speaking_time(text: &str) -> TimeDelta {
    TimeDelta::milliseconds(text.chars().count() as i64 * 1000 / CHARACTERS_A_SECOND)
}

impl Doing {
    pub(super) fn due(&self) -> Option<Time> {
        match self {
            Doing::Speaking { until } => Some(*until),
            Doing::Gathering(gathering) => gathering.press_at.into_iter().chain([gathering.until]).min(),
            Doing::Recording(taking) => taking.speak_at.into_iter().chain([taking.until]).min(),
            // The leg ends itself when it is not answered.
            Doing::Dialling(dialling) => dialling.answered_at.map(|at| at + dialling.limit),
            Doing::Answering(answering) => Some(answering.until),
        }
    }
}

impl Call {
    /// Carries out the verbs until one takes time.
    pub(super) fn play(&mut self, mut verbs: VecDeque<Verb>, now: Time) {
        let doing = match verbs.pop_front() {
            None if self.joint.is_some() => return self.meet(now),
            None => match self.queued.as_ref().map(|queued| queued.hold.clone()) {
                Some(hold) => return self.ask(&hold, Turn::default(), now),
                None => return self.end(Status::Completed, now),
            },
            Some(Verb::Hangup | Verb::Reject) => return self.end(Status::Completed, now),
            Some(Verb::Enqueue { queue, hold, action }) => {
                self.signals.push(Signal::Meet(queue.clone()));
                self.queued = Some(Queued { queue, hold: hold.clone(), action, since: now });
                return self.ask(&hold, Turn::default(), now);
            }
            Some(Verb::Leave) => return self.leave(now),
            Some(Verb::Answer { queue, patience, limit_seconds, connect, action }) => {
                self.signals.push(Signal::Meet(queue.clone()));
                Doing::Answering(Answering {
                    queue,
                    until: now + TimeDelta::seconds(patience.max(1).into()),
                    connect,
                    limit: TimeDelta::seconds(limit_seconds.max(1).into()),
                    action,
                })
            }
            Some(Verb::Redirect(action)) => return self.ask(&action, Turn::default(), now),
            Some(verb @ (Verb::Say { .. } | Verb::Pause(_))) => Doing::Speaking { until: self.utter(verb, now) },
            Some(Verb::Gather { prompts, digits, timeout, action }) => Doing::Gathering(Gathering {
                prompts: prompts.into(),
                until: now,
                prompting: true,
                keys: String::new(),
                digits,
                timeout: TimeDelta::seconds(timeout.max(1).into()),
                action,
                press_at: None,
            }),
            Some(Verb::Record { max_seconds, action, transcript }) => {
                self.line(Speaker::Carrier, "(beep)".into(), now);
                let latest = now + TimeDelta::seconds(max_seconds.max(1).into());
                let acts = matches!(self.script.front(), Some(Act::Say(_)));
                Doing::Recording(Taking {
                    since: now,
                    until: latest,
                    latest,
                    words: String::new(),
                    action,
                    transcript,
                    speak_at: acts.then(|| now + LISTENS),
                })
            }
            Some(Verb::Dial { to, ring, limit_seconds, action }) => {
                self.legs += 1;
                let leg = format!("{}.{}", self.id, self.legs);
                let ring = TimeDelta::seconds(ring.max(1).into());
                self.signals.push(Signal::Ring { leg: leg.clone(), to, ring });
                let limit = TimeDelta::seconds(limit_seconds.max(1).into());
                Doing::Dialling(Dialling { leg, answered_at: None, limit, action, of_queue: false })
            }
        };
        self.phase = Phase::Talking { doing, rest: verbs };
        // A gather begins with its first prompt.
        if let Phase::Talking { doing: Doing::Gathering(_), .. } = self.phase {
            self.go_on(now);
        }
    }

    /// What was being done is done, or its time is over.
    pub(super) fn go_on(&mut self, now: Time) {
        let Phase::Talking { doing, rest } = &mut self.phase else { return };
        match doing {
            Doing::Speaking { .. } => {
                let rest = std::mem::take(rest);
                self.play(rest, now);
            }
            Doing::Gathering(gathering) if gathering.press_at.is_some_and(|at| at <= now) => {
                gathering.press_at = None;
                let digits = gathering.digits;
                if let Some(keys) = self.scripted_keys(digits) {
                    self.take_keys(&keys, now);
                }
            }
            Doing::Gathering(gathering) => match gathering.prompts.pop_front() {
                Some(prompt) => {
                    let until = self.utter(prompt, now);
                    if let Phase::Talking { doing: Doing::Gathering(gathering), .. } = &mut self.phase {
                        gathering.until = until;
                    }
                }
                None if gathering.prompting => {
                    gathering.prompting = false;
                    gathering.until = now + gathering.timeout;
                    let acts = matches!(self.script.front(), Some(Act::Press(_)));
                    gathering.press_at = acts.then(|| now + LISTENS);
                }
                None => self.gathered(now),
            },
            Doing::Recording(taking) if taking.speak_at.is_some_and(|at| at <= now) => {
                taking.speak_at = None;
                if let Some(Act::Say(words)) = self.script.pop_front() {
                    self.take_words(words, now);
                }
            }
            Doing::Recording(_) => self.recorded(now),
            Doing::Dialling(dialling) => {
                self.signals.push(dialling.clone().let_go());
                self.leg_ended(now);
            }
            Doing::Answering(answering) => {
                let action = answering.action.clone();
                let bridge = Bridge { sid: None, completed: false, seconds: 0 };
                self.ask(&action, Turn { bridge: Some(bridge), ..Turn::default() }, now);
            }
        }
    }

    /// Keys from the person on the phone.
    pub(super) fn press(&mut self, keys: &str, now: Time) -> Result<(), Refused> {
        match &self.phase {
            Phase::Talking { doing: Doing::Gathering(_), .. } => self.take_keys(keys, now),
            // Any key ends a recording.
            Phase::Talking { doing: Doing::Recording(_), .. } => self.recorded(now),
            Phase::Queued { .. } | Phase::Ringing { .. } => return Err(Refused("answer the call first")),
            _ => return Err(Refused("nobody waits for keys now; hear it out, and press again")),
        }
        Ok(())
    }

    /// Words from the person on the phone.
    pub(super) fn speak(&mut self, words: String, now: Time) -> Result<(), Refused> {
        if self.answered_at.is_none() {
            return Err(Refused("nobody listens before the call is answered"));
        }
        if let Phase::Talking { doing: Doing::Recording(_), .. } = self.phase {
            self.take_words(words, now);
            return Ok(());
        }
        self.line(Speaker::Phone, words.clone(), now);
        let other = match (&self.kind, &self.phase) {
            (Kind::Leg { parent }, Phase::Connected { .. }) => Some(parent.clone()),
            (_, Phase::Connected { .. }) => self.joint.as_ref().map(|joint| joint.peer.clone()),
            (_, Phase::Talking { doing: Doing::Dialling(dialling), .. }) if dialling.answered_at.is_some() => {
                Some(dialling.leg.clone())
            }
            _ => None,
        };
        self.signals.extend(other.map(|other| Signal::Tell(other, Input::Overheard(words))));
        Ok(())
    }

    pub(super) fn leg_answered(&mut self, now: Time) {
        if let Phase::Talking { doing: Doing::Dialling(dialling), .. } = &mut self.phase {
            dialling.answered_at = Some(now);
        }
    }

    /// The other end is gone: the call goes on with how that went.
    pub(super) fn leg_ended(&mut self, now: Time) {
        if let Some(joint) = self.joint.take() {
            let seconds = joint.waited.num_seconds().clamp(0, u32::MAX.into()) as u32;
            let waited = Some(Waited { bridged: true, seconds });
            return self.ask(&joint.action, Turn { waited, ..Turn::default() }, now);
        }
        let Phase::Talking { doing: Doing::Dialling(dialling), .. } = &self.phase else { return };
        let dialling = dialling.clone();
        let seconds = dialling.answered_at.map_or(0, |at| (now - at).num_seconds().clamp(0, u32::MAX.into()) as u32);
        let bridge = Bridge { sid: Some(dialling.leg), completed: dialling.answered_at.is_some(), seconds };
        self.ask(&dialling.action, Turn { bridge: Some(bridge), ..Turn::default() }, now);
    }

    /// How this call answers a queue, as long as it found nobody there.
    pub(super) fn answering(&self, queue: &str) -> Option<&Answering> {
        match &self.phase {
            Phase::Talking { doing: Doing::Answering(answering), .. } if answering.queue == queue => Some(answering),
            _ => None,
        }
    }

    /// That call answers the queue this one waits in.
    pub(super) fn fetched(&mut self, by: String, connect: Action, now: Time) {
        let Some(queued) = self.queued.take() else { return };
        let asking = matches!(self.phase, Phase::Asking { .. });
        let later = asking.then(|| connect.clone());
        self.joint = Some(Joint { peer: by, action: queued.action, waited: now - queued.since, connect: later });
        if !asking {
            self.cut(now);
            self.ask(&connect, Turn::default(), now);
        }
    }

    /// The call that waited in the queue is being connected with this one.
    pub(super) fn joined(&mut self, peer: String) {
        if let Phase::Talking { doing, .. } = &mut self.phase
            && let Doing::Answering(Answering { limit, action, .. }) = doing
        {
            let (limit, action) = (*limit, action.clone());
            *doing = Doing::Dialling(Dialling { leg: peer, answered_at: None, limit, action, of_queue: true });
        }
    }

    /// All was said that is said before the two talk.
    fn meet(&mut self, now: Time) {
        self.phase = Phase::Connected { until: None };
        if let Some(joint) = &self.joint {
            self.signals.push(Signal::Tell(joint.peer.clone(), Input::LegAnswered));
            self.line(Speaker::Carrier, "(connected)".into(), now);
        }
    }

    /// Out of the queue.
    fn leave(&mut self, now: Time) {
        let Some(queued) = self.queued.take() else { return self.end(Status::Completed, now) };
        let seconds = (now - queued.since).num_seconds().clamp(0, u32::MAX.into()) as u32;
        let waited = Some(Waited { bridged: false, seconds });
        self.ask(&queued.action, Turn { waited, ..Turn::default() }, now);
    }

    /// What is being said stops here; the transcript keeps only what could be heard.
    pub(super) fn cut(&mut self, now: Time) {
        let Some(line) = self.said.iter_mut().rev().find(|line| line.who == Speaker::Service) else { return };
        if line.until > now {
            let heard = (now - line.at).num_milliseconds().max(0) * CHARACTERS_A_SECOND / 1000;
            line.text = line.text.chars().take(heard as usize).chain(['…']).collect();
            line.until = now;
        }
    }

    /// Keeps what was said for the switchboard, and gives the address of it. Silence is not kept.
    pub(super) fn keep(&mut self, taking: &Taking) -> Option<String> {
        if taking.words.is_empty() {
            return None;
        }
        self.recordings.push(taking.words.clone());
        let url = format!("/handsets/calls/{}/recordings/{}", self.id, self.recordings.len());
        if let Some(transcript) = &taking.transcript {
            self.outbox.push_back(Effect::Recorded(Recording {
                carrier: self.carrier.to_string(),
                call_sid: self.id.clone(),
                query: transcript.split().1,
                url: Some(url.clone()),
                transcript: Some(taking.words.clone()),
            }));
        }
        Some(url)
    }

    /// Speaks or is silent; until when.
    fn utter(&mut self, verb: Verb, now: Time) -> Time {
        match verb {
            Verb::Say { text, .. } => {
                let until = now + speaking_time(&text);
                self.line(Speaker::Service, text, now);
                until
            }
            Verb::Pause(seconds) => now + TimeDelta::seconds(seconds.into()),
            _ => now,
        }
    }

    /// The next keys of the script, as many as the gather takes.
    fn scripted_keys(&mut self, digits: Digits) -> Option<String> {
        let Some(Act::Press(keys)) = self.script.pop_front() else { return None };
        let most = match digits {
            Digits::One => 1,
            Digits::UpTo(_) => keys.find('#').map_or(keys.len(), |at| at + 1),
        };
        let (now, later) = keys.split_at(most.min(keys.len()));
        if !later.is_empty() {
            self.script.push_front(Act::Press(later.into()));
        }
        Some(now.into())
    }

    fn take_keys(&mut self, keys: &str, now: Time) {
        self.cut(now);
        self.line(Speaker::Phone, format!("(presses {keys})"), now);
        let Phase::Talking { doing: Doing::Gathering(gathering), .. } = &mut self.phase else { return };
        gathering.prompts.clear();
        gathering.prompting = false;
        gathering.until = now + gathering.timeout;
        for key in keys.chars() {
            let complete = match gathering.digits {
                Digits::One => {
                    gathering.keys.push(key);
                    true
                }
                Digits::UpTo(_) if key == '#' => true,
                Digits::UpTo(most) => {
                    gathering.keys.push(key);
                    gathering.keys.len() >= most.into()
                }
            };
            if complete {
                return self.gathered(now);
            }
        }
    }

    fn gathered(&mut self, now: Time) {
        let Phase::Talking { doing: Doing::Gathering(gathering), .. } = &mut self.phase else { return };
        let (keys, action) = (std::mem::take(&mut gathering.keys), gathering.action.clone());
        self.ask(&action, Turn { digits: Some(keys).filter(|keys| !keys.is_empty()), ..Turn::default() }, now);
    }

    fn take_words(&mut self, words: String, now: Time) {
        let Phase::Talking { doing: Doing::Recording(taking), .. } = &mut self.phase else { return };
        taking.speak_at = None;
        if !taking.words.is_empty() {
            taking.words.push(' ');
        }
        taking.words.push_str(&words);
        taking.until = (now + speaking_time(&words) + SILENCE).min(taking.latest);
        self.line(Speaker::Phone, words, now);
    }

    fn recorded(&mut self, now: Time) {
        let Phase::Talking { doing: Doing::Recording(taking), .. } = &self.phase else { return };
        let taking = taking.clone();
        let waiting = self.outbox.len();
        let recording_url = self.keep(&taking);
        // The words come after the call went on, as transcription takes its time.
        let words = self.outbox.split_off(waiting);
        let seconds = (now - taking.since).num_seconds().clamp(0, u32::MAX.into()) as u32;
        let recording_seconds = recording_url.is_some().then_some(seconds);
        self.ask(&taking.action, Turn { recording_url, recording_seconds, ..Turn::default() }, now);
        self.outbox.extend(words);
    }
}
