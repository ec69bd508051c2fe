//! Tests of the pure core: tables for what people rely on, properties for what must hold whatever happens.

mod explain;
mod ledger;
mod properties;

mod lateness;
mod promises;
mod proof;

use chrono::TimeDelta;

use super::{
    agenda::{self, Due},
    command::*,
    decide::*,
    effect::{Cause, Effect},
    event::{Event, Recorded},
    state::{Incident, Phase, Verdict},
};
use crate::{
    clock::Time,
    config::{Config, Team},
    escalation::{Level, Policy, Target},
    id::{IncidentId, PersonKey},
    people::{Channel, ContactMethod, E164, NotificationRule, Person},
    sla::{Cadence, Plan, Priority, Promise, Zone},
    span::Span,
};

/// A team of four and a last resort, each a named person, so that no schedule is needed.
fn config() -> Config {
    let mut config = Config::default();
    for (index, key) in ["engineer", "lead", "manager", "executive", "founder"].into_iter().enumerate() {
        let address = E164::parse(&format!("+1201555010{index}")).unwrap();
        let rule = |channel| NotificationRule { channel, method: "mobile".into(), after: Span::default() };
        let person = Person {
            role: crate::access::Role::Responder,
            key: key.into(),
            name: key.to_uppercase(),
            zone: Zone::utc(),
            language: "en-US".into(),
            contact: vec![ContactMethod {
                name: "mobile".into(),
                address,
                channels: vec![Channel::Sms, Channel::Voice],
            }],
            rules: [(Priority::P1, vec![rule(Channel::Sms), rule(Channel::Voice)])].into(),
            mail: None,
        };
        config.people.insert(key.into(), person);
    }
    let level =
        |name: &str, minutes, target| Level { name: name.into(), after: Span::minutes(minutes), notify: vec![target] };
    let policy = Policy {
        key: "standard".into(),
        levels: vec![
            level("on-call", 0, Target::Person("engineer".into())),
            level("team lead", 5, Target::Lead),
            level("manager", 10, Target::Manager),
            level("executive", 15, Target::Executive),
        ],
        last_resort_after: Span::minutes(5),
        repeat: 1,
        ack_timeout: Span::minutes(60),
    };
    config.policies.insert("standard".into(), policy);
    let team = Team {
        key: "payments".into(),
        name: "Payments".into(),
        zone: Zone::utc(),
        schedule: "payments".into(),
        lead: Some("lead".into()),
        manager: Some("manager".into()),
        executive: Some("executive".into()),
        last_resort: vec!["founder".into()],
        policies: [(Priority::P1, "standard".into())].into(),
        mail: Vec::new(),
    };
    config.teams.insert("payments".into(), team);
    config
}

fn plan() -> Plan {
    let promise = Promise {
        title: "Business stopped".into(),
        response: Some(Span::minutes(30).into()),
        updates: Some(Cadence::every(Span::minutes(60), Span::minutes(15))),
        wakes: true,
        ..Promise::default()
    };
    let priorities = [(Priority::P1, promise.clone()), (Priority::P2, promise)].into();
    Plan { priorities, ..Plan::empty("standard".into(), "Standard") }
}

fn report(priority: Priority) -> Command {
    Command::Report(Box::new(Report {
        reference: "4821".into(),
        source: Source::Api { by: "test".into() },
        priority,
        customer: Some("acme".into()),
        customer_name: "Acme Bank".into(),
        zone: "America/New_York".parse().unwrap(),
        team: "payments".into(),
        plan: plan(),
        title: "Checkout down".into(),
        detail: String::new(),
        contact: Contact { name: Some("Ada".into()), number: Some("+12015550150".into()), mail: None },
        not_before: None,
    }))
}

/// An incident that lives in a test: commands go in, events and effects pile up.
struct Life {
    config: Config,
    now: Time,
    incident: Option<Incident>,
    events: Vec<Recorded>,
    effects: Vec<(Time, Effect)>,
}

impl Life {
    fn begin(config: Config) -> Life {
        Life { config, now: "2026-11-02T12:00:00Z".parse().unwrap(), incident: None, events: vec![], effects: vec![] }
    }

    fn opened(config: Config) -> Life {
        let mut life = Life::begin(config);
        life.run(report(Priority::P1)).unwrap();
        life
    }

