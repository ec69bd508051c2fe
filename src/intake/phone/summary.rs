//! What a caller may be told of an incident: never who has it, only that somebody does.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    id::IncidentId,
    incident::Incident,
    sla::{Priority, Zone},
};

/// What a caller may be told of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub id: IncidentId,
    /// Spoken digit by digit.
    pub reference: String,
    pub priority: Priority,
    pub zone: Zone,
    /// An engineer has it in hand.
    pub held: bool,
    /// There is a number to call back.
    pub reachable: bool,
    /// When a conversation was promised; `None` where none was.
    pub response_due: Option<Time>,
    /// The customer was spoken to.
    pub responded: bool,
    /// The last text the customer was given, shortened.
    pub last_update: Option<String>,
    pub last_update_at: Option<Time>,
    /// When the next update comes; `None` where none was promised.
    pub next_update: Option<Time>,
}

/// Characters spoken of the last update.
const UPDATE_LENGTH: usize = 300;

impl Summary {
    /// Of an incident, as it is.
    pub fn of(incident: &Incident) -> Self {
        Summary {
            id: incident.id.clone(),
            reference: incident.reference.clone(),
            priority: incident.priority,
            zone: incident.zone.clone(),
            held: incident.holder.is_some(),
            reachable: incident.contact.number.is_some(),
            response_due: incident.response.due,
            responded: incident.response.met.is_some(),
            last_update: incident.updates.last_text.as_deref().map(|text| super::call::bounded(text, UPDATE_LENGTH)),
            last_update_at: incident.updates.last_at,
            next_update: incident.next_update_due(),
        }
    }
}
