use proptest::prelude::*;

use super::*;
use crate::report::compliance::{Counts, Subject};

/// What may be in a record, true or not.
fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(acknowledged(None)),
        Just(responded(false)),
        Just(resolved()),
        Just(Event::Reopened { by: ben(), why: "again".into() }),
        Just(Event::Cancelled { by: ben(), reason: "mistake".into() }),
        Just(Event::WaitingOnCustomer { by: ben(), reason: "which?".into() }),
        Just(Event::CustomerReplied { text: "this".into() }),
        (1u32..6).prop_map(|window| updated(window, &format!("Word {window}."))),
        (1u32..6, 0i64..600).prop_map(|(window, due)| Event::UpdateMet { window, due: minute(due) }),
        (1u32..6, 0i64..600).prop_map(|(window, due)| Event::UpdateMissed { window, due: minute(due) }),
        (0i64..600).prop_map(|due| Event::ResponseMissed { due: minute(due) }),
        (0i64..600).prop_map(|due| Event::ResolutionMissed { due: minute(due) }),
        (1u32..9, prop_oneof![Just("ben"), Just("carla"), Just("stranger")]).prop_map(|(n, person)| paged(n, person)),
        prop_oneof![Just(Priority::P1), Just(Priority::P2), Just(Priority::P3)].prop_map(|to| Event::PriorityChanged {
            by: ben(),
            from: Priority::P1,
            to,
            reason: "worse".into(),
        }),
    ]
}

fn any_case() -> impl Strategy<Value = Case> {
    let priority = prop_oneof![Just(Priority::P1), Just(Priority::P2), Just(Priority::P3)];
    (priority, 0i64..500, prop::collection::vec((0i64..120, any_event()), 0..14)).prop_map(
        |(priority, start, steps)| {
            let mut events = vec![(start, opened("4821", priority, plan("gold")))];
            let mut at = start;
            for (pause, event) in steps {
                at += pause;
                events.push((at, event));
            }
            case("4821", events, &[(start, "ben", Channel::Sms)])
        },
    )
}

fn sum<'a>(counts: impl Iterator<Item = &'a Counts>) -> [u64; 5] {
    counts.fold([0; 5], |sum, counts| {
        let add = [counts.kept, counts.late, counts.missed, counts.waived, counts.open];
        std::array::from_fn(|place| sum[place] + add[place])
    })
}

proptest! {
    #[test]
    fn totals_add_up(cases in prop::collection::vec(any_case(), 0..6), as_of in 0i64..2500) {
        let report = report(cases, Scope { as_of: minute(as_of), ..scope(0, 1000) });
        let all = sum([&report.promises].into_iter());
        prop_assert_eq!(all, sum(report.by_priority.iter().map(|line| &line.counts)));
        let subjects = || report.by_priority.iter().flat_map(|line| &line.promises);
        prop_assert_eq!(all, sum(subjects().map(|line| &line.counts)));
        let updates = subjects().filter(|line| line.promise == Subject::Update).map(|line| &line.counts);
        prop_assert_eq!(sum(updates), sum(report.updates_by_hour.iter().map(|line| &line.counts)));
        let listed: usize = report.incidents.iter().map(|line| line.promises.len()).sum();
        prop_assert_eq!(all.iter().sum::<u64>(), listed as u64);
        prop_assert_eq!(report.promises.all(), listed as u64);
        for person in &report.people {
            prop_assert!(person.at_night <= person.pages && person.nights <= person.at_night);
            prop_assert!(person.acknowledged <= person.pages);
        }
    }

    #[test]
    fn two_reports_that_follow_each_other_count_what_one_over_both_counts(
        cases in prop::collection::vec(any_case(), 0..6), cut in 1i64..999,
    ) {
        let whole = report(cases.clone(), scope(0, 1000));
        let (first, second) = (report(cases.clone(), scope(0, cut)), report(cases, scope(cut, 1000)));
        prop_assert_eq!(whole.opened, first.opened + second.opened);
        prop_assert_eq!(sum([&whole.promises].into_iter()), sum([&first.promises, &second.promises].into_iter()));
        let pages = |report: &Compliance| report.people.iter().map(|person| person.pages).sum::<u64>();
        prop_assert_eq!(pages(&whole), pages(&first) + pages(&second));
    }
}
