//! A whole world in one thread: nodes, a database, carriers, people and customers, and everything that can go wrong
//! among them, all of it drawn from a seed.
//!
//! The nodes run the pure core as the service does (`incident::decide`, what `paging` says of attempts, carriers'
//! answers, calls and texts, `dispatch`, `throttle`, `breaker`, the ledger), around a model of the database in memory.
//! In the first phase faults happen; then they stop, and everything that is due must be done in bounded time. The
//! checkers ([`checks`]) are named after the invariants of ARCHITECTURE.md. The same seed gives the same world for
//! ever: no clock, no thread and no chance of the machine comes in.

mod carrier;
mod chance;
pub mod checks;
mod customers;
mod disk;
mod door;
pub mod faults;
pub mod mutant;
mod node;
mod pager;
mod people;
mod service;
mod setting;
mod tasks;
#[cfg(test)]
mod tests;
mod transaction;
mod weather;
mod world;

use std::fmt;

use chrono::TimeDelta;

pub use faults::{Counters, Fault};
pub use mutant::Mutant;

use world::Sim;

/// How long the world has after the last fault, in minutes: longer than the highest ladder of the example is.
const CALM: i64 = 62;

/// What one world came to.
#[derive(Clone, Debug)]
pub struct Lived {
    /// How often each fault happened.
    pub counters: Counters,
    /// Incidents, events, attempts, and requests that carriers took.
    pub incidents: usize,
    pub events: usize,
    pub attempts: usize,
    pub requests: usize,
    /// How many of the requests were second ones for the same attempt.
    pub doubled: usize,
    /// What happened, in lines, if it was asked for.
    pub trace: Vec<String>,
    /// An invariant that did not hold.
    pub failure: Option<Failure>,
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub seed: u64,
    pub mutant: Option<Mutant>,
    /// Its number and its name.
    pub invariant: &'static str,
    /// Where, and what was found.
    pub what: String,
    /// How long after the beginning.
    pub after: TimeDelta,
    /// The last lines of the trace.
    pub tail: Vec<String>,
}

impl Failure {
    /// The command that shows it again.
    pub fn replay(&self) -> String {
        let planted = self.mutant.map(|mutant| format!(" --mutant {mutant}")).unwrap_or_default();
        format!("ringdown simulate-world --seed {}{planted} --trace", self.seed)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minutes, seconds) = (self.after.num_minutes(), self.after.num_seconds() % 60);
        writeln!(f, "seed {}: \"{}\" does not hold, after {minutes} min {seconds} s:", self.seed, self.invariant)?;
        writeln!(f, "  {}", self.what)?;
        for line in &self.tail {
            writeln!(f, "    {line}")?;
        }
        write!(f, "  to see it again: {}", self.replay())
    }
}

/// Lives through the world of a seed, with a planted bug or without.
pub fn live(seed: u64, mutant: Option<Mutant>, traced: bool) -> Lived {
    let sim = Sim::new(seed, mutant, traced);
    for node in 0..sim.with(|world| world.nodes.len()) {
        sim.boot(node);
    }
    sim.trouble();
    sim.report_troubles();
    let began = sim.with(|world| world.began);
    sim.run_until(began + TimeDelta::seconds(customers::TROUBLE));
    sim.heal();
    sim.run_until(began + TimeDelta::seconds(customers::TROUBLE) + TimeDelta::minutes(CALM));
    sim.stop();
    sim.with(|world| {
        checks::ended(world);
        let taken = &world.network.taken;
        let once: std::collections::BTreeSet<_> = taken.iter().map(|taken| &taken.attempt).collect();
        Lived {
            counters: world.counters.clone(),
            incidents: world.tables.books.len(),
            events: world.tables.books.values().map(|book| book.events.len()).sum(),
            attempts: world.tables.attempts.len(),
            requests: taken.len(),
            doubled: taken.len() - once.len(),
            trace: world.trace.take().map(|trace| trace.lines).unwrap_or_default(),
            failure: world.failure.take(),
        }
    })
}

/// Lives through a world; one in which something does not hold is lived again, with its trace.
pub fn examine(seed: u64, mutant: Option<Mutant>) -> Lived {
    let lived = live(seed, mutant, false);
    if lived.failure.is_some() { live(seed, mutant, true) } else { lived }
}
