//! Promises other than the callback around the clock: office hours, ends, analyses, silence, and what is not ours.

use super::*;
use crate::{
    incident::{RcaStage, effect::Recipient, state::Deadline},
    sla::{Amount, Calendar, Higher, Idle, IntakeChannel, Pausable, Rca, Required, Term, calendar::Opening},
};

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// Nine to five in New York, eight hours a day.
fn office() -> Calendar {
    Calendar {
        key: "office".into(),
        title: "Office".into(),
        zone: "America/New_York".parse().unwrap(),
        openings: vec![Opening {
            days: crate::sla::calendar::WEEK[..5].to_vec(),
            hours: "09:00-17:00".parse().unwrap(),
        }],
        holidays: vec![],
        exceptions: Default::default(),
        day: Span::minutes(8 * 60),
    }
}

fn in_office(text: &str) -> Term {
    Term::new(amount(text), "office")
}

/// A plan with everything a plan may have, for P1; P3 woke nobody.
fn rich() -> Plan {
    let mut plan = Plan {
        idle: Some(Idle {
            requests: 2,
            again_after: Some(in_office("2bd")),
            close_after: in_office("5bd"),
            warn_before: Span::minutes(8 * 60),
        }),
        escalation: Some(vec![
            Higher { name: "Team lead".into(), target: Target::Lead, occurrence: false },
            Higher { name: "Manager".into(), target: Target::Manager, occurrence: true },
        ]),
        rule_out: true,
        call_link: Some("https://call.example.com/now".into()),
        ..plan()
    };
    plan.calendars.insert(std::sync::Arc::new(office()));
    let first = plan.priorities.get_mut(&Priority::P1).unwrap();
    first.channels = vec![IntakeChannel::Phone];
    first.requires = vec![Required::CallbackNumber, Required::ContactName];
    first.resolution = Some(Span::minutes(8 * 60).into());
    first.rca = Some(Rca { draft: Some(in_office("3bd")), last: Some(in_office("5bd")) });
    let quiet = Promise { response: Some(in_office("8h")), ..Promise::default() };
    plan.priorities.insert(Priority::P3, quiet);
    plan
}

/// Reported at `at` under a plan.
fn reported(plan: Plan, priority: Priority, at: &str) -> Life {
    let mut life = Life::begin(config());
    life.now = time(at);
    let Command::Report(mut told) = report(priority) else { unreachable!() };
    told.plan = plan;
    life.run(Command::Report(told)).unwrap();
    life
}

fn mails(life: &Life, wanted: &Recipient) -> usize {
    let to = |effect: &Effect| matches!(effect, Effect::Mail(mail) if mail.to == *wanted);
    life.effects.iter().filter(|(_, effect)| to(effect)).count()
}

/// The last text to the customer.
fn told(life: &Life) -> String {
    let text = |effect: &Effect| match effect {
        Effect::TellCustomer { text } => Some(text.clone()),
        _ => None,
    };
    life.effects.iter().rev().find_map(|(_, effect)| text(effect)).unwrap_or_default()
}

fn draft(life: &Life) -> Deadline {
    life.it().rca.unwrap().draft.unwrap()
}

#[test]
fn what_waits_for_the_office_wakes_nobody_and_pages_when_it_opens() {
    let mut plan = rich();
    let promise = plan.priorities.get_mut(&Priority::P1).unwrap();
    (promise.office_hours, promise.response, promise.updates, promise.resolution) =
        (true, Some(in_office("4h")), None, None);
    // Friday, 22:00 in New York.
    let mut life = reported(plan, Priority::P1, "2026-11-21T03:00:00Z");
    assert_eq!((life.paged().len(), mails(&life, &Recipient::Team)), (0, 1));
    assert_eq!(life.it().response.due, Some(time("2026-11-23T18:00:00Z")));
    life.wait(58 * 60 + 59);
    assert_eq!(life.paged().len(), 0);
    life.wait(1);
    assert_eq!(life.paged(), [(59 * 60, "engineer".to_string(), Cause::Begins)]);
    assert!(life.has(|event| *event == Event::Begun { due: time("2026-11-23T14:00:00Z") }));
}

#[test]
fn words_that_come_later_reach_the_team_that_was_not_woken() {
    let mut life = reported(rich(), Priority::P3, "2026-11-21T03:00:00Z");
    let words = Command::Amend { contact: Contact::default(), title: None, detail: Some("no reports".into()) };
    life.run(words).unwrap();
    assert_eq!(mails(&life, &Recipient::Team), 2);
}

