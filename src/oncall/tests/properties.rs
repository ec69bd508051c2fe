//! What holds for every schedule, over both nights the clocks change.

use chrono::{NaiveTime, TimeDelta, Weekday};
use proptest::{prelude::*, sample::select};

use super::{oracle::WINDOWS, *};
use crate::oncall::{coverage, roster};

const PEOPLE: [&str; 4] = ["ada", "bob", "cyd", "dee"];
const DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// A wall time; often in the small hours, where the clocks change.
fn wall_times() -> impl Strategy<Value = NaiveTime> {
    prop_oneof![0..240u32, 0..1440u32].prop_map(|minute| NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap())
}

fn turns() -> impl Strategy<Value = Turn> {
    prop_oneof![
        (1..4u16).prop_map(Turn::Days),
        (1..3u16, select(&DAYS[..])).prop_map(|(weeks, day)| Turn::Weeks(weeks, day)),
        (1..40u16).prop_map(Turn::Hours),
    ]
}

/// The start is counted in days from the night of the window.
fn rotations() -> impl Strategy<Value = (Rotation, i64)> {
    (prop::collection::vec(select(&PEOPLE[..]), 1..4), turns(), wall_times(), -20..20i64).prop_map(
        |(people, turn, handoff, day)| (Rotation { handoff, ..rotation(&people, turn, "2026-01-01", "00:00") }, day),
    )
}

fn restrictions() -> impl Strategy<Value = Vec<Restriction>> {
    let one = (prop::sample::subsequence(&DAYS[..], 0..=7), wall_times(), wall_times())
        .prop_map(|(days, from, to)| Restriction { days, from, to });
    prop::collection::vec(one, 0..3)
}

/// A schedule in one of the windows, by the window's index.
fn schedules() -> impl Strategy<Value = (usize, Schedule)> {
    let layers = prop::collection::vec((rotations(), restrictions()), 0..4);
    (0..WINDOWS.len(), layers).prop_map(|(index, layers)| {
        let window = &WINDOWS[index];
        let layers = layers.into_iter().map(|((rotation, day), restrictions)| {
            layer(Rotation { start: window.night() + TimeDelta::days(day), ..rotation }, restrictions)
        });
        (index, schedule(window.zone, layers.collect()))
    })
}

/// Overrides somewhere in a window, by minutes from its start.
type Draft = (i64, i64, usize, Option<usize>, i64, bool);

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let one = (
        0..72_000i64,
        1..9_000i64,
        0..PEOPLE.len(),
        prop::option::of(0..PEOPLE.len()),
        0..3i64,
        prop::bool::weighted(0.9),
    );
    prop::collection::vec(one, 0..6)
}

