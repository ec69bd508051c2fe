//! Late timers, doubled requests, and climbs that meet: nothing is forgiven, lost or done twice by them.

use super::*;

#[test]
fn an_update_after_its_window_meets_the_next_one_though_the_timer_is_late() {
    let mut life = Life::opened(config());
    life.run(acknowledge("engineer")).unwrap();
    let opened = life.now;
    life.now += TimeDelta::minutes(61);
    life.run(update("We found the cause.")).unwrap();
    let past = &life.it().updates.past;
    assert_eq!(past.iter().map(|window| window.verdict).collect::<Vec<_>>(), [Verdict::Missed]);
    assert_eq!(past[0].due, opened + TimeDelta::minutes(60));
    assert!(life.it().updates.met && life.it().updates.window == 2);
    assert!(life.has(|event| matches!(event, Event::ResponseMissed { .. })));
}

#[test]
fn an_update_at_the_very_end_of_its_window_meets_it() {
    let mut life = Life::opened(config());
    life.now += TimeDelta::minutes(60);
    life.run(update("We found the cause.")).unwrap();
    life.run(Command::TimerFired).unwrap();
    assert_eq!(life.it().updates.past[0].verdict, Verdict::Met);
}

#[test]
fn a_callback_after_its_time_is_missed_and_then_late_though_the_timer_is_late() {
    let mut life = Life::opened(config());
    life.run(acknowledge("engineer")).unwrap();
    let opened = life.now;
    life.now += TimeDelta::minutes(31);
    let evidence = Evidence::Attested { note: "spoke with Ada".into() };
    life.run(Command::RecordResponse { by: person("engineer"), evidence }).unwrap();
    let due = opened + TimeDelta::minutes(30);
    assert!(life.has(|event| *event == Event::ResponseMissed { due }));
    assert!(life.it().response.met.as_ref().unwrap().late);
    assert_eq!(life.it().climb.next_at, None, "the callback settles the climb it began");
}

#[test]
fn a_lapse_does_not_set_back_a_climb_that_is_under_way() {
    let mut config = config();
    config.policies.get_mut("standard").unwrap().ack_timeout = Span::minutes(36);
    let mut life = Life::opened(config);
    life.run(acknowledge("engineer")).unwrap();
    life.wait(41);
    let late: Vec<_> = life.who().into_iter().filter(|(at, _)| *at >= 30).collect();
    assert_eq!(late, at(&[(30, "lead"), (35, "manager"), (36, "engineer"), (40, "executive")]));
}

#[test]
fn more_urgent_is_never_slower() {
    let mut config = config();
    let team = config.teams.get_mut("payments").unwrap();
    team.policies.insert(Priority::P2, "standard".into());
    let mut life = Life::begin(config);
    life.run(report(Priority::P2)).unwrap();
    life.wait(11);
    life.run(Command::SetPriority { by: person("lead"), priority: Priority::P1, reason: "it spread".into() }).unwrap();
    life.wait(6);
    assert_eq!(life.who()[2..], at(&[(10, "manager"), (11, "manager"), (16, "executive")]));
}

#[test]
fn passed_on_twice_by_the_same_key_is_passed_on_once() {
    let mut life = Life::opened(config());
    life.run(Command::KeyPress { page: 1, key: '9' }).unwrap();
    life.run(Command::KeyPress { page: 1, key: '9' }).unwrap();
    assert_eq!(life.who(), at(&[(0, "engineer"), (0, "lead")]));
}

#[test]
fn a_conversation_told_twice_is_recorded_once() {
    let mut life = Life::opened(config());
    let evidence = Evidence::Conversation { calls: vec!["CA1".into()], seconds: 60 };
    for _ in 0..2 {
        life.run(Command::RecordResponse { by: person("engineer"), evidence: evidence.clone() }).unwrap();
    }
    let told = life.events.iter().filter(|recorded| matches!(recorded.event, Event::Responded { .. })).count();
    assert_eq!(told, 1);
}

#[test]
fn what_nobody_ever_took_is_paged_again_when_it_is_reviewed() {
    let mut life = Life::begin(config());
    let Command::Report(mut told) = report(Priority::P1) else { unreachable!() };
    told.plan.priorities.clear();
    life.run(Command::Report(told)).unwrap();
    life.wait(60);
    assert!(life.has(|event| *event == Event::LadderExhausted));
    let pages = life.paged().len();
    life.wait(25 * 60);
    assert_eq!(life.who()[pages].1, "engineer");
}