#[test]
fn a_promise_that_wakes_nobody_pages_when_it_is_at_risk_and_climbs_when_it_is_missed() {
    // Monday, 09:00 in New York: eight hours end at 17:00.
    let mut life = reported(rich(), Priority::P3, "2026-11-23T14:00:00Z");
    life.wait(239);
    assert_eq!(life.paged().len(), 0);
    life.wait(481 - 239);
    let (half, most, end) = (240, 384, 480);
    let expected = [
        (half, "engineer".to_string(), Cause::CallbackAtRisk),
        (most, "engineer".to_string(), Cause::CallbackAtRisk),
        (end, "engineer".to_string(), Cause::CallbackMissed),
    ];
    assert_eq!(life.paged(), expected);
    life.wait(5);
    assert_eq!(life.paged().last().unwrap().1, "lead");
}

#[test]
fn work_that_the_customer_scheduled_is_promised_from_then() {
    let mut plan = rich();
    let promise = Promise { scheduled: true, response: Some(in_office("1bd")), ..Promise::default() };
    plan.priorities.insert(Priority::P6, promise);
    let mut life = Life::begin(config());
    life.now = time("2026-11-21T03:00:00Z");
    let Command::Report(mut told) = report(Priority::P6) else { unreachable!() };
    (told.plan, told.not_before) = (plan.clone(), Some(time("2026-12-02T15:00:00Z")));
    life.run(Command::Report(told)).unwrap();
    assert_eq!(life.it().response.due, Some(time("2026-12-03T15:00:00Z")));
    life.wait(24 * 60 * 12);
    let begun = life.paged().into_iter().find(|(_, _, cause)| *cause == Cause::Begins).unwrap();
    assert_eq!(life.events[0].at + TimeDelta::minutes(begun.0), time("2026-12-02T15:00:00Z"));

    let unscheduled = reported(plan, Priority::P6, "2026-11-21T03:00:00Z");
    assert_eq!(unscheduled.it().response.due, None);
}

#[test]
fn a_promised_end_that_is_missed_climbs() {
    let mut life = reported(rich(), Priority::P1, "2026-11-23T14:00:00Z");
    life.run(acknowledge("engineer")).unwrap();
    let mut minutes = 0;
    while !life.has(|event| matches!(event, Event::ResolutionMissed { .. })) {
        life.wait(50);
        minutes += 50;
        life.run(update(&format!("minute {minutes}"))).unwrap();
        assert!(minutes < 600);
    }
    assert!(life.has(|event| *event == Event::ResolutionMissed { due: time("2026-11-23T22:00:00Z") }));
    assert!(life.has(|event| matches!(event, Event::LevelReached { cause: Cause::ResolutionMissed, .. })));
    life.run(Command::Resolve { by: person("engineer"), note: String::new() }).unwrap();
    assert!(life.it().resolution.unwrap().missed);
}

#[test]
fn the_analysis_is_due_from_the_end_its_reminder_is_a_text_and_its_lateness_climbs() {
    let mut life = reported(rich(), Priority::P1, "2026-11-23T14:00:00Z");
    life.run(acknowledge("engineer")).unwrap();
    life.run(Command::Resolve { by: person("engineer"), note: "rolled back".into() }).unwrap();
    assert_eq!(draft(&life).due, time("2026-11-25T22:00:00Z"));
    let before = life.effects.len();
    life.wait(3 * 24 * 60);
    let pages = life.paged();
    assert!(pages.contains(&(3 * 24 * 60 - 16 * 60, "engineer".to_string(), Cause::RcaMissed)), "{pages:?}");
    assert!(life.has(|event| matches!(event, Event::RcaMissed { stage: RcaStage::Draft, .. })));
    let reminder = life.effects[before..].iter().find_map(|(_, effect)| match effect {
        Effect::Page(page) if page.cause == Cause::RcaDue => Some(page.clone()),
        _ => None,
    });
    let reminder = reminder.unwrap();
    assert!(reminder.person.as_str() == "engineer" && reminder.steps.iter().all(|step| step.channel == Channel::Sms));

    // Whoever answers the page takes it, although the incident is over.
    life.run(acknowledge("lead")).unwrap();
    assert!(life.it().climb.next_at.is_none() && life.it().open_pages().next().is_none());
    let deliver = |stage, text: &str| Command::DeliverRca { by: person("lead"), stage, text: text.into() };
    assert!(life.run(deliver(RcaStage::Draft, " ")).is_err());
    life.run(deliver(RcaStage::Draft, "# It was the disk")).unwrap();
    assert!(life.has(|event| matches!(event, Event::RcaDelivered { late: true, .. })));
    life.run(deliver(RcaStage::Final, "# It was the disk, and here is what we do")).unwrap();
    assert!(life.has(|event| matches!(event, Event::RcaDelivered { stage: RcaStage::Final, late: false, .. })));
    assert_eq!(agenda::next(life.it()), None);
    let attached = |(_, effect): &(Time, Effect)| matches!(effect, Effect::Mail(mail) if mail.attachment.is_some());
    assert_eq!(life.effects.iter().filter(|effect| attached(effect)).count(), 2);
}

