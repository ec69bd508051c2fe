//! The ladder of an incident: who was reached on which level, how and when. Pure.

use std::collections::BTreeMap;

use crate::{
    clock::Time,
    config::Config,
    escalation::Ladder,
    id::PageId,
    incident::{Actor, Incident},
    paging::{Outcome, Stage},
    web::store::Reach,
};

/// One rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    pub name: String,
    pub state: State,
    pub people: Vec<Reached>,
    /// When it is paged unless somebody acknowledges: of the next one only.
    pub next_at: Option<Time>,
}

/// How far a rung is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not paged.
    Ahead,
    /// Paged, and not answered yet.
    Ringing,
    /// Paged, and nobody answered.
    Passed,
    /// Somebody of it has the incident.
    Took,
}

impl State {
    /// A word of one kind for every reader: seen, spoken, and as the name of a style.
    pub fn word(self) -> &'static str {
        match self {
            State::Ahead => "ahead",
            State::Ringing => "ringing",
            State::Passed => "passed",
            State::Took => "took it",
        }
    }

    /// The name of its style.
    pub fn style(self) -> &'static str {
        match self {
            State::Ahead => "ahead",
            State::Ringing => "ringing",
            State::Passed => "passed",
            State::Took => "took",
        }
    }

    /// A mark that needs no colour.
    pub fn mark(self) -> &'static str {
        match self {
            State::Ahead => "○",
            State::Ringing => "◉",
            State::Passed => "●",
            State::Took => "✓",
        }
    }
}

/// One person who was paged, for the last time on this rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    pub name: String,
    pub at: Time,
    /// `text delivered, call rang out`
    pub how: String,
}

/// Every rung, from the first to the last resort.
pub fn rungs(incident: &Incident, reaches: &BTreeMap<PageId, Vec<Reach>>, config: &Config) -> Vec<Rung> {
    let ladder = Ladder::of(config, &incident.team, incident.priority);
    let holder = incident.holder.as_ref().map(|holder| &holder.who);
    let next = incident.climb.next_at.map(|at| (incident.climb.level.map_or(0, |level| level + 1), at));
    (0..=ladder.last_resort())
        .map(|index| {
            let mut people: Vec<Reached> = Vec::new();
            let (mut took, mut open) = (false, false);
            for (number, page) in incident.pages.iter().filter(|(_, page)| page.level == Some(index)) {
                let name = config.people.get(&page.person).map_or_else(|| page.person.to_string(), |p| p.name.clone());
                took |= matches!(holder, Some(Actor::Person(key)) if *key == page.person);
                open |= page.open;
                let none = Vec::new();
                let how = how(reaches.get(&PageId::of(&incident.id, *number)).unwrap_or(&none));
                people.retain(|reached| reached.name != name);
                people.push(Reached { name, at: page.at, how });
            }
            let state = match (people.is_empty(), took, open) {
                (true, _, _) => State::Ahead,
                (_, true, _) => State::Took,
                (_, _, true) => State::Ringing,
                _ => State::Passed,
            };
            let name = ladder.name(index);
            Rung { name, state, people, next_at: next.filter(|(level, _)| *level == index).map(|(_, at)| at) }
        })
        .collect()
}

/// What became of a page's texts and calls, in one line.
fn how(reaches: &[Reach]) -> String {
    let told = |reach: &Reach| {
        let call = reach.channel == "voice";
        let what = if call { "call" } else { "text" };
        let became = match (reach.outcome, reach.stage) {
            (Some(Outcome::Answered), _) => "answered",
            (Some(Outcome::NoHuman), _) => "got no human",
            (Some(Outcome::NoAnswer), _) => "rang out",
            (Some(Outcome::Delivered), _) => "delivered",
            (Some(Outcome::Unreachable), _) => "failed",
            (Some(Outcome::Cancelled), _) if reach.sent_at.is_none() => return None,
            (Some(Outcome::Cancelled), _) => "ended",
            (Some(Outcome::Expired), _) => "too late",
            (None, Stage::Waiting) => "to come",
            (None, Stage::Sent | Stage::HangingUp) if call => "ringing",
            (None, Stage::Sent | Stage::HangingUp) => "sent",
            (None, Stage::Sending | Stage::Over) => "on its way",
        };
        Some(format!("{what} {became}"))
    };
    let mut all: Vec<String> = reaches.iter().filter_map(told).collect();
    all.dedup();
    all.join(", ")
}
