//! The signed table of contents of a period's export: which incidents stand before it, and what follows from them. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clock::Time,
    id::{CustomerKey, IncidentId, PlanKey},
    incident::ledger::{
        Hash, Unfit, canonical,
        hex::{Hex, Running},
        signature::{PublicKey, Signature, SigningKey},
    },
    report::{
        compliance::{Counts, PromiseLine, Subject},
        downtime::Gap,
        judge::Scope,
        period::Period,
    },
    sla::{Priority, Zone},
};

/// What a table of contents calls itself.
pub const FORMAT: &str = "ringdown-period/1";

/// The last line of a period's export.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    pub format: String,
    pub from: Time,
    /// The first instant that is no longer in the period.
    pub to: Time,
    /// In which the period was asked for.
    pub zone: String,
    /// Only this customer's, if given.
    pub customer: Option<CustomerKey>,
    /// Only under this plan, if given; without a tier, all tiers of it.
    pub plan: Option<PlanKey>,
    /// When the export began: every incident that a report of then had taken into account is in it.
    pub as_of: Time,
    /// When it ended.
    pub exported_at: Time,
    /// As they stand before it.
    pub incidents: Vec<Named>,
    /// Over all lines before it, with their line feeds.
    pub digest: Hash,
    /// How many of the incidents were opened in the period.
    pub opened: u64,
    /// Every promise that was due in the period, by priority and what was promised.
    pub promises: Vec<Total>,
    /// When the service did not run, oldest first.
    pub unavailable: Vec<Gap>,
    pub unavailable_seconds: i64,
    /// How many records the server could not read and left out; normally 0.
    pub unreadable: u64,
    pub key: PublicKey,
    /// Over the canonical text of all the rest.
    pub signature: Signature,
}

/// One incident, and where its history ended when it was exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub incident: IncidentId,
    /// The hash of its last event.
    pub head: Hash,
    pub events: u64,
}

/// How many promises of one sort ended in which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    pub priority: Priority,
    pub promise: Subject,
    pub kept: u64,
    pub late: u64,
    pub missed: u64,
    pub waived: u64,
    pub open: u64,
}

/// What incidents add up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    pub opened: u64,
    promises: BTreeMap<(Priority, Subject), Counts>,
}

impl Sums {
    /// One incident more: whether it was opened in the period, and its promises that were due in it.
    pub fn add(&mut self, opened: bool, promises: &[PromiseLine]) {
        self.opened += u64::from(opened);
        for promise in promises {
            self.promises.entry((promise.priority, promise.promise)).or_default().add(promise.verdict);
        }
    }

    /// As they are written.
    pub fn totals(&self) -> Vec<Total> {
        let total = |((priority, promise), counts): (&(Priority, Subject), &Counts)| {
            let Counts { kept, late, missed, waived, open, .. } = *counts;
            Total { priority: *priority, promise: *promise, kept, late, missed, waived, open }
        };
        self.promises.iter().map(total).collect()
    }

    /// By priority and what was promised.
    pub fn each(&self) -> impl Iterator<Item = (Priority, Subject, &Counts)> {
        self.promises.iter().map(|((priority, subject), counts)| (*priority, *subject, counts))
    }
}

impl Contents {
    /// What is signed: everything but the signature.
    pub fn unsigned(&self) -> Result<Value, Unfit> {
        let mut value = serde_json::to_value(self).map_err(|_| Unfit)?;
        value.as_object_mut().map(|fields| fields.remove("signature"));
        Ok(value)
    }

    /// What it is about.
    pub fn scope(&self) -> Scope {
        Scope {
            period: Period { from: self.from, to: self.to },
            zone: self.zone.parse().unwrap_or_else(|_| Zone::utc()),
            customer: self.customer.clone(),
            plan: self.plan.clone(),
            as_of: self.as_of,
            gaps: self.unavailable.clone(),
        }
    }
}

/// A table of contents that is being made, line by line.
#[derive(Debug)]
pub struct Draft {
    pub scope: Scope,
    /// How many records could not be read so far.
    pub unreadable: u64,
    incidents: Vec<Named>,
    digest: Running,
    sums: Sums,
}

impl Draft {
    /// Nothing yet.
    pub fn begin(scope: Scope) -> Draft {
        Draft { scope, unreadable: 0, incidents: Vec::new(), digest: Running::default(), sums: Sums::default() }
    }

    /// One line more, with its line feed: which incident it is, and what of it belongs to the period.
    pub fn add(&mut self, line: &str, named: Named, opened: bool, promises: &[PromiseLine]) {
        self.digest.take(line.as_bytes());
        self.incidents.push(named);
        self.sums.add(opened, promises);
    }

    /// The last line, signed: canonical JSON and a line feed.
    pub fn sign(self, exported_at: Time, key: &SigningKey) -> Result<String, Unfit> {
        let Scope { period, zone, customer, plan, as_of, gaps } = self.scope;
        let mut contents = Contents {
            format: FORMAT.into(),
            from: period.from,
            to: period.to,
            zone: zone.to_string(),
            customer,
            plan,
            as_of,
            exported_at,
            incidents: self.incidents,
            digest: self.digest.hash(),
            opened: self.sums.opened,
            promises: self.sums.totals(),
            unavailable_seconds: gaps.iter().map(Gap::seconds).sum(),
            unavailable: gaps,
            unreadable: self.unreadable,
            key: key.public(),
            // Filled in below; what is signed does not hold it.
            signature: Hex([0; 64]),
        };
        contents.signature = key.sign(&contents.unsigned()?)?;
        Ok(canonical::text(&serde_json::to_value(&contents).map_err(|_| Unfit)?)? + "\n")
    }
}