fn overrides(start: Time, drafts: Vec<Draft>) -> Vec<Override> {
    let written = |(number, (from, length, person, instead_of, order, ours)): (usize, Draft)| Override {
        id: format!("ovr_{number}"),
        schedule: if ours { "field".into() } else { "desk".into() },
        person: PEOPLE[person].into(),
        instead_of: instead_of.map(|person| PEOPLE[person].into()),
        start: start + TimeDelta::minutes(from),
        end: start + TimeDelta::minutes(from + length),
        created_by: "test".into(),
        created_at: start + TimeDelta::seconds(order),
    };
    drafts.into_iter().enumerate().map(written).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_minute_is_as_the_oracle_says((index, schedule) in schedules(), drafts in drafts(), odd in 0..997usize) {
        let window = &WINDOWS[index];
        let overrides = overrides(window.start, drafts);
        let expected = window.on_call(&schedule, &overrides);
        let shifts = roster::shifts(&schedule, &overrides, window.start, window.instant(expected.len()));
        let mut shift = shifts.iter().peekable();
        for (minute, (person, overridden)) in expected.iter().enumerate() {
            let at = window.instant(minute);
            while shift.next_if(|shift| shift.end <= at).is_some() {}
            let here = shift.peek().expect("a shift at every minute");
            prop_assert!(here.start <= at);
            prop_assert_eq!((&here.person, here.overridden), (person, *overridden), "{}", window.wall(minute));
        }
        for minute in (odd..expected.len()).step_by(997) {
            let on = roster::on_call(&schedule, &overrides, window.instant(minute));
            prop_assert_eq!(&on, &expected[minute].0, "{}", window.wall(minute));
        }
    }

    #[test]
    fn shifts_tile_the_range_and_agree_with_who_is_on_call(
        (index, schedule) in schedules(), drafts in drafts(), from in 0..60_000_000i64, length in 0..10_000_000i64,
    ) {
        let window = &WINDOWS[index];
        let overrides = overrides(window.start, drafts);
        // Odd milliseconds, so that the range does not begin on a hand-off.
        let from = window.start + TimeDelta::milliseconds(from * 61);
        let to = from + TimeDelta::milliseconds(length * 61);
        let shifts = roster::shifts(&schedule, &overrides, from, to);
        prop_assert_eq!(shifts.first().map(|shift| shift.start), (from < to).then_some(from));
        prop_assert_eq!(shifts.last().map(|shift| shift.end), (from < to).then_some(to));
        for pair in shifts.windows(2) {
            prop_assert_eq!(pair[0].end, pair[1].start);
            prop_assert!((&pair[0].person, pair[0].overridden) != (&pair[1].person, pair[1].overridden));
        }
        for shift in &shifts {
            prop_assert!(shift.start < shift.end);
            let middle = shift.start + (shift.end - shift.start) / 2;
            for at in [shift.start, middle, shift.end - TimeDelta::microseconds(1)] {
                prop_assert_eq!(&roster::on_call(&schedule, &overrides, at), &shift.person);
            }
        }
        let conserved: TimeDelta = shifts.iter().map(|shift| shift.end - shift.start).sum();
        prop_assert_eq!(conserved, to - from);
        let gaps: Vec<_> = shifts.iter().filter(|shift| shift.person.is_none()).cloned().collect();
        prop_assert_eq!(coverage::gaps(&schedule, &overrides, from, to), gaps);
    }

    #[test]
    fn the_order_overrides_come_in_does_not_matter((index, schedule) in schedules(), drafts in drafts()) {
        let window = &WINDOWS[index];
        let mut overrides = overrides(window.start, drafts);
        let to = window.start + TimeDelta::days(50);
        let shifts = roster::shifts(&schedule, &overrides, window.start, to);
        overrides.reverse();
        prop_assert_eq!(roster::shifts(&schedule, &overrides, window.start, to), shifts);
    }

    #[test]
    fn handoffs_keep_their_wall_time_or_their_hours((rotation, day) in rotations(), index in 0..WINDOWS.len()) {
        let window = &WINDOWS[index];
        let zone = window.zone.parse().unwrap();
        let rotation = Rotation { start: window.night() + TimeDelta::days(day), ..rotation };
        let mut at = window.start;
        for _ in 0..50 {
            let next = rotation.next_handoff(&zone, at).unwrap();
            prop_assert!(next > at);
            prop_assert_eq!(rotation.last_handoff(&zone, next), Some(next));
            let before = next - TimeDelta::microseconds(1);
            prop_assert_eq!(rotation.next_handoff(&zone, before), Some(next));
            let place = |person: &crate::id::PersonKey| rotation.people.iter().position(|p| p == person).unwrap();
            if rotation.people.iter().collect::<std::collections::BTreeSet<_>>().len() == rotation.people.len() {
                let handed = (rotation.person_at(&zone, before).unwrap(), rotation.person_at(&zone, next).unwrap());
                prop_assert_eq!((place(handed.0) + 1) % rotation.people.len(), place(handed.1));
            }
            let shown = next.with_timezone(&zone).naive_local();
            match rotation.turn {
                Turn::Hours(hours) => {
                    prop_assert_eq!(rotation.next_handoff(&zone, next), Some(next + TimeDelta::hours(hours.into())));
                }
                _ if shown.time() == rotation.handoff => {}
                // Only the clocks' jump may move it, on that night, by an hour at most.
                _ => {
                    prop_assert_eq!(shown.date(), window.night());
                    let moved = shown.time() - rotation.handoff;
                    prop_assert!(moved == TimeDelta::hours(1) || moved == TimeDelta::minutes(30), "{}", moved);
                }
            }
            if let Turn::Weeks(_, weekday) = rotation.turn {
                prop_assert_eq!(chrono::Datelike::weekday(&shown), weekday);
            }
            at = next;
        }
    }
}
