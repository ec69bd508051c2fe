//! A report for a terminal. Pure.

use comfy_table::{ContentArrangement, Table, presets};

use super::{
    compliance::{Compliance, Counts, Step, Verdict},
    wording::{length, moment, not_kept, number, timings, zone},
};

/// The report as text, 120 columns wide at most.
pub fn text(report: &Compliance) -> String {
    let zone = zone(report);
    let mut text =
        format!("Promises from {} to {} ({})\n", moment(report.from, &zone), moment(report.to, &zone), report.zone);
    for (name, value) in [("Customer", &report.customer), ("Plan", &report.plan)] {
        if let Some(value) = value {
            text.push_str(&format!("{name}: {}\n", plain(value)));
        }
    }
    let Counts { kept, late, missed, .. } = report.promises;
    text.push_str(&format!(
        "{} opened. {} of {} promises kept ({}), {late} late, {missed} missed.\n",
        some(report.opened, "incident"),
        kept,
        report.promises.owed(),
        report.promises.percent()
    ));
    for (number, what) in [
        (report.contradictory, "does not add up; see `ringdown explain`"),
        (report.unreadable, "cannot be read, and is not counted"),
    ] {
        if number > 0 {
            text.push_str(&format!("WARNING: the record of {} {what}.\n", some(number, "incident")));
        }
    }
    promises(report, &mut text);
    hours(report, &mut text);
    steps(report, &mut text);
    people(report, &mut text);
    if !report.unavailable.is_empty() {
        text.push_str(&format!("\nSystem unavailable for {}\n", length(report.unavailable_seconds)));
        for gap in &report.unavailable {
            let (from, to) = (moment(gap.from, &zone), moment(gap.to, &zone));
            text.push_str(&format!("  {from} to {to} ({})\n", length(gap.seconds())));
        }
    }
    incidents(report, &mut text);
    text
}

/// `1 incident`, `2 incidents`.
pub(super) fn some(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn promises(report: &Compliance, text: &mut String) {
    let cells = |counts: &Counts| {
        let Counts { kept, late, missed, waived, open, .. } = *counts;
        let numbers = [kept, late, missed, waived, open].map(|number| number.to_string());
        numbers.into_iter().chain([counts.percent()]).collect::<Vec<_>>()
    };
    let mut rows = Vec::new();
    for line in &report.by_priority {
        for (place, subject) in line.promises.iter().enumerate() {
            let priority = if place == 0 { line.priority.to_string() } else { String::new() };
            rows.push([vec![priority, subject.promise.name().into()], cells(&subject.counts)].concat());
        }
        if line.promises.len() > 1 {
            rows.push([vec![String::new(), "all".into()], cells(&line.counts)].concat());
        }
    }
    grid(text, "Promises", &["", "", "kept", "late", "missed", "waived", "open", "kept of owed"], rows);
}

fn hours(report: &Compliance, text: &mut String) {
    let lines = report.updates_by_hour.iter().filter(|line| line.counts.all() > 0);
    let rows = lines.map(|line| {
        let Counts { kept, missed, waived, open, .. } = line.counts;
        let numbers = [kept, missed, waived, open].map(|number| number.to_string());
        [vec![format!("{:02}:00", line.hour)], numbers.to_vec(), vec![line.counts.percent()]].concat()
    });
    let head = ["hour", "kept", "missed", "waived", "open", "kept of owed"];
    grid(text, "Progress updates by hour of day", &head, rows.collect());
}

fn steps(report: &Compliance, text: &mut String) {
    let rows = timings(report).into_iter().map(|(priority, steps)| {
        let cells = steps.into_iter().flat_map(|line| match line {
            Some(line) => {
                let numbers = format!("{} / {}", length(line.median_seconds), length(line.p95_seconds));
                [numbers, format!("({})", line.incidents)]
            }
            None => ["–".into(), String::new()],
        });
        let name = priority.map_or_else(|| "all".into(), |priority| priority.to_string());
        [name].into_iter().chain(cells).collect()
    });
    let [first, acknowledged, response] = [Step::FirstAttempt, Step::Acknowledged, Step::Response].map(Step::name);
    let head = ["", first, "", acknowledged, "", response, ""];
    grid(text, "From the report: median / 95th percentile (incidents)", &head, rows.collect());
}

fn people(report: &Compliance, text: &mut String) {
    let rows = report.people.iter().map(|person| {
        let numbers = [person.pages, person.acknowledged, person.at_night, person.nights, person.texts, person.calls];
        [person.name.clone()].into_iter().chain(numbers.map(|number| number.to_string())).collect()
    });
    let head = ["", "pages", "acknowledged", "at night", "nights", "texts", "calls"];
    grid(text, "Pages", &head, rows.collect());
}

fn incidents(report: &Compliance, text: &mut String) {
    let zone = zone(report);
    let rows = report.incidents.iter().map(|incident| {
        let mut said = not_kept(incident);
        if incident.contradictions > 0 {
            said = format!("DOES NOT ADD UP; {said}");
        }
        if !incident.unavailable.is_empty() {
            let seconds = incident.unavailable.iter().map(super::downtime::Gap::seconds).sum();
            said =
                format!("{said}{}system unavailable for {}", if said.is_empty() { "" } else { "; " }, length(seconds));
        }
        let lasted = length(incident.open_seconds);
        vec![
            incident.reference.clone(),
            incident.priority.to_string(),
            incident.customer_name.clone(),
            moment(incident.opened_at, &zone),
            if incident.closed_at.is_some() { lasted } else { format!("{lasted}, open") },
            number(incident, Verdict::Kept).to_string(),
            said,
        ]
    });
    grid(text, "Incidents", &["", "", "customer", "opened", "open for", "kept", "not kept"], rows.collect());
    if report.incidents_left_out > 0 {
        text.push_str(&format!("and {} more; `--format csv` has them all\n", report.incidents_left_out));
    }
}

/// Without what moves a terminal's cursor.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A table under its title; nothing without rows.
pub(super) fn grid(text: &mut String, title: &str, head: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(120);
    table.set_header(head.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| plain(cell)));
    }
    text.push_str(&format!("\n{title}\n"));
    table.lines().for_each(|line| text.push_str(&format!("{}\n", line.trim_end())));
}