    fn run(&mut self, command: Command) -> Result<(), Refusal> {
        let id = IncidentId::from("inc_test");
        let world = World { config: &self.config, overrides: &[] };
        let decision = decide(self.incident.as_ref(), &id, &command, world, self.now)?;
        for event in decision.events {
            let recorded = Recorded { seq: self.events.len() as u64 + 1, at: self.now, event };
            match &mut self.incident {
                Some(incident) => incident.apply(&recorded),
                None => self.incident = Incident::open(&id, &recorded),
            }
            self.events.push(recorded);
        }
        self.effects.extend(decision.effects.into_iter().map(|effect| (self.now, effect)));
        Ok(())
    }

    /// Lets time pass, firing the timer whenever it is due.
    fn wait(&mut self, minutes: i64) {
        let end = self.now + TimeDelta::minutes(minutes);
        while let Some((due, _)) = agenda::next(self.it()).filter(|(due, _)| *due <= end) {
            self.now = due.max(self.now);
            self.run(Command::TimerFired).unwrap();
        }
        self.now = end;
    }

    fn it(&self) -> &Incident {
        self.incident.as_ref().unwrap()
    }

    /// Whom, at which minute, and why.
    fn paged(&self) -> Vec<(i64, String, Cause)> {
        let start = self.events[0].at;
        let page = |(at, effect): &(Time, Effect)| match effect {
            Effect::Page(page) => Some(((*at - start).num_minutes(), page.person.to_string(), page.cause)),
            _ => None,
        };
        self.effects.iter().filter_map(page).collect()
    }

    fn who(&self) -> Vec<(i64, String)> {
        self.paged().into_iter().map(|(at, person, _)| (at, person)).collect()
    }

    fn has(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(|recorded| wanted(&recorded.event))
    }
}

fn person(key: &str) -> Actor {
    Actor::Person(key.into())
}

fn acknowledge(key: &str) -> Command {
    Command::Acknowledge { by: person(key), via: Via::Api, page: None }
}

fn update(text: &str) -> Command {
    Command::PostUpdate { by: person("engineer"), text: text.into(), customer_visible: true }
}

fn at(minutes: &[(i64, &str)]) -> Vec<(i64, String)> {
    minutes.iter().map(|(at, who)| (*at, who.to_string())).collect()
}

#[test]
fn nobody_answers_and_everybody_is_paged_in_turn_and_again() {
    let mut life = Life::opened(config());
    life.wait(29);
    let first_round =
        [(0, "engineer"), (5, "lead"), (10, "manager"), (15, "executive"), (20, "founder"), (25, "engineer")];
    assert_eq!(life.who(), at(&first_round));
}

#[test]
fn an_empty_level_is_skipped_at_once() {
    let mut config = config();
    config.teams.get_mut("payments").unwrap().lead = None;
    let mut life = Life::opened(config);
    life.wait(5);
    assert_eq!(life.who(), at(&[(0, "engineer"), (5, "manager")]));
    assert!(life.has(|event| matches!(event, Event::LevelSkipped { level: 1, .. })));
}

#[test]
fn the_last_resort_is_paged_at_once_when_every_level_is_empty() {
    let mut config = config();
    config.policies.get_mut("standard").unwrap().levels.iter_mut().for_each(|level| level.notify.clear());
    assert_eq!(Life::opened(config).who(), at(&[(0, "founder")]));
}

#[test]
fn a_team_that_left_the_files_still_has_a_last_resort() {
    let mut life = Life::opened(config());
    let mut other = life.config.teams.remove("payments").unwrap();
    other.key = "platform".into();
    life.config.teams.insert("platform".into(), other);
    life.wait(5);
    assert_eq!(life.who().last().unwrap().1, "founder");
}

#[test]
fn an_acknowledgement_stops_the_climb_and_ends_every_page() {
    let mut life = Life::opened(config());
    life.wait(6);
    life.run(acknowledge("lead")).unwrap();
    assert!(matches!(life.effects.last(), Some((_, Effect::EndPages { pages })) if pages == &[1, 2]));
    life.wait(8);
    assert_eq!(life.who(), at(&[(0, "engineer"), (5, "lead")]));
}

#[test]
fn the_second_of_two_who_acknowledge_is_told_who_was_first() {
    let mut life = Life::opened(config());
    life.wait(6);
    let first = life.now;
    life.run(acknowledge("lead")).unwrap();
    let refusal = life.run(Command::KeyPress { page: 1, key: '4' }).unwrap_err();
    assert_eq!(refusal, Refusal::AlreadyAcknowledged { by: person("lead"), at: first });
}

