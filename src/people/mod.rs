//! Whom we page: people, their contact methods and their notification rules.

pub mod mail;
pub mod phone;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use mail::MailAddress;
pub use phone::E164;

use crate::{
    access::Role,
    id::PersonKey,
    sla::{Priority, Zone},
    span::Span,
};

/// One person who can be on call.
#[derive(Clone, Debug)]
pub struct Person {
    pub key: PersonKey,
    pub name: String,
    pub zone: Zone,
    /// BCP 47, for the voice that speaks to them.
    pub language: String,
    /// In the order written.
    pub contact: Vec<ContactMethod>,
    /// How they are reached, by priority; always an entry for P1 and P2 once loaded.
    pub rules: BTreeMap<Priority, Vec<NotificationRule>>,
    /// Where they read mail. Nobody is paged by mail.
    pub mail: Option<MailAddress>,
    /// What they may do once they are signed in.
    pub role: Role,
}

/// One way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactMethod {
    /// What the person calls it: `mobile`, `home`.
    pub name: String,
    pub address: E164,
    /// What the line can do.
    pub channels: Vec<Channel>,
}

/// By which kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Sms,
    Voice,
}

impl Channel {
    /// `sms` or `voice`.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Sms => "sms",
            Channel::Voice => "voice",
        }
    }
}

/// One step in reaching a person: by this channel to this address, so long after the page began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRule {
    pub channel: Channel,
    /// The contact method's name.
    pub method: String,
    pub after: Span,
}

impl Person {
    /// The contact method of this name.
    pub fn method(&self, name: &str) -> Option<&ContactMethod> {
        self.contact.iter().find(|method| method.name == name)
    }

    /// The rules for a priority; what holds for P2 serves where nothing else is said.
    pub fn rules_for(&self, priority: Priority) -> &[NotificationRule] {
        self.rules.get(&priority).or_else(|| self.rules.get(&Priority::P2)).map_or(&[], Vec::as_slice)
    }
}
