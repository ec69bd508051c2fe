use serde_json::json;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-02T14:26:00Z".parse().unwrap()
}

fn open() -> Value {
    json!({
        "reference": "4821", "id": "inc_x", "zone": "America/New_York", "phase": "open", "priority": "P1", "title": "Checkout is down",
        "detail": "Nobody can pay since two.", "customer": {"key": "northwind", "name": "Northwind"},
        "team": {"key": "payments", "name": "Payments"}, "plan": {"key": "gold", "name": "Gold"},
        "contact": {"name": "Ms Ito", "number": "+12015550123"},
        "opened_at": "2026-11-02T14:14:00Z", "closed_at": null,
        "holder": null, "commander": null, "responders": [],
        "level": {"index": 1, "name": "team lead", "round": 0, "next_at": "2026-11-02T14:29:00Z"},
        "response": {"due": "2026-11-02T14:44:00Z", "met": false, "met_at": null, "late": false, "missed": false},
        "windows": [], "window": {"n": 1, "due": "2026-11-02T15:14:00Z", "met": false}, "waiting": null,
        "next_action": {"at": "2026-11-02T14:29:00Z", "what": "the next level is paged"},
        "timeline": [
            {"seq": 1, "at": "2026-11-02T14:14:00Z", "words": "reported by phone"},
            {"seq": 2, "at": "2026-11-02T14:14:01Z", "words": "Amara Okafor is paged"},
        ],
    })
}

