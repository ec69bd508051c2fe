//! What a report says: which promises were kept, how fast people were, who was paged, and when we did not run. Pure.
//!
//! An incident belongs to the period in which it was *opened*; a promise to the period in which it was *due*; a page to
//! the period in which it was *made*. So nothing is counted twice in two reports that follow each other.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::downtime::Gap;
use crate::{
    incident::ledger::reckon::{self, Kind, Promised},
    sla::Priority,
};

/// What a report says of a period. All instants are UTC; verdicts are worked out again from the events, as of `as_of`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Compliance {
    pub from: DateTime<Utc>,
    /// The first instant that is no longer in the period.
    pub to: DateTime<Utc>,
    /// Hours of the day are this zone's.
    pub zone: String,
    /// When it was made.
    pub as_of: DateTime<Utc>,
    /// Only this customer's, if given.
    pub customer: Option<String>,
    /// Only under this plan, if given; without a tier, all tiers of it.
    pub plan: Option<String>,
    /// How many incidents were opened in the period.
    pub opened: u64,
    /// Every promise that was due in the period.
    pub promises: Counts,
    /// By the priority that the promise was made for, the gravest first.
    pub by_priority: Vec<PriorityLine>,
    /// The windows of progress updates, by the hour of the day in which their last moment lies: 24 lines.
    pub updates_by_hour: Vec<HourLine>,
    pub timings: Vec<TimingLine>,
    /// How long the first response took, in classes.
    pub response_times: Vec<TimeClass>,
    /// Who was paged, the most often first.
    pub people: Vec<PersonLine>,
    /// When the service did not run: the system was unavailable.
    pub unavailable: Vec<Gap>,
    pub unavailable_seconds: i64,
    /// Incidents that were opened in the period, or of which a promise was due in it, oldest first.
    pub incidents: Vec<IncidentLine>,
    /// How many more there are than fit into `incidents`. They are counted everywhere else, and the CSV has them all.
    pub incidents_left_out: u64,
    /// Incidents whose record does not add up; normally 0. `ringdown explain` tells what is wrong.
    pub contradictory: u64,
    /// Incidents whose record cannot be read, and which are not counted; normally 0.
    pub unreadable: u64,
}

/// How many promises ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Done in time.
    pub kept: u64,
    /// Done, after it was due.
    pub late: u64,
    /// Due, and not done.
    pub missed: u64,
    /// Not owed any more before it was due.
    pub waived: u64,
    /// It runs.
    pub open: u64,
    /// The kept among the kept, late and missed, in percent, rounded down to a tenth; none where nothing was owed.
    pub percent_kept: Option<f64>,
}

impl Counts {
    /// One more.
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Kept => &mut self.kept,
            Verdict::Late => &mut self.late,
            Verdict::Missed => &mut self.missed,
            Verdict::Waived => &mut self.waived,
            Verdict::Open => &mut self.open,
        } += 1;
        self.rate();
    }

    /// Works out the percentage.
    pub(super) fn rate(&mut self) {
        // Down, so that nothing is 100 % but all of them.
        self.percent_kept = (self.kept * 1000).checked_div(self.owed()).map(|tenths| tenths as f64 / 10.0);
    }

    /// Those that had to be kept.
    pub fn owed(&self) -> u64 {
        self.kept + self.late + self.missed
    }

    /// All.
    pub fn all(&self) -> u64 {
        self.owed() + self.waived + self.open
    }

    /// The percentage in words: `97.5 %`, or a dash where nothing was owed.
    pub fn percent(&self) -> String {
        self.percent_kept.map_or_else(|| "–".into(), |percent| format!("{percent:.1} %"))
    }
}

/// How a promise stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Kept,
    Late,
    Missed,
    Waived,
    Open,
}

impl Verdict {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Kept => "kept",
            Verdict::Late => "late",
            Verdict::Missed => "missed",
            Verdict::Waived => "waived",
            Verdict::Open => "open",
        }
    }

    /// One character for it, where there is no room for the word.
    pub fn mark(self) -> &'static str {
        match self {
            Verdict::Kept => "✓",
            Verdict::Late => "!",
            Verdict::Missed => "✗",
            Verdict::Waived => "–",
            Verdict::Open => "○",
        }
    }
}

impl From<reckon::Verdict> for Verdict {
    fn from(verdict: reckon::Verdict) -> Self {
        match verdict {
            reckon::Verdict::Kept => Verdict::Kept,
            reckon::Verdict::Late => Verdict::Late,
            reckon::Verdict::Missed => Verdict::Missed,
            reckon::Verdict::Waived => Verdict::Waived,
            reckon::Verdict::Open => Verdict::Open,
        }
    }
}

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Response,
    Update,
    Resolution,
    RcaDraft,
    RcaFinal,
}

impl Subject {
    /// What a promise is about, and the number of its window.
    pub fn of(kind: Kind) -> (Subject, Option<u32>) {
        match kind {
            Kind::Response => (Subject::Response, None),
            Kind::Update(window) => (Subject::Update, Some(window)),
            Kind::Resolution => (Subject::Resolution, None),
            Kind::RcaDraft => (Subject::RcaDraft, None),
            Kind::RcaFinal => (Subject::RcaFinal, None),
        }
    }

