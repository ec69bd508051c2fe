//! The shell around the pure core, on the simulated database: what the service's own shell does with its real one, in
//! the same order, calling the same pure functions.

use std::{collections::BTreeSet, rc::Rc};

use chrono::TimeDelta;

use super::{
    Mutant,
    disk::{Book, Held, Row, Timer, Write},
    transaction::{Halt, Origin, Tx},
};
use crate::{
    carrier::{AnsweredBy, ErrorClass, Status},
    id::{AttemptId, CarrierKey, IncidentId, PageId, PersonKey},
    incident::{
        Actor, Command, Decision, Effect, Event, Evidence, Incident, Recorded, Refusal, Report, Via, World as Facts,
        agenda, decide, ledger,
    },
    intake::{dedup, signal::Signal},
    paging::{
        Attempt, Outcome, Stage,
        attempt::Said,
        draft,
        grammar::{self, Reply, Verb},
        meant::{Candidate, Meant, meant},
        progress::{self, Step},
        script::{Heard, Progress, ROUNDS, heard},
    },
    people::{Channel, E164},
};

/// How long a reply code is not given out again, and a closed incident's reference is left alone.
const REST: TimeDelta = TimeDelta::hours(48);

/// What the carriers' error codes mean: a phone that is off, and a number that refuses texts.
pub(super) const PHONE_OFF: &str = "30003";
pub(super) const REFUSES: &str = "21610";

/// What a carrier says of an attempt.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    pub carrier: CarrierKey,
    pub attempt: AttemptId,
    pub sid: String,
    pub channel: Channel,
    pub status: Option<Status>,
    pub answered_by: Option<AnsweredBy>,
    pub error_code: Option<String>,
}

/// One turn of a page's call.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub carrier: CarrierKey,
    pub attempt: AttemptId,
    pub sid: String,
    pub at: Progress,
    pub key: Option<char>,
    pub answered_by: Option<AnsweredBy>,
    /// How long the customer talked, on the turn after a call to them.
    pub bridged: Option<u32>,
}

/// What is said on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Document {
    HangUp,
    /// The page, and then a key is waited for.
    Ask(Progress),
    /// The customer is rung.
    Connect,
}

