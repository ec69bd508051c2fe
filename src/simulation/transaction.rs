//! Transactions: rows locked from the first look to the end, and a commit that may fail, or be made without anybody
//! knowing.

use std::{collections::BTreeSet, rc::Rc, sync::Arc};

use chrono::TimeDelta;

use super::{
    Mutant,
    checks::{Change, Commit},
    disk::{Row, Timer, Write},
    faults::Fault,
    node::Place,
    world::{Sim, World},
};
use crate::{
    clock::Time,
    config::Config,
    id::{AttemptId, IncidentId, PersonKey},
    incident::Refusal,
    paging::Attempt,
};

/// Whose doing a transaction is: the truth, which the product does not know.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Origin {
    /// A person's own act.
    Human(PersonKey),
    Customer,
    /// A sender's request.
    Monitoring,
    Timer,
    /// A pager took attempts in hand.
    Claim,
    /// A pager writes down what became of a claim: of this attempt, by this holder, at this try.
    Finish(AttemptId, Option<String>, i64),
    /// A carrier said something; no human did.
    Carrier,
}

/// Why a body of a transaction stops.
#[derive(Debug)]
pub(super) enum Halt {
    /// A row is another's.
    Blocked,
    Refused(Refusal),
}

/// Why a transaction has no result.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The core refused it; nothing was written.
    Refused,
    /// The database did not take it; or did, and nobody knows.
    Store,
}

/// An open transaction.
pub(super) struct Tx<'a> {
    pub world: &'a mut World,
    pub node: usize,
    /// What the node's clock shows.
    pub now: Time,
    pub config: Arc<Config>,
    me: u64,
    undo: Vec<Write>,
    rows: BTreeSet<Row>,
    late: Vec<(IncidentId, Option<Timer>)>,
}

enum Tried<T> {
    Down,
    Blocked,
    Again,
    Refused,
    Read(T),
    Open(u64, T, Vec<(IncidentId, Option<Timer>)>),
}

impl Tx<'_> {
    /// Takes a row until the end.
    pub fn lock(&mut self, row: Row) -> Result<(), Halt> {
        if self.world.locks.get(&row).is_some_and(|holder| *holder != self.me) {
            return Err(Halt::Blocked);
        }
        self.rows.insert(row);
        Ok(())
    }

    /// Whether another transaction has it.
    pub fn is_locked(&self, row: &Row) -> bool {
        self.world.locks.get(row).is_some_and(|holder| *holder != self.me)
    }

    pub fn put(&mut self, write: Write) -> Result<(), Halt> {
        self.lock(write.row())?;
        let before = self.world.tables.put(write);
        self.undo.push(before);
        Ok(())
    }

    /// When an incident is looked at again.
    pub fn set_timer(&mut self, id: &IncidentId, timer: Option<Timer>) -> Result<(), Halt> {
        if self.world.is(Mutant::TimerOutsideTransaction) {
            self.late.push((id.clone(), timer));
            return Ok(());
        }
        self.put(Write::Timer(id.clone(), timer))
    }

    /// The attempt, locked.
    pub fn attempt(&mut self, id: &AttemptId) -> Result<Option<Attempt>, Halt> {
        self.lock(Row::Attempt(id.clone()))?;
        Ok(self.world.tables.attempts.get(id).map(|row| Attempt::clone(row)))
    }

    /// A new row. Its id is made anew, so that the same seed gives the same.
    pub fn insert(&mut self, mut attempt: Attempt) -> Result<(), Halt> {
        attempt.id = self.world.name("att").into();
        self.put(Write::Attempt(attempt.id.clone(), Some(Rc::new(attempt))))
    }

    /// Writes back what changed; false when somebody claimed it since.
    pub fn save(&mut self, attempt: &Attempt) -> Result<bool, Halt> {
        let current = self.world.tables.attempts.get(&attempt.id).map(|row| row.tries);
        if current != Some(attempt.tries) && !self.world.is(Mutant::LeaseWithoutFence) {
            return Ok(false);
        }
        self.put(Write::Attempt(attempt.id.clone(), Some(Rc::new(attempt.clone()))))?;
        Ok(true)
    }
}

