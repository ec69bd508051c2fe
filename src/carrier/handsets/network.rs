//! The network between the phones: who exists, which calls there are, and what they tell each other. Pure: time
//! and ids are handed in.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use chrono::TimeDelta;

use super::{
    call::Call,
    happening::{Effect, Input, Kind, Refused, Signal},
    phone::{Act, Behaviour, Fate, MAX_LIVE, MAX_REMEMBERED, Phone, Text},
};
use crate::{
    carrier::{self, Accepted, ErrorClass, SendError, Sms, Status},
    clock::Time,
    id::{AttemptId, CarrierKey},
    people::E164,
};

/// More phones than this are not remembered.
const MAX_PHONES: usize = 5000;
/// How many attempts can be looked up.
const MAX_ATTEMPTS: usize = 50_000;
/// A call rings no longer, whatever was asked for.
const MAX_RING: TimeDelta = TimeDelta::seconds(600);

/// Every phone and every call.
#[derive(Debug)]
pub struct Network {
    carrier: CarrierKey,
    /// Our number, in every thread and on every display.
    from: E164,
    /// When a machine picks up, and how long a call rings if nothing else is said.
    ring: TimeDelta,
    phones: BTreeMap<E164, Phone>,
    calls: HashMap<String, Call>,
    attempts: HashMap<AttemptId, Accepted>,
    /// The attempts, oldest first.
    taken: VecDeque<AttemptId>,
    /// Calls on which something happened.
    touched: BTreeSet<String>,
}

impl Network {
    /// A network without phones; they come with their first use.
    pub fn new(carrier: CarrierKey, from: E164, ring: TimeDelta) -> Self {
        Network {
            carrier,
            from,
            ring,
            phones: BTreeMap::new(),
            calls: HashMap::new(),
            attempts: HashMap::new(),
            taken: VecDeque::new(),
            touched: BTreeSet::new(),
        }
    }

    /// The carrier these phones belong to.
    pub fn carrier(&self) -> &CarrierKey {
        &self.carrier
    }

    /// Our own number: texts and calls of ours come from it.
    pub fn ours(&self) -> &E164 {
        &self.from
    }

    /// The phone with this number; there is one for each.
    pub fn phone(&mut self, number: &E164, now: Time) -> &mut Phone {
        if self.phones.len() >= MAX_PHONES && !self.phones.contains_key(number) {
            let idle = |phone: &&Phone| phone.behaviour == Behaviour::Manual && self.live(phone).is_empty();
            if let Some(oldest) = self.phones.values().filter(idle).min_by_key(|phone| phone.used_at) {
                let (oldest, calls) = (oldest.number.clone(), oldest.calls.clone());
                calls.iter().for_each(|call| drop(self.calls.remove(call)));
                self.phones.remove(&oldest);
            }
        }
        let phone = self.phones.entry(number.clone()).or_insert_with(|| Phone::new(number.clone(), now));
        phone.used_at = now;
        phone
    }

    /// Every phone that was used, by number.
    pub fn phones(&self) -> impl Iterator<Item = &Phone> {
        self.phones.values()
    }

    /// A call, also one that ended a while ago.
    pub fn call(&self, id: &str) -> Option<&Call> {
        self.calls.get(id)
    }

    /// What is to be asked of the switchboard next for this call.
    pub fn next_effect(&mut self, id: &str) -> Option<Effect> {
        self.calls.get_mut(id)?.outbox.pop_front()
    }

