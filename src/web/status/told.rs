//! What a customer is told of their incident: the state in plain words, the last update, the promises. Nothing of ours
//! is in it: no names, no notes, no ladder. Pure.

use chrono::TimeDelta;

use crate::{
    clock::Time,
    incident::{Event, Incident, Phase, Recorded},
    people::E164,
};

/// What is said from the page, by phone and by text counts together: so many an hour are enough.
const MOST_AN_HOUR: usize = 10;

/// Saying again that it got worse within this time is heard, and pages nobody further.
const SAME_ALARM: TimeDelta = TimeDelta::minutes(10);

/// What a customer sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub reference: String,
    pub opened_at: Time,
    /// `An engineer is working on it`
    pub state: &'static str,
    /// More of it, and a time where it has one.
    pub detail: Option<String>,
    pub at: Option<Time>,
    /// Good news, or a question that waits for them.
    pub style: &'static str,
    pub phase: Phase,
    /// The last update they were given.
    pub last: Option<(String, Time)>,
    pub next_by: Option<Time>,
    pub callback: Option<Callback>,
    /// By when it is promised to be over, if that is still to come.
    pub over_by: Option<Time>,
    /// The last digits of where we call them.
    pub number: Option<String>,
}

/// How it is with the call that was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callback {
    By(Time),
    /// It was due then, and is still owed.
    Missed(Time),
    Made {
        at: Time,
        late: bool,
    },
}

impl Told {
    /// Of an incident, as it is now.
    pub fn of(incident: &Incident) -> Told {
        let (state, detail, at, style) = state(incident);
        let open = incident.is_open();
        Told {
            reference: incident.reference.clone(),
            opened_at: incident.opened_at,
            state,
            detail,
            at,
            style,
            phase: incident.phase,
            last: incident.updates.last_text.clone().zip(incident.updates.last_at),
            next_by: incident.next_update_due(),
            callback: callback(incident),
            over_by: incident.resolution.filter(|resolution| open && resolution.is_owed()).map(|owed| owed.due),
            number: incident.contact.number.as_deref().and_then(|it| E164::parse(it).ok()).map(|it| it.masked()),
        }
    }

    pub fn open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether saying that it is back opens it again.
    pub fn reopens(&self) -> bool {
        matches!(self.phase, Phase::Resolved | Phase::Idle)
    }
}

fn state(incident: &Incident) -> (&'static str, Option<String>, Option<Time>, &'static str) {
    let closed_at = incident.closed_at;
    match incident.phase {
        Phase::Resolved => return ("It is resolved", None, closed_at, "good"),
        Phase::Idle => return ("It is closed, because we did not hear from you", None, closed_at, "soon"),
        Phase::Cancelled => return ("It is closed: it was opened by mistake", None, closed_at, ""),
        Phase::Open => {}
    }
    if let Some(waiting) = &incident.waiting {
        return ("We need to hear from you", Some(waiting.reason.clone()), None, "soon");
    }
    if let Some(ruled_out) = &incident.ruled_out {
        return ("Our part was ruled out as the cause", Some(ruled_out.note.clone()), None, "");
    }
    if let Some(begins_at) = incident.begins_at {
        return ("We have your report; work on it begins", None, Some(begins_at), "");
    }
    match &incident.holder {
        Some(_) => ("An engineer is working on it", None, None, "good"),
        None if incident.wakes() => ("Our engineers are being called", None, None, ""),
        None => ("We have your report", None, None, ""),
    }
}

fn callback(incident: &Incident) -> Option<Callback> {
    let response = &incident.response;
    match (&response.met, response.due) {
        (Some(met), _) => Some(Callback::Made { at: met.at, late: met.late }),
        (None, _) if !incident.is_open() => None,
        (None, Some(due)) if response.missed => Some(Callback::Missed(due)),
        (None, Some(due)) => Some(Callback::By(due)),
        (None, None) => None,
    }
}

/// Whether enough was said for now: whoever cannot wait has to call.
pub(super) fn said_enough(events: &[Recorded], now: Time) -> bool {
    let said = |event: &Event| matches!(event, Event::CustomerReplied { .. } | Event::CustomerEscalated { .. });
    let lately = events.iter().rev().take_while(|recorded| now - recorded.at < TimeDelta::hours(1));
    lately.filter(|recorded| said(&recorded.event)).count() >= MOST_AN_HOUR
}

