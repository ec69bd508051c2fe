//! Is an export what the server signed, is the history unbroken, and do its verdicts add up? Needs no server.

use std::fmt;

use chrono::Datelike;
use serde::Serialize;

use super::{
    anchor::Leaf,
    export::{self, Export},
    genesis,
    hex::Hash,
    link,
    reckon::{End, Kind, Now, Reckoning, reckon},
    signature::{PublicKey, signed},
    written,
};
use crate::{
    clock::Time,
    incident::{Incident, Recorded, state},
    sla::zone::database_version,
};

/// Which part of an export a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "about")]
pub enum About {
    /// The file as a whole.
    File,
    /// The chain, at this event.
    Event {
        seq: u64,
    },
    /// A promise, at this event.
    Promise {
        seq: u64,
    },
    Signature,
    /// The line of this number in a period's export.
    Line {
        line: u64,
    },
    /// The table of contents of a period's export.
    Contents,
    /// The anchor of this day.
    Anchor {
        day: String,
    },
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    #[serde(flatten)]
    pub about: About,
    pub what: String,
}

impl Finding {
    /// Whether it is about this line of a period's export.
    pub fn is_of(&self, number: u64) -> bool {
        self.about == About::Line { line: number }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.about {
            About::File => write!(f, "the file: {}", self.what),
            About::Event { seq } => write!(f, "event {seq}: {}", self.what),
            About::Promise { seq } => write!(f, "event {seq}, verdicts: {}", self.what),
            About::Line { line } => write!(f, "line {line}: {}", self.what),
            About::Contents => write!(f, "the table of contents: {}", self.what),
            About::Signature => write!(f, "the signature: {}", self.what),
            About::Anchor { day } => write!(f, "the anchor of {day}: {}", self.what),
        }
    }
}

/// What was found in an export.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Nothing means that it holds.
    pub findings: Vec<Finding>,
    /// What is good to know, and no fault.
    pub notes: Vec<String>,
    /// What it says, when it can be read at all.
    pub export: Option<Export>,
    /// What its events say, when the chain is whole and every one can be read.
    pub events: Option<Vec<Recorded>>,
    /// The incident as its events give it, and its promises worked out again, when the events are whole.
    pub incident: Option<(Incident, Reckoning)>,
}

/// Checks an export. `trusted`: the key that its server publishes; without it, only that the file agrees with the key
/// it names itself.
pub fn verify(bytes: &[u8], trusted: Option<&PublicKey>) -> Verified {
    let mut check = Check { findings: Vec::new() };
    let mut verified = Verified { findings: vec![], notes: vec![], export: None, events: None, incident: None };
    let (export, wrong) = written::read::<Export>(bytes, export::FORMAT);
    wrong.into_iter().for_each(|what| check.wrong(About::File, what));
    if let Some(export) = export {
        check.chain(&export);
        check.signature(&export, trusted);
        check.anchors(&export);
        if check.findings.iter().all(|finding| !matches!(finding.about, About::Event { .. })) {
            verified.events = check.events(&export);
        }
        verified.incident = verified.events.as_deref().and_then(|events| check.verdicts(&export, events));
        verified.notes = notes(&export);
        verified.export = Some(export);
    }
    verified.findings = check.findings;
    verified
}

struct Check {
    findings: Vec<Finding>,
}

impl Check {
    fn wrong(&mut self, about: About, what: impl Into<String>) {
        self.findings.push(Finding { about, what: what.into() });
    }

    fn event(&mut self, seq: usize, what: impl Into<String>) {
        self.wrong(About::Event { seq: seq as u64 }, what);
    }

    /// Names the first event that breaks the chain; what follows it hangs in the air.
    fn chain(&mut self, export: &Export) {
        let id = &export.incident;
        let mut previous = genesis(id);
        for (index, entry) in export.events.iter().enumerate() {
            let number = index + 1;
            if entry.event["seq"] != number as u64 {
                return self
                    .event(number, format!("its number is {}; one is missing, or was put in", entry.event["seq"]));
            }
            let made = match link(&previous, &entry.event, id) {
                Ok(made) => made,
                Err(unfit) => return self.event(number, unfit.to_string()),
            };
            if made != entry.hash {
                // Whether the next event hangs on the hash that was made, or on the one that stands here.
                let next = export.events.get(index + 1);
                let next_fits = |hash| next.is_some_and(|next| link(hash, &next.event, id) == Ok(next.hash));
                let end_fits = |hash: &Hash| next.is_none() && export.head == *hash;
                let what = if next_fits(&made) || end_fits(&made) {
                    "the hash beside it was changed"
                } else if next_fits(&entry.hash) || end_fits(&entry.hash) {
                    "what it says was changed after it was recorded"
                } else {
                    "it and its hash do not belong together"
                };
                return self.event(number, format!("{what}: its hash is {made}, the file says {}", entry.hash));
            }
            previous = entry.hash;
        }
        if export.events.is_empty() {
            self.event(1, "there is none");
        } else if export.head != previous {
            self.event(
                export.events.len(),
                format!("its hash is not the head, {}; later events are missing", export.head),
            );
        }
    }

    fn signature(&mut self, export: &Export, trusted: Option<&PublicKey>) {
        if let Some(trusted) = trusted.filter(|trusted| **trusted != export.key) {
            self.wrong(About::Signature, format!("it is by the key {}, not by yours, {trusted}", export.key));
        }
        if !export.unsigned().is_ok_and(|value| signed(&value, &export.signature, &export.key)) {
            self.wrong(About::Signature, format!("it is not that of the key {} over this file", export.key));
        }
    }