#[test]
fn an_analysis_that_was_not_promised_is_refused() {
    let mut life = reported(rich(), Priority::P3, "2026-11-23T14:00:00Z");
    let deliver = Command::DeliverRca { by: person("lead"), stage: RcaStage::Draft, text: "because".into() };
    assert!(life.run(deliver.clone()).is_err());
    life.run(Command::Resolve { by: person("engineer"), note: String::new() }).unwrap();
    assert!(life.run(deliver).is_err());
    assert_eq!(agenda::next(life.it()), None);
}

#[test]
fn a_silent_customer_is_asked_twice_warned_and_then_it_is_closed_and_any_reply_opens_it() {
    let mut life = reported(rich(), Priority::P3, "2026-11-23T14:00:00Z");
    life.run(Command::RecordResponse {
        by: person("engineer"),
        evidence: Evidence::Attested { note: "spoke with Ada".into() },
    })
    .unwrap();
    let ask = |reason: &str| Command::WaitOnCustomer { by: person("engineer"), reason: reason.into() };
    assert!(life.run(ask(" ")).is_err());
    life.run(ask("the logs")).unwrap();
    assert!(told(&life).contains("the logs"), "{}", told(&life));
    let day = 24 * 60;
    // Two working days later, at the same time, again; then five more.
    life.wait(2 * day);
    assert!(life.has(|event| *event == Event::CustomerAsked { request: 2 }));
    assert_eq!(
        told(&life),
        "4821: we need to hear from you again: the logs. Without an answer it is closed Tue 1 Dec 17:00; any reply opens it again."
    );
    let closes = life.it().waiting.as_ref().unwrap().close_at.unwrap();
    life.now = closes - TimeDelta::minutes(1);
    life.run(Command::TimerFired).unwrap();
    assert!(life.has(|event| *event == Event::IdleWarned { closes_at: closes }));
    assert_eq!(life.it().phase, Phase::Open);
    life.wait(1);
    assert_eq!((life.it().phase, agenda::next(life.it())), (Phase::Idle, None));
    assert!(life.has(|event| *event == Event::ClosedIdle { due: closes }));

    let events = life.events.len();
    life.wait(day);
    life.run(Command::CustomerReplies { text: "here they are".into() }).unwrap();
    assert!(life.it().is_open() && life.events.len() > events && life.it().response.due.is_some());
}

#[test]
fn a_reply_ends_the_waiting() {
    let mut life = reported(rich(), Priority::P1, "2026-11-23T14:00:00Z");
    life.run(acknowledge("engineer")).unwrap();
    life.run(Command::WaitOnCustomer { by: person("engineer"), reason: "the logs".into() }).unwrap();
    life.run(Command::CustomerReplies { text: "here they are".into() }).unwrap();
    assert!(life.it().waiting.is_none());
    assert!(
        life.effects
            .iter()
            .any(|(_, effect)| matches!(effect, Effect::Tell { person, .. } if person.as_str() == "engineer"))
    );
}

#[test]
fn waiting_stops_only_the_clocks_that_the_plan_names() {
    let mut plan = rich();
    plan.pauses = [Pausable::Updates].into();
    let mut life = reported(plan, Priority::P1, "2026-11-23T14:00:00Z");
    life.run(acknowledge("engineer")).unwrap();
    life.wait(20);
    let (response, end) = (life.it().response.due, life.it().resolution.unwrap().due);
    life.run(Command::WaitOnCustomer { by: person("engineer"), reason: "the logs".into() }).unwrap();
    life.wait(180);
    assert!(!life.has(|event| matches!(event, Event::UpdateMissed { .. })));
    assert!(life.has(|event| Some(event) == response.map(|due| Event::ResponseMissed { due }).as_ref()));
    life.run(Command::Resume { by: person("engineer") }).unwrap();
    // Forty minutes of the window were left.
    assert_eq!(life.it().window_due(), Some(life.now + TimeDelta::minutes(40)));
    assert_eq!(life.it().resolution.unwrap().due, end);
}

