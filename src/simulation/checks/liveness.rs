//! Once the faults are over, everything that is due is done in bounded time, and nobody is forgotten.

use chrono::TimeDelta;

use super::{
    super::{CALM, transaction::Origin, world::World},
    Commit,
};
use crate::{
    escalation::Ladder,
    id::PageId,
    incident::{Event, Incident, agenda},
    paging::Stage,
};

pub(in crate::simulation) const NAME: &str = "after the faults everything due is done, and the ladder is climbed";

/// How long anything due may lie: a lease that a dead node left, and the look once a second.
const SLACK: TimeDelta = TimeDelta::seconds(20);

/// How long a timer may lie among failing commits, and how long machines in order take to make good for what they missed.
const IN_ORDER: TimeDelta = TimeDelta::seconds(60);

/// How long a restart, a pause and what was late already take.
const HEALING: TimeDelta = TimeDelta::minutes(4);

/// In the calm, nothing lies long after it is due; nor does a timer before that, while the machines are in order.
pub(super) fn committed(commit: &Commit, world: &World) -> Result<(), String> {
    let calm = world.healed.is_some_and(|healed| world.now > healed + HEALING);
    let slack = match calm {
        true => SLACK,
        // What a clock that is minutes off writes down is due when nobody else would say so.
        false if world.now > world.disturbed + IN_ORDER && clocks_agree(world) => IN_ORDER,
        false => return Ok(()),
    };
    let late = world.now - slack;
    if commit.origin == Origin::Timer {
        for (before, book, news) in commit.books() {
            let due = before.and_then(|before| agenda::next(&before.incident)).filter(|_| !news.is_empty());
            if let Some((at, what)) = due.filter(|(at, _)| *at < late) {
                return Err(format!("{}: {what:?} was due {} s ago", book.incident.id, (world.now - at).num_seconds()));
            }
        }
    }
    if calm && commit.origin == Origin::Claim {
        for (before, after) in commit.attempts() {
            let at = before.and_then(|before| before.wake_at).filter(|_| after.tries > 0);
            if let Some(at) = at.filter(|at| *at < late) {
                return Err(format!("{} was due {} s ago", after.id, (world.now - at).num_seconds()));
            }
        }
    }
    Ok(())
}

fn clocks_agree(world: &World) -> bool {
    world.nodes.iter().all(|node| node.clock.abs() < TimeDelta::seconds(2))
}

pub(super) fn ended(world: &World) -> Result<(), String> {
    let late = world.now - SLACK;
    for (id, timer) in &world.tables.timers {
        if timer.wake_at < late {
            return Err(format!(
                "{id} was due at {} and nobody looked, {} later",
                timer.due_at,
                world.now - timer.due_at
            ));
        }
    }
    for attempt in world.tables.attempts.values() {
        if attempt.wake_at.is_some_and(|at| at < late) {
            return Err(format!(
                "{} ({:?}) was due at {:?}, and lies there",
                attempt.id, attempt.stage, attempt.wake_at
            ));
        }
        if attempt.stage == Stage::Sending && attempt.sent_at.is_some_and(|at| at < world.now - HEALING) {
            return Err(format!("{} has been sent since {:?}", attempt.id, attempt.sent_at));
        }
    }
    world.tables.books.values().try_for_each(|book| {
        climbed(world, &book.incident, &book.events.iter().map(|line| (line.0.at, &line.0.event)).collect::<Vec<_>>())
    })
}

/// Nobody has it: the last resort was paged within the time that the ladder has. And whoever was paged since, by a
/// carrier that works, was sent something or the row says why not.
fn climbed(world: &World, incident: &Incident, events: &[(crate::clock::Time, &Event)]) -> Result<(), String> {
    let healed = world.now - TimeDelta::minutes(CALM) + HEALING;
    for (at, event) in events {
        let Event::Paged { page, person, .. } = event else { continue };
        if *at < healed || *at > world.now - TimeDelta::minutes(3) {
            continue;
        }
        let rows = world.tables.of_page(&PageId::of(&incident.id, *page));
        let sent = rows.iter().any(|row| row.sent_at.is_some() || row.reason.is_some() || row.cancelled);
        if !sent {
            return Err(format!("{}: {person} was paged at {at}, and nothing was sent", incident.id));
        }
    }
    if !incident.is_open() || !incident.wakes() || incident.holder.is_some() || incident.waiting.is_some() {
        return Ok(());
    }
    let ladder = Ladder::of(&world.config, &incident.team, incident.priority);
    let last = ladder.last_resort();
    let whole: TimeDelta = (0..=last).map(|level| ladder.patience(level)).sum();
    let begun = events.iter().rev().find(|(_, event)| {
        matches!(
            event,
            Event::Opened { .. }
                | Event::Acknowledged { .. }
                | Event::PassedOn { .. }
                | Event::AcknowledgementLapsed { .. }
                | Event::Reopened { .. }
                | Event::Reengaged { .. }
                | Event::Begun { .. }
                | Event::PriorityChanged { .. }
        )
    });
    let Some((begun, _)) = begun else { return Ok(()) };
    if world.now < (*begun).max(healed) + whole + SLACK {
        return Ok(());
    }
    let reached = events.iter().filter(|(at, _)| at >= begun).any(|(_, event)| match event {
        Event::LevelReached { level, .. } => *level >= last,
        event => matches!(event, Event::LadderExhausted),
    });
    if reached {
        return Ok(());
    }
    Err(format!("{}: nobody has it since {begun}, and the last resort was not paged within {whole}", incident.id))
}
