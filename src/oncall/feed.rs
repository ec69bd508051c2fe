//! Shifts as an iCalendar feed (RFC 5545), for the calendar on somebody's phone: secret, and revocable one by one.

pub mod store;

use chrono::TimeDelta;
use icalendar::{Calendar, Component, Event, EventLike};
use sha2::{Digest, Sha256};

use super::{Override, roster};
use crate::{
    clock::Time,
    config::Config,
    id::{PersonKey, ScheduleKey},
};

/// How far a feed looks back.
const BACK: TimeDelta = TimeDelta::days(14);
/// How far it looks ahead.
const AHEAD: TimeDelta = TimeDelta::days(90);
/// How often a calendar may ask again, as it is told; many ask less often.
const RENEW: TimeDelta = TimeDelta::hours(1);

/// Whose shifts a feed tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Person(PersonKey),
    Schedule(ScheduleKey),
}

/// A feed, without its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// `fed_…`
    pub id: String,
    pub subject: Subject,
    /// Who made it: a person's key, or a token's or an account's name.
    pub owner: String,
    pub created_at: Time,
    /// When a calendar last read it.
    pub read_at: Option<Time>,
}

/// A token of 32 random bytes, which only the address knows.
pub fn token(random: [u8; 32]) -> String {
    hex::encode(random)
}

/// What of a token is kept.
pub fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// The feed's text: shifts of two weeks past and ninety days to come. Pure.
pub fn ics(subject: &Subject, config: &Config, overrides: &[Override], now: Time) -> String {
    let person = |key: &PersonKey| config.people.get(key).map_or_else(|| key.to_string(), |person| person.name.clone());
    let name = match subject {
        Subject::Person(key) => format!("{} on call", person(key)),
        Subject::Schedule(key) => {
            config.schedules.get(key).map_or_else(|| key.to_string(), |schedule| schedule.name.clone())
        }
    };
    let mut calendar = Calendar::new();
    calendar.name(&name).ttl(&RENEW);
    let schedules = config.schedules.values().filter(|schedule| match subject {
        Subject::Schedule(key) => schedule.key == *key,
        Subject::Person(_) => true,
    });
    for schedule in schedules {
        for shift in roster::walk(schedule, overrides, now - BACK, now + AHEAD) {
            let Some(holder) = &shift.person else { continue };
            if matches!(subject, Subject::Person(key) if key != holder) {
                continue;
            }
            // The same shift has the same id each time it is read, so that calendars do not show it twice.
            let uid = format!("{}-{}-{}@ringdown", schedule.key, holder, shift.start.timestamp());
            let mut event = Event::with_uid(&uid);
            let words = if shift.overridden { " (stands in)" } else { "" };
            let summary = match subject {
                Subject::Person(_) => format!("On call: {}{words}", schedule.name),
                Subject::Schedule(_) => format!("{}{words}", person(holder)),
            };
            event.summary(&summary).timestamp(now).starts(shift.start).ends(shift.end);
            calendar.push(event.done());
        }
    }
    calendar.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_tells_the_shifts_of_one_person_and_no_others() {
        let now = "2026-11-18T08:00:00Z".parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        crate::config::write_example(folder.path()).unwrap();
        let config = crate::config::check::check(folder.path(), now).0.expect("the example is good");
        let schedule = config.schedules.values().next().expect("a schedule");
        let holder = super::super::roster::on_call(schedule, &[], now).expect("somebody");
        let text = ics(&Subject::Person(holder.clone()), &config, &[], now);
        let shifts = roster::shifts(schedule, &[], now - BACK, now + AHEAD);
        let of_holder = shifts.iter().filter(|shift| shift.person.as_ref() == Some(&holder)).count();
        let told = text.matches(&format!("UID:{}-{holder}-", schedule.key)).count();
        assert_eq!(told, of_holder);
        assert!(text.starts_with("BEGIN:VCALENDAR") && text.contains("SUMMARY:On call: "), "{text}");
        let again = ics(&Subject::Person(holder), &config, &[], now + TimeDelta::minutes(5));
        let ids =
            |text: &str| text.lines().filter(|line| line.starts_with("UID:")).map(str::to_owned).collect::<Vec<_>>();
        assert!(ids(&again).iter().filter(|id| !ids(&text).contains(id)).count() <= 1, "ids stay");
    }

    #[test]
    fn a_token_is_long_and_only_its_digest_is_kept() {
        let (one, other) = (token([1; 32]), token([2; 32]));
        assert!(one.len() == 64 && one != other && digest(&one) != one && digest(&one) == digest(&one));
    }
}