    /// The calls on which something happened since this was last asked.
    pub fn take_touched(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.touched)
    }

    /// Whether an attempt was taken, and how far it is.
    pub fn look_up(&self, attempt: &AttemptId) -> Option<Accepted> {
        self.attempts.get(attempt).cloned()
    }

    /// Takes a call of ours. The same attempt again is the same call.
    pub fn place_call(&mut self, sid: String, call: &carrier::Call, now: Time) -> Result<Accepted, SendError> {
        if let Some(accepted) = self.attempts.get(&call.attempt) {
            return Ok(accepted.clone());
        }
        let ring = if call.ring > TimeDelta::zero() { call.ring.min(MAX_RING) } else { self.ring };
        let fate = self.fate(&call.to, ring, now);
        if fate == Fate::Refused {
            return Err(no_such_subscriber());
        }
        let kind = Kind::Placed { attempt: call.attempt.clone(), action: call.action.clone() };
        self.begin(sid.clone(), kind, &call.to, self.from.clone(), fate, now);
        Ok(self.take(call.attempt.clone(), sid))
    }

    /// Takes a text of ours; when it arrives. The same attempt again is the same text, and does not arrive again.
    pub fn take_sms(&mut self, sid: String, sms: &Sms, now: Time) -> Result<(Accepted, Option<Time>), SendError> {
        if let Some(accepted) = self.attempts.get(&sms.attempt) {
            return Ok((accepted.clone(), None));
        }
        if sms.to.as_str() == super::HEARTBEAT {
            // On no phone, and shown nowhere: it only has to come back.
            return Ok((self.take(sms.attempt.clone(), sid), Some(now)));
        }
        let peer = self.from.clone();
        let phone = self.phone(&sms.to, now);
        if phone.behaviour == Behaviour::Dead {
            return Err(no_such_subscriber());
        }
        let arrives = now + phone.behaviour.lateness();
        let body = bounded(&sms.body);
        phone.add(Text { id: sid.clone(), written_here: false, peer, body, at: now, status: Status::Queued });
        Ok((self.take(sms.attempt.clone(), sid), Some(arrives)))
    }

    /// A text is so far.
    pub fn text_is(&mut self, number: &E164, id: &str, status: Status, now: Time) {
        let text = self.phones.get_mut(number).and_then(|phone| phone.texts.iter_mut().find(|text| text.id == id));
        if let Some(text) = text {
            text.status = text.status.merge(status);
            if status.is_final() {
                text.at = now;
            }
        }
    }

    /// What the provider says of an attempt.
    pub fn attempt_is(&mut self, attempt: &AttemptId, status: Status) {
        if let Some(accepted) = self.attempts.get_mut(attempt) {
            accepted.status = accepted.status.merge(status);
        }
    }

    /// Dials one of our numbers from a phone. `script`: what the caller does by themselves when asked.
    pub fn dial(&mut self, sid: String, from: &E164, to: &E164, script: Vec<Act>, now: Time) -> Result<(), Refused> {
        self.phone(from, now);
        if self.phones.get(from).is_some_and(|phone| self.live(phone).len() >= MAX_LIVE) {
            return Err(Refused("this phone has too many calls at once"));
        }
        let fate = Fate::Rings { after: TimeDelta::zero(), ring: self.ring, pick_up: None, script: script.into() };
        self.begin(sid, Kind::Dialled, from, to.clone(), fate, now);
        Ok(())
    }

    /// Lets time pass for a call: everything that was due happens at its own instant, in order.
    pub fn pass(&mut self, id: &str, now: Time) {
        while let Some(due) = self.calls.get(id).and_then(Call::due).filter(|due| *due <= now) {
            let _ = self.tell(id, Input::Time, due);
        }
    }

    /// Something happened on a call. `None`: there is no such call.
    pub fn act(&mut self, id: &str, input: Input, now: Time) -> Option<Result<(), Refused>> {
        self.pass(id, now);
        let call = self.calls.get(id)?;
        let nobody_there = self.phones.get(&call.phone).is_some_and(|phone| phone.behaviour == Behaviour::RingsOut);
        if matches!(input, Input::Answer) && nobody_there {
            return Some(Err(Refused("this phone lets every call ring out; change its behaviour first")));
        }
        Some(self.tell(id, input, now))
    }

    /// The calls of a phone that have not ended.
    pub fn live(&self, phone: &Phone) -> Vec<&Call> {
        phone.calls.iter().filter_map(|id| self.calls.get(id)).filter(|call| !call.has_ended()).collect()
    }

    /// Hands an input to a call, and what that call tells others to them.
    fn tell(&mut self, id: &str, input: Input, now: Time) -> Result<(), Refused> {
        let call = self.calls.get_mut(id).ok_or(Refused("there is no such call"))?;
        let signals = call.step(input, now)?;
        self.touched.insert(id.into());
        self.route(id, signals, now);
        Ok(())
    }

    fn route(&mut self, id: &str, signals: Vec<Signal>, now: Time) {
        for signal in signals {
            match signal {
                // The other call may have ended in the same moment; then this is of no interest to it.
                Signal::Tell(other, input) => drop(self.tell(&other, input, now)),
                Signal::Meet(queue) => self.meet(&queue, now),
                Signal::Ring { leg, to, ring } => {
                    let fate = self.fate(&to, ring, now);
                    let Some(peer) = self.calls.get(id).map(|call| call.peer.clone()) else { continue };
                    self.begin(leg, Kind::Leg { parent: id.into() }, &to, peer, fate, now);
                }
            }
        }
    }

    /// Connects the first call in a queue with the first that answers it, if there are both.
    fn meet(&mut self, queue: &str, now: Time) {
        let waiting = self.calls.values().filter(|call| call.queued.as_ref().is_some_and(|it| it.queue == queue));
        let waiting = waiting.min_by_key(|call| (call.queued.as_ref().map(|it| it.since), call.id.clone()));
        let answering = self
            .calls
            .values()
            .filter_map(|call| Some((call.answering(queue)?, &call.id)))
            .min_by_key(|(answering, id)| (answering.until, (*id).clone()));
        let (Some(waiting), Some((answering, by))) = (waiting, answering) else { return };
        let (waiting, by, connect) = (waiting.id.clone(), by.clone(), answering.connect.clone());
        let _ = self.tell(&by, Input::Joined(waiting.clone()), now);
        let _ = self.tell(&waiting, Input::Fetched { by, connect }, now);
    }

    fn fate(&mut self, number: &E164, ring: TimeDelta, now: Time) -> Fate {
        let behaviour = self.phone(number, now).behaviour.clone();
        let taken = self.phones.get(number).is_some_and(|phone| self.live(phone).len() >= MAX_LIVE);
        if taken && behaviour != Behaviour::Dead { Fate::Busy } else { behaviour.fate(ring, self.ring) }
    }

    fn begin(&mut self, sid: String, kind: Kind, phone: &E164, peer: E164, fate: Fate, now: Time) {
        let mut call = Call::new(sid.clone(), self.carrier.clone(), kind, phone.clone(), peer, fate, now);
        let signals = std::mem::take(&mut call.signals);
        self.calls.insert(sid.clone(), call);
        self.touched.insert(sid.clone());
        let phone = self.phone(phone, now);
        phone.calls.push_back(sid.clone());
        if phone.calls.len() > MAX_REMEMBERED {
            let (number, ids) = (phone.number.clone(), phone.calls.clone());
            // One that has been told to everybody: a call may last for hours while others come and go.
            let over = |id: &String| self.calls.get(id).is_none_or(|call| call.has_ended() && call.outbox.is_empty());
            if let (Some(at), Some(phone)) = (ids.iter().position(over), self.phones.get_mut(&number)) {
                phone.calls.remove(at);
                self.calls.remove(&ids[at]);
            }
        }
        self.route(&sid, signals, now);
    }

    fn take(&mut self, attempt: AttemptId, sid: String) -> Accepted {
        let accepted = Accepted { sid, status: Status::Queued };
        self.attempts.insert(attempt.clone(), accepted.clone());
        self.taken.push_back(attempt);
        if self.taken.len() > MAX_ATTEMPTS
            && let Some(oldest) = self.taken.pop_front()
        {
            self.attempts.remove(&oldest);
        }
        accepted
    }
}

/// A body as long as a text can be.
pub fn bounded(body: &str) -> String {
    body.chars().take(super::MAX_TEXT).collect()
}

fn no_such_subscriber() -> SendError {
    SendError {
        class: ErrorClass::PermanentContact,
        code: Some("unreachable".into()),
        message: "the number is not in service".into(),
    }
}
