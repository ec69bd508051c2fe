//! What an export proves, and what no change of it survives.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    proof::{office, time},
    properties::any_command,
    *,
};
use crate::incident::ledger::{
    self, Hash,
    anchor::{self, Anchor, Covering, Leaf},
    export::{self, Content, Entry},
    signature::SigningKey,
    verify::{About, Verified, verify},
};

fn id() -> IncidentId {
    IncidentId::from("inc_test")
}

fn key() -> SigningKey {
    SigningKey::of(&[7; 32]).unwrap()
}

/// The events, chained as the door does it.
fn chained(events: &[Value]) -> Vec<Entry> {
    let mut head = ledger::genesis(&id());
    let mut chain = |event: &Value| {
        head = ledger::link(&head, event, &id()).unwrap();
        Entry { event: event.clone(), hash: head }
    };
    events.iter().map(&mut chain).collect()
}

/// An anchor over this incident and two others.
fn covering(events: &[Entry], key: &SigningKey) -> Covering {
    let own = Leaf { incident: id(), seq: events.len() as u64, head: events.last().unwrap().hash };
    let other = |name: &str| Leaf { incident: name.into(), seq: 3, head: Hash::of(&[name.as_bytes()]) };
    let leaves = [other("inc_a"), own, other("inc_z")];
    let anchor = Anchor {
        format: anchor::FORMAT.into(),
        day: "2026-11-02".parse().unwrap(),
        from: "2026-11-02".parse().unwrap(),
        made_at: "2026-11-03T00:00:30Z".parse().unwrap(),
        heads: 3,
        previous: anchor::genesis(),
        root: anchor::root(&leaves),
    };
    let signature = key.sign(&serde_json::to_value(&anchor).unwrap()).unwrap();
    Covering { anchor, signature, seq: events.len() as u64, path: anchor::path(&leaves, &id()).unwrap() }
}

/// What a server that tells these events would export.
fn exported(events: &[Value], at: Time, key: &SigningKey) -> String {
    let events = chained(events);
    let anchors = vec![covering(&events, key)];
    let content = Content { incident: id(), exported_at: at, time_zone_database: "2026c".into(), events, anchors };
    export::write(content, key).unwrap()
}

fn told(life: &Life) -> Vec<Value> {
    life.events.iter().map(|event| serde_json::to_value(event).unwrap()).collect()
}

fn checked(text: &str) -> Verified {
    verify(text.as_bytes(), Some(&key().public()))
}

fn findings(text: &str) -> Vec<String> {
    checked(text).findings.iter().map(ToString::to_string).collect()
}

fn talk(life: &mut Life, seconds: u32) {
    let evidence = Evidence::Conversation { calls: vec!["CA1".into()], seconds };
    life.run(Command::RecordResponse { by: person("engineer"), evidence }).unwrap();
}

/// Callback kept, window 1 met, window 2 missed, window 3 waived, opened again, callback missed and late.
fn story() -> Life {
    let mut config = config();
    config.policies.get_mut("standard").unwrap().ack_timeout = Span::minutes(600);
    let mut life = Life::opened(config);
    life.run(acknowledge("engineer")).unwrap();
    life.wait(12);
    talk(&mut life, 75);
    life.wait(38);
    life.run(update("We found the cause: “größer” than we thought.")).unwrap();
    life.wait(75);
    life.run(Command::Resolve { by: person("engineer"), note: "Rolled back.".into() }).unwrap();
    life.wait(30);
    life.run(Command::Reopen { by: Actor::Customer, why: "still down".into() }).unwrap();
    life.run(acknowledge("engineer")).unwrap();
    life.wait(35);
    talk(&mut life, 40);
    life
}

/// Wednesday before Thanksgiving Day, 16:00 in New York; the callback is due within 4 h of the office.
fn reported_in_office() -> Life {
    let mut plan = plan();
    plan.calendars.insert(std::sync::Arc::new(office()));
    let promise = plan.priorities.get_mut(&Priority::P1).unwrap();
    promise.response = Some(crate::sla::Term::new(Span::minutes(240), "office"));
    promise.updates = None;
    let mut life = Life::begin(config());
    life.now = time("2026-11-25T21:00:00Z");
    let Command::Report(mut told) = report(Priority::P1) else { unreachable!() };
    told.plan = plan;
    life.run(Command::Report(told)).unwrap();
    life
}

