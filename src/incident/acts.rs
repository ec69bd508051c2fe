//! What people do about an incident.

use super::{
    command::{Actor, CONVERSATION_SECONDS, Contact, Evidence, RcaStage, Via},
    decide::Refusal,
    draft::Draft,
    effect::{Attachment, Cause, Recipient},
    event::Event,
    state::{Met, PageState},
    words,
};
use crate::{
    id::PersonKey,
    sla::{Pausable, Priority},
};

/// The longest update, in characters: what a text can carry without being cut by a carrier.
const LONGEST_UPDATE: usize = 1500;

/// The longest analysis of a cause, in bytes.
const LONGEST_RCA: usize = 64 * 1024;

pub(super) fn amend(draft: &mut Draft<'_>, contact: &Contact, title: Option<&str>, detail: Option<&str>) {
    // A caller's every step tells all of it again; only what is new happened.
    let known = &draft.incident;
    let (before, news) = (
        known.contact.number.clone(),
        Event::Amended {
            contact: Contact {
                name: contact.name.clone().filter(|name| known.contact.name.as_ref() != Some(name)),
                number: contact.number.clone().filter(|number| known.contact.number.as_ref() != Some(number)),
                mail: contact.mail.clone().filter(|mail| known.contact.mail.as_ref() != Some(mail)),
            },
            title: title.filter(|title| *title != known.title).map(Into::into),
            detail: detail.filter(|detail| *detail != known.detail).map(Into::into),
        },
    );
    if news == (Event::Amended { contact: Contact::default(), title: None, detail: None }) {
        return;
    }
    let words_came = matches!(&news, Event::Amended { detail: Some(_), .. });
    draft.record(news);
    if words_came && draft.incident.is_open() && !draft.incident.wakes() {
        // Nobody was woken: the mail that said so did not have the words yet.
        draft.mail_team();
    }
    // The promise goes to the number that counts now.
    if draft.incident.is_open() && draft.incident.contact.number != before {
        let text = words::promise(&draft.incident, draft.now);
        draft.tell_customer(text);
    }
}

pub(super) fn acknowledge(draft: &mut Draft<'_>, by: &Actor, via: Via, page: Option<u32>) -> Result<(), Refusal> {
    known(draft, by)?;
    let climbing = draft.incident.climb.next_at.is_some();
    let asked = match page {
        Some(number) => page_of(draft, number)?.open,
        None => draft.incident.open_pages().any(|(_, page)| Actor::Person(page.person.clone()) == *by),
    };
    if let (Some(holder), false, false) = (&draft.incident.holder, climbing, asked) {
        return Err(Refusal::AlreadyAcknowledged { by: holder.who.clone(), at: holder.since });
    }
    // A reminder to the commander, or a call for help, is answered without taking it away from whoever has it.
    let held_by_another = draft.incident.holder.as_ref().is_some_and(|holder| holder.who != *by);
    match page.filter(|number| held_by_another && !climbing && draft.incident.pages[number].level.is_none()) {
        Some(page) => draft.record_settling(Event::PageAnswered { by: by.clone(), via, page }),
        None => {
            let lapses_after = draft.ladder().ack_timeout();
            draft.record_settling(Event::Acknowledged { by: by.clone(), via, page, lapses_after });
        }
    }
    Ok(())
}

pub(super) fn pass_on(draft: &mut Draft<'_>, by: &Actor, via: Via, page: Option<u32>) -> Result<(), Refusal> {
    known(draft, by)?;
    if let Some(number) = page {
        page_of(draft, number)?;
        let mine = |actor: &Actor| actor == by;
        let holds = draft.incident.holder.as_ref().is_some_and(|holder| mine(&holder.who));
        let asked = draft.incident.open_pages().any(|(_, page)| mine(&Actor::Person(page.person.clone())));
        if !holds && !asked {
            // The key pressed twice, or a carrier's request that came again: it was passed on before.
            return Ok(());
        }
    }
    let held_by_another = draft.incident.holder.as_ref().is_some_and(|holder| holder.who != *by);
    draft.record_settling(Event::PassedOn { by: by.clone(), via });
    if !held_by_another {
        draft.raise(Cause::PassedOn);
    }
    Ok(())
}

