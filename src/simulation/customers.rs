//! Customers and monitoring: they report, report again, are not satisfied, and keep a log of what they were answered.

use super::{
    Mutant,
    faults::Fault,
    tasks::Owner,
    transaction::{Halt, Origin, Trouble, Tx},
    world::Sim,
};
use crate::{
    id::{CustomerKey, IncidentId},
    incident::{Command, Contact, Report, Source, Via},
    intake::signal::{Kind, Signal},
    sla::Priority,
};

/// The length of the troubled phase, in seconds.
pub(super) const TROUBLE: i64 = 100 * 60;

impl Sim {
    /// Everything that is reported in this world.
    pub fn report_troubles(&self) {
        let (signals, calls) = self.with(|world| (1 + world.chance.below(3), 1 + world.chance.below(3)));
        for number in 0..signals {
            self.spawn(Owner::Outside, self.clone().monitoring(number));
        }
        for number in 0..calls {
            self.spawn(Owner::Outside, self.clone().customer(number));
        }
    }

    /// One trouble as monitoring sees it.
    async fn monitoring(self, number: usize) {
        self.sleep(self.with(|world| world.chance.seconds(0, TROUBLE / 2))).await;
        let key = format!("db-{number}");
        let times = self.with(|world| 1 + world.chance.below(4));
        for time in 0..times {
            let word = self.with(|world| *world.chance.pick(&["critical", "critical", "error", "warning"]));
            if time > 0 {
                self.with(|world| world.counters.count(Fault::ReportedAgain));
            }
            self.trigger(&key, &format!("{key} is ill, {time}"), word).await;
            self.sleep(self.with(|world| world.chance.seconds(5, 1500))).await;
        }
        let command = self.with(|world| world.chance.below(4));
        let close = move |tx: &mut Tx<'_>| {
            tx.close_key(&key, |by| match command {
                0 => Command::Acknowledge { by, via: Via::Integration, page: None },
                _ => Command::Resolve { by, note: "it is well again".into() },
            })
        };
        if command < 2 {
            self.insist(Origin::Monitoring, 3, close).await;
        }
    }

    /// Sends until it is taken: 2xx is written into the sender's own log.
    async fn trigger(&self, key: &str, title: &str, word: &str) {
        let webhook = self.with(|world| world.name("msg"));
        let signal = Signal {
            title: title.into(),
            severities: vec![word.into()],
            ..Signal::bare(Kind::Trigger, Some(key.into()))
        };
        for _ in 0..12 {
            let (node, signal, webhook) = (self.any_node(), signal.clone(), webhook.clone());
            if self.offered(node, move |tx| tx.trigger(&signal, &webhook)).await {
                return self.with(|world| world.checks.accepted.answered(title));
            }
            self.sleep(self.with(|world| world.chance.seconds(1, 20))).await;
        }
    }

    /// One try at intake. True: 2xx.
    async fn offered(&self, node: usize, body: impl FnMut(&mut Tx<'_>) -> Result<IncidentId, Halt> + 'static) -> bool {
        let sim = self.clone();
        let hasty = self.is(Mutant::AcknowledgeBeforeCommit);
        let work = async move {
            let sim_too = sim.clone();
            let taken = async move { sim_too.transact(node, Origin::Monitoring, body).await };
            if hasty {
                // The planted bug: the answer goes out while the transaction is on its way.
                sim.spawn(Owner::Node(node), async move { drop(taken.await) });
                return true;
            }
            match taken.await {
                Ok(_) => true,
                Err(Trouble::Refused | Trouble::Store) => false,
            }
        };
        self.ask_node(node, work).await == Some(true)
    }

    /// A customer who phones, or uses the API, and is heard of again.
    async fn customer(self, number: usize) {
        self.sleep(self.with(|world| world.chance.seconds(0, TROUBLE * 2 / 3))).await;
        let title = format!("call {number}");
        let webhook = self.with(|world| world.name("idem"));
        let (customer, priority) = self.with(|world| {
            let all: Vec<CustomerKey> = world.config.customers.keys().cloned().collect();
            let grave = *world.chance.pick(&[Priority::P1, Priority::P1, Priority::P2, Priority::P3, Priority::P4]);
            (world.chance.pick(&all).clone(), grave)
        });
        let by_phone = self.with(|world| world.chance.percent(50));
        let reporting = {
            let title = title.clone();
            move |tx: &mut Tx<'_>| tx.reported(&webhook, &customer, priority, &title, by_phone)
        };
        let mut taken = false;
        for _ in 0..12 {
            taken = self.offered(self.any_node(), reporting.clone()).await;
            if taken {
                break;
            }
            self.sleep(self.with(|world| world.chance.seconds(1, 20))).await;
        }
        if !taken {
            return;
        }
        self.with(|world| world.checks.accepted.answered(&title));
        for _ in 0..self.with(|world| world.chance.below(3)) {
            self.sleep(self.with(|world| world.chance.seconds(60, 2400))).await;
            let unhappy = self.with(|world| world.chance.percent(60));
            if unhappy {
                self.with(|world| world.counters.count(Fault::NotSatisfied));
            }
            let title = title.clone();
            let says = move |tx: &mut Tx<'_>| {
                let books = tx.world.tables.books.values();
                let known = books.map(|book| &book.incident).find(|incident| incident.title == title);
                let Some(id) = known.map(|known| known.id.clone()) else { return Ok(()) };
                let command = if unhappy {
                    Command::CustomerEscalates { why: "nobody calls".into(), level: None, occurred_at: None }
                } else {
                    Command::CustomerReplies { text: "any news?".into() }
                };
                tx.execute(&id, &command).map(drop)
            };
            self.insist(Origin::Customer, 3, says).await;
        }
    }
}

impl Tx<'_> {
    /// A customer reports trouble; the same request again has no second effect.
    fn reported(
        &mut self,
        webhook: &str,
        customer: &CustomerKey,
        priority: Priority,
        title: &str,
        by_phone: bool,
    ) -> Result<IncidentId, Halt> {
        let key = format!("key {webhook}");
        self.lock(super::disk::Row::Other(key.clone()))?;
        if let Some(held) = self.world.tables.keys.get(&key) {
            return Ok(held.incident.clone());
        }
        let config = self.config.clone();
        let Some(customer) = config.customers.get(customer) else {
            return Err(Halt::Refused(crate::incident::Refusal::Unknown));
        };
        let source = if by_phone {
            Source::Phone { call: "cal_1".into(), verified: true }
        } else {
            Source::Api { by: "script".into() }
        };
        let report = Report {
            reference: self.free_reference(),
            source,
            priority,
            customer: Some(customer.key.clone()),
            customer_name: customer.name.clone(),
            zone: customer.zone.clone(),
            team: customer.team.clone(),
            plan: customer.plan.clone(),
            title: title.into(),
            detail: String::new(),
            contact: Contact { number: Some("+12015550150".into()), ..Contact::default() },
            not_before: None,
        };
        let id = self.open(report)?;
        let held = super::disk::Held { incident: id.clone(), reported: priority };
        self.put(super::disk::Write::Key(key, Some(std::rc::Rc::new(held))))?;
        Ok(id)
    }
}
