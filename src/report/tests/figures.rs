use super::*;
use crate::report::compliance::{Counts, Step, Subject, Verdict};

fn counts(counts: &Counts) -> [u64; 5] {
    [counts.kept, counts.late, counts.missed, counts.waived, counts.open]
}

#[test]
fn promises_are_counted_by_priority_and_by_what_was_promised() {
    let report = report(night(), scope(0, 1000));
    assert_eq!(report.contradictory, 0, "{report:#?}");
    let lines: Vec<_> = report
        .by_priority
        .iter()
        .flat_map(|line| {
            line.promises.iter().map(move |subject| (line.priority, subject.promise, counts(&subject.counts)))
        })
        .collect();
    assert_eq!(
        lines,
        [
            (Priority::P1, Subject::Response, [1, 0, 0, 0, 0]),
            (Priority::P1, Subject::Update, [1, 0, 1, 1, 0]),
            (Priority::P1, Subject::Resolution, [1, 0, 0, 0, 0]),
            (Priority::P2, Subject::Response, [0, 1, 0, 0, 0]),
            (Priority::P2, Subject::Update, [0, 0, 0, 1, 0]),
        ]
    );
    assert_eq!(counts(&report.promises), [3, 1, 1, 2, 0]);
    assert_eq!((report.opened, report.promises.percent_kept), (2, Some(60.0)));
}

#[test]
fn updates_are_counted_by_the_hour_in_which_their_window_ended() {
    let told = |scope| {
        let lines = report(night(), scope).updates_by_hour;
        assert_eq!(lines.len(), 24);
        lines.into_iter().filter(|line| line.counts.all() > 0).map(|line| (line.hour, counts(&line.counts))).collect()
    };
    let (here, utc): (Vec<_>, Vec<_>) = (told(scope(0, 1000)), told(utc(scope(0, 1000))));
    let expected = [(3, [1, 0, 0, 0, 0]), (4, [0, 0, 1, 0, 0]), (5, [0, 0, 0, 1, 0]), (7, [0, 0, 0, 1, 0])];
    assert_eq!(here, expected);
    assert_eq!(utc, expected.map(|(hour, counts)| (hour + 5, counts)));
}

#[test]
fn times_are_counted_from_the_report_and_by_the_priority_it_was_reported_with() {
    let report = report(night(), scope(0, 1000));
    let told: Vec<_> = report
        .timings
        .iter()
        .map(|line| (line.priority, line.step, line.incidents, line.median_seconds / 60, line.p95_seconds / 60))
        .collect();
    assert_eq!(
        told,
        [
            (None, Step::FirstAttempt, 2, 0, 1),
            (None, Step::Acknowledged, 2, 2, 6),
            (None, Step::Response, 2, 20, 42),
            (Some(Priority::P1), Step::FirstAttempt, 1, 0, 0),
            (Some(Priority::P1), Step::Acknowledged, 1, 6, 6),
            (Some(Priority::P1), Step::Response, 1, 20, 20),
            (Some(Priority::P2), Step::FirstAttempt, 1, 1, 1),
            (Some(Priority::P2), Step::Acknowledged, 1, 2, 2),
            (Some(Priority::P2), Step::Response, 1, 42, 42),
        ]
    );
}

#[test]
fn what_waited_for_office_hours_is_counted_from_when_it_began() {
    let events = vec![
        (0, opened("4821", Priority::P2, plan("gold"))),
        (300, Event::Begun { due: minute(300) }),
        (301, paged(1, "ben")),
        (303, acknowledged(Some(1))),
    ];
    let report = report(vec![case("4821", events, &[(301, "ben", Channel::Sms)])], scope(0, 1000));
    let told: Vec<_> = report.timings.iter().filter(|line| line.priority.is_none()).map(|l| l.median_seconds).collect();
    assert_eq!(told, [60, 180]);
}

#[test]
fn pages_are_counted_by_person_and_the_night_is_where_each_lives() {
    let report = report(night(), scope(0, 1000));
    let told: Vec<_> = report
        .people
        .iter()
        .map(|p| (p.name.as_str(), [p.pages, p.acknowledged, p.at_night, p.nights, p.texts, p.calls]))
        .collect();
    assert_eq!(told, [("Ben Okafor", [2, 1, 2, 1, 2, 1]), ("Carla Mendes", [2, 1, 0, 0, 1, 1])]);
}

