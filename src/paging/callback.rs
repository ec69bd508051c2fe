//! A call to the customer that one of our people asks for: their own phone rings, and 5 puts them through. Pure.
//!
//! Only so is the conversation measured, and the promise met by more than somebody's word.

use super::{Attempt, Purpose, draft};
use crate::{
    clock::Time,
    incident::Incident,
    people::{Channel, E164, Person},
};

/// Why nobody's phone rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCall {
    #[error("it is closed; reopen it first")]
    Closed,
    #[error("the customer left no number that can be called")]
    NoNumber,
    #[error("people.toml has no line that takes calls for whoever is to be rung")]
    NoLine,
    #[error("the phone is being rung already: answer it, and press 5")]
    Rings,
}

/// The customer's number, if it can be dialled.
pub fn number(incident: &Incident) -> Option<E164> {
    incident.contact.number.as_deref().and_then(|number| E164::dialable(number).ok())
}

/// Whether a person's phone can be rung for it.
pub fn possible(incident: &Incident, person: &Person) -> bool {
    let calls = person.contact.iter().any(|line| line.channels.contains(&Channel::Voice));
    incident.is_open() && number(incident).is_some() && calls
}

/// The call to `person` that puts them through. `before`: the incident's attempts so far.
pub fn wanted(incident: &Incident, person: &Person, before: &[Attempt], now: Time) -> Result<Attempt, NoCall> {
    if !incident.is_open() {
        return Err(NoCall::Closed);
    }
    if number(incident).is_none() {
        return Err(NoCall::NoNumber);
    }
    let rings = |attempt: &Attempt| {
        attempt.purpose == Purpose::Callback
            && attempt.person.as_ref() == Some(&person.key)
            && attempt.outcome.is_none()
    };
    if before.iter().any(rings) {
        return Err(NoCall::Rings);
    }
    draft::callback(incident, person, now).ok_or(NoCall::NoLine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::Role,
        incident::{Actor, Event, Recorded},
        paging::{Outcome, message::tests::incident},
        people::ContactMethod,
        sla::Zone,
    };

    fn ben(channels: &[Channel]) -> Person {
        let address = E164::parse("+12015550101").unwrap();
        Person {
            key: "ben".into(),
            name: "Ben".into(),
            zone: Zone::utc(),
            language: "en".into(),
            contact: vec![ContactMethod { name: "mobile".into(), address, channels: channels.into() }],
            rules: Default::default(),
            mail: None,
            role: Role::Responder,
        }
    }

    #[test]
    fn a_phone_rings_once_for_an_open_incident_with_a_number() {
        let now: Time = "2026-11-01T12:05:00Z".parse().unwrap();
        let (open, ben, texts) = (incident(), ben(&[Channel::Sms, Channel::Voice]), ben(&[Channel::Sms]));
        let call = wanted(&open, &ben, &[], now).unwrap();
        assert_eq!((call.purpose, call.channel, call.page.as_ref()), (Purpose::Callback, Channel::Voice, None));
        assert_eq!((call.address.as_str(), call.wake_at), ("+12015550101", Some(now)));

        assert_eq!(wanted(&open, &ben, std::slice::from_ref(&call), now), Err(NoCall::Rings));
        let carlas = Attempt { person: Some("carla".into()), ..call.clone() };
        let over = Attempt { outcome: Some(Outcome::NoAnswer), ..call.clone() };
        assert!(wanted(&open, &ben, &[carlas, over], now).is_ok());

        assert_eq!(wanted(&open, &texts, &[], now), Err(NoCall::NoLine));
        assert!(possible(&open, &ben) && !possible(&open, &texts));
        let mut silent = open.clone();
        silent.contact.number = Some("extension 5".into());
        assert_eq!(wanted(&silent, &ben, &[], now), Err(NoCall::NoNumber));
        let mut closed = open;
        let event = Event::Resolved { by: Actor::Person("ben".into()), note: String::new() };
        closed.apply(&Recorded { seq: closed.seq + 1, at: now, event });
        assert_eq!(wanted(&closed, &ben, &[], now), Err(NoCall::Closed));
        assert!(!possible(&closed, &ben) && !possible(&silent, &ben));
    }
}
