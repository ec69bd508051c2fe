//! A report as CSV (RFC 4180): one row a promise, for a spreadsheet. Pure.

use chrono::{DateTime, SecondsFormat, Utc};

use super::compliance::{IncidentLine, Verdict};

/// The first row, with its line end.
pub const HEAD: &str = "reference,incident,title,customer,customer_name,plan,priority,promise,window,from,due,verdict,at,late_seconds,opened_at,contradictions\r\n";

/// The rows of one incident, each with its line end.
pub fn rows(incident: &IncidentLine) -> String {
    let mut text = String::new();
    for promise in &incident.promises {
        let late = promise.at.filter(|_| promise.verdict == Verdict::Late).map(|at| (at - promise.due).num_seconds());
        let cells = [
            incident.reference.clone(),
            incident.id.clone(),
            incident.title.clone(),
            incident.customer.clone().unwrap_or_default(),
            incident.customer_name.clone(),
            incident.plan.clone(),
            promise.priority.to_string(),
            promise.promise.as_str().into(),
            promise.window.map(|window| window.to_string()).unwrap_or_default(),
            stamp(promise.from),
            stamp(promise.due),
            promise.verdict.as_str().into(),
            promise.at.map(stamp).unwrap_or_default(),
            late.map(|late| late.to_string()).unwrap_or_default(),
            stamp(incident.opened_at),
            incident.contradictions.to_string(),
        ];
        text.push_str(&cells.map(|cell| field(&cell)).join(","));
        text.push_str("\r\n");
    }
    text
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// One cell. What a spreadsheet would take for a formula is made text: a title is the caller's.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if formula { format!("'{text}") } else { text.into() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        for (text, expected) in [
            ("", ""),
            ("Card payments fail", "Card payments fail"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1 201", "'+1 201"),
            ("-", "'-"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("a=b", "a=b"),
        ] {
            assert_eq!(field(text), expected, "{text}");
        }
    }

    /// Reads one row as RFC 4180 has it.
    fn read(row: &str) -> Vec<String> {
        let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        let mut characters = row.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '"' if quoted && characters.peek() == Some(&'"') => cell.extend(characters.next()),
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(std::mem::take(&mut cell)),
                _ => cell.push(character),
            }
        }
        assert!(!quoted, "{row}");
        cells.push(cell);
        cells
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(texts in prop::collection::vec(any::<String>(), 1..5)) {
            let row = texts.iter().map(|text| field(text)).collect::<Vec<_>>().join(",");
            let back = read(&row);
            prop_assert_eq!(back.len(), texts.len());
            for (back, text) in back.iter().zip(&texts) {
                let as_text = format!("'{text}");
                prop_assert!(back == text || *back == as_text);
                prop_assert!(!back.starts_with(['=', '+', '-', '@']));
            }
        }
    }
}
