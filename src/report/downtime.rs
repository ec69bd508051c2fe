//! When the service itself did not run. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::period::Period;
use crate::clock::Time;

/// How often a running node writes down that it runs.
pub const BEAT: TimeDelta = TimeDelta::seconds(10);

/// A node that was silent for longer did not run, whatever it says afterwards: its machine slept, or its disk refused.
pub const STALL: TimeDelta = TimeDelta::minutes(5);

/// One run of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub started_at: Time,
    /// For a run that was ended in order, its end.
    pub last_seen_at: Time,
    pub ended: bool,
}

/// A stretch of time in which no node ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Gap {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl Gap {
    /// How long it was, in seconds.
    pub fn seconds(&self) -> i64 {
        (self.to - self.from).num_seconds()
    }

    /// The part of it from `from` to `to`, if there is any.
    pub fn within(&self, from: Time, to: Time) -> Option<Gap> {
        let part = Gap { from: self.from.max(from), to: self.to.min(to) };
        (part.from < part.to).then_some(part)
    }
}

/// The gaps between the runs of all nodes, as far as they lie in the period, oldest first. One shorter than a beat
/// cannot be told from none. What was before the first run is not known, and no gap.
pub fn gaps(runs: &[Run], period: &Period, now: Time) -> Vec<Gap> {
    let mut runs = runs.to_vec();
    runs.sort_by_key(|run| run.started_at);
    let mut gaps = Vec::new();
    let mut seen: Option<Time> = None;
    for run in runs {
        if let Some(seen) = seen.filter(|seen| run.started_at - *seen > BEAT) {
            gaps.extend(Gap { from: seen, to: run.started_at }.within(period.from, period.to));
        }
        let runs_still = !run.ended && now - run.last_seen_at <= STALL;
        let end = if runs_still { now.max(run.last_seen_at) } else { run.last_seen_at };
        seen = Some(seen.map_or(end, |seen| seen.max(end)));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Time {
        "2026-11-18T08:00:00Z".parse::<Time>().unwrap() + TimeDelta::minutes(minute)
    }

    fn run(from: i64, to: i64, ended: bool) -> Run {
        Run { started_at: at(from), last_seen_at: at(to), ended }
    }

    fn found(runs: &[Run], from: i64, to: i64, now: i64) -> Vec<(i64, i64)> {
        let minute = |time: Time| (time - at(0)).num_minutes();
        let period = Period { from: at(from), to: at(to) };
        gaps(runs, &period, at(now)).iter().map(|gap| (minute(gap.from), minute(gap.to))).collect()
    }

    #[test]
    fn a_gap_is_where_no_node_ran() {
        let (a, b, c) = (run(0, 60, true), run(180, 200, false), run(300, 400, false));
        for (what, runs, expected) in [
            ("one that runs", vec![run(0, 400, false)], vec![]),
            ("a stop, then a crash", vec![a, b, c], vec![(60, 180), (200, 300)]),
            ("in any order", vec![c, a, b], vec![(60, 180), (200, 300)]),
            ("another node ran", vec![a, b, c, run(50, 310, true)], vec![]),
            ("another node ran for a part", vec![a, b, c, run(100, 250, true)], vec![(60, 100), (250, 300)]),
            ("a restart", vec![run(0, 60, true), run(60, 400, false)], vec![]),
            ("nothing is known", vec![], vec![]),
        ] {
            assert_eq!(found(&runs, 0, 1000, 400), expected, "{what}");
        }
    }

    #[test]
    fn only_what_lies_in_the_period_counts() {
        let runs = [run(0, 60, true), run(180, 400, false)];
        assert_eq!(found(&runs, 90, 120, 400), [(90, 120)]);
        assert_eq!(found(&runs, 0, 60, 400), []);
        assert_eq!(found(&runs, 170, 400, 400), [(170, 180)]);
    }

    #[test]
    fn a_crashed_node_that_is_long_silent_does_not_hide_that_nothing_ran() {
        let runs = [run(0, 10, false), run(100, 101, false)];
        assert_eq!(found(&runs, 0, 200, 102), [(10, 100)]);
    }
}
