//! A node's pager: claims what is due, P1 first, asks the carriers outside of any transaction, records the outcome.

use std::rc::Rc;

use chrono::TimeDelta;

use super::{
    Mutant,
    carrier::silent,
    checks::gravest,
    disk::{Row, Write},
    node::{LEASE, Loop, Place},
    tasks::Owner,
    transaction::{Halt, Origin, Tx},
    world::Sim,
};
use crate::{
    carrier::{Accepted, Status},
    clock::Time,
    id::{AttemptId, CarrierKey},
    paging::{
        Attempt, Stage,
        answer::{self, Refusals},
        claimed::{self, Start, Task},
        dispatch::{self, Hands},
    },
    people::Channel,
    sla::{Priority, Zone},
};

/// Few, so that they are full now and then.
const HANDS: Hands = Hands { all: 6, for_p1: 2 };

/// How long a carrier has to answer.
pub(super) const ANSWER_WITHIN: TimeDelta = TimeDelta::seconds(10);

enum Job {
    Send(Vec<CarrierKey>),
    LookUp,
    Overdue,
    HangUp,
    /// It moves its page or its incident on: in a transaction of its own.
    Settle,
}

impl Sim {
    /// Claims and starts whatever is due, for ever.
    pub async fn pager(self, node: usize) {
        loop {
            let (next, now, free) = self.with(|world| {
                let one = &world.nodes[node];
                let waits = world.tables.attempts.values().filter(|row| !one.in_hand.contains_key(&row.id));
                let next = waits.filter_map(|row| row.wake_at).min();
                let least = one.in_hand.values().filter(|priority| **priority > Priority::P1).count();
                (next, world.wall(node), HANDS.free(one.in_hand.len(), least))
            });
            if next.is_none_or(|next| next > now) {
                self.rest(node, Loop::Pager, next).await;
                continue;
            }
            match self.claim(node, free).await {
                Some(0) | None => self.sleep(TimeDelta::seconds(1)).await,
                Some(_) => {}
            }
        }
    }

    async fn claim(&self, node: usize, (grave, others): (usize, usize)) -> Option<usize> {
        let jobs = self.transact(node, Origin::Claim, |tx| {
            let mut claimed = take(tx, (Priority::P1, Priority::P1), grave)?;
            let others = others.min(grave.saturating_sub(claimed.len()));
            claimed.extend(take(tx, (Priority::P2, Priority::P6), others)?);
            if tx.world.is(Mutant::OldestFirst) && claimed.is_empty() {
                claimed = take(tx, (Priority::P1, Priority::P6), grave)?;
            }
            gravest::claimed(tx, &claimed);
            let count = claimed.len();
            let mut jobs = Vec::new();
            for id in claimed {
                jobs.extend(prepare_in_batch(tx, &id)?);
            }
            Ok((count, jobs))
        });
        let (count, jobs) = jobs.await.ok()?;
        for (attempt, job) in jobs {
            self.with(|world| world.nodes[node].in_hand.insert(attempt.id.clone(), attempt.priority));
            self.spawn(Owner::Node(node), self.clone().work(node, attempt, job));
        }
        Some(count)
    }

    async fn work(self, node: usize, attempt: Attempt, job: Job) {
        self.step(node, Place::AfterClaim).await;
        let (id, claimed) = (attempt.id.clone(), attempt);
        let next = match job {
            Job::Settle => self.settle(node, &claimed).await,
            job => Some((claimed, job)),
        };
        if let Some((attempt, job)) = next {
            self.carry_out(node, attempt, job).await;
        }
        self.with(|world| {
            world.nodes[node].in_hand.remove(&id);
            let now = world.now;
            if let Some((ticket, _)) = world.nodes[node].pager {
                world.tasks.wake(ticket, now);
            }
        });
    }

