//! What a caller may be told of an incident: never who has it, only that somebody does.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Time,
    id::IncidentId,
    incident::{Incident, Phase},
    sla::{Plan, Priority, Zone},
};

/// What a caller may be told of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub id: IncidentId,
    /// Spoken digit by digit.
    pub reference: String,
    pub priority: Priority,
    pub zone: Zone,
    /// It is closed; `idle`: because the customer did not answer.
    #[serde(default)]
    pub over: bool,
    #[serde(default)]
    pub idle: bool,
    /// People are woken for it.
    #[serde(default)]
    pub wakes: bool,
    /// Until when it lies, for office hours or for what the customer asked.
    #[serde(default)]
    pub begins_at: Option<Time>,
    /// The priorities at which the caller is connected at once.
    #[serde(default)]
    pub live: Vec<Priority>,
    /// Whom the customer may ask for, in turn; `None` where the plan names nobody.
    #[serde(default)]
    pub levels: Option<Vec<String>>,
    /// Our part was shown not to be the cause, and our engineers left.
    #[serde(default)]
    pub ruled_out: bool,
    /// What the customer was asked, if we wait for the answer.
    #[serde(default)]
    pub waiting: Option<String>,
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

/// Higher levels that are read out: there is a key for each.
const MOST_LEVELS: usize = 9;

/// Characters spoken of a level's name.
const NAME_LENGTH: usize = 60;

/// The priorities at which a caller is connected at once.
fn live(plan: &Plan) -> Vec<Priority> {
    plan.priorities.iter().filter(|(_, promise)| promise.live).map(|(priority, _)| *priority).collect()
}

impl Summary {
    /// Of an incident, as it is.
    pub fn of(incident: &Incident) -> Self {
        Summary {
            id: incident.id.clone(),
            reference: incident.reference.clone(),
            priority: incident.priority,
            zone: incident.zone.clone(),
            over: !incident.is_open(),
            idle: incident.phase == Phase::Idle,
            wakes: incident.wakes(),
            begins_at: incident.begins_at,
            live: live(&incident.plan),
            levels: incident.plan.escalation.as_ref().map(|levels| {
                let names = levels.iter().take(MOST_LEVELS);
                names.map(|level| super::call::bounded(&level.name, NAME_LENGTH)).collect()
            }),
            ruled_out: incident.ruled_out.is_some(),
            waiting: incident.waiting.as_ref().map(|waiting| super::call::bounded(&waiting.reason, UPDATE_LENGTH)),
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
