use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    incident::ledger::{
        self, canonical,
        export::{self, Content, Entry},
        signature::SigningKey,
    },
    report::{
        compliance::Counts,
        signed::{
            check::{Check, Checked, is_period},
            contents::{Contents, Draft, Named},
            words,
        },
    },
};

fn key() -> SigningKey {
    SigningKey::of(&[7; 32]).unwrap()
}

fn forger() -> SigningKey {
    SigningKey::of(&[8; 32]).unwrap()
}

/// An incident's export, with so many of its events.
fn line(case: &Case, events: usize, exported_at: Time, key: &SigningKey) -> String {
    let mut head = ledger::genesis(&case.id);
    let mut chain = |event: &Recorded| {
        head = ledger::link(&head, event, &case.id).unwrap();
        Entry { event: serde_json::to_value(event).unwrap(), hash: head }
    };
    let content = Content {
        incident: case.id.clone(),
        exported_at,
        time_zone_database: crate::sla::zone::database_version().into(),
        events: case.events.iter().take(events).map(&mut chain).collect(),
        anchors: vec![],
    };
    export::write(content, key).unwrap()
}

/// What a server with these incidents would export of a period.
fn file(cases: Vec<Case>, scope: &Scope, key: &SigningKey) -> Vec<String> {
    let mut draft = Draft::begin(scope.clone());
    let mut lines = Vec::new();
    for case in cases {
        let Some(judged) = judge(case.clone(), scope).filter(Judged::is_listed) else { continue };
        let line = line(&case, case.events.len(), minute(1000), key);
        let value: Value = serde_json::from_str(&line).unwrap();
        let head = value["head"].as_str().unwrap().parse().unwrap();
        let named = Named { incident: case.id, head, events: case.events.len() as u64 };
        draft.add(&line, named, judged.line.opened_in_period, &judged.line.promises);
        lines.push(line);
    }
    lines.push(draft.sign(minute(1001), key).unwrap());
    lines
}

fn pinned(mut cases: Vec<Case>) -> Vec<Case> {
    for case in &mut cases {
        if let Event::Opened { report } = &mut case.events[0].event {
            report.plan.zone_database = crate::sla::zone::database_version().into();
        }
    }
    cases
}

/// The two incidents of the night, and a third whose window runs.
fn three() -> Vec<Case> {
    let open = vec![
        (300, opened("4823", Priority::P2, plan("gold:night"))),
        (300, paged(1, "ben")),
        (305, acknowledged(Some(1))),
        (310, responded(false)),
    ];
    let mut cases = night();
    cases.push(case("4823", open, &[]));
    let mut cases = pinned(cases);
    // So that nothing is overdue when it is exported.
    cases[2].events.push(Recorded { seq: 5, at: minute(320), event: resolved() });
    cases
}

fn whole() -> Vec<String> {
    file(three(), &scope(0, 1000), &key())
}

fn checked(lines: &[String]) -> Checked {
    let mut check = Check::begin(Some(key().public()));
    lines.iter().for_each(|line| check.line(line.as_bytes()));
    check.finish()
}

fn findings(lines: &[String]) -> Vec<String> {
    let checked = checked(lines);
    let of_lines = checked.lines.iter().flat_map(|line| {
        line.findings.iter().map(move |finding| format!("line {}, incident {}: {finding}", line.number, line.name()))
    });
    let found: Vec<String> = of_lines.chain(checked.findings.iter().map(ToString::to_string)).collect();
    assert_eq!(found.is_empty(), checked.holds());
    found
}

/// The table of contents with something else in it, signed again.
fn contents(lines: &[String], key: &SigningKey, change: impl FnOnce(&mut Contents)) -> String {
    let mut contents: Contents = serde_json::from_str(lines.last().unwrap()).unwrap();
    change(&mut contents);
    contents.key = key.public();
    contents.signature = key.sign(&contents.unsigned().unwrap()).unwrap();
    canonical::text(&serde_json::to_value(&contents).unwrap()).unwrap() + "\n"
}

/// The file with another last line.
fn ending(end: String) -> Vec<String> {
    let mut lines = whole();
    *lines.last_mut().unwrap() = end;
    lines
}

