//! What was found in a period's export, for a person and for a program. Pure.

use serde_json::{Value, json};

use super::{
    check::{Checked, Line},
    contents::{Contents, Total},
};
use crate::report::{
    compliance::{Counts, Verdict},
    table::{grid, plain, some},
    wording::{length, moment},
};

/// As text. `trusted`: whether the key was given.
pub fn text(checked: &Checked, trusted: bool) -> String {
    let mut text = String::new();
    if let Some(contents) = &checked.contents {
        head(contents, &mut text);
    }
    lines(checked, &mut text);
    promises(checked, &mut text);
    if let Some(contents) = checked.contents.as_ref().filter(|contents| !contents.unavailable.is_empty()) {
        let zone = contents.scope().zone;
        text.push_str(&format!("\nSystem unavailable for {}, says the server\n", length(contents.unavailable_seconds)));
        for gap in &contents.unavailable {
            let (from, to) = (moment(gap.from, &zone), moment(gap.to, &zone));
            text.push_str(&format!("  {from} to {to} ({})\n", length(gap.seconds())));
        }
    }
    text.push('\n');
    if checked.holds() {
        text.push_str(&format!(
            "It holds: {}, each whole and as it was signed; none was taken out, put in, swapped or moved; and the totals \
             follow from them.\n",
            some(checked.lines.len() as u64, "incident")
        ));
    } else {
        text.push_str("IT DOES NOT HOLD\n");
        for line in checked.lines.iter().filter(|line| !line.findings.is_empty()) {
            let (number, name) = (line.number, plain(line.name()));
            line.findings.iter().for_each(|finding| {
                text.push_str(&format!("  line {number}, incident {name}: {}\n", plain(&finding.to_string())));
            });
        }
        checked.findings.iter().for_each(|finding| text.push_str(&format!("  {}\n", plain(&finding.to_string()))));
    }
    if let Some(contents) = checked.contents.as_ref().filter(|_| checked.holds()) {
        let known = if trusted { "as you gave it" } else { "compare it with the one that the server publishes" };
        text.push_str(&format!("  signed by  {}\n             {known}\n", contents.key));
    }
    checked.notes.iter().for_each(|note| text.push_str(&format!("  note       {}\n", plain(note))));
    text
}

fn head(contents: &Contents, text: &mut String) {
    let zone = contents.scope().zone;
    let [from, to, at] = [contents.from, contents.to, contents.exported_at].map(|at| moment(at, &zone));
    text.push_str(&format!("Promises from {from} to {to} ({}), exported {at}\n", plain(&contents.zone)));
    let customer = contents.customer.as_ref().map(|customer| customer.as_str());
    for (name, value) in [("Customer", customer), ("Plan", contents.plan.as_ref().map(|plan| plan.as_str()))] {
        if let Some(value) = value {
            text.push_str(&format!("{name}: {}\n", plain(value)));
        }
    }
}

fn lines(checked: &Checked, text: &mut String) {
    let row = |line: &Line| {
        let told = line.exported.as_ref().and_then(|exported| exported.told.as_ref());
        let wrong = checked.findings.iter().any(|finding| finding.is_of(line.number)) || !line.findings.is_empty();
        let number = |verdict: Verdict| match &line.part {
            Some(part) => part.promises.iter().filter(|promise| promise.verdict == verdict).count().to_string(),
            None => "–".into(),
        };
        let counts = [Verdict::Kept, Verdict::Late, Verdict::Missed].map(number);
        let name = told.map_or_else(String::new, |told| told.customer_name.clone());
        let said = if wrong { "DOES NOT HOLD" } else { "holds" };
        [vec![line.number.to_string(), line.name().into(), name, said.into()], counts.to_vec()].concat()
    };
    let head = ["line", "incident", "customer", "", "kept", "late", "missed"];
    grid(text, "Incidents", &head, checked.lines.iter().map(row).collect());
}

fn promises(checked: &Checked, text: &mut String) {
    let mut last = None;
    let rows = checked.sums.each().map(|(priority, subject, counts)| {
        let shown = if last.replace(priority) == Some(priority) { String::new() } else { priority.to_string() };
        let Counts { kept, late, missed, waived, open, .. } = *counts;
        let numbers = [kept, late, missed, waived, open].map(|number| number.to_string());
        [vec![shown, subject.name().into()], numbers.to_vec(), vec![counts.percent()]].concat()
    });
    let head = ["", "", "kept", "late", "missed", "waived", "open", "kept of owed"];
    grid(text, "Promises, worked out again", &head, rows.collect());
}

/// For a program.
pub fn value(checked: &Checked) -> Value {
    let line = |line: &Line| {
        let exported = line.exported.as_ref();
        let told = exported.and_then(|exported| exported.told.as_ref());
        let counted = line.part.as_ref().map(|part| {
            let mut counts = Counts::default();
            part.promises.iter().for_each(|promise| counts.add(promise.verdict));
            counts
        });
        json!({
            "line": line.number,
            "holds": line.findings.is_empty(),
            "findings": line.findings,
            "incident": exported.map(|exported| &exported.named.incident),
            "head": line.head(),
            "events": exported.map(|exported| exported.named.events),
            "reference": told.map(|told| &told.reference),
            "customer_name": told.map(|told| &told.customer_name),
            "promises": counted,
        })
    };
    let contents = checked.contents.as_ref();
    let totals: Vec<Total> = checked.sums.totals();
    json!({
        "format": super::contents::FORMAT,
        "holds": checked.holds(),
        "findings": checked.findings,
        "notes": checked.notes,
        "from": contents.map(|contents| contents.from),
        "to": contents.map(|contents| contents.to),
        "zone": contents.map(|contents| &contents.zone),
        "customer": contents.and_then(|contents| contents.customer.as_ref()),
        "plan": contents.and_then(|contents| contents.plan.as_ref()),
        "as_of": contents.map(|contents| contents.as_of),
        "exported_at": contents.map(|contents| contents.exported_at),
        "unavailable_seconds": contents.map(|contents| contents.unavailable_seconds),
        "key": contents.map(|contents| contents.key),
        "incidents": checked.lines.iter().map(line).collect::<Vec<_>>(),
        // Worked out again, of those that can be read.
        "opened": checked.sums.opened,
        "promises": totals,
    })
}