    async fn carry_out(&self, node: usize, attempt: Attempt, job: Job) {
        match job {
            Job::Send(carriers) => self.send(node, &attempt, &carriers).await,
            Job::LookUp => self.look_up(node, &attempt).await,
            Job::Overdue => {
                let known = self.found(&attempt).await.map(|(_, accepted)| accepted);
                self.finish(node, &attempt, |attempt, now| attempt.overdue(known.as_ref(), now)).await;
            }
            Job::HangUp => {
                let known = match (&attempt.carrier, &attempt.sid) {
                    (Some(key), Some(sid)) => Some((key.clone(), sid.clone())),
                    _ => self.found(&attempt).await.map(|(key, accepted)| (key, accepted.sid)),
                };
                let error = match known {
                    Some((key, sid)) => self.ask_to_hang_up(&key, &sid).await,
                    None => None,
                };
                self.finish(node, &attempt, |attempt, now| answer::hung_up(attempt, error, now)).await;
            }
            Job::Settle => {}
        }
    }

    /// Looks at it again, its incident and then itself locked, and lets its page go on.
    async fn settle(&self, node: usize, claimed: &Attempt) -> Option<(Attempt, Job)> {
        let origin = Origin::Finish(claimed.id.clone(), claimed.leased_by.clone(), claimed.tries);
        let settled = self.transact(node, origin, |tx| {
            let current = tx.attempt_in_order(&claimed.id)?;
            let Some(current) = current.filter(|current| answer::held(claimed, current)) else { return Ok(None) };
            let before = current.outcome;
            let Prepared { attempt, job, text } = prepare(tx, current)?;
            if let Some(text) = text {
                tx.insert(*text)?;
            }
            tx.keep(&attempt, before)?;
            Ok(job.map(|job| (attempt, job)))
        });
        settled.await.ok().flatten()
    }

    async fn send(&self, node: usize, claimed: &Attempt, carriers: &[CarrierKey]) {
        let mut until = claimed.wake_at.unwrap_or(claimed.created_at);
        let mut refusals = Refusals::default();
        for (place, key) in carriers.iter().enumerate() {
            if place > 0 {
                until = self.with(|world| world.wall(node)) + LEASE;
                let turn = |attempt: &mut Attempt, now: Time| answer::turn_to(attempt, key, until, now);
                if self.fenced(node, claimed, turn).await != Some(true) {
                    return;
                }
            }
            // As the service does: whoever stood still for longer than the lease has lost it, and asks nobody.
            if self.with(|world| world.wall(node)) >= until {
                return;
            }
            let mut answer = self.ask(key, claimed).await;
            if self.with(|world| world.wall(node)) >= until {
                answer = Err(silent());
            }
            self.step(node, Place::AfterTaken).await;
            self.with(|world| {
                let (now, class) = (world.wall(node), answer.as_ref().err().map(|error| error.class));
                world.nodes[node].breakers.entry(key.clone()).or_default().heard(class, now);
            });
            match answer {
                Ok(accepted) => {
                    return self.finish(node, claimed, |attempt, now| attempt.accept(key, &accepted, now)).await;
                }
                Err(error) => {
                    if refusals.heard(error) {
                        break;
                    }
                }
            }
        }
        let error = refusals.last_word();
        self.finish(node, claimed, |attempt, now| attempt.refuse(&error, now)).await;
    }

    async fn look_up(&self, node: usize, claimed: &Attempt) {
        if !self.is(Mutant::ResendWithoutLookUp)
            && let Some((key, accepted)) = self.found(claimed).await
        {
            return self.finish(node, claimed, |attempt, now| attempt.accept(&key, &accepted, now)).await;
        }
        let (carriers, until) = self.with(|world| {
            let now = world.wall(node);
            (world.carriers(node, claimed, now), now + LEASE)
        });
        let again = |attempt: &mut Attempt, now: Time| answer::not_found(attempt, &carriers, until, now);
        if self.fenced(node, claimed, again).await == Some(true) {
            // One carrier a time: the others are asked when this one is clear.
            let renewed = Attempt { wake_at: Some(until), ..claimed.clone() };
            self.send(node, &renewed, &carriers[..1]).await;
        }
    }

    async fn found(&self, attempt: &Attempt) -> Option<(CarrierKey, Accepted)> {
        let key = attempt.carrier.clone()?;
        let accepted = self.ask_for(&key, attempt).await?;
        Some((key, accepted))
    }

