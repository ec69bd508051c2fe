//! What befalls the machines: crashes, pauses, steps of their clocks, a database that dies, carriers that go away.

use chrono::TimeDelta;

use super::{
    Mutant,
    customers::TROUBLE,
    faults::Fault,
    setting::SETTING,
    tasks::{Owner, Work},
    world::Sim,
};

/// A kind of trouble that comes again and again, so many seconds apart.
type Kind = fn(Sim, i64) -> Work;

impl Sim {
    /// Lets trouble begin. How much of each kind is the seed's own.
    pub fn trouble(&self) {
        let kinds: [(Kind, i64); 5] = [
            (|sim, mean| Box::pin(sim.killings(mean)), 1500),
            (|sim, mean| Box::pin(sim.pauses(mean)), 1500),
            (|sim, mean| Box::pin(sim.clocks(mean)), 1800),
            (|sim, mean| Box::pin(sim.store_dies(mean)), 2400),
            (|sim, mean| Box::pin(sim.outages(mean)), 2400),
        ];
        for (kind, mean) in kinds {
            if self.with(|world| world.chance.percent(60)) {
                self.spawn(Owner::Outside, kind(self.clone(), mean));
            }
        }
        if self.with(|world| world.chance.percent(50)) {
            self.spawn(Owner::Outside, self.clone().edits());
        }
        if self.with(|world| world.chance.percent(15)) {
            self.with(|world| {
                world.counters.count(Fault::NobodyOnCall);
                world.config = SETTING.deserted.clone();
            });
        }
        let skewed = self.with(|world| world.chance.percent(40));
        for node in 0..self.with(|world| world.nodes.len()) {
            if skewed {
                self.with(|world| {
                    world.counters.count(Fault::ClockSkew);
                    let off = world.chance.millis(-1500, 1500);
                    world.set_clock(node, off);
                });
            }
        }
        if self.is(Mutant::CommitBeforeSync) {
            self.spawn(Owner::Outside, self.clone().syncs());
        }
    }

    /// Waits about so long, in seconds. False: the time of trouble is over.
    async fn about(&self, mean: i64) -> bool {
        self.sleep(self.with(|world| world.chance.seconds(1, 2 * mean))).await;
        self.with(|world| world.troubled)
    }

    async fn killings(self, mean: i64) {
        while self.about(mean).await {
            let node = self.any_node();
            if self.with(|world| world.nodes[node].up) {
                self.with(|world| world.counters.count(Fault::CrashIdle));
                self.crash(node);
            }
        }
    }

    async fn pauses(self, mean: i64) {
        while self.about(mean).await {
            let node = self.any_node();
            self.with(|world| {
                world.counters.count(Fault::PauseIdle);
                world.pause(node);
            });
        }
    }

    /// A clock is stepped, and put right after a while.
    async fn clocks(self, mean: i64) {
        while self.about(mean).await {
            let node = self.any_node();
            let (ahead, by) = self.with(|world| {
                let far = world.chance.percent(50);
                (
                    world.chance.percent(50),
                    if far { world.chance.seconds(60, 1800) } else { world.chance.millis(100, 20_000) },
                )
            });
            self.with(|world| {
                world.counters.count(if ahead { Fault::ClockForward } else { Fault::ClockBack });
                world.set_clock(node, if ahead { by } else { -by });
            });
            let wrong = self.with(|world| world.chance.seconds(5, 300));
            self.sleep(wrong).await;
            self.with(|world| world.set_clock(node, TimeDelta::zero()));
        }
    }

    async fn store_dies(self, mean: i64) {
        while self.about(mean).await {
            self.with(|world| {
                world.counters.count(Fault::StoreCrash);
                world.say(|| "the database crashes".into());
                world.store_crash();
            });
            if self.with(|world| world.nodes.len() == 1) {
                // An embedded database dies with its process, and the machine under both.
                self.crash(0);
            }
            self.sleep(self.with(|world| world.chance.seconds(1, 40))).await;
            self.with(|world| {
                world.store_up = true;
                world.disturbed = world.disturbed.max(world.now);
            });
        }
    }

    async fn outages(self, mean: i64) {
        while self.about(mean).await {
            self.with(|world| {
                let span = world.chance.seconds(10, 600);
                world.outage(span);
            });
        }
    }

    /// Somebody edits the plans while incidents run under them.
    async fn edits(self) {
        self.sleep(self.with(|world| world.chance.seconds(600, TROUBLE - 600))).await;
        self.with(|world| {
            if world.tables.books.values().any(|book| book.incident.is_open()) {
                world.counters.count(Fault::PlanEdited);
            }
            world.config = SETTING.after.clone();
        });
    }

    /// The planted bug's disk: it is brought up to date now and then.
    async fn syncs(self) {
        loop {
            self.sleep(TimeDelta::seconds(10)).await;
            self.with(|world| world.unsynced.clear());
        }
    }

    /// No more faults: what was wrong is put right.
    pub fn heal(&self) {
        let down: Vec<usize> = self.with(|world| {
            world.say(|| "no more faults".into());
            world.troubled = false;
            world.healed = Some(world.now);
            world.store_up = true;
            world.end_outages();
            world.config = if world.config.schedules.values().all(|one| one.layers.is_empty()) {
                SETTING.before.clone()
            } else {
                world.config.clone()
            };
            for node in 0..world.nodes.len() {
                world.set_clock(node, TimeDelta::zero());
            }
            world.nodes.iter().filter(|node| !node.up).map(|node| node.index).collect()
        });
        down.into_iter().for_each(|node| self.boot(node));
    }
}
