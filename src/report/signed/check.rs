//! Is a period's export whole, is each incident in it, and do the totals follow? Line by line; needs no server. Pure.
//!
//! What is kept of a line until the end is little: the period is known only from the last one.

use std::collections::{BTreeMap, BTreeSet};

use super::contents::{self, Contents, Named, Sums, Total};
use crate::{
    clock::Time,
    id::{CustomerKey, IncidentId, PlanKey},
    incident::{
        Event, Recorded,
        ledger::{
            Hash,
            hex::Running,
            reckon::reckon,
            signature::{PublicKey, signed},
            verify::{About, Finding, Verified, sane, verify},
            written,
        },
    },
    report::{
        compliance::PromiseLine,
        downtime::Gap,
        judge::{Part, Scope},
    },
};

/// The most findings that are kept of one line.
const MOST_OF_A_LINE: usize = 20;
/// The most that are kept of the file as a whole.
const MOST_OF_THE_FILE: usize = 100;
/// The most notes.
const MOST_NOTES: usize = 10;

/// Whether a file is a period's export, whole or not, by its first line and whether there is anything after it. A first
/// incident with nothing after it is that incident's own export.
pub fn is_period(first: &[u8], more: bool) -> bool {
    written::format(first).is_some_and(|format| format == contents::FORMAT) || more && first.starts_with(b"{\"")
}

/// A check that is under way.
#[derive(Debug)]
pub struct Check {
    trusted: Option<PublicKey>,
    digest: Running,
    number: u64,
    lines: Vec<Line>,
    end: End,
    findings: Found,
    notes: BTreeSet<String>,
}

/// The table of contents, as far as it came.
#[derive(Debug)]
enum End {
    ToCome,
    Unreadable,
    Read(Box<Contents>),
}

/// What was found in one line.
#[derive(Clone, Debug)]
pub struct Line {
    /// From 1.
    pub number: u64,
    /// Nothing means that it holds.
    pub findings: Vec<Finding>,
    /// None: it is no export that can be read.
    pub exported: Option<Exported>,
    /// What of it belongs to the period, where both can be read.
    pub part: Option<Part>,
}

/// An incident as one line gives it.
#[derive(Clone, Debug)]
pub struct Exported {
    pub named: Named,
    key: PublicKey,
    /// None: its events are not whole, or cannot be read.
    pub told: Option<Told>,
}

/// What the events of an incident say.
#[derive(Clone, Debug)]
pub struct Told {
    pub reference: String,
    pub customer_name: String,
    customer: Option<CustomerKey>,
    plan: PlanKey,
    opened_at: Time,
    promises: Vec<PromiseLine>,
}

/// What was found in a period's export.
#[derive(Clone, Debug)]
pub struct Checked {
    /// None: there is none, or it cannot be read.
    pub contents: Option<Contents>,
    pub lines: Vec<Line>,
    /// About the file as a whole.
    pub findings: Vec<Finding>,
    /// What is good to know, and no fault.
    pub notes: Vec<String>,
    /// What those lines that can be read add up to.
    pub sums: Sums,
}

impl Checked {
    /// Whether nothing is wrong with it.
    pub fn holds(&self) -> bool {
        self.findings.is_empty() && self.lines.iter().all(|line| line.findings.is_empty())
    }
}

impl Check {
    /// Nothing yet. `trusted`: the key that the server publishes; without it, only that the file agrees with itself.
    pub fn begin(trusted: Option<PublicKey>) -> Check {
        Check {
            trusted,
            digest: Running::default(),
            number: 0,
            lines: Vec::new(),
            end: End::ToCome,
            findings: Found::of(MOST_OF_THE_FILE),
            notes: BTreeSet::new(),
        }
    }

    /// The next line, with its line feed.
    pub fn line(&mut self, bytes: &[u8]) {
        self.number += 1;
        let line = self.number;
        if !matches!(self.end, End::ToCome) {
            return self.findings.add(About::Line { line }, "it stands after the table of contents");
        }
        if written::format(bytes).is_some_and(|format| format == contents::FORMAT) {
            return self.contents(bytes);
        }
        self.digest.take(bytes);
        let verified = verify(bytes, self.trusted.as_ref());
        if self.notes.len() < MOST_NOTES {
            self.notes.extend(verified.notes.iter().cloned());
        }
        let mut found = Found::of(MOST_OF_A_LINE);
        verified.findings.iter().for_each(|finding| found.add(finding.about.clone(), &finding.what));
        self.lines.push(Line { number: line, findings: found.all(), exported: exported(verified), part: None });
    }

