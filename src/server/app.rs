//! What every part of the running process shares.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{bell::Bell, settings::Settings};
use crate::{
    access::TokenKey,
    carrier::Carrier,
    clock::Clock,
    config::Config,
    incident::{door::Door, ledger::signature::SigningKey},
    store::Db,
};

/// What every part of the running process shares. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub db: Db,
    pub clock: Clock,
    pub bell: Bell,
    pub settings: Arc<Settings>,
    /// The revision in force. Load it once an operation.
    pub config: Arc<ArcSwap<Config>>,
    /// By their keys' order.
    pub carriers: Arc<Vec<Arc<dyn Carrier>>>,
    /// The one way into an incident.
    pub door: Door,
    /// Signs and verifies tokens.
    pub token_key: Arc<TokenKey>,
    /// Signs exports and anchors.
    pub ledger_key: Arc<SigningKey>,
}