    fn anchors(&mut self, export: &Export) {
        for covering in &export.anchors {
            let about = About::Anchor { day: covering.anchor.day.to_string() };
            let place = usize::try_from(covering.seq).ok().and_then(|seq| seq.checked_sub(1));
            let Some(entry) = place.and_then(|place| export.events.get(place)) else {
                self.wrong(about, format!("it covers event {}, which is not here", covering.seq));
                continue;
            };
            let leaf = Leaf { incident: export.incident.clone(), seq: covering.seq, head: entry.hash };
            if let Some(what) = covering.wrong(&leaf, &export.key) {
                self.wrong(about, what);
            }
        }
    }

    /// Reads the events as what they say.
    fn events(&mut self, export: &Export) -> Option<Vec<Recorded>> {
        let mut events = Vec::with_capacity(export.events.len());
        for (index, entry) in export.events.iter().enumerate() {
            match serde_json::from_value::<Recorded>(entry.event.clone()) {
                Ok(recorded) if sane(recorded.at) => events.push(recorded),
                Ok(_) => self.event(index + 1, "its time is none that a clock has shown"),
                Err(error) => self.event(index + 1, format!("this program cannot read it; a newer one may: {error}")),
            }
        }
        (events.len() == export.events.len() && sane(export.exported_at)).then_some(events)
    }

    /// Replays the events, and works the verdicts out again.
    fn verdicts(&mut self, export: &Export, events: &[Recorded]) -> Option<(Incident, Reckoning)> {
        let reckoning = reckon(events, export.exported_at);
        for contradiction in &reckoning.contradictions {
            self.wrong(About::Promise { seq: contradiction.seq }, contradiction.what.clone());
        }
        // A history that contradicts itself may hold numbers that the replay was never made for.
        if !reckoning.contradictions.is_empty() {
            return None;
        }
        let incident = Incident::replay(&export.incident, events)?;
        if let Some(what) = disagreement(&incident, &reckoning) {
            self.wrong(About::Promise { seq: incident.seq }, what);
        }
        Some((incident, reckoning))
    }
}

/// Other rules of time zones than ours are no fault, but they may be the reason of one.
fn notes(export: &Export) -> Vec<String> {
    let ours = database_version();
    let pinned = export.events.first().and_then(|first| first.event["report"]["plan"]["zone_database"].as_str());
    let mut notes = Vec::new();
    if let Some(pinned) = pinned.filter(|pinned| *pinned != ours) {
        notes.push(format!(
            "its promises were made under version {pinned} of the time-zone rules; this program counts with {ours}. \
             Where a zone changed its clocks in between, an instant may differ by that"
        ));
    }
    if export.time_zone_database != ours && pinned != Some(&export.time_zone_database) {
        let theirs = &export.time_zone_database;
        notes.push(format!("the server that exported it had version {theirs} of the time-zone rules, not {ours}"));
    }
    notes
}

/// A time that sums of promises cannot carry over the end of the calendar.
pub(crate) fn sane(at: Time) -> bool {
    (1970..=9999).contains(&at.year())
}

/// Where the state that the server acted on and the arithmetic here differ.
pub(crate) fn disagreement(incident: &Incident, reckoning: &Reckoning) -> Option<String> {
    let theirs = incident.updates.past.iter().map(|window| (window.number, window.due, window.verdict));
    let ours = reckoning.windows.iter().filter_map(|window| {
        let verdict = match window.end {
            End::Open => return None,
            End::Met => state::Verdict::Met,
            End::Missed(_) => state::Verdict::Missed,
            End::Waived(_) => state::Verdict::Waived,
        };
        Some((window.number, window.count.shown_due(), verdict))
    });
    if !theirs.eq(ours) {
        return Some("the windows as the server counted them are others".into());
    }
    let running = reckoning.windows.last().filter(|window| window.end == End::Open);
    let ours = running.map(|window| (window.count.from, window.count.due));
    if incident.updates.running.map(|running| (running.from, running.due)) != ours {
        return Some("the window that runs as the server counted it is another".into());
    }
    let Now { callback, resolution, draft, last } = reckoning.now;
    let callback = callback.and_then(|place| reckoning.callbacks.get(place));
    let ours = callback.map(|callback| {
        (callback.count.shown_due(), callback.held.as_ref().map(|held| held.at), callback.missed.is_some())
    });
    let response = &incident.response;
    let theirs = response.due.map(|due| (due, response.met.as_ref().map(|met| met.at), response.missed));
    if ours != theirs {
        return Some("the callback as the server counted it is another".into());
    }
    let rca = incident.rca.unwrap_or(state::Rca { draft: None, last: None });
    for (kind, place, theirs) in [
        (Kind::Resolution, resolution, incident.resolution),
        (Kind::RcaDraft, draft, rca.draft),
        (Kind::RcaFinal, last, rca.last),
    ] {
        let deadline = place.and_then(|place| reckoning.deadlines.get(place));
        let ours = deadline.map(|deadline| {
            (deadline.count.shown_due(), deadline.done.as_ref().map(|done| done.at), deadline.missed.is_some())
        });
        if ours != theirs.map(|theirs| (theirs.due, theirs.met, theirs.missed)) {
            return Some(format!("{kind} as the server counted it is another"));
        }
    }
    let wait = reckoning.waits.last().filter(|wait| wait.end.is_none());
    let ours = wait.map(|wait| (wait.since, wait.again_at, wait.close_at));
    let theirs = incident.waiting.as_ref().map(|waiting| (waiting.since, waiting.again_at, waiting.close_at));
    (ours != theirs).then(|| "the waiting on the customer as the server counted it is another".into())
}
