//! What an update would do before it is posted: what the customer gets, and whether it counts. Pure.

use crate::{
    clock::Time,
    incident::{Actor, Command, Effect, Event, Incident, World, decide, words},
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
    let (sent, counts) = match decide(Some(incident), &incident.id, &command, world, now) {
        Err(refusal) => (None, Err(refusal.to_string())),
        Ok(decision) => {
            let told = decision.effects.iter().find_map(|effect| match effect {
                Effect::TellCustomer { text } => Some(text.clone()),
                _ => None,
            });
            (told, counted(incident, &decision.events, now))
        }
    };
    Preview { text: text.into(), visible, sent, counts }
}

fn counted(incident: &Incident, events: &[Event], now: Time) -> Result<String, String> {
    let update = events.iter().find_map(|event| match event {
        Event::Updated { counts, why_not, window, customer_visible, .. } => {
            Some((*counts, why_not.clone(), *window, *customer_visible))
        }
        _ => None,
    });
    match (update, incident.window_due()) {
        (Some((true, _, Some(window), _)), Some(due)) if !incident.updates.met => {
            Ok(format!("It meets update {window}, due by {}.", words::clock_time(due, &incident.zone, now)))
        }
        (Some((true, ..)), Some(_)) => Ok("The window that runs is met already; the customer hears more.".into()),
        (Some((_, Some(why), ..)), _) => Err(format!("It meets no window: {why}.")),
        (Some((.., false)), _) => Err("It meets no window: the customer does not see it.".into()),
        _ => Err("No window of updates runs.".into()),
    }
}
