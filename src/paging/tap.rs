//! What somebody does on the page that their text leads to: the same acts as by reply, for the page it stands for.

use chrono::TimeDelta;

use super::{draft, receipt, store};
use crate::{
    clock::Time,
    id::{IncidentId, PageId},
    incident::{Actor, Command, Event, Incident, Recorded, Refusal, Via, door::DoorError, store as incidents},
    people::{Channel, Person},
    server::App,
    store::{Tx, retry::retried},
};

/// How many notes one person leaves here about one incident: after that, its whole page is the place.
const MOST_NOTES: usize = 20;

/// The same offer within this time is one.
const SAME_OFFER: TimeDelta = TimeDelta::minutes(15);

/// What begins a note that says when somebody is on it.
const ETA: &str = "On it, ETA ";

/// What ends a note that says that somebody could help.
const OFFER: &str = "offers to help.";

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tap {
    Take,
    PassOn,
    /// In so many minutes they are on it; takes it, if nobody else has it.
    Eta(u16),
    /// Somebody else has it, and is told that there is help.
    Help,
}

/// Carries it out as the person who was paged.
pub async fn tap(app: &App, id: &IncidentId, number: u32, tap: Tap) -> Result<(), DoorError> {
    retried(|| async {
        let mut tx = app.db.begin().await?;
        tap_in(app, &mut tx, id, number, tap).await?;
        tx.commit().await?;
        app.bell.ring();
        Ok(())
    })
    .await
}

async fn tap_in(app: &App, tx: &mut Tx, id: &IncidentId, number: u32, tap: Tap) -> Result<(), DoorError> {
    // First: whoever acts on an incident locks it before its attempts.
    let incident = incidents::load_for_update(tx, id).await?.ok_or(Refusal::Unknown)?;
    let key = incident.pages.get(&number).ok_or(Refusal::Unknown)?.person.clone();
    let config = app.config.load_full();
    let me = config.people.get(&key).ok_or(Refusal::UnknownPerson(key))?;
    let by = Actor::Person(me.key.clone());
    let command = |tap| match tap {
        Tap::PassOn => Command::PassOn { by: by.clone(), via: Via::Web, page: Some(number) },
        _ => Command::Acknowledge { by: by.clone(), via: Via::Web, page: Some(number) },
    };
    // Whoever says when they are on it has answered the page that rings for it.
    let events = incidents::events(tx, id, 0).await?;
    let rings = incident.pages.get(&number).is_some_and(|page| page.open);
    let answers = rings || !is_on_it(&incident, &events, me);
    if matches!(tap, Tap::Take | Tap::PassOn) || (matches!(tap, Tap::Eta(_)) && answers) {
        answered(app, tx, &PageId::of(id, number)).await?;
        match app.door.execute_in(tx, id, command(tap)).await {
            Ok(_) => {}
            // Pressed twice.
            Err(DoorError::Refused(Refusal::AlreadyAcknowledged { by: holder, .. })) if holder == by => {}
            Err(error) => return Err(error),
        }
    }
    let text = match tap {
        Tap::Take | Tap::PassOn => return Ok(()),
        Tap::Eta(minutes) => format!("{ETA}{}.", span(minutes)),
        Tap::Help => format!("{} {OFFER}", me.name),
    };
    note(app, tx, &incident, me, text, tap == Tap::Help).await
}

/// Whether they have it, or said that they help whoever has it.
pub fn is_on_it(incident: &Incident, events: &[Recorded], me: &Person) -> bool {
    on_it_since(incident, events, me).is_some()
}

/// Since when. To be asked for help is not to give it: only their own word counts, and the last one.
fn on_it_since(incident: &Incident, events: &[Recorded], me: &Person) -> Option<Time> {
    let me = Actor::Person(me.key.clone());
    let holder = incident.holder.as_ref()?;
    if holder.who == me {
        return Some(holder.since);
    }
    let last = events.iter().rev().find_map(|recorded| match &recorded.event {
        Event::PageAnswered { by, .. } if *by == me => Some(Some(recorded.at)),
        Event::Acknowledged { by, .. } | Event::PassedOn { by, .. } if *by == me => Some(None),
        _ => None,
    });
    last.flatten()
}

/// When they said they would be on it, in their words, the last time since they took it or came to help.
pub fn eta(incident: &Incident, events: &[Recorded], me: &Person) -> Option<String> {
    let since = on_it_since(incident, events, me)?;
    let mut since_then = notes(events, me).rev().take_while(|(recorded, _)| recorded.at >= since);
    since_then.find_map(|(_, text)| Some(text.strip_prefix(ETA)?.trim_end_matches('.').to_owned()))
}

/// Whether they offered to help a moment ago, and nobody need be told so again.
pub fn offered(events: &[Recorded], me: &Person, now: Time) -> bool {
    notes(events, me).any(|(recorded, text)| text.ends_with(OFFER) && now - recorded.at < SAME_OFFER)
}

/// What they noted that the customer does not see.
fn notes<'a>(
    events: &'a [Recorded],
    me: &'a Person,
) -> impl DoubleEndedIterator<Item = (&'a Recorded, &'a str)> + use<'a> {
    events.iter().filter_map(|recorded| match &recorded.event {
        Event::Updated { by: Actor::Person(key), text, customer_visible: false, .. } if *key == me.key => {
            Some((recorded, text.as_str()))
        }
        _ => None,
    })
}

/// The texts that were read are answered: ending the page leaves them so.
async fn answered(app: &App, tx: &mut Tx, page: &PageId) -> sqlx::Result<()> {
    let now = app.clock.now();
    for mut attempt in store::of_page(tx, page).await? {
        if attempt.channel == Channel::Sms && attempt.sent_at.is_some() {
            let before = attempt.outcome;
            attempt.answer(now);
            receipt::keep(app, tx, &attempt, before, now).await?;
        }
    }
    Ok(())
}

/// Writes a note that the customer does not see; with `tell`, whoever has it gets it as a text.
async fn note(
    app: &App,
    tx: &mut Tx,
    incident: &Incident,
    me: &Person,
    text: String,
    tell: bool,
) -> Result<(), DoorError> {
    let (now, events) = (app.clock.now(), incidents::events(tx, &incident.id, 0).await?);
    if notes(&events, me).count() >= MOST_NOTES {
        return Err(Refusal::Invalid("you noted enough here; the incident's own page takes more".into()).into());
    }
    if notes(&events, me).any(|(recorded, said)| said == text && now - recorded.at < SAME_OFFER) {
        return Ok(());
    }
    let told = format!("{}: {text}", incident.reference);
    let command = Command::PostUpdate { by: Actor::Person(me.key.clone()), text, customer_visible: false };
    let incident = app.door.execute_in(tx, &incident.id, command).await?;
    let config = app.config.load_full();
    let holder = match incident.holder.as_ref().map(|holder| &holder.who) {
        Some(Actor::Person(key)) if tell && *key != me.key => config.people.get(key),
        _ => None,
    };
    if let Some(attempt) = holder.and_then(|holder| draft::to_person(&incident, holder, &told, now)) {
        store::insert(tx, &attempt).await?;
    }
    Ok(())
}

/// `15 min`, `1 h`.
fn span(minutes: u16) -> String {
    if minutes > 0 && minutes.is_multiple_of(60) { format!("{} h", minutes / 60) } else { format!("{minutes} min") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_said_as_people_say_them() {
        assert_eq!([5, 30, 60, 120, 90, 0].map(span), ["5 min", "30 min", "1 h", "2 h", "90 min", "0 min"]);
    }
}