#[test]
fn what_a_caller_tells_twice_happened_once() {
    let mut life = Life::opened(config());
    let before = life.events.len();
    let told = |name: &str| Command::Amend {
        contact: Contact { name: Some(name.into()), number: Some("+12015550150".into()), mail: None },
        title: None,
        detail: Some(String::new()),
    };
    life.run(told("Ada")).unwrap();
    assert_eq!(life.events.len(), before);
    life.run(told("Ada Ito")).unwrap();
    life.run(told("Ada Ito")).unwrap();
    let contact = Contact { name: Some("Ada Ito".into()), ..Contact::default() };
    let news: Vec<&Event> = life.events[before..].iter().map(|recorded| &recorded.event).collect();
    assert_eq!(news, [&Event::Amended { contact, title: None, detail: None }]);
    assert_eq!(life.it().contact.number.as_deref(), Some("+12015550150"));
}

#[test]
fn a_page_that_met_only_machines_climbs_at_once_and_one_that_rang_out_does_not() {
    let mut life = Life::opened(config());
    life.now += TimeDelta::seconds(40);
    life.run(Command::PageExhausted { page: 1, definite: true }).unwrap();
    assert_eq!(life.who(), at(&[(0, "engineer"), (0, "lead")]));
    life.run(Command::PageExhausted { page: 2, definite: false }).unwrap();
    assert_eq!(life.paged().len(), 2);
}

#[test]
fn the_holder_is_reminded_of_the_callback_and_a_missed_one_raises_the_level() {
    let mut life = Life::opened(config());
    life.wait(2);
    life.run(acknowledge("engineer")).unwrap();
    life.wait(29);
    let expected = [
        (0, "engineer", Cause::Opened),
        (15, "engineer", Cause::CallbackAtRisk),
        (24, "engineer", Cause::CallbackAtRisk),
        (30, "lead", Cause::CallbackMissed),
    ];
    assert_eq!(life.paged(), expected.map(|(at, who, cause)| (at, who.to_string(), cause)));
}

#[test]
fn a_callback_is_met_only_by_a_conversation() {
    let mut life = Life::opened(config());
    life.run(acknowledge("engineer")).unwrap();
    let talk = |seconds| Command::RecordResponse {
        by: person("engineer"),
        evidence: Evidence::Conversation { calls: vec!["CA1".into()], seconds },
    };
    assert!(life.run(talk(29)).is_err());
    assert!(life.it().response.met.is_none());
    life.run(talk(30)).unwrap();
    life.wait(40);
    assert!(!life.has(|event| matches!(event, Event::ResponseMissed { .. })));
}

#[test]
fn a_late_callback_is_recorded_and_does_not_undo_the_missed_one() {
    let mut life = Life::opened(config());
    life.run(acknowledge("engineer")).unwrap();
    life.wait(31);
    let evidence = Evidence::Attested { note: "spoke with Ada".into() };
    life.run(Command::RecordResponse { by: person("engineer"), evidence }).unwrap();
    assert!(life.it().response.missed && life.it().response.met.as_ref().unwrap().late);
}

#[test]
fn an_update_meets_its_window_and_a_missed_one_raises_the_level_and_stays_missed() {
    let mut config = config();
    config.policies.get_mut("standard").unwrap().ack_timeout = Span::minutes(180);
    let mut life = Life::opened(config);
    life.run(acknowledge("engineer")).unwrap();
    let evidence = Evidence::Attested { note: "spoke with Ada".into() };
    life.run(Command::RecordResponse { by: person("engineer"), evidence }).unwrap();
    life.wait(50);
    life.run(update("We found the cause.")).unwrap();
    life.wait(130 - 50);
    let reminders: Vec<_> = life.paged().into_iter().filter(|page| page.2 == Cause::UpdateDue).collect();
    assert_eq!(reminders, [(45, "engineer".into(), Cause::UpdateDue), (105, "engineer".into(), Cause::UpdateDue)]);
    assert!(life.paged().contains(&(120, "lead".into(), Cause::UpdateMissed)));
    life.run(update("Fixed in part.")).unwrap();
    let verdicts: Vec<_> = life.it().updates.past.iter().map(|window| window.verdict).collect();
    assert_eq!(verdicts, [Verdict::Met, Verdict::Missed]);
    assert!(life.it().updates.met && life.it().climb.next_at.is_none());
}

#[test]
fn an_update_that_says_nothing_new_or_that_nobody_wrote_or_sees_does_not_count() {
    let mut life = Life::opened(config());
    life.run(update("Working on it.")).unwrap();
    life.wait(60);
    for (by, text, visible) in [
        (person("engineer"), "working on it", true),
        (Actor::Integration("bot".into()), "Still going", true),
        (person("engineer"), "Note to us", false),
    ] {
        life.run(Command::PostUpdate { by, text: text.into(), customer_visible: visible }).unwrap();
        assert!(!life.it().updates.met, "{text}");
    }
}

