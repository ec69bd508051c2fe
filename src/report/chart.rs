//! The charts of a report, as shapes with places: the page only writes them down, and escapes every word. Pure.
//!
//! Kept, late and missed differ by pattern as well as by colour, and each number is written out.

use super::{
    compliance::{Counts, HourLine, PersonLine, PriorityLine, TimeClass, Verdict},
    wording::length,
};

/// How wide every chart is.
const WIDTH: f64 = 720.0;
/// How high a horizontal bar is, and how far the next one is below it.
const BAR: f64 = 20.0;
const STEP: f64 = 32.0;
/// The height of upright columns, and the room above and below them.
const HEIGHT: f64 = 130.0;
const ABOVE: f64 = 20.0;
const BELOW: f64 = 24.0;
/// The most people that are drawn; the table has all.
const MOST_PEOPLE: usize = 20;

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Unique on the page.
    pub id: &'static str,
    /// What it shows, for whoever does not see it.
    pub title: &'static str,
    /// The figures in words.
    pub description: String,
    pub width: f64,
    pub height: f64,
    pub bars: Vec<Bar>,
    pub labels: Vec<Label>,
    pub lines: Vec<Line>,
}

/// A rectangle.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it looks like.
    pub class: &'static str,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    /// What it stands for.
    pub title: String,
}

/// Some words.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub x: f64,
    pub y: f64,
    /// `start`, `middle` or `end`.
    pub anchor: &'static str,
    pub class: &'static str,
    pub text: String,
}

/// A level line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub y: f64,
    pub from: f64,
    pub to: f64,
}

impl Chart {
    fn new(id: &'static str, title: &'static str, height: f64) -> Chart {
        let (bars, labels, lines) = (Vec::new(), Vec::new(), Vec::new());
        Chart { id, title, description: String::new(), width: WIDTH, height: tenth(height), bars, labels, lines }
    }

    fn bar(&mut self, class: &'static str, (x, y): (f64, f64), (width, height): (f64, f64), title: String) {
        let [x, y, width, height] = [x, y, width, height].map(tenth);
        self.bars.push(Bar { class, x, y, width, height, title });
    }

    fn label(&mut self, x: f64, y: f64, anchor: &'static str, class: &'static str, text: impl Into<String>) {
        self.labels.push(Label { x: tenth(x), y: tenth(y), anchor, class, text: text.into() });
    }

