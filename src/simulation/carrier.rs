//! Two carriers with every fault: they refuse, stay silent, take and say nothing, and tell what is not so.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{
    faults::Fault,
    pager::ANSWER_WITHIN,
    people::{Pickup, Reading},
    service::{Document, PHONE_OFF, REFUSES, Receipt, Turn, origin_of},
    tasks::Owner,
    transaction::{Origin, Trouble},
    world::{Sim, World},
};
use crate::{
    carrier::{Accepted, AnsweredBy, ErrorClass, SendError, Status},
    clock::Time,
    id::{AttemptId, CarrierKey, PersonKey},
    paging::{Attempt, Stage, dispatch, script::Progress},
    people::Channel,
};

/// The carriers, by their names.
const NAMES: [&str; 2] = ["alpha", "beta"];

/// How long a phone rings.
const RINGS: TimeDelta = TimeDelta::seconds(25);

/// What a carrier took.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub attempt: AttemptId,
    pub carrier: CarrierKey,
    pub sid: String,
    pub status: Status,
    hung_up: bool,
}

/// What the carriers know, and nobody else does.
#[derive(Default)]
pub(super) struct Network {
    pub taken: Vec<Taken>,
    /// How often an attempt may be sent once more: so often something happened that no sender can know the end of.
    pub excuses: BTreeMap<AttemptId, usize>,
    out_until: BTreeMap<CarrierKey, Time>,
}

impl Network {
    pub fn excuse(&mut self, attempt: &AttemptId) {
        *self.excuses.entry(attempt.clone()).or_default() += 1;
    }

    fn by_sid(&mut self, sid: &str) -> Option<&mut Taken> {
        self.taken.iter_mut().rev().find(|taken| taken.sid == sid)
    }
}

/// A request as the carrier meets it.
enum Fate {
    /// Taken or not, and what is said of it after so long.
    Answer(bool, Result<Status, SendError>, TimeDelta),
}

fn error(class: ErrorClass, code: Option<&str>, message: &str) -> SendError {
    SendError { class, code: code.map(Into::into), message: message.into() }
}

pub(super) fn silent() -> SendError {
    error(ErrorClass::Ambiguous, None, "the carrier did not answer in time")
}

impl World {
    /// Which carriers a node asks, in turn.
    pub fn carriers(&self, node: usize, attempt: &Attempt, now: Time) -> Vec<CarrierKey> {
        let order = match attempt.channel {
            Channel::Sms => &self.config.carriers.sms,
            Channel::Voice => &self.config.carriers.voice,
        };
        let breakers = &self.nodes[node].breakers;
        let last = attempt.carrier.as_ref().filter(|_| attempt.stage == Stage::Sending);
        let healthy = |key: &CarrierKey| breakers.get(key).is_none_or(|breaker| breaker.allows(now));
        dispatch::carriers(order, &NAMES.map(CarrierKey::from), healthy, last)
    }

    /// A carrier is down for a while.
    pub fn outage(&mut self, span: TimeDelta) {
        let key = CarrierKey::from(*self.chance.pick(&NAMES));
        self.counters.count(Fault::CarrierOutage);
        self.say(|| format!("carrier {key} is down for {} s", span.num_seconds()));
        let until = self.now + span;
        self.network.out_until.insert(key, until);
    }

    pub fn end_outages(&mut self) {
        self.network.out_until.clear();
    }

