//! What every part of the running process shares.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{bell::Bell, settings::Settings};
use crate::{access::TokenKey, carrier::Carrier, clock::Clock, config::Config, incident::door::Door, store::Db};

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
}

impl App {
    /// Puts the parts together; nothing runs yet.
    pub fn new(
        settings: Settings,
        clock: Clock,
        db: Db,
        config: Config,
        carriers: Vec<Arc<dyn Carrier>>,
        token_key: TokenKey,
    ) -> App {
        let (bell, config) = (Bell::default(), Arc::new(ArcSwap::from_pointee(config)));
        let door = Door { db: db.clone(), clock: clock.clone(), bell: bell.clone(), config: config.clone() };
        let (settings, carriers, token_key) = (Arc::new(settings), Arc::new(carriers), Arc::new(token_key));
        App { db, clock, bell, settings, config, carriers, door, token_key }
    }

    /// One with a database of its own in a folder that goes with the last of it, and a clock that a test moves.
    #[cfg(test)]
    pub async fn for_test(
        settings: Settings,
        start: &str,
        config: Config,
        carriers: Vec<Arc<dyn Carrier>>,
    ) -> (App, crate::clock::ManualHand, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let database = format!("sqlite:{}/ringdown.db", folder.path().display());
        let db = Db::open(&database).await.expect("a database");
        let (clock, hand) = Clock::manual(start.parse().expect("an instant"));
        let settings = Settings { database, schedules: folder.path().into(), ..settings };
        (App::new(settings, clock, db, config, carriers, TokenKey::new(&[7; 32])), hand, folder)
    }
}
