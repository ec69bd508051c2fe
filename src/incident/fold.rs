//! Events into state: what an event means, and nothing else. Replaying the events of an incident gives its state.

use chrono::TimeDelta;

use super::{
    command::{Actor, Contact, RcaStage, Report},
    effect::Cause,
    event::{Event, Recorded},
    state::{Climb, Deadline, Holder, Incident, Met, PageState, Phase, Response, RuledOut, Updates, Verdict, Waiting},
};
use crate::{clock::Time, id::IncidentId, sla::Anchor};

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
        let Report {
            reference,
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
            not_before,
        } = report.as_ref().clone();
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
            not_before,
            asked_levels: 0,
            pages: Default::default(),
            response: Response::default(),
            updates: Updates::default(),
            begins_at: None,
            resolution: None,
            rca: None,
            waiting: None,
            ruled_out: None,
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
            Event::Opened { .. } | Event::SignalRepeated { .. } | Event::TermsUnmet { .. } => {}
            Event::LevelSkipped { .. } | Event::ReviewDue | Event::Escalated { .. } => {}
            Event::CustomerEscalated { level, .. } => {
                self.asked_levels = level.map_or(self.asked_levels, |level| level + 1);
            }
            Event::CustomerReplied { .. } => self.resume(at),
            Event::Begun { .. } => self.begins_at = None,
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
            Event::PageAnswered { by, .. } => {
                self.close_pages_of(by);
                if let Actor::Person(person) = by {
                    self.add_responder(person.clone());
                }
                self.act(by, at);
            }
            Event::PassedOn { by, .. } => {
                self.close_pages_of(by);
                if self.holder.as_ref().is_some_and(|holder| holder.who == *by) {
                    self.holder = None;
                }
            }
            Event::AcknowledgementLapsed { .. } => self.holder = None,
            Event::CallbackStarted { by } => self.act(by, at),
            Event::ResponseReminded { percent } => self.response.reminders.retain(|(reminder, _)| reminder > percent),
            Event::Responded { by, evidence, late } => {
                self.act(by, at);
                self.settle(&[Cause::CallbackAtRisk, Cause::CallbackMissed]);
                if self.response.met.is_none() {
                    self.response.met = Some(Met { at, by: by.clone(), evidence: evidence.clone(), late: *late });
                    if self.updates.running.is_none() && self.is_open() && self.ruled_out.is_none() {
                        self.start_updates(&self.plan.promise(self.priority), Anchor::Response, at);
                    }
                }
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
                let before = self.waiting.take();
                self.waiting = Some(Waiting {
                    since: before.as_ref().map_or(at, |waiting| waiting.since),
                    by: by.clone(),
                    reason: reason.clone(),
                    requests: before.map_or(0, |waiting| waiting.requests).saturating_add(1),
                    again_at: None,
                    warn_at: None,
                    close_at: None,
                });
                self.schedule_closing(at);
            }
            Event::Resumed { by } => {
                self.resume(at);
                self.act(by, at);
            }
            Event::CustomerAsked { request } => {
                if let Some(waiting) = &mut self.waiting {
                    waiting.requests = *request;
                }
                self.schedule_closing(at);
            }
            Event::IdleWarned { .. } => {
                if let Some(waiting) = &mut self.waiting {
                    waiting.warn_at = None;
                }
            }
            Event::RuledOut { by, note } => {
                self.end_window_early();
                self.resolution = None;
                if self.response.met.is_none() && !self.response.missed {
                    self.response = Response::default();
                }
                (self.holder, self.waiting, self.begins_at) = (None, None, None);
                self.climb = Climb::default();
                self.stop_climbing();
                self.ruled_out = Some(RuledOut { at, by: by.clone(), note: note.clone() });
            }
            Event::Reengaged { .. } => {
                self.ruled_out = None;
                self.promise_from(at);
            }
            Event::UpstreamNoted { by, .. } | Event::CallOffered { by, .. } => self.act(by, at),
            Event::ResolutionReminded { .. } => {
                if let Some(resolution) = &mut self.resolution {
                    resolution.reminded = true;
                }
            }
            Event::ResolutionMissed { .. } => {
                if let Some(resolution) = &mut self.resolution {
                    resolution.missed = true;
                }
            }
            Event::RcaReminded { stage, .. } => self.rca_stage(*stage, |deadline| deadline.reminded = true),
            Event::RcaMissed { stage, .. } => self.rca_stage(*stage, |deadline| deadline.missed = true),
            Event::RcaDelivered { stage, .. } => {
                self.rca_stage(*stage, |deadline| deadline.met = deadline.met.or(Some(at)));
                if *stage == RcaStage::Final {
                    // Whoever has the final revision needs no draft.
                    self.rca_stage(RcaStage::Draft, |draft| draft.met = draft.met.or(Some(at)));
                }
                self.settle(&[Cause::RcaDue, Cause::RcaMissed]);
                if self.climb.cause == Some(Cause::RcaMissed) {
                    self.stop_climbing();
                }
            }
            Event::Resolved { .. } => {
                if let Some(resolution) = self.resolution.as_mut().filter(|resolution| resolution.met.is_none()) {
                    resolution.met = Some(at);
                }
                self.close(Phase::Resolved, at);
                self.promise_rca(at);
            }
            Event::ClosedIdle { .. } => self.close(Phase::Idle, at),
            Event::Cancelled { .. } => self.close(Phase::Cancelled, at),
            Event::Reopened { .. } => {
                self.phase = Phase::Open;
                (self.closed_at, self.rca) = (None, None);
                self.climb = Climb::default();
                self.stop_climbing();
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
        if let Some(mail) = &contact.mail {
            self.contact.mail = Some(mail.clone());
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
        self.begins_at = None;
        self.stop_climbing();
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

    fn rca_stage(&mut self, stage: RcaStage, change: impl FnOnce(&mut Deadline)) {
        if let Some(deadline) = self.rca.as_mut().and_then(|rca| rca.stage(stage)) {
            change(deadline);
        }
    }

    fn close_pages_of(&mut self, by: &Actor) {
        for page in self.pages.values_mut().filter(|page| Actor::Person(page.person.clone()) == *by) {
            page.open = false;
        }
    }

    /// Nobody need be reached any more.
    pub(super) fn stop_climbing(&mut self) {
        self.climb.next_at = None;
        self.pages.values_mut().for_each(|page| page.open = false);
    }

    fn close(&mut self, phase: Phase, at: Time) {
        self.end_window_early();
        self.phase = phase;
        self.closed_at = Some(at);
        self.climb = Climb::default();
        self.holder = None;
        self.waiting = None;
        self.ruled_out = None;
        self.begins_at = None;
        self.pages.values_mut().for_each(|page| page.open = false);
    }
}
