//! One heartbeat: what went the way a page goes, how far it came, and how long each leg took. Pure.

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    id::{AttemptId, CarrierKey},
};

/// A part of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// Our own port, the router, the intake's queue, the commit and the answer.
    Door,
    /// A turn of the timer wheel after the commit.
    Timers,
    /// Until a pager claimed it from the outbox.
    Outbox,
    /// Until the carrier's API answered.
    Carrier,
    /// Until the carrier's receipt was recorded.
    Receipt,
}

/// How far a heartbeat goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// A text goes out and its receipt comes back.
    Text,
    /// The carrier is asked for our account; no text goes out, so no receipt is awaited.
    LookUp,
}

/// One heartbeat.
#[derive(Clone, Debug, PartialEq)]
pub struct Beat {
    /// Also the id of its attempt.
    pub id: AttemptId,
    /// Whose it is.
    pub node: String,
    pub carrier: CarrierKey,
    pub covers: Covers,
    /// Before the knock at the door.
    pub begun_at: Time,
    /// Written down, in the transaction that was then committed.
    pub kept_at: Option<Time>,
    /// The door's answer was there.
    pub answered_at: Option<Time>,
    /// The wheel had made a turn since.
    pub turned_at: Option<Time>,
    /// A pager claimed it.
    pub claimed_at: Option<Time>,
    /// The carrier answered that it took it, or that it knows us.
    pub taken_at: Option<Time>,
    /// A receipt came back.
    pub receipt_at: Option<Time>,
    /// Complete, or given up.
    pub ended_at: Option<Time>,
    /// The leg it did not get past.
    pub failed: Option<Leg>,
    /// What was in its way, for people.
    pub reason: Option<String>,
}

impl Leg {
    /// As metrics and people say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Leg::Door => "door",
            Leg::Timers => "timers",
            Leg::Outbox => "outbox",
            Leg::Carrier => "carrier",
            Leg::Receipt => "receipt",
        }
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Covers {
    /// The legs, in order.
    pub fn legs(self) -> &'static [Leg] {
        const ALL: &[Leg] = &[Leg::Door, Leg::Timers, Leg::Outbox, Leg::Carrier, Leg::Receipt];
        match self {
            Covers::Text => ALL,
            Covers::LookUp => &ALL[..4],
        }
    }
}

impl Beat {
    /// One that begins now.
    pub fn begin(id: AttemptId, node: &str, carrier: CarrierKey, covers: Covers, now: Time) -> Beat {
        Beat {
            id,
            node: node.into(),
            carrier,
            covers,
            begun_at: now,
            kept_at: None,
            answered_at: None,
            turned_at: None,
            claimed_at: None,
            taken_at: None,
            receipt_at: None,
            ended_at: None,
            failed: None,
            reason: None,
        }
    }

    /// How long a leg took; `None` while it is not done. Never less than nothing: a receipt may come before the
    /// answer, and a clock may be set back.
    pub fn took(&self, leg: Leg) -> Option<TimeDelta> {
        let (from, to) = match leg {
            Leg::Door => (Some(self.begun_at), self.answered_at),
            Leg::Timers => (self.kept_at, self.turned_at),
            Leg::Outbox => (self.kept_at, self.claimed_at),
            Leg::Carrier => (self.claimed_at, self.taken_at),
            Leg::Receipt => (self.taken_at, self.receipt_at),
        };
        Some((to? - from?).max(TimeDelta::zero()))
    }

    /// The legs that are done, in order, with how long each took.
    pub fn legs(&self) -> Vec<(Leg, TimeDelta)> {
        self.covers.legs().iter().filter_map(|leg| Some((*leg, self.took(*leg)?))).collect()
    }

    /// The first leg that is not done.
    pub fn missing(&self) -> Option<Leg> {
        self.covers.legs().iter().copied().find(|leg| self.took(*leg).is_none())
    }

    /// Whether it went all the way.
    pub fn is_complete(&self) -> bool {
        self.ended_at.is_some() && self.failed.is_none()
    }

    /// From the knock to the end.
    pub fn total(&self) -> Option<TimeDelta> {
        Some((self.ended_at? - self.begun_at).max(TimeDelta::zero()))
    }

    /// Ends it: complete, or at the leg it did not get past.
    pub fn end(&mut self, now: Time) {
        self.failed = self.failed.or(self.missing());
        // The last thing that happened, not when somebody looked.
        let done = [self.answered_at, self.turned_at, self.claimed_at, self.taken_at, self.receipt_at];
        let last = done.into_iter().flatten().max().filter(|_| self.failed.is_none());
        self.ended_at = Some(last.unwrap_or(now).max(self.begun_at));
        if self.failed.is_none() {
            self.reason = None;
        }
    }

