//! The world: the true time, the nodes, the database, the carriers, the people, and who watches over them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use chrono::TimeDelta;

use super::{
    Failure, Mutant,
    carrier::Network,
    chance::Chance,
    checks::Checks,
    disk::{Row, Tables, Write},
    faults::{Counters, Fault},
    node::Node,
    people::Temper,
    setting::{self, SETTING},
    tasks::{Tasks, Work},
    transaction::Origin,
};
use crate::{clock::Time, config::Config, id::PersonKey};

/// How many lines of the trace a failure shows.
const TAIL: usize = 60;

/// Everything there is.
pub(super) struct World {
    pub seed: u64,
    pub mutant: Option<Mutant>,
    /// The true time, which nobody in the world knows.
    pub now: Time,
    pub began: Time,
    pub chance: Chance,
    pub tasks: Tasks,
    pub nodes: Vec<Node>,
    pub tables: Tables,
    /// Which transaction holds which row.
    pub locks: BTreeMap<Row, u64>,
    /// Transactions whose commit is under way: whose, and what they say.
    pub pending: BTreeMap<u64, (usize, Origin, Vec<Write>)>,
    /// What was committed and is not on the disk: how to undo it.
    pub unsynced: Vec<Vec<Write>>,
    pub store_up: bool,
    pub network: Network,
    pub config: Arc<Config>,
    pub tempers: BTreeMap<PersonKey, Temper>,
    /// Incidents that somebody works on, so that nobody does so twice.
    pub at_work: BTreeSet<String>,
    /// Faults happen; after that, everything must be done in bounded time.
    pub troubled: bool,
    /// When a node, a clock or the database was last put out of order, or in order again.
    pub disturbed: Time,
    /// Since when no fault happens any more.
    pub healed: Option<Time>,
    /// In the second phase nobody answers any more.
    pub silent: bool,
    pub counters: Counters,
    pub checks: Checks,
    pub failure: Option<Failure>,
    pub trace: Option<Trace>,
    /// How many turns the tasks took.
    pub turns: u64,
    names: u64,
}

/// What happened, in lines.
#[derive(Default)]
pub(super) struct Trace {
    pub lines: Vec<String>,
}

impl Trace {
    /// The last lines.
    pub fn tail(&self) -> Vec<String> {
        self.lines[self.lines.len().saturating_sub(TAIL)..].to_vec()
    }
}

/// A hand on the world.
#[derive(Clone)]
pub(super) struct Sim(Rc<RefCell<World>>);

impl Sim {
    pub fn new(seed: u64, mutant: Option<Mutant>, traced: bool) -> Self {
        let mut chance = Chance::new(seed);
        let begin = setting::begin(seed);
        let nodes = (0..1 + chance.below(3)).map(Node::new).collect();
        let config = SETTING.before.clone();
        let tempers = config.people.keys().map(|key| (key.clone(), Temper::any(&mut chance))).collect();
        Sim(Rc::new(RefCell::new(World {
            seed,
            mutant,
            now: begin,
            began: begin,
            silent: chance.percent(50),
            chance,
            tasks: Tasks::default(),
            nodes,
            tables: Tables::default(),
            locks: BTreeMap::new(),
            pending: BTreeMap::new(),
            unsynced: Vec::new(),
            store_up: true,
            network: Network::default(),
            config,
            tempers,
            at_work: BTreeSet::new(),
            troubled: true,
            disturbed: begin,
            healed: None,
            counters: Counters::default(),
            checks: Checks::default(),
            failure: None,
            trace: traced.then(Trace::default),
            turns: 0,
            names: 0,
        })))
    }

    /// Looks at the world, or changes it. Never while it is looked at already.
    pub fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.0.borrow_mut())
    }

    pub fn is(&self, mutant: Mutant) -> bool {
        self.with(|world| world.mutant == Some(mutant))
    }

    /// Whether, in these of ten thousand cases and while there is trouble, this fault happens now. It is counted.
    pub fn fault(&self, fault: Fault, of_10_000: u32) -> bool {
        self.with(|world| world.fault(fault, of_10_000))
    }

    pub fn say(&self, words: impl FnOnce() -> String) {
        self.with(|world| world.say(words));
    }

    /// Lets go of what is given when nothing is borrowed.
    pub fn let_go(&self, act: impl FnOnce(&mut World) -> Vec<Work>) {
        let gone = self.with(act);
        drop(gone);
    }
}

impl World {
    pub fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    pub fn fault(&mut self, fault: Fault, of_10_000: u32) -> bool {
        let happens = self.troubled && self.chance.of_10_000(of_10_000);
        if happens {
            self.counters.count(fault);
            self.say(|| format!("FAULT {fault}"));
        }
        happens
    }

    /// What this node's clock shows.
    pub fn wall(&self, node: usize) -> Time {
        self.now + self.nodes[node].clock
    }

    /// A new id, the same in every run of the seed.
    pub fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}_{:06}", self.names)
    }

    pub fn say(&mut self, words: impl FnOnce() -> String) {
        let (now, began) = (self.now, self.began);
        if let Some(trace) = &mut self.trace {
            let after = now - began;
            let (minutes, millis) = (after.num_minutes(), after.num_milliseconds() % 60_000);
            trace.lines.push(format!("{minutes:>4}:{:06.3}  {}", millis as f64 / 1000.0, words()));
        }
    }

    /// An invariant does not hold: everything stops.
    pub fn fail(&mut self, invariant: &'static str, what: String) {
        if self.failure.is_none() {
            self.say(|| format!("VIOLATED {invariant}: {what}"));
            let tail = self.trace.as_ref().map(Trace::tail).unwrap_or_default();
            let after = self.now - self.began;
            self.failure = Some(Failure { seed: self.seed, mutant: self.mutant, invariant, what, after, tail });
        }
    }

    /// The loops that wait for something due earlier than this are woken, as their look once a second would do; those
    /// of the node that wrote it, by its bell.
    pub fn ring(&mut self, by: usize, timers: Option<Time>, pages: Option<Time>) {
        for index in 0..self.nodes.len() {
            let look = if index == by { TimeDelta::zero() } else { self.chance.millis(0, 1000) };
            // A node that sleeps on its own clock hears its own bell and looks at nothing else.
            if index != by && self.mutant == Some(Mutant::SleepOnWallClock) {
                continue;
            }
            let (now, node) = (self.now, &mut self.nodes[index]);
            for (parked, due) in [(&mut node.wheel, timers), (&mut node.pager, pages)] {
                let Some(due) = due else { continue };
                let at = (due - node.clock).max(now + look);
                if let Some((ticket, until)) = parked.as_mut().filter(|(_, until)| until.is_none_or(|until| until > at))
                {
                    *until = Some(at);
                    self.tasks.wake(*ticket, at);
                }
            }
        }
    }
}
