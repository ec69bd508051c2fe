//! What must hold whatever happens.

use proptest::prelude::*;

use super::*;

/// Whatever anybody may want of an incident.
pub(super) fn any_command() -> impl Strategy<Value = Command> {
    let who = prop_oneof![
        prop::sample::select(vec!["engineer", "lead", "manager", "executive", "founder", "stranger"])
            .prop_map(|key| Actor::Person(PersonKey::from(key))),
        Just(Actor::Token("bot".into())),
        Just(Actor::Integration("alerts".into())),
    ];
    let key = prop::sample::select(vec!['4', '5', '9', '*', '1', '#']);
    let priority = prop::sample::select(Priority::ALL.to_vec());
    prop_oneof![
        who.clone().prop_map(|by| Command::Acknowledge { by, via: Via::Api, page: None }),
        who.clone().prop_map(|by| Command::PassOn { by, via: Via::Sms, page: None }),
        (1..12u32, key).prop_map(|(page, key)| Command::KeyPress { page, key }),
        who.clone().prop_map(|by| Command::StartCallback { by }),
        (who.clone(), 0..90u32).prop_map(|(by, seconds)| Command::RecordResponse {
            by,
            evidence: Evidence::Conversation { calls: vec![], seconds }
        }),
        (who.clone(), any::<bool>()).prop_map(|(by, live)| Command::RecordResponse {
            by,
            evidence: match live {
                true => Evidence::Connected { call: "CA1".into() },
                false => Evidence::Attested { note: "spoke with Ada".into() },
            }
        }),
        (who.clone(), "[ab]{0,3}", any::<bool>()).prop_map(|(by, text, customer_visible)| Command::PostUpdate {
            by,
            text,
            customer_visible
        }),
        (who.clone(), priority).prop_map(|(by, priority)| Command::SetPriority { by, priority, reason: "so".into() }),
        who.clone().prop_map(|by| Command::Escalate { by, why: "so".into() }),
        prop::option::of(0..4usize).prop_map(|level| Command::CustomerEscalates {
            why: "worse".into(),
            level,
            occurred_at: None
        }),
        who.clone().prop_map(|by| Command::NoteUpstream { by, service: "Cloud".into(), words: "slow".into() }),
        who.clone().prop_map(|by| Command::OfferCall { by }),
        Just(Command::CustomerReplies { text: "here are the logs".into() }),
        who.clone().prop_map(|by| Command::RuleOut { by, note: "it is their network".into() }),
        who.clone().prop_map(|by| Command::Reengage { by, why: "it is not".into() }),
        (who.clone(), any::<bool>()).prop_map(|(by, last)| Command::DeliverRca {
            by,
            stage: if last { RcaStage::Final } else { RcaStage::Draft },
            text: "because".into()
        }),
        who.clone().prop_map(|by| Command::AddResponder { by, person: "manager".into() }),
        who.clone().prop_map(|by| Command::AssignCommander { by, person: "lead".into() }),
        who.clone().prop_map(|by| Command::WaitOnCustomer { by, reason: "logs".into() }),
        who.clone().prop_map(|by| Command::Resume { by }),
        who.clone().prop_map(|by| Command::Resolve { by, note: String::new() }),
        who.clone().prop_map(|by| Command::Reopen { by, why: "again".into() }),
        who.prop_map(|by| Command::Cancel { by, reason: "mistake".into() }),
        (1..12u32, any::<bool>()).prop_map(|(page, definite)| Command::PageExhausted { page, definite }),
        Just(Command::Signal { summary: "again".into() }),
        Just(Command::TimerFired),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_happens_the_invariants_hold(
        first in prop::sample::select(Priority::ALL.to_vec()),
        steps in prop::collection::vec((any_command(), 0..90i64, any::<bool>()), 1..40),
    ) {
        let mut life = Life::begin(config());
        life.run(report(first)).unwrap();
        for (command, minutes, watched) in steps {
            if watched { life.wait(minutes) } else { life.now += TimeDelta::minutes(minutes) }
            let closed_before = !life.it().is_open();
            let pages_before = life.paged().len();
            let reopening = matches!(command, Command::Reopen { .. } | Command::CustomerReplies { .. });
            let _ = life.run(command);

            // No page after the end.
            if closed_before && !reopening {
                prop_assert_eq!(life.paged().len(), pages_before);
            }
            // An open incident has a next due action; a closed one has none.
            prop_assert_eq!(agenda::next(life.it()).is_some(), life.it().phase == Phase::Open);
            // Once the timer fired, nothing that is due is left undone.
            if life.it().is_open() {
                life.run(Command::TimerFired).unwrap();
                prop_assert!(agenda::next(life.it()).unwrap().0 > life.now);
            }
            // One open page a person.
            let mut open: Vec<_> = life.it().open_pages().map(|(_, page)| page.person.clone()).collect();
            open.sort();
            let distinct = { let mut all = open.clone(); all.dedup(); all.len() };
            prop_assert_eq!(open.len(), distinct);
            // A closed incident has no open page.
            prop_assert!(life.it().is_open() || open.is_empty());
        }
        // The events give the state, also after a trip through JSON.
        let text = serde_json::to_string(&life.events).unwrap();
        let events: Vec<Recorded> = serde_json::from_str(&text).unwrap();
        let replayed = Incident::replay(&IncidentId::from("inc_test"), &events);
        prop_assert_eq!(replayed.as_ref(), life.incident.as_ref());
        // Every window that ended is in the record, without a hole, and missed ones carry the instant they were due.
        let numbers: Vec<u32> = life.it().updates.past.iter().map(|window| window.number).collect();
        let expected: Vec<u32> = (1..=numbers.len() as u32).collect();
        prop_assert_eq!(numbers, expected);
    }
}
