//! Texts that are lost on their way, and numbers whose owners want none.

use super::*;
use crate::{
    incident::{Actor, Via},
    paging::Outcome,
};

const BOTH: &[Channel] = &[Channel::Sms, Channel::Voice];

/// Ben, who is reached by these rules on his mobile.
async fn reached_by(rules: &[(Channel, &str, u32)]) -> (World, Arc<Scripted>) {
    let (carrier, mut config) = (Scripted::new("c"), config());
    config.people.insert("ben".into(), person("ben", "Ben", &[("mobile", MOBILE, BOTH)], rules));
    (World::start(config, std::slice::from_ref(&carrier)).await, carrier)
}

async fn texts(world: &World, id: &IncidentId) -> Vec<Attempt> {
    let mut all = world.attempts(id).await;
    all.retain(|attempt| attempt.channel == Channel::Sms);
    all
}

/// The first text of an incident, once a carrier took it.
async fn first_text(world: &World, id: &IncidentId) -> Attempt {
    until("the text is sent", async || {
        texts(world, id).await.into_iter().find(|text| text.sid.is_some() && text.leased_by.is_none())
    })
    .await
}

#[tokio::test]
async fn a_text_to_a_phone_that_was_off_goes_once_more_and_only_once() {
    let (world, carrier) = reached_by(&[(Channel::Sms, "mobile", 0), (Channel::Voice, "mobile", 0)]).await;
    let id = world.report("inc_x", "4821", Priority::P1).await;
    let (text, _) = world.both_sent(&id).await;
    world.receipt_with(&text, Status::Undelivered, Some("off")).await;
    let again = texts(&world, &id).await.pop().unwrap();
    assert_eq!(again.wake_at, Some(start() + TimeDelta::minutes(5)));
    assert_eq!((again.body, again.reply_code), (text.body, text.reply_code));
    world.pass(300);
    let again = until("it went once more", async || {
        texts(&world, &id).await.into_iter().find(|other| other.id == again.id && other.sid.is_some())
    })
    .await;
    world.receipt_with(&again, Status::Undelivered, Some("off")).await;
    world.pass(300);
    a_moment().await;
    assert_eq!(carrier.texts().len(), 2);
}

#[tokio::test]
async fn a_lost_text_does_not_go_again_once_somebody_has_it() {
    let (world, carrier) = reached_by(&[(Channel::Sms, "mobile", 0)]).await;
    let id = world.report("inc_x", "4821", Priority::P1).await;
    let text = first_text(&world, &id).await;
    let by = Actor::Person("ada".into());
    world.app.door.execute(&id, Command::Acknowledge { by, via: Via::Api, page: None }).await.unwrap();
    world.receipt_with(&text, Status::Undelivered, Some("off")).await;
    assert_eq!(texts(&world, &id).await.len(), 1);
    assert_eq!(carrier.texts().len(), 1);
}

#[tokio::test]
async fn after_stop_a_page_goes_by_voice_at_once_until_start() {
    let (world, carrier) = reached_by(&[(Channel::Sms, "mobile", 0), (Channel::Voice, "mobile", 120)]).await;
    assert_eq!(world.write("SM1", MOBILE, "STOP").await, None);
    let first = world.report("inc_x", "4821", Priority::P1).await;
    until("called without waiting two minutes", async || (carrier.calls().len() == 1).then_some(())).await;
    let text = texts(&world, &first).await.pop().unwrap();
    assert_eq!(text.outcome, Some(Outcome::Unreachable));
    assert_eq!(text.reason.as_deref(), Some("this number refused texts (STOP)"));
    assert_eq!((carrier.texts().len(), world.hand.now()), (0, start()));

    world.pass(1);
    world.write("SM2", MOBILE, "START").await;
    let second = world.report("inc_y", "5932", Priority::P1).await;
    first_text(&world, &second).await;
}

#[tokio::test]
async fn whose_carrier_says_stop_and_who_has_no_rule_for_calls_is_called_all_the_same() {
    let (world, carrier) = reached_by(&[(Channel::Sms, "mobile", 0)]).await;
    let first = world.report("inc_x", "4821", Priority::P1).await;
    let text = first_text(&world, &first).await;
    world.receipt_with(&text, Status::Failed, Some("stop")).await;
    until("called instead", async || (carrier.calls().len() == 1).then_some(())).await;
    assert_eq!(world.incident(&first).await.pages[&1].exhausted, None, "the call may still be answered");
    world.pass(100);
    world.report("inc_y", "5932", Priority::P1).await;
    until("called at once", async || (carrier.calls().len() == 2).then_some(())).await;
    assert_eq!(carrier.texts().len(), 1, "no second text");
}

#[tokio::test]
async fn a_customer_who_wants_no_texts_gets_none_and_no_answer() {
    let (world, carrier) = reached_by(&[(Channel::Voice, "mobile", 0)]).await;
    assert_eq!(world.write("SM1", "+12015550199", "STOP").await, None);
    let id = world.report("inc_x", "4821", Priority::P1).await;
    world.contact(&id, "+12015550199").await;
    until("Ben is called", async || (carrier.calls().len() == 1).then_some(())).await;
    a_moment().await;
    assert!(carrier.texts().is_empty());
}
