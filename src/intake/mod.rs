//! How trouble reaches us: a phone call on a hotline, or a POST from monitoring.

pub mod phone;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    axum::Router::new()
}
