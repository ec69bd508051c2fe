//! Reports over made-up histories: tables for what people rely on, properties for what must hold whatever happened.

mod figures;
mod properties;
mod signed;
mod written;

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{
    compliance::Compliance,
    downtime::Gap,
    judge::{Case, Judged, Scope, Sent, judge},
    period::Period,
    tally::Tally,
};
use crate::{
    clock::Time,
    id::PersonKey,
    incident::{Actor, Cause, Contact, Event, Evidence, Recorded, Report, Source, Via},
    people::{Channel, Person},
    sla::{Cadence, Plan, Priority, Promise, Zone},
    span::Span,
};

/// A Wednesday in November, 03:00 in New York and 09:00 in Berlin; minutes are counted from here.
fn minute(minutes: i64) -> Time {
    "2026-11-18T08:00:00Z".parse::<Time>().unwrap() + TimeDelta::minutes(minutes)
}

fn ben() -> Actor {
    Actor::Person("ben".into())
}

/// A callback in 30 minutes, an update every hour, and P1's end in four hours.
fn plan(key: &str) -> Plan {
    let promise = Promise {
        title: "Business stopped".into(),
        response: Some(Span::minutes(30).into()),
        updates: Some(Cadence::every(Span::minutes(60), Span::minutes(15))),
        wakes: true,
        ..Promise::default()
    };
    let ends = Promise { resolution: Some(Span::minutes(240).into()), ..promise.clone() };
    Plan { priorities: [(Priority::P1, ends), (Priority::P2, promise)].into(), ..Plan::empty(key.into(), "Standard") }
}

fn opened(reference: &str, priority: Priority, plan: Plan) -> Event {
    Event::Opened {
        report: Box::new(Report {
            reference: reference.into(),
            source: Source::Api { by: "test".into() },
            priority,
            customer: Some("acme".into()),
            customer_name: "Acme Bank".into(),
            zone: "America/New_York".parse().unwrap(),
            team: "payments".into(),
            plan,
            title: "Card payments fail".into(),
            detail: String::new(),
            contact: Contact { name: None, number: Some("+12015550150".into()), mail: None },
            not_before: None,
        }),
    }
}

fn case(reference: &str, events: Vec<(i64, Event)>, sent: &[(i64, &str, Channel)]) -> Case {
    let events = (1..).zip(events).map(|(seq, (at, event))| Recorded { seq, at: minute(at), event });
    let sent = sent.iter().map(|(at, person, channel)| Sent {
        person: Some((*person).into()),
        channel: *channel,
        at: minute(*at),
    });
    Case { id: format!("inc_{reference}").into(), events: events.collect(), sent: sent.collect() }
}

fn paged(page: u32, person: &str) -> Event {
    Event::Paged { page, person: person.into(), level: Some(0), cause: Cause::Opened }
}

fn acknowledged(page: Option<u32>) -> Event {
    Event::Acknowledged { by: ben(), via: Via::Key, page, lapses_after: 3600 }
}

fn responded(late: bool) -> Event {
    Event::Responded { by: ben(), evidence: Evidence::Attested { note: "spoke".into() }, late }
}

fn updated(window: u32, text: &str) -> Event {
    Event::Updated {
        by: ben(),
        text: text.into(),
        customer_visible: true,
        window: Some(window),
        counts: true,
        why_not: None,
    }
}

fn resolved() -> Event {
    Event::Resolved { by: ben(), note: String::new() }
}

/// P1 4821: called back after 20 minutes, one update, one missed, resolved after 2 h 30. P2 4822: called back 12 minutes
/// late, resolved within the hour. The service was down for ten minutes meanwhile.
fn night() -> Vec<Case> {
    let first = case(
        "4821",
        vec![
            (0, opened("4821", Priority::P1, plan("gold:day"))),
            (0, paged(1, "ben")),
            (5, paged(2, "carla")),
            (6, acknowledged(Some(2))),
            (20, responded(false)),
            (40, updated(1, "We look into it.")),
            (60, Event::UpdateMet { window: 1, due: minute(60) }),
            (120, Event::UpdateMissed { window: 2, due: minute(120) }),
            (120, paged(3, "carla")),
            (150, resolved()),
        ],
        &[
            (0, "ben", Channel::Sms),
            (0, "ben", Channel::Voice),
            (5, "carla", Channel::Sms),
            (120, "carla", Channel::Voice),
        ],
    );
    let second = case(
        "4822",
        vec![
            (200, opened("4822", Priority::P2, plan("gold:night"))),
            (200, paged(1, "ben")),
            (202, acknowledged(None)),
            (230, Event::ResponseMissed { due: minute(230) }),
            (242, responded(true)),
            (250, resolved()),
        ],
        &[(201, "ben", Channel::Sms)],
    );
    vec![first, second]
}

fn scope(from: i64, to: i64) -> Scope {
    Scope {
        period: Period { from: minute(from), to: minute(to) },
        zone: "America/New_York".parse().unwrap(),
        customer: None,
        plan: None,
        as_of: minute(10_000),
        gaps: vec![Gap { from: minute(145), to: minute(155) }],
    }
}

fn people() -> BTreeMap<PersonKey, Person> {
    let person = |key: &str, name: &str, zone: &str| Person {
        role: crate::access::Role::Responder,
        key: key.into(),
        name: name.into(),
        zone: zone.parse().unwrap(),
        language: "en".into(),
        contact: Vec::new(),
        rules: BTreeMap::new(),
        mail: None,
    };
    let ben = person("ben", "Ben Okafor", "America/New_York");
    let carla = person("carla", "Carla Mendes", "Europe/Berlin");
    [("ben".into(), ben), ("carla".into(), carla)].into()
}

fn report(cases: Vec<Case>, scope: Scope) -> Compliance {
    let people = people();
    let mut tally = Tally::default();
    for judged in cases.into_iter().filter_map(|case| judge(case, &scope)) {
        tally.add(judged, &people, &scope.zone);
    }
    tally.finish(scope, &people, 0)
}

fn utc(scope: Scope) -> Scope {
    Scope { zone: Zone::utc(), ..scope }
}
