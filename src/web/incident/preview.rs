//! What an update would do before it is posted: what the customer gets, and whether it counts. Pure.

use crate::{
    clock::Time,
    incident::{Actor, Command, Event, Incident, World, decide, words},
};

/// An update that was not posted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub text: String,
    pub visible: bool,
    /// What the customer is sent. `None`: nothing.
    pub sent: Option<String>,
    /// Whether a window is met by it, and if not, why.
    pub counts: Result<String, String>,
}

/// The same decision as when it is posted, carried out by nobody.
pub fn preview(incident: &Incident, by: Actor, text: &str, visible: bool, world: World<'_>, now: Time) -> Preview {
    let command = Command::PostUpdate { by, text: text.into(), customer_visible: visible };
    let counts = match decide(Some(incident), &incident.id, &command, world, now) {
        Err(refusal) => Err(refusal.to_string()),
        Ok(decision) => {
            let met = decision.events.iter().find_map(|event| match event {
                Event::UpdateMet { window, due } => Some((*window, *due)),
                _ => None,
            });
            let why_not = decision.events.iter().find_map(|event| match event {
                Event::Updated { why_not, .. } => why_not.as_ref().map(ToString::to_string),
                _ => None,
            });
            match (met, why_not) {
                (Some((window, due)), _) => {
                    let due = words::clock_time(due, &incident.zone, now);
                    Ok(format!("It meets update {window}, due by {due}."))
                }
                (None, Some(why)) => Err(format!("It meets no window: {why}.")),
                (None, None) if !visible => Err("It meets no window: the customer does not see it.".into()),
                (None, None) if incident.updates.met => Err("The window that runs is met already.".into()),
                (None, None) => Err("No window of updates runs.".into()),
            }
        }
    };
    let sent = visible.then(|| words::update(incident, text, now));
    Preview { text: text.into(), visible, sent, counts }
}
