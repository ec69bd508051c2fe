//! What our people write back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{
    Attempt, Outcome, Stage,
    grammar::{Reply, Verb, parse},
    meant::{Candidate, Meant, meant},
    message, receipt, store,
};
use crate::{
    carrier::{InboundSms, Unavailable},
    clock::Time,
    config::Config,
    id::{AttemptId, IncidentId, PageId, PersonKey},
    incident::{Actor, Command, Refusal, Via, door::DoorError, store as incidents},
    people::{Channel, E164, Person},
    server::App,
    store::Tx,
};

/// How many answers a number gets in an hour to texts that did nothing: two machines must not talk all night.
const PASSIVE_AN_HOUR: i64 = 5;

/// How many pages of one person are looked at.
const MOST_PAGES: usize = 30;

/// Somebody wrote to one of our numbers. `Some`: what to answer; unknown numbers are never answered.
pub async fn receive(app: &App, sms: InboundSms) -> Result<Option<String>, Unavailable> {
    let (config, now) = (app.config.load_full(), app.clock.now());
    let Ok(from) = E164::parse(&sms.from) else { return Ok(None) };
    let people: Vec<&Person> = config.people_at(&from).collect();
    let reply = parse(&sms.body);
    // Customers are written to as well: their STOP is kept like anybody's.
    if people.is_empty() && !matches!(reply, Reply::Stop | Reply::Start) {
        super::customer::receive(app, &from, &sms, &reply, now).await?;
        return Ok(None);
    }
    let mut tx = app.db.begin().await?;
    if let Some(answer) = store::known_reply(&mut tx, &sms.carrier, &sms.sid).await? {
        return Ok(answer);
    }
    let desk = Desk { app, config: &config, from: &from, people, now };
    let (verdict, mut answer) = desk.handle(&mut tx, reply).await?;
    if verdict != ACTED && answer.is_some() {
        let given = store::passive_replies(&mut tx, from.as_str(), now - TimeDelta::hours(1)).await?;
        answer = answer.filter(|_| given < PASSIVE_AN_HOUR);
    }
    let handled = store::Handled {
        carrier: &sms.carrier,
        sid: &sms.sid,
        address: from.as_str(),
        verdict,
        answer: answer.as_deref(),
    };
    store::keep_reply(&mut tx, handled, now).await?;
    tx.commit().await?;
    app.bell.ring();
    tracing::info!(%from, verdict, "a text was handled");
    Ok(answer)
}

const ACTED: &str = "acted";

/// One text, with what is known when it comes.
struct Desk<'a> {
    app: &'a App,
    config: &'a Config,
    from: &'a E164,
    /// Whose number it is; more than one share it rarely.
    people: Vec<&'a Person>,
    now: Time,
}

