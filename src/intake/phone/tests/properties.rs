//! What holds for every caller, whatever they press and whenever they hang up.

use proptest::prelude::*;

use super::*;
use crate::intake::phone::{Step, conversation::LONGEST, report};

/// What a caller may do at a question.
#[derive(Clone, Debug)]
enum Act {
    Keys(String),
    Silence,
    Speak,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => "[1-3]".prop_map(Act::Keys),
        2 => Just(Act::Silence),
        2 => Just(Act::Speak),
        1 => "[0-9*#]{0,20}".prop_map(Act::Keys),
        1 => Just(Act::Keys(PIN.into())),
        1 => Just(Act::Keys("2015550123".into())),
        1 => any::<String>().prop_map(Act::Keys),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    let caller = prop::sample::select(vec![ACME, STRANGER, "", "anonymous", "client:ann", "+266696687"]);
    let open = prop::collection::vec(prop::sample::select(Priority::ALL.to_vec()), 0..3);
    let kind = 0u8..32;
    (caller, open, any::<bool>(), any::<bool>(), any::<bool>(), kind).prop_map(
        |(caller, open, flood, locked, bare, kind)| {
            let mut line = Line::from(caller);
            line.open = open.into_iter().map(|priority| known(priority, &line.call)).collect();
            line.flood = flood.then(|| known(Priority::P3, &line.call));
            line.pin_locked = locked;
            // Every kind of plan, and every state of what is known.
            let (live, levels, out) = (kind & 1 > 0, kind & 2 > 0, kind & 4 > 0);
            for plan in line
                .config
                .customers
                .values_mut()
                .map(|customer| &mut customer.plan)
                .chain(line.config.plans.values_mut())
            {
                plan.priorities.values_mut().for_each(|promise| promise.live = live);
            }
            for about in &mut line.open {
                about.live = if live { vec![Priority::P1, Priority::P2] } else { vec![] };
                about.levels = levels.then(|| vec!["team lead".into(), "manager".into()]);
                (about.ruled_out, about.responded, about.held) = (out, !live, !live);
                about.waiting = (kind & 8 > 0).then(|| "Please send the logs".into());
            }
            line.idle = (kind & 16 > 0).then(|| Summary { idle: true, over: true, ..known(Priority::P2, &line.call) });
            if bare {
                line.config = Config::default();
            }
            line
        },
    )
}

fn does(line: &mut Line, act: &Act) {
    let url = "https://recordings.test/1";
    match act {
        Act::Keys(keys) => line.input(Some(keys), None),
        Act::Silence => line.input(None, None),
        Act::Speak => line.input(None, Some(url)),
    }
}

/// Whether an incident was opened or told.
fn decided(done: &[Doing]) -> bool {
    done.iter().any(|doing| matches!(doing, Doing::Open(_) | Doing::Tell { .. }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_call_ends_with_an_incident(line in line(), acts in prop::collection::vec(act(), 0..30)) {
        let mut line = line.ring();
        for act in &acts {
            does(&mut line, act);
        }
        let line = line.hang_up();
        prop_assert!(decided(&line.done));
        prop_assert!(line.call.incident.is_some());
        let opened = line.done.iter().filter(|doing| matches!(doing, Doing::Open(_))).count();
        prop_assert!(opened <= 1);
        prop_assert!(report::detail(&line.call).chars().count() <= 8_000);
    }

    #[test]
    fn every_call_comes_to_its_end_in_a_bounded_number_of_turns(line in line(), acts in prop::collection::vec(act(), LONGEST)) {
        let mut line = line.ring();
        for act in &acts {
            does(&mut line, act);
        }
        prop_assert!(line.call.answers.asked.len() <= LONGEST);
        let ended = matches!(line.call.current(), Some((_, Step::Promise { .. })));
        prop_assert!(ended);
        prop_assert!(line.document().verbs.ends_with(&[Verb::Hangup]));
        prop_assert!(decided(&line.done));
    }

    #[test]
    fn a_turn_that_comes_again_changes_nothing(
        line in line(),
        acts in prop::collection::vec(act(), 1..20),
        late in any::<prop::sample::Index>(),
    ) {
        let mut line = line.ring();
        let mut turns = Vec::new();
        for act in &acts {
            let input = match act {
                Act::Keys(keys) => line.pressing(Some(keys), None),
                Act::Silence => line.pressing(None, None),
                Act::Speak => line.pressing(None, Some("https://recordings.test/1")),
            };
            line.turn(&input);
            let (call, done, answer) = (line.call.clone(), line.done.clone(), line.document());
            line.turn(&input);
            prop_assert_eq!((&line.call, &line.done, line.document()), (&call, &done, answer.clone()));
            turns.push((input, answer));
        }
        // One of them once more, when the call went on; with other keys, for good measure.
        let (input, answer) = late.get(&turns);
        let (call, done) = (line.call.clone(), line.done.clone());
        line.turn(&Input { keys: Some("2".into()), ..input.clone() });
        prop_assert_eq!((&line.call, &line.done, &line.document()), (&call, &done, answer));
    }

    #[test]
    fn an_end_that_is_told_twice_changes_nothing(line in line(), acts in prop::collection::vec(act(), 0..12)) {
        let mut line = line.ring();
        for act in &acts {
            does(&mut line, act);
        }
        let line = line.hang_up();
        let (call, done) = (line.call.clone(), line.done.len());
        let line = line.hang_up();
        prop_assert_eq!(line.done.len(), done);
        prop_assert_eq!(line.call, call);
    }

    #[test]
    fn a_call_that_goes_on_after_its_end_was_told_opens_nothing_more(
        line in line(),
        before in prop::collection::vec(act(), 0..8),
        after in prop::collection::vec(act(), 0..16),
    ) {
        let mut line = line.ring();
        for act in &before {
            does(&mut line, act);
        }
        line = line.hang_up();
        let incident = line.call.incident.clone();
        for act in &after {
            does(&mut line, act);
        }
        prop_assert_eq!(&line.call.incident, &incident);
        prop_assert!(line.done.iter().filter(|doing| matches!(doing, Doing::Open(_))).count() <= 1);
    }
}
