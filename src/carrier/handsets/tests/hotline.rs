use super::*;
use crate::carrier::handsets::{Act, WaitingFor};

/// Which priority, which number, what is wrong.
fn hotline() -> Rig {
    let record = Verb::Record {
        max_seconds: 60,
        action: Action("voice/promise?c=9".into()),
        transcript: Some(Action("recording?c=9".into())),
    };
    Rig::new()
        .on("voice", asks("Acme support. Press 1 if the business has stopped.", "voice/priority?c=9"))
        .on(
            "voice/priority",
            Document::default().then(gather("Key in your number, then hash.", Digits::UpTo(15), "voice/number?c=9")),
        )
        .on("voice/number", Document::default().say("en", "Say what is wrong.").then(record))
        .on("voice/promise", Document::default().say("en", "An engineer calls you back by 14:32."))
}

#[tokio::test]
async fn a_caller_walks_the_hotline_with_keys_and_words() {
    let rig = hotline();
    let id = rig.dial().await;
    let first = rig.last_turn();
    assert_eq!((first.path.as_str(), first.from.as_str(), first.to.as_str()), ("voice", ALICE, HOTLINE));
    assert_eq!((first.call_sid.as_str(), first.carrier.as_str()), (id.as_str(), "handsets"));
    assert_eq!(rig.call(&id, Call::waiting_for), WaitingFor::Keys);
    rig.pass(2).await;
    rig.act(&id, Input::Press("1".into())).await;
    assert_eq!((rig.last_turn().param("c"), rig.last_turn().digits.as_deref()), (Some("9"), Some("1")));
    rig.pass(4).await;
    rig.act(&id, Input::Press("12015".into())).await;
    rig.pass(4).await;
    rig.act(&id, Input::Press("550123#".into())).await;
    assert_eq!(rig.last_turn().digits.as_deref(), Some("12015550123"));
    rig.pass(2).await;
    assert_eq!(rig.call(&id, Call::waiting_for), WaitingFor::Recording);
    rig.act(&id, Input::Speak("This is Jo at Acme.".into())).await;
    rig.pass(2).await;
    rig.act(&id, Input::Speak("Nobody can pay.".into())).await;
    rig.pass(5).await;
    let promise = rig.last_turn();
    assert_eq!((promise.path.as_str(), promise.recording_seconds), ("voice/promise", Some(6)));
    let url = format!("/handsets/calls/{id}/recordings/1");
    assert_eq!(promise.recording_url.as_deref(), Some(url.as_str()));
    let recording = rig.desk.recordings.lock().unwrap().pop().unwrap();
    assert_eq!((recording.call_sid.as_str(), recording.url), (id.as_str(), Some(url)));
    assert_eq!(recording.query, [("c".to_string(), "9".to_string())]);
    assert_eq!(recording.transcript.as_deref(), Some("This is Jo at Acme. Nobody can pay."));
    rig.pass(3).await;
    let receipt = rig.last_receipt();
    assert_eq!((receipt.attempt, receipt.sid.as_str(), receipt.status), (None, id.as_str(), Some(Status::Completed)));
    assert_eq!(rig.desk.receipts.lock().unwrap().len(), 1);
    insta::assert_snapshot!(rig.said(&id), @"
    Service: Acme support. Press 1 if the b…
    Phone: (presses 1)
    Service: Key in your number, then hash.
    Phone: (presses 12015)
    Phone: (presses 550123#)
    Service: Say what is wrong.
    Carrier: (beep)
    Phone: This is Jo at Acme.
    Phone: Nobody can pay.
    Service: An engineer calls you back by 14:32.
    ");
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn a_caller_with_a_script_needs_no_hand() {
    let rig = hotline();
    let script = vec![Act::Press("1".into()), Act::Press("442079460958#".into()), Act::Say("All is down.".into())];
    let id = rig.handsets.dial(&number(ALICE), &number(HOTLINE), script).unwrap();
    rig.pass(40).await;
    let digits: Vec<_> = rig.desk.turns.lock().unwrap().iter().filter_map(|turn| turn.digits.clone()).collect();
    assert_eq!(digits, ["1", "442079460958"]);
    assert_eq!(rig.desk.recordings.lock().unwrap()[0].transcript.as_deref(), Some("All is down."));
    assert_eq!(rig.state(&id), State::Ended);
}

#[tokio::test]
async fn silence_goes_on_without_keys_and_without_a_recording() {
    let rig = hotline();
    let id = rig.dial().await;
    rig.pass(120).await;
    let turns = rig.desk.turns.lock().unwrap().clone();
    let paths: Vec<_> = turns.iter().map(|turn| turn.path.as_str()).collect();
    assert_eq!(paths, ["voice", "voice/priority", "voice/number", "voice/promise"]);
    assert!(turns.iter().all(|turn| turn.digits.is_none() && turn.recording_url.is_none()));
    assert!(rig.desk.recordings.lock().unwrap().is_empty());
    assert_eq!(rig.state(&id), State::Ended);
}

#[tokio::test]
async fn a_caller_who_hangs_up_in_the_middle_is_reported_with_what_was_said() {
    let rig = hotline();
    let id = rig.dial().await;
    rig.pass(2).await;
    rig.act(&id, Input::HangUp).await;
    assert_eq!((rig.last_receipt().attempt, rig.last_receipt().seconds), (None, Some(2)));
    let id = rig.dial().await;
    rig.act(&id, Input::Press("1".into())).await;
    rig.act(&id, Input::Press("#".into())).await;
    assert_eq!(rig.last_turn().digits, None);
    rig.pass(2).await;
    rig.act(&id, Input::Speak("Help.".into())).await;
    rig.act(&id, Input::HangUp).await;
    assert_eq!(rig.desk.recordings.lock().unwrap()[0].transcript.as_deref(), Some("Help."));
    assert_eq!((rig.last_receipt().sid, rig.last_receipt().status), (id, Some(Status::Completed)));
    assert_eq!(rig.handsets.tasks(), 0);
}

#[tokio::test]
async fn a_rejected_caller_hears_that_the_line_is_busy() {
    let rig = Rig::new().on("voice", Document::default().then(Verb::Reject));
    let id = rig.dial().await;
    assert_eq!(rig.call(&id, Call::status), Status::Busy);
    assert_eq!((rig.last_receipt().attempt, rig.last_receipt().seconds), (None, Some(0)));
}

#[tokio::test]
async fn a_phone_has_only_a_few_calls_at_once_and_remembers_only_the_last() {
    let rig = hotline();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(rig.dial().await);
    }
    assert!(rig.handsets.dial(&number(ALICE), &number(HOTLINE), Vec::new()).is_err());
    for id in &ids[1..] {
        rig.act(id, Input::HangUp).await;
    }
    for _ in 0..150 {
        let id = rig.dial().await;
        rig.act(&id, Input::HangUp).await;
    }
    rig.handsets.look(|network| {
        let phone = network.phones().next().unwrap();
        assert_eq!(phone.calls.len(), 100);
        assert!(network.call(&ids[0]).is_some_and(|call| !call.has_ended()), "a live call is never forgotten");
    });
    assert_eq!(rig.handsets.tasks(), 1);
}
