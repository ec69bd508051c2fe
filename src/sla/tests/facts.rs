use chrono::TimeDelta;

use super::*;
use crate::{
    sla::calendar::{Hours, Opening, WEEK},
    span::Span,
};

#[test]
fn promises_are_due_when_the_open_time_is_over() {
    for (name, from, promise, due) in [
        // In hours, over the evening, over the weekend.
        ("click-support", "2026-06-03T09:00:00-05:00", "8h", "2026-06-03T17:00:00-05:00"),
        ("click-support", "2026-06-03T16:30:00-05:00", "8h", "2026-06-04T15:30:00-05:00"),
        ("click-support", "2026-06-05T16:30:00-05:00", "8h", "2026-06-08T15:30:00-05:00"),
        // Outside hours the clock waits.
        ("click-support", "2026-06-06T12:00:00-05:00", "1h", "2026-06-08T09:00:00-05:00"),
        ("click-support", "2026-06-06T12:00:00-05:00", "0s", "2026-06-06T12:00:00-05:00"),
        // A business day is as long as its calendar says, and closing time is not the next opening.
        ("click-support", "2026-06-03T17:00:00-05:00", "1bd", "2026-06-04T17:00:00-05:00"),
        ("click-support", "2026-06-03T10:00:00-05:00", "3bd", "2026-06-08T10:00:00-05:00"),
        ("matrix-8x5", "2026-06-03T13:00:00-04:00", "3bd", "2026-06-08T13:00:00-04:00"),
        ("matrix-8x5", "2026-06-01T09:00:00-04:00", "5bd", "2026-06-05T17:00:00-04:00"),
        ("weekdays-utc", "2026-06-03T10:00:00-05:00", "72h", "2026-06-08T10:00:00-05:00"),
        // Click-support knows no holidays, us-central-business does: Thanksgiving, Independence Day on its Friday.
        ("click-support", "2026-11-25T16:00:00-06:00", "2h", "2026-11-26T09:00:00-06:00"),
        ("us-central-business", "2026-11-25T16:00:00-06:00", "2h", "2026-11-27T09:00:00-06:00"),
        ("us-central-business", "2026-07-02T16:00:00-05:00", "1bd", "2026-07-06T16:00:00-05:00"),
        // Orthodox Easter, and Pentecost Monday on Children's Day.
        ("bucharest-business", "2026-04-09T16:00:00+03:00", "2h", "2026-04-14T10:00:00+03:00"),
        ("bucharest-business", "2026-05-29T16:00:00+03:00", "1bd", "2026-06-02T16:00:00+03:00"),
        ("bucharest-business", "2025-12-31T17:00:00+02:00", "1bd", "2026-01-05T17:00:00+02:00"),
        // Both nights on which the clocks change.
        ("bucharest-business", "2026-03-27T16:00:00+02:00", "2h", "2026-03-30T10:00:00+03:00"),
        ("bucharest-business", "2026-10-23T16:00:00+03:00", "2h", "2026-10-26T10:00:00+02:00"),
        ("always", "2026-03-29T00:30:00Z", "36h", "2026-03-30T12:30:00Z"),
        ("always", "2026-03-29T00:30:00.250Z", "1bd", "2026-03-30T00:30:00.250Z"),
        ("weekdays-utc", "2026-06-05T20:00:00Z", "24h", "2026-06-08T20:00:00Z"),
        ("weekdays-utc", "2026-06-05T20:00:00Z", "4h", "2026-06-06T00:00:00Z"),
        // Part of a second counts when the clock runs, and not when it waits.
        ("weekdays-utc", "2026-06-05T23:59:59.500Z", "1s", "2026-06-08T00:00:00.500Z"),
        ("weekdays-utc", "2026-06-06T23:59:59.500Z", "1s", "2026-06-08T00:00:01Z"),
    ] {
        let calendar = calendar(name);
        assert_eq!(calendar.due(at(from), amount(promise)), Ok(at(due)), "{name} {from} {promise}");
        let seconds = amount(promise).seconds(calendar.calendar().day);
        assert_eq!(calendar.elapsed(at(from), at(due)), Ok(TimeDelta::seconds(seconds)), "{name} {from} {promise}");
    }
}

