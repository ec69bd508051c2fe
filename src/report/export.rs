//! One incident, gathered and signed.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::store;
use crate::{
    id::IncidentId,
    incident::{
        self,
        ledger::{
            anchor::{self, Covering, Leaf},
            export::{self, Content, Entry},
        },
    },
    server::App,
    sla::zone,
    store::Tx,
};

/// Of how many days the heads are kept in memory.
const DAYS: usize = 16;

/// The text of an incident's export. It holds numbers in full: the hashes are over what was recorded.
pub async fn export(app: &App, tx: &mut Tx, incident: &IncidentId) -> sqlx::Result<String> {
    let events = incident::store::chain(tx, incident).await?;
    of(app, tx, incident, events, &mut Anchored::default()).await
}

/// The same, of events that were read already, in this transaction.
pub(super) async fn of(
    app: &App,
    tx: &mut Tx,
    incident: &IncidentId,
    events: Vec<Entry>,
    anchored: &mut Anchored,
) -> sqlx::Result<String> {
    let mut anchors = Vec::new();
    for (anchor, signature, seq) in store::covering(tx, incident, &app.ledger_key.public()).await? {
        if let Some(path) = anchor::path(anchored.heads(tx, anchor.day).await?, incident) {
            anchors.push(Covering { anchor, signature, seq, path });
        }
    }
    let content = Content {
        incident: incident.clone(),
        exported_at: app.clock.now(),
        time_zone_database: zone::database_version().into(),
        events,
        anchors,
    };
    export::write(content, &app.ledger_key).map_err(|unfit| sqlx::Error::Encode(Box::new(unfit)))
}

/// The heads under the anchors of a few days. Incidents that follow each other share their days, and what is anchored
/// never changes.
#[derive(Debug, Default)]
pub(super) struct Anchored(BTreeMap<NaiveDate, Vec<Leaf>>);

impl Anchored {
    async fn heads(&mut self, tx: &mut Tx, day: NaiveDate) -> sqlx::Result<&[Leaf]> {
        if !self.0.contains_key(&day) {
            if self.0.len() >= DAYS {
                self.0.pop_first();
            }
            self.0.insert(day, store::heads(tx, day).await?);
        }
        Ok(self.0.get(&day).map_or(&[], Vec::as_slice))
    }
}
