//! What holds whatever anybody does, in whatever order.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    carrier::handsets::{happening::Effect, network::Network},
    clock::Time,
};

/// What anybody can do, to the first, second, … call.
#[derive(Clone, Debug)]
enum Step {
    Place(u8),
    Dial,
    Do(usize, Input),
    Wait(i64),
}

fn verb() -> impl Strategy<Value = Verb> {
    let action = || (0..4u8).prop_map(|n| Action(format!("voice/{n}?n={n}")));
    let say = "[a-z ]{0,40}".prop_map(|text| Verb::Say { text, language: "en".into() });
    prop_oneof![
        say,
        (0..3u8).prop_map(Verb::Pause),
        (0..3u8, 0..4u8, 0..9u8, action()).prop_map(|(pause, most, timeout, action)| Verb::Gather {
            prompts: vec![Verb::Pause(pause)],
            digits: if most == 0 { Digits::One } else { Digits::UpTo(most) },
            timeout,
            action,
        }),
        (0..20u16, action(), proptest::option::of(action()))
            .prop_map(|(max_seconds, action, transcript)| Verb::Record { max_seconds, action, transcript }),
        (0..9u8, 0..60u32, action()).prop_map(|(ring, limit_seconds, action)| Verb::Dial {
            to: number(BOB),
            ring,
            limit_seconds,
            action
        }),
        action().prop_map(Verb::Redirect),
        Just(Verb::Hangup),
        Just(Verb::Reject),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let input = prop_oneof![
        4 => Just(Input::Answer),
        1 => Just(Input::Reject),
        1 => Just(Input::HangUp),
        1 => Just(Input::Cancel),
        3 => "[0-9*#]{1,4}".prop_map(Input::Press),
        3 => "[a-z ]{1,30}".prop_map(Input::Speak),
        1 => Just(Input::Heard(None)),
    ];
    prop_oneof![
        1 => (0..6u8).prop_map(Step::Place),
        1 => Just(Step::Dial),
        6 => (0..6usize, input).prop_map(|(call, input)| Step::Do(call, input)),
        4 => (0..30i64).prop_map(Step::Wait),
    ]
}

/// Answers every question from the documents, and collects the receipts.
fn carry_out(network: &mut Network, documents: &[Document], receipts: &mut Vec<Receipt>, now: Time) {
    for _ in 0..5000 {
        let mut quiet = true;
        for id in network.take_touched() {
            network.pass(&id, now);
            while let Some(effect) = network.next_effect(&id) {
                quiet = false;
                match effect {
                    Effect::Ask(turn) => {
                        let at = turn.param("n").map_or(0, |n| n.parse::<usize>().unwrap());
                        let _ = network.act(&id, Input::Heard(documents.get(at).cloned()), now);
                    }
                    Effect::Report(receipt) => receipts.push(receipt),
                    Effect::Recorded(recording) => assert!(recording.transcript.is_some()),
                }
            }
        }
        if quiet {
            return;
        }
    }
    panic!("it never becomes quiet");
}

proptest! {
    #[test]
    fn every_call_ends_and_its_end_is_told_once(
        documents in proptest::collection::vec(proptest::collection::vec(verb(), 0..4), 3),
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let documents: Vec<_> = documents.into_iter().map(|verbs| Document { verbs }).collect();
        let mut network = Network::new("handsets".into(), number(OURS), TimeDelta::seconds(20));
        let mut now: Time = "2026-03-01T02:00:00Z".parse().unwrap();
        let (mut ids, mut receipts) = (Vec::<String>::new(), Vec::new());
        for step in steps {
            let sid = format!("call_{}", ids.len());
            match step {
                Step::Place(n) => {
                    let call = call_to(&format!("att_{n}"), ALICE);
                    ids.extend(network.place_call(sid, &call, now).ok().map(|accepted| accepted.sid));
                }
                Step::Dial => {
                    if network.dial(sid.clone(), &number(ALICE), &number(HOTLINE), Vec::new(), now).is_ok() {
                        ids.push(sid);
                    }
                }
                Step::Do(at, input) => {
                    let all: Vec<String> = network.phones().flat_map(|phone| phone.calls.clone()).collect();
                    if let Some(id) = all.get(at) {
                        let _ = network.act(id, input, now);
                    }
                }
                Step::Wait(seconds) => now += TimeDelta::seconds(seconds),
            }
            carry_out(&mut network, &documents, &mut receipts, now);
        }
        // With time, everything ends by itself; several calls that ask the same again for hours take many steps.
        for _ in 0..60_000 {
            let live: Vec<String> = network.phones().flat_map(|phone| network.live(phone)).map(|c| c.id.clone()).collect();
            let due = live.iter().filter_map(|id| network.call(id).unwrap().due()).min();
            prop_assert_eq!(due.is_none(), live.is_empty(), "a call that lives has a next instant");
            let Some(due) = due else { break };
            now = now.max(due);
            live.iter().for_each(|id| network.pass(id, now));
            carry_out(&mut network, &documents, &mut receipts, now);
        }
        ids.sort();
        ids.dedup();
        for id in ids {
            let finals = receipts.iter().filter(|receipt| receipt.sid == id && receipt.status.unwrap().is_final());
            prop_assert_eq!(finals.count(), 1);
            prop_assert!(network.call(&id).unwrap().has_ended());
        }
        prop_assert!(receipts.iter().all(|receipt| !receipt.sid.contains('.')), "a leg is no attempt of ours");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_run_on_a_fast_clock_and_on_many_threads() {
    let (clock, _speed) = Clock::scaled("2026-03-01T02:00:00Z".parse().unwrap(), 600.0);
    let handsets = Handsets::new("handsets".into(), number(OURS), 20, clock);
    let desk = Arc::new(Desk::default());
    desk.documents.lock().unwrap().insert("voice/page".into(), asks("Press 4.", "voice/page/key"));
    handsets.connect(desk.clone());
    let phones: Vec<_> = (0..40).map(|n| format!("+120155501{n:02}")).collect();
    for (n, phone) in phones.iter().enumerate() {
        let after = n as u32 % 10;
        handsets.behave(&number(phone), Behaviour::AnswersAndPresses { key: "4".into(), after });
        handsets.place_call(&call_to(&format!("att_{n}"), phone)).await.unwrap();
    }
    let mut changes = handsets.changes();
    let all_over = async {
        while handsets.tasks() > 0 {
            let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_over).await.expect("every task ends");
    let turns = desk.turns.lock().unwrap();
    assert_eq!(turns.iter().filter(|turn| turn.digits.as_deref() == Some("4")).count(), 40);
    let receipts = desk.receipts.lock().unwrap();
    assert_eq!(receipts.iter().filter(|receipt| receipt.status == Some(Status::Completed)).count(), 40);
}
