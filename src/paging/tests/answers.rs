use super::*;
use crate::{
    carrier::{AnsweredBy, Bridge, Verb},
    incident::{Actor, Phase},
    paging::{Outcome, Stage},
};

fn ben() -> Actor {
    Actor::Person("ben".into())
}

async fn paged() -> (World, Arc<Scripted>, IncidentId, Attempt, Attempt) {
    let carrier = Scripted::new("c");
    let world = World::start(config(), std::slice::from_ref(&carrier)).await;
    let id = world.report("inc_x", "4821", Priority::P1).await;
    let (text, call) = world.both_sent(&id).await;
    (world, carrier, id, text, call)
}

async fn holder(world: &World, id: &IncidentId) -> Option<Actor> {
    world.incident(id).await.holder.map(|holder| holder.who)
}

#[tokio::test]
async fn key_4_acknowledges_and_the_call_that_acknowledged_is_not_hung_up() {
    let (world, carrier, id, _, call) = paged().await;
    let words = world.turn(&call, "voice/page", 1, None).await.words();
    assert!(words.starts_with("Ringdown. P1. Acme Bank. Business stopped. checkout down."), "{words}");
    let document = world.turn(&call, "voice/page", 2, Some("4")).await;
    assert_eq!(
        document.words(),
        "Acknowledged. 4 8 2 1 is yours. Call the customer back by 13:30. Goodbye.",
        "in Ben's own time"
    );
    assert_eq!(holder(&world, &id).await, Some(ben()));
    a_moment().await;
    assert_eq!(world.attempt(&call.id).await.outcome, Some(Outcome::Answered));
    assert!(!carrier.asked().iter().any(|asked| matches!(asked, Asked::HangUp(_))));
    let again = world.turn(&call, "voice/page", 2, Some("4")).await;
    assert_eq!(again.words(), document.words(), "a webhook that comes twice is answered the same");
}

#[tokio::test]
async fn no_other_key_and_no_silence_acknowledges() {
    let (world, _, id, _, call) = paged().await;
    for (n, key) in [(2, "1"), (2, "#"), (2, "*"), (2, "0"), (2, "66")] {
        let document = world.turn(&call, "voice/page", n, Some(key)).await;
        assert!(document.words().contains("Press 4 to acknowledge"), "{key}");
    }
    for n in 1..=3 {
        let document = world.turn(&call, "voice/page", n, None).await;
        let Some(Verb::Gather { action, .. }) = document.verbs.first() else { panic!("{document:?}") };
        assert!(action.0.contains(&format!("&n={}&", n + 1)), "{action:?}");
    }
    assert_eq!(world.turn(&call, "voice/page", 4, None).await.words(), "No key was pressed. Goodbye.");
    assert_eq!(world.attempt(&call.id).await.outcome, Some(Outcome::NoHuman));
    assert_eq!(holder(&world, &id).await, None);
}

#[tokio::test]
async fn voicemail_does_not_acknowledge_and_the_next_level_is_paged_at_once() {
    let (world, carrier, id, _, call) = paged().await;
    let receipt = Receipt {
        carrier: "c".into(),
        attempt: Some(call.id.clone()),
        sid: call.sid.clone().unwrap(),
        channel: Channel::Voice,
        status: None,
        answered_by: Some(AnsweredBy::Machine),
        error_code: None,
        seconds: None,
    };
    crate::paging::receipt::record(&world.app, receipt).await.unwrap();
    until("Ada is rung", async || carrier.calls().iter().any(|(_, to)| to == LEAD).then_some(())).await;
    assert_eq!(world.hand.now(), start(), "nobody waited");
    until("no long silence is left", async || {
        carrier.asked().contains(&Asked::HangUp(call.sid.clone().unwrap())).then_some(())
    })
    .await;
    assert_eq!(holder(&world, &id).await, None);
    assert_eq!(world.attempt(&call.id).await.outcome, Some(Outcome::NoHuman));
}

#[tokio::test]
async fn a_call_that_rings_out_leaves_the_ladder_its_time() {
    let (world, carrier, id, _, call) = paged().await;
    for status in [Status::NoAnswer, Status::Ringing, Status::NoAnswer, Status::Queued] {
        world.receipt(&call, status).await;
    }
    assert_eq!(world.attempt(&call.id).await.outcome, Some(Outcome::NoAnswer));
    assert_eq!(world.incident(&id).await.pages[&1].exhausted, Some(false));
    a_moment().await;
    assert_eq!(carrier.calls().len(), 1);
}

