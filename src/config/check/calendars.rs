//! Do the holidays that calendars name still come?

use chrono::Datelike;

use crate::{
    clock::Time,
    config::{finding::Severity::Warning, load::Loaded},
};

/// Notes sets of holidays that have run out: dates of years that are over close nothing any more.
pub fn check(loaded: &mut Loaded, now: Time) {
    let mut notes = Vec::new();
    for (key, calendar) in &loaded.config.calendars {
        for (i, set) in calendar.holidays.iter().enumerate() {
            if let Some(last) = set.last_year().filter(|last| *last < now.year()) {
                let message = format!(
                    "`{}` has no holiday after {last}, so the calendar is open on every holiday since; bring \
                     `holidays/{}` up to date",
                    set.key, set.key
                );
                notes.push((format!("calendars.{key}.holidays[{i}]"), Warning, message));
            }
        }
    }
    for (key, severity, message) in notes {
        loaded.note(&key, severity, message);
    }
}