#[test]
fn an_honest_export_holds_and_says_what_the_report_says() {
    let lines = whole();
    assert_eq!(findings(&lines), [""; 0]);
    let (found, report) = (checked(&lines), report(three(), scope(0, 1000)));
    let mut sums: BTreeMap<_, Counts> = BTreeMap::new();
    for line in &report.by_priority {
        for subject in &line.promises {
            sums.insert((line.priority, subject.promise), subject.counts);
        }
    }
    let ours: BTreeMap<_, Counts> =
        found.sums.each().map(|(priority, subject, counts)| ((priority, subject), *counts)).collect();
    assert_eq!((ours, found.sums.opened), (sums, report.opened));
    let contents = found.contents.unwrap();
    assert_eq!(contents.promises, found.sums.totals());
    assert_eq!((contents.unavailable, contents.unavailable_seconds), (report.unavailable, report.unavailable_seconds));
    // Each line is the incident's own export.
    assert!(ledger::verify::verify(lines[1].as_bytes(), Some(&key().public())).findings.is_empty());
}

#[test]
fn a_period_without_incidents_is_its_table_of_contents_alone() {
    let lines = file(vec![], &scope(0, 1000), &key());
    assert_eq!((lines.len(), findings(&lines)), (1, vec![]));
    assert!(is_period(lines[0].as_bytes(), false));
}

#[test]
fn an_empty_file_is_no_period() {
    assert_eq!(findings(&[]), ["the file: it is empty"]);
}

#[test]
fn what_belongs_to_another_period_is_not_in_it_and_what_was_due_is() {
    for (from, to, expected) in [(0, 1000, 3), (0, 60, 1), (140, 210, 2), (5000, 6000, 0)] {
        let scope = Scope { gaps: vec![], ..scope(from, to) };
        let lines = file(three(), &scope, &key());
        assert_eq!((lines.len() - 1, findings(&lines)), (expected, vec![]), "{from} {to}");
    }
}

#[test]
fn whatever_is_done_to_the_lines_is_named() {
    let lines = whole();
    let [first, second, third, end] = lines.clone().try_into().unwrap();
    let fewer = line(&three()[0], 9, minute(1000), &key());
    let later = line(&three()[0], 10, minute(2000), &key());
    let foreign = line(
        &case(
            "4899",
            three()[1].events.iter().map(|e| ((e.at - minute(0)).num_minutes(), e.event.clone())).collect(),
            &[],
        ),
        6,
        minute(1000),
        &key(),
    );
    for (what, lines, expected) in [
        (
            "the first is taken out",
            vec![&second, &third, &end],
            "the table of contents: it names inc_4821, which is not here: it was taken out",
        ),
        (
            "one in the middle",
            vec![&first, &third, &end],
            "the table of contents: it names inc_4822, which is not here: it was taken out",
        ),
        ("all", vec![&end], "the table of contents: it names inc_4821, which is not here: it was taken out"),
        (
            "two change places",
            vec![&second, &first, &third, &end],
            "line 1: incident 4822 stands where inc_4821 was: the lines were reordered",
        ),
        (
            "one is doubled",
            vec![&first, &first, &second, &third, &end],
            "line 2: incident 4821 stands here a second time",
        ),
        (
            "an older export of it",
            vec![&fewer, &second, &third, &end],
            "line 1: incident 4821 was swapped for another export of it: it has 9 events up to",
        ),
        (
            "a later export of the same events",
            vec![&later, &second, &third, &end],
            "the table of contents: the lines before it are not those that it was made over",
        ),
        (
            "another incident is put in",
            vec![&first, &foreign, &second, &third, &end],
            "line 2: incident 4822 is not in the table of contents: it was put in",
        ),
        (
            "one takes another's place",
            vec![&first, &foreign, &third, &end],
            "the table of contents: it names inc_4822, which is not here: it was taken out",
        ),
        (
            "the end is cut off",
            vec![&first, &second, &third],
            "the file: it ends after line 3 without a table of contents: it was cut off",
        ),
        (
            "a line after the end",
            vec![&first, &second, &third, &end, &first],
            "line 5: it stands after the table of contents",
        ),
        ("a second end", vec![&first, &second, &third, &end, &end], "line 5: it stands after the table of contents"),
        (
            "an empty line",
            vec![&first, &"\n".to_owned(), &second, &third, &end],
            "line 2, incident ?: the file: it is not JSON",
        ),
        ("a line cut short", vec![&first, &second[..900].to_owned()], "line 2, incident ?: the file: it is not JSON"),
    ] {
        let lines: Vec<String> = lines.into_iter().cloned().collect();
        let found = findings(&lines);
        assert!(found.iter().any(|finding| finding.starts_with(expected)), "{what}: {found:#?}");
    }
}