    /// The last word on a claim: changes the row as it is now and gives the lease back.
    async fn finish(&self, node: usize, claimed: &Attempt, mut change: impl FnMut(&mut Attempt, Time)) {
        let last = |attempt: &mut Attempt, now: Time| {
            change(attempt, now);
            attempt.leased_by = None;
            true
        };
        self.fenced(node, claimed, last).await;
    }

    /// Changes the row as it is now, if the claim still holds. `None`: it does not, or the database did not take it;
    /// the lease runs out, and it is looked up then.
    async fn fenced(
        &self,
        node: usize,
        claimed: &Attempt,
        mut change: impl FnMut(&mut Attempt, Time) -> bool,
    ) -> Option<bool> {
        let origin = Origin::Finish(claimed.id.clone(), claimed.leased_by.clone(), claimed.tries);
        let done = self.transact(node, origin, |tx| {
            let unfenced = tx.world.is(Mutant::LeaseWithoutFence);
            let current = tx.attempt_in_order(&claimed.id)?;
            let Some(mut attempt) = current.filter(|current| answer::held(claimed, current) || unfenced) else {
                return Ok(None);
            };
            let before = attempt.outcome;
            let now = tx.now;
            let said = change(&mut attempt, now);
            Ok(tx.keep(&attempt, before)?.then_some(said))
        });
        let done = done.await;
        if done.is_err() {
            // Whether it was taken is known to nobody now.
            self.with(|world| world.network.excuse(&claimed.id));
        }
        done.ok().flatten()
    }
}

/// Leases what is due, gravest first.
fn take(tx: &mut Tx<'_>, (gravest, least): (Priority, Priority), limit: usize) -> Result<Vec<AttemptId>, Halt> {
    let (now, name) = (tx.now, tx.world.nodes[tx.node].name());
    let in_hand = &tx.world.nodes[tx.node].in_hand;
    let rows = tx.world.tables.attempts.values();
    let mut due: Vec<Rc<Attempt>> = rows
        .filter(|row| row.wake_at.is_some_and(|at| at <= now) && !in_hand.contains_key(&row.id))
        .filter(|row| (gravest..=least).contains(&row.priority) && !tx.is_locked(&Row::Attempt(row.id.clone())))
        .cloned()
        .collect();
    if tx.world.is(Mutant::OldestFirst) {
        // The planted bug: nobody is let in before anybody.
        let all = gravest == Priority::P1 && least == Priority::P6;
        if !all {
            return Ok(Vec::new());
        }
        due.sort_by_key(|row| (row.wake_at, row.id.clone()));
    } else {
        due.sort_by_key(|row| (row.priority, row.wake_at, row.id.clone()));
    }
    due.truncate(limit);
    let mut claimed = due;
    if !tx.world.is(Mutant::OldestFirst) {
        claimed.sort_by_key(|row| (row.priority, row.created_at, row.position));
    }
    let clocks_differ = tx.world.nodes.iter().any(|node| !node.clock.is_zero());
    for row in &claimed {
        if row.leased_by.is_some() && clocks_differ {
            // By the clock of whoever takes it over the lease has ended; by its holder's it may not have.
            tx.world.network.excuse(&row.id);
        }
        let mut attempt = Attempt::clone(row);
        (attempt.wake_at, attempt.leased_by) = (Some(now + LEASE), Some(name.clone()));
        attempt.tries += 1;
        tx.put(Write::Attempt(attempt.id.clone(), Some(Rc::new(attempt))))?;
    }
    Ok(claimed.iter().map(|row| row.id.clone()).collect())
}

/// An attempt as it is to be written down.
struct Prepared {
    attempt: Attempt,
    job: Option<Job>,
    text: Option<Box<Attempt>>,
}

/// Writes down what is done for one of a batch. An attempt that is to be settled stays as it was claimed.
fn prepare_in_batch(tx: &mut Tx<'_>, id: &AttemptId) -> Result<Option<(Attempt, Job)>, Halt> {
    let Some(claimed) = tx.attempt(id)? else { return Ok(None) };
    let before = claimed.outcome;
    let prepared = prepare(tx, claimed.clone())?;
    if prepared.attempt.outcome != before || prepared.text.is_some() {
        return Ok(Some((claimed, Job::Settle)));
    }
    tx.keep(&prepared.attempt, before)?;
    Ok(prepared.job.map(|job| (prepared.attempt, job)))
}

