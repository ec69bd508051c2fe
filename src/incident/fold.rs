//! Events into state: what an event means, and nothing else. Replaying the events of an incident gives its state.

use chrono::TimeDelta;

use super::{
    command::{Actor, Contact, Report},
    effect::Cause,
    event::{Event, Recorded},
    state::{Climb, Grid, Holder, Incident, Met, PageState, Phase, Response, Updates, Verdict, Waiting, Window},
};
use crate::{
    clock::Time,
    id::IncidentId,
    sla::{Priority, Promise},
};

/// How long an open incident may lie with nothing else due.
const REVIEW_EVERY: TimeDelta = TimeDelta::hours(24);

impl Incident {
    /// The state after these events; `None` when there are none, or they do not begin with the opening.
    pub fn replay<'a>(id: &IncidentId, events: impl IntoIterator<Item = &'a Recorded>) -> Option<Incident> {
        let mut incident = None;
        for recorded in events {
            match &mut incident {
                None => incident = Some(Incident::open(id, recorded)?),
                Some(incident) => incident.apply(recorded),
            }
        }
        incident
    }

    /// The state after the first event; `None` unless it is [`Event::Opened`].
    pub fn open(id: &IncidentId, first: &Recorded) -> Option<Incident> {
        let Event::Opened { report } = &first.event else { return None };
        let Report { reference, source, priority, customer, customer_name, zone, team, plan, title, detail, contact } =
            report.as_ref().clone();
        let mut incident = Incident {
            id: id.clone(),
            reference,
            seq: first.seq,
            phase: Phase::Open,
            opened_at: first.at,
            closed_at: None,
            source,
            priority,
            customer,
            customer_name,
            zone,
            team,
            plan,
            title,
            detail,
            contact,
            holder: None,
            responders: Vec::new(),
            commander: None,
            climb: Climb::default(),
            pages: Default::default(),
            response: Response::default(),
            updates: Updates::default(),
            waiting: None,
            review_at: first.at + REVIEW_EVERY,
        };
        incident.promise_from(first.at);
        Some(incident)
    }

    /// Takes in one more event.
    pub fn apply(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        self.seq = recorded.seq;
        self.review_at = at + REVIEW_EVERY;
        match &recorded.event {
            Event::Opened { .. } | Event::SignalRepeated { .. } | Event::CustomerEscalated { .. } => {}
            Event::LevelSkipped { .. } | Event::ReviewDue | Event::Escalated { .. } => {}
            Event::Amended { contact, title, detail } => self.amend(contact, title.as_deref(), detail.as_deref()),
            Event::LevelReached { level, cause, round, next_at, .. } => {
                // What began the climb stays its cause while it goes on for want of an answer.
                let begun = self.climb.cause.filter(|_| *cause == Cause::NotAcknowledged);
                self.climb = Climb {
                    level: Some(*level),
                    round: *round,
                    cause: Some(begun.unwrap_or(*cause)),
                    next_at: Some(*next_at),
                };
            }
            Event::LadderExhausted => self.climb.next_at = None,
            Event::Paged { page, person, level, cause } => {
                for open in self.pages.values_mut().filter(|open| open.person == *person) {
                    open.open = false;
                }
                let state =
                    PageState { person: person.clone(), level: *level, cause: *cause, at, open: true, exhausted: None };
                self.pages.insert(*page, state);
            }
            Event::PageExhausted { page, definite } => {
                if let Some(page) = self.pages.get_mut(page) {
                    page.exhausted = Some(*definite);
                }
            }
            Event::Acknowledged { by, lapses_after, .. } => self.take(by, *lapses_after, at),
            Event::PassedOn { by, .. } => {
                self.close_pages_of(by);
                if self.holder.as_ref().is_some_and(|holder| holder.who == *by) {
                    self.holder = None;
                }
            }
            Event::AcknowledgementLapsed { .. } => self.holder = None,
            Event::CallbackStarted { by } => self.act(by, at),
            Event::ResponseReminded { percent } => self.response.reminded = *percent,
            Event::Responded { by, evidence, late } => {
                self.act(by, at);
                self.settle(&[Cause::CallbackAtRisk, Cause::CallbackMissed]);
                self.response.met.get_or_insert(Met { at, by: by.clone(), evidence: evidence.clone(), late: *late });
            }
            Event::ResponseMissed { .. } => self.response.missed = true,
            Event::UpdateReminded { .. } => self.updates.reminded = true,
            Event::Updated { by, text, customer_visible, counts, .. } => {
                self.act(by, at);
                if *customer_visible {
                    self.updates.last_text = Some(text.clone());
                    self.updates.last_at = Some(at);
                }
                if *counts {
                    self.updates.met = true;
                    self.settle(&[Cause::UpdateDue, Cause::UpdateMissed]);
                }
            }
            Event::UpdateMet { window, due } => self.next_window(*window, *due, Verdict::Met),
            Event::UpdateMissed { window, due } => self.next_window(*window, *due, Verdict::Missed),
            Event::PriorityChanged { by, to, .. } => {
                self.act(by, at);
                self.change_priority(*to, at);
            }
            Event::ResponderAdded { person, .. } => self.add_responder(person.clone()),
            Event::CommanderAssigned { by, person } => {
                self.act(by, at);
                self.commander = Some(person.clone());
            }
            Event::WaitingOnCustomer { by, reason } => {
                self.act(by, at);
                self.waiting = Some(Waiting { since: at, by: by.clone(), reason: reason.clone() });
            }
            Event::Resumed { by } => {
                self.waiting = None;
                self.act(by, at);
            }
            Event::Resolved { .. } => self.close(Phase::Resolved, at),
            Event::Cancelled { .. } => self.close(Phase::Cancelled, at),
            Event::Reopened { .. } => {
                self.phase = Phase::Open;
                self.closed_at = None;
                self.promise_from(at);
            }
        }
    }

    fn amend(&mut self, contact: &Contact, title: Option<&str>, detail: Option<&str>) {
        if let Some(name) = &contact.name {
            self.contact.name = Some(name.clone());
        }
        if let Some(number) = &contact.number {
            self.contact.number = Some(number.clone());
        }
        if let Some(title) = title {
            self.title = title.into();
        }
        if let Some(detail) = detail {
            self.detail = detail.into();
        }
    }

    /// Somebody has it: nobody else need be reached.
    fn take(&mut self, by: &Actor, lapses_after: i64, at: Time) {
        if let Some(Actor::Person(before)) = self.holder.take().map(|holder| holder.who) {
            self.add_responder(before);
        }
        if let Actor::Person(person) = by {
            self.add_responder(person.clone());
        }
        self.holder = Some(Holder { who: by.clone(), since: at, last_act: at, lapses_after });
        self.climb.next_at = None;
        self.pages.values_mut().for_each(|page| page.open = false);
    }

    fn add_responder(&mut self, person: crate::id::PersonKey) {
        if !self.responders.contains(&person) {
            self.responders.push(person);
        }
    }

    /// Any human act shows that it is not forgotten.
    fn act(&mut self, by: &Actor, at: Time) {
        if let (Some(holder), Actor::Person(_) | Actor::Token(_)) = (&mut self.holder, by) {
            holder.last_act = at;
        }
    }

    /// What these pages asked for was done.
    fn settle(&mut self, causes: &[Cause]) {
        for page in self.pages.values_mut().filter(|page| causes.contains(&page.cause)) {
            page.open = false;
        }
        if self.holder.is_some() && self.climb.cause.is_some_and(|cause| causes.contains(&cause)) {
            self.climb.next_at = None;
            self.pages.values_mut().filter(|page| page.level.is_some()).for_each(|page| page.open = false);
        }
    }

    fn close_pages_of(&mut self, by: &Actor) {
        for page in self.pages.values_mut().filter(|page| Actor::Person(page.person.clone()) == *by) {
            page.open = false;
        }
    }

    /// Starts the promises of the present priority.
    fn promise_from(&mut self, at: Time) {
        let Promise { response, updates, remind_before, .. } = self.plan.promise(self.priority);
        self.response = Response { from: Some(at), due: response.map(|span| at + span.delta()), ..Response::default() };
        self.updates.window = self.updates.past.last().map_or(1, |last| last.number + 1);
        self.updates.grid = updates.filter(|span| span.delta() > TimeDelta::zero()).map(|span| Grid {
            anchor: at,
            first: self.updates.window,
            every_seconds: span.delta().num_seconds(),
            remind_before_seconds: remind_before.map_or(15 * 60, |span| span.delta().num_seconds()),
        });
        (self.updates.met, self.updates.reminded) = (false, false);
    }

    fn next_window(&mut self, number: u32, due: Time, verdict: Verdict) {
        self.updates.past.push(Window { number, due, verdict });
        self.updates.window = number + 1;
        (self.updates.met, self.updates.reminded) = (false, false);
    }

    /// The window that runs is over before its end: met if it was, otherwise nobody owes it any more.
    fn end_window_early(&mut self) {
        if let Some(grid) = self.updates.grid.take() {
            let number = self.updates.window;
            let verdict = if self.updates.met { Verdict::Met } else { Verdict::Waived };
            self.next_window(number, grid.due(number), verdict);
        }
    }

    fn change_priority(&mut self, to: Priority, at: Time) {
        let before = self.plan.promise(self.priority);
        self.priority = to;
        let promise = self.plan.promise(to);
        if promise.updates != before.updates {
            let kept = std::mem::take(&mut self.response);
            self.end_window_early();
            self.promise_from(at);
            self.response = kept;
        }
        // A conversation that was held, or missed, is not undone by a new priority.
        if promise.response != before.response && self.response.met.is_none() && !self.response.missed {
            self.response =
                Response { from: Some(at), due: promise.response.map(|span| at + span.delta()), ..Response::default() };
        }
        if !to.pages() {
            self.climb.next_at = None;
            self.pages.values_mut().for_each(|page| page.open = false);
        }
    }

    fn close(&mut self, phase: Phase, at: Time) {
        self.end_window_early();
        self.phase = phase;
        self.closed_at = Some(at);
        self.climb = Climb::default();
        self.holder = None;
        self.waiting = None;
        self.pages.values_mut().for_each(|page| page.open = false);
    }
}