    fn fate(&mut self, key: &CarrierKey) -> Fate {
        let quick = self.chance.millis(10, 300);
        let never = ANSWER_WITHIN + TimeDelta::seconds(1);
        let down = self.network.out_until.get(key).is_some_and(|until| *until > self.now);
        if down {
            let down = error(ErrorClass::Transient { retry_after: None }, Some("503"), "down");
            return Fate::Answer(false, Err(down), quick);
        }
        if self.fault(Fault::CarrierRefuses, 60) {
            let refused = error(ErrorClass::PermanentContact, Some("21211"), "no such number");
            return Fate::Answer(false, Err(refused), quick);
        }
        if self.fault(Fault::CarrierConfig, 60) {
            return Fate::Answer(false, Err(error(ErrorClass::PermanentConfig, Some("20003"), "unpaid")), quick);
        }
        if self.fault(Fault::CarrierBusy, 150) {
            let later = Some(self.chance.seconds(1, 40));
            let busy = error(ErrorClass::Transient { retry_after: later }, Some("429"), "too many");
            return Fate::Answer(false, Err(busy), quick);
        }
        if self.fault(Fault::CarrierError, 200) {
            let broken = error(ErrorClass::Transient { retry_after: None }, Some("500"), "broken");
            return Fate::Answer(false, Err(broken), quick);
        }
        if self.fault(Fault::CarrierErrorTaken, 120) {
            return Fate::Answer(true, Err(error(ErrorClass::Ambiguous, Some("502"), "perhaps")), quick);
        }
        if self.fault(Fault::CarrierSilent, 150) {
            return Fate::Answer(false, Err(silent()), never);
        }
        if self.fault(Fault::CarrierSilentTaken, 200) {
            return Fate::Answer(true, Err(silent()), never);
        }
        let odd = [Status::Sent, Status::InProgress, Status::Failed, Status::Completed, Status::Delivered];
        let status = if self.fault(Fault::CarrierOddStatus, 60) { *self.chance.pick(&odd) } else { Status::Queued };
        Fate::Answer(true, Ok(status), quick)
    }
}

impl Sim {
    /// Asks a carrier to take an attempt.
    pub async fn ask(&self, key: &CarrierKey, attempt: &Attempt) -> Result<Accepted, SendError> {
        self.sleep(self.with(|world| world.chance.millis(5, 60))).await;
        let Fate::Answer(takes, answer, wait) = self.with(|world| world.fate(key));
        let sid = self.with(|world| world.name(if attempt.channel == Channel::Sms { "SM" } else { "CA" }));
        if takes {
            let taken = Taken {
                attempt: attempt.id.clone(),
                carrier: key.clone(),
                sid: sid.clone(),
                status: Status::Queued,
                hung_up: false,
            };
            self.with(|world| {
                world.say(|| format!("{key} takes {} as {sid}", attempt.id));
                world.network.taken.push(taken.clone());
            });
            let early = self.fault(Fault::ReceiptEarly, 300);
            self.spawn(Owner::Outside, self.clone().life(taken, attempt.clone(), early));
            if early {
                self.sleep(TimeDelta::milliseconds(700)).await;
            }
        }
        self.sleep(wait).await;
        answer.map(|status| Accepted { sid, status })
    }

    /// Whether a carrier took an attempt.
    pub async fn ask_for(&self, key: &CarrierKey, attempt: &Attempt) -> Option<Accepted> {
        self.sleep(self.with(|world| world.chance.millis(5, 300))).await;
        self.with(|world| {
            let of_it = |taken: &&Taken| taken.attempt == attempt.id && taken.carrier == *key;
            let found = world.network.taken.iter().rev().find(of_it).cloned();
            let down = world.network.out_until.get(key).is_some_and(|until| *until > world.now);
            let fails = down || world.fault(Fault::LookUpFails, 300);
            if fails || (found.is_some() && world.fault(Fault::LookUpBlind, 300)) {
                world.network.excuse(&attempt.id);
                return None;
            }
            let Taken { sid, status, .. } = found?;
            Some(Accepted { sid, status })
        })
    }

    /// Asks a carrier to end a call.
    pub async fn ask_to_hang_up(&self, key: &CarrierKey, sid: &str) -> Option<ErrorClass> {
        self.sleep(self.with(|world| world.chance.millis(5, 200))).await;
        self.with(|world| {
            let down = world.network.out_until.get(key).is_some_and(|until| *until > world.now);
            if down || world.fault(Fault::HangUpFails, 500) {
                return Some(ErrorClass::Transient { retry_after: None });
            }
            if let Some(taken) = world.network.by_sid(sid) {
                taken.hung_up = true;
            }
            None
        })
    }