#[test]
fn what_is_ruled_out_promises_nothing_until_the_customer_calls_again() {
    let mut life = reported(rich(), Priority::P1, "2026-11-23T14:00:00Z");
    life.run(acknowledge("engineer")).unwrap();
    life.wait(10);
    let rule_out = Command::RuleOut { by: person("engineer"), note: "our side answers".into() };
    life.run(rule_out.clone()).unwrap();
    assert!(life.run(rule_out).is_err());
    assert_eq!((life.it().response.due, life.it().window_due(), life.it().resolution), (None, None, None));
    assert_eq!(life.it().updates.past.last().unwrap().verdict, Verdict::Waived);
    let pages = life.paged().len();
    life.wait(3 * 24 * 60);
    assert_eq!(life.paged().len(), pages);

    life.run(Command::CustomerEscalates { why: "it is back".into(), level: None, occurred_at: None }).unwrap();
    assert_eq!(life.paged().last().unwrap().2, Cause::Reengaged);
    assert_eq!(life.it().response.due, Some(life.now + TimeDelta::minutes(30)));
    assert_eq!((life.it().updates.window, life.it().window_due()), (2, Some(life.now + TimeDelta::minutes(60))));
    assert!(told(&life).contains("call you back by"));
}

#[test]
fn a_plan_that_does_not_say_so_lets_nobody_leave() {
    let mut life = Life::opened(config());
    assert!(life.run(Command::RuleOut { by: person("engineer"), note: "not ours".into() }).is_err());
    assert!(life.run(Command::OfferCall { by: person("engineer") }).is_err());
}

#[test]
fn the_customer_asks_for_those_whom_the_plan_names() {
    let mut life = reported(rich(), Priority::P1, "2026-11-23T14:00:00Z");
    life.run(acknowledge("engineer")).unwrap();
    let ask = |level| Command::CustomerEscalates { why: "too slow".into(), level, occurred_at: None };
    life.run(ask(None)).unwrap();
    assert_eq!(life.paged().last().unwrap().1, "lead");
    life.run(acknowledge("lead")).unwrap();
    life.run(ask(None)).unwrap();
    assert_eq!(life.paged().last().unwrap().1, "manager");
    // For the manager, the plan asks when it happened; nobody makes that up.
    assert!(life.has(|event| {
        matches!(event, Event::CustomerEscalated { level: Some(1), occurred_at: None, offered: true, .. })
    }));
    assert!(life.has(|event| matches!(event, Event::TermsUnmet { what } if what.contains("at what time"))));
    // Nobody higher is named; the ladder still has somebody.
    life.run(ask(Some(7))).unwrap();
    assert_eq!(life.paged().last().unwrap().1, "executive");
}

#[test]
fn a_plan_without_anybody_higher_tells_whoever_has_it() {
    let mut life = reported(Plan { escalation: Some(vec![]), ..rich() }, Priority::P1, "2026-11-23T14:00:00Z");
    life.run(acknowledge("engineer")).unwrap();
    life.run(Command::CustomerEscalates { why: "too slow".into(), level: None, occurred_at: None }).unwrap();
    assert!(life.has(|event| matches!(event, Event::CustomerEscalated { offered: false, .. })));
    assert_eq!(life.paged().last().unwrap().1, "engineer");
    assert_eq!(life.it().climb.level, Some(0));
}

#[test]
fn a_caller_is_connected_live_only_where_the_plan_says_so() {
    let connected =
        || Command::RecordResponse { by: person("engineer"), evidence: Evidence::Connected { call: "CA1".into() } };
    assert!(Life::opened(config()).run(connected()).is_err());

    let mut plan = rich();
    let promise = plan.priorities.get_mut(&Priority::P1).unwrap();
    (promise.live, promise.response) = (true, Some(Span::seconds(60).into()));
    let mut life = reported(plan, Priority::P1, "2026-11-23T14:00:00Z");
    let steps = life.effects.iter().find_map(|(_, effect)| match effect {
        Effect::Page(page) => Some(page.steps.clone()),
        _ => None,
    });
    assert!(steps.unwrap().iter().all(|step| step.after_seconds == 0));
    life.now += TimeDelta::seconds(40);
    life.run(connected()).unwrap();
    assert!(!life.it().response.met.as_ref().unwrap().late);
}

#[test]
fn what_the_plan_asks_of_a_report_is_noted_and_stops_nothing() {
    let life = reported(rich(), Priority::P1, "2026-11-23T14:00:00Z");
    // By the API, though the plan wants a call.
    assert!(life.has(|event| matches!(event, Event::TermsUnmet { what } if what.contains("by phone"))));
    assert_eq!(life.paged().len(), 1);
}