#[test]
fn the_calendars_in_an_export_are_what_its_verdicts_are_worked_out_with() {
    let mut life = reported_in_office();
    life.run(acknowledge("engineer")).unwrap();
    // On Friday, after the holiday, three more hours end at noon.
    life.now = time("2026-11-27T17:00:00Z");
    talk(&mut life, 60);
    let events = told(&life);
    assert_eq!(findings(&exported(&events, life.now, &key())), [""; 0]);
    let mut without = events.clone();
    without[0]["report"]["plan"]["calendars"][0]["holidays"] = json!([]);
    let words = findings(&exported(&without, life.now, &key()));
    assert!(
        words[0].contains("the callback due 2026-11-26T17:00:00Z was neither made nor recorded as missed"),
        "{words:?}"
    );
}

#[test]
fn another_version_of_the_time_zone_rules_is_told_and_is_no_fault() {
    let mut events = told(&story());
    let ours = crate::sla::zone::database_version();
    let notes = |events: &[Value], exported_with: &str| {
        let content = Content {
            incident: id(),
            exported_at: story().now,
            time_zone_database: exported_with.into(),
            events: chained(events),
            anchors: vec![],
        };
        let verified = checked(&export::write(content, &key()).unwrap());
        assert!(verified.findings.is_empty());
        verified.notes
    };
    assert_eq!(notes(&events, ours), [""; 0]);
    assert_eq!(
        notes(&events, "1999a"),
        [format!("the server that exported it had version 1999a of the time-zone rules, not {ours}")]
    );
    events[0]["report"]["plan"]["zone_database"] = json!("1999a");
    let words = notes(&events, "1999a");
    assert_eq!(words.len(), 1);
    assert!(words[0].starts_with("its promises were made under version 1999a of the time-zone rules"), "{words:?}");
}

#[test]
fn an_honest_export_holds() {
    let life = story();
    let text = exported(&told(&life), life.now, &key());
    assert_eq!(findings(&text), [""; 0]);
    let (incident, reckoning) = checked(&text).incident.unwrap();
    assert_eq!(Some(&incident), life.incident.as_ref());
    assert_eq!((reckoning.callbacks.len(), reckoning.windows.len()), (2, 4));
}

#[test]
fn a_change_of_any_byte_is_noticed() {
    let mut life = Life::opened(config());
    life.run(acknowledge("engineer")).unwrap();
    life.wait(1);
    let text = exported(&told(&life), life.now, &key());
    let good = text.clone().into_bytes();
    for place in 0..good.len() {
        // Another digit or letter, another case, white space.
        for byte in [good[place] ^ 1, good[place] ^ 0x20, b' '] {
            let mut bad = good.clone();
            bad[place] = byte;
            let holds = verify(&bad, Some(&key().public())).findings.is_empty();
            assert_eq!(holds, bad == good, "byte {place}: {:?}", String::from_utf8_lossy(&bad));
        }
    }
    // And of the calendars that the plan counts in.
    let text = exported(&told(&reported_in_office()), time("2026-11-25T21:00:00Z"), &key());
    let good = text.clone().into_bytes();
    let calendars = text.find("\"calendars\"").unwrap();
    for place in (calendars..calendars + 900).step_by(3) {
        let mut bad = good.clone();
        bad[place] ^= 1;
        assert!(!verify(&bad, None).findings.is_empty(), "byte {place}");
    }
    for bad in [text.trim_end().replace(':', ": "), format!(" {text}"), format!("{text}\n"), text[1..].into()] {
        assert!(!findings(&bad).is_empty());
    }
}

