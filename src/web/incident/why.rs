//! Why somebody was paged, and why somebody was not: every decision with its rule and what the carrier said. Pure.

use crate::{
    api::{store::AttemptRow, view},
    clock::Time,
    escalation::Ladder,
    id::{PageId, PersonKey},
    incident::{Event, Incident, Recorded, World, timeline},
    paging::{Outcome, Purpose, Stage},
    people::Person,
};

/// One decision to reach one person, or not to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub at: Option<Time>,
    /// `Anna Reyes was paged: level on-call, new`
    pub words: String,
    pub attempts: Vec<Line>,
}

/// One text or call of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `text to mobile …01`
    pub what: String,
    /// The rule that it comes from.
    pub rule: String,
    pub sent_at: Option<Time>,
    /// What became of it.
    pub outcome: &'static str,
    /// What stood in its way, and the carrier's answer.
    pub detail: String,
}

/// Every decision so far, and who stands on the levels that were not paged.
pub fn decisions(
    incident: &Incident,
    events: &[Recorded],
    attempts: &[AttemptRow],
    world: World<'_>,
    now: Time,
) -> Vec<Decision> {
    let config = world.config;
    let mut decisions = Vec::new();
    for recorded in events {
        match &recorded.event {
            Event::Paged { page, person, .. } => {
                let level = incident.pages.get(page).and_then(|page| page.level);
                let level = level.map(|level| format!(" on level {}", level + 1)).unwrap_or_default();
                let id = PageId::of(&incident.id, *page).to_string();
                let of_page = attempts.iter().filter(|row| row.page_id.as_ref() == Some(&id));
                let known = config.people.get(person);
                decisions.push(Decision {
                    at: Some(recorded.at),
                    words: format!("{}{level}", timeline::words(recorded, config, &incident.zone)),
                    attempts: of_page.map(|row| line(row, known, incident)).collect(),
                });
            }
            Event::LevelSkipped { .. }
            | Event::LadderExhausted
            | Event::PageExhausted { .. }
            | Event::Acknowledged { .. }
            | Event::PassedOn { .. }
            | Event::AcknowledgementLapsed { .. } => decisions.push(Decision {
                at: Some(recorded.at),
                words: timeline::words(recorded, config, &incident.zone),
                attempts: Vec::new(),
            }),
            _ => {}
        }
    }
    decisions.extend(calls(incident, attempts, world));
    decisions.sort_by_key(|decision| decision.at);
    decisions.extend(not_paged(incident, world, now));
    decisions
}

/// The calls to the customer that people asked for.
fn calls(incident: &Incident, attempts: &[AttemptRow], world: World<'_>) -> Vec<Decision> {
    let asked = attempts.iter().filter(|row| row.purpose == Purpose::Callback);
    let decision = |row: &AttemptRow| {
        let key = row.person.as_deref().map(PersonKey::from);
        let name = key.as_ref().map_or_else(|| "Somebody".into(), |key| view::person(key, world.config).name);
        let known = key.and_then(|key| world.config.people.get(&key));
        let call = Line { rule: "asked for by hand".into(), ..line(row, known, incident) };
        Decision {
            at: Some(row.created_at),
            words: format!("{name} asked to talk to the customer"),
            attempts: vec![call],
        }
    };
    asked.map(decision).collect()
}

/// Those on the ladder whom nobody has paged, with the reason.
fn not_paged(incident: &Incident, world: World<'_>, now: Time) -> Vec<Decision> {
    let ladder = Ladder::of(world.config, &incident.team, incident.priority);
    let paged: Vec<&PersonKey> = incident.pages.values().map(|page| &page.person).collect();
    let next = incident.climb.next_at.map(|at| (incident.climb.level.map_or(0, |level| level + 1), at));
    let mut decisions: Vec<Decision> = Vec::new();
    for index in 0..=ladder.last_resort() {
        let rung = ladder.rung(index, world, now);
        for person in rung.people.iter().filter(|person| !paged.contains(person)) {
            let name = view::person(person, world.config).name;
            if decisions.iter().any(|decision| decision.words.starts_with(&format!("{name} was not paged"))) {
                continue;
            }
            let why = match (&incident.holder, next) {
                _ if !incident.is_open() => "it was over before that level was reached".into(),
                _ if incident.begins_at.is_some() => "nobody is paged before work begins".into(),
                _ if incident.ruled_out.is_some() => "the trouble was ruled out".into(),
                (Some(holder), _) => format!("{} has it", view::actor(&holder.who, world.config).name),
                (None, Some((level, _))) if level == index => "that level is the next one".into(),
                _ => "that level is not reached yet".into(),
            };
            decisions.push(Decision {
                at: None,
                words: format!("{name} was not paged: stands on level {} ({}), and {why}", index + 1, rung.name),
                attempts: Vec::new(),
            });
        }
    }
    decisions
}

fn line(row: &AttemptRow, person: Option<&Person>, incident: &Incident) -> Line {
    let call = row.channel == "voice";
    let method = person.and_then(|person| person.contact.iter().find(|method| method.address.as_str() == row.address));
    let to = method.map_or_else(|| "a line that is gone from people.toml".into(), |method| method.name.clone());
    let rules = person.map(|person| person.rules_for(incident.priority)).unwrap_or_default();
    let rule = rules.iter().enumerate().find(|(_, rule)| {
        rule.channel.as_str() == row.channel && method.is_some_and(|method| method.name == rule.method)
    });
    let rule = match rule {
        Some((place, rule)) if rule.after.delta().is_zero() => {
            format!("rule {} for {}: at once", place + 1, incident.priority)
        }
        Some((place, rule)) => format!("rule {} for {}: after {}", place + 1, incident.priority, rule.after),
        None => "no rule of theirs: added because another way failed".into(),
    };
    let carrier = row.carrier.as_ref().map(|carrier| format!("carrier {carrier}"));
    let status = row.status.as_ref().map(|status| format!("says {}", status.replace('_', " ")));
    let code = row.error_code.as_ref().map(|code| format!("code {code}"));
    let tries = (row.tries > 1).then(|| format!("tried {} times", row.tries));
    let parts = [carrier, status, code, row.reason.clone(), tries];
    Line {
        what: format!("{} to {to} {}", if call { "call" } else { "text" }, view::masked(&row.address)),
        rule,
        sent_at: row.sent_at,
        outcome: outcome(row.outcome, row.stage),
        detail: parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
    }
}

fn outcome(outcome: Option<Outcome>, stage: Stage) -> &'static str {
    match (outcome, stage) {
        (Some(Outcome::Answered), _) => "answered",
        (Some(Outcome::NoHuman), _) => "no human at the other end",
        (Some(Outcome::NoAnswer), _) => "rang out",
        (Some(Outcome::Delivered), _) => "delivered",
        (Some(Outcome::Unreachable), _) => "failed",
        (Some(Outcome::Cancelled), _) => "not needed any more",
        (Some(Outcome::Expired), _) => "too late to send",
        (None, Stage::Waiting) => "waits for its time",
        (None, Stage::Sending) => "is being sent",
        (None, Stage::Sent) => "the carrier has it",
        (None, Stage::HangingUp) => "is being hung up",
        (None, Stage::Over) => "over",
    }
}