impl Desk<'_> {
    async fn handle(&self, tx: &mut Tx, reply: Reply) -> Result<(&'static str, Option<String>), Unavailable> {
        match reply {
            Reply::Reaction => return Ok(("reaction", None)),
            Reply::Start => return Ok((store::START, None)),
            Reply::Stop => {
                self.stop(tx).await?;
                return Ok((store::STOP, None));
            }
            _ => {}
        }
        let candidates = self.candidates(tx).await?;
        let (chosen, verb) = match meant(reply, &candidates) {
            Meant::Act(candidate, verb) => (candidate, verb),
            Meant::Nothing(verdict, answer) => return Ok((verdict, answer)),
        };
        let answer = self.act(tx, chosen, verb).await?;
        Ok((ACTED, Some(answer)))
    }

    /// Pages of the one who writes, the newest first, one for each page.
    async fn candidates(&self, tx: &mut Tx) -> Result<Vec<Candidate>, Unavailable> {
        let mut pages: BTreeMap<PageId, Attempt> = BTreeMap::new();
        for person in &self.people {
            for attempt in store::pages_at(tx, self.from, &person.key, self.now).await? {
                let Some(page) = attempt.page.clone() else { continue };
                // The text itself rather than the call beside it, to mark what was answered.
                let better = attempt.channel == Channel::Sms && attempt.address == *self.from;
                if better || !pages.contains_key(&page) {
                    pages.insert(page, attempt);
                }
            }
        }
        let mut newest: Vec<(PageId, Attempt)> = pages.into_iter().collect();
        newest.sort_by_key(|(_, attempt)| std::cmp::Reverse(attempt.created_at));
        let mut candidates = Vec::new();
        for (page, attempt) in newest.into_iter().take(MOST_PAGES) {
            let Some((id, number)) = page.parts() else { continue };
            if let Some(incident) = incidents::load(tx, &id).await? {
                candidates.push(Candidate { attempt, page, number, incident });
            }
        }
        Ok(candidates)
    }

    /// Who acts: the one who was paged, when it is their number.
    fn actor(&self, attempt: &Attempt) -> Option<&Person> {
        let paged = self.people.iter().find(|person| Some(&person.key) == attempt.person.as_ref());
        paged.or(self.people.first()).copied()
    }

    async fn act(&self, tx: &mut Tx, candidate: &Candidate, verb: Verb) -> Result<String, Unavailable> {
        let Some(person) = self.actor(&candidate.attempt) else { return Ok("No page is open for you.".into()) };
        // Before its attempts, as everybody locks them.
        incidents::lock(tx, &BTreeSet::from([candidate.incident.id.clone()])).await?;
        // First, so that ending the page leaves it answered.
        for attempt in store::of_page(tx, &candidate.page).await? {
            let Some(mut attempt) = store::load(tx, &attempt.id).await? else { continue };
            if attempt.channel == Channel::Sms && attempt.address == *self.from {
                let before = attempt.outcome;
                attempt.answer(self.now);
                receipt::keep(self.app, tx, &attempt, before, self.now).await?;
            }
        }
        let (by, via, page) = (Actor::Person(person.key.clone()), Via::Sms, Some(candidate.number));
        let command = match verb {
            Verb::Acknowledge => Command::Acknowledge { by, via, page },
            Verb::PassOn => Command::PassOn { by, via, page },
            Verb::Resolve => Command::Resolve { by, note: "resolved by text".into() },
        };
        let reference = &candidate.incident.reference;
        Ok(match self.app.door.execute_in(tx, &candidate.incident.id, command).await {
            Ok(incident) => match verb {
                Verb::Acknowledge => message::acknowledged(&incident, &person.key, self.config, &person.zone),
                Verb::PassOn => message::passed_on(&incident, Some(&person.key), self.config),
                Verb::Resolve => format!("{reference} is resolved."),
            },
            Err(DoorError::Refused(Refusal::AlreadyAcknowledged { by, .. })) if mine(&by, &person.key) => {
                message::yours(&candidate.incident, &person.zone)
            }
            Err(DoorError::Refused(refusal)) => message::refused(&refusal, reference, self.config, &person.zone),
            Err(DoorError::Database(error)) => return Err(error.into()),
        })
    }

    /// No more texts to this number: those that are open cannot be read, and the next method goes at once.
    async fn stop(&self, tx: &mut Tx) -> Result<(), Unavailable> {
        tracing::warn!(from = %self.from, "refused texts (STOP): this number is reached by voice only");
        let mut open: BTreeMap<AttemptId, Option<IncidentId>> = BTreeMap::new();
        for person in &self.people {
            let pages = store::pages_at(tx, self.from, &person.key, self.now).await?;
            let open_texts = pages.into_iter().filter(|attempt| self.is_open_text(attempt));
            open.extend(open_texts.map(|attempt| (attempt.id, attempt.incident)));
        }
        incidents::lock(tx, &open.values().flatten().cloned().collect()).await?;
        for id in open.keys() {
            // Loaded one by one: ending one may change the others of its page.
            let Some(mut attempt) = store::load(tx, id).await? else { continue };
            if self.is_open_text(&attempt) {
                let before = attempt.outcome;
                attempt.reason = Some("refused texts (STOP)".into());
                attempt.end(Outcome::Unreachable, self.now);
                receipt::keep(self.app, tx, &attempt, before, self.now).await?;
            }
        }
        Ok(())
    }

    fn is_open_text(&self, attempt: &Attempt) -> bool {
        attempt.channel == Channel::Sms && attempt.address == *self.from && attempt.stage != Stage::Over
    }
}

fn mine(by: &Actor, person: &PersonKey) -> bool {
    matches!(by, Actor::Person(key) if key == person)
}