/// Runs the body. Nobody sees what it wrote until it is committed.
fn open<T>(
    world: &mut World,
    node: usize,
    origin: &Origin,
    body: &mut impl FnMut(&mut Tx<'_>) -> Result<T, Halt>,
) -> Tried<T> {
    if !world.store_up {
        world.counters.count(Fault::StoreDown);
        return Tried::Down;
    }
    let me = world.name("tx")[3..].parse().unwrap_or(0);
    let (now, config) = (world.wall(node), world.config.clone());
    let (undo, rows, late) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut tx = Tx { world, node, now, config, me, undo, rows, late };
    let result = body(&mut tx);
    let Tx { undo, rows, late, .. } = tx;
    let mut redo: Vec<Write> = Vec::with_capacity(undo.len());
    for before in undo.into_iter().rev() {
        let after = world.tables.put(before);
        if !redo.iter().any(|other| other.row() == after.row()) {
            redo.push(after);
        }
    }
    match result {
        Err(Halt::Blocked) => Tried::Blocked,
        Err(Halt::Refused(_)) => Tried::Refused,
        Ok(_) if world.fault(Fault::Conflict, 40) => Tried::Again,
        Ok(value) if redo.is_empty() && late.is_empty() => Tried::Read(value),
        Ok(value) => {
            redo.reverse();
            world.locks.extend(rows.into_iter().map(|row| (row, me)));
            world.pending.insert(me, (node, origin.clone(), redo));
            Tried::Open(me, value, late)
        }
    }
}

impl Sim {
    /// One transaction of a node, begun anew where another was faster. When it returns, the result is durable.
    pub async fn transact<T>(
        &self,
        node: usize,
        origin: Origin,
        mut body: impl FnMut(&mut Tx<'_>) -> Result<T, Halt>,
    ) -> Result<T, Trouble> {
        let mut waited = 0;
        loop {
            self.sleep(self.with(|world| world.chance.millis(0, 2))).await;
            match self.with(|world| open(world, node, &origin, &mut body)) {
                Tried::Down => return Err(Trouble::Store),
                Tried::Refused => return Err(Trouble::Refused),
                Tried::Read(value) => return Ok(value),
                Tried::Blocked => {
                    waited += 1;
                    self.with(|world| world.counters.count(Fault::LockWait));
                    // In steps that grow: whoever holds it may be paused.
                    self.sleep(TimeDelta::milliseconds(5 * waited.min(60))).await;
                }
                Tried::Again => {}
                Tried::Open(tx, value, late) => {
                    self.step(node, Place::BeforeCommit).await;
                    let made = self.with(|world| commit(world, tx));
                    if !made {
                        return Err(Trouble::Store);
                    }
                    if !late.is_empty() {
                        self.set_late(node, late).await?;
                    }
                    self.step(node, Place::AfterCommit).await;
                    return Ok(value);
                }
            }
        }
    }

    /// The planted bug: the timers follow in a transaction of their own.
    async fn set_late(&self, node: usize, late: Vec<(IncidentId, Option<Timer>)>) -> Result<(), Trouble> {
        self.step(node, Place::AfterCommit).await;
        self.with(|world| {
            let writes = late.into_iter().map(|(id, timer)| Write::Timer(id, timer)).collect();
            world.apply(node, &Origin::Timer, writes);
        });
        Ok(())
    }
}

fn commit(world: &mut World, tx: u64) -> bool {
    let Some((node, origin, writes)) = world.pending.remove(&tx) else { return false };
    world.locks.retain(|_, holder| *holder != tx);
    if world.fault(Fault::CommitFails, 30) {
        return false;
    }
    let unknown = world.fault(Fault::CommitUnknown, 30);
    world.apply(node, &origin, writes);
    !unknown
}

impl World {
    /// It is committed: everybody sees it from now on.
    pub fn apply(&mut self, node: usize, origin: &Origin, writes: Vec<Write>) {
        let (mut timers, mut pages) = (None, None);
        let mut changes = Vec::new();
        let mut undo = Vec::new();
        let sooner = |known: Option<Time>, other: Time| Some(known.map_or(other, |known| known.min(other)));
        for write in writes {
            match &write {
                Write::Timer(_, Some(timer)) => timers = sooner(timers, timer.wake_at),
                Write::Attempt(_, Some(attempt)) => {
                    if let Some(at) = attempt.wake_at {
                        pages = sooner(pages, at);
                    }
                }
                _ => {}
            }
            let change = match &write {
                Write::Book(id, Some(after)) => Some(Change::Book(self.tables.books.get(id).cloned(), after.clone())),
                Write::Attempt(id, Some(after)) => {
                    Some(Change::Attempt(self.tables.attempts.get(id).cloned(), after.clone()))
                }
                _ => None,
            };
            changes.extend(change);
            undo.push(self.tables.put(write));
        }
        undo.reverse();
        if self.is(Mutant::CommitBeforeSync) {
            self.unsynced.push(undo);
        }
        let commit = Commit { node, origin: origin.clone(), changes };
        self.say(|| commit.words());
        let mut checks = std::mem::take(&mut self.checks);
        let found = checks.committed(&commit, self);
        self.checks = checks;
        if let Err((invariant, what)) = found {
            self.fail(invariant, what);
        }
        self.ring(node, timers, pages);
    }

    /// The database crashes: what is not on the disk is gone, and so is every transaction that is open. Of some whose
    /// commit was under way, the last word had reached the disk.
    pub fn store_crash(&mut self) {
        self.store_up = false;
        for undo in std::mem::take(&mut self.unsynced).into_iter().rev() {
            for write in undo {
                self.tables.put(write);
            }
        }
        for (_, (node, origin, writes)) in std::mem::take(&mut self.pending) {
            if self.chance.percent(30) {
                self.counters.count(Fault::CommitUnknown);
                self.apply(node, &origin, writes);
            }
        }
        self.locks.clear();
    }
}
