//! How trouble reaches us: a phone call on a hotline, or a POST from monitoring.
//!
//! A payload comes in at the `door`, is examined (`examine`: whose key is it, is it signed, is it well formed),
//! read in its sender's own language into `Signal`s, and accepted in one transaction (`accept`) that also keeps it,
//! raw, in the intake log. `dedup` says which open incident a sender's key means. Refused payloads are kept too, so
//! that whoever sets up a sender can see what arrived: `ringdown intake --last 20`.

pub mod accept;
pub mod alertmanager;
#[cfg(test)]
mod arbitrary;
pub mod dedup;
pub mod door;
pub mod events_v1;
pub mod events_v2;
pub mod examine;
pub mod generic;
pub mod json;
pub mod phone;
pub mod received;
pub mod sender;
pub mod signal;
pub mod signature;
pub mod store;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub use received::Received;
pub use store::{get, list, purge};

use crate::{
    id::{CustomerKey, IntegrationKey, PlanKey, TeamKey},
    sla::Priority,
};

/// A sender that is allowed in, and what its words mean.
#[derive(Clone, Debug)]
pub struct Integration {
    pub key: IntegrationKey,
    pub name: String,
    pub kind: SenderKind,
    pub team: TeamKey,
    /// On whose behalf; `None` is our own monitoring.
    pub customer: Option<CustomerKey>,
    /// What holds when there is no customer.
    pub plan: PlanKey,
    /// The secrets a sender may show, by name: several, so that one can be changed at a time.
    pub keys: Vec<IntegrationSecret>,
    /// The sender's word for how bad it is (lower case) to ours.
    pub priorities: BTreeMap<String, Priority>,
    /// For a word that is not in the list, or none.
    pub otherwise: Priority,
    pub per: Grouping,
    /// Standard Webhooks secrets (`whsec_…`); when not empty, an unsigned payload is refused.
    pub signing_secrets: Vec<secrecy::SecretString>,
}

/// A secret in a URL or a body, kept only as its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrationSecret {
    pub name: String,
    /// SHA-256 of the secret, in lower-case hex.
    pub digest: String,
}

impl IntegrationSecret {
    /// What is kept of a secret.
    pub fn digest_of(secret: &str) -> String {
        hex::encode(Sha256::digest(secret.as_bytes()))
    }
}

/// The integration a presented secret belongs to. Every digest is compared, each in constant time.
pub fn by_secret<'a>(integrations: &'a BTreeMap<IntegrationKey, Integration>, secret: &str) -> Option<&'a Integration> {
    let digest = IntegrationSecret::digest_of(secret);
    let mut found = None;
    for integration in integrations.values() {
        for key in &integration.keys {
            if bool::from(key.digest.as_bytes().ct_eq(digest.as_bytes())) {
                found = Some(integration);
            }
        }
    }
    found
}

/// Whose language a sender speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderKind {
    /// PagerDuty Events, version 1 and 2.
    Pagerduty,
    /// Prometheus Alertmanager's webhook, version 4.
    Alertmanager,
    /// Our own JSON.
    Generic,
}

impl SenderKind {
    /// As it is written in `schedules/integrations.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            SenderKind::Pagerduty => "pagerduty",
            SenderKind::Alertmanager => "alertmanager",
            SenderKind::Generic => "generic",
        }
    }
}

/// What makes two Alertmanager notifications the same trouble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// One incident a notification group (`groupKey`).
    #[default]
    Group,
    /// One incident an alert (`fingerprint`).
    Alert,
}

/// The doors for webhooks.
pub fn routes() -> axum::Router<crate::server::App> {
    door::routes()
}
