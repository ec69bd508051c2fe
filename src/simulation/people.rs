//! People: who answers, late or never, what they press and write, and what they do once they have it.

use chrono::TimeDelta;

use super::{
    chance::Chance,
    faults::Fault,
    transaction::Origin,
    world::{Sim, World},
};
use crate::{
    id::{IncidentId, PersonKey},
    incident::{Actor, Command, Evidence, Incident},
    paging::Attempt,
};

/// What one person is like.
#[derive(Clone, Debug)]
pub(super) struct Temper {
    /// Of a hundred calls.
    answers: u32,
    machine: u32,
    /// Of a hundred texts.
    writes: u32,
    slow: bool,
    calls_back: bool,
    updates: Updates,
    /// How long a trouble takes them, in minutes.
    mends_in: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Updates {
    OnTime,
    Late,
    Never,
}

impl Temper {
    pub fn any(chance: &mut Chance) -> Temper {
        let never = chance.percent(25);
        Temper {
            answers: if never { 0 } else { chance.between(10, 90) as u32 },
            machine: *chance.pick(&[0, 20, 60]),
            writes: if never { 0 } else { chance.between(0, 50) as u32 },
            slow: chance.percent(30),
            calls_back: chance.percent(60),
            updates: *chance.pick(&[Updates::OnTime, Updates::OnTime, Updates::Late, Updates::Never]),
            mends_in: chance.between(10, 200),
        }
    }
}

/// What becomes of a call that rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pickup {
    Answers(TimeDelta),
    Machine(TimeDelta),
    Rejects(TimeDelta),
    RingsOut,
}

/// What somebody writes back to a text.
pub(super) struct Reading {
    pub wait: TimeDelta,
    pub body: String,
    /// Whether it takes the incident.
    pub acts: bool,
}

impl World {
    fn asleep(&self) -> bool {
        self.silent && !self.troubled
    }

    pub fn picks_up(&mut self, person: &PersonKey) -> Pickup {
        let Some(temper) = self.tempers.get(person).cloned().filter(|_| !self.asleep()) else {
            return Pickup::RingsOut;
        };
        if temper.answers == 0 {
            self.counters.count(Fault::NeverAnswered);
        }
        if self.chance.percent(temper.answers) {
            if temper.slow {
                self.counters.count(Fault::AnsweredLate);
                return Pickup::Answers(self.chance.seconds(18, 24));
            }
            return Pickup::Answers(self.chance.seconds(2, 15));
        }
        if self.chance.percent(temper.machine) {
            self.counters.count(Fault::Voicemail);
            return Pickup::Machine(self.chance.seconds(15, 24));
        }
        if self.chance.percent(30) {
            self.counters.count(Fault::Rejected);
            return Pickup::Rejects(self.chance.seconds(1, 10));
        }
        self.counters.count(Fault::RangOut);
        Pickup::RingsOut
    }

    /// Which key, if any; `None`: they hang up.
    pub fn presses(&mut self) -> Option<Option<char>> {
        Some(match self.chance.below(100) {
            0..64 => Some('4'),
            64..76 => Some('5'),
            76..84 => Some('9'),
            84..88 => Some('*'),
            88..93 => {
                self.counters.count(Fault::WrongKey);
                Some(*self.chance.pick(&['1', '#', '0', '7']))
            }
            93..97 => None,
            _ => return None,
        })
    }

    pub fn reads(&mut self, person: &PersonKey, attempt: &Attempt) -> Option<Reading> {
        let temper = self.tempers.get(person).cloned().filter(|_| !self.asleep())?;
        if !self.chance.percent(temper.writes) {
            return None;
        }
        let wait = if temper.slow { self.chance.seconds(60, 600) } else { self.chance.seconds(5, 60) };
        let code = attempt.reply_code.clone().unwrap_or_default();
        let (body, acts) = match self.chance.below(100) {
            0..45 => (format!("{code} 4"), true),
            45..60 => ("ACK".into(), true),
            60..66 => (format!("{code} 9"), false),
            66..70 => (format!("{code} resolve"), false),
            70..80 => {
                self.counters.count(Fault::Reaction);
                ("Liked \u{201c}a page\u{201d}".into(), false)
            }
            80..90 => {
                self.counters.count(Fault::WrongCode);
                ("99 4".into(), false)
            }
            90..93 => ("stop".into(), false),
            93..95 => ("start".into(), false),
            _ => ("who is this?".into(), false),
        };
        Some(Reading { wait, body, acts })
    }
}

