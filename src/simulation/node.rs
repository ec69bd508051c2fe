//! A node: its clock, its wheel, and the ways in which it dies, stands still and comes back.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use chrono::TimeDelta;

use super::{
    Mutant,
    disk::{Row, Timer, Write},
    faults::Fault,
    tasks::{Owner, Ticket},
    transaction::{Halt, Origin, Trouble},
    world::{Sim, World},
};
use crate::{
    clock::Time,
    id::{AttemptId, CarrierKey, IncidentId},
    incident::{Command, Refusal},
    paging::{Attempt, breaker::Breaker},
    sla::Priority,
};

/// How long a claim lasts, as the settings have it unless they are told otherwise.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(15);

/// Timers claimed at a time, and carried out in one transaction.
const BATCH: usize = 1000;
const TOGETHER: usize = 25;

/// A process.
pub(super) struct Node {
    pub index: usize,
    pub up: bool,
    /// How far its clock is from the truth.
    pub clock: TimeDelta,
    pub paused_until: Option<Time>,
    /// Which of its lives this is; with it, its name in the leases.
    pub life: u32,
    /// The attempts in hand, and their priorities.
    pub in_hand: BTreeMap<AttemptId, Priority>,
    pub breakers: BTreeMap<CarrierKey, Breaker>,
    /// Its loops while they wait: how to wake them, and until when they wait otherwise.
    pub wheel: Option<(Ticket, Option<Time>)>,
    pub pager: Option<(Ticket, Option<Time>)>,
}

impl Node {
    pub fn new(index: usize) -> Self {
        Node {
            index,
            up: true,
            clock: TimeDelta::zero(),
            paused_until: None,
            life: 0,
            in_hand: BTreeMap::new(),
            breakers: BTreeMap::new(),
            wheel: None,
            pager: None,
        }
    }

    /// Its name in the leases.
    pub fn name(&self) -> String {
        format!("nod_{}.{}", self.index, self.life)
    }
}

/// Where a node is when something happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    BeforeCommit,
    AfterCommit,
    AfterClaim,
    AfterTaken,
}

impl Place {
    fn faults(self) -> (Fault, Fault) {
        match self {
            Place::BeforeCommit => (Fault::CrashBeforeCommit, Fault::PauseBeforeCommit),
            Place::AfterCommit => (Fault::CrashAfterCommit, Fault::PauseAfterCommit),
            Place::AfterClaim => (Fault::CrashAfterClaim, Fault::PauseAfterClaim),
            Place::AfterTaken => (Fault::CrashAfterTaken, Fault::PauseAfterTaken),
        }
    }
}

/// Which loop of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loop {
    Wheel,
    Pager,
}

impl Sim {
    /// A step of a node takes a moment, and may be its last.
    pub async fn step(&self, node: usize, place: Place) {
        let (crash, pause) = place.faults();
        if self.fault(crash, 35) {
            self.crash(node);
        } else if self.fault(pause, 35) {
            self.with(|world| world.pause(node));
        }
        self.sleep(self.with(|world| world.chance.millis(1, 6))).await;
    }

    /// Killed: whatever it was doing ends where it is. It comes back after a while.
    pub fn crash(&self, node: usize) {
        self.let_go(|world| world.crash(node));
        let sim = self.clone();
        self.spawn(Owner::Outside, async move {
            sim.sleep(sim.with(|world| world.chance.seconds(1, 90))).await;
            sim.boot(node);
        });
    }

    /// Starts the process.
    pub fn boot(&self, node: usize) {
        let up = self.with(|world| {
            let one = &mut world.nodes[node];
            let was_down = !one.up;
            one.up = true;
            world.disturbed = world.disturbed.max(world.now);
            if was_down {
                world.counters.count(Fault::Restart);
                world.say(|| format!("node {node} starts"));
            }
            was_down || world.nodes[node].life == 0
        });
        if up {
            self.spawn(Owner::Node(node), self.clone().wheel(node));
            self.spawn(Owner::Node(node), self.clone().pager(node));
        }
    }

    /// Waits until the node's clock shows `next`, or its bell rings. It looks once a second besides: what it would then
    /// find wakes it (see [`World::ring`]), and otherwise nothing is there to be found.
    pub async fn rest(&self, node: usize, which: Loop, next: Option<Time>) {
        let until = self.with(|world| next.map(|next| (next - world.nodes[node].clock).max(world.now)));
        let told = move |sim: &Sim, ticket| {
            sim.with(|world| {
                let one = &mut world.nodes[node];
                match which {
                    Loop::Wheel => one.wheel = Some((ticket, until)),
                    Loop::Pager => one.pager = Some((ticket, until)),
                }
            });
        };
        self.park(until, told).await;
        self.with(|world| match which {
            Loop::Wheel => world.nodes[node].wheel = None,
            Loop::Pager => world.nodes[node].pager = None,
        });
    }

