//! Whose clock is wrong? Pure.
//!
//! Each node measures how far its own clock is ahead of the database's. A node that is more than a second away from the
//! others goes by their time until its clock is set right, so that it fires no timer early, calls no promise missed that
//! is not, and keeps its leases as long as the others think it does. It is not stopped: it answers, and its people wait.
//!
//! The database's clock is one voice among others, not the judge: if it is the one that is wrong, all nodes say so, and
//! nobody follows it. A node that is alone fires early for nobody: it keeps its own time and says what it found.

use chrono::TimeDelta;

/// What clocks that are kept by NTP may differ by, and a measurement over a network be wrong by.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// By how much a node's clock is to be moved back: zero while it is near the others. All are measured against the
/// database's clock, in which zero is right; of an even number of voices the slower of the two in the middle counts,
/// because late is better than early. `corrected`: it is corrected now, and stays so until it is well within bounds.
pub fn correction(own: TimeDelta, others: &[TimeDelta], corrected: bool) -> TimeDelta {
    if others.is_empty() {
        return TimeDelta::zero();
    }
    let mut voices: Vec<TimeDelta> = others.iter().copied().chain([own, TimeDelta::zero()]).collect();
    voices.sort();
    let off = own - voices[(voices.len() - 1) / 2];
    let bound = if corrected { TOLERANCE / 2 } else { TOLERANCE };
    if off.abs() <= bound { TimeDelta::zero() } else { off }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(n: f64) -> TimeDelta {
        TimeDelta::milliseconds((n * 1000.0) as i64)
    }

    #[test]
    fn a_node_goes_by_the_others_when_it_is_the_one_that_is_wrong() {
        for (what, own, others, back) in [
            ("all are right", 0.01, vec![0.0, -0.02], 0.0),
            ("a little fast", 0.9, vec![0.0, 0.0], 0.0),
            ("fast", 5.0, vec![0.2, 0.1], 4.9),
            ("fast, of two", 5.0, vec![0.0], 5.0),
            ("slow", -5.0, vec![0.0, 0.0], -5.0),
            ("another one is fast", 0.0, vec![5.0, 0.1], 0.0),
            ("the database is an hour behind", 3600.0, vec![3600.1, 3599.9], 0.0),
            ("the database is an hour ahead", -3600.0, vec![-3600.1, -3599.9], 0.0),
            ("alone, whoever is wrong", 3600.0, vec![], 0.0),
            ("two against two: the slower ones", 5.0, vec![5.0, 0.0], 5.0),
        ] {
            let others: Vec<_> = others.into_iter().map(seconds).collect();
            assert_eq!(correction(seconds(own), &others, false), seconds(back), "{what}");
        }
    }

    #[test]
    fn a_clock_near_the_bound_is_not_moved_to_and_fro() {
        let others = [seconds(0.0), seconds(0.0)];
        assert_eq!(correction(seconds(0.8), &others, false), seconds(0.0));
        assert_eq!(correction(seconds(0.8), &others, true), seconds(0.8));
        assert_eq!(correction(seconds(0.4), &others, true), seconds(0.0));
    }

    proptest! {
        #[test]
        fn once_corrected_no_two_nodes_are_further_apart_than_the_bound_allows(
            clocks in prop::collection::vec(-7_200_000i64..7_200_000, 2..8)
        ) {
            let clocks: Vec<_> = clocks.into_iter().map(TimeDelta::milliseconds).collect();
            let shown = |at: usize| {
                let others: Vec<_> = clocks.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, c)| *c).collect();
                clocks[at] - correction(clocks[at], &others, false)
            };
            let shown: Vec<_> = (0..clocks.len()).map(shown).collect();
            let (first, last) = (shown.iter().min().unwrap(), shown.iter().max().unwrap());
            prop_assert!(*last - *first <= TOLERANCE * 2);
        }
    }
}
