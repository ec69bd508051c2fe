use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::*;

static SHIPPED: LazyLock<Vec<Compiled>> =
    LazyLock::new(|| shipped().calendars.values().cloned().map(Compiled::new).collect());

fn any_calendar() -> impl Strategy<Value = &'static Compiled> {
    (0..SHIPPED.len()).prop_map(|i| &SHIPPED[i])
}

/// Instants from 2000 to 2060, to the millisecond.
fn any_instant() -> impl Strategy<Value = Time> {
    let range = 946_684_800_000..2_840_140_800_000i64;
    prop_oneof![
        range.clone(),
        range.prop_map(|at| at / 1000 * 1000),
        (0..2000i64).prop_map(|hour| 1_780_000_000_000 + hour * 3_600_000)
    ]
    .prop_map(|at| DateTime::from_timestamp_millis(at).unwrap())
}

/// Up to five years of open time, to the millisecond.
fn any_span() -> impl Strategy<Value = TimeDelta> {
    prop_oneof![0..100_000_000i64, 0..5 * 31_536_000_000i64].prop_map(TimeDelta::milliseconds)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_later_start_or_a_larger_amount_is_never_due_earlier(
        calendar in any_calendar(), start in any_instant(), later in any_span(), open in any_span(), more in any_span(),
    ) {
        let due = calendar.due_in(start, open).unwrap();
        prop_assert!(due >= start);
        prop_assert!(calendar.due_in(start + later, open).unwrap() >= due);
        prop_assert!(calendar.due_in(start, open + more).unwrap() >= due);
    }

    #[test]
    fn the_time_elapsed_until_it_is_due_is_the_amount_and_no_instant_earlier_has_it(
        calendar in any_calendar(), start in any_instant(), open in any_span(),
    ) {
        let due = calendar.due_in(start, open).unwrap();
        prop_assert_eq!(calendar.elapsed(start, due).unwrap(), open);
        if open > TimeDelta::zero() {
            prop_assert!(calendar.elapsed(start, due - TimeDelta::milliseconds(1)).unwrap() < open);
        }
    }

    #[test]
    fn elapsed_time_adds_up_in_any_order(
        calendar in any_calendar(), a in any_instant(), b in any_instant(), c in any_instant(),
    ) {
        let elapsed = |from, to| calendar.elapsed(from, to).unwrap();
        prop_assert_eq!(elapsed(a, b) + elapsed(b, c), elapsed(a, c));
        prop_assert!(elapsed(a.min(b), a.max(b)) <= a.max(b) - a.min(b));
    }

    #[test]
    fn nothing_elapses_before_the_next_opening(calendar in any_calendar(), start in any_instant()) {
        let next = calendar.next_open(start).unwrap();
        prop_assert_eq!(calendar.elapsed(start, next).unwrap(), TimeDelta::zero());
        prop_assert!(calendar.is_open(next).unwrap());
        let second = TimeDelta::seconds(1);
        prop_assert!(calendar.due_in(start, second).unwrap() <= next + second + TimeDelta::days(5));
    }
}
