//! `[people.KEY]`: a person, their contact methods and notification rules.

use std::collections::BTreeMap;

use super::{DAY, by_priority, zone};
use crate::{
    access::Role,
    config::document::{Fields, Node, listed, shorten, well_formed},
    people::{Channel, ContactMethod, NotificationRule, Person},
    sla::Priority,
    span::Span,
};

const CHANNELS: [(&str, Channel); 2] = [("sms", Channel::Sms), ("voice", Channel::Voice)];

/// What a person may be. `intake` is for programs.
const ROLES: [(&str, Role); 4] =
    [("viewer", Role::Viewer), ("responder", Role::Responder), ("commander", Role::Commander), ("admin", Role::Admin)];

/// Reads a person.
pub fn person(key: &str, node: &Node<'_>) -> Person {
    node.fields(|t| {
        let contact =
            t.required("contact", "{ mobile = { phone = \"+12015550123\" } }").map(contact).unwrap_or_default();
        let mut rules = default_rules(&contact);
        for (priority, list) in t.optional("rules").map(by_priority).unwrap_or_default() {
            let items = list.items();
            if items.is_empty() {
                list.error("has no rule, so nothing would be sent; add one or take the line out for the defaults");
            }
            rules.insert(priority, items.iter().filter_map(|item| item.fields(|t| rule(t, &contact))).collect());
        }
        Person {
            key: key.into(),
            name: t.required("name", "\"Anna Weber\"").and_then(Node::words).unwrap_or(key).into(),
            zone: zone(t),
            language: language(t),
            contact,
            rules,
            mail: t.optional("mail").and_then(Node::mail),
            role: t.optional("role").and_then(|node| node.choice(&ROLES)).unwrap_or(Role::Responder),
        }
    })
}

fn contact(node: &Node<'_>) -> Vec<ContactMethod> {
    let method = |(name, node): (String, Node<'_>)| {
        if !well_formed(&name) {
            node.error("use lower-case letters, digits, `-` and `_` in its name");
        }
        node.fields(|t| {
            let phone = t.required("phone", "\"+12015550123\"").and_then(Node::phone);
            let channels = t.optional("can").map_or(vec![Channel::Sms, Channel::Voice], |node| {
                let items = node.items();
                let channels: Vec<Channel> = items.iter().filter_map(|item| item.choice(&CHANNELS)).collect();
                if items.is_empty() {
                    node.error("the line can do nothing; write `can = [\"sms\", \"voice\"]` or one of them");
                }
                channels
            });
            Some(ContactMethod { name, address: phone?, channels })
        })
    };
    let entries = node.entries();
    if entries.is_empty() {
        node.error("holds no line, so no page can reach them; add `mobile = { phone = \"+12015550123\" }`");
    }
    entries.into_iter().filter_map(method).collect()
}

fn rule(t: &Fields<'_>, contact: &[ContactMethod]) -> Option<NotificationRule> {
    let by = t.required("by", "\"sms\"");
    let channel = by.and_then(|node| node.choice(&CHANNELS));
    let after = t.optional("after").and_then(|node| node.span(Span::seconds(0), DAY)).unwrap_or_default();
    let to = t.optional("to");
    let named = to.and_then(Node::text);
    let channel = channel?;
    let Some(to) = to else {
        // Left out: the first line that can.
        let Some(first) = contact.iter().find(|method| method.channels.contains(&channel)) else {
            t.node().error(format!("none of the person's lines can do `{}`; add one that can", channel.as_str()));
            return None;
        };
        return Some(NotificationRule { channel, method: first.name.clone(), after });
    };
    let named = named?;
    match contact.iter().find(|method| method.name == named) {
        Some(method) if method.channels.contains(&channel) => {
            Some(NotificationRule { channel, method: named.into(), after })
        }
        Some(_) => {
            let word = channel.as_str();
            to.error(format!("`{named}` cannot do `{word}`; add `{word}` to its `can` or name another line"));
            None
        }
        None => {
            let lines = listed(contact.iter().map(|method| method.name.as_str()));
            let lines = if lines.is_empty() { "a line that exists".into() } else { lines };
            to.error(format!("the person has no line `{}`; write {lines}", shorten(named)));
            None
        }
    }
}

/// P1: text and call at once. P2: text at once, call two minutes later. By the first line that can.
pub fn default_rules(contact: &[ContactMethod]) -> BTreeMap<Priority, Vec<NotificationRule>> {
    let first = |channel, after| {
        let method = contact.iter().find(|method| method.channels.contains(&channel))?;
        Some(NotificationRule { channel, method: method.name.clone(), after })
    };
    let text = first(Channel::Sms, Span::seconds(0));
    // Who cannot be sent a text is called at once.
    let wait = if text.is_some() { Span::minutes(2) } else { Span::seconds(0) };
    let later = first(Channel::Voice, wait);
    let p1 = text.iter().cloned().chain(first(Channel::Voice, Span::seconds(0))).collect();
    BTreeMap::from([(Priority::P1, p1), (Priority::P2, text.into_iter().chain(later).collect())])
}

/// BCP 47, roughly: letters, digits and dashes. `en-US` where none is given.
pub fn language(t: &Fields<'_>) -> String {
    let Some(node) = t.optional("language") else { return "en-US".into() };
    let written = node.text().unwrap_or("en-US");
    let fine = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !written.split('-').all(fine) || written.len() > 35 {
        node.error("is not a language tag; write for example `en-US` or `de-DE`");
    }
    written.into()
}
