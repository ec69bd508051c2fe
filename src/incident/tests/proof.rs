//! The ledger's own arithmetic against what the core recorded, under plans of every kind.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{properties::any_command, *};
use crate::{
    incident::ledger::{
        reckon::{Kind, Promised, Reckoning, Verdict as Standing, reckon},
        verify::disagreement,
    },
    sla::{
        Anchor, Calendar, HolidaySet, Idle, Pausable, Rca, Term,
        calendar::{Opening, WEEK},
    },
};

/// Nine to five in New York, with Thanksgiving Day and a day after it that is short.
pub(super) fn office() -> Calendar {
    let thanksgiving = json!({"key": "us", "title": "US", "holidays": [
        {"name": "Thanksgiving Day", "day": "fourth Thursday of November"},
        {"name": "Christmas Day", "day": "December 25", "observed": {"saturday": "Fri", "sunday": "Mon"}},
    ]});
    let holidays: HolidaySet = serde_json::from_value(thanksgiving).unwrap();
    Calendar {
        key: "office".into(),
        title: "Working hours, New York".into(),
        zone: "America/New_York".parse().unwrap(),
        openings: vec![Opening { days: WEEK[..5].to_vec(), hours: "09:00-17:00".parse().unwrap() }],
        holidays: vec![Arc::new(holidays)],
        exceptions: [("2026-11-27".parse().unwrap(), vec!["09:00-13:00".parse().unwrap()])].into(),
        day: Span::minutes(8 * 60),
    }
}

/// Around the clock on weekdays, in UTC.
pub(super) fn weekdays() -> Calendar {
    let openings = vec![Opening { days: WEEK[..5].to_vec(), hours: "00:00-24:00".parse().unwrap() }];
    Calendar { key: "weekdays".into(), title: "Weekdays, UTC".into(), openings, ..Calendar::always() }
}

fn any_term() -> impl Strategy<Value = Term> {
    let amount = prop::sample::select(vec!["30m", "45m", "2h", "7h59m", "8h", "1bd", "3bd", "1bd30m"]);
    (amount, prop::sample::select(vec!["always", "office", "weekdays"]))
        .prop_map(|(amount, calendar)| Term::new(amount.parse::<crate::sla::Amount>().unwrap(), calendar))
}

fn any_promise() -> impl Strategy<Value = Promise> {
    let cadence = (any_term(), any::<bool>(), 0..40u32).prop_map(|(every, from_report, minutes)| Cadence {
        every,
        from: if from_report { Anchor::Report } else { Anchor::Response },
        remind_before: Span::minutes(minutes),
    });
    let rca =
        (prop::option::of(any_term()), prop::option::of(any_term())).prop_map(|(draft, last)| Rca { draft, last });
    let terms = (
        prop::option::weighted(0.8, any_term()),
        prop::option::weighted(0.7, cadence),
        prop::option::of(any_term()),
        prop::option::weighted(0.8, rca),
    );
    (terms, any::<[bool; 3]>(), prop::bool::weighted(0.2)).prop_map(
        |(terms, [wakes, office_hours, live], scheduled)| {
            let (response, updates, resolution, rca) = terms;
            Promise {
                title: "Any".into(),
                wakes,
                office_hours,
                live,
                scheduled,
                response,
                updates,
                resolution,
                rca,
                ..Promise::default()
            }
        },
    )
}