    /// In a sentence: what went where, and how long it took, or where it stuck.
    pub fn words(&self) -> String {
        let legs: Vec<String> = self.legs().iter().map(|(leg, took)| format!("{leg} {}", short(*took))).collect();
        let way = match self.covers {
            Covers::Text => format!("a text by {}", self.carrier),
            Covers::LookUp => format!("a look-up at {} (no text)", self.carrier),
        };
        match (self.failed, self.total()) {
            (None, Some(total)) => format!("{way}, complete in {}: {}", short(total), legs.join(", ")),
            (None, None) => format!("{way}, on its way: {}", legs.join(", ")),
            (Some(leg), _) => {
                let reason = self.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                let done = if legs.is_empty() { String::new() } else { format!("; done: {}", legs.join(", ")) };
                format!("{way}, stuck at the {}{reason}{done}", at(leg))
            }
        }
    }
}

fn at(leg: Leg) -> &'static str {
    match leg {
        Leg::Door => "door: our own port does not take it",
        Leg::Timers => "timers: the wheel made no turn",
        Leg::Outbox => "outbox: no pager claimed it",
        Leg::Carrier => "carrier",
        Leg::Receipt => "receipt: none came back",
    }
}

/// `7 ms`, `1.2 s`, `3 min`, `2 h`.
pub fn short(span: TimeDelta) -> String {
    match span.num_milliseconds() {
        millis @ ..=999 => format!("{millis} ms"),
        millis @ 1000..=9_999 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        10_000..=119_999 => format!("{} s", span.num_seconds()),
        120_000..=7_199_999 => format!("{} min", span.num_minutes()),
        _ => format!("{} h", span.num_hours()),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn at(millis: i64) -> Time {
        "2026-11-18T08:00:00Z".parse::<Time>().unwrap() + TimeDelta::milliseconds(millis)
    }

    /// One that is complete but for its end.
    pub fn done(covers: Covers) -> Beat {
        Beat {
            kept_at: Some(at(2)),
            answered_at: Some(at(5)),
            turned_at: Some(at(6)),
            claimed_at: Some(at(9)),
            taken_at: Some(at(250)),
            receipt_at: (covers == Covers::Text).then(|| at(1400)),
            ..Beat::begin("hbt_1".into(), "nod_a", "main".into(), covers, at(0))
        }
    }

    #[test]
    fn a_heartbeat_tells_its_legs_or_where_it_stuck() {
        let said = |mut beat: Beat| {
            beat.end(at(50_000));
            beat.words()
        };
        insta::assert_snapshot!(said(done(Covers::Text)), @"a text by main, complete in 1.4 s: door 5 ms, timers 4 ms, outbox 7 ms, carrier 241 ms, receipt 1.1 s");
        insta::assert_snapshot!(said(done(Covers::LookUp)), @"a look-up at main (no text), complete in 250 ms: door 5 ms, timers 4 ms, outbox 7 ms, carrier 241 ms");
        insta::assert_snapshot!(said(Beat { receipt_at: None, ..done(Covers::Text) }), @"a text by main, stuck at the receipt: none came back; done: door 5 ms, timers 4 ms, outbox 7 ms, carrier 241 ms");
        let refused =
            Beat { taken_at: None, reason: Some("cannot connect to the carrier".into()), ..done(Covers::LookUp) };
        insta::assert_snapshot!(said(refused), @"a look-up at main (no text), stuck at the carrier (cannot connect to the carrier); done: door 5 ms, timers 4 ms, outbox 7 ms");
        insta::assert_snapshot!(said(Beat::begin("hbt_1".into(), "nod_a", "main".into(), Covers::Text, at(0))), @"a text by main, stuck at the door: our own port does not take it");
    }

    #[test]
    fn a_heartbeat_is_complete_when_every_leg_it_covers_is_done() {
        for covers in [Covers::Text, Covers::LookUp] {
            let mut beat = done(covers);
            beat.end(at(50_000));
            assert!(beat.is_complete(), "{beat:?}");
            let last = if covers == Covers::Text { 1400 } else { 250 };
            assert_eq!(beat.total(), Some(TimeDelta::milliseconds(last)), "the end of its last leg");
        }
        let refused = Beat { failed: Some(Leg::Carrier), ..done(Covers::Text) };
        let mut ended = refused.clone();
        ended.end(at(3));
        assert!(!ended.is_complete() && !refused.is_complete(), "undelivered is not complete, whatever came before");
    }

    #[test]
    fn a_receipt_before_the_answer_takes_no_time() {
        let beat = Beat { taken_at: Some(at(300)), receipt_at: Some(at(290)), ..done(Covers::Text) };
        assert_eq!(beat.took(Leg::Receipt), Some(TimeDelta::zero()));
    }
}