#[tokio::test]
async fn a_receipt_for_nothing_we_know_is_kept_and_harmless() {
    let (world, _, _, _, call) = paged().await;
    let unknown = Attempt { id: "att_unknown".into(), ..call.clone() };
    world.receipt(&unknown, Status::Completed).await;
    let other = Attempt { sid: Some("CA_other".into()), ..call.clone() };
    world.receipt(&other, Status::Completed).await;
    assert_eq!(world.attempt(&call.id).await.stage, Stage::Sent);
}

#[tokio::test]
async fn a_receipt_that_comes_before_the_carriers_answer_is_not_lost() {
    let carrier = Scripted::new("c");
    let world = World::still(config(), std::slice::from_ref(&carrier)).await;
    let gate = carrier.gate.lock().await;
    world.run();
    let id = world.report("inc_x", "4821", Priority::P1).await;
    until("both are being sent", async || (carrier.asked().len() == 2).then_some(())).await;
    let call = world.attempts(&id).await.into_iter().find(|a| a.channel == Channel::Voice).unwrap();
    let place = carrier.asked().iter().position(|asked| matches!(asked, Asked::Call { .. })).unwrap();
    let early = Attempt { sid: Some(format!("c{}", place + 1)), ..call.clone() };
    world.receipt(&early, Status::Busy).await;
    drop(gate);
    a_moment().await;
    let call = world.attempt(&call.id).await;
    assert_eq!((call.stage, call.outcome, call.status), (Stage::Over, Some(Outcome::NoAnswer), Some(Status::Busy)));
}

#[tokio::test]
async fn an_acknowledgement_hangs_up_every_other_call_and_who_answers_late_is_told() {
    let (world, carrier, id, text, call) = paged().await;
    let code = text.reply_code.clone().unwrap();
    let answer = world.write("SM1", MOBILE, &format!("{code} 4")).await;
    assert_eq!(answer.as_deref(), Some("4821 is yours. Call the customer back by 13:30."));
    assert_eq!(holder(&world, &id).await, Some(ben()));
    assert_eq!(world.attempt(&text.id).await.outcome, Some(Outcome::Answered));
    until("the call is hung up", async || {
        carrier.asked().contains(&Asked::HangUp(call.sid.clone().unwrap())).then_some(())
    })
    .await;
    let words = world.turn(&call, "voice/page", 1, None).await.words();
    assert_eq!(words, "Already acknowledged by Ben at 13:00. Goodbye.");
}

#[tokio::test]
async fn a_text_that_comes_twice_acts_once_and_is_answered_the_same() {
    let (world, _, id, text, _) = paged().await;
    let body = format!("{} 9", text.reply_code.clone().unwrap());
    let first = world.write("SM1", MOBILE, &body).await;
    assert_eq!(first.as_deref(), Some("Passed on. The next person is called."));
    let seq = world.incident(&id).await.seq;
    assert_eq!(world.write("SM1", MOBILE, &body).await, first);
    assert_eq!(world.incident(&id).await.seq, seq);
}

#[tokio::test]
async fn a_text_acts_only_with_a_code_or_when_one_page_is_open() {
    let (world, _, first, ..) = paged().await;
    assert_eq!(world.write("SM0", "+12015550177", "ack").await, None, "nobody we know");
    assert_eq!(world.write("SM1", MOBILE, "Liked “4821 P1 Acme Bank”").await, None);
    world.pass(120);
    let second = world.report("inc_y", "5932", Priority::P1).await;
    let which = world.write("SM2", MOBILE, "ack").await.unwrap();
    assert!(which.starts_with("Which one? "), "{which}");
    assert_eq!((holder(&world, &first).await, holder(&world, &second).await), (None, None));
    assert!(world.write("SM3", MOBILE, "ack 5932").await.unwrap().starts_with("5932 is yours."));
    assert_eq!((holder(&world, &first).await, holder(&world, &second).await), (None, Some(ben())));
    assert!(world.write("SM4", MOBILE, "Ack.").await.unwrap().starts_with("4821 is yours."));
    assert_eq!(holder(&world, &first).await, Some(ben()));
}