impl Sim {
    /// Somebody who has an incident in hand works on it.
    pub async fn works(self, person: PersonKey, id: IncidentId) {
        let name = format!("{person} {id}");
        if !self.with(|world| world.at_work.insert(name)) {
            return;
        }
        let Some(temper) = self.with(|world| world.tempers.get(&person).cloned()) else { return };
        let by = Actor::Person(person.clone());
        if temper.calls_back {
            self.sleep(self.with(|world| world.chance.seconds(60, 2400))).await;
            let evidence = self.with(|world| {
                if world.chance.percent(50) {
                    Evidence::Attested { note: "spoke with them".into() }
                } else {
                    Evidence::Conversation { calls: vec![world.name("CA")], seconds: 95 }
                }
            });
            self.acts(&person, &id, Command::RecordResponse { by: by.clone(), evidence }).await;
        }
        let began = self.with(|world| world.now);
        let mends = began + TimeDelta::minutes(temper.mends_in);
        for round in 0..20 {
            let (now, due) = self.with(|world| {
                let due = incident(world, &id).and_then(Incident::window_due);
                (world.now, due)
            });
            let Some(due) = due.filter(|_| temper.updates != Updates::Never) else { break };
            let late = temper.updates == Updates::Late;
            let away = self.with(|world| world.chance.seconds(20, 600));
            let at = if late { due + away } else { due - away };
            if at >= mends {
                break;
            }
            if late {
                self.with(|world| world.counters.count(Fault::UpdateLate));
            }
            self.sleep((at - now).max(TimeDelta::seconds(30))).await;
            let text = format!("{person} is at it, round {round}");
            self.acts(&person, &id, Command::PostUpdate { by: by.clone(), text, customer_visible: true }).await;
            if !late {
                // The window is met; the next begins when it ends.
                self.sleep((due - self.with(|world| world.now)).max(TimeDelta::zero()) + TimeDelta::seconds(5)).await;
            }
        }
        if temper.updates == Updates::Never {
            self.with(|world| world.counters.count(Fault::UpdateNever));
        }
        if self.with(|world| world.chance.percent(15)) {
            self.acts(&person, &id, Command::WaitOnCustomer { by: by.clone(), reason: "the logs".into() }).await;
            self.sleep(self.with(|world| world.chance.seconds(60, 1800))).await;
            let text = "here they are".to_owned();
            let (sim, id) = (self.clone(), id.clone());
            let reply = move |tx: &mut super::transaction::Tx<'_>| {
                tx.execute(&id, &Command::CustomerReplies { text: text.clone() }).map(drop)
            };
            sim.insist(Origin::Customer, 3, reply).await;
        }
        let left = mends - self.with(|world| world.now);
        self.sleep(left.max(TimeDelta::seconds(10))).await;
        if self.with(|world| world.chance.percent(70)) {
            self.acts(&person, &id, Command::Resolve { by, note: "mended".into() }).await;
        }
    }

    /// A person does something through the API.
    async fn acts(&self, person: &PersonKey, id: &IncidentId, command: Command) {
        if self.with(|world| world.asleep()) {
            return;
        }
        self.say(|| format!("{person}: {command:?}"));
        let id = id.clone();
        self.insist(Origin::Human(person.clone()), 4, move |tx| tx.execute(&id, &command).map(drop)).await;
    }
}

fn incident<'a>(world: &'a World, id: &IncidentId) -> Option<&'a Incident> {
    world.tables.books.get(id).map(|book| &book.incident)
}