    fn line(&mut self, y: f64, from: f64, to: f64) {
        self.lines.push(Line { y: tenth(y), from: tenth(from), to: tenth(to) });
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// How much of `whole` a part is; nothing of nothing.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn owed(counts: &Counts) -> [(Verdict, u64); 3] {
    [(Verdict::Kept, counts.kept), (Verdict::Late, counts.late), (Verdict::Missed, counts.missed)]
}

fn said(counts: &Counts) -> String {
    let parts = owed(counts).into_iter().filter(|(verdict, number)| *number > 0 || *verdict == Verdict::Kept);
    parts.map(|(verdict, number)| format!("{number} {}", verdict.as_str())).collect::<Vec<_>>().join(", ")
}

/// What was kept, late and missed of what was owed, by priority. `None` when nothing was.
pub fn by_priority(lines: &[PriorityLine]) -> Option<Chart> {
    let lines: Vec<&PriorityLine> = lines.iter().filter(|line| line.counts.owed() > 0).collect();
    let title = "Promises kept, late and missed, by priority";
    let mut chart = Chart::new("by-priority", title, lines.len() as f64 * STEP);
    let (left, most) = (40.0, 430.0);
    for (place, line) in lines.iter().enumerate() {
        let (y, counts) = (place as f64 * STEP + (STEP - BAR) / 2.0, &line.counts);
        let mut x = left;
        for (verdict, number) in owed(counts).into_iter().filter(|(_, number)| *number > 0) {
            let width = most * share(number, counts.owed());
            let title = format!("{}: {number} {}", line.priority, verdict.as_str());
            chart.bar(verdict.as_str(), (x, y), (width, BAR), title);
            x += width;
        }
        let middle = y + BAR / 2.0 + 5.0;
        chart.label(left - 8.0, middle, "end", "strong", line.priority.to_string());
        chart.label(left + most + 10.0, middle, "start", "", format!("{} · {}", counts.percent(), said(counts)));
    }
    chart.description = sentence(lines.iter().map(|line| format!("{}: {}", line.priority, said(&line.counts))));
    (!lines.is_empty()).then_some(chart)
}

/// The windows of progress updates by the hour in which they ended. `None` when none did.
pub fn by_hour(lines: &[HourLine]) -> Option<Chart> {
    let most = lines.iter().map(|line| line.counts.owed()).max().filter(|most| *most > 0)?;
    let mut chart = columns("by-hour", "Progress updates kept and missed, by hour of day", most);
    let (left, width) = (36.0, (WIDTH - 36.0) / 24.0);
    for line in lines {
        let x = left + f64::from(line.hour) * width;
        let mut top = ABOVE + HEIGHT;
        for (verdict, number) in owed(&line.counts).into_iter().filter(|(_, number)| *number > 0) {
            let height = HEIGHT * share(number, most);
            top -= height;
            let title = format!("{:02}:00 to {:02}:00: {number} {}", line.hour, line.hour + 1, verdict.as_str());
            chart.bar(verdict.as_str(), (x + 3.0, top), (width - 6.0, height), title);
        }
        let failed = line.counts.late + line.counts.missed;
        if failed > 0 {
            chart.label(x + width / 2.0, top - 5.0, "middle", "bad", format!("{}{failed}", Verdict::Missed.mark()));
        }
        chart.label(x + width / 2.0, ABOVE + HEIGHT + 16.0, "middle", "", format!("{:02}", line.hour));
    }
    let told = lines.iter().filter(|line| line.counts.owed() > 0);
    chart.description = sentence(told.map(|line| format!("{:02}:00: {}", line.hour, said(&line.counts))));
    Some(chart)
}

/// How long first responses took. `None` when there was none.
pub fn response_times(classes: &[TimeClass]) -> Option<Chart> {
    let most = classes.iter().map(|class| class.incidents).max().filter(|most| *most > 0)?;
    let mut chart = columns("response-times", "How long the first response took", most);
    let (left, width) = (36.0, (WIDTH - 36.0) / classes.len() as f64);
    let mut told = Vec::new();
    let mut from = None;
    for (place, class) in classes.iter().enumerate() {
        let name = match (from, class.below_seconds) {
            (_, Some(below)) => format!("< {}", short(below)),
            (Some(from), None) => format!("≥ {}", short(from)),
            (None, None) => "any".into(),
        };
        from = class.below_seconds;
        let (x, height) = (left + place as f64 * width, HEIGHT * share(class.incidents, most));
        let top = ABOVE + HEIGHT - height;
        if class.incidents > 0 {
            chart.bar("plain", (x + 6.0, top), (width - 12.0, height), format!("{name}: {}", class.incidents));
            chart.label(x + width / 2.0, top - 5.0, "middle", "strong", class.incidents.to_string());
            told.push(format!("{name}: {}", class.incidents));
        }
        chart.label(x + width / 2.0, ABOVE + HEIGHT + 16.0, "middle", "", name);
    }
    chart.description = sentence(told.into_iter());
    Some(chart)
}

/// Who was paged how often, by day and at night. `None` when nobody was.
pub fn people(lines: &[PersonLine]) -> Option<Chart> {
    let shown = &lines[..lines.len().min(MOST_PEOPLE)];
    let most = shown.iter().map(|line| line.pages).max().filter(|most| *most > 0)?;
    let mut chart = Chart::new("people", "Pages per person, by day and at night", shown.len() as f64 * STEP);
    let (left, width) = (160.0, 350.0);
    for (place, line) in shown.iter().enumerate() {
        let y = place as f64 * STEP + (STEP - BAR) / 2.0;
        let mut x = left;
        let parts =
            [("plain", line.pages - line.at_night.min(line.pages), "by day"), ("night", line.at_night, "at night")];
        for (class, number, when) in parts.into_iter().filter(|(_, number, _)| *number > 0) {
            let length = width * share(number, most);
            chart.bar(class, (x, y), (length, BAR), format!("{}: {number} {when}", line.name));
            x += length;
        }
        let middle = y + BAR / 2.0 + 5.0;
        chart.label(left - 8.0, middle, "end", "", cut(&line.name, 22));
        chart.label(x + 8.0, middle, "start", "", told(line));
    }
    chart.description = sentence(shown.iter().map(|line| format!("{}: {}", line.name, told(line))));
    Some(chart)
}

fn told(line: &PersonLine) -> String {
    match (line.at_night, line.nights) {
        (0, _) => line.pages.to_string(),
        (at_night, 1) => format!("{}, of which {at_night} in one night", line.pages),
        (at_night, nights) => format!("{}, of which {at_night} in {nights} nights", line.pages),
    }
}

/// An empty chart of columns, with lines at the highest value and at none.
fn columns(id: &'static str, title: &'static str, most: u64) -> Chart {
    let mut chart = Chart::new(id, title, ABOVE + HEIGHT + BELOW);
    for (y, value) in [(ABOVE, most), (ABOVE + HEIGHT, 0)] {
        chart.line(y, 30.0, WIDTH);
        chart.label(26.0, y + 4.0, "end", "", value.to_string());
    }
    chart
}

/// `5 min`, `4 h`, `1 d`.
fn short(seconds: i64) -> String {
    match seconds {
        ..3600 => length(seconds),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.into() } else { text.chars().take(most - 1).chain(['…']).collect() }
}

fn sentence(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ") + "."
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sla::Priority;

    fn counts(kept: u64, late: u64, missed: u64) -> Counts {
        Counts { kept, late, missed, ..Counts::default() }
    }

    fn inside(chart: &Chart) -> bool {
        chart.bars.iter().all(|bar| {
            bar.x >= 0.0
                && bar.y >= 0.0
                && bar.x + bar.width <= chart.width + 0.3
                && bar.y + bar.height <= chart.height + 0.3
        })
    }

    #[test]
    fn where_there_is_nothing_to_draw_nothing_is_drawn() {
        assert_eq!(by_priority(&[]), None);
        assert_eq!(by_hour(&[HourLine { hour: 3, counts: Counts { waived: 2, ..Counts::default() } }]), None);
        assert_eq!(response_times(&[TimeClass { below_seconds: None, incidents: 0 }]), None);
        assert_eq!(people(&[]), None);
    }

    #[test]
    fn what_is_drawn_is_also_said() {
        let lines = [PriorityLine { priority: Priority::P1, counts: counts(3, 1, 0), promises: vec![] }];
        let chart = by_priority(&lines).unwrap();
        assert_eq!(chart.description, "P1: 3 kept, 1 late.");
        let drawn: Vec<_> = chart.bars.iter().map(|bar| (bar.class, bar.width)).collect();
        assert_eq!(drawn, [("kept", 322.5), ("late", 107.5)]);
    }

    proptest! {
        #[test]
        fn everything_is_drawn_inside_the_chart(
            hours in prop::collection::vec((0u64..1_000_000, 0u64..1000, 0u64..1000), 24),
            people_paged in prop::collection::vec((0u64..100_000, 0u64..100_000), 1..40),
        ) {
            let lines: Vec<HourLine> =
                (0..).zip(&hours).map(|(hour, (a, b, c))| HourLine { hour, counts: counts(*a, *b, *c) }).collect();
            prop_assert!(by_hour(&lines).is_none_or(|chart| inside(&chart)));
            let lines: Vec<PriorityLine> = Priority::ALL.into_iter().zip(&hours).map(|(priority, (a, b, c))| {
                PriorityLine { priority, counts: counts(*a, *b, *c), promises: vec![] }
            }).collect();
            prop_assert!(by_priority(&lines).is_none_or(|chart| inside(&chart)));
            let lines: Vec<PersonLine> = people_paged.iter().map(|(day, night)| PersonLine {
                key: "x".into(), name: "X".repeat(60), zone: "UTC".into(), pages: day + night, at_night: *night,
                nights: 1, texts: 0, calls: 0, acknowledged: 0,
            }).collect();
            prop_assert!(people(&lines).is_none_or(|chart| inside(&chart)));
        }
    }
}