/// Whether somebody higher was asked for a moment ago.
pub(super) fn raised_lately(events: &[Recorded], now: Time) -> bool {
    let lately = events.iter().rev().take_while(|recorded| now - recorded.at < SAME_ALARM);
    lately.into_iter().any(|recorded| matches!(recorded.event, Event::CustomerEscalated { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{Actor, Contact, Evidence, Via},
        paging::message::tests::incident,
    };

    fn at(seconds: i64) -> Time {
        "2026-11-01T12:00:00Z".parse::<Time>().unwrap() + TimeDelta::seconds(seconds)
    }

    fn ben() -> Actor {
        Actor::Person("ben".into())
    }

    fn recorded(seconds: i64, event: Event) -> Recorded {
        Recorded { seq: 9, at: at(seconds), event }
    }

    fn after(events: impl IntoIterator<Item = Event>) -> Incident {
        let mut incident = incident();
        for event in events {
            incident.apply(&Recorded { seq: incident.seq + 1, at: at(600), event });
        }
        incident
    }

    fn took() -> Event {
        Event::Acknowledged { by: ben(), via: Via::Web, page: None, lapses_after: 3600 }
    }

    fn updated(text: &str, customer_visible: bool) -> Event {
        let (window, why_not) = (Some(1), None);
        Event::Updated { by: ben(), text: text.into(), customer_visible, window, counts: customer_visible, why_not }
    }

    #[test]
    fn the_state_is_told_in_plain_words() {
        for (event, words, style) in [
            (None, "Our engineers are being called", ""),
            (Some(took()), "An engineer is working on it", "good"),
            (
                Some(Event::WaitingOnCustomer { by: ben(), reason: "Which shop?".into() }),
                "We need to hear from you",
                "soon",
            ),
            (Some(Event::RuledOut { by: ben(), note: "not ours".into() }), "Our part was ruled out as the cause", ""),
            (Some(Event::Resolved { by: ben(), note: "secret".into() }), "It is resolved", "good"),
            (Some(Event::ClosedIdle { due: at(1) }), "It is closed, because we did not hear from you", "soon"),
            (Some(Event::Cancelled { by: ben(), reason: "x".into() }), "It is closed: it was opened by mistake", ""),
        ] {
            let told = Told::of(&after(event));
            assert_eq!((told.state, told.style), (words, style));
        }
    }

    #[test]
    fn nothing_of_ours_is_in_it() {
        let told = Told::of(&after([took(), updated("The disk of shop-3 is full.", false)]));
        let words = format!("{told:?}").to_lowercase();
        for ours in ["ben", "shop-3", "payments", "on-call", "checkout", "acme", "+1201"] {
            assert!(!words.contains(ours), "{ours}: {words}");
        }
        assert_eq!((told.last, told.number.as_deref()), (None, Some("…99")));
    }

    #[test]
    fn the_last_update_and_the_next_promise_are_told() {
        let told = Told::of(&after([took(), updated("We are on it.", true)]));
        assert_eq!(told.last, Some(("We are on it.".into(), at(600))));
        assert_eq!(told.next_by, Some(at(7200)), "the window that runs is met: the next one counts");
        assert_eq!(Told::of(&incident()).next_by, Some(at(3600)));
    }

    #[test]
    fn a_callback_is_owed_until_somebody_spoke_to_them() {
        assert_eq!(Told::of(&incident()).callback, Some(Callback::By(at(1800))));
        let missed = Event::ResponseMissed { due: at(1800) };
        assert_eq!(Told::of(&after([missed.clone()])).callback, Some(Callback::Missed(at(1800))));
        let evidence = Evidence::Attested { note: "spoke".into() };
        let made = Event::Responded { by: ben(), evidence, late: true };
        let made = Told::of(&after([missed, made])).callback;
        assert_eq!(made, Some(Callback::Made { at: at(600), late: true }));
    }

    #[test]
    fn so_many_words_an_hour_are_enough_and_an_alarm_is_one_for_ten_minutes() {
        let worse = || Event::CustomerEscalated { why: "worse".into(), level: None, occurred_at: None, offered: true };
        let reply = || Event::CustomerReplied { text: "still".into() };
        let mut events: Vec<Recorded> = (0..9).map(|n| recorded(n, reply())).collect();
        assert!(!said_enough(&events, at(60)) && !raised_lately(&events, at(60)));
        events.push(recorded(60, worse()));
        assert!(said_enough(&events, at(61)) && raised_lately(&events, at(659)));
        assert!(!raised_lately(&events, at(660)) && !said_enough(&events, at(3600)));
        let amended = Event::Amended { contact: Contact::default(), title: None, detail: None };
        assert!(!said_enough(&vec![recorded(0, amended); 20], at(1)));
    }
}
