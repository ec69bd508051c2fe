//! What is printed at the end: a row for each fault and database, as Markdown.

use std::sync::Mutex;

use super::judge::Verdict;

const HEAD: [&str; 15] = [
    "fault",
    "database",
    "nodes",
    "times",
    "accepted",
    "sent again",
    "lost",
    "unpaged",
    "pages",
    "doubled",
    "early",
    "twice",
    "breaches",
    "missing",
    "taken over",
];

/// One scenario.
#[derive(Clone, Debug)]
pub struct Row {
    pub fault: &'static str,
    pub database: &'static str,
    pub nodes: usize,
    pub times: usize,
    /// Requests that senders had to send again.
    pub again: u32,
    pub verdict: Verdict,
    /// How long, at most, something due lay about, in seconds.
    pub overdue: Option<f64>,
}

impl Row {
    fn cells(&self) -> [String; 15] {
        let verdict = &self.verdict;
        let number = |count: usize| count.to_string();
        [
            self.fault.into(),
            self.database.into(),
            number(self.nodes),
            number(self.times),
            number(verdict.accepted),
            self.again.to_string(),
            number(verdict.lost),
            number(verdict.unpaged),
            number(verdict.pages),
            number(verdict.doubled),
            number(verdict.early),
            number(verdict.twice + verdict.opened_twice),
            number(verdict.breaches),
            number(verdict.missing),
            self.overdue.map_or_else(|| "-".into(), |seconds| format!("{seconds:.1} s")),
        ]
    }
}

/// Adds a row to the table of this process, and prints all of it that there is.
pub fn add(row: Row) {
    static ROWS: Mutex<Vec<Row>> = Mutex::new(Vec::new());
    let mut rows = ROWS.lock().expect("the table");
    rows.push(row);
    rows.sort_by_key(|row| (row.fault, row.database));
    println!("\n{}", markdown(&rows));
}

fn markdown(rows: &[Row]) -> String {
    let mut lines: Vec<Vec<String>> = vec![HEAD.map(String::from).to_vec()];
    lines.extend(rows.iter().map(|row| row.cells().to_vec()));
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default())
        .collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:width$} "));
        format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
    };
    let rule = format!("|{}|\n", widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|"));
    let (head, rest) = lines.split_first().expect("a head");
    line(head) + &rule + &rest.iter().map(|cells| line(cells)).collect::<String>()
}
