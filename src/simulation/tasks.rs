//! Tasks that take turns on one thread, by the true time. Every wait is a place where a crash, a pause or another node
//! comes between.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use chrono::TimeDelta;

use super::{checks::liveness, world::Sim};
use crate::clock::Time;

/// More turns than any world takes that does not go round in circles.
const MOST_TURNS: u64 = 400_000;

pub(super) type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Who wants to know how a wait is ended.
type Tell = Box<dyn FnOnce(&Sim, Ticket)>;

/// Whose task it is: it dies and pauses with its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Outside,
    Node(usize),
}

/// A wait that somebody may end: of this task, and only while it is still this wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    task: u64,
    wait: u64,
}

struct Entry {
    owner: Owner,
    wait: u64,
    work: Option<Work>,
}

/// All tasks, and when each goes on.
#[derive(Default)]
pub(super) struct Tasks {
    entries: BTreeMap<u64, Entry>,
    queue: BinaryHeap<Reverse<(Time, u64, u64, u64)>>,
    last: u64,
    current: u64,
}

impl Tasks {
    fn fresh(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Goes on no later than `at`, if it still waits for this.
    pub fn wake(&mut self, ticket: Ticket, at: Time) {
        let order = self.fresh();
        self.queue.push(Reverse((at, order, ticket.task, ticket.wait)));
    }

    fn wait(&mut self) -> Ticket {
        let (task, wait) = (self.current, self.fresh());
        if let Some(entry) = self.entries.get_mut(&task) {
            entry.wait = wait;
        }
        Ticket { task, wait }
    }

    /// All tasks of a node end where they are. Whoever calls this lets them go when nothing is borrowed.
    pub fn end(&mut self, node: usize) -> Vec<Work> {
        let gone: Vec<u64> =
            self.entries.iter().filter(|(_, entry)| entry.owner == Owner::Node(node)).map(|(id, _)| *id).collect();
        gone.into_iter().filter_map(|id| self.entries.remove(&id)?.work).collect()
    }
}

/// A wait until an instant, or until somebody wakes it.
pub(super) struct Wait {
    sim: Sim,
    until: Option<Time>,
    began: bool,
    /// Is told the ticket.
    tell: Option<Tell>,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.began {
            return Poll::Ready(());
        }
        self.began = true;
        let until = self.until;
        let ticket = self.sim.with(|world| {
            let ticket = world.tasks.wait();
            if let Some(until) = until {
                let at = until.max(world.now);
                world.tasks.wake(ticket, at);
            }
            ticket
        });
        if let Some(tell) = self.tell.take() {
            tell(&self.sim, ticket);
        }
        Poll::Pending
    }
}

impl Sim {
    /// Waits so long of true time.
    pub fn sleep(&self, span: TimeDelta) -> Wait {
        let until = self.with(|world| world.now + span);
        Wait { sim: self.clone(), until: Some(until), began: false, tell: None }
    }

    /// Waits until then, or until the ticket is used.
    pub fn park(&self, until: Option<Time>, tell: impl FnOnce(&Sim, Ticket) + 'static) -> Wait {
        Wait { sim: self.clone(), until, began: false, tell: Some(Box::new(tell)) }
    }

    /// Begins a task.
    pub fn spawn(&self, owner: Owner, work: impl Future<Output = ()> + 'static) {
        let work: Work = Box::pin(work);
        self.with(|world| {
            let (id, wait) = (world.tasks.fresh(), world.tasks.fresh());
            world.tasks.entries.insert(id, Entry { owner, wait, work: Some(work) });
            let now = world.now;
            world.tasks.wake(Ticket { task: id, wait }, now);
        });
    }

    /// Runs what is due until `end`, or until something is wrong.
    pub fn run_until(&self, end: Time) {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let turn = self.with(|world| {
                let Reverse((at, order, id, wait)) = *world.tasks.queue.peek()?;
                if at > end || world.failure.is_some() {
                    return None;
                }
                world.tasks.queue.pop();
                let paused = match world.tasks.entries.get(&id) {
                    Some(Entry { owner: Owner::Node(node), .. }) => world.nodes[*node].paused_until.filter(|p| *p > at),
                    _ => None,
                };
                if let Some(until) = paused {
                    world.tasks.queue.push(Reverse((until, order, id, wait)));
                    return Some(None);
                }
                world.now = world.now.max(at);
                world.turns += 1;
                if world.turns > MOST_TURNS {
                    let what = format!("{MOST_TURNS} turns and no end: something goes round in circles");
                    world.fail(liveness::NAME, what);
                }
                let entry = world.tasks.entries.get_mut(&id).filter(|entry| entry.wait == wait);
                let work = entry.and_then(|entry| entry.work.take());
                world.tasks.current = id;
                Some(work.map(|work| (id, work)))
            });
            let Some(turn) = turn else { break };
            let Some((id, mut work)) = turn else { continue };
            let done = work.as_mut().poll(&mut context).is_ready();
            let over = self.with(|world| match world.tasks.entries.get_mut(&id) {
                Some(entry) if !done => {
                    entry.work = Some(work);
                    None
                }
                // Let go below, when nothing is borrowed.
                _ => {
                    world.tasks.entries.remove(&id);
                    Some(work)
                }
            });
            drop(over);
        }
        self.with(|world| {
            if world.failure.is_none() {
                world.now = world.now.max(end);
            }
        });
    }

    /// Nothing goes on: all tasks are let go, for they hold the world.
    pub fn stop(&self) {
        let all: Vec<Work> = self.with(|world| {
            world.tasks.queue.clear();
            std::mem::take(&mut world.tasks.entries).into_values().filter_map(|entry| entry.work).collect()
        });
        drop(all);
    }
}
