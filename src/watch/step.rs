//! Steps of the wall clock: somebody set it, or the machine slept. Pure.

use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Time;

/// What is less is a clock being drawn back in line, a little at a time.
pub const STEP: TimeDelta = TimeDelta::seconds(1);

/// Compares the wall clock with one that only goes on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steps {
    last: Option<(Time, Duration)>,
}

impl Steps {
    /// The wall clock shows `wall`, and `steady` has gone since some instant. How far the wall clock was moved since
    /// the last look, if that is more than [`STEP`]: forward is positive. A machine that slept steps forward, because
    /// the steady clock sleeps with it.
    pub fn look(&mut self, wall: Time, steady: Duration) -> Option<TimeDelta> {
        let (last_wall, last_steady) = self.last.replace((wall, steady))?;
        let gone = TimeDelta::from_std(steady.saturating_sub(last_steady)).unwrap_or(TimeDelta::MAX);
        let step = (wall - last_wall).checked_sub(&gone)?;
        (step.abs() > STEP).then_some(step)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Time {
        "2026-11-01T12:00:00Z".parse::<Time>().unwrap() + TimeDelta::milliseconds(millis)
    }

    /// Looks once a second; the wall clock gains so many milliseconds at each look.
    fn steps(gains: &[i64]) -> Vec<i64> {
        let (mut steps, mut wall) = (Steps::default(), 0);
        steps.look(at(0), Duration::ZERO);
        let look = |(second, gain): (usize, &i64)| {
            wall += 1000 + gain;
            steps.look(at(wall), Duration::from_secs(second as u64 + 1)).map(|step| step.num_milliseconds())
        };
        gains.iter().enumerate().filter_map(look).collect()
    }

    #[test]
    fn a_step_is_told_once_with_its_direction() {
        for (gains, told) in [
            (vec![0, 0, 0], vec![]),
            (vec![0, 3_600_000, 0], vec![3_600_000]),
            (vec![-1500, 0, 2000], vec![-1500, 2000]),
            (vec![1000, -1000], vec![]),
        ] {
            assert_eq!(steps(&gains), told, "{gains:?}");
        }
    }

    proptest! {
        #[test]
        fn a_clock_that_is_drawn_back_in_line_never_steps(gains in proptest::collection::vec(-500i64..=500, 0..100)) {
            prop_assert_eq!(steps(&gains), Vec::<i64>::new());
        }
    }
}
