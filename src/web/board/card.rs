//! One incident on the board. Pure.

use std::collections::BTreeMap;

use super::{
    ladder::{self, Rung},
    promise::{self, Owed},
};
use crate::{
    api::view,
    clock::Time,
    config::Config,
    id::PageId,
    incident::{Evidence, Incident, state::Verdict},
    sla::Priority,
    web::store::Reach,
};

/// One incident on the board.
#[derive(Clone, Debug)]
pub struct Card {
    pub id: String,
    pub reference: String,
    pub priority: Priority,
    pub customer: String,
    pub title: String,
    pub opened_at: Time,
    /// Who has it, and since when.
    pub holder: Option<(String, Time)>,
    pub commander: Option<String>,
    /// Why nobody has to have it now.
    pub rests: Option<String>,
    pub ladder: Vec<Rung>,
    pub next: Option<Owed>,
    pub windows: Vec<Mark>,
    pub callback: Callback,
}

/// A window of progress updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub number: u32,
    pub due: Time,
    /// `met`, `missed`, `waived`, `given` (the one that runs, already met) or `due`.
    pub state: &'static str,
}

impl Mark {
    /// A sign that needs no colour.
    pub fn sign(&self) -> &'static str {
        match self.state {
            "met" | "given" => "✓",
            "missed" => "✕",
            "waived" => "–",
            _ => "…",
        }
    }
}

/// How it is with the conversation that was promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// `good`, `late`, `soon` or nothing.
    pub style: &'static str,
    pub words: String,
    pub at: Option<Time>,
}

/// The windows shown: the newest.
const WINDOWS: usize = 12;

impl Card {
    /// The card of an incident.
    pub fn of(incident: &Incident, reaches: &BTreeMap<PageId, Vec<Reach>>, config: &Config) -> Card {
        let name = |actor| view::actor(actor, config).name;
        let rests = match (&incident.ruled_out, &incident.waiting, incident.begins_at) {
            (Some(ruled_out), _, _) => Some(format!("Ruled out: {}", ruled_out.note)),
            (_, Some(waiting), _) => Some(format!("Waits for the customer: {}", waiting.reason)),
            (_, _, Some(_)) => Some("Nobody is woken: it waits for its time".into()),
            _ => None,
        };
        Card {
            id: incident.id.to_string(),
            reference: incident.reference.clone(),
            priority: incident.priority,
            customer: incident.customer_name.clone(),
            title: incident.title.clone(),
            opened_at: incident.opened_at,
            holder: incident.holder.as_ref().map(|holder| (name(&holder.who), holder.since)),
            commander: incident.commander.as_ref().map(|key| view::person(key, config).name),
            rests,
            ladder: ladder::rungs(incident, reaches, config),
            next: promise::owed(incident).first().copied(),
            windows: windows(incident),
            callback: callback(incident, config),
        }
    }

    /// Whether its next promise is due within `seconds` from `now`, or late.
    pub fn due_within(&self, seconds: i64, now: Time) -> bool {
        self.next.is_some_and(|next| (next.due - now).num_seconds() <= seconds)
    }

    /// The worst has the least: late before all, then P1 before P2, then what nobody has, then what is due first.
    pub fn rank(&self, now: Time) -> impl Ord + use<> {
        let due = self.next.map_or(Time::MAX_UTC, |next| next.due);
        let unheld = self.holder.is_none() && self.rests.is_none();
        (due >= now, self.priority, !unheld, due, self.reference.clone())
    }

    /// `late`, `soon` or nothing, as a style.
    pub fn urgency(&self, now: &Time) -> &'static str {
        match self.next {
            Some(next) if next.due < *now => "late",
            Some(_) if self.due_within(super::SOON, *now) => "soon",
            _ => "",
        }
    }
}

fn windows(incident: &Incident) -> Vec<Mark> {
    let past = incident.updates.past.iter().map(|window| Mark {
        number: window.number,
        due: window.due,
        state: match window.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::Waived => "waived",
        },
    });
    let state = if incident.updates.met { "given" } else { "due" };
    let running = incident.window_due().map(|due| Mark { number: incident.updates.window, due, state });
    let all: Vec<Mark> = past.chain(running).collect();
    all[all.len().saturating_sub(WINDOWS)..].to_vec()
}

fn callback(incident: &Incident, config: &Config) -> Callback {
    let response = &incident.response;
    match (&response.met, response.due) {
        (Some(met), _) => {
            let how = match &met.evidence {
                Evidence::Conversation { seconds, .. } => format!("talked {seconds} s"),
                Evidence::Connected { .. } => "connected live".into(),
                Evidence::Attested { .. } => "attested, not measured".into(),
            };
            let late = if met.late { ", late" } else { "" };
            let who = view::actor(&met.by, config).name;
            let style = if met.late { "late" } else { "good" };
            Callback { style, words: format!("made by {who}{late} ({how})"), at: Some(met.at) }
        }
        (None, Some(due)) if response.missed => {
            Callback { style: "late", words: "missed; the customer still waits. It was due".into(), at: Some(due) }
        }
        (None, Some(due)) if !incident.is_open() => {
            Callback { style: "", words: "not made: it was over before".into(), at: Some(due) }
        }
        (None, Some(due)) => Callback { style: "", words: "owed by".into(), at: Some(due) },
        (None, None) => Callback { style: "", words: "none is promised".into(), at: None },
    }
}
