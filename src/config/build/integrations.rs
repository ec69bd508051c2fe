//! `[integrations.KEY]`: senders that are allowed in, and what their words mean.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{Known, Tables};
use crate::{
    config::{
        Config,
        document::{Fields, Node, listed},
        secret::{Vault, digest},
    },
    intake::{Grouping, Integration, IntegrationSecret, SenderKind},
    sla::Priority,
};

const KINDS: [(&str, SenderKind); 3] = [
    ("pagerduty", SenderKind::Pagerduty),
    ("alertmanager", SenderKind::Alertmanager),
    ("generic", SenderKind::Generic),
];
const PRIORITIES: [(&str, Priority); 6] = [
    ("P1", Priority::P1),
    ("P2", Priority::P2),
    ("P3", Priority::P3),
    ("P4", Priority::P4),
    ("P5", Priority::P5),
    ("P6", Priority::P6),
];
/// What the common senders' words mean where the file says nothing.
const WORDS: [(&str, Priority); 4] =
    [("critical", Priority::P1), ("error", Priority::P2), ("warning", Priority::P3), ("info", Priority::P4)];

/// Reads all integrations.
pub fn integrations(tables: &Tables<'_>, known: &Known, vault: Vault<'_>, config: &mut Config) {
    let mut digests: BTreeMap<String, String> = BTreeMap::new();
    for (key, node) in tables.of("integrations") {
        let integration = node.fields(|t| {
            let kind = t.required("kind", "\"generic\"").and_then(|node| node.choice(&KINDS));
            let keys = keys(t, kind, vault, &mut digests);
            let customer = t.optional("customer");
            let customer = customer.and_then(|node| node.reference("customer", "customers", &known.customers));
            let own_plan = |customer: &str| Some(config.customers.get(customer)?.plan.key.as_str());
            let plan = match t.optional("plan").map(|node| known.plans.reference(node)) {
                Some(named) => named,
                None if t.optional("customer").is_some() => customer.and_then(own_plan),
                None => t.required("plan", "\"standard\"").and_then(Node::text),
            };
            let team = t.required("team", "\"KEY\"").and_then(|node| node.reference("team", "teams", &known.teams));
            // A word nobody listed pages: one page too many is better than one too few.
            let otherwise = t.optional("otherwise").and_then(|node| node.choice(&PRIORITIES));
            let per = t.optional("per").and_then(|node| {
                if kind.is_some_and(|kind| kind != SenderKind::Alertmanager) {
                    node.error("goes only with `kind = \"alertmanager\"`; take it out");
                }
                node.choice(&[("group", Grouping::Group), ("alert", Grouping::Alert)])
            });
            Integration {
                key: key.as_str().into(),
                name: t.optional("name").and_then(Node::words).unwrap_or(key).into(),
                kind: kind.unwrap_or(SenderKind::Generic),
                team: team.unwrap_or_default().into(),
                customer: customer.map(Into::into),
                plan: plan.unwrap_or_default().into(),
                keys,
                priorities: priorities(t),
                otherwise: otherwise.unwrap_or(Priority::P2),
                per: per.unwrap_or_default(),
                signing_secrets: signing_secrets(t, kind, vault),
            }
        });
        config.integrations.insert(key.as_str().into(), integration);
    }
}

fn priorities(t: &Fields<'_>) -> BTreeMap<String, Priority> {
    let Some(node) = t.optional("priorities") else {
        return WORDS.map(|(word, priority)| (word.to_owned(), priority)).into();
    };
    let mut priorities = BTreeMap::new();
    for (word, node) in node.entries() {
        let Some(priority) = node.choice(&PRIORITIES) else { continue };
        if priorities.insert(word.to_lowercase(), priority).is_some() {
            node.error("given twice: capital letters make no difference; take one out");
        }
    }
    priorities
}

fn keys(
    t: &Fields<'_>,
    kind: Option<SenderKind>,
    vault: Vault<'_>,
    digests: &mut BTreeMap<String, String>,
) -> Vec<IntegrationSecret> {
    let Some(node) = t.required("keys", "{ main = \"env:NAME\" }") else { return Vec::new() };
    let entries = node.entries();
    if entries.is_empty() {
        node.error("has no key, so nobody could send anything; add `main = \"env:NAME\"`");
    }
    let mut secrets = Vec::new();
    for (name, node) in entries {
        let Some(digest) = key(&node, kind, vault) else { continue };
        if let Some(first) = digests.get(&digest) {
            node.error(format!(
                "the same secret is used at {first}; a secret belongs to one sender, so make a new one"
            ));
        }
        digests.insert(digest.clone(), node.place());
        node.redact(format!("\"sha256:{digest}\""));
        secrets.push(IntegrationSecret { name, digest });
    }
    secrets
}

/// The digest of a key.
fn key(node: &Node<'_>, kind: Option<SenderKind>, vault: Vault<'_>) -> Option<String> {
    let written = node.words()?;
    if let Some(digest) = written.strip_prefix("sha256:") {
        if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            node.error("`sha256:` must be followed by 64 hexadecimal digits");
            return None;
        }
        return Some(digest.to_ascii_lowercase());
    }
    let secret = vault.open(written).map_err(|error| node.error(error)).ok()?;
    let length = secret.chars().count();
    match kind {
        Some(SenderKind::Pagerduty) if length != 32 => {
            node.error(format!("has {length} characters; PagerDuty's clients insist on exactly 32"));
        }
        _ if !(16..=200).contains(&length) => {
            node.error(format!("has {length} characters; write 16 to 200, so that it cannot be guessed"));
        }
        _ => {}
    }
    // A key is part of a URL.
    if !secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)) {
        node.error("may hold only letters, digits, `-`, `_`, `.` and `~`, because it is part of a URL");
    }
    Some(digest(&secret))
}

fn signing_secrets(t: &Fields<'_>, kind: Option<SenderKind>, vault: Vault<'_>) -> Vec<SecretString> {
    let Some(node) = t.optional("signing_secrets") else { return Vec::new() };
    if kind.is_some_and(|kind| kind != SenderKind::Generic) {
        let generic = listed(["generic"]);
        node.error(format!("goes only with the kind {generic}, the only one whose payloads are signed; take it out"));
    }
    let mut secrets = Vec::new();
    for item in node.items() {
        let Some(written) = item.words() else { continue };
        if !written.starts_with("env:") && !written.starts_with("file:") {
            item.warn(
                "a signature needs the secret itself, so it is kept in the database as written here; \
                 `env:NAME` or `file:PATH` keeps it out",
            );
        }
        match vault.open(written) {
            Ok(secret) if whsec(&secret) => secrets.push(secret.into()),
            Ok(_) => item.error("is not a Standard Webhooks secret; write `whsec_` and 24 to 64 bytes in base64"),
            Err(error) => item.error(error),
        }
    }
    secrets
}

fn whsec(secret: &str) -> bool {
    use base64::Engine;
    let bytes = secret.strip_prefix("whsec_").and_then(|text| base64::prelude::BASE64_STANDARD.decode(text).ok());
    bytes.is_some_and(|bytes| (24..=64).contains(&bytes.len()))
}
