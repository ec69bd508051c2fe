//! From what `decide` wants done to rows of the outbox. Pure, but for the new ids.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{Attempt, Purpose, Stage, message};
use crate::{
    access::Links,
    clock::Time,
    config::Config,
    id::{AttemptId, PageId, fresh},
    incident::{Incident, effect::Page},
    people::{Channel, E164, Person},
    sla::Priority,
};

/// How long after its time a page is still worth sending: later the ladder has climbed on.
const PAGE_LIFE: TimeDelta = TimeDelta::minutes(10);

/// How long a text that only tells something is still worth sending.
const NEWS_LIFE: TimeDelta = TimeDelta::minutes(30);

/// How long somebody waits for the phone to ring that they asked for.
const CALLBACK_LIFE: TimeDelta = TimeDelta::minutes(2);

/// A new attempt to reach `address`, due at once.
fn attempt(purpose: Purpose, priority: Priority, channel: Channel, address: E164, now: Time) -> Attempt {
    Attempt {
        id: AttemptId::from(fresh("att")),
        page: None,
        incident: None,
        purpose,
        priority,
        person: None,
        channel,
        address,
        stage: Stage::Waiting,
        outcome: None,
        cancelled: false,
        position: 0,
        body: None,
        reply_code: None,
        carrier: None,
        sid: None,
        status: None,
        error_code: None,
        reason: None,
        tries: 0,
        sends: 0,
        leased_by: None,
        wake_at: Some(now),
        created_at: now,
        sent_at: None,
        answered_at: None,
        ended_at: None,
        expires_at: now + NEWS_LIFE,
    }
}

/// The attempts of a page, one a step. `code` is what the person writes back to mean this page.
/// `links`: with which its text leads to the page where it is acknowledged.
pub fn page(
    incident: &Incident,
    page: &Page,
    code: Option<&str>,
    links: Option<&Links>,
    config: &Config,
    now: Time,
) -> Vec<Attempt> {
    let zone = config.people.get(&page.person).map_or(&incident.zone, |person| &person.zone);
    let link = links.map(|links| links.of_page(&incident.reference));
    let body = message::page(incident, page.cause, code, link.as_deref(), zone);
    let step = |(position, step): (usize, &crate::incident::effect::Step)| {
        let due = now + TimeDelta::seconds(step.after_seconds.clamp(0, 86_400));
        Attempt {
            page: Some(PageId::of(&incident.id, page.number)),
            incident: Some(incident.id.clone()),
            person: Some(page.person.clone()),
            position: position as i64,
            body: Some(body.clone()),
            reply_code: code.map(Into::into),
            wake_at: Some(due),
            expires_at: due + PAGE_LIFE,
            ..attempt(Purpose::Page, incident.priority, step.channel, step.address.clone(), now)
        }
    };
    page.steps.iter().enumerate().map(step).collect()
}

/// A text to the customer, if their number can be written to.
pub fn to_customer(incident: &Incident, text: &str, links: Option<&Links>, now: Time) -> Option<Attempt> {
    let address = E164::parse(incident.contact.number.as_deref()?).ok()?;
    let link = links.map(|links| links.of_customer(&incident.reference));
    Some(Attempt {
        incident: Some(incident.id.clone()),
        body: Some(message::with_link(&message::bounded(text), link.as_deref())),
        ..attempt(Purpose::Customer, incident.priority, Channel::Sms, address, now)
    })
}

/// A text to one of our people that asks for nothing, to their first line that takes texts.
pub fn to_person(incident: &Incident, person: &Person, text: &str, now: Time) -> Option<Attempt> {
    Some(Attempt {
        incident: Some(incident.id.clone()),
        person: Some(person.key.clone()),
        body: Some(message::bounded(text)),
        ..attempt(Purpose::Notice, incident.priority, Channel::Sms, first(person, Channel::Sms)?, now)
    })
}

/// A text and a call that only show that they arrive.
pub fn test(person: &Person, now: Time) -> Vec<Attempt> {
    [Channel::Sms, Channel::Voice]
        .into_iter()
        .filter_map(|channel| Some((channel, first(person, channel)?)))
        .enumerate()
        .map(|(position, (channel, address))| Attempt {
            person: Some(person.key.clone()),
            position: position as i64,
            body: Some(message::test(&person.name)),
            expires_at: now + PAGE_LIFE,
            ..attempt(Purpose::Notice, Priority::P3, channel, address, now)
        })
        .collect()
}