pub(super) fn key_press(draft: &mut Draft<'_>, page: u32, key: char) -> Result<(), Refusal> {
    let by = Actor::Person(page_of(draft, page)?.person.clone());
    match key {
        '4' => acknowledge(draft, &by, Via::Key, Some(page)),
        '5' => {
            match acknowledge(draft, &by, Via::Key, Some(page)) {
                // Whoever has it, a second pair of hands may call the customer.
                Ok(()) | Err(Refusal::AlreadyAcknowledged { .. }) => {}
                Err(refusal) => return Err(refusal),
            }
            start_callback(draft, &by)
        }
        '9' => pass_on(draft, &by, Via::Key, Some(page)),
        '*' => Ok(()),
        _ => {
            Err(Refusal::Invalid("press 4 to acknowledge, 5 to call the customer, 9 to pass on, star to repeat".into()))
        }
    }
}

pub(super) fn start_callback(draft: &mut Draft<'_>, by: &Actor) -> Result<(), Refusal> {
    known(draft, by)?;
    draft.record(Event::CallbackStarted { by: by.clone() });
    Ok(())
}

pub(super) fn record_response(draft: &mut Draft<'_>, by: &Actor, evidence: &Evidence) -> Result<(), Refusal> {
    known(draft, by)?;
    match evidence {
        Evidence::Conversation { seconds, .. } if *seconds < CONVERSATION_SECONDS => {
            return Err(Refusal::Invalid(format!(
                "{seconds} seconds are no conversation; it takes {CONVERSATION_SECONDS}"
            )));
        }
        Evidence::Attested { .. } if !human(by) => {
            return Err(Refusal::Invalid("only a person can attest that the customer was spoken to".into()));
        }
        Evidence::Connected { .. } if !draft.incident.plan.promise(draft.incident.priority).live => {
            return Err(Refusal::Invalid(
                "under this plan a conversation counts, not that the call was put through".into(),
            ));
        }
        Evidence::Attested { note } if note.trim().is_empty() => {
            return Err(Refusal::Invalid("say in a note whom you spoke to, and how".into()));
        }
        _ => {}
    }
    let known_already = |met: &Met| met.by == *by && met.evidence == *evidence;
    if draft.incident.response.met.as_ref().is_some_and(known_already) {
        return Ok(());
    }
    // Whoever spoke to the customer has it, unless somebody has it already.
    if draft.incident.holder.is_none() && human(by) {
        let lapses_after = draft.ladder().ack_timeout();
        draft.record_settling(Event::Acknowledged { by: by.clone(), via: Via::Api, page: None, lapses_after });
    }
    let response = &draft.incident.response;
    let stands = draft.incident.paused(Pausable::Response) && response.met.is_none() && !response.missed;
    // Only the first is judged: what is told of a conversation later takes nothing back.
    let late = response.met.is_none() && response.due.is_some_and(|due| draft.now > due && !stands);
    draft.record_settling(Event::Responded { by: by.clone(), evidence: evidence.clone(), late });
    Ok(())
}

pub(super) fn post_update(draft: &mut Draft<'_>, by: &Actor, text: &str, visible: bool) -> Result<(), Refusal> {
    known(draft, by)?;
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_UPDATE {
        return Err(Refusal::Invalid(format!("an update has 1 to {LONGEST_UPDATE} characters")));
    }
    let window = draft.incident.updates.running.map(|_| draft.incident.updates.window);
    let why_not = if !visible {
        Some("the customer does not see it")
    } else if !human(by) {
        Some("no person wrote it")
    } else if draft.incident.updates.last_text.as_deref().is_some_and(|last| bare(last) == bare(text)) {
        Some("it says the same as the last one")
    } else if window.is_none() {
        Some("no updates are promised")
    } else {
        None
    };
    draft.record_settling(Event::Updated {
        by: by.clone(),
        text: text.into(),
        customer_visible: visible,
        window,
        counts: why_not.is_none(),
        why_not: why_not.map(Into::into),
    });
    if visible {
        let words = words::update(&draft.incident, text, draft.now);
        draft.mail(Recipient::Subscribers, words.clone(), None);
        draft.tell_customer(words);
    }
    Ok(())
}

