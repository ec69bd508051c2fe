//! Nights, folds, gaps and edges, by table.

use Weekday::*;
use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};
use rstest::rstest;

use super::*;
use crate::{
    oncall::{coverage, roster},
    sla::{Zone, zone::instant_of},
};

#[rstest]
#[case::shortened_in_new_york("America/New_York", "2026-03-08", 23 * 60)]
#[case::lengthened_in_new_york("America/New_York", "2026-11-01", 25 * 60)]
#[case::shortened_in_berlin("Europe/Berlin", "2026-03-29", 23 * 60)]
#[case::lengthened_in_berlin("Europe/Berlin", "2026-10-25", 25 * 60)]
#[case::lengthened_by_half_an_hour("Australia/Lord_Howe", "2026-04-05", 24 * 60 + 30)]
#[case::shortened_by_half_an_hour("Australia/Lord_Howe", "2026-10-04", 23 * 60 + 30)]
#[case::never_changed("Asia/Kolkata", "2026-03-29", 24 * 60)]
#[case::shortened_for_the_last_time("America/Vancouver", "2026-03-08", 23 * 60)]
#[case::not_lengthened_any_more("America/Vancouver", "2026-11-01", 24 * 60)]
fn a_daily_turn_is_as_long_as_its_day(#[case] zone: &str, #[case] changed: &str, #[case] minutes: i64) {
    let schedule = schedule(zone, vec![layer(rotation(&["ada", "bob"], Turn::Days(1), "2026-01-01", "00:00"), vec![])]);
    let day: NaiveDate = changed.parse().unwrap();
    let noon = instant_of(&schedule.zone, day.and_time(clock("12:00")));
    let shift = coverage::shift_at(&schedule, &[], noon, TimeDelta::days(3)).unwrap();
    assert_eq!((shift.end - shift.start).num_minutes(), minutes);
    let week = roster::shifts(&schedule, &[], noon - TimeDelta::days(4), noon + TimeDelta::days(4));
    assert_eq!(week.iter().map(|s| s.end - s.start).sum::<TimeDelta>(), TimeDelta::days(8));
    assert_eq!(week.len(), 9);
}

#[rstest]
// 02:00 to 03:00 is left out: 02:30 counts from the jump, an hour later on the wall.
#[case::in_the_gap("Europe/Berlin", "02:30", "2026-03-29T01:30:00Z", "bob")]
#[case::just_before_it("Europe/Berlin", "02:30", "2026-03-29T01:29:59Z", "ada")]
#[case::at_the_jump("Europe/Berlin", "02:00", "2026-03-29T01:00:00Z", "bob")]
#[case::before_the_jump("Europe/Berlin", "02:00", "2026-03-29T00:59:59Z", "ada")]
#[case::half_an_hour_gap("Australia/Lord_Howe", "02:15", "2026-10-03T15:45:00Z", "bob")]
#[case::just_before_half_an_hour_gap("Australia/Lord_Howe", "02:15", "2026-10-03T15:44:59Z", "ada")]
// 01:00 to 02:00 comes twice: 01:30 is the first.
#[case::the_first_of_two("America/New_York", "01:30", "2026-11-01T05:30:00Z", "bob")]
#[case::before_the_first_of_two("America/New_York", "01:30", "2026-11-01T05:29:59Z", "ada")]
#[case::the_wall_says_earlier_again("America/New_York", "01:30", "2026-11-01T06:00:00Z", "bob")]
#[case::the_second_of_two("America/New_York", "01:30", "2026-11-01T06:30:00Z", "bob")]
fn a_handoff_the_clocks_skip_or_repeat_happens_once(
    #[case] zone: &str,
    #[case] handoff: &str,
    #[case] at: &str,
    #[case] person: &str,
) {
    let at = time(at);
    let zone: Zone = zone.parse().unwrap();
    let day = at.with_timezone(&zone).date_naive();
    let start = day.pred_opt().unwrap();
    for turn in [Turn::Days(1), Turn::Weeks(1, day.weekday())] {
        let start = match turn {
            Turn::Weeks(..) => day - TimeDelta::days(7),
            _ => start,
        };
        let rotation = rotation(&["ada", "bob"], turn, &start.to_string(), handoff);
        assert_eq!(rotation.person_at(&zone, at).unwrap().as_str(), person, "{turn:?}");
    }
}

#[test]
fn turns_run_backwards_before_the_start() {
    let zone = "Europe/Berlin".parse().unwrap();
    let people = ["ada", "bob", "cyd"];
    let daily = rotation(&people, Turn::Days(1), "2026-06-10", "09:00");
    let at = |text: &str| daily.person_at(&zone, time(text)).unwrap().to_string();
    assert_eq!(at("2026-06-10T07:00:00Z"), "ada");
    assert_eq!(at("2026-06-10T06:59:59Z"), "cyd");
    assert_eq!(at("2026-06-08T07:00:00Z"), "bob");
    assert_eq!(at("2026-06-07T07:00:00Z"), "ada");
    assert_eq!(at("2026-06-07T06:59:59.999999Z"), "cyd");
}

