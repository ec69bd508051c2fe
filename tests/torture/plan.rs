//! What is done to the servers, and when: drawn from a seed, so that a run can be told again.

use std::{ops::Range, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// One thing done to a server, or to what it lives on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL, so long after it answered again.
    Kill { after: Duration },
    /// SIGKILL so long after a sender began to send.
    KillInRequest { after: Duration },
    /// SIGKILL so long after it was started, answering or not.
    KillAtStart { after: Duration },
    /// SIGKILL, whatever it does.
    KillNow,
    /// SIGKILL, and nobody starts it again for so long.
    Down(Duration),
    /// SIGSTOP for so long, then SIGCONT.
    Pause(Duration),
    /// PostgreSQL ends, in order or at once, and is away for so long.
    Postgres { immediate: bool, away: Duration },
    /// No space is left for so long; killed meanwhile, or not.
    FullDisk { lasts: Duration, killed: bool },
    /// The wall clock is so many seconds ahead of the true one from now on.
    Clock { ahead: i64 },
    /// The carrier is in trouble for so long.
    Carrier(Trouble, Duration),
}

/// What is wrong with the carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection is taken.
    Gone,
    /// Requests are read, not carried out, and never answered.
    Hangs,
    /// Requests are refused with 503.
    Refuses,
    /// Requests are carried out and answered with 500.
    LiesAboutIt,
    /// Requests are carried out and never answered.
    TakesAndHangs,
}

/// A fault, to which node it is done, and how long nothing is done before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub rest: Duration,
    pub node: usize,
    pub fault: Fault,
}

/// The kinds of faults that a plan is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Kills,
    /// A second from one kill to the next, one node after the other.
    KillEachSecond,
    Downs,
    /// For longer than the lease given.
    Pauses(Duration),
    Postgres,
    Disk,
    Clock,
    Carrier,
}

/// So many faults of these kinds, to so many nodes, mixed.
pub fn plan(seed: u64, kinds: &[Kind], times: usize, nodes: usize) -> Vec<Step> {
    let mut chance = StdRng::seed_from_u64(seed);
    (0..times)
        .map(|n| {
            let kind = kinds[chance.random_range(0..kinds.len())];
            let fault = fault(kind, &mut chance);
            let rest = match kind {
                Kind::KillEachSecond => Duration::from_secs(1),
                Kind::Kills => Duration::ZERO,
                _ => span(&mut chance, 200..1200),
            };
            let node = if kind == Kind::KillEachSecond { n % nodes } else { chance.random_range(0..nodes) };
            Step { rest, node, fault }
        })
        .collect()
}

fn fault(kind: Kind, chance: &mut StdRng) -> Fault {
    match kind {
        Kind::Kills => match chance.random_range(0..10) {
            0 => Fault::KillAtStart { after: span(chance, 0..300) },
            1..=3 => Fault::KillInRequest { after: span(chance, 0..30) },
            _ => Fault::Kill { after: span(chance, 0..300) },
        },
        Kind::KillEachSecond => Fault::KillNow,
        Kind::Downs => Fault::Down(span(chance, 3000..10_000)),
        Kind::Pauses(lease) => Fault::Pause(lease + span(chance, 500..2500)),
        Kind::Postgres => Fault::Postgres { immediate: chance.random(), away: span(chance, 0..2500) },
        Kind::Disk => Fault::FullDisk { lasts: span(chance, 1000..3000), killed: chance.random_range(0..3) == 0 },
        Kind::Clock => Fault::Clock { ahead: chance.random_range(-20..=45) },
        Kind::Carrier => {
            use Trouble::*;
            let trouble = [Gone, Hangs, Refuses, LiesAboutIt, TakesAndHangs][chance.random_range(0..5)];
            Fault::Carrier(trouble, span(chance, 500..3500))
        }
    }
}

fn span(chance: &mut StdRng, millis: Range<u64>) -> Duration {
    Duration::from_millis(chance.random_range(millis))
}

#[test]
fn a_seed_gives_the_same_plan_again_and_another_seed_another() {
    let kinds = [Kind::Kills, Kind::Clock, Kind::Carrier, Kind::Pauses(Duration::from_secs(3))];
    let drawn = |seed| plan(seed, &kinds, 50, 3);
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7), drawn(8));
    assert!(drawn(7).iter().any(|step| matches!(step.fault, Fault::KillInRequest { .. })));
    let pauses = drawn(7).into_iter().filter_map(|step| match step.fault {
        Fault::Pause(pause) => Some(pause),
        _ => None,
    });
    assert!(pauses.min().is_some_and(|shortest| shortest > Duration::from_secs(3)));
}
