//! What a promise's arithmetic sounds like.

use super::{
    proof::{office, time, weekdays},
    *,
};
use crate::{
    incident::{RcaStage, explain, ledger::reckon::reckon},
    sla::{Anchor, Calendar, Idle, Pausable, Rca, Term},
};

fn page(life: &Life) -> String {
    explain::text(life.it(), &reckon(&life.events, life.now))
}

fn talk(life: &mut Life, evidence: Evidence) {
    life.run(Command::RecordResponse { by: person("engineer"), evidence }).unwrap();
}

/// Support hours in Chicago, with Thanksgiving Day.
fn support() -> Calendar {
    let mut calendar = office();
    (calendar.key, calendar.title) = ("support".into(), "Support hours, Chicago".into());
    calendar.zone = "America/Chicago".parse().unwrap();
    calendar.openings[0].hours = "08:00-17:00".parse().unwrap();
    calendar.exceptions.clear();
    calendar.day = Span::minutes(9 * 60);
    calendar
}

fn in_support(text: &str) -> Term {
    Term::new(text.parse::<crate::sla::Amount>().unwrap(), "support")
}

/// Everything that a plan may promise, for P3, in support hours; all of it stands still while we wait.
fn support_plan() -> Plan {
    let promise = Promise {
        title: "Medium".into(),
        response: Some(in_support("8h")),
        updates: Some(Cadence { every: in_support("5bd"), from: Anchor::Response, remind_before: Span::minutes(60) }),
        resolution: Some(in_support("3bd")),
        rca: Some(Rca { draft: Some(Term::new(Span::minutes(72 * 60), "weekdays")), last: Some(in_support("5bd")) }),
        ..Promise::default()
    };
    let mut plan = Plan {
        pauses: [Pausable::Response, Pausable::Updates, Pausable::Resolution].into(),
        rule_out: true,
        idle: Some(Idle {
            requests: 2,
            again_after: Some(in_support("1bd")),
            close_after: in_support("5bd"),
            warn_before: Span::minutes(9 * 60),
        }),
        ..Plan::empty("support".into(), "Support")
    };
    plan.priorities.insert(Priority::P3, promise);
    for calendar in [support(), weekdays()] {
        plan.calendars.insert(std::sync::Arc::new(calendar));
    }
    plan
}

/// Reported on Friday, 16:30 in Chicago, by a customer there or in New York.
fn on_friday(zone: &str) -> Life {
    let mut life = Life::begin(patient());
    life.now = time("2026-11-20T22:30:00Z");
    let Command::Report(mut told) = report(Priority::P3) else { unreachable!() };
    (told.plan, told.zone) = (support_plan(), zone.parse().unwrap());
    life.run(Command::Report(told)).unwrap();
    life
}

fn until(life: &mut Life, at: &str) {
    let minutes = (time(at) - life.now).num_minutes();
    life.wait(minutes);
}

