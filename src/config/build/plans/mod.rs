//! `plans/KEY.toml`: a support policy as a support manager writes it. Its tiers become plans of their own, and a
//! customer's agreement is laid over the plan it names.

mod draft;
#[cfg(test)]
mod readme;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{Known, Tables, by_priority, policies};
use crate::{
    config::document::{Fields, Node, listed, shorten, well_formed},
    escalation::Target,
    sla::{Higher, Pausable, Plan},
    span::Span,
};
use draft::{Clause, Draft, IdleDraft, Layer, Priorities};

pub use draft::Calendars;

/// No list of a plan is longer.
const MOST: usize = 50;

const PAUSABLE: [(&str, Pausable); 3] =
    [("response", Pausable::Response), ("updates", Pausable::Updates), ("resolution", Pausable::Resolution)];

/// The plans that were read, as they can be named and laid over.
#[derive(Debug, Default)]
pub struct Plans {
    drafts: BTreeMap<String, Draft>,
    /// Files with tiers, and those.
    tiered: BTreeMap<String, Vec<String>>,
    calendars: Calendars,
}

/// Reads all plans.
pub fn plans(tables: &Tables<'_>, known: &Known, calendars: Calendars) -> (Plans, Vec<Plan>) {
    let (mut plans, mut built) = (Plans { calendars, ..Plans::default() }, Vec::new());
    let calendars = &plans.calendars;
    let mut drafts = BTreeMap::new();
    let mut add = |key: String, node: &Node<'_>, draft: Draft| {
        built.push(finished(draft.clone(), &key, node, calendars));
        drafts.insert(key, draft);
    };

    let mut tiered = BTreeMap::new();
    for (key, node) in tables.of("plans") {
        let (base, tiers) = node.fields(|t| {
            t.required("title", "\"Standard support\"");
            let tiers = t.optional("tiers").map(|node| tiers(node, known)).unwrap_or_default();
            if tiers.is_empty() {
                t.required("priorities", "{ P1 = { response = \"30m\" } }");
            }
            (plan(t, known, true), tiers)
        });
        if tiers.is_empty() {
            add(key.clone(), node, base);
            continue;
        }
        tiered.insert(key.clone(), tiers.iter().map(|(name, ..)| name.clone()).collect());
        for (name, node, tier) in tiers {
            add(format!("{key}:{name}"), &node, tier.over(base.clone()));
        }
    }
    (plans.drafts, plans.tiered) = (drafts, tiered);
    (plans, built)
}

fn tiers<'a>(node: &Node<'a>, known: &Known) -> Vec<(String, Node<'a>, Draft)> {
    let entries = node.entries();
    if entries.is_empty() || entries.len() > MOST {
        node.error(format!("has {} tiers; write 1 to {MOST}, or take it out", entries.len()));
    }
    let tier = |(name, node): (String, Node<'a>)| {
        if !well_formed(&name) {
            node.error("cannot be a tier's key; use lower-case letters, digits, `-` and `_`");
        }
        let draft = node.fields(|t| plan(t, known, true));
        (name, node, draft)
    };
    entries.into_iter().take(MOST).map(tier).collect()
}

/// One layer of a plan.
fn plan(t: &Fields<'_>, known: &Known, with_priorities: bool) -> Draft {
    let flag = |name| t.optional(name).and_then(Node::flag);
    let list = |name| t.optional(name).map(texts);
    let mut priorities = Priorities::default();
    if with_priorities {
        for (priority, node) in t.optional("priorities").map(by_priority).unwrap_or_default() {
            priorities.0.insert(priority, terms::promise(&node, known));
        }
    }
    let changes = [("administrator", true), ("anyone", false)];
    Draft {
        title: t.optional("title").and_then(Node::words).map(String::from),
        calendar: terms::calendar(t, known),
        documents: list("documents"),
        out_of_scope: list("out_of_scope"),
        upstream: list("upstream"),
        rule_out: flag("rule_out"),
        call_link: t.optional("call_link").map_or(Clause::Unsaid, |node| terms::clause(node, |node| Some(link(node)))),
        administrators_only: t.optional("configuration_changes").and_then(|node| node.choice(&changes)),
        private: flag("private"),
        pauses: t
            .optional("pauses")
            .map(|node| bounded(node).iter().filter_map(|item| item.choice(&PAUSABLE)).collect::<BTreeSet<_>>()),
        idle: t.optional("idle").map_or(Clause::Unsaid, |node| terms::clause(node, |node| Some(idle(node, known)))),
        escalation: t
            .optional("escalation")
            .map(|node| bounded(node).iter().filter_map(|item| item.fields(|t| higher(t, known))).collect()),
        priorities,
    }
}

