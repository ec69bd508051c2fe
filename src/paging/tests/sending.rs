use super::*;
use crate::paging::{Outcome, Purpose, Stage, attempt::tests::attempt, send::Sender};

const TRANSIENT: Result<(), ErrorClass> = Err(ErrorClass::Transient { retry_after: None });
const UNCLEAR: Result<(), ErrorClass> = Err(ErrorClass::Ambiguous);

/// A text that belongs to no page, due now.
fn text(id: &str) -> Attempt {
    Attempt {
        page: None,
        incident: None,
        purpose: Purpose::Notice,
        wake_at: Some(start()),
        created_at: start(),
        expires_at: start() + TimeDelta::minutes(10),
        ..attempt(id, Channel::Sms, 0)
    }
}

async fn over(world: &World, id: &str) -> Attempt {
    until(&format!("{id} is over"), async || Some(world.attempt(&id.into()).await).filter(|a| a.stage == Stage::Over))
        .await
}

async fn sent(world: &World, id: &str) -> Attempt {
    until(&format!("{id} is sent"), async || {
        Some(world.attempt(&id.into()).await).filter(|a| a.stage == Stage::Sent && a.leased_by.is_none())
    })
    .await
}

#[tokio::test]
async fn a_p1_is_texted_and_called_at_once_with_our_attempt_in_the_calls_document() {
    let carrier = Scripted::new("c");
    let world = World::start(config(), std::slice::from_ref(&carrier)).await;
    let id = world.report("inc_x", "4821", Priority::P1).await;
    let (text, call) = world.both_sent(&id).await;
    let code = text.reply_code.clone().unwrap();
    let body = format!("4821 P1 Acme Bank: checkout down. Reply {code} 4 to ack, {code} 9 to pass, {code} 6 resolve.");
    let [(to, words)] = &carrier.texts()[..] else { panic!("{:?}", carrier.texts()) };
    let seal = words.strip_prefix(&format!("{body} http://127.0.0.1:8080/a/4821"));
    // Sealed on the way out; what is kept has no seal.
    assert!(*to == MOBILE && seal.is_some_and(|seal| seal.len() == 16 && !seal.contains('*')), "{words}");
    assert_eq!(text.body, Some(format!("{body} http://127.0.0.1:8080/a/4821****************")));
    let action = format!("voice/page?a={}&n=1&t=1", call.id);
    let asked = Asked::Call { attempt: call.id.clone(), to: MOBILE.into(), action };
    assert!(carrier.asked().contains(&asked));
    assert_eq!((call.stage, call.wake_at), (Stage::Sent, Some(start() + TimeDelta::seconds(120))));
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_after_a_pause() {
    let carrier = Scripted::new("c");
    carrier.will([TRANSIENT, TRANSIENT]);
    let world = World::start(config(), std::slice::from_ref(&carrier)).await;
    world.insert(&text("att_1")).await;
    for (sends, pause) in [(1, 1), (2, 2)] {
        let waiting = until("it waits", async || {
            Some(world.attempt(&"att_1".into()).await).filter(|a| a.stage == Stage::Waiting && a.sends == sends)
        })
        .await;
        assert_eq!(waiting.wake_at, Some(world.hand.now() + TimeDelta::seconds(pause)));
        assert_eq!(waiting.reason.as_deref(), Some("as told"));
        world.pass(pause);
    }
    assert_eq!(sent(&world, "att_1").await.sends, 3);
}

#[tokio::test]
async fn another_carrier_is_asked_in_the_same_second() {
    for class in
        [ErrorClass::PermanentConfig, ErrorClass::PermanentRequest, ErrorClass::Transient { retry_after: None }]
    {
        let (first, second) = (Scripted::new("a"), Scripted::new("b"));
        first.will([Err(class)]);
        let world = World::start(config(), &[first.clone(), second.clone()]).await;
        world.insert(&text("att_1")).await;
        assert_eq!(sent(&world, "att_1").await.carrier, Some("b".into()), "{class:?}");
        assert_eq!((first.texts().len(), second.texts().len()), (1, 1));
    }
}

#[tokio::test]
async fn a_dead_number_is_over_at_once_and_the_next_method_goes() {
    let carrier = Scripted::new("c");
    carrier.will([Err(ErrorClass::PermanentContact)]);
    let mut config = config();
    let at_once = [(Channel::Sms, "mobile", 0), (Channel::Voice, "mobile", 120)];
    let both: &[Channel] = &[Channel::Sms, Channel::Voice];
    config.people.insert("ben".into(), person("ben", "Ben", &[("mobile", MOBILE, both)], &at_once));
    let world = World::start(config, std::slice::from_ref(&carrier)).await;
    let id = world.report("inc_x", "4821", Priority::P1).await;
    until("the call goes out without waiting two minutes", async || (carrier.calls().len() == 1).then_some(())).await;
    assert_eq!(world.attempts(&id).await[0].outcome, Some(Outcome::Unreachable));
    assert_eq!(world.hand.now(), start());
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_not_sent_again_when_it_was_taken() {
    let carrier = Scripted::new("c");
    carrier.will([UNCLEAR]);
    *carrier.found.lock().unwrap() = Some(Accepted { sid: "SM7".into(), status: Status::Sent });
    let world = World::start(config(), std::slice::from_ref(&carrier)).await;
    world.insert(&text("att_1")).await;
    until("asked", async || (!carrier.texts().is_empty()).then_some(())).await;
    a_moment().await;
    world.pass(2);
    let sent = sent(&world, "att_1").await;
    assert_eq!((sent.sid.as_deref(), sent.status), (Some("SM7"), Some(Status::Sent)));
    assert_eq!(carrier.texts().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_that_nobody_knows_of_is_sent_again_three_times_at_most() {
    let carrier = Scripted::new("c");
    carrier.will([UNCLEAR, UNCLEAR, UNCLEAR, UNCLEAR]);
    let world = World::start(config(), std::slice::from_ref(&carrier)).await;
    world.insert(&text("att_1")).await;
    for sends in 1..=2 {
        until("asked again", async || (carrier.texts().len() == sends).then_some(())).await;
        a_moment().await;
        world.pass(2);
    }
    assert_eq!(over(&world, "att_1").await.outcome, Some(Outcome::Unreachable));
    assert_eq!(carrier.texts().len(), 3);
}

#[tokio::test]
async fn what_was_in_hand_when_the_process_died_is_looked_up_before_it_is_sent_again() {
    let carrier = Scripted::new("c");
    let world = World::still(config(), std::slice::from_ref(&carrier)).await;
    let half = Attempt {
        stage: Stage::Sending,
        carrier: Some("c".into()),
        sends: 1,
        sent_at: Some(start()),
        leased_by: Some("nod_gone".into()),
        wake_at: Some(start() + TimeDelta::seconds(15)),
        ..text("att_1")
    };
    world.insert(&half).await;
    world.insert(&Attempt { id: "att_2".into(), ..half }).await;
    let mut tx = world.app.db.begin().await.unwrap();
    store::release(&mut tx, start()).await.unwrap();
    tx.commit().await.unwrap();
    world.run();
    sent(&world, "att_1").await;
    sent(&world, "att_2").await;
    let asked = carrier.asked();
    let place = |wanted: &dyn Fn(&Asked) -> bool| asked.iter().position(wanted).unwrap();
    let looked = place(&|asked| *asked == Asked::LookUp("att_1".into()));
    assert!(looked < place(&|asked| matches!(asked, Asked::Sms { attempt, .. } if attempt.as_str() == "att_1")));
    assert_eq!(carrier.texts().len(), 2);
}

#[tokio::test]
async fn a_call_ended_while_it_was_being_placed_is_hung_up_when_it_is_known() {
    let carrier = Scripted::new("c");
    let world = World::still(config(), std::slice::from_ref(&carrier)).await;
    let gate = carrier.gate.lock().await;
    world.run();
    let id = world.report("inc_x", "4821", Priority::P1).await;
    until("both are being sent", async || (carrier.asked().len() == 2).then_some(())).await;
    let by = crate::incident::Actor::Person("ben".into());
    world.app.door.execute(&id, Command::Acknowledge { by, via: crate::incident::Via::Api, page: None }).await.unwrap();
    drop(gate);
    let hung_up = until("hung up", async || {
        carrier.asked().into_iter().find_map(|asked| match asked {
            Asked::HangUp(sid) => Some(sid),
            _ => None,
        })
    })
    .await;
    let call = until("over", async || {
        world.attempts(&id).await.into_iter().find(|a| a.channel == Channel::Voice && a.stage == Stage::Over)
    })
    .await;
    assert_eq!((call.outcome, call.sid), (Some(Outcome::Cancelled), Some(hung_up)));
}

#[tokio::test]
async fn a_number_that_was_rung_just_now_waits_and_says_why_and_a_p1_takes_the_other_number() {
    let both: &[Channel] = &[Channel::Sms, Channel::Voice];
    let at_once = [(Channel::Sms, "mobile", 0), (Channel::Voice, "mobile", 0)];
    for home in [false, true] {
        let carrier = Scripted::new("c");
        let mut config = config();
        let lines: &[(&str, &str, &[Channel])] = &[("mobile", MOBILE, both), ("home", HOME, &[Channel::Voice])];
        let lines = if home { lines } else { &lines[..1] };
        config.people.insert("ben".into(), person("ben", "Ben", lines, &at_once));
        let world = World::start(config, std::slice::from_ref(&carrier)).await;
        let first = world.report("inc_a", "4821", Priority::P1).await;
        world.both_sent(&first).await;
        world.pass(10);
        let second = world.report("inc_b", "4822", Priority::P1).await;
        if home {
            let (_, call) = world.both_sent(&second).await;
            assert_eq!(call.address.as_str(), HOME);
            continue;
        }
        let call = until("it waits", async || {
            world.attempts(&second).await.into_iter().find(|a| a.channel == Channel::Voice && a.reason.is_some())
        })
        .await;
        assert_eq!(call.wake_at, Some(start() + TimeDelta::seconds(60)));
        assert_eq!(call.reason.as_deref(), Some("…01 was tried too often; waits until 13:01"));
        until("the text of the page goes out", async || (carrier.texts().len() == 2).then_some(())).await;
        world.pass(50);
        until("rung when it may be", async || (carrier.calls().len() == 2).then_some(())).await;
        assert_eq!(carrier.texts().len(), 2, "no second text is needed");
    }
}

#[tokio::test]
async fn a_text_that_is_held_up_itself_is_not_doubled_while_the_call_waits() {
    let carrier = Scripted::new("c");
    let world = World::still(config(), std::slice::from_ref(&carrier)).await;
    let id = world.report("inc_x", "4821", Priority::P1).await;
    let [text, call] = &world.attempts(&id).await[..] else { panic!() };
    let later = Some(start() + TimeDelta::seconds(30));
    let mut tx = world.app.db.begin().await.unwrap();
    let held_up = Attempt { reason: Some("cannot connect to the carrier".into()), wake_at: later, ..text.clone() };
    store::save(&mut tx, &held_up).await.unwrap();
    tx.commit().await.unwrap();
    let rung =
        Attempt { stage: Stage::Over, sent_at: Some(start()), address: call.address.clone(), ..self::text("att_0") };
    world.insert(&Attempt { channel: Channel::Voice, wake_at: None, ..rung }).await;
    world.run();
    until("the call waits", async || world.attempt(&call.id).await.reason).await;
    a_moment().await;
    assert_eq!((world.attempts(&id).await.len(), carrier.texts().len()), (2, 0));
}

#[tokio::test]
async fn a_call_whose_carrier_is_silent_ends_as_no_answer_and_a_text_as_delivered() {
    let carrier = Scripted::new("c");
    let world = World::start(config(), std::slice::from_ref(&carrier)).await;
    let id = world.report("inc_x", "4821", Priority::P1).await;
    let (text, call) = world.both_sent(&id).await;
    world.pass(119);
    a_moment().await;
    assert_eq!(world.attempt(&call.id).await.stage, Stage::Sent);
    world.pass(1);
    assert_eq!(over(&world, call.id.as_str()).await.outcome, Some(Outcome::NoAnswer));
    assert_eq!(over(&world, text.id.as_str()).await.outcome, Some(Outcome::Delivered));
    let page = until("the incident knows", async || world.incident(&id).await.pages[&1].exhausted).await;
    assert!(!page, "it may only have rung out");
}

#[tokio::test]
async fn a_page_nobody_would_take_in_time_expires() {
    let carrier = Scripted::new("c");
    let world = World::still(config(), std::slice::from_ref(&carrier)).await;
    world.insert(&Attempt { expires_at: start() - TimeDelta::seconds(1), ..text("att_1") }).await;
    world.run();
    assert_eq!(over(&world, "att_1").await.outcome, Some(Outcome::Expired));
    assert!(carrier.asked().is_empty());
}

#[tokio::test]
async fn a_p1_finds_a_free_hand_when_everything_less_is_stuck() {
    let carrier = Scripted::new("c");
    let world = World::still(config(), std::slice::from_ref(&carrier)).await;
    let gate = carrier.gate.lock().await;
    for n in 0..80 {
        let address = E164::parse(&format!("+1201555{:04}", 1000 + n)).unwrap();
        world.insert(&Attempt { priority: Priority::P3, address, ..text(&format!("low_{n}")) }).await;
    }
    world.run();
    until("48 hands are full", async || (carrier.texts().len() == 48).then_some(())).await;
    a_moment().await;
    assert_eq!(carrier.texts().len(), 48);
    world.insert(&text("grave")).await;
    until("the P1 is being sent", async || carrier.texts().iter().any(|(to, _)| to == "+12015550123").then_some(()))
        .await;
    drop(gate);
    until("everything went out", async || (carrier.texts().len() == 81).then_some(())).await;
}

#[tokio::test]
async fn a_carrier_that_fails_again_and_again_is_asked_last() {
    let (first, second) = (Scripted::new("a"), Scripted::new("b"));
    first.will(std::iter::repeat_n(TRANSIENT, 20));
    let world = World::start(config(), &[first.clone(), second.clone()]).await;
    for n in 0..6 {
        let (id, address) = (format!("att_{n}"), E164::parse(&format!("+1201555{:04}", 1000 + n)).unwrap());
        world.insert(&Attempt { address, ..text(&id) }).await;
        sent(&world, &id).await;
    }
    assert_eq!((first.texts().len(), second.texts().len()), (4, 6));
}

/// One that this process has in hand until the lease ends, and has not asked a carrier for yet.
fn in_hand(id: &str) -> Attempt {
    Attempt {
        stage: Stage::Sending,
        carrier: Some("c".into()),
        sends: 1,
        sent_at: Some(start()),
        leased_by: Some("nod_slow".into()),
        wake_at: Some(start() + TimeDelta::seconds(15)),
        ..text(id)
    }
}

#[tokio::test]
async fn a_process_that_stood_still_for_longer_than_its_lease_asks_no_carrier() {
    let carrier = Scripted::new("c");
    let world = World::still(config(), std::slice::from_ref(&carrier)).await;
    let (claimed, sender) = (in_hand("att_1"), Sender::new(world.app.clone()));
    world.insert(&claimed).await;
    world.pass(14);
    sender.send(&claimed, &["c".into()]).await;
    assert_eq!(carrier.texts().len(), 1, "the lease holds");

    let claimed = in_hand("att_2");
    world.insert(&claimed).await;
    world.pass(1);
    sender.send(&claimed, &["c".into()]).await;
    assert_eq!(carrier.texts().len(), 1, "the lease is over");
    assert_eq!(world.attempt(&claimed.id).await, claimed, "whoever has it by now is not disturbed");
}

#[tokio::test]
async fn an_answer_is_waited_for_until_the_lease_ends() {
    let carrier = Scripted::new("c");
    let world = World::still(config(), std::slice::from_ref(&carrier)).await;
    let claimed = in_hand("att_1");
    world.insert(&claimed).await;
    let gate = carrier.gate.lock().await;
    let (sender, asked) = (Sender::new(world.app.clone()), claimed.clone());
    let sent = tokio::spawn(async move { sender.send(&asked, &["c".into()]).await });
    until("it is asked", async || (carrier.texts().len() == 1).then_some(())).await;
    world.pass(15);
    sent.await.unwrap();
    drop(gate);
    let after = world.attempt(&claimed.id).await;
    assert_eq!((after.stage, after.leased_by, after.sid), (Stage::Sending, None, None), "to be looked up");
}
