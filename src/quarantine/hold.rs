//! Whether something that a restored database wants sent goes out, waits, or waits for a person. Pure.

use chrono::TimeDelta;

use crate::clock::Time;

/// How long pages of open incidents are held after a restore: long enough for one person to read the list and close
/// what is over, and shorter than the step from an engineer to the executive, so that a trouble that is still there
/// climbs in time.
pub const PAGES_HELD: TimeDelta = TimeDelta::minutes(15);

/// How soon a held page is looked at again, in case its trouble shows signs of life.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(30);

/// What is about to go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To make one of our people act; `open`: the incident is.
    Page { open: bool },
    /// To a customer, or to one of our people who need not act; by text or by mail.
    Words,
}

/// What is known of an incident that the backup had something left to do for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub restored_at: Time,
    /// A person released or dropped what waits for it.
    pub settled: bool,
    /// A person, a customer or a monitor did something about it since the restore.
    pub stirred: bool,
}

/// What to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    Send,
    /// Look again then.
    Until(Time),
    /// Until a person settles it.
    ForPerson,
}

/// Whether it goes out now. `created_at` is when it was decided.
pub fn decide(kind: Kind, created_at: Time, case: Case, now: Time) -> Hold {
    if case.settled {
        return Hold::Send;
    }
    match kind {
        // A page too many wakes somebody; one too few loses a customer.
        Kind::Page { .. } if case.stirred => Hold::Send,
        Kind::Page { open: true } => match case.restored_at + PAGES_HELD {
            until if now >= until => Hold::Send,
            until => Hold::Until(until.min(now + LOOK_AGAIN)),
        },
        Kind::Words if case.stirred && created_at >= case.restored_at => Hold::Send,
        Kind::Page { open: false } | Kind::Words => Hold::ForPerson,
    }
}

/// Events that something outside makes happen. Whatever else there is, Ringdown does by itself when it is due, and
/// after a restore that may be due no more.
const FROM_OUTSIDE: &[&str] = &[
    "signal_repeated",
    "amended",
    "customer_escalated",
    "customer_replied",
    "acknowledged",
    "page_answered",
    "passed_on",
    "callback_started",
    "responded",
    "updated",
    "priority_changed",
    "escalated",
    "responder_added",
    "commander_assigned",
    "waiting_on_customer",
    "resumed",
    "ruled_out",
    "reengaged",
    "upstream_noted",
    "call_offered",
    "rca_delivered",
    "resolved",
    "reopened",
    "cancelled",
];

/// Whether an event of this kind shows that somebody or something outside acted.
pub fn comes_from_outside(kind: &str) -> bool {
    FROM_OUTSIDE.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Event;

    fn at(minutes: i64) -> Time {
        "2026-11-22T09:00:00Z".parse::<Time>().unwrap() + TimeDelta::minutes(minutes)
    }

    #[test]
    fn what_goes_out_after_a_restore_at_minute_0() {
        use Hold::*;
        let (page, stale, words) = (Kind::Page { open: true }, Kind::Page { open: false }, Kind::Words);
        let soon = |minutes: i64| Until(at(minutes) + LOOK_AGAIN);
        // What, decided at, settled, stirred, now: goes out?
        for (kind, created, settled, stirred, now, expected) in [
            (page, -30, false, false, 1, soon(1)),
            (page, 1, false, false, 1, soon(1)),
            (page, -30, false, false, 14, soon(14)),
            (page, -30, false, false, 15, Send),
            (page, -30, false, false, 600, Send),
            (page, -30, true, false, 1, Send),
            (page, -30, false, true, 1, Send),
            (stale, -30, false, false, 1, ForPerson),
            (stale, -30, false, false, 600, ForPerson),
            (stale, 1, false, true, 1, Send),
            (words, -30, false, false, 600, ForPerson),
            (words, -30, false, true, 600, ForPerson),
            (words, 1, false, false, 600, ForPerson),
            (words, 1, false, true, 1, Send),
            (words, -30, true, false, 1, Send),
        ] {
            let case = Case { restored_at: at(0), settled, stirred };
            let what = format!("{kind:?} of minute {created}, {settled} {stirred}, at {now}");
            assert_eq!(decide(kind, at(created), case, at(now)), expected, "{what}");
        }
    }

    #[test]
    fn a_page_is_never_looked_at_later_than_the_end_of_its_hold() {
        let case = Case { restored_at: at(0), settled: false, stirred: false };
        let now = at(15) - TimeDelta::seconds(10);
        assert_eq!(decide(Kind::Page { open: true }, at(-1), case, now), Hold::Until(at(15)));
    }

    #[test]
    fn every_kind_from_outside_is_an_event() {
        for kind in FROM_OUTSIDE {
            let error = serde_json::from_value::<Event>(serde_json::json!({ "event": kind })).err();
            let said = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(!said.contains("unknown variant"), "{said}");
        }
    }
}
