//! What a plan changes of a call: an engineer at once, whom to ask for, closed hours, its own priorities.

use std::sync::Arc;

use insta::assert_snapshot;

use super::*;
use crate::{
    incident::{Actor, Evidence},
    intake::phone::{
        call::Step,
        live::{self, Claim, Taken},
    },
    sla::{
        Calendar, Calendars, Term,
        calendar::{Hours, Opening},
    },
};

/// Acme's line under a plan.
fn under(caller: &str, change: impl FnOnce(&mut Plan)) -> Line {
    let mut line = Line::from(caller);
    let plan = &mut line.config.customers.get_mut("acme").unwrap().plan;
    change(plan);
    line.config.plans.insert(plan.key.clone(), plan.clone());
    line
}

/// P1 is connected at once.
fn at_once(caller: &str) -> Line {
    under(caller, |plan| {
        let promise = plan.priorities.get_mut(&Priority::P1).unwrap();
        (promise.live, promise.response) = (true, Some(Span::seconds(60).into()));
    })
}

fn ben(line: &Line, seconds: i64) -> Taken {
    let at = line.call.started_at + TimeDelta::seconds(seconds);
    Taken { attempt: "att_1".into(), person: "ben".into(), call: "CA-ben".into(), at }
}

#[test]
fn a_caller_with_a_live_plan_waits_on_the_line_as_soon_as_the_priority_is_known() {
    let line = at_once(ACME).ring().press("1");
    let [Verb::Say { .. }, Verb::Say { .. }, Verb::Enqueue { queue, .. }] = &line.document().verbs[..] else {
        panic!("{:?}", line.document());
    };
    assert_eq!(queue, "inc_new");
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 1
    ! opens P1 "Business stopped, told by phone" for Acme with payments, +442079460958 to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. Please stay on the line. We connect you with an engineer.
    "#);
}

#[test]
fn a_hidden_caller_is_asked_for_a_number_once_and_waits() {
    let line = at_once("anonymous").ring().press("#").press("1").press("2015550123#");
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If you have a support PIN, key it in, then press the hash or pound key. If not, just press that key.
    > #
    If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 1
    ! opens P1 "Business stopped, told by phone" for Unknown caller with core, nobody to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. Which number may we call? Key it in with its area code, then press the hash or pound key.
    > 2015550123#
    ! adds: number +12015550123, By phone; the caller is not known and not verified. / The number was keyed in, and not read back: the caller was to be connected.
    Please stay on the line. We connect you with an engineer.
    "#);
    let line = at_once("anonymous").ring().press("#").press("1").silence();
    assert!(matches!(line.call.current(), Some((_, Step::Wait))));
}

#[test]
fn the_connection_is_the_response_and_the_talk_is_recorded_when_the_caller_goes_on() {
    let mut line = at_once(ACME).ring().press("1");
    let taken = ben(&line, 110);
    assert_eq!(live::claim(&mut line.call, taken), Claim::Join);
    let connected = live::connected(line.call.clone(), line.call.started_at + TimeDelta::seconds(60));
    let [Doing::Add(Command::RecordResponse { by: Actor::Person(by), evidence: Evidence::Connected { call } })] =
        &connected.doings[..]
    else {
        panic!("{:?}", connected.doings);
    };
    assert_eq!((by.as_str(), call.as_str()), ("ben", "CA1"));
    line.call = connected.call;
    line.own = line.call.answers.incident.clone().map(|own| Summary { held: true, responded: true, ..own });
    let line = line.silence().hang_up();
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 1
    ! opens P1 "Business stopped, told by phone" for Acme with payments, +442079460958 to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. Please stay on the line. We connect you with an engineer.
    > (silence)
    ! adds: RecordResponse { by: Person("ben"), evidence: Conversation { calls: ["CA-ben", "CA1"], seconds: 60 } }
    Thank you for calling. Your reference is 4 8 2 1. Once more. Your reference is 4 8 2 1. Goodbye.
    > (hangs up)
    "#);
}

#[test]
fn a_caller_who_leaves_the_queue_hears_whether_somebody_has_it() {
    let line = at_once(ACME).ring().press("1");
    let own = line.call.answers.incident.clone().unwrap();
    let last = |held| {
        let own = Summary { held, ..own.clone() };
        Line { own: Some(own), ..line.clone() }.silence().document().words()
    };
    assert_snapshot!(last(true), @"An engineer has it and will call you. You need not wait on the line. Your reference is 4 8 2 1. Once more. Your reference is 4 8 2 1. Goodbye.");
    assert_snapshot!(last(false), @"We are sorry: nobody is free to talk yet. We go on calling our engineers. Your reference is 4 8 2 1. We are late with our call to you, and this is known. An engineer will call you as soon as possible. Once more. Your reference is 4 8 2 1. We are late with our call to you, and this is known. An engineer will call you as soon as possible. Goodbye.");
}

