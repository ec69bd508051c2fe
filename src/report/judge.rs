//! One incident judged for a report: its verdicts worked out again from its events. Pure.

use chrono::TimeDelta;

use super::{
    compliance::{IncidentLine, PromiseLine},
    downtime::Gap,
    period::Period,
};
use crate::{
    clock::Time,
    id::{CustomerKey, IncidentId, PersonKey, PlanKey},
    incident::{Actor, Event, Recorded, Report, ledger::reckon},
    people::Channel,
    sla::{Priority, Zone},
};

/// What a report is about.
#[derive(Clone, Debug)]
pub struct Scope {
    pub period: Period,
    /// Hours of the day are this zone's.
    pub zone: Zone,
    pub customer: Option<CustomerKey>,
    pub plan: Option<PlanKey>,
    pub as_of: Time,
    /// When the service did not run, oldest first.
    pub gaps: Vec<Gap>,
}

/// An incident's record.
#[derive(Clone, Debug)]
pub struct Case {
    pub id: IncidentId,
    /// From the first, in order.
    pub events: Vec<Recorded>,
    /// What carriers took of its pages, oldest first.
    pub sent: Vec<Sent>,
}

/// A text or call to one of our people that a carrier took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub person: Option<PersonKey>,
    pub channel: Channel,
    pub at: Time,
}

/// What an incident adds to a report.
#[derive(Clone, Debug)]
pub struct Judged {
    pub line: IncidentLine,
    /// The priority it was reported with.
    pub reported: Priority,
    /// From the report, or from when work began, to the first page, acknowledgement and response, as far as it came.
    pub first_attempt: Option<TimeDelta>,
    pub acknowledged: Option<TimeDelta>,
    pub responded: Option<TimeDelta>,
    /// Those made in the period.
    pub pages: Vec<Page>,
    /// Those sent in the period.
    pub sent: Vec<Sent>,
}

/// A page to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    number: u32,
    pub person: PersonKey,
    pub at: Time,
    pub acknowledged: bool,
}

impl Judged {
    /// Whether it has a line in the report.
    pub fn is_listed(&self) -> bool {
        listed(self.line.opened_in_period, &self.line.promises)
    }
}

/// What of one incident belongs to a period.
#[derive(Clone, Debug)]
pub struct Part {
    /// Whether it was opened in it.
    pub opened: bool,
    /// Those that were due in it, in that order.
    pub promises: Vec<PromiseLine>,
}

impl Part {
    /// From when it was opened, and all its promises.
    pub fn of(opened_at: Time, promises: impl IntoIterator<Item = PromiseLine>, period: &Period) -> Part {
        let promises = promises.into_iter().filter(|promise| period.has(promise.due)).collect();
        Part { opened: period.has(opened_at), promises }
    }

    /// Whether the incident has a line in a report of the period.
    pub fn is_listed(&self) -> bool {
        listed(self.opened, &self.promises)
    }
}

/// It was opened in the period, or a promise was due in it.
fn listed(opened: bool, promises: &[PromiseLine]) -> bool {
    opened || !promises.is_empty()
}

impl Scope {
    /// Whether it is about an incident of this customer, under this plan.
    pub fn wants(&self, customer: Option<&CustomerKey>, plan: &PlanKey) -> bool {
        let customer = self.customer.as_ref().is_none_or(|wanted| customer == Some(wanted));
        let key = plan.as_str();
        let plan = self.plan.as_ref().is_none_or(|wanted| {
            key == wanted.as_str() || key.split_once(':').is_some_and(|(plan, _)| plan == wanted.as_str())
        });
        customer && plan
    }
}

