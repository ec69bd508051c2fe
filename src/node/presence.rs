//! Who runs, as the rows of `uptime` tell it. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::skew::TOLERANCE;
use crate::clock::Time;

/// A node that was not heard of for so long is gone: three times it should have been.
pub const SILENCE: TimeDelta = TimeDelta::seconds(30);

/// How long a node that is gone is told of.
pub const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// One run of one node, as it was last written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// `None`: of a version that does not say.
    pub node: Option<String>,
    pub process: Option<String>,
    pub version: Option<String>,
    pub revision: Option<i64>,
    /// How far its own clock is ahead of the database's; `None` when that was not measured.
    pub clock_ahead: Option<TimeDelta>,
    pub started_at: Time,
    pub last_seen_at: Time,
    pub stopping_at: Option<Time>,
    pub ended_at: Option<Time>,
}

/// Whether a node is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Running,
    /// It finishes what it has in hand and takes nothing new.
    Stopping,
    /// It ended in order and gave back what it had.
    Stopped,
    /// Nothing was heard of it for half a minute: what it had in hand was taken over when its leases ended.
    Gone,
}

/// A node, as people are shown it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Presence {
    /// `null`: of a version that does not say.
    pub name: Option<String>,
    /// The process: what its leases carry.
    pub id: Option<String>,
    pub state: State,
    pub since: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    /// How long ago that was.
    pub silent_seconds: i64,
    pub version: Option<String>,
    /// The configuration it has in force.
    pub revision: Option<i64>,
    /// How far its clock is ahead of the database's, negative when behind. `null`: not measured.
    pub clock_ahead_seconds: Option<f64>,
    /// Its clock is further off than clocks that are kept by NTP are.
    pub clock_wrong: bool,
}

impl Run {
    /// What became of it.
    pub fn state(&self, now: Time) -> State {
        match (self.ended_at, self.stopping_at) {
            (Some(_), _) => State::Stopped,
            (None, _) if now - self.last_seen_at > SILENCE => State::Gone,
            (None, Some(_)) => State::Stopping,
            (None, None) => State::Running,
        }
    }

    /// Whether it is there.
    pub fn is_live(&self, now: Time) -> bool {
        matches!(self.state(now), State::Running | State::Stopping)
    }
}

/// The nodes: every run that is live, and of a name that has none, the last. By their names.
pub fn nodes(runs: &[Run], now: Time) -> Vec<Presence> {
    let live_name = |name: &Option<String>| runs.iter().any(|run| run.node == *name && run.is_live(now));
    let newer = |run: &Run| {
        runs.iter().any(|other| {
            other.node == run.node && (other.last_seen_at, other.started_at) > (run.last_seen_at, run.started_at)
        })
    };
    let mut shown: Vec<Presence> = runs
        .iter()
        .filter(|run| run.is_live(now) || (!live_name(&run.node) && !newer(run)))
        .map(|run| presence(run, now))
        .collect();
    shown.sort_by(|a, b| (&a.name, a.since, &a.id).cmp(&(&b.name, b.since, &b.id)));
    shown
}

fn presence(run: &Run, now: Time) -> Presence {
    Presence {
        name: run.node.clone(),
        id: run.process.clone(),
        state: run.state(now),
        since: run.started_at,
        last_seen_at: run.last_seen_at,
        silent_seconds: (now - run.last_seen_at).num_seconds().max(0),
        version: run.version.clone(),
        revision: run.revision,
        clock_ahead_seconds: run.clock_ahead.map(|ahead| ahead.as_seconds_f64()),
        clock_wrong: run.clock_ahead.is_some_and(|ahead| ahead.abs() > TOLERANCE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        "2026-11-18T08:00:00Z".parse::<Time>().unwrap() + TimeDelta::seconds(second)
    }

    fn run(node: &str, from: i64, seen: i64) -> Run {
        Run {
            node: Some(node.into()),
            process: Some(format!("nod_{from}")),
            version: None,
            revision: Some(3),
            clock_ahead: None,
            started_at: at(from),
            last_seen_at: at(seen),
            stopping_at: None,
            ended_at: None,
        }
    }

    fn shown(runs: &[Run], now: i64) -> Vec<(String, State, i64)> {
        nodes(runs, at(now))
            .into_iter()
            .map(|node| (node.name.unwrap_or_default(), node.state, node.silent_seconds))
            .collect()
    }

    #[test]
    fn a_node_runs_until_it_says_that_it_stops_or_is_silent_for_half_a_minute() {
        let seen = run("a", 0, 100);
        let stopping = Run { stopping_at: Some(at(100)), ..run("b", 0, 100) };
        let stopped = Run { stopping_at: Some(at(90)), ended_at: Some(at(100)), ..run("c", 0, 100) };
        let states = |now| [&seen, &stopping, &stopped].map(|run| run.state(at(now)));
        assert_eq!(states(130), [State::Running, State::Stopping, State::Stopped]);
        assert_eq!(states(131), [State::Gone, State::Gone, State::Stopped]);
    }

    #[test]
    fn of_a_name_every_live_run_is_shown_or_else_the_last() {
        let earlier = run("a", 0, 50);
        assert_eq!(shown(&[earlier.clone(), run("a", 60, 200)], 205), [("a".into(), State::Running, 5)]);
        assert_eq!(shown(&[earlier.clone(), run("a", 60, 200)], 300), [("a".into(), State::Gone, 100)]);
        let twice = [run("a", 60, 200), run("a", 61, 201), run("b", 0, 7)];
        assert_eq!(
            shown(&twice, 205),
            [("a".into(), State::Running, 5), ("a".into(), State::Running, 4), ("b".into(), State::Gone, 198)]
        );
    }

    #[test]
    fn a_clock_that_is_a_second_off_either_way_is_wrong() {
        for (ahead, wrong) in [(999, false), (1001, true), (-1001, true)] {
            let run = Run { clock_ahead: Some(TimeDelta::milliseconds(ahead)), ..run("a", 0, 0) };
            assert_eq!(nodes(&[run], at(1))[0].clock_wrong, wrong, "{ahead}");
        }
    }
}