pub(super) fn any_plan() -> impl Strategy<Value = Plan> {
    let idle = (1..4u8, prop::option::of(any_term()), any_term(), 0..600u32).prop_map(
        |(requests, again_after, close_after, minutes)| Idle {
            requests,
            again_after,
            close_after,
            warn_before: Span::minutes(minutes),
        },
    );
    let clocks = vec![Pausable::Response, Pausable::Updates, Pausable::Resolution];
    (
        prop::collection::btree_map(prop::sample::select(Priority::ALL.to_vec()), any_promise(), 1..5),
        prop::option::of(idle),
        prop::sample::subsequence(clocks, 0..=3),
        prop::bool::weighted(0.8),
    )
        .prop_map(|(priorities, idle, pauses, rule_out)| {
            let pauses = pauses.into_iter().collect();
            let mut plan = Plan { priorities, idle, pauses, rule_out, ..Plan::empty("any".into(), "Any") };
            for calendar in [office(), weekdays()] {
                plan.calendars.insert(Arc::new(calendar));
            }
            plan
        })
}

/// A report under any plan, on the Friday before Thanksgiving or one of the days after, sometimes for later.
fn any_report() -> impl Strategy<Value = (Command, Time)> {
    let begin = (0..8 * 24 * 60i64).prop_map(|minutes| time("2026-11-20T14:00:00Z") + TimeDelta::minutes(minutes));
    let later = prop::option::of(-600..4000i64);
    (any_plan(), prop::sample::select(Priority::ALL.to_vec()), begin, later).prop_map(|(plan, priority, at, later)| {
        let Command::Report(mut told) = report(priority) else { unreachable!() };
        told.plan = plan;
        told.not_before = later.map(|minutes| at + TimeDelta::minutes(minutes));
        (Command::Report(told), at)
    })
}

/// Minutes between two commands: now and then none, or days.
fn any_wait() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0i64), 0..90i64, 0..600i64, prop::sample::select(vec![30, 45, 120, 480, 1440, 4320])]
}

fn any_step() -> impl Strategy<Value = (Command, i64, bool)> {
    let command = prop_oneof![6 => any_command(), 1 => Just(Command::CustomerReplies { text: "here".into() })];
    (command, any_wait(), prop::bool::weighted(0.7))
}

fn lived(report: Command, at: Time, steps: Vec<(Command, i64, bool)>) -> Life {
    let mut life = Life::begin(config());
    life.now = at;
    life.run(report).unwrap();
    for (command, minutes, watched) in steps {
        if watched {
            life.wait(minutes);
        } else {
            // The timer is late, or we were down.
            life.now += TimeDelta::minutes(minutes);
        }
        let _ = life.run(command);
    }
    life.run(Command::TimerFired).unwrap();
    life
}

pub(super) fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn contradictions(reckoning: &Reckoning) -> Vec<String> {
    reckoning.contradictions.iter().map(ToString::to_string).collect()
}

/// What an event says of a promise, changed; `None` where it says nothing.
fn lie(event: &Value) -> Option<Value> {
    let mut lie = event.clone();
    let later = |value: &Value| json!(value.as_str().unwrap().parse::<Time>().unwrap() + TimeDelta::seconds(1));
    match event["event"].as_str().unwrap() {
        "responded" | "rca_delivered" => lie["late"] = json!(!event["late"].as_bool().unwrap()),
        "updated" => lie["counts"] = json!(!event["counts"].as_bool().unwrap()),
        "customer_asked" => lie["request"] = json!(event["request"].as_u64().unwrap() + 1),
        "idle_warned" => lie["closes_at"] = later(&event["closes_at"]),
        "update_met" => lie["event"] = json!("update_missed"),
        "update_missed" => lie["event"] = json!("update_met"),
        _ if event["due"].is_string() => lie["due"] = later(&event["due"]),
        _ => return None,
    }
    Some(lie)
}

/// Whether it tells of a miss that nothing else at the very instant it was due could stand for.
fn is_miss(told: &[Value], place: usize) -> bool {
    let names = ["response_missed", "update_missed", "resolution_missed", "rca_missed"];
    let event = &told[place];
    let due = |event: &Value| event["due"].as_str().map(time);
    let same_instant = |later: &Value| {
        Some(time(later["at"].as_str().unwrap())) <= due(event)
            || (later["event"] == "closed_idle" && due(later) <= due(event))
    };
    names.contains(&event["event"].as_str().unwrap()) && !told[place + 1..].iter().any(same_instant)
}