/// What the incident adds to the report; `None` when it is not one the report is about.
pub fn judge(case: Case, scope: &Scope) -> Option<Judged> {
    let Some((Recorded { at: opened_at, event: Event::Opened { report }, .. }, rest)) = case.events.split_first()
    else {
        return None;
    };
    if !scope.wants(report.customer.as_ref(), &report.plan.key) {
        return None;
    }
    let mut story = Story::begin(report, *opened_at);
    rest.iter().for_each(|recorded| story.take(recorded));
    let reckoning = reckon::reckon(&case.events, scope.as_of);
    let part = Part::of(*opened_at, reckoning.promises().into_iter().map(PromiseLine::from), &scope.period);
    let spans = story.spans(scope.as_of);
    let unavailable = spans.iter().flat_map(|(from, to)| scope.gaps.iter().filter_map(|gap| gap.within(*from, *to)));
    let line = IncidentLine {
        reference: report.reference.clone(),
        id: case.id.to_string(),
        title: story.title.into(),
        customer: report.customer.as_ref().map(ToString::to_string),
        customer_name: report.customer_name.clone(),
        plan: report.plan.key.to_string(),
        priority: story.priority,
        opened_at: *opened_at,
        opened_in_period: part.opened,
        closed_at: story.closed_at(),
        open_seconds: spans.iter().map(|(from, to)| (*to - *from).num_seconds()).sum(),
        promises: part.promises,
        unavailable: unavailable.collect(),
        contradictions: u64::try_from(reckoning.contradictions.len()).unwrap_or(u64::MAX),
    };
    let since = |at: Option<Time>| at.map(|at| (at - story.began).max(TimeDelta::zero()));
    Some(Judged {
        reported: report.priority,
        first_attempt: since(case.sent.iter().map(|sent| sent.at).min()),
        acknowledged: since(story.acknowledged),
        responded: since(story.responded),
        pages: story.pages.into_iter().filter(|page| scope.period.has(page.at)).collect(),
        sent: case.sent.into_iter().filter(|sent| scope.period.has(sent.at)).collect(),
        line,
    })
}

/// What is kept of an incident while its events are read.
struct Story<'a> {
    title: &'a str,
    priority: Priority,
    /// The report, or when what had waited began.
    began: Time,
    acknowledged: Option<Time>,
    responded: Option<Time>,
    /// When it was opened, and closed again; the last may be open.
    lives: Vec<(Time, Option<Time>)>,
    pages: Vec<Page>,
}

impl<'a> Story<'a> {
    fn begin(report: &'a Report, at: Time) -> Self {
        Story {
            title: &report.title,
            priority: report.priority,
            began: at,
            acknowledged: None,
            responded: None,
            lives: vec![(at, None)],
            pages: Vec::new(),
        }
    }

    fn take(&mut self, Recorded { at, event, .. }: &'a Recorded) {
        match event {
            Event::Amended { title: Some(title), .. } => self.title = title,
            Event::PriorityChanged { to, .. } => self.priority = *to,
            Event::Begun { due } if self.acknowledged.is_none() && self.responded.is_none() => self.began = *due,
            Event::Paged { page, person, .. } => {
                self.pages.push(Page { number: *page, person: person.clone(), at: *at, acknowledged: false })
            }
            Event::Acknowledged { by, page, .. } => {
                self.acknowledged.get_or_insert(*at);
                self.answered(by, *page);
            }
            Event::Responded { .. } => {
                self.responded.get_or_insert(*at);
            }
            Event::Resolved { .. } | Event::Cancelled { .. } | Event::ClosedIdle { .. } => {
                if let Some((_, end @ None)) = self.lives.last_mut() {
                    *end = Some(*at);
                }
            }
            Event::Reopened { .. } if self.closed_at().is_some() => self.lives.push((*at, None)),
            _ => {}
        }
    }

    /// The page that was meant; without a number, the last one to whoever acknowledged.
    fn answered(&mut self, by: &Actor, number: Option<u32>) {
        let page = self.pages.iter_mut().rev().find(|page| match (number, by) {
            (Some(number), _) => page.number == number,
            (None, Actor::Person(person)) => page.person == *person,
            (None, _) => false,
        });
        if let Some(page) = page {
            page.acknowledged = true;
        }
    }

    fn closed_at(&self) -> Option<Time> {
        self.lives.last().and_then(|(_, end)| *end)
    }

    /// When it was open.
    fn spans(&self, as_of: Time) -> Vec<(Time, Time)> {
        self.lives.iter().map(|(from, to)| (*from, to.unwrap_or(as_of.max(*from)))).collect()
    }
}
