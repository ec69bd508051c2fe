//! From what `decide` wants written to rows of the mail outbox. Pure, but for the new ids.

use chrono::TimeDelta;

use super::{Audience, Mail, MailStage, compose};
use crate::{
    clock::Time,
    config::Config,
    id::{MailId, fresh},
    incident::{
        Incident,
        effect::{self, Recipient},
    },
    people::MailAddress,
};

/// How long a mail is tried (RFC 5321 would have days; after one, a telephone is quicker).
const LIFE: TimeDelta = TimeDelta::days(1);

/// No mail goes to more addresses.
const MOST: usize = 200;

/// How long to wait after the `tries`th try: 1, 5, 15 minutes, an hour, two, then every four hours.
pub fn backoff(tries: i64) -> TimeDelta {
    TimeDelta::minutes(match tries {
        ..=1 => 1,
        2 => 5,
        3 => 15,
        4 => 60,
        5 => 120,
        _ => 240,
    })
}

/// One mail an address, due at once; none when nobody of this kind has one. `domain` is what Message-IDs end in.
pub fn mails(incident: &Incident, mail: &effect::Mail, config: &Config, domain: &str, now: Time) -> Vec<Mail> {
    let (audience, addresses) = (audience(&mail.to), addresses(incident, &mail.to, config));
    let attachment = mail.attachment.as_ref().map(|it| compose::attachment(&it.name, &it.text));
    let subject = compose::subject(&incident.reference, &mail.subject);
    let body = compose::body(&mail.body);
    let one = |address| Mail {
        id: MailId::from(fresh("mai")),
        incident: incident.id.clone(),
        priority: incident.priority,
        audience,
        address,
        domain: domain.into(),
        subject: subject.clone(),
        body: Some(body.clone()),
        attachment: attachment.clone(),
        stage: MailStage::Waiting,
        carrier: None,
        code: None,
        reason: None,
        tries: 0,
        leased_by: None,
        wake_at: Some(now),
        created_at: now,
        ended_at: None,
        expires_at: now + LIFE,
    };
    addresses.into_iter().map(one).collect()
}

/// As a row keeps it.
pub fn audience(to: &Recipient) -> Audience {
    match to {
        Recipient::Customer => Audience::Customer,
        Recipient::Team => Audience::Team,
        Recipient::Subscribers => Audience::Subscribers,
        Recipient::Person(_) => Audience::Person,
    }
}

/// The addresses of a kind of reader, each once.
fn addresses(incident: &Incident, to: &Recipient, config: &Config) -> Vec<MailAddress> {
    let customer = || incident.customer.as_ref().and_then(|key| config.customers.get(key));
    let mut addresses: Vec<MailAddress> = match to {
        Recipient::Customer => match incident.contact.mail.as_deref().map(MailAddress::parse) {
            Some(Ok(address)) => vec![address],
            _ => customer().map(|customer| customer.mail.clone()).unwrap_or_default(),
        },
        Recipient::Team => config.teams.get(&incident.team).map(|team| team.mail.clone()).unwrap_or_default(),
        Recipient::Subscribers => customer().map(|customer| customer.subscribers.clone()).unwrap_or_default(),
        Recipient::Person(key) => config.people.get(key).and_then(|person| person.mail.clone()).into_iter().collect(),
    };
    addresses.sort();
    addresses.dedup();
    addresses.truncate(MOST);
    addresses
}