#[tokio::test]
async fn a_reply_resolves_and_a_late_one_is_told_so() {
    let (world, _, id, text, _) = paged().await;
    let code = text.reply_code.clone().unwrap();
    assert_eq!(world.write("SM1", MOBILE, &format!("{code} 6")).await.as_deref(), Some("4821 is resolved."));
    assert_eq!(world.incident(&id).await.phase, Phase::Resolved);
    assert_eq!(world.write("SM2", MOBILE, &format!("{code} 4")).await.as_deref(), Some("4821 is closed already."));
}

#[tokio::test]
async fn a_machine_that_writes_back_is_answered_five_times_an_hour() {
    let (world, ..) = paged().await;
    let mut answered = 0;
    for n in 0..9 {
        answered += i32::from(world.write(&format!("SM{n}"), MOBILE, "I am driving right now").await.is_some());
    }
    assert_eq!(answered, 5);
    world.pass(3601);
    assert!(world.write("SM99", MOBILE, "I am driving right now").await.is_some());
}

#[tokio::test]
async fn stop_means_no_more_texts_and_acknowledges_nothing() {
    let (world, _, id, text, _) = paged().await;
    assert_eq!(world.write("SM1", MOBILE, "STOP").await, None);
    let text = world.attempt(&text.id).await;
    assert_eq!((text.outcome, text.reason.as_deref()), (Some(Outcome::Unreachable), Some("refused texts (STOP)")));
    assert_eq!(holder(&world, &id).await, None);
}

#[tokio::test]
async fn key_5_calls_the_customer_and_half_a_minute_of_talk_is_a_response() {
    let (world, _, id, _, call) = paged().await;
    world.contact(&id, "+12015550199").await;
    let document = world.turn(&call, "voice/page", 2, Some("5")).await;
    assert_eq!(document.words(), "4 8 2 1 is yours. Calling Ann now.");
    let Some(Verb::Dial { to, .. }) = document.verbs.last() else { panic!("{document:?}") };
    assert_eq!(to.as_str(), "+12015550199");
    let bridged = async |seconds| {
        let turn = Turn {
            carrier: "c".into(),
            path: "voice/page/bridged".into(),
            query: vec![("a".into(), call.id.to_string())],
            call_sid: call.sid.clone().unwrap(),
            bridge: Some(Bridge { sid: Some("CA_leg".into()), completed: true, seconds }),
            ..Turn::default()
        };
        crate::paging::call::turn(&world.app, turn).await.unwrap().words()
    };
    assert!(bridged(29).await.starts_with("That was too short to count as a callback."));
    assert_eq!(world.incident(&id).await.response.met, None);
    assert_eq!(bridged(95).await, "Recorded: you spoke to the customer of 4 8 2 1 for 1 minute. Goodbye.");
    let met = world.incident(&id).await.response.met.unwrap();
    let calls = vec![call.sid.clone().unwrap(), "CA_leg".into()];
    assert_eq!(met.evidence, crate::incident::Evidence::Conversation { calls, seconds: 95 });
}

#[tokio::test]
async fn a_test_page_texts_and_rings_and_key_4_says_that_it_works() {
    let carrier = Scripted::new("c");
    let world = World::start(config(), std::slice::from_ref(&carrier)).await;
    let mut tx = world.app.db.begin().await.unwrap();
    let ben = world.app.config.load().people["ben"].clone();
    let ids = store::test_page(&mut tx, &ben, start()).await.unwrap();
    tx.commit().await.unwrap();
    world.app.bell.ring();
    until("it rings", async || (carrier.calls().len() == 1).then_some(())).await;
    assert_eq!(carrier.texts().len(), 1);
    let call = world.attempt(&ids[1]).await;
    assert!(world.turn(&call, "voice/page", 1, None).await.words().contains("This is a test."));
    assert_eq!(world.turn(&call, "voice/page", 2, Some("4")).await.words(), "Thank you. The test worked. Goodbye.");
    assert_eq!(world.attempt(&ids[1]).await.outcome, Some(Outcome::Answered));
}

#[tokio::test]
async fn a_call_we_know_nothing_of_is_hung_up() {
    let world = World::still(config(), &[]).await;
    let turn = Turn { path: "voice/page".into(), query: vec![("a".into(), "att_none".into())], ..Turn::default() };
    assert_eq!(crate::paging::call::turn(&world.app, turn).await.unwrap(), Document::hang_up());
    let turn = Turn { path: "voice/page".into(), ..Turn::default() };
    assert_eq!(crate::paging::call::turn(&world.app, turn).await.unwrap(), Document::hang_up());
}
