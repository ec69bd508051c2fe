//! What customers are told by text. Short, true, with a time on their own clock.

use super::state::Incident;
use crate::{clock::Time, sla::Zone};

/// A clock time where the customer is: `14:32`, with the day when it is not today.
pub fn clock_time(at: Time, zone: &Zone, now: Time) -> String {
    let (there, today) = (at.with_timezone(zone), now.with_timezone(zone).date_naive());
    if there.date_naive() == today { there.format("%H:%M").to_string() } else { there.format("%a %H:%M").to_string() }
}

/// The promise, when the trouble was reported.
pub fn promise(incident: &Incident, now: Time) -> String {
    let reference = &incident.reference;
    match incident.response.due.filter(|_| incident.response.met.is_none() && !incident.response.missed) {
        Some(due) => format!(
            "{reference}: we have your report ({}). An engineer will call you back by {}.",
            incident.priority,
            clock_time(due, &incident.zone, now)
        ),
        None => format!("{reference}: we have your report ({}). Keep this reference.", incident.priority),
    }
}

/// A progress update.
pub fn update(incident: &Incident, text: &str, now: Time) -> String {
    let mut words = format!("{}: {text}", incident.reference);
    if let Some(grid) = incident.updates.grid {
        // This update met the window that runs; the next is promised by the end of the one after it.
        let next = grid.due(incident.updates.window + u32::from(incident.updates.met));
        words.push_str(&format!(" Next update by {}.", clock_time(next, &incident.zone, now)));
    }
    words
}

/// The end.
pub fn resolved(incident: &Incident, note: &str) -> String {
    let note = if note.is_empty() { String::new() } else { format!(" {note}") };
    format!("{} is resolved.{note} If it is not, call us and say so.", incident.reference)
}
