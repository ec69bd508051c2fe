use super::*;
use crate::carrier::{ErrorClass, Sent};

fn page() -> Document {
    asks("Ringdown. Acme, business stopped. Press 4 to acknowledge.", "voice/page/key?a=att_1&n=1")
}

#[tokio::test]
async fn a_phone_nobody_picks_up_rings_out() {
    for behaviour in [Behaviour::Manual, Behaviour::RingsOut] {
        let rig = Rig::new().behaves(ALICE, behaviour);
        let id = rig.place("att_1", ALICE).await;
        assert_eq!(rig.state(&id), State::Ringing);
        rig.pass(24).await;
        assert_eq!(rig.state(&id), State::Ringing);
        rig.pass(1).await;
        assert_eq!(rig.statuses(), [Status::Queued, Status::Ringing, Status::NoAnswer]);
        let receipt = rig.last_receipt();
        assert_eq!((receipt.attempt.unwrap().as_str(), receipt.sid), ("att_1", id));
        assert!(rig.desk.turns.lock().unwrap().is_empty());
        assert_eq!(rig.handsets.tasks(), 0);
    }
}

#[tokio::test]
async fn a_phone_that_rings_out_cannot_be_answered() {
    let rig = Rig::new().behaves(ALICE, Behaviour::RingsOut);
    let id = rig.place("att_1", ALICE).await;
    assert!(rig.handsets.act(&id, Input::Answer).is_err());
    assert_eq!(rig.state(&id), State::Ringing);
}