pub(super) fn set_priority(draft: &mut Draft<'_>, by: &Actor, to: Priority, reason: &str) -> Result<(), Refusal> {
    let from = draft.incident.priority;
    if from == to {
        return Err(Refusal::Invalid(format!("it is {to} already")));
    }
    draft.record_settling(Event::PriorityChanged { by: by.clone(), from, to, reason: reason.into() });
    if to < from && draft.incident.wakes() {
        match draft.incident.holder.as_ref().map(|holder| holder.who.clone()) {
            Some(Actor::Person(person)) => {
                let text = format!("{} is {to} now: {reason}", draft.incident.reference);
                draft.tell(&person, text);
            }
            Some(_) => {}
            None => {
                // From where the climb is: more urgent is never slower.
                let climb = &draft.incident.climb;
                let (level, round) = climb.next_at.and(climb.level).map_or((0, 0), |level| (level, climb.round));
                draft.climb_to(level.min(draft.ladder().last_resort()), round, Cause::PriorityRaised);
            }
        }
    }
    Ok(())
}

pub(super) fn add_responder(draft: &mut Draft<'_>, by: &Actor, person: &PersonKey) -> Result<(), Refusal> {
    known(draft, &Actor::Person(person.clone()))?;
    draft.record(Event::ResponderAdded { by: by.clone(), person: person.clone() });
    draft.page(person.clone(), None, Cause::Asked);
    Ok(())
}

pub(super) fn assign_commander(draft: &mut Draft<'_>, by: &Actor, person: &PersonKey) -> Result<(), Refusal> {
    known(draft, &Actor::Person(person.clone()))?;
    draft.record(Event::CommanderAssigned { by: by.clone(), person: person.clone() });
    if Actor::Person(person.clone()) != *by {
        let incident = &draft.incident;
        let text = format!("{} {} {}: you command it.", incident.reference, incident.priority, incident.customer_name);
        draft.tell(person, text);
    }
    Ok(())
}

pub(super) fn wait(draft: &mut Draft<'_>, by: &Actor, reason: &str) -> Result<(), Refusal> {
    known(draft, by)?;
    if reason.trim().is_empty() {
        return Err(Refusal::Invalid("say what the customer was asked".into()));
    }
    if !human(by) {
        return Err(Refusal::Invalid("only a person can say that we wait on the customer".into()));
    }
    if draft.incident.plan.idle.is_some() && !draft.reaches_customer() {
        return Err(Refusal::Invalid(
            "the customer cannot be asked: there is no number and no mail address, and the plan closes what gets no answer"
                .into(),
        ));
    }
    draft.record(Event::WaitingOnCustomer { by: by.clone(), reason: reason.trim().into() });
    let text = words::waiting(&draft.incident, draft.now);
    draft.tell_customer(text);
    Ok(())
}

pub(super) fn rule_out(draft: &mut Draft<'_>, by: &Actor, note: &str) -> Result<(), Refusal> {
    known(draft, by)?;
    if !draft.incident.plan.rule_out {
        return Err(Refusal::Invalid(format!(
            "the plan \"{}\" does not let the team leave before it is resolved",
            draft.incident.plan.title
        )));
    }
    if !human(by) || note.trim().is_empty() {
        return Err(Refusal::Invalid("a person must say what shows that it is not ours".into()));
    }
    if draft.incident.ruled_out.is_some() {
        return Err(Refusal::Invalid("it was ruled out already".into()));
    }
    draft.record_settling(Event::RuledOut { by: by.clone(), note: note.trim().into() });
    let text = words::ruled_out(&draft.incident, note.trim());
    draft.tell_customer(text);
    Ok(())
}