/// Open every day at these hours.
fn daily(zone: &str, hours: &str) -> Compiled {
    let hours: Hours = hours.parse().unwrap();
    let openings = vec![Opening { days: WEEK.to_vec(), hours }];
    let always = Calendar::always();
    Compiled::new(Calendar { zone: zone.parse().unwrap(), openings, day: Span::minutes(480), ..always })
}

#[test]
fn an_hour_that_is_skipped_is_never_open_and_one_that_comes_twice_is_open_twice() {
    for (zone, hours, from, to, minutes) in [
        ("Europe/Berlin", "00:00-09:00", "2026-03-29T00:00:00+01:00", "2026-03-29T12:00:00+02:00", 8 * 60),
        ("Europe/Berlin", "00:00-09:00", "2026-10-25T00:00:00+02:00", "2026-10-25T12:00:00+01:00", 10 * 60),
        // An opening that would begin in the gap begins after it.
        ("Europe/Berlin", "02:30-05:00", "2026-03-29T00:00:00+01:00", "2026-03-29T12:00:00+02:00", 2 * 60),
        ("Europe/Berlin", "02:15-02:45", "2026-03-29T00:00:00+01:00", "2026-03-29T12:00:00+02:00", 0),
        ("Europe/Berlin", "02:15-02:45", "2026-10-25T00:00:00+02:00", "2026-10-25T12:00:00+01:00", 60),
        // Half an hour, and a zone that is off by half an hour.
        ("Australia/Lord_Howe", "01:00-09:00", "2026-10-04T00:00:00+10:30", "2026-10-04T12:00:00+11:00", 7 * 60 + 30),
        ("Australia/Lord_Howe", "01:00-09:00", "2026-04-05T00:00:00+11:00", "2026-04-05T12:00:00+10:30", 8 * 60 + 30),
        ("Asia/Kolkata", "09:00-17:00", "2026-06-03T00:00:00+05:30", "2026-06-04T00:00:00+05:30", 8 * 60),
        // Samoa had no 30 December 2011.
        ("Pacific/Apia", "09:00-17:00", "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00", 2 * 8 * 60),
    ] {
        let open = daily(zone, hours).elapsed(at(from), at(to)).unwrap();
        assert_eq!(open, TimeDelta::minutes(minutes), "{zone} {hours} {from}");
    }
}

#[test]
fn the_next_opening_is_the_first_instant_that_is_open() {
    let calendar = calendar("bucharest-business");
    for (from, next) in [
        ("2026-04-09T16:59:59+03:00", "2026-04-09T16:59:59+03:00"),
        ("2026-04-09T17:00:00+03:00", "2026-04-14T09:00:00+03:00"),
        ("2026-04-14T08:59:59.999+03:00", "2026-04-14T09:00:00+03:00"),
        ("2026-04-14T09:00:00+03:00", "2026-04-14T09:00:00+03:00"),
    ] {
        assert_eq!(calendar.next_open(at(from)), Ok(at(next)), "{from}");
        assert_eq!(calendar.is_open(at(from)), Ok(from == next), "{from}");
    }
}

#[test]
fn what_cannot_be_reckoned_is_refused() {
    for name in ["always", "bucharest-business"] {
        let calendar = calendar(name);
        for far in ["1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "9999-01-01T00:00:00Z"] {
            assert_eq!(calendar.due(at(far), amount("1h")), Err(NoAnswer::OutOfRange), "{name} {far}");
            assert_eq!(
                calendar.elapsed(at(far), at("2026-01-01T00:00:00Z")),
                Err(NoAnswer::OutOfRange),
                "{name} {far}"
            );
        }
        assert!(calendar.due(at("2199-12-31T00:00:00Z"), amount("3650d")).is_err());
    }
    let never = Compiled::new(Calendar { openings: vec![], ..Calendar::always() });
    let now = at("2026-01-01T00:00:00Z");
    assert_eq!(never.due(now, amount("1h")), Err(NoAnswer::NeverOpen));
    assert_eq!(never.next_open(now), Err(NoAnswer::NeverOpen));
    assert_eq!(never.elapsed(now, at("2199-12-31T23:59:59Z")), Ok(TimeDelta::zero()));
}

#[test]
fn a_calendar_pinned_as_text_reads_back_the_same() {
    for calendar in shipped().calendars.values() {
        let text = serde_json::to_string(calendar).unwrap();
        assert_eq!(serde_json::from_str::<Calendar>(&text).unwrap(), **calendar);
    }
}
