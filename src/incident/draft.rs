//! A decision in the making: the state as it will be, with what happened and what must be done so far.

use super::{
    decide::{Decision, World},
    effect::{Attachment, Cause, Effect, Mail, Page, Recipient},
    event::{Event, Recorded},
    state::Incident,
    words,
};
use crate::{clock::Time, escalation::Ladder, id::PersonKey, paging::rules, people::Channel};

/// A decision in the making.
pub(super) struct Draft<'a> {
    pub incident: Incident,
    pub world: World<'a>,
    pub now: Time,
    decision: Decision,
}

impl<'a> Draft<'a> {
    pub fn new(incident: Incident, world: World<'a>, now: Time) -> Self {
        Draft { incident, world, now, decision: Decision::default() }
    }

    /// Begins with the opening, which the incident has already taken in.
    pub fn opened(incident: Incident, event: Event, world: World<'a>, now: Time) -> Self {
        let mut draft = Draft::new(incident, world, now);
        draft.decision.events.push(event);
        draft
    }

    pub fn into_decision(self) -> Decision {
        self.decision
    }

    /// It happened: the state follows at once.
    pub fn record(&mut self, event: Event) {
        let recorded = Recorded { seq: self.incident.seq + 1, at: self.now, event };
        self.incident.apply(&recorded);
        self.decision.events.push(recorded.event);
    }

    /// Records an event, and ends the pages that it settles.
    pub fn record_settling(&mut self, event: Event) {
        let before: Vec<u32> = self.incident.open_pages().map(|(number, _)| number).collect();
        self.record(event);
        let ended = before.into_iter().filter(|number| !self.incident.pages[number].open).collect();
        self.end_pages(ended);
    }

    fn end_pages(&mut self, pages: Vec<u32>) {
        if !pages.is_empty() {
            self.decision.effects.push(Effect::EndPages { pages });
        }
    }

    pub fn ladder(&self) -> Ladder<'a> {
        Ladder::of(self.world.config, &self.incident.team, self.incident.priority)
    }

    /// Pages everybody on this level, or on the next above it where somebody stands. The last resort is always
    /// paged; after it the next round begins, as often as the policy repeats.
    pub fn climb_to(&mut self, level: usize, round: u8, cause: Cause) {
        let ladder = self.ladder();
        for level in level..=ladder.last_resort() {
            let rung = ladder.rung(level, self.world, self.now);
            if rung.people.is_empty() {
                self.record(Event::LevelSkipped { level, name: rung.name });
                continue;
            }
            let next_at = self.now + ladder.patience(level);
            self.record(Event::LevelReached { level, name: rung.name, cause, round, next_at });
            for person in rung.people {
                self.page(person, Some(level), cause);
            }
            return;
        }
        // Nobody in any file can be reached: the auditor and the health check say so.
        self.record(Event::LadderExhausted);
    }

    /// One level up. Above the last resort the ladder is climbed again while rounds are left.
    pub fn raise(&mut self, cause: Cause) {
        let (last, repeat) = (self.ladder().last_resort(), self.ladder().repeat());
        let (level, round) = (self.incident.climb.level, self.incident.climb.round);
        match level {
            None => self.climb_to(0, 0, cause),
            Some(level) if level < last => self.climb_to(level + 1, round, cause),
            Some(_) if cause != Cause::NotAcknowledged && self.incident.holder.is_some() => {
                self.climb_to(last, round, cause)
            }
            Some(_) if round < repeat => self.climb_to(0, round + 1, cause),
            Some(_) if cause != Cause::NotAcknowledged => self.climb_to(0, 0, cause),
            Some(_) => self.record(Event::LadderExhausted),
        }
    }

    /// Pages one person; an earlier page to the same person ends, so that one phone rings for one reason.
    pub fn page(&mut self, person: PersonKey, level: Option<usize>, cause: Cause) {
        let Some(known) = self.world.config.people.get(&person) else { return };
        let live = self.incident.plan.promise(self.incident.priority).live && level.is_some();
        let mut steps = if live { rules::at_once(known) } else { rules::steps(known, self.incident.priority) };
        let gentle = matches!(cause, Cause::UpdateDue | Cause::ResolutionDue | Cause::RcaDue);
        if gentle && steps.iter().any(|step| step.channel == Channel::Sms) {
            // A reminder of what comes back every hour, or can wait for the morning, is a text and not a call.
            steps.retain(|step| step.channel == Channel::Sms);
        }
        let page = self.incident.pages.keys().next_back().map_or(1, |last| last + 1);
        self.record_settling(Event::Paged { page, person: person.clone(), level, cause });
        self.decision.effects.push(Effect::Page(Page { number: page, person, cause, steps }));
    }

    /// By text and by mail, as far as there is a number and an address.
    pub fn tell_customer(&mut self, text: String) {
        self.tell_customer_at_length(text, "");
    }

    /// The same, and in the mail more than a text can hold.
    pub fn tell_customer_at_length(&mut self, text: String, more: &str) {
        self.mail(Recipient::Customer, [&text, more].concat(), None);
        if self.incident.contact.number.is_some() {
            self.decision.effects.push(Effect::TellCustomer { text });
        }
    }

    /// Whether there is any way to ask the customer something.
    pub fn reaches_customer(&self) -> bool {
        let Incident { contact, customer, .. } = &self.incident;
        let known = customer.as_ref().and_then(|key| self.world.config.customers.get(key));
        contact.number.is_some() || contact.mail.is_some() || known.is_some_and(|known| !known.mail.is_empty())
    }

    /// The team, where nobody is woken: what was reported, and what is promised.
    pub fn mail_team(&mut self) {
        let body = words::for_the_team(&self.incident, self.now);
        self.mail(Recipient::Team, body, None);
    }

    pub fn mail(&mut self, to: Recipient, body: String, attachment: Option<Attachment>) {
        let subject = words::subject(&self.incident);
        self.decision.effects.push(Effect::Mail(Mail { to, subject, body, attachment }));
    }

    /// Those on the lowest level where somebody stands, without climbing.
    pub fn page_first_level(&mut self, cause: Cause) {
        let ladder = self.ladder();
        let people = (0..=ladder.last_resort())
            .map(|level| ladder.rung(level, self.world, self.now).people)
            .find(|people| !people.is_empty());
        for person in people.unwrap_or_default() {
            self.page(person, None, cause);
        }
    }

    pub fn tell(&mut self, person: &PersonKey, text: String) {
        self.decision.effects.push(Effect::Tell { person: person.clone(), text });
    }
}
