//! How it stands with an incident for one who was paged about it. Pure.

use crate::{
    api::view,
    clock::Time,
    config::Config,
    incident::{Actor, Incident, Recorded, untried},
    paging::{callback, message, tap},
    people::Person,
    sla::Priority,
};

/// At most so many others are named.
const MOST_BESIDE: usize = 6;

/// What it is about.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub reference: String,
    pub priority: Priority,
    pub customer: String,
    pub title: String,
    pub opened_at: Time,
    /// Why this page came, where that is not plain.
    pub why: String,
    /// Who else was paged, by name, and when: the last ones.
    pub beside: Vec<(String, Time)>,
    pub more_beside: usize,
    /// What is written before a reply.
    pub code: Option<String>,
    /// Whether it is open. One that is over still pages people while its analysis is late.
    pub running: bool,
}

/// What there is to do for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It can be taken. `holder`: who has it, where it would be taken over.
    Free { holder: Option<(String, Time)>, open: bool },
    /// Somebody has it and this page asks for another pair of hands.
    Asked { holder: (String, Time) },
    /// It is theirs. `rings`: this page reminds them of it, and goes on until they answer.
    Mine { since: Time, rings: bool, next: Next },
    /// Somebody else has it.
    Taken { holder: (String, Time), offered: bool, helping: Option<String> },
    /// Nothing is left to do; why.
    Over(String),
}

/// What whoever has it owes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Next {
    pub call_by: Option<Time>,
    pub late: bool,
    /// Whom to call.
    pub name: Option<String>,
    pub number: Option<String>,
    /// Whether their own phone can be rung, to be put through.
    pub put_through: bool,
    pub update_by: Option<Time>,
    /// Of the analysis of its cause, once it is over.
    pub analysis_by: Option<Time>,
    /// Since when the number is one from the customer's page that nobody has tried.
    pub untried: Option<Time>,
    /// `15 min`
    pub eta: Option<String>,
}

impl Facts {
    /// Of page `number` of an incident, for `me`.
    pub fn of(
        incident: &Incident,
        number: u32,
        me: &Person,
        code: Option<String>,
        config: &Config,
        now: Time,
    ) -> Facts {
        let mut beside: Vec<(String, Time)> = Vec::new();
        for page in incident.pages.values().filter(|page| page.person != me.key) {
            let name = view::person(&page.person, config).name;
            beside.retain(|(known, _)| *known != name);
            beside.push((name, page.at));
        }
        let more_beside = beside.len().saturating_sub(MOST_BESIDE);
        let page = incident.pages.get(&number);
        Facts {
            reference: incident.reference.clone(),
            priority: incident.priority,
            customer: incident.customer_name.clone(),
            title: message::short(&incident.title, 200),
            opened_at: incident.opened_at,
            why: page
                .filter(|page| (incident.is_open() || page.open) && page.at <= now)
                .map(|page| message::why(incident, page.cause, &me.zone))
                .unwrap_or_default(),
            beside: beside.split_off(more_beside),
            more_beside,
            code,
            running: incident.is_open(),
        }
    }
}

impl Stand {
    /// For `me`, who was paged with page `number`.
    pub fn of(incident: &Incident, number: u32, me: &Person, events: &[Recorded], config: &Config, now: Time) -> Stand {
        let page = incident.pages.get(&number);
        let open = page.is_some_and(|page| page.open);
        let mine = incident.holder.as_ref().is_some_and(|holder| holder.who == Actor::Person(me.key.clone()));
        let owed = mine && message::analysis_due(incident).is_some();
        if !(incident.is_open() || open || owed) {
            let words = message::taken(incident, config, &me.zone);
            return Stand::Over(words.unwrap_or_else(|| format!("{} is over.", incident.reference)));
        }
        let Some(holder) = &incident.holder else { return Stand::Free { holder: None, open } };
        if mine {
            return Stand::Mine { since: holder.since, rings: open, next: Next::of(incident, me, events, now) };
        }
        let named = (message::name(&holder.who, config), holder.since);
        match (open, page.and_then(|page| page.level)) {
            (true, None) => Stand::Asked { holder: named },
            (true, Some(_)) => Stand::Free { holder: Some(named), open },
            (false, _) => Stand::Taken {
                holder: named,
                offered: tap::offered(events, me, now),
                helping: tap::is_on_it(incident, events, me)
                    .then(|| tap::eta(incident, events, me).unwrap_or_default()),
            },
        }
    }
}