/// A heartbeat: a text to a number that is nobody's or, without `text`, the question to the carrier whether it knows us.
pub fn heartbeat(id: AttemptId, to: E164, text: Option<String>, expires_at: Time, now: Time) -> Attempt {
    Attempt { id, body: text, expires_at, ..attempt(Purpose::Heartbeat, Priority::P6, Channel::Sms, to, now) }
}

/// A one-time code to a person of ours: at a P1's rank, for somebody waits for it. `text` has a place for the digits.
pub fn code(
    id: AttemptId,
    person: &Person,
    channel: Channel,
    to: E164,
    text: String,
    expires_at: Time,
    now: Time,
) -> Attempt {
    let code = attempt(Purpose::Code, Priority::P1, channel, to, now);
    Attempt { id, person: Some(person.key.clone()), body: Some(text), expires_at, ..code }
}

/// A call that puts a person through to the customer, to their first line that takes calls.
pub fn callback(incident: &Incident, person: &Person, now: Time) -> Option<Attempt> {
    Some(Attempt {
        incident: Some(incident.id.clone()),
        person: Some(person.key.clone()),
        expires_at: now + CALLBACK_LIFE,
        ..attempt(Purpose::Callback, incident.priority, Channel::Voice, first(person, Channel::Voice)?, now)
    })
}

fn first(person: &Person, channel: Channel) -> Option<E164> {
    person.contact.iter().find(|method| method.channels.contains(&channel)).map(|method| method.address.clone())
}

/// The same page by another way at once, because the planned one has to wait or is none.
pub fn instead_of(planned: &Attempt, channel: Channel, address: E164, reason: String, now: Time) -> Attempt {
    Attempt {
        page: planned.page.clone(),
        incident: planned.incident.clone(),
        person: planned.person.clone(),
        position: planned.position,
        body: planned.body.clone(),
        reply_code: planned.reply_code.clone(),
        reason: Some(reason),
        expires_at: planned.expires_at.max(now + PAGE_LIFE),
        ..attempt(planned.purpose, planned.priority, channel, address, now)
    }
}

/// A text that was lost on its way, once more at `due`.
pub fn again(lost: &Attempt, due: Time, now: Time) -> Attempt {
    let reason = "the first one was lost on its way".into();
    Attempt {
        wake_at: Some(due),
        expires_at: lost.expires_at,
        ..instead_of(lost, lost.channel, lost.address.clone(), reason, now)
    }
}

/// The code of a page: two digits, three when those are used up, none that is `taken`. Where the search begins follows
/// from the page's id, so that codes of neighbours differ.
pub fn reply_code(page: &PageId, taken: &BTreeSet<String>) -> Option<String> {
    // FNV-1a, 32 bits.
    let hash =
        page.as_str().bytes().fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let from = |low: u32, count: u32| (0..count).map(move |step| low + (hash.wrapping_add(step)) % count);
    from(10, 90)
        .chain(from(100, 900))
        // Numbers that people know as emergency calls.
        .filter(|code| ![112, 911, 999].contains(code))
        .map(|code| code.to_string())
        .find(|code| !taken.contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_two_digits_while_one_is_free_and_then_three() {
        let page = PageId::from("inc_x.1");
        let mut taken = BTreeSet::new();
        for n in 0..90 {
            let code = reply_code(&page, &taken).unwrap();
            assert_eq!(code.len(), 2, "{n}");
            assert!(taken.insert(code));
        }
        for _ in 0..897 {
            let code = reply_code(&page, &taken).unwrap();
            assert!(code.len() == 3 && code != "911");
            assert!(taken.insert(code));
        }
        assert_eq!(reply_code(&page, &taken), None);
    }

    #[test]
    fn the_code_of_a_page_is_the_same_each_time_it_is_asked_for() {
        let page = PageId::from("inc_x.1");
        assert_eq!(reply_code(&page, &BTreeSet::new()), reply_code(&page, &BTreeSet::new()));
    }
}