#[tokio::test]
async fn a_voicemail_box_answers_as_a_machine_and_presses_no_key() {
    let rig = Rig::new()
        .on("voice/page", page())
        .on("voice/page/key", Document::default().say("en", "Goodbye."))
        .behaves(ALICE, Behaviour::Voicemail);
    let id = rig.place("att_1", ALICE).await;
    rig.pass(20).await;
    assert_eq!(rig.last_turn().answered_by, Some(AnsweredBy::Machine));
    rig.pass(20).await;
    assert_eq!(rig.last_turn().path, "voice/page/key");
    assert_eq!(rig.last_turn().digits, None);
    assert_eq!(rig.statuses(), [Status::Queued, Status::Ringing, Status::InProgress, Status::Completed]);
    assert_eq!(rig.last_receipt().answered_by, Some(AnsweredBy::Machine));
    insta::assert_snapshot!(rig.said(&id), @"
    Machine: You have reached a voicemail box. Please leave a message after the tone.
    Service: Ringdown. Acme, business stopped. Press 4 to acknowledge.
    Service: Goodbye.
    ");
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn a_key_pressed_during_the_prompt_interrupts_it_and_reaches_us() {
    let rig = Rig::new().on("voice/page", page()).on("voice/page/key", Document::default().say("en", "It is yours."));
    let id = rig.place("att_1", ALICE).await;
    assert!(rig.handsets.act(&id, Input::Press("4".into())).is_err(), "not before it is answered");
    rig.pass(3).await;
    rig.act(&id, Input::Answer).await;
    rig.pass(2).await;
    rig.act(&id, Input::Press("4".into())).await;
    let turn = rig.last_turn();
    assert_eq!((turn.path.as_str(), turn.param("a"), turn.param("n")), ("voice/page/key", Some("att_1"), Some("1")));
    assert_eq!(turn.digits.as_deref(), Some("4"));
    assert_eq!((turn.from.as_str(), turn.to.as_str(), turn.call_sid), (OURS, ALICE, id.clone()));
    rig.pass(1).await;
    assert_eq!(rig.last_receipt().seconds, Some(2));
    insta::assert_snapshot!(rig.said(&id), @"
    Service: Ringdown. Acme, business stopp…
    Phone: (presses 4)
    Service: It is yours.
    ");
}

#[tokio::test]
async fn a_phone_that_answers_and_presses_does_so_by_itself() {
    let rig = Rig::new()
        .on("voice/page", page())
        .on("voice/page/key", asks("Press 3 to confirm.", "voice/page/sure"))
        .behaves(ALICE, Behaviour::AnswersAndPresses { key: "43".into(), after: 6 });
    let id = rig.place("att_1", ALICE).await;
    rig.pass(5).await;
    assert_eq!(rig.state(&id), State::Ringing);
    rig.pass(20).await;
    let keys: Vec<_> = rig.desk.turns.lock().unwrap().iter().map(|turn| turn.digits.clone()).collect();
    assert_eq!(keys, [None, Some("4".into()), Some("3".into())]);
    assert_eq!(rig.last_receipt().answered_by, Some(AnsweredBy::Human));
    assert_eq!(rig.last_receipt().status, Some(Status::Completed));
}

#[tokio::test]
async fn a_rejected_call_is_busy() {
    let rig = Rig::new();
    let id = rig.place("att_1", ALICE).await;
    rig.act(&id, Input::Reject).await;
    assert_eq!(rig.last_receipt().status, Some(Status::Busy));
    assert!(rig.handsets.act(&id, Input::Answer).is_err());
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn a_busy_line_is_taken_and_never_rings() {
    let rig = Rig::new().behaves(ALICE, Behaviour::Busy);
    rig.place("att_1", ALICE).await;
    assert_eq!(rig.statuses(), [Status::Queued, Status::Busy]);
}

#[tokio::test]
async fn a_dead_number_is_refused_at_once_and_for_good() {
    let rig = Rig::new().behaves(ALICE, Behaviour::Dead);
    let error = rig.handsets.place_call(&call_to("att_1", ALICE)).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::PermanentContact);
    assert!(!error.message.contains("0123"));
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn a_slow_line_rings_later_and_then_as_long_as_any() {
    let rig = Rig::new().behaves(ALICE, Behaviour::Slow { seconds: 40 });
    let id = rig.place("att_1", ALICE).await;
    rig.pass(39).await;
    assert_eq!(rig.state(&id), State::Queued);
    assert!(rig.handsets.act(&id, Input::Answer).is_err());
    rig.pass(1).await;
    assert_eq!(rig.state(&id), State::Ringing);
    rig.pass(25).await;
    assert_eq!(rig.last_receipt().status, Some(Status::NoAnswer));
}

#[tokio::test]
async fn we_can_hang_up_while_it_rings_and_while_it_talks_and_after() {
    let rig = Rig::new().on("voice/page", page());
    let id = rig.place("att_1", ALICE).await;
    rig.handsets.hang_up(&id).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.last_receipt().status, Some(Status::Canceled));
    let id = rig.place("att_2", ALICE).await;
    rig.act(&id, Input::Answer).await;
    rig.handsets.hang_up(&id).await.unwrap();
    rig.settle().await;
    assert_eq!(rig.last_receipt().status, Some(Status::Completed));
    let told = rig.statuses().len();
    rig.handsets.hang_up(&id).await.unwrap();
    rig.handsets.hang_up("never heard of").await.unwrap();
    rig.settle().await;
    assert_eq!(rig.statuses().len(), told);
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn an_attempt_is_known_by_its_id_and_rings_once() {
    let rig = Rig::new();
    let id = rig.place("att_1", ALICE).await;
    assert_eq!(rig.place("att_1", ALICE).await, id);
    let sent = |attempt: &str| Sent {
        attempt: attempt.into(),
        channel: crate::people::Channel::Voice,
        to: number(ALICE),
        body: None,
        since: rig.hand.now(),
    };
    let known = rig.handsets.look_up(&sent("att_1")).await.unwrap().unwrap();
    assert_eq!((known.sid.as_str(), known.status), (id.as_str(), Status::Ringing));
    assert_eq!(rig.handsets.look_up(&sent("att_2")).await.unwrap(), None);
    assert_eq!(rig.handsets.look(|network| network.phones().map(|phone| phone.calls.len()).sum::<usize>()), 1);
}

#[tokio::test]
async fn an_engineer_who_calls_the_customer_back_talks_for_45_seconds() {
    let dial = Verb::Dial {
        to: number(BOB),
        ring: 20,
        limit_seconds: 3600,
        action: Action("voice/page/bridged?a=att_1".into()),
    };
    let rig = Rig::new()
        .on("voice/page", Document::default().then(dial))
        .on("voice/page/bridged", Document::default().say("en", "Good night."));
    let id = rig.place("att_1", ALICE).await;
    rig.act(&id, Input::Answer).await;
    let leg = rig.call_on(BOB);
    assert_eq!(rig.state(&leg), State::Ringing);
    rig.pass(7).await;
    rig.act(&leg, Input::Answer).await;
    rig.act(&leg, Input::Speak("Nobody can pay.".into())).await;
    rig.act(&id, Input::Speak("I am on it.".into())).await;
    rig.pass(45).await;
    rig.act(&leg, Input::HangUp).await;
    let bridge = rig.last_turn().bridge.unwrap();
    assert_eq!((bridge.sid, bridge.completed, bridge.seconds), (Some(leg.clone()), true, 45));
    rig.pass(2).await;
    assert_eq!(rig.last_receipt().seconds, Some(7 + 45));
    insta::assert_snapshot!(format!("{}\n--\n{}", rig.said(&id), rig.said(&leg)), @"
    Other: Nobody can pay.
    Phone: I am on it.
    Service: Good night.
    --
    Phone: Nobody can pay.
    Other: I am on it.
    ");
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn a_leg_that_is_not_answered_is_no_conversation() {
    let dial = |to| Verb::Dial { to: number(to), ring: 10, limit_seconds: 60, action: Action("voice/page/b".into()) };
    for (behaviour, after) in [(Behaviour::Manual, 10), (Behaviour::Busy, 0), (Behaviour::Dead, 0)] {
        let rig = Rig::new().on("voice/page", Document::default().then(dial(BOB))).behaves(BOB, behaviour);
        let id = rig.place("att_1", ALICE).await;
        rig.act(&id, Input::Answer).await;
        rig.pass(after).await;
        let bridge = rig.last_turn().bridge.unwrap();
        assert_eq!((bridge.completed, bridge.seconds), (false, 0));
        assert_eq!(rig.handsets.tasks(), 0);
    }
}

#[tokio::test]
async fn when_one_end_is_gone_the_other_does_not_ring_on_and_a_limit_is_kept() {
    let dial =
        |limit_seconds| Verb::Dial { to: number(BOB), ring: 10, limit_seconds, action: Action("voice/b".into()) };
    let rig = Rig::new().on("voice/page", Document::default().then(dial(60)));
    let id = rig.place("att_1", ALICE).await;
    rig.act(&id, Input::Answer).await;
    let leg = rig.call_on(BOB);
    rig.act(&id, Input::HangUp).await;
    assert_eq!(rig.state(&leg), State::Ended);
    let id = rig.place("att_2", ALICE).await;
    rig.act(&id, Input::Answer).await;
    rig.act(&rig.call_on(BOB), Input::Answer).await;
    rig.pass(60).await;
    assert_eq!(rig.last_turn().bridge.unwrap().seconds, 60);
    assert_eq!(rig.state(&rig.call_on(BOB)), State::Ended);
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn a_switchboard_that_is_ill_for_a_moment_is_asked_again() {
    let rig = Rig::new().on("voice/page", Document::default().say("en", "Hello."));
    let id = rig.place("att_1", ALICE).await;
    *rig.desk.ill.lock().unwrap() = 2;
    rig.act(&id, Input::Answer).await;
    rig.pass(6).await;
    assert_eq!(rig.said(&id), "Service: Hello.");
    // The receipt that fell into it came late, and came.
    let mut statuses = rig.statuses();
    statuses.sort_by_key(|status| status.rank());
    assert_eq!(statuses, [Status::Queued, Status::Ringing, Status::InProgress, Status::Completed]);
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn a_switchboard_that_stays_ill_ends_the_call_with_an_apology() {
    let rig = Rig::new();
    let id = rig.place("att_1", ALICE).await;
    *rig.desk.ill.lock().unwrap() = 14;
    rig.act(&id, Input::Answer).await;
    rig.pass(120).await;
    assert_eq!(rig.said(&id), "Carrier: An application error has occurred. Goodbye.");
    assert!(rig.statuses().contains(&Status::Failed), "the end is told when it can be");
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn a_document_that_leads_back_to_itself_ends() {
    let rig = Rig::new().on("voice/page", Document::default().then(Verb::Redirect(Action("voice/page".into()))));
    let id = rig.place("att_1", ALICE).await;
    rig.act(&id, Input::Answer).await;
    for _ in 0..30 {
        rig.settle().await;
    }
    assert_eq!(rig.call(&id, Call::status), Status::Failed);
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn nothing_is_taken_before_it_is_connected_and_nothing_lives_after_it_is_closed() {
    let (clock, _hand) = Clock::manual("2026-03-01T02:00:00Z".parse().unwrap());
    let handsets = Handsets::new("handsets".into(), number(OURS), 20, clock);
    let error = handsets.place_call(&call_to("att_1", ALICE)).await.unwrap_err();
    assert!(matches!(error.class, ErrorClass::Transient { .. }));
    let rig = Rig::new();
    rig.place("att_1", ALICE).await;
    assert_eq!(rig.handsets.tasks(), 1);
    rig.handsets.close().await;
    assert_eq!(rig.handsets.tasks(), 0);
}