impl Next {
    fn of(incident: &Incident, me: &Person, events: &[Recorded], now: Time) -> Next {
        if !incident.is_open() {
            return Next { analysis_by: message::analysis_due(incident), ..Next::default() };
        }
        let call_by = message::response_due(incident);
        Next {
            call_by,
            late: call_by.is_some_and(|due| due < now),
            name: incident.contact.name.as_deref().map(|name| message::short(name, 60)),
            number: incident.contact.number.clone(),
            put_through: callback::possible(incident, me),
            update_by: message::update_due(incident),
            analysis_by: None,
            untried: untried::since(events),
            eta: tap::eta(incident, events, me),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        access::Role,
        incident::{Event, Via, effect::Cause},
        paging::message::tests::incident,
        sla::Zone,
    };

    fn at(seconds: i64) -> Time {
        "2026-11-01T12:00:00Z".parse::<Time>().unwrap() + chrono::TimeDelta::seconds(seconds)
    }

    fn person(key: &str) -> Person {
        Person {
            key: key.into(),
            name: key.to_uppercase(),
            zone: Zone::utc(),
            language: "en".into(),
            contact: Vec::new(),
            rules: BTreeMap::new(),
            mail: None,
            role: Role::Responder,
        }
    }

    fn config() -> Config {
        let people = ["ben", "carla", "dora"].map(|key| (key.into(), person(key)));
        Config { people: people.into(), ..Config::default() }
    }

    /// Incident 4821, Ben was paged with page 1.
    fn after(events: impl IntoIterator<Item = Event>) -> (Incident, Vec<Recorded>) {
        let (mut incident, mut all) = (incident(), Vec::new());
        for event in events {
            let recorded = Recorded { seq: incident.seq + 1, at: at(60), event };
            incident.apply(&recorded);
            all.push(recorded);
        }
        (incident, all)
    }

    fn stand(number: u32, who: &str, (incident, events): &(Incident, Vec<Recorded>)) -> Stand {
        Stand::of(incident, number, &person(who), events, &config(), at(120))
    }

    fn took(who: &str) -> Event {
        Event::Acknowledged { by: Actor::Person(who.into()), via: Via::Web, page: None, lapses_after: 3600 }
    }

    fn paged(page: u32, who: &str, level: Option<usize>) -> Event {
        Event::Paged { page, person: who.into(), level, cause: Cause::Asked }
    }

    fn said(who: &str, text: &str) -> Event {
        Event::Updated {
            by: Actor::Person(who.into()),
            text: text.into(),
            customer_visible: false,
            window: None,
            counts: false,
            why_not: None,
        }
    }

    #[test]
    fn what_nobody_has_can_be_taken() {
        assert_eq!(stand(1, "ben", &after([])), Stand::Free { holder: None, open: true });
        let passed = Event::PassedOn { by: Actor::Person("ben".into()), via: Via::Web };
        assert_eq!(stand(1, "ben", &after([passed])), Stand::Free { holder: None, open: false });
    }

    #[test]
    fn whoever_has_it_is_told_what_is_owed_and_whom_to_call() {
        let Stand::Mine { since, rings: false, next } =
            stand(1, "ben", &after([took("ben"), said("ben", "On it, ETA 15 min.")]))
        else {
            panic!("it is theirs")
        };
        assert_eq!(since, at(60));
        assert_eq!(next.call_by, Some(at(1800)));
        assert_eq!(
            (next.late, next.number.as_deref(), next.name.as_deref()),
            (false, Some("+12015550199"), Some("Ann"))
        );
        assert_eq!((next.update_by, next.eta.as_deref()), (Some(at(3600)), Some("15 min")));
    }

    #[test]
    fn whoever_has_it_and_is_paged_about_it_can_answer_that_page() {
        let reminded = after([took("ben"), paged(2, "ben", None)]);
        assert!(matches!(stand(2, "ben", &reminded), Stand::Mine { rings: true, .. }));
        assert!(matches!(stand(1, "ben", &reminded), Stand::Mine { rings: false, .. }));
    }

    #[test]
    fn what_somebody_said_before_it_was_passed_on_is_not_said_again_when_they_take_it_again() {
        let cannot = Event::PassedOn { by: Actor::Person("ben".into()), via: Via::Web };
        let (mut incident, mut events) = after([took("ben"), said("ben", "On it, ETA 15 min."), cannot]);
        let again = Recorded { seq: incident.seq + 1, at: at(90), event: took("ben") };
        incident.apply(&again);
        events.push(again);
        let Stand::Mine { next, .. } = stand(1, "ben", &(incident, events)) else { panic!("it is theirs") };
        assert_eq!(next.eta, None);
    }

    #[test]
    fn what_another_has_is_theirs_and_help_can_be_offered_once() {
        let carla = ("CARLA".to_owned(), at(60));
        let taken = |offered| Stand::Taken { holder: carla.clone(), offered, helping: None };
        assert_eq!(stand(1, "ben", &after([took("carla")])), taken(false));
        assert_eq!(stand(1, "ben", &after([took("carla"), said("ben", "BEN offers to help.")])), taken(true));
        // Called in by Carla, and once the page is answered.
        let called = Event::ResponderAdded { by: Actor::Person("carla".into()), person: "ben".into() };
        let asked = [took("carla"), called, paged(2, "ben", None)];
        assert_eq!(stand(2, "ben", &after(asked.clone())), Stand::Asked { holder: carla.clone() });
        let answered = Event::PageAnswered { by: Actor::Person("ben".into()), via: Via::Web, page: 2 };
        let helps = Stand::Taken { holder: carla.clone(), offered: false, helping: Some(String::new()) };
        assert_eq!(stand(2, "ben", &after(asked.clone().into_iter().chain([answered.clone()]))), helps);
        // To be asked is not to help, and their last word counts.
        let cannot = Event::PassedOn { by: Actor::Person("ben".into()), via: Via::Web };
        assert_eq!(stand(2, "ben", &after(asked.clone().into_iter().chain([cannot.clone()]))), taken(false));
        assert_eq!(stand(2, "ben", &after(asked.into_iter().chain([answered, cannot]))), taken(false));
        // A higher level, because of a promise: it can be taken over.
        let climbed = [took("carla"), paged(2, "dora", Some(1))];
        assert_eq!(stand(2, "dora", &after(climbed)), Stand::Free { holder: Some(carla), open: true });
    }

    #[test]
    fn what_is_over_says_so() {
        let end = Event::Resolved { by: Actor::Person("ben".into()), note: String::new() };
        assert_eq!(stand(1, "ben", &after([took("ben"), end.clone()])), Stand::Over("4821 is resolved.".into()));
        // People are paged about its analysis all the same.
        let asked = [took("carla"), end, paged(2, "ben", Some(0))];
        assert!(matches!(stand(2, "ben", &after(asked.clone())), Stand::Free { open: true, .. }));
        assert_eq!(stand(1, "carla", &after(asked)), Stand::Over("4821 is resolved.".into()));
    }

    #[test]
    fn those_who_were_paged_beside_are_named_once_and_not_all_of_them() {
        let many = (2..20).map(|page| paged(page, &format!("p{:02}", page / 2), Some(1)));
        let (incident, _) = after(many.chain([paged(20, "ben", None)]));
        let facts = Facts::of(&incident, 1, &person("ben"), Some("37".into()), &config(), at(120));
        let names: Vec<&str> = facts.beside.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names, facts.more_beside), (vec!["p04", "p05", "p06", "p07", "p08", "p09"], 3));
    }
}