#[test]
fn trouble_upstream_is_told_to_the_customer_and_to_subscribers() {
    let mut life = reported(rich(), Priority::P1, "2026-11-23T14:00:00Z");
    let note = |service: &str| Command::NoteUpstream {
        by: person("engineer"),
        service: service.into(),
        words: "slow in one region".into(),
    };
    assert!(life.run(note("")).is_err());
    life.run(note("Cloud storage")).unwrap();
    assert_eq!(mails(&life, &Recipient::Subscribers), 1);
    assert_eq!(told(&life), "4821: Cloud storage has trouble that may affect you: slow in one region");
}

/// P1 without updates or a promised end, so that nothing but the holder's silence is heard.
fn quiet(office_hours: bool) -> Plan {
    let mut plan = rich();
    let promise = plan.priorities.get_mut(&Priority::P1).unwrap();
    (promise.updates, promise.resolution, promise.office_hours) = (None, None, office_hours);
    promise.response = Some(in_office("3bd"));
    plan
}

#[test]
fn an_answer_that_took_the_customer_long_is_not_the_holders_silence() {
    let mut life = reported(quiet(false), Priority::P1, "2026-11-23T14:00:00Z");
    life.run(acknowledge("engineer")).unwrap();
    life.run(Command::WaitOnCustomer { by: person("engineer"), reason: "the logs".into() }).unwrap();
    life.wait(200);
    life.run(Command::CustomerReplies { text: "here they are".into() }).unwrap();
    life.wait(59);
    assert!(!life.has(|event| matches!(event, Event::AcknowledgementLapsed { .. })));
    life.wait(1);
    assert!(life.has(|event| matches!(event, Event::AcknowledgementLapsed { .. })));
}

#[test]
fn a_plan_that_waits_for_the_office_wakes_nobody_after_hours_either() {
    // Friday, 16:30 in New York.
    let mut life = reported(quiet(true), Priority::P1, "2026-11-20T21:30:00Z");
    life.run(acknowledge("engineer")).unwrap();
    let pages = life.paged().len();
    life.wait(64 * 60 + 29);
    assert_eq!(life.paged().len(), pages);
    life.wait(1);
    assert!(life.has(|event| matches!(event, Event::AcknowledgementLapsed { .. })));

    // And a climb that began before closing time goes on when it opens.
    let mut life = reported(quiet(true), Priority::P1, "2026-11-20T21:57:00Z");
    life.wait(60);
    assert_eq!(life.who(), at(&[(0, "engineer")]));
    life.wait(3 * 24 * 60);
    assert!(life.who().contains(&(64 * 60 + 3, "lead".to_string())), "{:?}", life.who());
}

#[test]
fn a_reply_to_what_was_ruled_out_engages_the_team_and_one_that_nobody_holds_pages() {
    let mut life = reported(rich(), Priority::P1, "2026-11-23T14:00:00Z");
    life.run(acknowledge("engineer")).unwrap();
    life.run(Command::RuleOut { by: person("engineer"), note: "our side answers".into() }).unwrap();
    life.run(Command::CustomerReplies { text: "it is you after all".into() }).unwrap();
    assert_eq!(life.paged().last().unwrap().2, Cause::Reengaged);
}

#[test]
fn a_customer_who_cannot_be_asked_is_not_closed_for_silence() {
    let mut life = Life::begin(config());
    let Command::Report(mut told) = report(Priority::P1) else { unreachable!() };
    (told.plan, told.contact) = (rich(), Contact::default());
    life.run(Command::Report(told)).unwrap();
    assert!(life.run(Command::WaitOnCustomer { by: person("engineer"), reason: "the logs".into() }).is_err());
}

#[test]
fn a_draft_does_not_silence_the_climb_for_a_final_that_is_late_too() {
    let mut life = reported(rich(), Priority::P1, "2026-11-23T14:00:00Z");
    life.run(acknowledge("engineer")).unwrap();
    life.run(Command::Resolve { by: person("engineer"), note: String::new() }).unwrap();
    life.now = life.it().rca.unwrap().last.unwrap().due;
    life.run(Command::TimerFired).unwrap();
    let deliver = |stage| Command::DeliverRca { by: person("lead"), stage, text: "because".into() };
    life.run(deliver(RcaStage::Draft)).unwrap();
    assert!(life.it().climb.next_at.is_some());
    life.run(deliver(RcaStage::Final)).unwrap();
    assert_eq!((life.it().climb.next_at, life.it().open_pages().count()), (None, 0));
}