#[test]
fn what_an_incident_says_is_checked_as_in_its_own_export() {
    let mut lines = whole();
    lines[1] = lines[1].replace("\"late\":true", "\"late\":false");
    let found = findings(&lines);
    assert!(found[0].starts_with("line 2, incident inc_4822: event 5: what it says was changed"), "{found:#?}");

    // The server itself tells a lie, and signs it: it is named, and counted as the server counts.
    let mut cases = three();
    cases[0].events.remove(7);
    cases[0].events.iter_mut().zip(1..).for_each(|(event, seq)| event.seq = seq);
    let found = findings(&file(cases, &scope(0, 1000), &key()));
    assert!(
        !found.is_empty() && found.iter().all(|finding| finding.starts_with("line 1, incident 4821: ")),
        "{found:#?}"
    );
    assert!(found[0].contains("verdicts"), "{found:#?}");
}

#[test]
fn a_table_of_contents_that_was_changed_is_not_signed() {
    let lines = whole();
    for (from, to) in [
        ("\"kept\":1", "\"kept\":2"),
        ("\"customer\":null", "\"customer\":\"acme\""),
        ("\"unavailable_seconds\":600", "\"unavailable_seconds\":0"),
        ("\"from\":\"2026-11-18T08:00:00Z\"", "\"from\":\"2026-11-18T07:00:00Z\""),
    ] {
        let end = lines.last().unwrap().replacen(from, to, 1);
        assert_ne!(end, lines[3], "{from}");
        let found = findings(&ending(end));
        assert!(found[0].starts_with("the signature: it is not that of the key"), "{found:#?}");
    }
    for (end, expected) in [
        (lines[3].replace(':', ": "), "it was not written by Ringdown, or was reformatted: byte 10 is another"),
        (lines[3].replace("\"opened\":3,", ""), "missing field `opened`"),
        (lines[3].replace("\"opened\":3,", "\"opened\":3,\"other\":1,"), "other: unknown field `other`"),
        (
            lines[3].replace("\"from\":\"2026-11-18T08:00:00Z\"", "\"from\":\"2026-11-18T08:00:00+00:00\""),
            "it says something in another way",
        ),
    ] {
        let found = findings(&ending(end));
        assert!(
            found.iter().any(|finding| finding.starts_with("the table of contents") && finding.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
    assert_eq!(findings(&ending(lines[3].trim_end().into())), [""; 0], "the last line feed is no part of it");
}

#[test]
fn a_table_of_contents_that_does_not_follow_from_the_incidents_is_named_though_it_is_signed() {
    let lines = whole();
    type Lie = fn(&mut Contents);
    let lies: [(Lie, &str); 14] = [
        (
            |contents| contents.to = "+262142-12-31T23:59:59Z".parse().unwrap(),
            "the table of contents: its times are none that a clock has shown",
        ),
        (
            |contents| {
                let gap = Gap { from: minute(0), to: Time::MAX_UTC };
                contents.unavailable = vec![gap; 3];
            },
            "the table of contents: its times are none that a clock has shown",
        ),
        (
            |contents| contents.promises[1].missed = 0,
            "the table of contents: for P1, progress update it says 1 kept, 0 late, 0 missed, 1 waived, 0 open; the incidents \
             say 1 kept, 0 late, 1 missed, 1 waived, 0 open",
        ),
        (
            |contents| contents.promises.truncate(4),
            "the table of contents: for P2, progress update it says nothing; the incidents say 0 kept, 0 late, 0 missed, 2 waived",
        ),
        (|contents| contents.promises.reverse(), "the table of contents: its totals are not in the order"),
        (
            |contents| contents.opened = 2,
            "the table of contents: it says that 2 incidents were opened in the period; here 3 are",
        ),
        (
            |contents| (contents.from, contents.to) = (minute(280), minute(1000)),
            "line 1: incident 4821 does not belong to the period",
        ),
        (|contents| contents.to = minute(310), "the table of contents: for P2, first response it says"),
        (|contents| contents.to = contents.from, "the table of contents: its period ends before it begins"),
        (
            |contents| contents.customer = Some("other".into()),
            "line 1: incident 4821 is not of the customer or plan that was asked for",
        ),
        (
            |contents| contents.plan = Some("gold:day".into()),
            "line 2: incident 4822 is not of the customer or plan that was asked for",
        ),
        (
            |contents| contents.unavailable.clear(),
            "the table of contents: the times when the service did not run do not add up",
        ),
        (
            |contents| contents.unreadable = 2,
            "the table of contents: the server could not read 2 of its records, and they are not here",
        ),
        (|contents| contents.incidents.swap(0, 1), "line 1: incident 4821 stands where inc_4822 was"),
    ];
    for (lie, expected) in lies {
        let found = findings(&ending(contents(&lines, &key(), lie)));
        assert!(found.iter().any(|finding| finding.starts_with(expected)), "{expected}: {found:#?}");
    }
    assert_eq!(findings(&ending(contents(&lines, &key(), |_| {}))), [""; 0]);
}

#[test]
fn whoever_signs_anew_has_another_key() {
    let forged = file(three(), &scope(0, 1000), &forger());
    let mut check = Check::begin(None);
    forged.iter().for_each(|line| check.line(line.as_bytes()));
    assert!(check.finish().holds(), "the file agrees with itself");
    let found = findings(&forged);
    assert_eq!(found.iter().filter(|finding| finding.contains("not by yours")).count(), 4, "{found:#?}");

    // Only the table of contents: an incident is left out, and the rest is as it was.
    let mut cases = three();
    cases.remove(1);
    let mut lines = whole();
    lines.remove(1);
    *lines.last_mut().unwrap() = file(cases, &scope(0, 1000), &forger()).pop().unwrap();
    let mut check = Check::begin(None);
    lines.iter().for_each(|line| check.line(line.as_bytes()));
    let words: Vec<String> = check.finish().findings.iter().map(ToString::to_string).collect();
    assert!(
        words[0].starts_with("line 1: incident 4821 is signed by another key than the table of contents"),
        "{words:#?}"
    );
}

#[test]
fn a_change_of_any_byte_is_noticed() {
    let cases: Vec<Case> = three().into_iter().skip(2).collect();
    let lines = file(cases, &scope(0, 1000), &key());
    for (number, line) in lines.iter().enumerate() {
        for place in (0..line.len() - 1).step_by(if number == 0 { 7 } else { 1 }) {
            let mut bad: Vec<Vec<u8>> = lines.iter().map(|line| line.clone().into_bytes()).collect();
            bad[number][place] ^= 1;
            let mut check = Check::begin(Some(key().public()));
            bad.iter().for_each(|line| check.line(line));
            assert!(!check.finish().holds(), "line {number}, byte {place}");
        }
    }
}

#[test]
fn what_was_found_is_not_more_than_anybody_reads() {
    let mut lines = vec!["{\"a\":1}\n".to_owned(); 500];
    lines.insert(0, whole().pop().unwrap());
    let found = checked(&lines).findings;
    assert_eq!(found.len(), 101);
    assert!(found[100].what.ends_with(" more"), "{:?}", found[100]);
}

#[test]
fn a_file_of_a_period_is_told_from_one_of_an_incident() {
    let lines = whole();
    for (first, more, expected) in [
        (lines[0].as_str(), true, true),
        (lines[0].as_str(), false, false),
        (lines[3].as_str(), false, true),
        ("{\n", true, false),
        ("{\"format\": \"ringdown-incident/1\"}", false, false),
        ("{\"anchors\":[],\"ev", true, true),
        ("", false, false),
        ("null\n", true, false),
    ] {
        assert_eq!(is_period(first.as_bytes(), more), expected, "{first} {more}");
    }
}

/// What stands in a file: some of these, in some order.
static POOL: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut pool = whole();
    pool.push(line(&three()[0], 9, minute(1000), &key()));
    pool.push(line(&three()[1], 6, minute(1002), &key()));
    pool.push(file(three(), &scope(0, 900), &key()).pop().unwrap());
    pool
});

proptest! {
    #[test]
    fn no_other_choice_of_genuine_lines_holds(places in prop::collection::vec(0..7usize, 0..6)) {
        let lines: Vec<String> = places.iter().map(|place| POOL[*place].clone()).collect();
        // For the shorter period, everything that is in it is the same.
        let genuine = places == [0, 1, 2, 3] || places == [0, 1, 2, 6];
        prop_assert_eq!(checked(&lines).holds(), genuine, "{:?}", places);
    }
}

/// Hashes are others with every version of the time-zone rules.
fn brief(text: &str) -> String {
    let piece = |piece: &str| match piece.len() {
        64 if piece.bytes().all(|byte| byte.is_ascii_hexdigit()) => "HASH".to_owned(),
        _ => piece.to_owned(),
    };
    let pieces = text.split_inclusive(|character: char| !character.is_ascii_alphanumeric());
    let short = |text: &str| {
        let word = text.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
        piece(word) + &text[word.len()..]
    };
    pieces.map(short).collect()
}

#[test]
fn what_was_found_is_told_in_plain_words() {
    insta::assert_snapshot!(brief(&words::text(&checked(&whole()), true)), @r#"
    Promises from 18 Nov 2026 03:00 to 18 Nov 2026 19:40 (America/New_York), exported 18 Nov 2026 19:41

    Incidents
     line  incident  customer          kept  late  missed
     1     4821      Acme Bank  holds  3     0     1
     2     4822      Acme Bank  holds  0     1     0
     3     4823      Acme Bank  holds  1     0     0

    Promises, worked out again
                          kept  late  missed  waived  open  kept of owed
     P1  First response   1     0     0       0       0     100.0 %
         Progress update  1     0     1       1       0     50.0 %
         Resolution       1     0     0       0       0     100.0 %
     P2  First response   1     1     0       0       0     50.0 %
         Progress update  0     0     0       2       0     –

    System unavailable for 10 min, says the server
      18 Nov 2026 05:25 to 18 Nov 2026 05:35 (10 min)

    It holds: 3 incidents, each whole and as it was signed; none was taken out, put in, swapped or moved; and the totals follow from them.
      signed by  HASH
                 as you gave it
    "#);
}

#[test]
fn what_does_not_hold_is_told_by_line() {
    let mut lines = whole();
    lines.remove(2);
    lines[1] = lines[1].replace("\"late\":true", "\"late\":false");
    insta::assert_snapshot!(brief(&words::text(&checked(&lines), true)), @r#"
    Promises from 18 Nov 2026 03:00 to 18 Nov 2026 19:40 (America/New_York), exported 18 Nov 2026 19:41

    Incidents
     line  incident  customer                  kept  late  missed
     1     4821      Acme Bank  holds          3     0     1
     2     inc_4822             DOES NOT HOLD  –     –     –

    Promises, worked out again
                          kept  late  missed  waived  open  kept of owed
     P1  First response   1     0     0       0       0     100.0 %
         Progress update  1     0     1       1       0     50.0 %
         Resolution       1     0     0       0       0     100.0 %

    System unavailable for 10 min, says the server
      18 Nov 2026 05:25 to 18 Nov 2026 05:35 (10 min)

    IT DOES NOT HOLD
      line 2, incident inc_4822: event 5: what it says was changed after it was recorded: its hash is HASH, the file says HASH
      line 2, incident inc_4822: the signature: it is not that of the key HASH over this file
      the table of contents: it names inc_4823, which is not here: it was taken out
    "#);
}

#[test]
fn a_program_is_told_the_same() {
    let mut lines = file(three().into_iter().skip(1).take(1).collect(), &scope(0, 1000), &key());
    assert_eq!(words::value(&checked(&lines))["holds"], json!(true));
    lines.pop();
    insta::assert_snapshot!(brief(&format!("{:#}", words::value(&checked(&lines)))), @r#"
    {
      "as_of": null,
      "customer": null,
      "exported_at": null,
      "findings": [
        {
          "about": "file",
          "what": "it ends after line 1 without a table of contents: it was cut off"
        }
      ],
      "format": "ringdown-period/1",
      "from": null,
      "holds": false,
      "incidents": [
        {
          "customer_name": "Acme Bank",
          "events": 6,
          "findings": [],
          "head": "HASH",
          "holds": true,
          "incident": "inc_4822",
          "line": 1,
          "promises": null,
          "reference": "4822"
        }
      ],
      "key": null,
      "notes": [],
      "opened": 0,
      "plan": null,
      "promises": [],
      "to": null,
      "unavailable_seconds": null,
      "zone": null
    }
    "#);
}