    async fn life(self, taken: Taken, attempt: Attempt, early: bool) {
        if !early {
            self.sleep(self.with(|world| world.chance.millis(400, 3000))).await;
        }
        let person = self.with(|world| {
            let at = world.config.people_at(&attempt.address).next().map(|person| person.key.clone());
            at.filter(|_| attempt.is_page())
        });
        match attempt.channel {
            Channel::Sms => self.text(&taken, &attempt, person).await,
            Channel::Voice => self.call(&taken, &attempt, person).await,
        }
    }

    async fn text(&self, taken: &Taken, attempt: &Attempt, person: Option<PersonKey>) {
        let lost = self.fault(Fault::TextLost, 600);
        let off = lost && self.with(|world| world.chance.percent(50));
        let swapped = self.fault(Fault::ReceiptReordered, 400);
        let end = if lost { Status::Undelivered } else { Status::Delivered };
        let code = lost.then_some(if off { PHONE_OFF } else { "30006" });
        if swapped {
            self.report(taken, attempt.channel, end, code, None).await;
            self.report(taken, attempt.channel, Status::Sent, None, None).await;
        } else {
            self.report(taken, attempt.channel, Status::Sent, None, None).await;
            self.sleep(self.with(|world| world.chance.millis(300, 9000))).await;
            self.report(taken, attempt.channel, end, code, None).await;
        }
        if let Some(person) = person.filter(|_| !lost) {
            self.read(&person, attempt).await;
        }
    }

    /// Somebody reads a text, and may write back.
    async fn read(&self, person: &PersonKey, attempt: &Attempt) {
        let Reading { wait, body, acts } = match self.with(|world| world.reads(person, attempt)) {
            Some(reading) => reading,
            None => return,
        };
        self.sleep(wait).await;
        let (from, sid) = (attempt.address.clone(), self.with(|world| world.name("MO")));
        self.say(|| format!("{person} writes: {body}"));
        let origin = Origin::Human(person.clone());
        let did = self.insist(origin, 4, move |tx| tx.reply(&from, &sid, &body).map(drop)).await;
        if did && acts {
            self.takes(person, attempt);
        }
    }

    fn takes(&self, person: &PersonKey, attempt: &Attempt) {
        if let Some(incident) = attempt.incident.clone() {
            self.spawn(Owner::Outside, self.clone().works(person.clone(), incident));
        }
    }

    async fn call(&self, taken: &Taken, attempt: &Attempt, person: Option<PersonKey>) {
        let voice = Channel::Voice;
        self.report(taken, voice, Status::Ringing, None, None).await;
        let pickup = match &person {
            Some(person) => self.with(|world| world.picks_up(person)),
            None => Pickup::RingsOut,
        };
        let (rang, end) = match pickup {
            Pickup::RingsOut => (RINGS, Status::NoAnswer),
            Pickup::Rejects(after) => (after, Status::Busy),
            Pickup::Answers(after) | Pickup::Machine(after) => (after, Status::Completed),
        };
        self.sleep(rang).await;
        if self.hung_up(taken) {
            return self.report(taken, voice, Status::Canceled, None, None).await;
        }
        let machine = matches!(pickup, Pickup::Machine(_));
        if end == Status::Completed {
            let known = self.with(|world| world.chance.percent(60));
            let by = known.then_some(if machine { AnsweredBy::Machine } else { AnsweredBy::Human });
            // A machine that was recognised is told of after a while, and on the first turn if that is later.
            if self.with(|world| world.chance.percent(50)) {
                self.report(taken, voice, Status::InProgress, None, by).await;
            }
            self.talk(taken, attempt, person.filter(|_| !machine), by).await;
        }
        if !self.fault(Fault::CallWithoutEnd, 300) {
            self.report(taken, voice, end, None, None).await;
        }
    }

    fn hung_up(&self, taken: &Taken) -> bool {
        self.with(|world| world.network.by_sid(&taken.sid).is_some_and(|taken| taken.hung_up))
    }

