use super::*;
use crate::carrier::{ErrorClass, Sms};

fn sms(attempt: &str, body: &str) -> Sms {
    Sms { attempt: attempt.into(), to: number(ALICE), body: body.into(), validity: TimeDelta::minutes(5) }
}

fn thread(rig: &Rig) -> Vec<(bool, String, Status)> {
    rig.handsets.look(|network| {
        let phone = network.phones().find(|phone| phone.number.as_str() == ALICE).unwrap();
        phone.texts.iter().map(|text| (text.written_here, text.body.clone(), text.status)).collect()
    })
}

#[tokio::test]
async fn a_thread_goes_both_ways() {
    let rig = Rig::new();
    let accepted = rig.handsets.send_sms(&sms("att_1", "4821 P1 Acme: reply 4821 4")).await.unwrap();
    assert_eq!(accepted.status, Status::Queued);
    rig.settle().await;
    assert_eq!(rig.statuses(), [Status::Sent, Status::Delivered]);
    assert_eq!((rig.last_receipt().attempt.unwrap().as_str(), rig.last_receipt().sid), ("att_1", accepted.sid));
    let answer = rig.handsets.write(&number(ALICE), &number(OURS), "4821 4").await.unwrap();
    assert_eq!(answer.unwrap().body, "4821 is yours.");
    let texts = rig.desk.texts.lock().unwrap().clone();
    assert_eq!((texts[0].from.as_str(), texts[0].to.as_str(), texts[0].body.as_str()), (ALICE, OURS, "4821 4"));
    assert_eq!(rig.handsets.write(&number(ALICE), &number(OURS), "who are you").await.unwrap(), None);
    assert_eq!(
        thread(&rig),
        [
            (false, "4821 P1 Acme: reply 4821 4".into(), Status::Delivered),
            (true, "4821 4".into(), Status::Delivered),
            (false, "4821 is yours.".into(), Status::Delivered),
            (true, "who are you".into(), Status::Delivered),
        ]
    );
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn the_same_attempt_again_is_the_same_text() {
    let rig = Rig::new();
    let first = rig.handsets.send_sms(&sms("att_1", "one")).await.unwrap();
    rig.settle().await;
    let again = rig.handsets.send_sms(&sms("att_1", "one")).await.unwrap();
    assert_eq!((again.sid, again.status), (first.sid, Status::Delivered));
    assert_eq!(thread(&rig).len(), 1);
}

#[tokio::test]
async fn a_slow_line_delivers_late_and_not_when_it_is_too_late() {
    let rig = Rig::new().behaves(ALICE, Behaviour::Slow { seconds: 60 });
    rig.handsets.send_sms(&sms("att_1", "late")).await.unwrap();
    rig.pass(59).await;
    assert_eq!(rig.statuses(), [Status::Sent]);
    rig.pass(1).await;
    assert_eq!(rig.statuses(), [Status::Sent, Status::Delivered]);
    let stale = Sms { validity: TimeDelta::seconds(30), ..sms("att_2", "stale") };
    rig.handsets.send_sms(&stale).await.unwrap();
    rig.pass(60).await;
    assert_eq!(rig.last_receipt().status, Some(Status::Undelivered));
    assert_eq!(rig.last_receipt().error_code.as_deref(), Some("expired"));
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn a_dead_number_takes_no_text() {
    let rig = Rig::new().behaves(ALICE, Behaviour::Dead);
    let error = rig.handsets.send_sms(&sms("att_1", "hello")).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::PermanentContact);
    assert!(thread(&rig).is_empty());
}

#[tokio::test]
async fn a_text_we_could_not_take_is_shown_as_not_delivered() {
    let rig = Rig::new();
    *rig.desk.ill.lock().unwrap() = 1;
    assert!(rig.handsets.write(&number(ALICE), &number(OURS), "4821 4").await.is_err());
    assert_eq!(thread(&rig), [(true, "4821 4".into(), Status::Undelivered)]);
}

#[tokio::test]
async fn a_phone_keeps_its_last_hundred_texts() {
    let rig = Rig::new();
    for n in 0..120 {
        rig.handsets.send_sms(&sms(&format!("att_{n}"), &n.to_string())).await.unwrap();
    }
    assert_eq!(thread(&rig).len(), 100);
    assert_eq!(thread(&rig)[0].1, "20");
}
