//! Callers who wait in a queue, and those who answer it.

use super::*;

fn enqueue() -> Document {
    let (hold, action) = (Action("voice/hold".into()), Action("voice/wait?n=1".into()));
    Document::default().say("en", "Stay on the line.").then(Verb::Enqueue { queue: "inc_1".into(), hold, action })
}

fn answer() -> Document {
    let (connect, action) = (Action("voice/connected".into()), Action("voice/page/talked?a=att_1".into()));
    let verb = Verb::Answer { queue: "inc_1".into(), patience: 20, limit_seconds: 600, connect, action };
    Document::default().say("en", "Connecting.").then(verb)
}

/// Alice is put into the queue when she dials; Bob answers the queue when he picks up.
fn rig() -> Rig {
    Rig::new()
        .on("voice", enqueue())
        .on("voice/hold", Document::default().say("en", "Please wait.").then(Verb::Pause(5)))
        .on("voice/connected", Document::default().say("en", "Here they are."))
        .on("voice/page", answer())
}

/// The turns on this path: how the bridge ended, and how the wait did.
fn turns(rig: &Rig, path: &str) -> Vec<Turn> {
    rig.desk.turns.lock().unwrap().iter().filter(|turn| turn.path == path).cloned().collect()
}

async fn bob_picks_up(rig: &Rig) -> String {
    let id = rig.place("att_1", BOB).await;
    rig.pass(1).await;
    rig.act(&id, Input::Answer).await;
    id
}

#[tokio::test]
async fn the_words_for_a_waiting_caller_are_asked_for_again_and_again() {
    let rig = rig();
    let alice = rig.dial().await;
    rig.pass(20).await;
    assert_eq!(rig.state(&alice), State::Talking);
    assert!(turns(&rig, "voice/hold").len() >= 3);
    assert!(turns(&rig, "voice/hold").iter().all(|turn| turn.call_sid == alice));
}

#[tokio::test]
async fn whoever_answers_the_queue_talks_with_the_caller_and_both_calls_go_on() {
    for who_hangs_up in ["caller", "engineer"] {
        let rig = rig();
        let alice = rig.dial().await;
        rig.pass(10).await;
        let bob = bob_picks_up(&rig).await;
        rig.pass(4).await;
        assert_eq!(turns(&rig, "voice/connected")[0].call_sid, alice);
        let peer = |id: &str| rig.call(id, |call| call.connected_with().map(String::from));
        assert_eq!((peer(&alice), peer(&bob)), (Some(bob.clone()), Some(alice.clone())));
        rig.act(&bob, Input::Speak("Hello?".into())).await;
        assert!(rig.said(&alice).ends_with("Other: Hello?"), "{}", rig.said(&alice));
        rig.act(&alice, Input::Speak("All is down.".into())).await;
        assert!(rig.said(&bob).ends_with("Other: All is down."), "{}", rig.said(&bob));
        rig.pass(40).await;
        assert_eq!(turns(&rig, "voice/hold").iter().filter(|turn| turn.call_sid != alice).count(), 0);
        if who_hangs_up == "caller" {
            rig.act(&alice, Input::HangUp).await;
            let bridge = turns(&rig, "voice/page/talked")[0].bridge.clone().unwrap();
            assert!(bridge.completed && (38..=44).contains(&bridge.seconds), "{bridge:?}");
            assert_eq!(bridge.sid, Some(alice));
        } else {
            rig.act(&bob, Input::HangUp).await;
            let waited = turns(&rig, "voice/wait")[0].waited.unwrap();
            assert!(waited.bridged && (8..=16).contains(&waited.seconds), "{waited:?}");
        }
        assert_eq!(turns(&rig, "voice/wait").len() + turns(&rig, "voice/page/talked").len(), 1);
    }
}

#[tokio::test]
async fn a_caller_who_comes_a_little_later_is_waited_for() {
    let rig = rig();
    let bob = bob_picks_up(&rig).await;
    rig.pass(8).await;
    let alice = rig.dial().await;
    rig.pass(6).await;
    assert_eq!(rig.call(&alice, |call| call.connected_with().map(String::from)), Some(bob));
}

#[tokio::test]
async fn an_empty_queue_is_answered_by_nobody() {
    let rig = rig();
    let alice = rig.dial().await;
    rig.pass(5).await;
    rig.act(&alice, Input::HangUp).await;
    bob_picks_up(&rig).await;
    rig.pass(25).await;
    let bridge = turns(&rig, "voice/page/talked")[0].bridge.clone().unwrap();
    assert_eq!((bridge.completed, bridge.seconds), (false, 0));
    assert!(turns(&rig, "voice/connected").is_empty());
}

#[tokio::test]
async fn a_caller_leaves_the_queue_when_told_to() {
    let rig = rig().on("voice/hold", Document::default().then(Verb::Leave));
    rig.dial().await;
    rig.pass(5).await;
    let waited = turns(&rig, "voice/wait")[0].waited.unwrap();
    assert!(!waited.bridged);
    assert_eq!(turns(&rig, "voice/hold").len(), 1);
}

#[tokio::test]
async fn two_callers_and_one_who_answers_leave_one_caller_waiting() {
    let rig = rig();
    let first = rig.dial().await;
    rig.pass(3).await;
    let second = rig.dial().await;
    rig.pass(3).await;
    let bob = bob_picks_up(&rig).await;
    rig.pass(5).await;
    let peer = |id: &str| rig.call(id, |call| call.connected_with().map(String::from));
    assert_eq!((peer(&first), peer(&second)), (Some(bob), None));
    assert_eq!(rig.state(&second), State::Talking);
}
