//! Overrides: who wins, what they change, and how they are kept.

use chrono::TimeDelta;

use super::*;
use crate::{
    config::Config,
    oncall::{
        coverage, roster,
        stand_in::Refused,
        store::{self, Ended},
    },
    people::Person,
    store::Db,
};

fn pair() -> Schedule {
    schedule("UTC", vec![layer(rotation(&["ada", "bob"], Turn::Days(1), "2026-06-01", "00:00"), vec![])])
}

fn told_in_june(schedule: &Schedule, overrides: &[Override]) -> String {
    told(schedule, &roster::shifts(schedule, overrides, time("2026-06-01T00:00:00Z"), time("2026-06-05T00:00:00Z")))
}

#[test]
fn an_override_wins_over_the_layers_and_fills_a_gap() {
    let mut schedule = pair();
    schedule.layers[0].restrictions = vec![hours(&[], "08:00", "16:00")];
    let cover = [stand_in("ovr_1", "cyd", None, "2026-06-01T12:00:00Z", "2026-06-02T10:00:00Z")];
    insta::assert_snapshot!(told_in_june(&schedule, &cover), @"
    Mon 01 00:00 - Mon 01 08:00   8:00h  nobody
    Mon 01 08:00 - Mon 01 12:00   4:00h  ada
    Mon 01 12:00 - Tue 02 10:00  22:00h  cyd (override)
    Tue 02 10:00 - Tue 02 16:00   6:00h  bob
    Tue 02 16:00 - Wed 03 08:00  16:00h  nobody
    Wed 03 08:00 - Wed 03 16:00   8:00h  ada
    Wed 03 16:00 - Thu 04 08:00  16:00h  nobody
    Thu 04 08:00 - Thu 04 16:00   8:00h  bob
    Thu 04 16:00 - Fri 05 00:00   8:00h  nobody
    ");
}

#[test]
fn instead_of_holds_only_where_that_person_would_be_on() {
    let cover = [stand_in("ovr_1", "cyd", Some("ada"), "2026-06-01T12:00:00Z", "2026-06-04T12:00:00Z")];
    insta::assert_snapshot!(told_in_june(&pair(), &cover), @"
    Mon 01 00:00 - Mon 01 12:00  12:00h  ada
    Mon 01 12:00 - Tue 02 00:00  12:00h  cyd (override)
    Tue 02 00:00 - Wed 03 00:00  24:00h  bob
    Wed 03 00:00 - Thu 04 00:00  24:00h  cyd (override)
    Thu 04 00:00 - Fri 05 00:00  24:00h  bob
    ");
}

#[test]
fn two_people_swap_with_one_override_each() {
    let swap = [
        stand_in("ovr_1", "ada", Some("bob"), "2026-06-01T00:00:00Z", "2026-06-03T00:00:00Z"),
        stand_in("ovr_2", "bob", Some("ada"), "2026-06-01T00:00:00Z", "2026-06-03T00:00:00Z"),
    ];
    insta::assert_snapshot!(told_in_june(&pair(), &swap), @"
    Mon 01 00:00 - Tue 02 00:00  24:00h  bob (override)
    Tue 02 00:00 - Wed 03 00:00  24:00h  ada (override)
    Wed 03 00:00 - Thu 04 00:00  24:00h  ada
    Thu 04 00:00 - Fri 05 00:00  24:00h  bob
    ");
}

#[test]
fn the_later_written_of_two_overrides_wins_then_the_greater_id() {
    let (start, end) = ("2026-06-01T00:00:00Z", "2026-06-03T00:00:00Z");
    let mut cyd = stand_in("ovr_1", "cyd", None, start, end);
    let dee = stand_in("ovr_2", "dee", None, start, end);
    let on = |overrides: &[Override]| roster::on_call(&pair(), overrides, time("2026-06-02T00:00:00Z")).unwrap();
    assert_eq!(on(&[dee.clone(), cyd.clone()]).as_str(), "dee");
    assert_eq!(on(&[cyd.clone(), dee.clone()]).as_str(), "dee");
    cyd.created_at += TimeDelta::seconds(1);
    assert_eq!(on(&[cyd.clone(), dee.clone()]).as_str(), "cyd");
    assert_eq!(on(&[dee, cyd]).as_str(), "cyd");
}

#[test]
fn a_later_override_that_does_not_apply_leaves_the_earlier_one() {
    let (start, end) = ("2026-06-01T00:00:00Z", "2026-06-03T00:00:00Z");
    let cyd = stand_in("ovr_1", "cyd", None, start, end);
    let dee = stand_in("ovr_2", "dee", Some("bob"), start, end);
    assert_eq!(roster::on_call(&pair(), &[cyd, dee], time("2026-06-01T09:00:00Z")).unwrap().as_str(), "cyd");
}

#[test]
fn an_override_of_another_schedule_changes_nothing() {
    let mut other = stand_in("ovr_1", "cyd", None, "2026-06-01T00:00:00Z", "2026-06-05T00:00:00Z");
    other.schedule = "desk".into();
    assert_eq!(told_in_june(&pair(), &[other]), told_in_june(&pair(), &[]));
}

#[test]
fn the_writer_is_told_what_an_override_takes() {
    let (start, end) = ("2026-06-01T12:00:00Z", "2026-06-04T12:00:00Z");
    let schedule = pair();
    let wanted = stand_in("ovr_2", "ada", None, start, end);
    insta::assert_snapshot!(told(&schedule, &coverage::taken(&schedule, &[], &wanted)), @"
    Tue 02 00:00 - Wed 03 00:00  24:00h  ada (override)
    Thu 04 00:00 - Thu 04 12:00  12:00h  ada (override)
    ");
    let never_on = stand_in("ovr_2", "ada", Some("dee"), start, end);
    assert_eq!(coverage::taken(&schedule, &[], &never_on), []);
    let mut earlier = stand_in("ovr_1", "dee", None, start, end);
    earlier.created_at += TimeDelta::hours(1);
    assert_eq!(coverage::taken(&schedule, &[earlier], &wanted), [], "somebody's later override wins");
}

fn config() -> Config {
    let mut config = Config::default();
    for key in ["ada", "bob", "cyd"] {
        let person = Person {
            role: crate::access::Role::Responder,
            key: key.into(),
            name: key.into(),
            zone: crate::sla::Zone::utc(),
            language: "en".into(),
            contact: vec![],
            rules: Default::default(),
            mail: None,
        };
        config.people.insert(key.into(), person);
    }
    config.schedules.insert("field".into(), pair());
    config
}

#[test]
fn an_override_that_makes_no_sense_is_refused() {
    let now = time("2026-06-01T00:00:00Z");
    let good = stand_in("ovr_1", "cyd", Some("ada"), "2026-06-01T12:00:00Z", "2026-06-02T12:00:00Z");
    assert_eq!(good.check(&config(), now), Ok(()));
    let refused = |change: fn(&mut Override)| {
        let mut wrong = good.clone();
        change(&mut wrong);
        wrong.check(&config(), now).unwrap_err()
    };
    assert_eq!(refused(|o| o.schedule = "desk".into()), Refused::UnknownSchedule("desk".into()));
    assert_eq!(refused(|o| o.person = "eve".into()), Refused::UnknownPerson("eve".into()));
    assert_eq!(refused(|o| o.instead_of = Some("eve".into())), Refused::UnknownPerson("eve".into()));
    assert_eq!(refused(|o| o.instead_of = Some("cyd".into())), Refused::Oneself("cyd".into()));
    assert_eq!(refused(|o| o.end = o.start), Refused::Backwards);
    assert_eq!(refused(|o| o.end = o.start - TimeDelta::hours(1)), Refused::Backwards);
    assert_eq!(refused(|o| o.end = o.start + TimeDelta::seconds(59)), Refused::TooShort);
    assert_eq!(refused(|o| o.end = o.start + TimeDelta::days(367)), Refused::TooLong);
    assert_eq!(
        refused(|o| (o.start, o.end) = (o.start - TimeDelta::days(9), time("2026-06-01T00:00:00Z"))),
        Refused::Over
    );
    assert_eq!(
        refused(|o| (o.start, o.end) = (time("2028-06-02T00:00:00Z"), time("2028-06-03T00:00:00Z"))),
        Refused::TooFar
    );
    assert_eq!(refused(|o| o.created_by = String::new()), Refused::CreatedBy);
    assert_eq!(refused(|o| o.created_by = "x".repeat(201)), Refused::CreatedBy);
}

#[tokio::test]
async fn overrides_are_kept_listed_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&format!("sqlite:{}", folder.path().join("ringdown.db").display())).await.unwrap();
    let past = stand_in("ovr_past", "cyd", None, "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z");
    let running = stand_in("ovr_running", "cyd", Some("ada"), "2026-06-02T00:00:00.5Z", "2026-06-04T00:00:00Z");
    let future = stand_in("ovr_future", "bob", None, "2026-06-05T00:00:00Z", "2026-06-06T00:00:00.123456Z");
    let other = Override { id: "ovr_other".into(), schedule: "desk".into(), ..running.clone() };
    let now = time("2026-06-03T00:00:00Z");

    let mut tx = db.begin().await.unwrap();
    for new in [&past, &running, &future, &other] {
        store::insert(&mut tx, new).await.unwrap();
    }
    let backwards = Override { id: "ovr_bad".into(), end: past.start, ..past.clone() };
    assert!(store::insert(&mut tx, &backwards).await.is_err());
    tx.commit().await.unwrap();

    let mut tx = db.read().await.unwrap();
    let current = store::current(&mut tx, now).await.unwrap();
    assert_eq!(current, [other.clone(), running.clone(), future.clone()]);
    // The end is not included: at its end, an override is over.
    assert_eq!(store::current(&mut tx, past.end).await.unwrap().len(), 3);
    assert_eq!(store::current(&mut tx, past.end - TimeDelta::microseconds(1)).await.unwrap().len(), 4);
    let field = "field".into();
    let listed = store::list(&mut tx, &field, past.start, running.start).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&past));
    let listed = store::list(&mut tx, &field, past.start, future.start + TimeDelta::seconds(1)).await.unwrap();
    assert_eq!(listed, [past.clone(), running.clone(), future.clone()]);
    drop(tx);

    let mut tx = db.begin().await.unwrap();
    let cut = Override { end: now, ..running.clone() };
    assert_eq!(store::end(&mut tx, "ovr_running", now).await.unwrap(), Ended::Cut(cut.clone()));
    assert_eq!(store::end(&mut tx, "ovr_running", now).await.unwrap(), Ended::Over(cut.clone()));
    assert_eq!(store::end(&mut tx, "ovr_future", now).await.unwrap(), Ended::Deleted(future));
    assert_eq!(store::end(&mut tx, "ovr_future", now).await.unwrap(), Ended::Unknown);
    assert_eq!(store::end(&mut tx, "ovr_past", now).await.unwrap(), Ended::Over(past));
    tx.commit().await.unwrap();

    let mut tx = db.read().await.unwrap();
    assert_eq!(store::find(&mut tx, "ovr_running").await.unwrap(), Some(cut));
    assert_eq!(store::current(&mut tx, now).await.unwrap(), [other]);
}