pub(super) fn note_upstream(draft: &mut Draft<'_>, by: &Actor, service: &str, said: &str) -> Result<(), Refusal> {
    known(draft, by)?;
    let (service, said) = (service.trim(), said.trim());
    let fits = |text: &str, most: usize| !text.is_empty() && text.chars().count() <= most;
    if !fits(service, 100) || !fits(said, LONGEST_UPDATE) {
        return Err(Refusal::Invalid(format!(
            "name the service (1 to 100 characters) and say what is known (1 to {LONGEST_UPDATE})"
        )));
    }
    let event = Event::UpstreamNoted { by: by.clone(), service: service.into(), words: said.into() };
    draft.record(event);
    let text = words::upstream(&draft.incident, service, said);
    draft.mail(Recipient::Subscribers, text.clone(), None);
    draft.tell_customer(text);
    Ok(())
}

pub(super) fn offer_call(draft: &mut Draft<'_>, by: &Actor) -> Result<(), Refusal> {
    known(draft, by)?;
    let Some(link) = draft.incident.plan.call_link.clone() else {
        return Err(Refusal::Invalid("the plan has no link for calls".into()));
    };
    if !human(by) {
        return Err(Refusal::Invalid("an engineer decides whether there is a call".into()));
    }
    draft.record(Event::CallOffered { by: by.clone(), link: link.clone() });
    let text = words::call_link(&draft.incident, &link);
    draft.tell_customer(text);
    Ok(())
}

pub(super) fn deliver_rca(draft: &mut Draft<'_>, by: &Actor, stage: RcaStage, text: &str) -> Result<(), Refusal> {
    known(draft, by)?;
    if draft.incident.is_open() {
        return Err(Refusal::Invalid("the analysis of the cause comes after the end; resolve it first".into()));
    }
    let promised = draft.incident.rca.and_then(|rca| match stage {
        RcaStage::Draft => rca.draft,
        RcaStage::Final => rca.last,
    });
    let Some(promised) = promised else {
        return Err(Refusal::Invalid(format!("the plan promises no {stage} analysis for {}", draft.incident.priority)));
    };
    if !human(by) {
        return Err(Refusal::Invalid("a person must stand for the analysis".into()));
    }
    if text.trim().is_empty() || text.len() > LONGEST_RCA {
        return Err(Refusal::Invalid(format!("an analysis has 1 to {LONGEST_RCA} bytes")));
    }
    let late = draft.now > promised.due;
    draft.record_settling(Event::RcaDelivered { by: by.clone(), stage, text: text.into(), late });
    let attachment = Attachment { name: format!("rca-{}-{stage}.md", draft.incident.reference), text: text.into() };
    let body = words::rca_delivered(&draft.incident, stage);
    draft.mail(Recipient::Customer, body, Some(attachment));
    Ok(())
}

/// A person of ours. A token that is nobody's is a program: it may tell, but it keeps no promise.
fn human(actor: &Actor) -> bool {
    matches!(actor, Actor::Person(_))
}

fn known(draft: &Draft<'_>, actor: &Actor) -> Result<(), Refusal> {
    match actor {
        Actor::Person(person) if !draft.world.config.people.contains_key(person) => {
            Err(Refusal::UnknownPerson(person.clone()))
        }
        _ => Ok(()),
    }
}

fn page_of<'d>(draft: &'d Draft<'_>, number: u32) -> Result<&'d PageState, Refusal> {
    draft.incident.pages.get(&number).ok_or_else(|| Refusal::Invalid(format!("there is no page {number}")))
}

/// Letters and digits only, for telling whether two updates say the same.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