    /// Carries out what is due, for ever.
    async fn wheel(self, node: usize) {
        self.release(node).await;
        loop {
            let (next, now) = self.with(|world| {
                let next = world.tables.timers.values().map(|timer| timer.wake_at).min();
                (next, world.wall(node))
            });
            if next.is_none_or(|next| next > now) {
                self.rest(node, Loop::Wheel, next).await;
                continue;
            }
            let claimed = self.transact(node, Origin::Claim, |tx| {
                let now = tx.now;
                let mut due: Vec<(IncidentId, Timer)> = tx
                    .world
                    .tables
                    .timers
                    .iter()
                    .filter(|(id, timer)| timer.wake_at <= now && !tx.is_locked(&Row::Timer((*id).clone())))
                    .map(|(id, timer)| (id.clone(), *timer))
                    .collect();
                due.sort_by_key(|(_, timer)| timer.wake_at);
                due.truncate(BATCH);
                for (id, timer) in &due {
                    tx.put(Write::Timer(id.clone(), Some(Timer { wake_at: now + LEASE, ..*timer })))?;
                }
                Ok(due)
            });
            let Ok(mut claimed) = claimed.await else {
                self.sleep(TimeDelta::seconds(1)).await;
                continue;
            };
            if claimed.is_empty() {
                self.sleep(TimeDelta::seconds(1)).await;
            }
            claimed.sort_by_key(|(_, timer)| timer.due_at);
            for together in claimed.chunks(TOGETHER) {
                if self.fire(node, together).await.is_err() {
                    for timer in together {
                        let _ = self.fire(node, std::slice::from_ref(timer)).await;
                    }
                }
            }
        }
    }

    async fn fire(&self, node: usize, timers: &[(IncidentId, Timer)]) -> Result<(), Trouble> {
        self.transact(node, Origin::Timer, |tx| {
            for (id, _) in timers {
                match tx.execute(id, &Command::TimerFired) {
                    Ok(_) | Err(Halt::Refused(Refusal::Closed | Refusal::Unknown)) => {}
                    Err(halt) => return Err(halt),
                }
            }
            Ok(())
        })
        .await
    }

    /// The only node of a database gives back at its start what its earlier life had claimed.
    async fn release(&self, node: usize) {
        if self.with(|world| world.nodes.len() > 1) {
            return;
        }
        let _ = self
            .transact(node, Origin::Claim, |tx| {
                let timers: Vec<(IncidentId, Timer)> =
                    tx.world.tables.timers.iter().map(|(id, timer)| (id.clone(), *timer)).collect();
                for (id, timer) in timers.into_iter().filter(|(_, timer)| timer.wake_at > timer.due_at) {
                    tx.put(Write::Timer(id, Some(Timer { wake_at: timer.due_at, ..timer })))?;
                }
                let leased: Vec<_> =
                    tx.world.tables.attempts.values().filter(|row| row.leased_by.is_some()).cloned().collect();
                for row in leased {
                    let mut attempt = Attempt::clone(&row);
                    (attempt.wake_at, attempt.leased_by) = (Some(tx.now), None);
                    tx.put(Write::Attempt(attempt.id.clone(), Some(Rc::new(attempt))))?;
                }
                Ok(())
            })
            .await;
    }
}

impl World {
    fn crash(&mut self, node: usize) -> Vec<super::tasks::Work> {
        self.say(|| format!("node {node} is killed"));
        let one = &mut self.nodes[node];
        let held = one.name();
        one.up = false;
        one.life += 1;
        one.paused_until = None;
        (one.wheel, one.pager) = (None, None);
        one.breakers.clear();
        one.in_hand.clear();
        self.excuse_leased(&held, node);
        // The database sees the connection end: of some, the commit had reached it.
        let open: Vec<u64> = self.pending.iter().filter(|(_, (by, ..))| *by == node).map(|(tx, _)| *tx).collect();
        for tx in open {
            self.locks.retain(|_, holder| *holder != tx);
            let Some((_, origin, writes)) = self.pending.remove(&tx) else { continue };
            if self.chance.percent(30) {
                self.counters.count(Fault::CommitUnknown);
                self.apply(node, &origin, writes);
            }
        }
        self.tasks.end(node)
    }

    /// What a node has leased, or is about to, may go out once more: whoever takes it over cannot know how far it was.
    fn excuse_leased(&mut self, name: &str, node: usize) {
        let theirs = |row: &Rc<Attempt>| row.leased_by.as_deref() == Some(name);
        let about = self.pending.values().filter(|(by, ..)| *by == node).flat_map(|(_, _, writes)| writes);
        let about = about.filter_map(|write| match write {
            Write::Attempt(_, Some(row)) => Some(row),
            _ => None,
        });
        let held: BTreeSet<AttemptId> =
            self.tables.attempts.values().chain(about).filter(|row| theirs(row)).map(|row| row.id.clone()).collect();
        held.iter().for_each(|attempt| self.network.excuse(attempt));
    }

    /// Stopped where it is, for seconds or for much longer than a lease; all of it goes on then.
    pub fn pause(&mut self, node: usize) {
        let span = if self.chance.percent(60) { self.chance.seconds(1, 12) } else { self.chance.seconds(16, 120) };
        if span > LEASE {
            self.counters.count(Fault::PausePastLease);
            let held = self.nodes[node].name();
            self.excuse_leased(&held, node);
        }
        self.say(|| format!("node {node} is paused for {} s", span.num_seconds()));
        let until = self.now + span;
        self.disturbed = self.disturbed.max(until);
        let one = &mut self.nodes[node];
        one.paused_until = Some(one.paused_until.map_or(until, |before| before.max(until)));
    }

    /// A node's clock is put elsewhere; its loops, which look once a second, notice.
    pub fn set_clock(&mut self, node: usize, clock: TimeDelta) {
        self.nodes[node].clock = clock;
        self.disturbed = self.disturbed.max(self.now);
        self.say(|| format!("node {node}'s clock is {} ms off", clock.num_milliseconds()));
        if self.is(Mutant::SleepOnWallClock) {
            return;
        }
        let look = self.chance.millis(0, 1000);
        let (at, one) = (self.now + look, &self.nodes[node]);
        for (ticket, _) in one.wheel.into_iter().chain(one.pager) {
            self.tasks.wake(ticket, at);
        }
    }
}
