//! A report as one HTML page: no script, nothing fetched, light and dark, and made to be printed. Pure.

use std::borrow::Borrow;

use askama::Template;

use super::{
    chart::{self, Chart},
    compliance::{Compliance, HourLine, IncidentLine, Step, TimingLine, Verdict},
    downtime::Gap,
    wording::{self, length},
};
use crate::{
    clock::Time,
    sla::{Priority, Zone},
};

/// The whole page. Every text is escaped by the templates.
#[derive(Template)]
#[template(path = "report/compliance.html")]
struct Page<'a> {
    body: Body<'a>,
}

/// What a report says, for a page of the running service too: wherever it stands, it stands in an element of the class
/// `report`, under the rules of `report.css`.
#[derive(Template)]
#[template(path = "report/body.html")]
pub struct Body<'a> {
    report: &'a Compliance,
    /// Whether incidents are links to their pages.
    linked: bool,
    zone: Zone,
    steps: [&'static str; 3],
    timings: Vec<(Option<Priority>, [Option<TimingLine>; 3])>,
    by_priority: Option<Chart>,
    by_hour: Option<Chart>,
    response_times: Option<Chart>,
    people: Option<Chart>,
}

/// The report as a page. Errors only when the machine has no memory for it.
pub fn html(report: &Compliance) -> Result<String, askama::Error> {
    Page { body: Body::of(report, false) }.render()
}

impl askama::filters::HtmlSafe for Body<'_> {}

impl<'a> Body<'a> {
    /// The body of a report's page.
    pub fn of(report: &'a Compliance, linked: bool) -> Body<'a> {
        Body {
            report,
            linked,
            zone: wording::zone(report),
            steps: [Step::FirstAttempt, Step::Acknowledged, Step::Response].map(Step::name),
            timings: wording::timings(report),
            by_priority: chart::by_priority(&report.by_priority),
            by_hour: chart::by_hour(&report.updates_by_hour),
            response_times: chart::response_times(&report.response_times),
            people: chart::people(&report.people),
        }
    }
}

impl Page<'_> {
    fn from(&self) -> String {
        self.body.at(&self.body.report.from)
    }

    fn to(&self) -> String {
        self.body.at(&self.body.report.to)
    }
}

impl Body<'_> {
    fn at(&self, at: &Time) -> String {
        wording::moment(*at, &self.zone)
    }

    /// The hours in which not every window was met; the chart has all.
    fn hours(&self) -> Vec<&HourLine> {
        self.report.updates_by_hour.iter().filter(|line| line.counts.kept < line.counts.owed()).collect()
    }

    fn unavailable(&self, gaps: &[Gap]) -> String {
        length(gaps.iter().map(Gap::seconds).sum())
    }

    fn not_kept(&self, incident: &IncidentLine) -> String {
        wording::not_kept(incident)
    }

    fn kept(&self, incident: &IncidentLine) -> usize {
        wording::number(incident, Verdict::Kept)
    }

    fn length(&self, seconds: impl Borrow<i64>) -> String {
        length(*seconds.borrow())
    }

    /// The verdicts as they are explained below a chart or a strip.
    fn verdicts(&self) -> [Verdict; 5] {
        [Verdict::Kept, Verdict::Late, Verdict::Missed, Verdict::Waived, Verdict::Open]
    }
}
