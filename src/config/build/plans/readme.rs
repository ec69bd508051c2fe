//! The tables that people read, held to what the files say: the worked examples in `schedules/plans/README.md`, which
//! were worked out by `tests/oracle/worked_examples.py` and not by us, and the promises in `README.md`.

use std::path::{Path, PathBuf};

use chrono::DateTime;

use crate::{
    config::{Config, example_files, load::parse},
    sla::{Outlook, Plan, Priority, Promise, Term},
};

fn example() -> Config {
    let files = example_files().iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
    parse(&files, Path::new("schedules"), "schedules/", &|_| None).config
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// What a cell of the worked examples says, `—` for nothing. The day of the week must be right too.
fn instant(cell: &str) -> Option<crate::clock::Time> {
    if cell == "—" {
        return None;
    }
    let at = DateTime::parse_from_str(cell, "%a %Y-%m-%d %H:%M %:z").unwrap_or_else(|error| panic!("{cell}: {error}"));
    Some(at.to_utc())
}

fn promised(outlook: &Outlook, column: &str) -> Option<crate::clock::Time> {
    let update = |n: usize| outlook.updates.as_ref().map(|ends| ends[n]);
    match column {
        "Response" => outlook.response,
        "First update" => update(0),
        "Fifth update" => update(4),
        "Resolution" => outlook.resolution,
        "RCA draft" => outlook.rca_draft,
        "RCA final" => outlook.rca_final,
        "Closed when idle" => outlook.idle_close,
        _ => panic!("there is no column `{column}`"),
    }
}

#[test]
fn the_worked_examples_come_out_as_they_were_worked_out() {
    let config = example();
    let readme = read("schedules/plans/README.md");
    let (mut plan, mut head, mut counted, mut wrong) = ("", Vec::new(), Vec::new(), Vec::new());
    for line in readme.lines() {
        if let Some(name) = line.strip_prefix("### ") {
            (plan, head) = (name, Vec::new());
            counted.push((plan, 0));
        }
        if plan.is_empty() || !line.starts_with('|') || line.starts_with("|---") {
            continue;
        }
        if head.is_empty() {
            head = cells(line);
            continue;
        }
        let row: Vec<(&str, &str)> = head.iter().copied().zip(cells(line)).collect();
        assert_eq!(row.len(), head.len(), "{line}");
        let cell = |name: &str| row.iter().find(|(column, _)| *column == name).map(|(_, cell)| *cell);
        let key = cell("Tier").map_or(plan.to_owned(), |tier| format!("{plan}:{tier}"));
        let found = config.plans.get(key.as_str()).unwrap_or_else(|| panic!("there is no plan `{key}`"));
        let priority: Priority = cell("Priority").unwrap().parse().unwrap();
        let at = instant(cell("Reported").unwrap()).unwrap();
        let outlook = found.outlook(priority, at, cell("Not before").and_then(instant)).unwrap();
        for (column, cell) in &row {
            if ["Case", "Tier", "Priority", "Reported", "Not before"].contains(column) {
                continue;
            }
            let due = promised(&outlook, column);
            if due != instant(cell) {
                wrong.push(format!("{key} {priority}, {line}\n  {column}: {due:?}"));
            }
        }
        // What has no column is not promised.
        let shown = |name: &str| head.contains(&name);
        assert!(outlook.resolution.is_none() || shown("Resolution"), "{key}");
        assert!(outlook.updates.is_none() || shown("First update"), "{key}");
        assert!(outlook.rca_final.is_none() || shown("RCA final"), "{key}");
        assert!(outlook.idle_close.is_none() || shown("Closed when idle"), "{key}");
        counted.last_mut().unwrap().1 += 1;
    }
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
    let names: Vec<&str> = counted.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["synchronet-click", "priority-matrix", "tiered-support", "syncro-soft", "clickhelp"]);
    assert!(counted.iter().all(|(_, rows)| *rows >= 12), "{counted:?}");
}

const BEGIN: &str = "<!-- promises: made from schedules/plans by a test; UPDATE_README=1 writes it anew -->\n";
const END: &str = "<!-- end of promises -->";

#[test]
fn the_readme_says_what_each_plan_promises() {
    let readme = read("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("the table of promises begins in README.md");
    let (table, after) = rest.split_once(END).expect("the table of promises ends in README.md");
    let right = promises(&example());
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path("README.md"), format!("{before}{BEGIN}{right}{END}{after}")).unwrap();
    } else {
        assert_eq!(table, right, "the table is stale; run this test with UPDATE_README=1");
    }
}

/// A row for each priority of each plan.
fn promises(config: &Config) -> String {
    let mut table =
        "| plan | | response | updates | analysis of the cause | closed when the customer is silent |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for plan in config.plans.values() {
        for (i, (priority, promise)) in plan.priorities.iter().enumerate() {
            let name = if i == 0 { format!("`{}`", plan.key) } else { String::new() };
            let silent = if i == 0 { silence(plan) } else { String::new() };
            let updates = promise.updates.as_ref().map(|updates| format!("every {}", counted(plan, &updates.every)));
            table.push_str(&format!(
                "| {name} | {priority} {} | {} | {} | {} | {silent} |\n",
                promise.title,
                response(plan, promise),
                updates.unwrap_or_else(|| "—".into()),
                analysis(plan, promise),
            ));
        }
    }
    table
}

fn counted(plan: &Plan, term: &Term) -> String {
    match plan.calendars.get(&term.calendar) {
        Some(calendar) => format!("{term}, {}", calendar.calendar().title.to_lowercase_first()),
        None => format!("{term}, around the clock"),
    }
}

fn response(plan: &Plan, promise: &Promise) -> String {
    let Some(term) = &promise.response else { return "—".into() };
    let counted = counted(plan, term);
    match (promise.live, promise.scheduled) {
        (true, _) => format!("connected live: {counted}"),
        (_, true) => format!("{counted}, from the time the customer names"),
        _ => counted,
    }
}

fn analysis(plan: &Plan, promise: &Promise) -> String {
    let Some(rca) = &promise.rca else { return "—".into() };
    let part = |name: &str, term: &Option<Term>| term.as_ref().map(|term| format!("{name} {}", counted(plan, term)));
    [part("draft", &rca.draft), part("final", &rca.last)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn silence(plan: &Plan) -> String {
    let Some(idle) = &plan.idle else { return "—".into() };
    let after = counted(plan, &idle.close_after);
    match idle.requests {
        1 => after,
        n => format!("{after}, after {n} requests"),
    }
}

trait LowercaseFirst {
    fn to_lowercase_first(&self) -> String;
}

impl LowercaseFirst for String {
    fn to_lowercase_first(&self) -> String {
        let mut letters = self.chars();
        letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
    }
}
