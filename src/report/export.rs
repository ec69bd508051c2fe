//! One incident, gathered and signed.

use super::store;
use crate::{
    id::IncidentId,
    incident::{
        self,
        ledger::{
            anchor::{self, Covering},
            export::{self, Content},
        },
    },
    server::App,
    sla::zone,
    store::Tx,
};

/// The text of an incident's export. It holds numbers in full: the hashes are over what was recorded.
pub async fn export(app: &App, tx: &mut Tx, incident: &IncidentId) -> sqlx::Result<String> {
    let events = incident::store::chain(tx, incident).await?;
    let mut anchors = Vec::new();
    for (anchor, signature, seq) in store::covering(tx, incident, &app.ledger_key.public()).await? {
        let heads = store::heads(tx, anchor.day).await?;
        if let Some(path) = anchor::path(&heads, incident) {
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