#[test]
fn an_incident_belongs_to_where_it_was_opened_and_a_promise_to_where_it_was_due() {
    let early = report(night(), scope(0, 60));
    assert_eq!((early.opened, counts(&early.promises)), (1, [1, 0, 0, 0, 0]), "the callback; the window ends later");
    let late = report(night(), scope(60, 1000));
    assert_eq!((late.opened, counts(&late.promises)), (1, [2, 1, 1, 2, 0]));
    let carried = &late.incidents[0];
    assert_eq!((carried.reference.as_str(), carried.opened_in_period, carried.promises.len()), ("4821", false, 4));
    assert!(report(night(), scope(500, 1000)).incidents.is_empty());
}

#[test]
fn only_the_customer_and_the_plan_that_were_asked_for_are_counted() {
    for (customer, plan, expected) in [
        (None, None, 2),
        (Some("acme"), None, 2),
        (Some("other"), None, 0),
        (None, Some("gold"), 2),
        (None, Some("gold:night"), 1),
        (None, Some("gol"), 0),
        (Some("acme"), Some("gold:day"), 1),
    ] {
        let scope = Scope { customer: customer.map(Into::into), plan: plan.map(Into::into), ..scope(0, 1000) };
        assert_eq!(report(night(), scope).opened, expected, "{customer:?} {plan:?}");
    }
}

#[test]
fn an_incident_says_how_long_it_was_open_and_that_the_service_was_down_meanwhile() {
    let mut cases = night();
    let again = |at, event| Recorded { seq: 0, at: minute(at), event };
    cases[1].events.push(again(400, Event::Reopened { by: ben(), why: "again".into() }));
    cases[1].events.push(again(410, resolved()));
    (1..).zip(&mut cases[1].events).for_each(|(seq, event)| event.seq = seq);
    let report = report(cases, scope(0, 1000));
    let told: Vec<_> = report
        .incidents
        .iter()
        .map(|line| (line.open_seconds / 60, line.closed_at, line.unavailable.iter().map(Gap::seconds).sum::<i64>()))
        .collect();
    assert_eq!(told, [(150, Some(minute(150)), 300), (60, Some(minute(410)), 0)]);
    assert_eq!(report.unavailable_seconds, 600);
}

#[test]
fn a_verdict_that_was_written_down_wrongly_is_not_believed() {
    let mut cases = night();
    // Somebody makes the missed window a met one.
    for recorded in &mut cases[0].events {
        if let Event::UpdateMissed { window, due } = recorded.event {
            recorded.event = Event::UpdateMet { window, due };
        }
    }
    let report = report(cases, scope(0, 1000));
    let missed: Vec<_> =
        report.incidents[0].promises.iter().filter(|promise| promise.verdict == Verdict::Missed).collect();
    assert_eq!((missed.len(), missed[0].window, report.contradictory), (1, Some(2), 1));
}

#[test]
fn what_runs_is_open_and_what_is_due_later_is_in_the_next_report() {
    let cases = vec![case("4821", vec![(0, opened("4821", Priority::P1, plan("gold")))], &[])];
    let report = report(cases, Scope { as_of: minute(10), gaps: vec![], ..scope(0, 60) });
    assert_eq!(counts(&report.promises), [0, 0, 0, 0, 1], "the callback; the first window ends with the period");
    assert_eq!(report.incidents[0].open_seconds, 600);
}

#[test]
fn the_list_is_bounded_and_the_figures_are_not() {
    use crate::report::tally::MOST_INCIDENTS;
    let many = u64::try_from(MOST_INCIDENTS).unwrap() + 5;
    let cases = (0..many).map(|_| case("1", vec![(0, opened("1", Priority::P2, plan("gold"))), (1, resolved())], &[]));
    let report = report(cases.collect(), scope(0, 1000));
    assert_eq!((report.opened, report.promises.waived), (many, 2 * many));
    assert_eq!((report.incidents.len(), report.incidents_left_out), (MOST_INCIDENTS, 5));
}
