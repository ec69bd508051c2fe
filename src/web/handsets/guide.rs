//! The product in three steps, each with how far it is. Pure.

use super::{Stir, phone::Card};
use crate::{clock::Time, web::board};

/// Incidents told of; the board has them all.
const MOST: usize = 3;

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Ahead,
    Now,
    Done,
}

/// The three steps, and what there is to say of each.
#[derive(Clone, Debug)]
pub struct Guide {
    pub dial: Step,
    pub ring: Step,
    pub take: Step,
    /// Whose phones ring.
    pub ringing: Vec<String>,
    pub open: Vec<Open>,
    /// Those not told of.
    pub others: usize,
}

/// An incident in a line.
#[derive(Clone, Debug)]
pub struct Open {
    pub reference: String,
    pub customer: String,
    pub holder: Option<String>,
    /// Who is paged next, and when, unless somebody takes it.
    pub next: Option<(String, Time)>,
}

impl Guide {
    /// How far the story is that the phones and the open incidents tell.
    pub fn of(incidents: &[board::Card], cards: &[Card], now: Time) -> Guide {
        let calls = || cards.iter().flat_map(|card| card.calls.iter().map(move |call| (card, call)));
        let dialled = calls().any(|(_, call)| !call.incoming && !call.ended());
        let mut ringing: Vec<String> =
            cards.iter().filter(|card| card.stir == Stir::Rings).map(|c| c.owner.name.clone()).collect();
        ringing.dedup();
        let unheld = incidents.iter().any(|card| card.holder.is_none());
        let held = incidents.iter().any(|card| card.holder.is_some());
        let talks = calls().any(|(_, call)| call.incoming && call.talks());
        let dial = match (dialled, incidents.is_empty()) {
            (true, _) | (false, true) => Step::Now,
            _ => Step::Done,
        };
        let ring = match (ringing.is_empty() && !unheld, held) {
            (false, _) => Step::Now,
            (true, true) => Step::Done,
            (true, false) => Step::Ahead,
        };
        let take = match (talks || !ringing.is_empty(), held && !unheld) {
            (true, _) => Step::Now,
            (false, true) => Step::Done,
            (false, false) => Step::Ahead,
        };
        let open = incidents.iter().rev().take(MOST).map(|card| Open::of(card, now)).collect();
        Guide { dial, ring, take, ringing, open, others: incidents.len().saturating_sub(MOST) }
    }
}

impl Open {
    fn of(card: &board::Card, now: Time) -> Open {
        let next = card.ladder.iter().find_map(|rung| Some((rung.name.clone(), rung.next_at?)));
        Open {
            reference: card.reference.clone(),
            customer: card.customer.clone(),
            holder: card.holder.as_ref().map(|(name, _)| name.clone()),
            next: next.filter(|(_, at)| *at > now),
        }
    }
}

impl Step {
    /// The name of its style.
    pub fn style(&self) -> &'static str {
        match self {
            Step::Ahead => "ahead",
            Step::Now => "now",
            Step::Done => "done",
        }
    }

    /// A mark that needs no colour: its number until it is done.
    pub fn mark(self, number: &'static str) -> &'static str {
        if self == Step::Done { "✓" } else { number }
    }

    /// For those who do not see it.
    pub fn words(&self) -> &'static str {
        match self {
            Step::Ahead => "comes later",
            Step::Now => "now",
            Step::Done => "done",
        }
    }
}