#[test]
fn an_open_incident_says_who_has_it_and_what_comes_next() {
    insta::assert_snapshot!(incident(&open(), now(), &Utc), @r#"
    4821  P1  Checkout is down
    Northwind · Payments · Gold

    State      open since 14:14 (12 min ago)
    Held by    NOBODY
    Level      team lead; the next is paged 14:29 (in 3 min)
    Callback   due 14:44 (in 18 min)
    Update     1 due, its window ends 15:14 (in 48 min)
    Contact    Ms Ito, +12015550123
    Next       14:29 (in 3 min): the next level is paged

    Nobody can pay since two.

    What happened (clock times inside a line are America/New_York)
    02 Nov 14:14:00  reported by phone
    02 Nov 14:14:01  Amara Okafor is paged
    "#);
}

#[test]
fn a_closed_incident_says_how_its_promises_ended() {
    let mut closed = open();
    closed["phase"] = json!("resolved");
    closed["closed_at"] = json!("2026-11-02T14:20:00Z");
    closed["response"] = json!({"due": "2026-11-02T14:15:00Z", "met": true, "met_at": "2026-11-02T14:18:00Z",
        "by": {"kind": "person", "name": "Ben Ito"}, "late": true, "missed": true,
        "evidence": {"kind": "attested", "note": "spoke"}});
    closed["windows"] = json!([{"n": 1, "due": "2026-11-02T15:14:00Z", "verdict": "missed"},
        {"n": 2, "due": "2026-11-02T16:14:00Z", "verdict": "waived"}]);
    for field in ["window", "next_action", "level", "timeline"] {
        closed[field] = Value::Null;
    }
    closed["commander"] = json!({"key": "ben", "name": "Ben Ito"});
    insta::assert_snapshot!(incident(&closed, now(), &Utc), @r#"
    4821  P1  Checkout is down
    Northwind · Payments · Gold

    State      resolved 14:20 (6 min ago), opened 14:14 (12 min ago)
    Commander  Ben Ito
    Callback   made 14:18 (8 min ago) by Ben Ito (on their word), LATE
    Updates    1 MISSED, 2 waived
    Contact    Ms Ito, +12015550123

    Nobody can pay since two.
    "#);
}

#[test]
fn the_list_puts_who_has_it_beside_what_comes_next() {
    let mut held = open();
    held["reference"] = json!("7310");
    held["holder"] = json!({"kind": "person", "key": "ben", "name": "Ben Ito", "since": "2026-11-02T14:20:00Z"});
    let answer = json!({"items": [open(), held], "next": "inc_y"});
    insta::assert_snapshot!(incidents(&answer, now(), &Utc), @r#"
    REF   PRIO  WHAT                         AGE     STATE           NEXT
    4821  P1    Northwind: Checkout is down  12 min  NOBODY has it   14:29 (in 3 min): the next level is paged
    7310  P1    Northwind: Checkout is down  12 min  Ben Ito has it  14:29 (in 3 min): the next level is paged
    There are more: --cursor inc_y
    "#);
    assert_eq!(incidents(&json!({"items": [], "next": null}), now(), &Utc), "No incidents.\n");
}

#[test]
fn whoever_acknowledges_is_told_what_is_promised() {
    let mut held = open();
    held["holder"] = json!({"kind": "person", "key": "ben", "name": "Ben Ito", "since": "2026-11-02T14:20:00Z"});
    insta::assert_snapshot!(after(&held, "acknowledged", now(), &Utc), @r#"
    4821 acknowledged; Ben Ito has it.
    Call the customer by 14:44 (in 18 min): +12015550123.
    The next update is due by 15:14 (in 48 min).
    "#);
}

#[test]
fn on_call_shows_the_whole_ladder_and_its_holes() {
    let answer = json!({"at": "2026-11-02T14:26:00Z", "teams": [{
        "team": {"key": "payments", "name": "Payments"}, "schedule": {"key": "payments", "name": "Payments on call"},
        "person": {"key": "ben", "name": "Ben Ito"}, "until": "2026-11-03T08:00:00Z", "overridden": true,
        "levels": [
            {"name": "on-call", "after_seconds": 0, "people": [{"key": "ben", "name": "Ben Ito"}]},
            {"name": "team lead", "after_seconds": 300, "people": []},
        ],
        "last_resort": [{"key": "cleo", "name": "Cleo Varga"}],
    }]});
    insta::assert_snapshot!(on_call(&answer, &Utc), @r#"
    Mon 02 Nov 2026 14:26 UTC

    Payments (payments): Ben Ito until Tue 03 Nov 08:00 (override)
      +0s     on-call          Ben Ito
      +5m     team lead        nobody (skipped)
      then    last resort      Cleo Varga
    "#);
}

#[test]
fn attempts_say_how_they_ended_and_why() {
    let answer = json!({"items": [
        {"id": "att_1", "page": 1, "person": {"key": "ben", "name": "Ben Ito"}, "channel": "voice", "address": "…23",
         "stage": "over", "outcome": "no_human", "carrier": "twilio", "status": "completed", "error_code": null,
         "reason": "a machine picked up", "sent_at": "2026-11-02T14:14:02Z", "created_at": "2026-11-02T14:14:01Z"},
        {"id": "att_2", "page": null, "person": null, "channel": "sms", "address": "…99", "stage": "sent",
         "outcome": null, "carrier": "twilio", "status": null, "error_code": null, "reason": null,
         "sent_at": null, "created_at": "2026-11-02T14:14:05Z"},
    ], "next": null});
    insta::assert_snapshot!(attempts(&answer, &Utc), @r#"
    AT               PAGE  WHO           BY         CARRIER  HOW IT ENDED
    02 Nov 14:14:02  1     Ben Ito       voice …23  twilio   no human, completed, a machine picked up
    02 Nov 14:14:05        the customer  sms …99    twilio   sent
    "#);
}

#[test]
fn a_title_cannot_repaint_the_terminal() {
    let mut hostile = open();
    hostile["title"] = json!("a\u{1b}[2Jb\u{7}c\rd");
    assert!(incident(&hostile, now(), &Utc).starts_with("4821  P1  a[2Jbcd\n"));
}

#[test]
fn an_override_that_changes_nothing_says_so() {
    let given = json!({"id": "ovr_1", "person": {"name": "Ben Ito"}, "schedule": {"key": "payments"}, "takes": []});
    assert!(override_added(&given, &Utc).contains("changes nothing"));
}

#[test]
fn a_quarantine_says_what_is_held_until_when_and_what_to_do() {
    let mut answer = json!({
        "restored": {"backup_at": "2026-11-02T13:40:12Z", "restored_at": "2026-11-02T14:20:00Z",
            "pages_held_until": "2026-11-02T14:35:00Z", "pages_held": true, "unsettled": 1},
        "items": [{"id": "inc_x", "reference": "4821", "priority": "P1", "phase": "open", "title": "Checkout is down",
            "customer": "Northwind", "opened_at": "2026-11-02T13:14:00Z", "pages": 2, "texts": 1, "mails": 0}],
    });
    insta::assert_snapshot!(quarantine(&answer, &Utc), @"
    Restored Mon 02 Nov 14:20:00 from what was known at Mon 02 Nov 13:40:12.
    Pages about open incidents are held until 14:35:00; then they go out.
    Texts and mails are held until you say `ringdown quarantine release` or `drop`.

    REF   PRIO  PHASE  OPENED            PAGES  TEXTS  MAILS  WHAT
    4821  P1    open   Mon 02 Nov 13:14  2      1      0      Northwind: Checkout is down
    ");
    answer["items"] = json!([]);
    insta::assert_snapshot!(quarantine(&answer, &Utc), @"
    Restored Mon 02 Nov 14:20:00 from what was known at Mon 02 Nov 13:40:12.
    Nothing is left in quarantine.
    ");
    insta::assert_snapshot!(quarantine(&json!({"restored": null, "items": []}), &Utc), @"Nothing was ever restored from a backup here.");
}