    fn contents(&mut self, bytes: &[u8]) {
        let (contents, wrong) = written::read::<Contents>(bytes, contents::FORMAT);
        wrong.into_iter().for_each(|what| self.findings.add(About::Contents, what));
        self.end = End::Unreadable;
        let Some(contents) = contents else { return };
        let of_gaps = contents.unavailable.iter().flat_map(|gap| [gap.from, gap.to]);
        let mut times = [contents.from, contents.to, contents.as_of, contents.exported_at].into_iter().chain(of_gaps);
        if !times.all(sane) {
            return self.findings.add(About::Contents, "its times are none that a clock has shown");
        }
        if let Some(trusted) = self.trusted.filter(|trusted| *trusted != contents.key) {
            self.findings.add(About::Signature, format!("it is by the key {}, not by yours, {trusted}", contents.key));
        }
        if !contents.unsigned().is_ok_and(|value| signed(&value, &contents.signature, &contents.key)) {
            let what = format!("it is not that of the key {} over this table of contents", contents.key);
            self.findings.add(About::Signature, what);
        }
        self.end = End::Read(Box::new(contents));
    }

    /// After the last line.
    pub fn finish(mut self) -> Checked {
        let mut sums = Sums::default();
        let contents = match std::mem::replace(&mut self.end, End::Unreadable) {
            End::Read(contents) => Some(*contents),
            End::Unreadable => None,
            End::ToCome => {
                let what = match self.number {
                    0 => "it is empty".into(),
                    last => format!("it ends after line {last} without a table of contents: it was cut off"),
                };
                self.findings.add(About::File, what);
                None
            }
        };
        if let Some(contents) = &contents {
            let as_listed = self.sequence(contents);
            self.stretch(contents);
            let whole = self.belonging(&contents.scope(), &mut sums);
            if as_listed && whole {
                self.totals(contents, &sums);
            }
        }
        let notes = self.notes.into_iter().take(MOST_NOTES).collect();
        Checked { contents, lines: self.lines, findings: self.findings.all(), notes, sums }
    }

    /// Whether these are the incidents of the table of contents, in its order, as they were.
    fn sequence(&mut self, contents: &Contents) -> bool {
        let before = self.findings.number;
        let mut listed: BTreeMap<&IncidentId, &Named> = BTreeMap::new();
        for named in &contents.incidents {
            if listed.insert(&named.incident, named).is_some() {
                self.findings.add(About::Contents, format!("it names {} twice", named.incident));
            }
        }
        let mut here: BTreeSet<&IncidentId> = BTreeSet::new();
        for line in &self.lines {
            let (Some(exported), about) = (&line.exported, About::Line { line: line.number }) else { continue };
            let (name, named) = (line.name(), &exported.named);
            if !here.insert(&named.incident) {
                self.findings.add(about.clone(), format!("incident {name} stands here a second time"));
            }
            match listed.get(&named.incident) {
                None => self
                    .findings
                    .add(about, format!("incident {name} is not in the table of contents: it was put in")),
                Some(listed) if *listed != named => self.findings.add(
                    about,
                    format!(
                        "incident {name} was swapped for another export of it: it has {} events up to {} here, and {} up \
                         to {} in the table of contents",
                        named.events, named.head, listed.events, listed.head
                    ),
                ),
                Some(_) => {}
            }
            if exported.key != contents.key {
                let what = format!("incident {name} is signed by another key than the table of contents");
                self.findings.add(About::Line { line: line.number }, what);
            }
        }
        for gone in listed.keys().filter(|id| !here.contains(*id)) {
            self.findings.add(About::Contents, format!("it names {gone}, which is not here: it was taken out"));
        }
        if self.findings.number == before {
            let order = self.lines.iter().filter_map(|line| Some((line, &line.exported.as_ref()?.named.incident)));
            let moved = order.zip(&contents.incidents).find(|((_, id), named)| **id != named.incident);
            if let Some(((line, _), named)) = moved {
                let (about, name) = (About::Line { line: line.number }, line.name());
                let what = format!("incident {name} stands where {} was: the lines were reordered", named.incident);
                self.findings.add(about, what);
            }
        }
        if self.findings.number == before && self.digest.hash() != contents.digest {
            let what = "the lines before it are not those that it was made over: one was changed, or swapped for another \
                        export of the same events";
            self.findings.add(About::Contents, what);
        }
        self.findings.number == before
    }

    /// Whether the table of contents can be true by itself.
    fn stretch(&mut self, contents: &Contents) {
        if contents.from >= contents.to {
            self.findings.add(About::Contents, "its period ends before it begins");
        }
        let gaps = &contents.unavailable;
        let apart = gaps.windows(2).all(|pair| pair[0].to <= pair[1].from);
        let within = gaps.iter().all(|gap| gap.within(contents.from, contents.to) == Some(*gap));
        if !apart || !within || gaps.iter().map(Gap::seconds).sum::<i64>() != contents.unavailable_seconds {
            self.findings.add(About::Contents, "the times when the service did not run do not add up");
        }
        if contents.unreadable > 0 {
            let what =
                format!("the server could not read {} of its records, and they are not here", contents.unreadable);
            self.findings.add(About::Contents, what);
        }
    }

