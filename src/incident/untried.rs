//! A call-back number that was changed on the customer's page: whoever dials it is told that nobody has tried it. Pure.

use super::{
    command::{Actor, Command},
    event::{Event, Recorded},
};
use crate::{clock::Time, people::E164};

/// How such a note begins; nobody else writes one in the customer's name.
const NOTE: &str = "The call-back number was changed on the customer's page";

/// The note that stands beside the change.
pub fn note(number: &E164) -> Command {
    let text = format!("{NOTE} to {}; nobody has tried it yet.", number.masked());
    Command::PostUpdate { by: Actor::Customer, text, customer_visible: false }
}

/// How often the number was changed there since `since`.
pub fn changes(events: &[Recorded], since: Time) -> usize {
    events.iter().filter(|recorded| recorded.at > since && is_note(&recorded.event)).count()
}

/// Since when the number is one from there, if nobody has spoken to the customer since.
pub fn since(events: &[Recorded]) -> Option<Time> {
    events.iter().fold(None, |known, recorded| match &recorded.event {
        event if is_note(event) => Some(recorded.at),
        Event::Amended { contact, .. } if contact.number.is_some() => None,
        Event::Responded { .. } => None,
        _ => known,
    })
}

fn is_note(event: &Event) -> bool {
    matches!(event, Event::Updated { by: Actor::Customer, text, customer_visible: false, .. } if text.starts_with(NOTE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Contact, Evidence};

    fn at(seconds: i64) -> Time {
        "2026-11-01T12:00:00Z".parse::<Time>().unwrap() + chrono::TimeDelta::seconds(seconds)
    }

    fn noted() -> Event {
        let Command::PostUpdate { by, text, customer_visible } = note(&E164::parse("+12015550199").unwrap()) else {
            panic!("a note")
        };
        assert_eq!(text, "The call-back number was changed on the customer's page to …99; nobody has tried it yet.");
        Event::Updated { by, text, customer_visible, window: None, counts: false, why_not: None }
    }

    fn amended(number: Option<&str>) -> Event {
        let contact = Contact { number: number.map(Into::into), name: Some("Ann".into()), mail: None };
        Event::Amended { contact, title: None, detail: None }
    }

    #[test]
    fn a_number_is_untried_until_somebody_spoke_to_the_customer_or_it_is_another() {
        let note = Evidence::Attested { note: "spoke".into() };
        let spoke = || Event::Responded { by: Actor::Person("ben".into()), evidence: note.clone(), late: false };
        let number = || amended(Some("+12015550199"));
        for (events, expected) in [
            (vec![], None),
            (vec![number()], None),
            (vec![number(), noted()], Some(at(1))),
            (vec![number(), noted(), amended(None)], Some(at(1))),
            (vec![number(), noted(), spoke()], None),
            (vec![number(), noted(), number()], None),
            (vec![spoke(), number(), noted()], Some(at(2))),
        ] {
            let recorded =
                |(place, event): (usize, &Event)| Recorded { seq: 1, at: at(place as i64), event: event.clone() };
            let recorded: Vec<Recorded> = events.iter().enumerate().map(recorded).collect();
            assert_eq!(since(&recorded), expected, "{events:?}");
        }
    }
}