    /// As a program reads it.
    pub fn as_str(self) -> &'static str {
        match self {
            Subject::Response => "response",
            Subject::Update => "update",
            Subject::Resolution => "resolution",
            Subject::RcaDraft => "rca_draft",
            Subject::RcaFinal => "rca_final",
        }
    }

    /// As a person reads it.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Response => "First response",
            Subject::Update => "Progress update",
            Subject::Resolution => "Resolution",
            Subject::RcaDraft => "RCA draft",
            Subject::RcaFinal => "RCA final",
        }
    }
}

/// The promises for one priority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PriorityLine {
    pub priority: Priority,
    pub counts: Counts,
    /// The same, by what was promised.
    pub promises: Vec<SubjectLine>,
}

/// The promises of one sort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubjectLine {
    pub promise: Subject,
    pub counts: Counts,
}

/// The windows of progress updates that ended in one hour of the day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HourLine {
    /// 0 to 23.
    pub hour: u8,
    pub counts: Counts,
}

/// A step on the way from the report to the customer. Where an incident waited for office hours, or for the time the
/// customer asked for, it is counted from when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The first text or call to one of our people that a carrier took.
    FirstAttempt,
    Acknowledged,
    /// The first conversation with the customer.
    Response,
}

impl Step {
    /// As a person reads it.
    pub fn name(self) -> &'static str {
        match self {
            Step::FirstAttempt => "to the first page",
            Step::Acknowledged => "to the acknowledgement",
            Step::Response => "to the first response",
        }
    }
}

/// How long a step took, over the incidents opened in the period that came so far. By nearest rank: each figure is one
/// that was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimingLine {
    pub step: Step,
    /// The priority the incidents were reported with; none: all.
    pub priority: Option<Priority>,
    /// How many incidents came so far.
    pub incidents: u64,
    pub median_seconds: i64,
    pub p95_seconds: i64,
}

/// How many first responses took so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimeClass {
    /// Less than this, and not less than the class before; none: any longer.
    pub below_seconds: Option<i64>,
    pub incidents: u64,
}

/// How often one person was paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonLine {
    pub key: String,
    pub name: String,
    /// The night is this zone's.
    pub zone: String,
    pub pages: u64,
    /// Pages between 22:00 and 07:00.
    pub at_night: u64,
    /// Nights with a page.
    pub nights: u64,
    /// Texts and calls that carriers took for these pages.
    pub texts: u64,
    pub calls: u64,
    /// Pages that the person acknowledged.
    pub acknowledged: u64,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentLine {
    pub reference: String,
    pub id: String,
    pub title: String,
    /// None: nobody's we know.
    pub customer: Option<String>,
    pub customer_name: String,
    pub plan: String,
    /// The last it had.
    pub priority: Priority,
    pub opened_at: DateTime<Utc>,
    /// False: it was opened before, and a promise was due in the period.
    pub opened_in_period: bool,
    /// None: it is open.
    pub closed_at: Option<DateTime<Utc>>,
    /// How long it was open, so far.
    pub open_seconds: i64,
    /// Those that were due in the period, in that order.
    pub promises: Vec<PromiseLine>,
    /// When the service did not run while it was open.
    pub unavailable: Vec<Gap>,
    /// What in its record does not add up; normally 0.
    pub contradictions: u64,
}

/// One promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PromiseLine {
    pub promise: Subject,
    /// The number of an update's window.
    pub window: Option<u32>,
    /// Which it was made for.
    pub priority: Priority,
    pub from: DateTime<Utc>,
    pub due: DateTime<Utc>,
    pub verdict: Verdict,
    /// When it was done, or not owed any more.
    pub at: Option<DateTime<Utc>>,
}

impl From<Promised> for PromiseLine {
    fn from(promised: Promised) -> Self {
        let (promise, window) = Subject::of(promised.kind);
        let Promised { priority, from, due, verdict, at, .. } = promised;
        PromiseLine { promise, window, priority, from, due, verdict: verdict.into(), at }
    }
}

impl PromiseLine {
    /// `Progress update 3`.
    pub fn name(&self) -> String {
        match self.window {
            Some(window) => format!("{} {window}", self.promise.name()),
            None => self.promise.name().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(kept: u64, late: u64, missed: u64) -> Option<f64> {
        let mut counts = Counts::default();
        for (verdict, number) in [(Verdict::Kept, kept), (Verdict::Late, late), (Verdict::Missed, missed)] {
            (0..number).for_each(|_| counts.add(verdict));
        }
        counts.percent_kept
    }

    #[test]
    fn the_percentage_is_of_what_was_owed_and_never_rounded_up() {
        assert_eq!(counts(0, 0, 0), None);
        assert_eq!(counts(3, 0, 0), Some(100.0));
        assert_eq!(counts(2, 1, 0), Some(66.6));
        assert_eq!(counts(0, 1, 1), Some(0.0));
        assert_eq!(counts(1999, 1, 0), Some(99.9));
        let mut waived = Counts::default();
        waived.add(Verdict::Waived);
        waived.add(Verdict::Open);
        assert_eq!((waived.percent_kept, waived.percent(), waived.all()), (None, "–".into(), 2));
    }
}