    /// What of each incident belongs to the period; whether that is known of all.
    fn belonging(&mut self, scope: &Scope, sums: &mut Sums) -> bool {
        let mut whole = true;
        for line in &mut self.lines {
            let about = About::Line { line: line.number };
            let Some(told) = line.exported.as_ref().and_then(|exported| exported.told.as_ref()) else {
                whole = false;
                continue;
            };
            let part = Part::of(told.opened_at, told.promises.iter().copied(), &scope.period);
            if !scope.wants(told.customer.as_ref(), &told.plan) {
                let what = format!("incident {} is not of the customer or plan that was asked for", told.reference);
                self.findings.add(about, what);
            } else if !part.is_listed() {
                let what = format!(
                    "incident {} does not belong to the period: it was not opened in it, and none of its promises was due \
                     in it",
                    told.reference
                );
                self.findings.add(about, what);
            }
            sums.add(part.opened, &part.promises);
            line.part = Some(part);
        }
        whole
    }

    /// Names each total that does not follow from the incidents.
    fn totals(&mut self, contents: &Contents, sums: &Sums) {
        if contents.opened != sums.opened {
            let what = format!(
                "it says that {} incidents were opened in the period; here {} are",
                contents.opened, sums.opened
            );
            self.findings.add(About::Contents, what);
        }
        let ours = sums.totals();
        if ours == contents.promises {
            return;
        }
        let keyed = |totals: &[Total]| -> BTreeMap<_, Total> {
            totals.iter().map(|total| ((total.priority, total.promise), *total)).collect()
        };
        let (ours, theirs) = (keyed(&ours), keyed(&contents.promises));
        let before = self.findings.number;
        for sort in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
            let (ours, theirs) = (ours.get(sort), theirs.get(sort));
            if ours != theirs {
                let name = format!("{}, {}", sort.0, sort.1.name().to_lowercase());
                let what = format!("for {name} it says {}; the incidents say {}", counted(theirs), counted(ours));
                self.findings.add(About::Contents, what);
            }
        }
        if self.findings.number == before {
            self.findings.add(About::Contents, "its totals are not in the order in which Ringdown writes them");
        }
    }
}

fn counted(total: Option<&Total>) -> String {
    total.map_or_else(
        || "nothing".into(),
        |total| {
            let Total { kept, late, missed, waived, open, .. } = total;
            format!("{kept} kept, {late} late, {missed} missed, {waived} waived, {open} open")
        },
    )
}

/// What has to be kept of a line.
fn exported(verified: Verified) -> Option<Exported> {
    let Verified { export, events, incident, .. } = verified;
    let export = export?;
    let named = Named { incident: export.incident.clone(), head: export.head, events: export.events.len() as u64 };
    let told = events.as_deref().and_then(|events| {
        let Some(Recorded { at, event: Event::Opened { report }, .. }) = events.first() else { return None };
        // What contradicts itself is counted too, as the server counts it.
        let reckoning = incident.map_or_else(|| reckon(events, export.exported_at), |(_, reckoning)| reckoning);
        Some(Told {
            reference: report.reference.clone(),
            customer_name: report.customer_name.clone(),
            customer: report.customer.clone(),
            plan: report.plan.key.clone(),
            opened_at: *at,
            promises: reckoning.promises().into_iter().map(PromiseLine::from).collect(),
        })
    });
    Some(Exported { named, key: export.key, told })
}

impl Line {
    /// The reference, or what there is of a name.
    pub fn name(&self) -> &str {
        let exported = self.exported.as_ref();
        exported.map_or("?", |exported| {
            exported.told.as_ref().map_or(exported.named.incident.as_str(), |told| told.reference.as_str())
        })
    }

    /// The hash of the last event, where it can be read.
    pub fn head(&self) -> Option<Hash> {
        self.exported.as_ref().map(|exported| exported.named.head)
    }
}

/// Findings, not more than anybody reads.
#[derive(Debug)]
struct Found {
    most: usize,
    number: usize,
    kept: Vec<Finding>,
}

impl Found {
    fn of(most: usize) -> Found {
        Found { most, number: 0, kept: Vec::new() }
    }

    fn add(&mut self, about: About, what: impl Into<String>) {
        self.number += 1;
        if self.kept.len() < self.most {
            self.kept.push(Finding { about, what: what.into() });
        }
    }

    fn all(mut self) -> Vec<Finding> {
        if self.number > self.kept.len() {
            let what = format!("and {} more", self.number - self.kept.len());
            self.kept.push(Finding { about: About::File, what });
        }
        self.kept
    }
}