#[test]
fn acknowledged_and_forgotten_is_paged_again() {
    let mut config = config();
    config.policies.get_mut("standard").unwrap().ack_timeout = Span::minutes(20);
    let mut life = Life::opened(config);
    life.run(acknowledge("lead")).unwrap();
    life.wait(10);
    let evidence = Evidence::Attested { note: "spoke with Ada".into() };
    life.run(Command::RecordResponse { by: person("lead"), evidence }).unwrap();
    life.wait(25);
    let forgotten: Vec<_> = life.paged().into_iter().filter(|page| page.2 == Cause::Forgotten).collect();
    // Twenty minutes after the last act, not after the acknowledgement.
    assert_eq!(forgotten[..2], [(30, "engineer".into(), Cause::Forgotten), (30, "lead".into(), Cause::Forgotten)]);
}

#[test]
fn passing_on_pages_the_next_level_at_once() {
    let mut life = Life::opened(config());
    life.wait(1);
    life.run(Command::KeyPress { page: 1, key: '9' }).unwrap();
    assert_eq!(life.paged()[1], (1, "lead".into(), Cause::PassedOn));
}

#[test]
fn every_missed_window_of_a_down_time_is_recorded_with_its_due_instant_and_the_level_is_raised_once() {
    let mut life = Life::opened(config());
    life.run(acknowledge("engineer")).unwrap();
    let start = life.now;
    let pages = life.paged().len();
    life.now += TimeDelta::minutes(200);
    life.run(Command::TimerFired).unwrap();
    let missed: Vec<i64> = life
        .events
        .iter()
        .filter_map(|recorded| match recorded.event {
            Event::UpdateMissed { due, .. } => Some((due - start).num_minutes()),
            _ => None,
        })
        .collect();
    assert_eq!(missed, [60, 120, 180]);
    let ladder = life.paged()[pages..].iter().filter(|page| page.2 == Cause::UpdateMissed).count();
    assert_eq!(ladder, 1);
}

#[test]
fn p3_is_recorded_and_pages_nobody_until_it_is_raised() {
    let mut life = Life::begin(config());
    life.run(report(Priority::P3)).unwrap();
    life.wait(600);
    assert_eq!(life.paged(), []);
    life.run(Command::SetPriority { by: person("lead"), priority: Priority::P1, reason: "it spread".into() }).unwrap();
    assert_eq!(life.paged(), [(600, "engineer".into(), Cause::PriorityRaised)]);
    assert_eq!(life.it().response.due, Some(life.now + TimeDelta::minutes(30)));
}

#[test]
fn resolved_and_opened_again_it_promises_anew_and_keeps_its_history() {
    let mut life = Life::opened(config());
    life.run(acknowledge("engineer")).unwrap();
    life.wait(10);
    life.run(Command::Resolve { by: person("engineer"), note: "done".into() }).unwrap();
    assert_eq!(agenda::next(life.it()), None);
    life.wait(30);
    life.run(Command::Reopen { by: Actor::Customer, why: "still down".into() }).unwrap();
    assert_eq!(life.paged().last().unwrap(), &(40, "engineer".into(), Cause::Reopened));
    assert_eq!(life.it().updates.past.len(), 1);
    assert_eq!(life.it().window_due(), Some(life.now + TimeDelta::minutes(60)));
}

#[test]
fn things_due_at_one_instant_are_done_promises_first() {
    assert!(Due::WindowEnd { window: 1 } < Due::Climb && Due::Response < Due::Climb);
}

#[test]
fn whoever_answers_a_reminder_or_a_call_for_help_does_not_take_it_from_its_holder() {
    let mut life = Life::opened(config());
    life.run(acknowledge("engineer")).unwrap();
    let evidence = Evidence::Attested { note: "spoke with Ada".into() };
    life.run(Command::RecordResponse { by: person("engineer"), evidence }).unwrap();
    life.run(Command::AddResponder { by: person("engineer"), person: "manager".into() }).unwrap();
    life.run(Command::AssignCommander { by: person("engineer"), person: "lead".into() }).unwrap();
    life.wait(45);
    let asked: Vec<(u32, PersonKey)> =
        life.it().open_pages().map(|(number, page)| (number, page.person.clone())).collect();
    assert_eq!(asked.iter().map(|(_, who)| who.as_str()).collect::<Vec<_>>(), ["manager", "lead"]);
    for (page, who) in asked {
        life.run(Command::KeyPress { page, key: '4' }).unwrap();
        assert_eq!(life.it().holder.as_ref().unwrap().who, person("engineer"), "{who}");
        assert!(life.it().open_pages().all(|(_, open)| open.person != who));
    }
}