impl Tx<'_> {
    fn book(&mut self, id: &IncidentId) -> Result<Option<Rc<Book>>, Halt> {
        self.lock(Row::Book(id.clone()))?;
        Ok(self.world.tables.books.get(id).cloned())
    }

    /// One command of an incident: lock, decide, append, save, set the timer, insert the attempts.
    pub fn execute(&mut self, id: &IncidentId, command: &Command) -> Result<Incident, Halt> {
        let before = self.book(id)?;
        let config = self.config.clone();
        let facts = Facts { config: &config, overrides: &[] };
        let now = self.now;
        let known = before.as_ref().map(|book| &book.incident);
        let Decision { events, effects } = decide(known, id, command, facts, now).map_err(Halt::Refused)?;
        let was_closed = known.is_some_and(|incident| !incident.is_open());
        let (incident, mut lines, mut head) = match &before {
            Some(book) => {
                let head = book.events.last().map_or_else(|| ledger::genesis(id), |line| line.1);
                (Some(book.incident.clone()), book.events.clone(), head)
            }
            None => (None, Vec::new(), ledger::genesis(id)),
        };
        let mut incident = incident;
        let news = events.len();
        for mut event in events {
            if let Event::UpdateMissed { due, .. } | Event::ResponseMissed { due } = &mut event
                && self.world.is(Mutant::DueWhenNoticed)
            {
                *due = now;
            }
            let seq = incident.as_ref().map_or(0, |incident| incident.seq) + 1;
            let recorded = Recorded { seq, at: now, event };
            match &mut incident {
                Some(incident) => incident.apply(&recorded),
                None => incident = Incident::open(id, &recorded),
            }
            head = ledger::link(&head, &recorded, id).unwrap_or(head);
            lines.push(Rc::new((recorded, head)));
        }
        let Some(incident) = incident else { return Err(Halt::Refused(Refusal::Unknown)) };
        if was_closed && incident.is_open() && self.taken(&incident.reference, Some(id)) {
            return Err(Halt::Refused(Refusal::Invalid("another incident has the reference".into())));
        }
        let next = agenda::next(&incident).map(|(due_at, _)| Timer { due_at, wake_at: due_at });
        if news > 0 {
            let book = Book { incident: incident.clone(), events: lines };
            self.put(Write::Book(id.clone(), Some(Rc::new(book))))?;
            self.set_timer(id, next)?;
        } else if *command == Command::TimerFired {
            self.set_timer(id, next)?;
        }
        self.carry_out(&incident, &effects)?;
        Ok(incident)
    }

    fn carry_out(&mut self, incident: &Incident, effects: &[Effect]) -> Result<(), Halt> {
        let config = self.config.clone();
        for effect in effects {
            match effect {
                Effect::Page(page) => {
                    let mut codes = BTreeSet::new();
                    for attempt in self.world.tables.attempts.values() {
                        let theirs = attempt.person.as_ref() == Some(&page.person)
                            || page.steps.iter().any(|step| step.address == attempt.address);
                        if theirs && self.now - attempt.created_at < REST {
                            codes.extend(attempt.reply_code.clone());
                        }
                    }
                    let code = draft::reply_code(&PageId::of(&incident.id, page.number), &codes);
                    for attempt in draft::page(incident, page, code.as_deref(), None, &config, self.now) {
                        self.insert(attempt)?;
                    }
                }
                Effect::EndPages { pages } => {
                    for number in pages {
                        self.end_page(&PageId::of(&incident.id, *number))?;
                    }
                }
                Effect::TellCustomer { text } => {
                    if let Some(attempt) = draft::to_customer(incident, text, None, self.now) {
                        self.insert(attempt)?;
                    }
                }
                Effect::Tell { person, text } => {
                    let person = config.people.get(person);
                    if let Some(attempt) = person.and_then(|person| draft::to_person(incident, person, text, self.now))
                    {
                        self.insert(attempt)?;
                    }
                }
                Effect::Mail(_) => {}
            }
        }
        Ok(())
    }

    /// Nobody need be reached by this page any more: as the statements of the outbox say it.
    fn end_page(&mut self, page: &PageId) -> Result<(), Halt> {
        for row in self.world.tables.of_page(page) {
            let mut attempt = Attempt::clone(&row);
            match (attempt.stage, attempt.channel) {
                (Stage::Waiting, _) => {
                    attempt.cancelled = true;
                    attempt.end(Outcome::Cancelled, self.now);
                }
                (Stage::Sending | Stage::HangingUp, _) | (Stage::Sent, Channel::Sms) => attempt.cancelled = true,
                (Stage::Sent, Channel::Voice) => {
                    attempt.cancelled = true;
                    attempt.stage = Stage::HangingUp;
                    attempt.wake_at = Some(self.now);
                }
                (Stage::Over, _) => continue,
            }
            self.put(Write::Attempt(attempt.id.clone(), Some(Rc::new(attempt))))?;
        }
        Ok(())
    }

    /// Saves an attempt; one that ended just now moves its page on. False: somebody else claimed it.
    pub fn keep(&mut self, attempt: &Attempt, before: Option<Outcome>) -> Result<bool, Halt> {
        if !self.save(attempt)? {
            return Ok(false);
        }
        if attempt.outcome.is_none() || before.is_some() {
            return Ok(true);
        }
        if attempt.channel == Channel::Sms && attempt.error_code.as_deref() == Some(REFUSES) {
            self.put(Write::Refuses(format!("texts to {}", attempt.address.as_str()), Some(true)))?;
        }
        if attempt.is_page() {
            self.go_on(attempt)?;
        }
        Ok(true)
    }

    fn go_on(&mut self, attempt: &Attempt) -> Result<(), Halt> {
        let Some(page) = &attempt.page else { return Ok(()) };
        let all: Vec<Attempt> = self.world.tables.of_page(page).iter().map(|row| Attempt::clone(row)).collect();
        let config = self.config.clone();
        let person = attempt.person.as_ref().and_then(|key| config.people.get(key));
        let definite = match progress::step(&all, attempt, person, self.now) {
            Step::Wait => return Ok(()),
            Step::Hasten(id) => return self.hasten(&id),
            Step::Add(call) => return self.insert(*call),
            Step::Exhausted { definite } => definite,
        };
        let Some((incident, page)) = page.parts() else { return Ok(()) };
        match self.execute(&incident, &Command::PageExhausted { page, definite }) {
            Ok(_) | Err(Halt::Refused(_)) => Ok(()),
            Err(halt) => Err(halt),
        }
    }

    fn hasten(&mut self, id: &AttemptId) -> Result<(), Halt> {
        if let Some(mut attempt) = self.attempt(id)?
            && attempt.stage == Stage::Waiting
            && attempt.wake_at > Some(self.now)
        {
            attempt.wake_at = Some(self.now);
            self.put(Write::Attempt(id.clone(), Some(Rc::new(attempt))))?;
        }
        Ok(())
    }

    /// The attempt, after its incident: whoever acts on an incident locks in this order too.
    pub fn attempt_in_order(&mut self, id: &AttemptId) -> Result<Option<Attempt>, Halt> {
        if let Some(incident) = self.world.tables.attempts.get(id).and_then(|row| row.incident.clone()) {
            self.lock(Row::Book(incident))?;
        }
        self.attempt(id)
    }

    /// A carrier said what became of an attempt.
    pub fn receipt(&mut self, receipt: &Receipt) -> Result<(), Halt> {
        let Receipt { carrier, sid, status, answered_by, .. } = receipt;
        if !self.first(format!("receipt {carrier} {sid} {status:?} {answered_by:?}"))? {
            return Ok(());
        }
        let Some(mut attempt) =
            self.attempt_in_order(&receipt.attempt)?.filter(|attempt| attempt.channel == receipt.channel)
        else {
            return Ok(());
        };
        let before = attempt.outcome;
        let said = Said {
            carrier: carrier.clone(),
            sid: sid.clone(),
            status: *status,
            answered_by: *answered_by,
            error_code: receipt.error_code.clone(),
        };
        attempt.say(&said, self.now);
        if self.world.is(Mutant::StatusMovesDown) && attempt.sid.as_ref() == Some(sid) {
            attempt.status = status.or(attempt.status);
        }
        if before.is_none() && attempt.outcome == Some(Outcome::Unreachable) {
            let off = attempt.error_code.as_deref() == Some(PHONE_OFF);
            let meaning = off.then_some(ErrorClass::Transient { retry_after: None });
            if let Some(due) = progress::once_more_at(&attempt, meaning, self.now) {
                let again = self.world.tables.attempts.values().any(|other| attempt.same_again(other));
                if !again {
                    self.insert(draft::again(&attempt, due, self.now))?;
                }
            }
        }
        self.keep(&attempt, before).map(drop)
    }

    /// False: it was here before.
    fn first(&mut self, name: String) -> Result<bool, Halt> {
        self.lock(Row::Other(name.clone()))?;
        if self.world.tables.seen.contains(&name) {
            return Ok(false);
        }
        self.put(Write::Seen(name, Some(())))?;
        Ok(true)
    }

    /// A turn of a page's call.
    pub fn turn(&mut self, turn: &Turn) -> Result<Document, Halt> {
        let attempt = self.attempt_in_order(&turn.attempt)?;
        let Some(mut attempt) = attempt.filter(|attempt| attempt.channel == Channel::Voice) else {
            return Ok(Document::HangUp);
        };
        let before = attempt.outcome;
        let said = Said {
            carrier: turn.carrier.clone(),
            sid: turn.sid.clone(),
            status: Some(Status::InProgress),
            answered_by: None,
            error_code: None,
        };
        attempt.say(&said, self.now);
        let Some((id, number)) = attempt.page.as_ref().and_then(PageId::parts) else { return Ok(Document::HangUp) };
        let Some(book) = self.world.tables.books.get(&id).cloned() else { return Ok(Document::HangUp) };
        let mut over = |tx: &mut Self, outcome, reason: &str| {
            attempt.reason.get_or_insert(reason.into());
            attempt.end(outcome, tx.now);
            tx.keep(&attempt, before).map(|_| Document::HangUp)
        };
        let mut hears = heard(turn.answered_by, turn.key, turn.at);
        if hears == Heard::Machine && self.world.is(Mutant::VoicemailAnswers) {
            hears = Heard::Press('4');
        }
        if hears == Heard::Machine {
            return over(self, Outcome::NoHuman, "a machine picked up");
        }
        if let Some(seconds) = turn.bridged {
            self.keep(&attempt, before)?;
            return self.bridged(&attempt, &id, turn, seconds);
        }
        match hears {
            Heard::Press(key) => {
                attempt.answer(self.now);
                self.keep(&attempt, before)?;
                let done = self.execute(&id, &Command::KeyPress { page: number, key });
                return match done {
                    Ok(_) | Err(Halt::Refused(Refusal::AlreadyAcknowledged { .. })) if key == '5' => {
                        Ok(Document::Connect)
                    }
                    Ok(_) | Err(Halt::Refused(_)) => Ok(Document::HangUp),
                    Err(halt) => Err(halt),
                };
            }
            Heard::TooLong => return over(self, Outcome::NoHuman, "no key that acts was pressed"),
            Heard::Silence => return over(self, Outcome::NoHuman, "no key was pressed"),
            Heard::Machine | Heard::More => {}
        }
        let open = book.incident.pages.get(&number).map_or(book.incident.is_open(), |page| page.open);
        if !open && (book.incident.holder.is_some() || !book.incident.is_open()) {
            return over(self, Outcome::Cancelled, "somebody else has it");
        }
        self.keep(&attempt, before)?;
        let round = if turn.key == Some('*') { 2 } else { turn.at.round + u32::from(turn.key.is_none()) };
        Ok(Document::Ask(Progress { round, turns: turn.at.turns + 1 }))
    }

    fn bridged(&mut self, attempt: &Attempt, id: &IncidentId, turn: &Turn, seconds: u32) -> Result<Document, Halt> {
        let again = Document::Ask(Progress { round: ROUNDS + 1, turns: 2 });
        let Some(person) = attempt.person.clone() else { return Ok(Document::HangUp) };
        if seconds < crate::incident::command::CONVERSATION_SECONDS {
            return Ok(again);
        }
        let evidence = Evidence::Conversation { calls: vec![turn.sid.clone()], seconds };
        match self.execute(id, &Command::RecordResponse { by: Actor::Person(person), evidence }) {
            Ok(_) | Err(Halt::Refused(_)) => Ok(Document::HangUp),
            Err(halt) => Err(halt),
        }
    }

    /// One of our people wrote back. True: something was done for it.
    pub fn reply(&mut self, from: &E164, sid: &str, body: &str) -> Result<bool, Halt> {
        let config = self.config.clone();
        let Some(person) = config.people_at(from).next() else { return Ok(false) };
        if !self.first(format!("text {sid}"))? {
            return Ok(true);
        }
        let refuses = format!("texts to {}", from.as_str());
        let reply = grammar::parse(body);
        match reply {
            Reply::Start | Reply::Stop => {
                self.put(Write::Refuses(refuses, Some(reply == Reply::Stop)))?;
                if reply == Reply::Stop {
                    self.stop_texts(from)?;
                }
                return Ok(false);
            }
            _ => {}
        }
        let candidates = self.candidates(from, &person.key);
        let (page, number, id, verb) = match meant(reply, &candidates) {
            Meant::Act(candidate, verb) => {
                (candidate.page.clone(), candidate.number, candidate.incident.id.clone(), verb)
            }
            Meant::Nothing(..) => return Ok(false),
        };
        for row in self.world.tables.of_page(&page) {
            if row.channel == Channel::Sms && row.address == *from {
                let (mut attempt, before) = (Attempt::clone(&row), row.outcome);
                attempt.answer(self.now);
                self.keep(&attempt, before)?;
            }
        }
        let (by, via, page) = (Actor::Person(person.key.clone()), Via::Sms, Some(number));
        let command = match verb {
            Verb::Acknowledge => Command::Acknowledge { by, via, page },
            Verb::PassOn => Command::PassOn { by, via, page },
            Verb::Resolve => Command::Resolve { by, note: "resolved by text".into() },
        };
        match self.execute(&id, &command) {
            Ok(_) | Err(Halt::Refused(_)) => Ok(true),
            Err(halt) => Err(halt),
        }
    }

    fn stop_texts(&mut self, from: &E164) -> Result<(), Halt> {
        let open: Vec<AttemptId> = self
            .world
            .tables
            .attempts
            .values()
            .filter(|row| row.is_page() && row.channel == Channel::Sms && row.address == *from)
            .filter(|row| row.stage != Stage::Over)
            .map(|row| row.id.clone())
            .collect();
        for id in open {
            // Loaded one by one: ending one may change the others of its page.
            let Some(mut attempt) = self.attempt_in_order(&id)?.filter(|row| row.stage != Stage::Over) else {
                continue;
            };
            let before = attempt.outcome;
            attempt.reason = Some("refused texts (STOP)".into());
            attempt.end(Outcome::Unreachable, self.now);
            self.keep(&attempt, before)?;
        }
        Ok(())
    }

    /// Pages that a text of this person may mean, the newest first.
    fn candidates(&self, from: &E164, person: &PersonKey) -> Vec<Candidate> {
        let mut pages: Vec<Candidate> = Vec::new();
        for row in self.world.tables.attempts.values() {
            let theirs = row.is_page() && (row.address == *from || row.person.as_ref() == Some(person));
            let Some(page) = row.page.clone().filter(|_| theirs) else { continue };
            let better = row.channel == Channel::Sms && row.address == *from;
            let known = pages.iter().position(|candidate| candidate.page == page);
            let Some((id, number)) = page.parts() else { continue };
            let Some(book) = self.world.tables.books.get(&id) else { continue };
            let attempt = Attempt::clone(row);
            match known {
                Some(place) if better => pages[place].attempt = attempt,
                Some(_) => {}
                None => pages.push(Candidate { attempt, page, number, incident: book.incident.clone() }),
            }
        }
        pages.sort_by_key(|candidate| std::cmp::Reverse(candidate.attempt.created_at));
        pages
    }

    /// Whether an open incident has this reference, or one closed lately.
    fn taken(&self, reference: &str, but: Option<&IncidentId>) -> bool {
        self.world.tables.books.values().any(|book| {
            let incident = &book.incident;
            let lately = incident.closed_at.is_none_or(|at| self.now - at < REST);
            incident.reference == reference && Some(&incident.id) != but && lately
        })
    }

    pub fn free_reference(&mut self) -> String {
        loop {
            let reference = self.world.chance.between(1000, 9999).to_string();
            if !self.taken(&reference, None) {
                return reference;
            }
        }
    }

    /// A sender reports trouble, or the same again.
    pub fn trigger(&mut self, signal: &Signal, webhook: &str) -> Result<IncidentId, Halt> {
        let config = self.config.clone();
        let Some(integration) = config.integrations.values().find(|known| known.key.as_str() == "generic") else {
            return Err(Halt::Refused(Refusal::Unknown));
        };
        let key = format!("key {}", signal.dedup_key.as_deref().unwrap_or(webhook));
        self.lock(Row::Other(key.clone()))?;
        let held = self.world.tables.keys.get(&key).cloned();
        let seen = format!("webhook {webhook}");
        if let Some(held) = held.as_ref().filter(|_| self.world.tables.seen.contains(&seen)) {
            return Ok(held.incident.clone());
        }
        self.put(Write::Seen(seen, Some(())))?;
        let priority = dedup::priority(signal, integration);
        if let Some(held) = held {
            match self.execute(&held.incident, &Command::Signal { summary: signal.title.clone() }) {
                Ok(state) => {
                    if dedup::raises(priority, Some(held.reported), state.priority) {
                        let by = Actor::Integration(integration.key.clone());
                        let reason = "reported as worse".into();
                        match self.execute(&held.incident, &Command::SetPriority { by, priority, reason }) {
                            Ok(_) | Err(Halt::Refused(_)) => {}
                            Err(halt) => return Err(halt),
                        }
                    }
                    let reported = held.reported.min(priority);
                    let held = Held { incident: held.incident.clone(), reported };
                    let id = held.incident.clone();
                    self.put(Write::Key(key, Some(Rc::new(held))))?;
                    return Ok(id);
                }
                // Closed a moment ago: it is a new trouble.
                Err(Halt::Refused(_)) => {}
                Err(halt) => return Err(halt),
            }
        }
        let reference = self.free_reference();
        let report = dedup::report(signal, integration, &config, reference);
        let id = self.open(report)?;
        self.put(Write::Key(key, Some(Rc::new(Held { incident: id.clone(), reported: priority }))))?;
        Ok(id)
    }

    /// A new incident.
    pub fn open(&mut self, report: Report) -> Result<IncidentId, Halt> {
        let id: IncidentId = self.world.name("inc").into();
        self.execute(&id, &Command::Report(Box::new(report)))?;
        Ok(id)
    }

    /// A sender says that its trouble is over, or that somebody there looks at it.
    pub fn close_key(&mut self, key: &str, command: impl Fn(Actor) -> Command) -> Result<(), Halt> {
        let config = self.config.clone();
        let Some(held) = self.world.tables.keys.get(&format!("key {key}")).cloned() else { return Ok(()) };
        let by = config.integrations.values().next().map(|sender| Actor::Integration(sender.key.clone()));
        match self.execute(&held.incident, &command(by.unwrap_or(Actor::System))) {
            Ok(_) | Err(Halt::Refused(_)) => Ok(()),
            Err(halt) => Err(halt),
        }
    }
}

/// Whose doing a turn of a call is.
pub(super) fn origin_of(turn: &Turn, person: Option<PersonKey>) -> Origin {
    match person {
        Some(person) if turn.answered_by != Some(AnsweredBy::Machine) => Origin::Human(person),
        _ => Origin::Carrier,
    }
}
