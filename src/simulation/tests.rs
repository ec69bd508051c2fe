//! The world under the eyes of its checkers.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use rstest::rstest;

use super::*;

/// How many worlds a run of the tests lives through; `RINGDOWN_WORLDS=20000` for a long one.
const WORLDS: u64 = 2000;

/// Within how many worlds a planted bug must be found.
const MOST: u64 = 120;

fn worlds() -> u64 {
    std::env::var("RINGDOWN_WORLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(WORLDS)
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in [3, 4] {
        let (one, two) = (live(seed, None, true), live(seed, None, true));
        assert_eq!(one.trace, two.trace);
        assert!(one.trace.len() > 100, "nothing happened");
    }
}

#[test]
fn no_invariant_is_broken_in_any_world_and_every_fault_happens_in_some() {
    let next = AtomicU64::new(0);
    let live_on = || {
        let mut counters = Counters::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= worlds() {
                return counters;
            }
            let lived = examine(seed, None);
            if let Some(failure) = lived.failure {
                panic!("{failure}");
            }
            counters.add(&lived.counters);
        }
    };
    let mut counters = Counters::default();
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let all: Vec<_> = (0..cores).map(|_| scope.spawn(live_on)).collect();
        all.into_iter().for_each(|one| counters.add(&one.join().expect("no invariant is broken")));
    });
    let never: Vec<&str> =
        Fault::ALL.iter().filter(|fault| counters.of(**fault) == 0).map(|fault| fault.words()).collect();
    assert_eq!(never, [""; 0], "a fault that never happens proves nothing");
}

#[rstest]
#[case(Mutant::AcknowledgeBeforeCommit, &["1"])]
#[case(Mutant::CommitBeforeSync, &["1", "4", "5", "6", "10"])]
#[case(Mutant::MarkSentBeforeSending, &["4"])]
#[case(Mutant::LeaseWithoutFence, &["5"])]
#[case(Mutant::SleepOnWallClock, &["after"])]
#[case(Mutant::VoicemailAnswers, &["3"])]
#[case(Mutant::TimerOutsideTransaction, &["6"])]
#[case(Mutant::StatusMovesDown, &["11"])]
#[case(Mutant::OldestFirst, &["12"])]
#[case(Mutant::ResendWithoutLookUp, &["4"])]
#[case(Mutant::DropWhenCarrierDown, &["4", "2"])]
#[case(Mutant::DueWhenNoticed, &["7"])]
fn a_planted_bug_is_found_by_the_checker_of_its_invariant(#[case] mutant: Mutant, #[case] by: &[&str]) {
    let found = (0..MOST).find_map(|seed| Some((seed, live(seed, Some(mutant), false).failure?)));
    let (seed, failure) = found.unwrap_or_else(|| panic!("{mutant} was not found in {MOST} worlds"));
    println!("| `{mutant}` | {} | {} | {} |", failure.invariant, seed + 1, failure.what);
    let name = failure.invariant.split_whitespace().next().unwrap_or_default();
    assert!(by.contains(&name), "{mutant}: {failure}");
}

#[test]
fn every_planted_bug_has_a_name_that_is_read_back() {
    for mutant in Mutant::ALL {
        assert_eq!(mutant.key().parse(), Ok(*mutant));
    }
    assert!("none".parse::<Mutant>().unwrap_err().contains("lease-without-fence"));
}
