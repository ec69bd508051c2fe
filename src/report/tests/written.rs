use super::*;
use crate::report::{csv, page, table};

#[test]
fn the_table_tells_a_period_on_one_screen() {
    insta::assert_snapshot!(table::text(&report(night(), scope(0, 1000))), @r"
    Promises from 18 Nov 2026 03:00 to 18 Nov 2026 19:40 (America/New_York)
    2 incidents opened. 3 of 5 promises kept (60.0 %), 1 late, 1 missed.

    Promises
                          kept  late  missed  waived  open  kept of owed
     P1  First response   1     0     0       0       0     100.0 %
         Progress update  1     0     1       1       0     50.0 %
         Resolution       1     0     0       0       0     100.0 %
         all              3     0     1       1       0     75.0 %
     P2  First response   0     1     0       0       0     0.0 %
         Progress update  0     0     0       1       0     –
         all              0     1     0       1       0     0.0 %

    Progress updates by hour of day
     hour   kept  missed  waived  open  kept of owed
     03:00  1     0       0       0     100.0 %
     04:00  0     1       0       0     0.0 %
     05:00  0     0       1       0     –
     07:00  0     0       1       0     –

    From the report: median / 95th percentile (incidents)
          to the first page       to the acknowledgement       to the first response
     all  0 s / 1 min        (2)  2 min / 6 min           (2)  20 min / 42 min        (2)
     P1   0 s / 0 s          (1)  6 min / 6 min           (1)  20 min / 20 min        (1)
     P2   1 min / 1 min      (1)  2 min / 2 min           (1)  42 min / 42 min        (1)

    Pages
                   pages  acknowledged  at night  nights  texts  calls
     Ben Okafor    2      1             2         1       2      1
     Carla Mendes  2      1             0         0       1      1

    System unavailable for 10 min
      18 Nov 2026 05:25 to 18 Nov 2026 05:35 (10 min)

    Incidents
               customer   opened             open for    kept  not kept
     4821  P1  Acme Bank  18 Nov 2026 03:00  2 h 30 min  3     Progress update 2 missed; system unavailable for 5 min
     4822  P2  Acme Bank  18 Nov 2026 06:20  50 min      0     First response late by 12 min
    ");
}

#[test]
fn the_csv_has_one_row_a_promise() {
    let report = report(night(), scope(0, 1000));
    let rows: String = report.incidents.iter().map(csv::rows).collect();
    assert!(rows.split_inclusive('\n').all(|row| row.ends_with("\r\n")));
    insta::assert_snapshot!(format!("{}{rows}", csv::HEAD).replace("\r\n", "\n"), @r"
    reference,incident,title,customer,customer_name,plan,priority,promise,window,from,due,verdict,at,late_seconds,opened_at,contradictions
    4821,inc_4821,Card payments fail,acme,Acme Bank,gold:day,P1,response,,2026-11-18T08:00:00Z,2026-11-18T08:30:00Z,kept,2026-11-18T08:20:00Z,,2026-11-18T08:00:00Z,0
    4821,inc_4821,Card payments fail,acme,Acme Bank,gold:day,P1,update,1,2026-11-18T08:00:00Z,2026-11-18T09:00:00Z,kept,2026-11-18T08:40:00Z,,2026-11-18T08:00:00Z,0
    4821,inc_4821,Card payments fail,acme,Acme Bank,gold:day,P1,update,2,2026-11-18T09:00:00Z,2026-11-18T10:00:00Z,missed,,,2026-11-18T08:00:00Z,0
    4821,inc_4821,Card payments fail,acme,Acme Bank,gold:day,P1,update,3,2026-11-18T10:00:00Z,2026-11-18T11:00:00Z,waived,2026-11-18T10:30:00Z,,2026-11-18T08:00:00Z,0
    4821,inc_4821,Card payments fail,acme,Acme Bank,gold:day,P1,resolution,,2026-11-18T08:00:00Z,2026-11-18T12:00:00Z,kept,2026-11-18T10:30:00Z,,2026-11-18T08:00:00Z,0
    4822,inc_4822,Card payments fail,acme,Acme Bank,gold:night,P2,response,,2026-11-18T11:20:00Z,2026-11-18T11:50:00Z,late,2026-11-18T12:02:00Z,720,2026-11-18T11:20:00Z,0
    4822,inc_4822,Card payments fail,acme,Acme Bank,gold:night,P2,update,1,2026-11-18T11:20:00Z,2026-11-18T12:20:00Z,waived,2026-11-18T12:10:00Z,,2026-11-18T11:20:00Z,0
    ");
}

/// Every place where a caller's, a customer's or a person's words stand.
fn hostile(words: &str) -> Compliance {
    let mut report = report(night(), scope(0, 1000));
    for incident in &mut report.incidents {
        incident.title = words.into();
        incident.customer_name = words.into();
        incident.reference = words.into();
    }
    for person in &mut report.people {
        person.name = words.into();
        person.zone = words.into();
    }
    (report.customer, report.plan) = (Some(words.into()), Some(words.into()));
    report
}

#[test]
fn whatever_a_caller_says_is_text_on_the_page() {
    for words in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</title></svg></style><script>x</script>",
        "' onmouseover='x",
        "{{ 7 * 7 }}&lt;",
    ] {
        let html = page::html(&hostile(words)).unwrap();
        assert!(!html.contains(words), "{words}");
        for tag in ["<script", "<img", "onerror=alert(1)>", "' onmouseover='"] {
            assert!(!html.contains(tag), "{tag} of {words}");
        }
    }
    let text = table::text(&hostile("bad\u{1b}[2J\rname"));
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
}

#[test]
fn the_page_is_whole_by_itself() {
    let html = page::html(&report(night(), scope(0, 1000))).unwrap();
    for outside in ["http://", "https://", "<script", "src=", "<link", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert_eq!(html.matches("<figure ").count(), 4);
    let count = |what: &str| html.matches(what).count();
    // Every chart says in words what it shows, and every head of a table what it heads.
    assert_eq!(count("role=\"img\""), count("<desc "));
    assert_eq!(count("<th "), count("scope=\""));
    assert_eq!(count("<th>"), 0);
    for words in ["Card payments fail", "Progress update 2 missed", "First response late by 12 min", "60.0 %"] {
        assert!(html.contains(words), "{words}");
    }
}

#[test]
fn a_period_in_which_nothing_happened_is_a_report_too() {
    let empty = report(vec![], Scope { gaps: vec![], ..scope(0, 1000) });
    let html = page::html(&empty).unwrap();
    assert!(html.contains("Nothing was owed in this period.") && html.contains("The service ran all the time"));
    insta::assert_snapshot!(table::text(&empty), @r"
    Promises from 18 Nov 2026 03:00 to 18 Nov 2026 19:40 (America/New_York)
    0 incidents opened. 0 of 0 promises kept (–), 0 late, 0 missed.
    ");
}

#[test]
fn a_report_is_read_back_as_it_was_written() {
    let report = report(night(), scope(0, 1000));
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Compliance>(&text).unwrap(), report);
    assert!(!text.contains("2015550150"), "no number is in it");
}