fn idle(node: &Node<'_>, known: &Known) -> IdleDraft {
    node.fields(|t| IdleDraft {
        requests: t.optional("requests").and_then(|node| node.number(1, 9)),
        again_after: t
            .optional("again_after")
            .map_or(Clause::Unsaid, |node| terms::clause(node, |node| terms::term(node, known))),
        close_after: t.optional("close_after").and_then(|node| terms::term(node, known)).unwrap_or_default(),
        calendar: terms::calendar(t, known),
        warn_before: t
            .optional("warn_before")
            .and_then(|node| node.span(Span::minutes(1), Span::minutes(60 * 24 * 60))),
    })
}

fn higher(t: &Fields<'_>, known: &Known) -> Option<Higher> {
    let name = t.required("name", "\"Support team lead\"").and_then(Node::words);
    let target = t.required("target", "\"lead\"").and_then(|node| policies::target(node, known));
    let occurrence = t.optional("occurrence").and_then(Node::flag);
    let target: Target = target?;
    Some(Higher { name: name?.into(), target, occurrence: occurrence.unwrap_or_default() })
}

fn link(node: &Node<'_>) -> Option<String> {
    let written = node.words()?;
    if !written.starts_with("https://") || written.len() > 500 || written.contains(char::is_whitespace) {
        node.error("is not a link; write `https://…`, up to 500 characters");
        return None;
    }
    Some(written.into())
}

/// A list of words that is not too long to be read.
fn texts(node: &Node<'_>) -> Vec<String> {
    bounded(node).iter().filter_map(Node::words).map(String::from).collect()
}

fn bounded<'a>(node: &Node<'a>) -> Vec<Node<'a>> {
    let mut items = node.items();
    if items.len() > MOST {
        node.error(format!("more than {MOST}; shorten the list"));
        items.clear();
    }
    items
}

fn finished(draft: Draft, key: &str, node: &Node<'_>, calendars: &Calendars) -> Plan {
    let (plan, gaps) = draft.finish(key, calendars);
    for gap in gaps {
        node.error(format!("`{gap}` does not say how long; add the time, for example `\"4h\"` or `\"3bd\"`"));
    }
    plan
}

impl Plans {
    /// The plan that is named here; one with tiers is named with the tier.
    pub fn reference<'a>(&self, node: &Node<'a>) -> Option<&'a str> {
        let written = node.text()?;
        if self.drafts.contains_key(written) {
            return Some(written);
        }
        let (file, tier) = written.split_once(':').map_or((written, None), |(file, tier)| (file, Some(tier)));
        let named = |tiers: &[String]| {
            let names: Vec<String> = tiers.iter().map(|tier| format!("{file}:{tier}")).collect();
            listed(names.iter().map(String::as_str))
        };
        match (self.tiered.get(file), tier) {
            (Some(tiers), None) => node.error(format!("plan `{file}` has tiers; write {}", named(tiers))),
            (Some(tiers), Some(tier)) => {
                node.error(format!("plan `{file}` has no tier `{}`; write {}", shorten(tier), named(tiers)));
            }
            (None, Some(_)) if self.drafts.contains_key(file) => {
                node.error(format!("plan `{file}` has no tiers; write `{file}`"));
            }
            _ => {
                node.named("plan", "plans", written, &self.drafts.keys().cloned().collect());
            }
        }
        None
    }

    /// The plan of a customer: the one of this key, under `agreement`, a layer of a plan, and `terms`, by priority.
    pub fn agreed(
        &self,
        key: &str,
        agreement: Option<&Node<'_>>,
        terms: Option<&Node<'_>>,
        known: &Known,
    ) -> Option<Plan> {
        let base = self.drafts.get(key)?.clone();
        let mut own = agreement.map(|node| node.fields(|t| plan(t, known, false))).unwrap_or_default();
        for (priority, node) in terms.map(by_priority).unwrap_or_default() {
            own.priorities.0.insert(priority, self::terms::promise(&node, known));
        }
        let node = agreement.or(terms)?;
        Some(finished(own.over(base), key, node, &self.calendars))
    }
}