/// P1: a callback in 30 minutes, updates every hour from the first conversation; all of it stands still while we wait.
fn pausing() -> Plan {
    let mut plan = plan();
    plan.pauses = [Pausable::Response, Pausable::Updates, Pausable::Resolution].into();
    plan.rule_out = true;
    let promise = plan.priorities.get_mut(&Priority::P1).unwrap();
    promise.updates = Some(Cadence { from: Anchor::Response, ..promise.updates.clone().unwrap() });
    let scheduled = Promise { scheduled: true, response: Some(Span::minutes(60).into()), ..Promise::default() };
    plan.priorities.insert(Priority::P6, scheduled);
    plan
}

fn reported(plan: Plan, priority: Priority, not_before: Option<Time>) -> Life {
    let mut life = Life::begin(config());
    let Command::Report(mut told) = report(priority) else { unreachable!() };
    (told.plan, told.not_before) = (plan, not_before);
    life.run(Command::Report(told)).unwrap();
    life
}

fn wait_on_customer() -> Command {
    Command::WaitOnCustomer { by: person("engineer"), reason: "the logs".into() }
}

fn spoken() -> Command {
    let evidence = Evidence::Attested { note: "spoke with Ada".into() };
    Command::RecordResponse { by: person("engineer"), evidence }
}

#[test]
fn nothing_is_promised_of_what_is_ruled_out_whatever_its_priority_and_whoever_talks() {
    let mut life = reported(pausing(), Priority::P1, None);
    life.run(Command::RuleOut { by: person("engineer"), note: "our side answers".into() }).unwrap();
    life.run(Command::SetPriority { by: person("engineer"), priority: Priority::P2, reason: "so".into() }).unwrap();
    assert_eq!((life.it().response.due, life.it().window_due()), (None, None));
    life.run(Command::SetPriority { by: person("engineer"), priority: Priority::P1, reason: "so".into() }).unwrap();
    life.run(spoken()).unwrap();
    assert_eq!(life.it().window_due(), None);
}

#[test]
fn what_was_missed_or_kept_before_we_waited_stays_due_when_it_was() {
    for missed in [true, false] {
        let mut life = reported(pausing(), Priority::P1, None);
        let due = life.it().response.due;
        if !missed {
            life.run(spoken()).unwrap();
        }
        life.wait(40);
        life.run(wait_on_customer()).unwrap();
        life.wait(40);
        life.run(Command::Resume { by: person("engineer") }).unwrap();
        assert_eq!(life.it().response.due, due);
        life.run(spoken()).unwrap();
        assert_eq!(life.it().response.met.as_ref().unwrap().late, missed);
    }
}

#[test]
fn a_conversation_while_its_clock_stands_still_is_in_time() {
    let mut life = reported(pausing(), Priority::P1, None);
    life.wait(20);
    life.run(wait_on_customer()).unwrap();
    life.wait(40);
    life.run(spoken()).unwrap();
    assert!(!life.it().response.met.as_ref().unwrap().late);
    let promises = reckon(&life.events, life.now).promises();
    assert_eq!((promises[0].verdict, promises[0].due), (Standing::Kept, life.now + TimeDelta::minutes(10)));
}

#[test]
fn waiting_before_a_scheduled_start_brings_nothing_forward() {
    let start = time("2026-11-03T12:00:00Z");
    let mut life = reported(pausing(), Priority::P6, Some(start));
    life.run(wait_on_customer()).unwrap();
    life.wait(30);
    life.run(Command::Resume { by: person("engineer") }).unwrap();
    assert_eq!(life.it().response.due, Some(start + TimeDelta::minutes(60)));
}

