//! What a running installation shows of itself: heartbeats, nodes, clocks, carriers, the disk, the last backup. Pure.

use chrono::TimeDelta;

use super::{Finding, Topic};
use crate::{
    clock::Time,
    node::{Presence, State, skew},
    server::settings::Settings,
    sla::zone,
    watch::{
        answers::Answers,
        beat::{Beat, short},
        health::bytes,
    },
};

/// A backup may be this old: one a day, with time to make it.
const BACKUP_LATE: TimeDelta = TimeDelta::hours(26);

/// Less room than this is told.
const LITTLE_ROOM: u64 = 1_000_000_000;

/// Which zone database is inside, and whether it is old.
pub fn zones(now: Time) -> Finding {
    let version = zone::database_version();
    let year = version.get(..4).and_then(|year| year.parse::<i32>().ok());
    let this_year = (now - TimeDelta::days(180)).format("%Y").to_string().parse::<i32>().unwrap_or_default();
    if year.is_some_and(|year| year >= this_year) {
        Topic::Clock.good(format!("time zones of {version}"))
    } else {
        Topic::Clock.warning(format!(
            "time zones of {version} are old; hand-offs may be an hour wrong somewhere: update Ringdown"
        ))
    }
}

/// How far this machine's clock is from the database's; `None`: it did not say.
pub fn clock(ahead: Option<TimeDelta>) -> Finding {
    match ahead {
        Some(ahead) if ahead.abs() > skew::TOLERANCE => Topic::Clock.warning(format!(
            "this machine's clock and the database's differ by {:.1} s: set both by NTP",
            ahead.abs().as_seconds_f64()
        )),
        Some(_) => Topic::Clock.good("this machine's clock agrees with the database's"),
        None => Topic::Clock.warning("the database takes too long to say what time it is"),
    }
}

/// The wall clock of this process was moved while it ran.
pub fn steps(count: u64, last: Option<(Time, TimeDelta)>, now: Time) -> Option<Finding> {
    let (at, step) = last?;
    let words = format!(
        "the clock of this machine was moved {count} times since the start, last {} ago by {:+.1} s: set it by NTP",
        short((now - at).max(TimeDelta::zero())),
        step.as_seconds_f64()
    );
    (now - at < TimeDelta::days(1)).then(|| Topic::Clock.warning(words))
}

/// The nodes on this database, and those that are not as they should be.
pub fn nodes(nodes: &[Presence]) -> Vec<Finding> {
    let name = |node: &Presence| node.name.clone().unwrap_or_else(|| "of an older version".into());
    let running: Vec<&Presence> = nodes.iter().filter(|node| node.state == State::Running).collect();
    let mut findings = vec![Topic::Nodes.good(format!("{} nodes run on this database", running.len()))];
    for node in nodes {
        if node.state == State::Gone {
            let words = format!("node {} was last heard of {} s ago", name(node), node.silent_seconds);
            findings.push(Topic::Nodes.warning(words));
        } else if node.clock_wrong && node.state == State::Running {
            let ahead = node.clock_ahead_seconds.unwrap_or_default();
            let words = format!("node {}: its clock is {ahead:+.1} s off the database's", name(node));
            findings.push(Topic::Clock.warning(words));
        }
    }
    let newest = running.iter().filter_map(|node| node.revision).max();
    for node in running.iter().filter(|node| node.revision.is_some() && node.revision != newest) {
        findings.push(Topic::Nodes.warning(format!(
            "node {} goes by revision {} of the schedules, others by {}: its log says why",
            name(node),
            node.revision.unwrap_or_default(),
            newest.unwrap_or_default()
        )));
    }
    findings
}

/// How the last heartbeat went, of whichever node.
pub fn heartbeat(last: Option<&Beat>, complete: Option<&Beat>, settings: &Settings, now: Time) -> Finding {
    let every = settings.watch.heartbeat.as_ref().map_or(TimeDelta::zero(), |heartbeat| heartbeat.every);
    let ago = |beat: &Beat| short((now - beat.begun_at).max(TimeDelta::zero()));
    match (last, complete) {
        (None, _) => {
            Topic::Watch.warning("no heartbeat yet in the last day: the service does not run on this database")
        }
        (Some(last), _) if now - last.begun_at > every * 3 => Topic::Watch.warning(format!(
            "the last heartbeat was {} ago: does the service run? {}",
            ago(last),
            last.words()
        )),
        (Some(last), _) if last.is_complete() => {
            Topic::Watch.good(format!("heartbeat {} ago: {}", ago(last), last.words()))
        }
        (Some(last), Some(complete)) => Topic::Watch.bad(format!(
            "heartbeat {} ago: {}; the last complete one was {} ago",
            ago(last),
            last.words(),
            ago(complete)
        )),
        (Some(last), None) => {
            Topic::Watch.bad(format!("heartbeat {} ago: {}; none was complete", ago(last), last.words()))
        }
    }
}

/// Room on the disk where the database lies.
pub fn disk(free: u64, floor: u64) -> Finding {
    let told = bytes(free);
    match free {
        free if free < floor => Topic::Keeping.bad(format!("the disk of the database is nearly full: {told} free")),
        free if free < LITTLE_ROOM => Topic::Keeping.warning(format!("the disk of the database has {told} free")),
        _ => Topic::Keeping.good(format!("the disk of the database has {told} free")),
    }
}

