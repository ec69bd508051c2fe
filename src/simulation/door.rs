//! A request to a node, from outside: it may be down, die over it, or answer into the void.

use std::{cell::RefCell, future::Future, rc::Rc};

use chrono::TimeDelta;

use super::{
    faults::Fault,
    tasks::{Owner, Ticket},
    transaction::{Halt, Origin, Trouble, Tx},
    world::Sim,
};

/// How long a client waits for an answer.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

struct Line<T> {
    answer: Option<T>,
    waits: Option<Ticket>,
}

impl Sim {
    /// Has a node do something; `None` when no answer came.
    pub async fn ask_node<T: 'static>(&self, node: usize, work: impl Future<Output = T> + 'static) -> Option<T> {
        self.sleep(self.with(|world| world.chance.millis(1, 40))).await;
        if !self.with(|world| world.nodes[node].up) {
            self.with(|world| world.counters.count(Fault::NodeDown));
            return None;
        }
        let line = Rc::new(RefCell::new(Line { answer: None, waits: None }));
        let (sim, theirs) = (self.clone(), line.clone());
        self.spawn(Owner::Node(node), async move {
            let answer = work.await;
            theirs.borrow_mut().answer = Some(answer);
            if let Some(ticket) = theirs.borrow().waits {
                sim.with(|world| {
                    let at = world.now + world.chance.millis(1, 20);
                    world.tasks.wake(ticket, at);
                });
            }
        });
        let (until, ours) = (self.with(|world| world.now + PATIENCE), line.clone());
        self.park(Some(until), move |_, ticket| ours.borrow_mut().waits = Some(ticket)).await;
        let answer = line.borrow_mut().answer.take();
        answer.filter(|_| !self.fault(Fault::AnswerLost, 150))
    }

    /// One transaction on any node, asked for again until it is answered, so many times. True: it was answered well.
    pub async fn insist(
        &self,
        origin: Origin,
        times: usize,
        body: impl Fn(&mut Tx<'_>) -> Result<(), Halt> + Clone + 'static,
    ) -> bool {
        for _ in 0..times {
            let node = self.any_node();
            let (sim, origin, body) = (self.clone(), origin.clone(), body.clone());
            let work = async move { sim.transact(node, origin, body).await };
            match self.ask_node(node, work).await {
                Some(Ok(())) => return true,
                Some(Err(Trouble::Refused)) => return false,
                Some(Err(Trouble::Store)) | None => {
                    self.sleep(self.with(|world| world.chance.seconds(1, 12))).await;
                }
            }
        }
        false
    }

    pub fn any_node(&self) -> usize {
        self.with(|world| world.chance.below(world.nodes.len()))
    }
}
