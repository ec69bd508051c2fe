//! Who is on call, and whether their phones are known to work. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{Finding, Topic};
use crate::{
    clock::Time,
    config::Config,
    id::{PersonKey, ScheduleKey},
    incident::words,
    oncall::{Override, Shift, coverage, roster},
    people::{Channel, ContactMethod, Person},
};

/// How far ahead is looked.
pub const AHEAD: TimeDelta = TimeDelta::weeks(6);

/// Lines that a person proved: person, number, channel.
pub type Proven = BTreeSet<(String, String, String)>;

/// A turn of somebody on a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub schedule: ScheduleKey,
    pub start: Time,
    pub end: Time,
}

/// A shift that begins within [`AHEAD`] is told to its end, if that is within this much more.
const BEYOND: TimeDelta = TimeDelta::weeks(3);

/// Every turn of each person that begins within [`AHEAD`], the first first.
pub fn turns(config: &Config, overrides: &[Override], now: Time) -> BTreeMap<PersonKey, Vec<Turn>> {
    let mut turns: BTreeMap<PersonKey, Vec<Turn>> = BTreeMap::new();
    for schedule in config.schedules.values() {
        let shifts = roster::walk(schedule, overrides, now, now + AHEAD + BEYOND);
        for Shift { person, start, end, .. } in shifts.take_while(|shift| shift.start < now + AHEAD) {
            if let Some(person) = person {
                turns.entry(person).or_default().push(Turn { schedule: schedule.key.clone(), start, end });
            }
        }
    }
    turns.values_mut().for_each(|turns| turns.sort_by_key(|turn| turn.start));
    turns
}

/// Hours within [`AHEAD`] in which nobody is on call for a team.
pub fn coverage(config: &Config, overrides: &[Override], now: Time) -> Vec<Finding> {
    let mut findings = Vec::new();
    for team in config.teams.values() {
        let Some(schedule) = config.schedules.get(&team.schedule) else { continue };
        let gaps = coverage::gaps(schedule, overrides, now, now + AHEAD);
        let Some(first) = gaps.first() else { continue };
        let (from, to) = (words::dated(first.start, &schedule.zone), words::dated(first.end, &schedule.zone));
        let more = match gaps.len() {
            1 => String::new(),
            n => format!(", and {} more times in the next six weeks", n - 1),
        };
        let now_open = first.start <= now;
        let when = if now_open { format!("now, until {to}") } else { format!("from {from} to {to}") };
        let finding = format!(
            "{}: nobody is on call {when}{more} ({}). Whoever is next is paged at once then; add people or a layer, or let \
             somebody stand in",
            team.name, schedule.zone
        );
        findings.push(Topic::OnCall.warning(finding));
    }
    if findings.is_empty() && !config.teams.is_empty() {
        findings.push(Topic::OnCall.good("somebody is on call for every team at every hour of the next six weeks"));
    }
    findings
}

/// Everybody who may be paged within [`AHEAD`]: by their shifts, or because a team names them.
pub fn paged(config: &Config, overrides: &[Override], now: Time) -> BTreeSet<PersonKey> {
    let mut people: BTreeSet<PersonKey> = turns(config, overrides, now).into_keys().collect();
    for team in config.teams.values() {
        people.extend([&team.lead, &team.manager, &team.executive].into_iter().flatten().cloned());
        people.extend(team.last_resort.iter().cloned());
    }
    people
}

/// The lines of a person that nobody there has read or heard a code on.
pub fn unproven<'p>(person: &'p Person, proven: &Proven) -> Vec<(&'p ContactMethod, Channel)> {
    let lines = person.contact.iter().flat_map(|line| line.channels.iter().map(move |channel| (line, *channel)));
    lines.filter(|(line, channel)| !is_proven(person, line, *channel, proven)).collect()
}

/// Whether a code came through to this line.
pub fn is_proven(person: &Person, line: &ContactMethod, channel: Channel, proven: &Proven) -> bool {
    let (key, address) = (person.key.as_str().to_owned(), line.address.as_str().to_owned());
    proven.contains(&(key, address, channel.as_str().to_owned()))
}

/// Phones that may not work, of those who may be paged.
pub fn lines(config: &Config, people: &BTreeSet<PersonKey>, proven: &Proven) -> Vec<Finding> {
    let mut findings = Vec::new();
    for person in people.iter().filter_map(|key| config.people.get(key)) {
        let open = unproven(person, proven);
        if open.is_empty() {
            continue;
        }
        let by = |line: &ContactMethod| -> String {
            let of_line = open.iter().filter(|(other, _)| other.name == line.name);
            let words = of_line.map(|(_, channel)| if *channel == Channel::Sms { "text" } else { "call" });
            format!("{} ({})", line.name, words.collect::<Vec<_>>().join(", "))
        };
        let mut named: Vec<String> = open.iter().map(|(line, _)| by(line)).collect();
        named.dedup();
        findings.push(Topic::Lines.warning(format!("{} has not proven {}", person.name, named.join(", "))));
    }
    if findings.is_empty() && !people.is_empty() {
        findings.push(Topic::Lines.good("every line of everybody who may be paged was proven with a code"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::Role, people::E164, readiness::Health, sla::Zone};

    fn person(key: &str) -> Person {
        let address = E164::parse("+12015550123").unwrap();
        let line = ContactMethod { name: "mobile".into(), address, channels: vec![Channel::Sms, Channel::Voice] };
        Person {
            key: key.into(),
            name: "Ben".into(),
            zone: Zone::utc(),
            language: "en".into(),
            contact: vec![line],
            rules: BTreeMap::new(),
            mail: None,
            role: Role::Responder,
        }
    }

    #[test]
    fn a_line_is_proven_by_its_number_and_its_channel() {
        let config = Config { people: [("ben".into(), person("ben"))].into(), ..Config::default() };
        let people = BTreeSet::from(["ben".into()]);
        let proof = |address: &str, channel: &str| ("ben".to_owned(), address.to_owned(), channel.to_owned());
        let words = |proven: &[_]| {
            let found = lines(&config, &people, &proven.iter().cloned().collect());
            (found[0].health, found[0].words.clone())
        };
        let open = "Ben has not proven mobile (text, call)";
        assert_eq!(words(&[]), (Health::Warning, open.into()));
        assert_eq!(words(&[proof("+12015550124", "sms")]), (Health::Warning, open.into()), "another number");
        let (sms, voice) = (proof("+12015550123", "sms"), proof("+12015550123", "voice"));
        assert_eq!(words(std::slice::from_ref(&sms)), (Health::Warning, "Ben has not proven mobile (call)".into()));
        assert_eq!(words(&[sms, voice]).0, Health::Good);
    }
}