#[test]
fn the_first_event_that_was_changed_is_named_and_how() {
    let text = || exported(&told(&story()), story().now, &key());
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&text()).unwrap();
        change(&mut value);
        findings(&(value.to_string() + "\n")).remove(0)
    };
    let words = changed(&|value| value["events"][4]["event"]["at"] = json!("2026-11-02T12:11:00Z"));
    assert!(words.starts_with("event 5: what it says was changed after it was recorded: its hash is "), "{words}");
    let words = changed(&|value| value["events"][4]["hash"] = value["events"][3]["hash"].clone());
    assert!(words.starts_with("event 5: the hash beside it was changed"), "{words}");
    let words = changed(&|value| drop(value["events"].as_array_mut().unwrap().remove(4)));
    assert_eq!(words, "event 5: its number is 6; one is missing, or was put in");
    let words = changed(&|value| drop(value["events"].as_array_mut().unwrap().pop()));
    assert!(words.ends_with("later events are missing"), "{words}");
    let words = changed(&|value| value["events"] = json!([]));
    assert_eq!(words, "event 1: there is none");
    let words = changed(&|value| value["incident"] = json!("inc_other"));
    assert!(words.starts_with("event 1: "), "{words}");
    let words = changed(&|value| value["time_zone_database"] = json!("1999a"));
    assert!(words.starts_with("the signature: it is not that of the key"), "{words}");
    let words = changed(&|value| value["events"][0]["hash"] = json!("AB"));
    assert_eq!(words, "the file: events[0].hash: not 64 lower-case hexadecimal digits");
    let words = changed(&|value| value["anchors"][0]["seq"] = json!(2));
    assert_eq!(
        words,
        "the signature: it is not that of the key ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c over this file"
    );
}

#[test]
fn whoever_signs_a_changed_history_anew_has_another_key() {
    let (mut events, forger) = (told(&story()), SigningKey::of(&[8; 32]).unwrap());
    events[4]["at"] = json!("2026-11-02T12:11:00Z");
    let text = exported(&events, story().now, &forger);
    assert!(verify(text.as_bytes(), None).findings.is_empty(), "the file agrees with itself");
    let words = findings(&text);
    assert!(words[0].contains("not by yours"), "{words:?}");
}

#[test]
fn an_anchor_of_another_history_proves_nothing() {
    let life = story();
    let (events, other) = (chained(&told(&life)), chained(&told(&life)[..3]));
    let mut covering = covering(&other, &key());
    covering.seq = events.len() as u64;
    let content = Content {
        incident: id(),
        exported_at: life.now,
        time_zone_database: String::new(),
        events,
        anchors: vec![covering],
    };
    let words = findings(&export::write(content, &key()).unwrap());
    assert_eq!(words, ["the anchor of 2026-11-02: it does not cover this incident's events as they are here"]);
}

/// The number of the first event of this kind.
fn place(events: &[Value], kind: &str) -> usize {
    events.iter().position(|event| event["event"] == kind).unwrap_or_else(|| panic!("{kind}"))
}

fn without(events: &[Value], kind: &str) -> Vec<Value> {
    let gone = place(events, kind);
    let mut rest = events.to_vec();
    rest.remove(gone);
    rest.iter_mut().enumerate().for_each(|(index, event)| event["seq"] = json!(index + 1));
    rest
}

/// A server that chains and signs a history whose verdicts are not those of its plan.
#[test]
fn a_verdict_that_is_not_the_plans_is_named_though_it_is_signed() {
    let (events, now) = (told(&story()), story().now);
    let with = |kind: &str, field: &str, value: Value| {
        let mut events = events.clone();
        let place = place(&events, kind);
        events[place][field] = value;
        events
    };
    for (lie, expected) in [
        (
            with("responded", "late", json!(true)),
            "the callback is recorded as late but was in time: it was due 2026-11-02T12:30:00Z",
        ),
        (
            with("responded", "evidence", json!({"kind": "conversation", "calls": [], "seconds": 29})),
            "a conversation of 29 s counts as none; it takes 30 s",
        ),
        (
            with("response_missed", "due", json!("2026-11-02T15:05:01Z")),
            "the missed callback was due 2026-11-02T15:05:00Z, not 2026-11-02T15:05:01Z",
        ),
        (with("updated", "counts", json!(false)), "the update is not counted but counts under the plan"),
        (with("updated", "by", json!({"kind": "system"})), "the update is counted but does not count under the plan"),
        (with("updated", "customer_visible", json!(false)), "the update is counted but does not count under the plan"),
        (with("updated", "window", json!(2)), "the update fell in window 1, not in window 2"),
        (
            with("update_met", "event", json!("update_missed")),
            "window 1 is recorded as missed, but an update in it was given",
        ),
        (
            with("update_missed", "event", json!("update_met")),
            "window 2 is recorded as met, but an update in it was not given",
        ),
        (
            with("update_missed", "window", json!(4_000_000_000u32)),
            "window 4000000000 is recorded as missed while window 2 ran",
        ),
        (
            with("update_met", "at", json!("2026-11-02T12:59:59Z")),
            "window 1 is recorded as met before it ended, 2026-11-02T13:00:00Z",
        ),
        (without(&events, "update_missed"), "window 2 ended 2026-11-02T14:00:00Z and has no verdict"),
        (without(&events, "update_met"), "window 2 is recorded as missed while window 1 ran"),
        (
            without(&events, "response_missed"),
            "the callback due 2026-11-02T15:05:00Z was neither made nor recorded as missed",
        ),
        (
            with("responded", "evidence", json!({"kind": "connected", "call": "CA1"})),
            "under this plan a conversation counts, not that the call was put through",
        ),
        (with("reopened", "event", json!("resumed")), "is recorded as missed where none was owed"),
    ] {
        let words = findings(&exported(&lie, now, &key()));
        assert!(words.iter().any(|word| word.contains(expected)), "{expected}: {words:?}");
    }
}

