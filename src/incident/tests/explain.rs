//! What a promise's arithmetic sounds like.

use super::*;
use crate::incident::{explain, ledger::reckon::reckon};

fn page(life: &Life) -> String {
    explain::text(life.it(), &reckon(&life.events, life.now))
}

fn talk(life: &mut Life, evidence: Evidence) {
    life.run(Command::RecordResponse { by: person("engineer"), evidence }).unwrap();
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