#[test]
fn a_weekly_turn_hands_off_on_its_day_wherever_in_the_week_it_started() {
    let zone = "Europe/Berlin".parse().unwrap();
    for start in ["2026-06-08", "2026-06-10", "2026-06-14"] {
        let weekly = rotation(&["ada", "bob"], Turn::Weeks(1, Mon), start, "09:00");
        assert_eq!(weekly.person_at(&zone, time("2026-06-14T20:00:00Z")).unwrap().as_str(), "ada", "{start}");
        assert_eq!(weekly.next_handoff(&zone, time("2026-06-14T20:00:00Z")), Some(time("2026-06-15T07:00:00Z")));
        assert_eq!(weekly.last_handoff(&zone, time("2026-06-14T20:00:00Z")), Some(time("2026-06-08T07:00:00Z")));
        assert_eq!(weekly.person_at(&zone, time("2026-06-15T07:00:00Z")).unwrap().as_str(), "bob", "{start}");
    }
}

#[test]
fn two_weekly_turns_last_two_weeks() {
    let zone = "Europe/Berlin".parse().unwrap();
    let fortnightly = rotation(&["ada", "bob"], Turn::Weeks(2, Mon), "2026-06-10", "09:00");
    assert_eq!(fortnightly.next_handoff(&zone, time("2026-06-10T10:00:00Z")), Some(time("2026-06-22T07:00:00Z")));
}