#[test]
fn all_promises_stand_in_one_list_in_the_order_in_which_they_are_due() {
    let mut plan = plan();
    let promise = plan.priorities.get_mut(&Priority::P1).unwrap();
    promise.resolution = Some(Span::minutes(90).into());
    promise.rca = Some(Rca { draft: Some(Span::minutes(60).into()), last: Some(Span::minutes(120).into()) });
    let mut life = reported(plan, Priority::P1, None);
    let opened = life.now;
    life.run(acknowledge("engineer")).unwrap();
    life.wait(20);
    life.run(spoken()).unwrap();
    life.wait(90);
    life.run(Command::Resolve { by: person("engineer"), note: String::new() }).unwrap();
    life.wait(70);
    let deliver = Command::DeliverRca { by: person("engineer"), stage: RcaStage::Final, text: "because".into() };
    life.run(deliver).unwrap();
    let minute = |at: Time| (at - opened).num_minutes();
    let listed: Vec<_> = reckon(&life.events, life.now)
        .promises()
        .into_iter()
        .map(|promised| {
            let Promised { kind, from, due, verdict, at, .. } = promised;
            (kind, minute(from), minute(due), verdict, at.map(minute))
        })
        .collect();
    assert_eq!(
        listed,
        [
            (Kind::Response, 0, 30, Standing::Kept, Some(20)),
            (Kind::Update(1), 0, 60, Standing::Missed, None),
            (Kind::Resolution, 0, 90, Standing::Late, Some(110)),
            (Kind::Update(2), 60, 120, Standing::Waived, Some(110)),
            (Kind::RcaDraft, 110, 170, Standing::Late, Some(180)),
            (Kind::RcaFinal, 110, 230, Standing::Kept, Some(180)),
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// And the state that the core acted on is the one that its events prove.
    #[test]
    fn whatever_happens_under_whatever_plan_the_ledger_agrees(
        (report, at) in any_report(),
        steps in prop::collection::vec(any_step(), 1..25),
    ) {
        let life = lived(report, at, steps);
        let reckoning = reckon(&life.events, life.now);
        prop_assert_eq!(contradictions(&reckoning), Vec::<String>::new());
        prop_assert_eq!(disagreement(life.it(), &reckoning), None);
        // Each verdict is what its instants say.
        for promise in reckoning.promises() {
            let Promised { from, due, verdict, at, .. } = promise;
            prop_assert!(from <= due, "{:?}", promise);
            match (verdict, at) {
                (Standing::Kept, Some(at)) => prop_assert!(at <= due, "{:?}", promise),
                (Standing::Late, Some(at)) => prop_assert!(at >= due, "{:?}", promise),
                (Standing::Waived, Some(_)) | (Standing::Missed | Standing::Open, None) => {}
                _ => prop_assert!(false, "{:?}", promise),
            }
        }
    }

    /// No verdict, due instant or count can be changed unnoticed, and no miss left out.
    #[test]
    fn whatever_is_said_otherwise_is_noticed(
        (report, at) in any_report(),
        steps in prop::collection::vec(any_step(), 1..25),
    ) {
        let life = lived(report, at, steps);
        let told: Vec<Value> = life.events.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
        let noticed = |events: &[Recorded]| !reckon(events, life.now + TimeDelta::minutes(2)).contradictions.is_empty();
        let lies: Vec<_> = told.iter().enumerate().filter_map(|(place, event)| Some((place, lie(event)?))).collect();
        for (place, lie) in lies.iter().step_by(1 + lies.len() / 12) {
            let mut events = life.events.clone();
            events[*place] = serde_json::from_value(lie.clone()).unwrap();
            prop_assert!(noticed(&events), "{}", lie);
        }
        let misses: Vec<_> = (0..told.len()).filter(|place| is_miss(&told, *place)).collect();
        for place in misses.iter().step_by(1 + misses.len() / 12) {
            let mut events = life.events.clone();
            events.remove(*place);
            prop_assert!(noticed(&events), "without {}", told[*place]);
        }
    }
}