/// What to do for an attempt that is due; the row says so before anybody does.
fn prepare(tx: &mut Tx<'_>, mut attempt: Attempt) -> Result<Prepared, Halt> {
    let now = tx.now;
    let (job, text) = match claimed::task(&mut attempt, now) {
        Task::Nothing => (None, None),
        Task::Send => first_send(tx, &mut attempt)?,
        Task::LookUp => (Some(Job::LookUp), None),
        Task::Overdue => (Some(Job::Overdue), None),
        Task::HangUp => (Some(Job::HangUp), None),
    };
    if job.is_none() {
        attempt.leased_by = None;
    }
    if tx.world.is(Mutant::MarkSentBeforeSending) && matches!(job, Some(Job::Send(_))) {
        // The planted bug: the row says that it was taken, and the carrier is asked afterwards.
        attempt.stage = Stage::Sent;
        attempt.status = Some(Status::Queued);
        attempt.wake_at = Some(now + crate::paging::attempt::RECEIPT_PATIENCE);
    }
    Ok(Prepared { attempt, job, text })
}

/// What is sent now, and a text that goes instead.
type First = (Option<Job>, Option<Box<Attempt>>);

fn first_send(tx: &mut Tx<'_>, attempt: &mut Attempt) -> Result<First, Halt> {
    let now = tx.now;
    let refuses = tx.world.tables.refuses.get(&format!("texts to {}", attempt.address.as_str()));
    if attempt.channel == Channel::Sms && refuses == Some(&true) {
        claimed::refused_texts(attempt, now);
        return Ok((None, None));
    }
    let way = way(tx, attempt);
    let config = tx.config.clone();
    let person = attempt.person.as_ref().and_then(|key| config.people.get(key));
    let zone = person.map_or_else(Zone::utc, |person| person.zone.clone());
    let carriers = tx.world.carriers(tx.node, attempt, now);
    if tx.world.is(Mutant::DropWhenCarrierDown) && tx.world.nodes[tx.node].breakers.values().any(|one| !one.allows(now))
    {
        attempt.end(crate::paging::Outcome::Unreachable, now);
        return Ok((None, None));
    }
    Ok(match claimed::start(attempt, way, &carriers, &zone, now) {
        Start::Ask => {
            let breakers = &mut tx.world.nodes[tx.node].breakers;
            breakers.entry(carriers[0].clone()).or_default().asked(now);
            (Some(Job::Send(carriers)), None)
        }
        Start::Throttled { text, .. } => (None, text),
        Start::NoCarrier => (None, None),
    })
}

fn way(tx: &Tx<'_>, attempt: &Attempt) -> dispatch::Way {
    let (limits, now) = (&tx.config.carriers.limits, tx.now);
    let recent = |channel: Channel, address: &crate::people::E164| -> Vec<Time> {
        let rows = tx.world.tables.attempts.values();
        let same = rows.filter(|row| row.channel == channel && row.address == *address && row.id != attempt.id);
        same.filter_map(|row| row.sent_at).filter(|at| *at > now - TimeDelta::hours(1)).collect()
    };
    let free = limits.free_at(attempt.channel, &recent(attempt.channel, &attempt.address), now);
    if free <= now {
        return dispatch::Way::Planned;
    }
    let page: Vec<Attempt> = match &attempt.page {
        Some(page) => tx.world.tables.of_page(page).iter().map(|row| Attempt::clone(row)).collect(),
        None => Vec::new(),
    };
    let person = attempt.person.as_ref().and_then(|key| tx.config.people.get(key));
    let lines = person.map(|person| dispatch::other_lines(attempt, person, &page)).unwrap_or_default();
    let others: Vec<_> = lines
        .into_iter()
        .map(|(channel, address)| {
            let free = limits.free_at(channel, &recent(channel, &address), now);
            (channel, address, free)
        })
        .collect();
    dispatch::way(attempt, free, &others, dispatch::texted(&page, now), now)
}