#[test]
fn hourly_turns_count_elapsed_hours_across_the_night_the_clocks_change() {
    let schedule = schedule(
        "America/New_York",
        vec![layer(rotation(&["ada", "bob"], Turn::Hours(12), "2026-10-31", "08:00"), vec![])],
    );
    let shifts = roster::shifts(&schedule, &[], time("2026-10-31T12:00:00Z"), time("2026-11-02T12:00:00Z"));
    insta::assert_snapshot!(told(&schedule, &shifts), @"
    Sat 31 08:00 - Sat 31 20:00  12:00h  ada
    Sat 31 20:00 - Sun 01 07:00  12:00h  bob
    Sun 01 07:00 - Sun 01 19:00  12:00h  ada
    Sun 01 19:00 - Mon 02 07:00  12:00h  bob
    ");
}

#[test]
fn a_day_the_zone_left_out_is_nobodys_turn() {
    // Samoa had no 30 December 2011: both hand-offs fall on the same instant.
    let zone = "Pacific/Apia".parse().unwrap();
    let daily = rotation(&["ada", "bob", "cyd"], Turn::Days(1), "2011-12-29", "09:00");
    let turns: Vec<_> = std::iter::successors(Some(time("2011-12-29T19:00:00Z")), |at| daily.next_handoff(&zone, *at))
        .take(3)
        .map(|at| (at, daily.person_at(&zone, at).unwrap().to_string()))
        .collect();
    assert_eq!(
        turns,
        [
            (time("2011-12-29T19:00:00Z"), "ada".to_string()),
            (time("2011-12-30T19:00:00Z"), "cyd".to_string()),
            (time("2011-12-31T19:00:00Z"), "ada".to_string()),
        ]
    );
}

#[test]
fn no_instant_and_no_rotation_makes_the_roster_fail() {
    for zone in ["Pacific/Kiritimati", "Pacific/Niue", "UTC"] {
        for turn in [Turn::Days(0), Turn::Days(u16::MAX), Turn::Weeks(u16::MAX, Sun), Turn::Hours(0), Turn::Hours(7)] {
            for start in [NaiveDate::MIN, "2026-01-01".parse().unwrap(), NaiveDate::MAX] {
                let rotation = Rotation { start, ..rotation(&["ada", "bob"], turn, "2026-01-01", "23:59") };
                let held = layer(rotation, vec![hours(&[], "22:00", "06:00")]);
                let schedule = schedule(zone, vec![held, always("cyd")]);
                for at in [Time::MIN_UTC, time("0001-01-01T00:00:00Z"), time("9999-12-31T23:59:59Z"), Time::MAX_UTC] {
                    assert!(roster::on_call(&schedule, &[], at).is_some());
                    let end = at.checked_add_signed(TimeDelta::days(2)).unwrap_or(at);
                    let total: TimeDelta =
                        roster::shifts(&schedule, &[], at, end).iter().map(|shift| shift.end - shift.start).sum();
                    assert_eq!(total, end - at);
                }
            }
        }
    }
}

#[test]
fn nobody_in_a_rotation_is_a_gap() {
    let schedule = schedule("UTC", vec![layer(rotation(&[], Turn::Days(1), "2026-01-01", "09:00"), vec![])]);
    let (from, to) = (time("2026-06-01T00:00:00Z"), time("2026-06-02T00:00:00Z"));
    let gap = Shift { person: None, start: from, end: to, overridden: false };
    assert_eq!(coverage::gaps(&schedule, &[], from, to), [gap]);
}

#[test]
fn hours_past_midnight_belong_to_the_day_they_begin() {
    // Weekday nights: Friday's ends on Saturday morning, and Monday begins on Monday evening.
    let nights = layer(
        rotation(&["ada"], Turn::Days(1), "2026-01-01", "00:00"),
        vec![hours(&[Mon, Tue, Wed, Thu, Fri], "18:00", "08:00")],
    );
    let schedule = schedule("Europe/Berlin", vec![nights, always("bob")]);
    let shifts = roster::shifts(&schedule, &[], time("2026-06-04T22:00:00Z"), time("2026-06-09T22:00:00Z"));
    insta::assert_snapshot!(told(&schedule, &shifts), @"
    Fri 05 00:00 - Fri 05 08:00   8:00h  ada
    Fri 05 08:00 - Fri 05 18:00  10:00h  bob
    Fri 05 18:00 - Sat 06 08:00  14:00h  ada
    Sat 06 08:00 - Mon 08 18:00  58:00h  bob
    Mon 08 18:00 - Tue 09 08:00  14:00h  ada
    Tue 09 08:00 - Tue 09 18:00  10:00h  bob
    Tue 09 18:00 - Wed 10 00:00   6:00h  ada
    ");
}

#[test]
fn equal_ends_mean_a_whole_day() {
    let weekend =
        layer(rotation(&["ada"], Turn::Days(1), "2026-01-01", "00:00"), vec![hours(&[Sat, Sun], "00:00", "00:00")]);
    let schedule = schedule("America/New_York", vec![weekend]);
    let shifts = roster::shifts(&schedule, &[], time("2026-10-29T12:00:00Z"), time("2026-11-03T12:00:00Z"));
    insta::assert_snapshot!(told(&schedule, &shifts), @"
    Thu 29 08:00 - Sat 31 00:00  40:00h  nobody
    Sat 31 00:00 - Mon 02 00:00  49:00h  ada
    Mon 02 00:00 - Tue 03 07:00  31:00h  nobody
    ");
}

#[test]
fn hours_that_meet_on_the_wall_leave_no_hole_when_the_clocks_change() {
    for meeting in ["01:30", "02:00", "02:15", "02:30", "03:00"] {
        let day = layer(rotation(&["ada"], Turn::Days(1), "2026-01-01", "00:00"), vec![hours(&[], meeting, "20:00")]);
        let night = layer(rotation(&["bob"], Turn::Days(1), "2026-01-01", "00:00"), vec![hours(&[], "20:00", meeting)]);
        for zone in ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"] {
            let schedule = schedule(zone, vec![day.clone(), night.clone()]);
            let gaps = coverage::gaps(&schedule, &[], time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z"));
            assert_eq!(gaps, [], "{zone} {meeting}");
        }
    }
}

#[test]
fn hours_that_begin_in_the_gap_begin_as_a_handoff_there_would() {
    let schedule = schedule(
        "Europe/Berlin",
        vec![layer(rotation(&["ada"], Turn::Days(1), "2026-01-01", "00:00"), vec![hours(&[], "02:30", "04:00")])],
    );
    let shifts = roster::shifts(&schedule, &[], time("2026-03-28T12:00:00Z"), time("2026-03-29T12:00:00Z"));
    insta::assert_snapshot!(told(&schedule, &shifts), @"
    Sat 28 13:00 - Sun 29 03:30  13:30h  nobody
    Sun 29 03:30 - Sun 29 04:00   0:30h  ada
    Sun 29 04:00 - Sun 29 14:00  10:00h  nobody
    ");
}

#[test]
fn the_upper_layer_wins_where_it_has_somebody() {
    let office = layer(
        rotation(&["ada", "bob"], Turn::Weeks(1, Mon), "2026-06-01", "09:00"),
        vec![hours(&[Mon, Tue, Wed, Thu, Fri], "09:00", "17:00")],
    );
    let schedule = schedule("Europe/Berlin", vec![office, always("cyd")]);
    let shifts = roster::shifts(&schedule, &[], time("2026-06-05T00:00:00Z"), time("2026-06-09T00:00:00Z"));
    insta::assert_snapshot!(told(&schedule, &shifts), @"
    Fri 05 02:00 - Fri 05 09:00   7:00h  cyd
    Fri 05 09:00 - Fri 05 17:00   8:00h  ada
    Fri 05 17:00 - Mon 08 09:00  64:00h  cyd
    Mon 08 09:00 - Mon 08 17:00   8:00h  bob
    Mon 08 17:00 - Tue 09 02:00   9:00h  cyd
    ");
}

#[test]
fn the_next_handoff_says_who_and_when() {
    let schedule =
        schedule("UTC", vec![layer(rotation(&["ada", "ada", "bob"], Turn::Days(1), "2026-06-01", "09:00"), vec![])]);
    let (from, until) = (time("2026-06-01T10:00:00Z"), time("2026-06-30T00:00:00Z"));
    let next = coverage::next_handoff(&schedule, &[], from, until).unwrap();
    assert_eq!(next.at, time("2026-06-03T09:00:00Z"));
    assert_eq!((next.from, next.to), (Some("ada".into()), Some("bob".into())));
    assert_eq!(coverage::next_handoff(&schedule, &[], from, time("2026-06-03T09:00:00Z")), None);
}