#[test]
fn a_caller_who_hangs_up_while_waiting_is_called_back_like_any_other() {
    let line = at_once(ACME).ring().press("1").hang_up();
    assert!(!live::waits(&line.call, line.call.started_at));
    assert_snapshot!(line.transcript, @r#"
    This is the Example emergency line. If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 1
    ! opens P1 "Business stopped, told by phone" for Acme with payments, +442079460958 to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. Please stay on the line. We connect you with an engineer.
    > (hangs up)
    ! adds: number +442079460958, By phone; known by the number, not verified. / The caller hung up while waiting for an engineer.
    "#);
}

#[test]
fn a_caller_who_calls_again_before_anybody_came_waits_again() {
    let mut line = at_once(ACME);
    let about = known(Priority::P1, &line.call);
    line.open = vec![Summary { live: vec![Priority::P1], held: false, responded: false, ..about }];
    let same = line.clone().ring().press("1");
    assert!(matches!(same.call.current(), Some((_, Step::Wait))));
    line.open[0].held = true;
    let held = line.ring().press("1");
    assert!(matches!(held.call.current(), Some((_, Step::Promise { .. }))));
}

#[test]
fn a_caller_who_is_not_satisfied_chooses_whom_to_ask_for() {
    let mut line = Line::from(ACME);
    let levels = ["support team lead", "department manager", "executive"].map(Into::into).into();
    line.open = vec![Summary { levels: Some(levels), ..known(Priority::P2, &line.call) }];
    assert_snapshot!(line.clone().ring().press("2").press("7").press("2").transcript, @r#"
    This is the Example emergency line. There is an open problem, reference 4 7 1 2. An engineer has it. The last update, from 13:49, London time, says: The database is being restored. The next update comes by 14:49, London time. If you call about this and nothing changed, press 1. If it got worse, or you are not satisfied, press 2. If you call about another problem, press 3.
    > 2
    For the support team lead, press 1. For the department manager, press 2. For the executive, press 3.
    > 7
    Sorry, I did not get that. For the support team lead, press 1. For the department manager, press 2. For the executive, press 3.
    > 2
    ! tells inc_known: customer escalates to level 1 "The customer called and asks for the department manager."
    Thank you. We are alerting more people now. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Once more. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Goodbye.
    "#);
    for (line, told) in [
        (line.clone().ring().press("2").silence(), "not satisfied"),
        (line.clone().ring().press("2").hang_up(), "heard whom to ask for"),
        (line.ring().press("2").press("9").press("9"), "not satisfied"),
    ] {
        assert!(line.transcript.contains("! tells inc_known: customer escalates \""), "{}", line.transcript);
        assert!(line.transcript.contains(told), "{}", line.transcript);
    }
}

#[test]
fn under_a_plan_that_names_nobody_the_engineer_is_told() {
    let mut line = Line::from(ACME);
    line.open = vec![Summary { levels: Some(vec![]), ..known(Priority::P1, &line.call) }];
    assert_snapshot!(line.ring().press("2").transcript, @r#"
    This is the Example emergency line. There is an open problem, reference 4 7 1 2. An engineer has it. The last update, from 13:49, London time, says: The database is being restored. The next update comes by 14:49, London time. If you call about this and nothing changed, press 1. If it got worse, press 2. If you call about another problem, press 3.
    > 2
    ! tells inc_known: customer escalates "The customer called: it got worse."
    Thank you. We have told the engineer. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Once more. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Goodbye.
    "#);
}

#[test]
fn our_engineers_come_back_to_what_was_ruled_out() {
    let mut line = Line::from(ACME);
    let about = known(Priority::P1, &line.call);
    line.open =
        vec![Summary { ruled_out: true, held: false, wakes: false, last_update: None, next_update: None, ..about }];
    assert_snapshot!(line.clone().ring().press("2").transcript, @r#"
    This is the Example emergency line. There is an open problem, reference 4 7 1 2. Our part was ruled out as the cause, and our engineers have left. If you call about this and nothing changed, press 1. Press 2 and our engineers are back. If you call about another problem, press 3.
    > 2
    ! tells inc_known: customer escalates "The customer called: our engineers are needed again."
    Thank you. Our engineers are back. Your reference is 4 7 1 2. Our team will look at it. Once more. Your reference is 4 7 1 2. Our team will look at it. Goodbye.
    "#);
    line.open[0].live = vec![Priority::P1];
    assert!(matches!(line.ring().press("2").call.current(), Some((_, Step::Wait))));
}

#[test]
fn a_caller_we_wait_for_leaves_the_answer() {
    let mut line = Line::from(ACME);
    let about = known(Priority::P2, &line.call);
    line.open = vec![Summary { waiting: Some("Please send the log".into()), last_update: None, ..about }];
    assert_snapshot!(line.ring().press("1").say("answer").transcript, @r#"
    This is the Example emergency line. There is an open problem, reference 4 7 1 2. An engineer has it. The next update comes by 14:49, London time. We asked you: Please send the log. To answer, press 1. If it got worse, press 2. If you call about another problem, press 3.
    > 1
    ! tells inc_known: signal "The customer called about what we asked."
    After the tone, say what you want to tell us, then press any key.
    > (speaks: answer)
    ! adds: customer replies "By phone, to hear: https://recordings.test/answer"
    Thank you. We have noted your call. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Once more. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Goodbye.
    "#);
}

#[test]
fn what_was_closed_for_want_of_an_answer_is_opened_again() {
    let mut line = Line::from(ACME);
    line.idle = Some(Summary { idle: true, over: true, held: false, ..known(Priority::P2, &line.call) });
    assert_snapshot!(line.clone().ring().press("1").transcript, @r#"
    This is the Example emergency line. Your problem with reference 4 7 1 2 was closed because we did not hear from you. If you call about it, press 1, and it is open again. If you call about another problem, press 3.
    > 1
    ! tells inc_known: customer replies "The customer called: it goes on."
    Thank you. Our engineers are back. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Once more. Your reference is 4 7 1 2. The next update comes by 14:49, London time. Goodbye.
    "#);
    assert!(line.ring().press("3").transcript.contains("business has stopped"));
}

#[test]
fn outside_support_hours_a_message_is_taken_and_its_answer_promised() {
    let line = under(ACME, |plan| {
        // Thursday, 14:02 in London; open from Friday.
        let hours = Hours::new(9 * 60, 17 * 60).unwrap();
        let calendar = Calendar {
            key: "office".into(),
            zone: "Europe/London".parse().unwrap(),
            openings: vec![Opening { days: vec![chrono::Weekday::Fri], hours }],
            ..Calendar::always()
        };
        plan.calendars = Calendars::default();
        plan.calendars.insert(Arc::new(calendar));
        let promise = plan.priorities.get_mut(&Priority::P1).unwrap();
        (promise.office_hours, promise.response) = (true, Some(Term::new(Span::minutes(240), "office")));
    });
    assert_snapshot!(line.ring().press("1").say("message").transcript, @r#"
    This is the Example emergency line. If your business has stopped, press 1. If it runs, but badly, press 2. For anything else, press 3.
    > 1
    ! opens P1 "Business stopped, told by phone" for Acme with payments, +442079460958 to call back
    Our support is closed until 09:00, London time, on Friday. Your reference is 4 8 2 1. After the tone, say your name, your number and what it is about. Then press any key.
    > (speaks: message)
    ! adds: number +442079460958, By phone; known by the number, not verified. / What is wrong, to hear: https://recordings.test/message
    Thank you. Your message is recorded. Your reference is 4 8 2 1. An engineer will call you back by 13:00, London time, on Friday. We also send you this as a text. Once more. Your reference is 4 8 2 1. An engineer will call you back by 13:00, London time, on Friday. Goodbye.
    "#);
}

#[test]
fn a_plan_with_more_priorities_reads_out_its_own() {
    let line = under(ACME, |plan| {
        for (priority, title) in [(Priority::P1, "Critical"), (Priority::P2, "High"), (Priority::P3, "Normal")] {
            let promise = plan.priorities.entry(priority).or_default();
            promise.title = title.into();
        }
    });
    assert_snapshot!(line.ring().press("4").press("2").transcript, @r#"
    This is the Example emergency line. Press 1 for: Critical. Press 2 for: High. Press 3 for: Normal.
    > 4
    Sorry, I did not get that. Press 1 for: Critical. Press 2 for: High. Press 3 for: Normal.
    > 2
    ! opens P2 "High, told by phone" for Acme with payments, +442079460958 to call back
    We are alerting an engineer now. Your reference is 4 8 2 1. We will call you on plus 4 4 2 0 7 9 4 6 0 9 5 8. Press 1 if that is right. Press 2 to key in another number.
    "#);
}