/// When the database was last copied with `ringdown backup`.
pub fn backup(last: Option<Time>, is_file: bool, now: Time) -> Finding {
    let command = "run `ringdown backup --into DIR --keep 48` by a timer";
    match last {
        _ if !is_file => Topic::Keeping.warning(
            "PostgreSQL is backed up with its own tools, which this cannot see: look whether the last one can be restored",
        ),
        None => Topic::Keeping.warning(format!("no backup was made with `ringdown backup`: {command}")),
        Some(at) if now - at > BACKUP_LATE => {
            Topic::Keeping.warning(format!("the last backup is {} old: {command}", short(now - at)))
        }
        Some(at) => Topic::Keeping.good(format!("the last backup was made {} ago", short((now - at).max(TimeDelta::zero())))),
    }
}

/// How a carrier has answered this node since it started.
pub fn carrier(key: &str, answers: &Answers, now: Time) -> Finding {
    let ago = |at: Time| short((now - at).max(TimeDelta::zero()));
    let took = answers.took_at.map(|at| format!("it last took something {} ago", ago(at)));
    let failed = answers.failed.as_ref().filter(|(at, _)| answers.took_at.is_none_or(|took| took < *at));
    let took_words = took.clone().unwrap_or_else(|| "it has taken nothing since this node started".into());
    match (failed, answers.left_alone_until.filter(|until| *until > now)) {
        (Some((at, why)), Some(_)) => Topic::Carriers.bad(format!(
            "carrier {key} failed several times, last {} ago ({why}), and is left alone for a while; {took_words}",
            ago(*at)
        )),
        (Some((at, why)), None) => {
            Topic::Carriers.warning(format!("carrier {key} failed {} ago ({why}); {took_words}", ago(*at)))
        }
        (None, _) => match took {
            Some(took) => Topic::Carriers.good(format!("carrier {key}: {took}")),
            None => Topic::Carriers.good(format!("carrier {key} was not needed since this node started")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        readiness::Health,
        watch::beat::{
            Covers,
            tests::{at, done},
        },
    };

    fn word(finding: &Finding) -> String {
        let health = match finding.health {
            Health::Good => "ok",
            Health::Warning => "warning",
            Health::Bad => "bad",
        };
        format!("{health}: {}", finding.words)
    }

    #[test]
    fn the_last_heartbeat_is_told_with_what_was_in_its_way() {
        let said = |last: Option<&Beat>, complete: Option<&Beat>, seconds: i64| {
            word(&heartbeat(last, complete, &Settings::default(), at(seconds * 1000)))
        };
        let mut good = done(Covers::LookUp);
        good.end(at(250));
        let mut stuck =
            Beat { taken_at: None, reason: Some("error 20003".into()), begun_at: at(60_000), ..good.clone() };
        stuck = Beat { ended_at: None, ..stuck };
        stuck.end(at(110_000));
        let lines = [
            said(None, None, 0),
            said(Some(&good), Some(&good), 42),
            said(Some(&good), Some(&good), 4000),
            said(Some(&stuck), Some(&good), 120),
            said(Some(&stuck), None, 120),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        warning: no heartbeat yet in the last day: the service does not run on this database
        ok: heartbeat 42 s ago: a look-up at main (no text), complete in 250 ms: door 5 ms, timers 4 ms, outbox 7 ms, carrier 241 ms
        warning: the last heartbeat was 66 min ago: does the service run? a look-up at main (no text), complete in 250 ms: door 5 ms, timers 4 ms, outbox 7 ms, carrier 241 ms
        bad: heartbeat 60 s ago: a look-up at main (no text), stuck at the carrier (error 20003); done: door 0 ms, timers 4 ms, outbox 7 ms; the last complete one was 2 min ago
        bad: heartbeat 60 s ago: a look-up at main (no text), stuck at the carrier (error 20003); done: door 0 ms, timers 4 ms, outbox 7 ms; none was complete
        ");
    }

    #[test]
    fn a_carrier_is_told_by_its_last_answers() {
        let told = |took: Option<i64>, failed: Option<i64>, until: Option<i64>| {
            let failed = failed.map(|seconds| (at(seconds * 1000), "no answer".to_owned()));
            let answers = Answers {
                took_at: took.map(|seconds| at(seconds * 1000)),
                failed,
                left_alone_until: until.map(|seconds| at(seconds * 1000)),
            };
            word(&carrier("main", &answers, at(100_000)))
        };
        let lines = [
            told(None, None, None),
            told(Some(70), None, None),
            told(Some(70), Some(60), None),
            told(Some(70), Some(90), None),
            told(None, Some(90), Some(110)),
            told(None, Some(80), Some(90)),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        ok: carrier main was not needed since this node started
        ok: carrier main: it last took something 30 s ago
        ok: carrier main: it last took something 30 s ago
        warning: carrier main failed 10 s ago (no answer); it last took something 30 s ago
        bad: carrier main failed several times, last 10 s ago (no answer), and is left alone for a while; it has taken nothing since this node started
        warning: carrier main failed 20 s ago (no answer); it has taken nothing since this node started
        ");
    }

    #[test]
    fn a_backup_is_made_once_a_day() {
        let hours = |hours: i64| Some(at(hours * 3_600_000));
        let health = |last, is_file, now: Option<Time>| backup(last, is_file, now.unwrap()).health;
        assert_eq!(health(None, true, hours(0)), Health::Warning);
        assert_eq!(health(hours(0), true, hours(25)), Health::Good);
        assert_eq!(health(hours(0), true, hours(27)), Health::Warning);
        assert_eq!(health(None, false, hours(0)), Health::Warning);
    }

    #[test]
    fn little_room_is_told_before_there_is_none() {
        let health = |free| disk(free, 64_000_000).health;
        assert_eq!([63_000_000, 64_000_000, 2_000_000_000].map(health), [Health::Bad, Health::Warning, Health::Good]);
    }
}
