//! One incident as it is handed to somebody who wants to verify it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    anchor::Covering,
    canonical::{self, Unfit},
    hex::{Hash, Hex},
    signature::{PublicKey, Signature, SigningKey},
};
use crate::{clock::Time, id::IncidentId};

/// What an export calls itself.
pub const FORMAT: &str = "ringdown-incident/1";

/// One incident with everything that proves it. The plan that was promised is in its first event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    pub format: String,
    pub incident: IncidentId,
    pub exported_at: Time,
    /// The version of the time-zone database of the server that exported it.
    pub time_zone_database: String,
    /// From the first, without a gap.
    pub events: Vec<Entry>,
    /// The hash of the last event.
    pub head: Hash,
    /// The anchors that cover it, oldest first; none on its first day.
    pub anchors: Vec<Covering>,
    pub key: PublicKey,
    /// Over the canonical text of all the rest.
    pub signature: Signature,
}

/// An event and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// As it was stored.
    pub event: Value,
    pub hash: Hash,
}

/// What is to be exported.
#[derive(Clone, Debug)]
pub struct Content {
    pub incident: IncidentId,
    pub exported_at: Time,
    pub time_zone_database: String,
    pub events: Vec<Entry>,
    pub anchors: Vec<Covering>,
}

/// The text of an export, signed: canonical JSON and a line feed.
pub fn write(content: Content, key: &SigningKey) -> Result<String, Unfit> {
    let Content { incident, exported_at, time_zone_database, events, anchors } = content;
    let head = events.last().map_or_else(|| super::genesis(&incident), |last| last.hash);
    // Filled in below; what is signed does not hold it.
    let (signature, format) = (Hex([0; 64]), FORMAT.into());
    let mut export = Export {
        format,
        incident,
        exported_at,
        time_zone_database,
        events,
        head,
        anchors,
        key: key.public(),
        signature,
    };
    export.signature = key.sign(&export.unsigned()?)?;
    Ok(canonical::text(&serde_json::to_value(&export).map_err(|_| Unfit)?)? + "\n")
}

impl Export {
    /// What is signed: everything but the signature.
    pub fn unsigned(&self) -> Result<Value, Unfit> {
        let mut value = serde_json::to_value(self).map_err(|_| Unfit)?;
        value.as_object_mut().map(|fields| fields.remove("signature"));
        Ok(value)
    }
}