    /// The turns of a call that was picked up, by a person or (`None`) by a machine.
    async fn talk(&self, taken: &Taken, attempt: &Attempt, person: Option<PersonKey>, by: Option<AnsweredBy>) {
        let mut at = Progress { round: 1, turns: 1 };
        let (mut key, mut bridged) = (None, None);
        for _ in 0..40 {
            let turn = Turn {
                carrier: taken.carrier.clone(),
                attempt: attempt.id.clone(),
                sid: taken.sid.clone(),
                at,
                key,
                answered_by: by,
                bridged,
            };
            let pressed = person.clone().filter(|_| key.is_some() || bridged.is_some());
            let origin = origin_of(&turn, pressed);
            let Some(document) = self.fetch(origin, turn).await else { return };
            if let Some(person) = person.as_ref().filter(|_| matches!(key, Some('4' | '5'))) {
                self.takes(person, attempt);
            }
            match document {
                Document::HangUp => return,
                Document::Connect => {
                    let seconds = self
                        .with(|world| if world.chance.percent(70) { world.chance.between(5, 400) as u32 } else { 0 });
                    self.sleep(TimeDelta::seconds(10 + i64::from(seconds))).await;
                    (key, bridged) = (None, Some(seconds));
                }
                Document::Ask(next) => {
                    self.sleep(self.with(|world| world.chance.seconds(3, 10))).await;
                    if self.hung_up(taken) {
                        return;
                    }
                    (at, bridged) = (next, None);
                    key = match &person {
                        Some(_) => match self.with(World::presses) {
                            Some(key) => key,
                            None => return,
                        },
                        None => None,
                    };
                    if let (Some(key), Some(person)) = (key, &person) {
                        self.say(|| format!("{person} presses {key} on the call of {}", attempt.id));
                    }
                }
            }
        }
    }

    /// The carrier asks any node what to say, and gives up after a second try.
    async fn fetch(&self, origin: Origin, turn: Turn) -> Option<Document> {
        for _ in 0..2 {
            let (node, sim, turn, origin) = (self.any_node(), self.clone(), turn.clone(), origin.clone());
            let work = async move { sim.transact(node, origin, |tx| tx.turn(&turn)).await };
            match self.ask_node(node, work).await {
                Some(Ok(document)) => return Some(document),
                Some(Err(Trouble::Refused)) => return None,
                Some(Err(Trouble::Store)) | None => {}
            }
        }
        None
    }

    /// Tells us of a status: late, twice, never, or another.
    async fn report(
        &self,
        taken: &Taken,
        channel: Channel,
        status: Status,
        code: Option<&str>,
        answered_by: Option<AnsweredBy>,
    ) {
        self.with(|world| {
            if let Some(known) = world.network.by_sid(&taken.sid) {
                known.status = known.status.merge(status);
            }
        });
        if self.fault(Fault::ReceiptLost, 400) {
            return;
        }
        let lies = [Status::Queued, Status::Ringing, Status::Busy, Status::Failed, Status::Completed, Status::Read];
        let status =
            if self.fault(Fault::ReceiptLies, 100) { self.with(|world| *world.chance.pick(&lies)) } else { status };
        let refuses = status == Status::Undelivered && self.with(|world| world.chance.percent(5));
        let receipt = Receipt {
            carrier: taken.carrier.clone(),
            attempt: taken.attempt.clone(),
            sid: taken.sid.clone(),
            channel,
            status: Some(status),
            answered_by,
            error_code: if refuses { Some(REFUSES.into()) } else { code.map(Into::into) },
        };
        let late = self.fault(Fault::ReceiptLate, 400);
        let doubled = self.fault(Fault::ReceiptDoubled, 400);
        for copy in 0..1 + usize::from(doubled) {
            let (sim, receipt) = (self.clone(), receipt.clone());
            self.spawn(Owner::Outside, async move {
                let wait = sim.with(|world| match (late, copy) {
                    (true, _) => world.chance.seconds(30, 400),
                    (false, 0) => world.chance.millis(5, 200),
                    (false, _) => world.chance.seconds(1, 20),
                });
                sim.sleep(wait).await;
                sim.insist(Origin::Carrier, 4, move |tx| tx.receipt(&receipt)).await;
            });
        }
    }
}