#[test]
fn an_open_incident_whose_promise_is_long_over_without_a_verdict_does_not_hold() {
    let life = Life::opened(config());
    let events = told(&life);
    let at = |minutes: i64, seconds: i64| life.now + TimeDelta::seconds(minutes * 60 + seconds);
    assert_eq!(findings(&exported(&events, at(30, 59), &key())), [""; 0], "it may be on its way");
    let words = findings(&exported(&events, at(31, 1), &key()));
    assert!(words[0].contains("the callback due 2026-11-02T12:30:00Z was neither made nor recorded as missed"));
}

#[test]
fn what_is_no_export_is_refused_and_nothing_in_one_makes_it_panic() {
    for text in ["", "{}", "[]", "null", "1.5", "{\"format\":\"ringdown-incident/1\"}"] {
        assert!(!verify(text.as_bytes(), None).findings.is_empty(), "{text}");
    }
    let mut events = told(&story());
    events[0]["at"] = json!("+262142-12-31T23:59:59Z");
    assert!(!findings(&exported(&events, story().now, &key())).is_empty());
    let opened = place(&told(&story()), "opened");
    let mut events = told(&story());
    events[opened]["report"]["plan"]["priorities"]["P1"]["updates"] = json!("0s");
    assert!(!findings(&exported(&events, story().now, &key())).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// A server that is up carries out what is due before anything else.
    #[test]
    fn whatever_happens_its_export_holds(
        first in prop::sample::select(Priority::ALL.to_vec()),
        steps in prop::collection::vec((any_command(), 0..90i64), 1..25),
    ) {
        let mut life = Life::begin(config());
        life.run(report(first)).unwrap();
        for (command, minutes) in steps {
            life.wait(minutes);
            let _ = life.run(command);
        }
        let text = exported(&told(&life), life.now, &key());
        prop_assert_eq!(findings(&text), Vec::<String>::new());
        prop_assert_eq!(checked(&text).incident.map(|(incident, _)| incident), life.incident);
    }

    /// After down time everything is done in one go, and still adds up.
    #[test]
    fn whatever_happens_after_down_time_its_export_holds(
        steps in prop::collection::vec((any_command(), 0..300i64), 1..15),
    ) {
        let mut life = Life::opened(config());
        for (command, minutes) in steps {
            life.now += TimeDelta::minutes(minutes);
            life.run(Command::TimerFired).unwrap();
            let _ = life.run(command);
        }
        let text = exported(&told(&life), life.now, &key());
        prop_assert_eq!(findings(&text), Vec::<String>::new());
    }

    /// Any other value anywhere in an event breaks the chain there.
    #[test]
    fn an_event_that_is_tampered_with_is_the_one_that_is_named(which in any::<prop::sample::Index>(), text in "[a-z0-9]{1,8}") {
        let life = story();
        let mut value: Value = serde_json::from_str(&exported(&told(&life), life.now, &key())).unwrap();
        let which = which.index(life.events.len());
        value["events"][which]["event"]["by"] = json!(text);
        let found = checked(&(value.to_string() + "\n")).findings;
        prop_assert_eq!(&found[0].about, &About::Event { seq: which as u64 + 1 });
    }

    #[test]
    fn no_bytes_make_it_panic(place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = exported(&told(&Life::opened(config())), "2026-11-02T12:00:00Z".parse().unwrap(), &key()).into_bytes();
        let (place, good) = (place.index(bytes.len()), bytes.clone());
        bytes[place] = byte;
        let holds = verify(&bytes, None).findings.is_empty();
        prop_assert_eq!(holds, bytes == good);
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(!verify(&bytes, None).findings.is_empty());
    }
}