#[test]
fn a_term_in_a_calendar_is_summed_up_day_by_day() {
    let mut life = on_friday("America/Chicago");
    until(&mut life, "2026-11-23T20:00:00Z");
    talk(&mut life, Evidence::Conversation { calls: vec!["CA1".into()], seconds: 75 });
    insta::assert_snapshot!(page(&life), @r#"
    4821  Acme Bank, P3, plan "Support" (support)
    Clock times are those of Chicago (America/Chicago).

    Callback: kept
      Reported Fri 20 Nov 2026 16:30. P3 promises a callback within 8 h of Support hours, Chicago (Mon-Fri 08:00-17:00): 30 min were left that day, then Mon 7 h 30 min: due Mon 15:30. A conversation of 1 min 15 s with engineer ended Mon 14:00: kept, 1 h 30 min before it was due.

    Update 1: open
      P3 promises an update in every 5 business days (9 h each) of Support hours, Chicago (Mon-Fri 08:00-17:00), from the first conversation on. This window runs from Mon 23 Nov 2026 14:00 to Tue 1 Dec 14:00: 3 h were left that day, then 4 whole days, then Tue 1 Dec 6 h. Thu 26 Nov is Thanksgiving Day. None was given yet.

    Resolution: open
      Reported Fri 20 Nov 2026 16:30. P3 promises the end within 3 business days (9 h each) of Support hours, Chicago (Mon-Fri 08:00-17:00): 30 min were left that day, then Mon 9 h, then Tue 9 h, then Wed 8 h 30 min: due Wed 16:30. It is not over yet.
    "#);
}

#[test]
fn what_stood_still_is_told_on_the_clock_of_a_customer_elsewhere() {
    let mut life = on_friday("America/New_York");
    until(&mut life, "2026-11-23T16:00:00Z");
    life.run(Command::WaitOnCustomer { by: person("engineer"), reason: "the logs".into() }).unwrap();
    until(&mut life, "2026-11-24T22:00:00Z");
    life.run(Command::CustomerReplies { text: "here".into() }).unwrap();
    until(&mut life, "2026-11-25T15:30:00Z");
    talk(&mut life, Evidence::Attested { note: "spoke with Ada".into() });
    life.run(Command::WaitOnCustomer { by: person("engineer"), reason: "a time for a call".into() }).unwrap();
    until(&mut life, "2026-11-25T16:30:00Z");
    insta::assert_snapshot!(page(&life), @r#"
    4821  Acme Bank, P3, plan "Support" (support)
    Clock times are those of New York (America/New_York).

    Callback: kept
      Reported Fri 20 Nov 2026 17:30. P3 promises a callback within 8 h of Support hours, Chicago (Mon-Fri 08:00-17:00 Chicago time): 30 min were left that day, then Mon 7 h 30 min: due Mon 16:30. engineer waited on the customer from Mon 11:00 to Tue 17:00 (the logs): the clock stood still with 5 h 30 min left, so due Wed 13:30. The conversation with engineer, on their own word, is recorded Wed 10:30: kept, 3 h before it was due.

    Update 1: open
      P3 promises an update in every 5 business days (9 h each) of Support hours, Chicago (Mon-Fri 08:00-17:00 Chicago time), from the first conversation on. This window runs from Wed 25 Nov 2026 10:30 to Thu 3 Dec 10:30: 7 h 30 min were left that day, then 4 whole days, then Thu 3 Dec 1 h 30 min. engineer has waited on the customer since 10:30 (a time for a call): the clock stands still with 45 h left. Thu 26 Nov is Thanksgiving Day. None was given yet.

    Resolution: open
      Reported Fri 20 Nov 2026 17:30. P3 promises the end within 3 business days (9 h each) of Support hours, Chicago (Mon-Fri 08:00-17:00 Chicago time): 30 min were left that day, then Mon 9 h, then Tue 9 h, then Wed 8 h 30 min: due Wed 17:30. engineer waited on the customer from Mon 11:00 to Tue 17:00 (the logs): the clock stood still with 24 h 30 min left, so due Mon 30 Nov 14:30. engineer has waited on the customer since Wed 10:30 (a time for a call): the clock stands still with 22 h left. Thu 26 Nov is Thanksgiving Day. It is not over yet.

    Idle: answered
      engineer asked the customer Mon 23 Nov 2026 11:00 (the logs). Request 2: Tue 11:00. Without an answer it is closed after 5 business days (9 h each) of Support hours, Chicago (Mon-Fri 08:00-17:00 Chicago time): 7 h were left that day, then 4 whole days, then Wed 2 Dec 2 h, which is Wed 2 Dec 11:00. Thu 26 Nov is Thanksgiving Day. The customer answered Tue 17:00.

    Idle: open
      engineer asked the customer Wed 25 Nov 2026 10:30 (a time for a call). Without an answer it is asked again after 1 business day (9 h) of Support hours, Chicago (Mon-Fri 08:00-17:00 Chicago time): 7 h 30 min were left that day, then Fri 1 h 30 min, which is Fri 10:30. Thu 26 Nov is Thanksgiving Day. There is no answer yet.
    "#);
}

#[test]
fn what_was_ruled_out_closed_or_analysed_late_is_explained() {
    let mut life = on_friday("America/Chicago");
    life.run(Command::RuleOut { by: person("engineer"), note: "their network".into() }).unwrap();
    until(&mut life, "2026-11-22T18:00:00Z");
    life.run(Command::Reengage { by: person("engineer"), why: "it is not".into() }).unwrap();
    until(&mut life, "2026-11-24T14:00:00Z");
    life.run(Command::Resolve { by: person("engineer"), note: String::new() }).unwrap();
    until(&mut life, "2026-12-01T18:00:00Z");
    let deliver = |stage| Command::DeliverRca { by: person("engineer"), stage, text: "because".into() };
    life.run(deliver(RcaStage::Draft)).unwrap();
    life.run(deliver(RcaStage::Final)).unwrap();
    insta::assert_snapshot!(page(&life), @r#"
    4821  Acme Bank, P3, plan "Support" (support)
    Clock times are those of Chicago (America/Chicago).

    Callback: waived
      Reported Fri 20 Nov 2026 16:30. P3 promises a callback within 8 h of Support hours, Chicago (Mon-Fri 08:00-17:00): 30 min were left that day, then Mon 7 h 30 min: due Mon 15:30. It was ruled out 16:30: not owed any more.

    Callback: missed
      Engaged again Sun 22 Nov 2026 12:00. P3 promises a callback within 8 h of Support hours, Chicago (Mon-Fri 08:00-17:00): counted from Mon 08:00: due Mon 16:00. There was no conversation by then: missed, and recorded at once.

    Resolution: waived
      Reported Fri 20 Nov 2026 16:30. P3 promises the end within 3 business days (9 h each) of Support hours, Chicago (Mon-Fri 08:00-17:00): 30 min were left that day, then Mon 9 h, then Tue 9 h, then Wed 8 h 30 min: due Wed 16:30. It was ruled out 16:30: not owed any more.

    Resolution: kept
      Engaged again Sun 22 Nov 2026 12:00. P3 promises the end within 3 business days (9 h each) of Support hours, Chicago (Mon-Fri 08:00-17:00): 9 h counted from Mon 08:00, then Tue 9 h, then Wed 9 h: due Wed 17:00. engineer resolved it Tue 08:00: kept, 1 d 9 h before it was due.

    RCA draft: late
      Resolved Tue 24 Nov 2026 08:00. P3 promises a draft analysis of the cause within 72 h of Weekdays, UTC (Mon-Fri all day UTC time): 10 h were left that day, then Wed 24 h, then Thu 24 h, then Fri 14 h: due Fri 08:00. engineer delivered it Tue 1 Dec 12:00: late by 4 d 4 h.

    RCA final: kept
      Resolved Tue 24 Nov 2026 08:00. P3 promises the final analysis of the cause within 5 business days (9 h each) of Support hours, Chicago (Mon-Fri 08:00-17:00): 9 h were left that day, then 3 whole days, then Tue 1 Dec 9 h: due Tue 1 Dec 17:00. Thu 26 Nov is Thanksgiving Day. engineer delivered it Tue 1 Dec 12:00: kept, 5 h before it was due.
    "#);
}

#[test]
fn a_silent_customer_is_explained() {
    let mut life = on_friday("America/Chicago");
    life.run(Command::WaitOnCustomer { by: person("engineer"), reason: "the logs".into() }).unwrap();
    until(&mut life, "2026-12-05T18:00:00Z");
    insta::assert_snapshot!(page(&life), @r#"
    4821  Acme Bank, P3, plan "Support" (support)
    Clock times are those of Chicago (America/Chicago).

    Callback: waived
      Reported Fri 20 Nov 2026 16:30. P3 promises a callback within 8 h of Support hours, Chicago (Mon-Fri 08:00-17:00): 30 min were left that day, then Mon 7 h 30 min: due Mon 15:30. engineer waited on the customer from 16:30 to Tue 1 Dec 16:30 (the logs): the clock stood still with 8 h left. Thu 26 Nov is Thanksgiving Day. It was closed Tue 1 Dec 16:30 for want of an answer: not owed any more.

    Resolution: waived
      Reported Fri 20 Nov 2026 16:30. P3 promises the end within 3 business days (9 h each) of Support hours, Chicago (Mon-Fri 08:00-17:00): 30 min were left that day, then Mon 9 h, then Tue 9 h, then Wed 8 h 30 min: due Wed 16:30. engineer waited on the customer from 16:30 to Tue 1 Dec 16:30 (the logs): the clock stood still with 27 h left. Thu 26 Nov is Thanksgiving Day. It was closed Tue 1 Dec 16:30 for want of an answer: not owed any more.

    Idle: closed
      engineer asked the customer Fri 20 Nov 2026 16:30 (the logs). Request 2: Mon 16:30. Without an answer it is closed after 5 business days (9 h each) of Support hours, Chicago (Mon-Fri 08:00-17:00): 30 min were left that day, then 4 whole days, then Tue 1 Dec 8 h 30 min, which is Tue 1 Dec 16:30. Thu 26 Nov is Thanksgiving Day. The customer was told so Mon 30 Nov 16:30. No answer came: closed Tue 1 Dec 16:30.
    "#);
}

fn patient() -> Config {
    let mut config = config();
    config.policies.get_mut("standard").unwrap().ack_timeout = Span::minutes(6000);
    config
}

#[test]
fn a_day_with_promises_of_every_kind_is_explained() {
    let mut life = Life::opened(patient());
    life.run(acknowledge("engineer")).unwrap();
    life.wait(12);
    life.now += TimeDelta::seconds(15);
    talk(&mut life, Evidence::Conversation { calls: vec!["CA1".into()], seconds: 75 });
    life.wait(38);
    life.run(update("We found the cause.")).unwrap();
    life.wait(75);
    life.run(Command::Resolve { by: person("engineer"), note: String::new() }).unwrap();
    life.wait(60 * 24);
    life.run(Command::Reopen { by: Actor::Customer, why: "still down".into() }).unwrap();
    life.run(acknowledge("engineer")).unwrap();
    life.wait(45);
    talk(&mut life, Evidence::Attested { note: "spoke with Ada".into() });
    insta::assert_snapshot!(page(&life), @r#"
    4821  Acme Bank, P1, plan "Standard" (standard)
    Clock times are those of New York (America/New_York).

    Callback: kept
      Reported Mon 2 Nov 2026 07:00. P1 promises a callback within 30 min, around the clock: due 07:30. A conversation of 1 min 15 s with engineer ended 07:12:15: kept, 17 min 45 s before it was due.

    Callback: late
      Opened again Tue 3 Nov 2026 09:05:15. P1 promises a callback within 30 min, around the clock: due 09:35:15. The conversation with engineer, on their own word, is recorded 09:50:15: late by 15 min.

    Update 1: met
      P1 promises an update in every 1 h, around the clock. This window ran from Mon 2 Nov 2026 07:00 to 08:00. engineer gave one 07:50:15: met.

    Update 2: missed
      P1 promises an update in every 1 h, around the clock. This window ran from Mon 2 Nov 2026 08:00 to 09:00. None that counts was given in it: missed, and recorded at once.

    Update 3: waived
      P1 promises an update in every 1 h, around the clock. This window ran from Mon 2 Nov 2026 09:00 to 10:00. It was resolved 09:05:15 before it ended: not owed any more.

    Update 4: open
      P1 promises an update in every 1 h, around the clock. This window runs from Tue 3 Nov 2026 09:05:15 to 10:05:15. None was given yet.
    "#);
}

#[test]
fn what_was_not_kept_or_is_not_promised_is_explained() {
    let mut life = Life::opened(patient());
    life.run(acknowledge("engineer")).unwrap();
    life.wait(10);
    let by = person("engineer");
    life.run(Command::SetPriority { by, priority: Priority::P3, reason: "a workaround".into() }).unwrap();
    insta::assert_snapshot!(page(&life), @r#"
    4821  Acme Bank, P3, plan "Standard" (standard)
    Clock times are those of New York (America/New_York).

    Callback: waived
      Reported Mon 2 Nov 2026 07:00. P1 promises a callback within 30 min, around the clock: due 07:30. The priority became P3 07:10: not owed any more.

    Update 1: waived
      P1 promises an update in every 1 h, around the clock. This window ran from Mon 2 Nov 2026 07:00 to 08:00. The priority became P3 07:10 before it ended: not owed any more.
    "#);
    let mut life = Life::begin(patient());
    life.run(report(Priority::P3)).unwrap();
    insta::assert_snapshot!(page(&life), @r#"
    4821  Acme Bank, P3, plan "Standard" (standard)
    Clock times are those of New York (America/New_York).

    The plan promises nothing for this priority.
    "#);
}

#[test]
fn a_promise_over_the_end_of_summer_time_is_told_on_the_customers_clock() {
    let mut life = Life::begin(patient());
    // Half past one in New York, the first time; an hour later it is half past one again.
    life.now = "2026-11-01T05:30:00Z".parse().unwrap();
    life.run(report(Priority::P1)).unwrap();
    life.run(acknowledge("engineer")).unwrap();
    life.wait(61);
    insta::assert_snapshot!(page(&life), @r#"
    4821  Acme Bank, P1, plan "Standard" (standard)
    Clock times are those of New York (America/New_York).

    Callback: missed
      Reported Sun 1 Nov 2026 01:30 (UTC-04:00). P1 promises a callback within 30 min, around the clock: due 01:00 (UTC-05:00). There was no conversation by then: missed, and recorded at once.

    Update 1: missed
      P1 promises an update in every 1 h, around the clock. This window ran from Sun 1 Nov 2026 01:30 (UTC-04:00) to 01:30 (UTC-05:00). None that counts was given in it: missed, and recorded at once.

    Update 2: open
      P1 promises an update in every 1 h, around the clock. This window runs from Sun 1 Nov 2026 01:30 (UTC-05:00) to 02:30. None was given yet.
    "#);
}
