//! The ledger: what makes an incident's history provable to somebody who does not trust us.
//!
//! Each event is stored with a hash over itself and the hash before it, so that no event can be changed, left out or
//! put in without changing every hash after it. The last one is the incident's head. Once a day an [`anchor`] signs
//! all heads, and names the anchor before it. An [`export`] carries one incident with its hashes, the anchors that
//! cover it and the server's signature; [`verify`] checks one without a server, and [`reckon`] works out every verdict
//! again from the events and the plan they carry.

pub mod anchor;
pub mod canonical;
pub mod export;
pub mod hex;
pub mod reckon;
pub mod signature;
pub mod verify;
pub mod written;

use serde::Serialize;
use serde_json::{Value, json};

pub use canonical::Unfit;
pub use hex::Hash;

use crate::id::IncidentId;

/// What the hash before the first event is made of, followed by the incident's id.
const DOMAIN: &str = "ringdown ledger 1\n";

/// The hash before an incident's first event.
pub fn genesis(id: &IncidentId) -> Hash {
    Hash::of(&[DOMAIN.as_bytes(), id.as_str().as_bytes()])
}

/// The hash of an event (a [`super::Recorded`], or the JSON of one as it was stored): SHA-256 of the canonical JSON of
/// `{"event", "incident", "previous"}`. Errors when the event holds something that has no canonical form.
pub fn link(previous: &Hash, event: &impl Serialize, id: &IncidentId) -> Result<Hash, Unfit> {
    let event: Value = serde_json::to_value(event).map_err(|_| Unfit)?;
    let text = canonical::text(&json!({"event": event, "incident": id, "previous": previous}))?;
    Ok(Hash::of(&[text.as_bytes()]))
}
