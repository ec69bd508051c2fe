//! The world under the eyes of its checkers.

use super::*;

/// How many worlds a run of the tests lives through.
const SEEDS: u64 = 150;

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
    let mut counters = Counters::default();
    for seed in 0..SEEDS {
        let lived = examine(seed, None);
        if let Some(failure) = lived.failure {
            panic!("{failure}");
        }
        counters.add(&lived.counters);
    }
    let never: Vec<&str> =
        Fault::ALL.iter().filter(|fault| counters.of(**fault) == 0).map(|fault| fault.words()).collect();
    assert_eq!(never, [""; 0], "a fault that never happens proves nothing");
}
