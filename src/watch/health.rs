//! What is told to whoever asks whether this node is well: reasons not to send it anything, and what else is wrong.
//! Pure.

use std::time::Duration;

use chrono::TimeDelta;

use super::beat::{Beat, short};
use crate::clock::Time;

/// An auditor that has not finished a round for so long does not run: it has one a minute.
pub const AUDIT_LATE: TimeDelta = TimeDelta::minutes(5);

/// How the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Answers,
    Refuses,
    /// Not within the time it was given.
    Silent,
}

/// What is known of this node.
#[derive(Clone, Debug)]
pub struct Facts {
    pub now: Time,
    pub started_at: Time,
    pub database: Database,
    /// Loops that make no turns, and for how long.
    pub stalled: Vec<(&'static str, Duration)>,
    /// Bytes free where the database lies, if that is on this machine; and how many there must be.
    pub disk_free: Option<u64>,
    pub disk_floor: u64,
    /// How often the heart should beat; `None`: it is off.
    pub every: Option<TimeDelta>,
    /// The last heartbeat of this node that ended.
    pub last: Option<Beat>,
    /// When the last complete one ended.
    pub complete_at: Option<Time>,
    /// When the auditor finished its last round, and what it found.
    pub audit: Option<(Time, usize)>,
}

/// How this node is, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why nothing should be sent to it. Empty: it is ready.
    pub reasons: Vec<String>,
    /// What is wrong and no reason: taking the node away would help nobody.
    pub notes: Vec<String>,
}

/// How this node is.
pub fn health(facts: &Facts) -> Health {
    let mut health = Health::default();
    match facts.database {
        Database::Answers => {}
        Database::Refuses => health.reasons.push("the database refuses".into()),
        Database::Silent => health.reasons.push("the database does not answer".into()),
    }
    health.reasons.extend(stalls(&facts.stalled));
    if let Some(free) = facts.disk_free.filter(|free| *free < facts.disk_floor) {
        let floor = facts.disk_floor;
        health.reasons.push(format!("the disk is nearly full: {} free, {} wanted", bytes(free), bytes(floor)));
    }
    health.notes.extend(late(facts));
    let audited = facts.audit.map_or(facts.started_at, |(at, _)| at);
    if facts.now - audited > AUDIT_LATE {
        health.notes.push(format!("the auditor has not finished a round for {}", short(facts.now - audited)));
    }
    if let Some((_, found @ 1..)) = facts.audit {
        health.notes.push(format!("{found} open incidents had no next action and were put right; this is a bug"));
    }
    health
}

/// Each loop that makes no turns, in words.
pub fn stalls(stalled: &[(&'static str, Duration)]) -> Vec<String> {
    let words =
        |(name, silent): &(&str, Duration)| format!("the {name} loop has made no turn for {} s", silent.as_secs());
    stalled.iter().map(words).collect()
}

/// What there is to say of the heartbeat; nothing while the last one was complete and not long ago.
fn late(facts: &Facts) -> Option<String> {
    let every = facts.every?;
    let since = facts.now - facts.complete_at.unwrap_or(facts.started_at);
    let failed = facts.last.as_ref().filter(|beat| !beat.is_complete());
    if failed.is_none() && since <= every * 3 {
        return None;
    }
    let complete = match facts.complete_at {
        Some(_) => format!("the last complete heartbeat was {} ago", short(since)),
        None => format!("no heartbeat was complete since the start {} ago", short(since)),
    };
    Some(match failed {
        Some(beat) => format!("{complete}; the last one: {}", beat.words()),
        None => complete,
    })
}

impl Health {
    /// Whether anything should be sent to it.
    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }

    /// As `/readyz` says it: a verdict, and under it a line each.
    pub fn words(&self) -> String {
        let mut text = String::from(if self.is_ready() { "ready\n" } else { "not ready\n" });
        for line in self.reasons.iter().chain(&self.notes) {
            text += &format!("- {line}\n");
        }
        text
    }
}

/// `640 kB`, `63 MB`, `1.8 GB`.
pub fn bytes(count: u64) -> String {
    match count {
        ..=999 => format!("{count} bytes"),
        1_000..=999_999 => format!("{} kB", count / 1_000),
        1_000_000..=999_999_999 => format!("{} MB", count / 1_000_000),
        _ => format!("{}.{} GB", count / 1_000_000_000, count / 100_000_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::beat::{
        Covers,
        tests::{at, done},
    };

    fn fine() -> Facts {
        let mut last = done(Covers::LookUp);
        last.end(at(250));
        Facts {
            now: at(60_000),
            started_at: at(0),
            database: Database::Answers,
            stalled: vec![],
            disk_free: Some(5_000_000_000),
            disk_floor: 64_000_000,
            every: Some(TimeDelta::minutes(1)),
            complete_at: last.ended_at,
            last: Some(last),
            audit: Some((at(50_000), 0)),
        }
    }

    #[test]
    fn a_node_that_is_well_says_no_more_than_that() {
        assert_eq!(health(&fine()).words(), "ready\n");
        let off = Facts { every: None, last: None, complete_at: None, now: at(3_000), ..fine() };
        assert_eq!(health(&off).words(), "ready\n");
    }

    #[test]
    fn what_makes_a_node_useless_is_a_reason() {
        let bad = Facts {
            database: Database::Silent,
            stalled: vec![("timers", Duration::from_secs(43))],
            disk_free: Some(63_999_999),
            ..fine()
        };
        assert!(!health(&bad).is_ready());
        insta::assert_snapshot!(health(&bad).words(), @r"
        not ready
        - the database does not answer
        - the timers loop has made no turn for 43 s
        - the disk is nearly full: 63 MB free, 64 MB wanted
        ");
    }

    #[test]
    fn a_carrier_that_is_down_is_said_and_is_no_reason() {
        let mut last =
            Beat { taken_at: None, reason: Some("cannot connect to the carrier".into()), ..done(Covers::Text) };
        last.end(at(120_000));
        let down = Facts { last: Some(last), now: at(125_000), ..fine() };
        assert!(health(&down).is_ready());
        insta::assert_snapshot!(health(&down).words(), @r"
        ready
        - the last complete heartbeat was 2 min ago; the last one: a text by main, stuck at the carrier (cannot connect to the carrier); done: door 5 ms, timers 4 ms, outbox 7 ms
        ");
    }

    #[test]
    fn a_heart_that_stopped_and_an_auditor_that_does_not_come_are_said() {
        let late = Facts { now: at(400_000), audit: Some((at(0), 2)), ..fine() };
        assert!(health(&late).is_ready());
        insta::assert_snapshot!(health(&late).words(), @r"
        ready
        - the last complete heartbeat was 6 min ago
        - the auditor has not finished a round for 6 min
        - 2 open incidents had no next action and were put right; this is a bug
        ");
        let never = Facts { now: at(200_000), last: None, complete_at: None, ..fine() };
        insta::assert_snapshot!(health(&never).words(), @r"
        ready
        - no heartbeat was complete since the start 3 min ago
        ");
    }

    #[test]
    fn bytes_are_told_as_people_do() {
        let told = [999, 640_000, 63_999_999, 1_850_000_000].map(bytes);
        assert_eq!(told, ["999 bytes", "640 kB", "63 MB", "1.8 GB"]);
    }
}
