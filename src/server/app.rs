//! What every part of the running process shares.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{bell::Bell, settings::Settings};
use crate::{
    access::{Desk, Links, TokenKey},
    carrier::Carrier,
    clock::Clock,
    config::Config,
    incident::{changes::Changes, door::Door, ledger::signature::SigningKey},
    mail::Mailer,
    node::Node,
    store::Db,
    watch::Watch,
};

/// What every part of the running process shares. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub db: Db,
    pub clock: Clock,
    pub bell: Bell,
    /// This process among others.
    pub node: Node,
    pub settings: Arc<Settings>,
    /// The revision in force. Load it once an operation.
    pub config: Arc<ArcSwap<Config>>,
    /// By their keys' order.
    pub carriers: Arc<Vec<Arc<dyn Carrier>>>,
    /// Those that send mail, by their keys' order.
    pub mailers: Arc<Vec<Arc<dyn Mailer>>>,
    /// What changes is told here, live.
    pub changes: Changes,
    /// The one way into an incident.
    pub door: Door,
    /// Signs and verifies tokens.
    pub token_key: Arc<TokenKey>,
    /// Where people sign in.
    pub desk: Arc<Desk>,
    /// Makes and knows the links in our texts.
    pub links: Links,
    /// Signs exports and anchors.
    pub ledger_key: Arc<SigningKey>,
    /// What this process knows of its own health.
    pub watch: Arc<Watch>,
}

/// What this installation signs with.
pub struct Keys {
    pub token: TokenKey,
    pub ledger: SigningKey,
}

impl App {
    /// Puts the parts together; nothing runs yet.
    pub fn new(
        settings: Settings,
        clock: Clock,
        db: Db,
        config: Config,
        carriers: Vec<Arc<dyn Carrier>>,
        keys: Keys,
    ) -> App {
        let (clock, correction) = clock.correctable();
        let node = Node::new(&settings, correction);
        let (bell, config) = (Bell::default(), Arc::new(ArcSwap::from_pointee(config)));
        let mailers = Arc::new(Vec::new());
        let links = Links::new(&settings.public_url, &keys.token);
        let door = Door {
            db: db.clone(),
            clock: clock.clone(),
            bell: bell.clone(),
            config: config.clone(),
            mail_domain: None,
            links: Some(links.clone()),
        };
        let desk = Arc::new(Desk::new(&settings, &keys.token));
        let (settings, carriers) = (Arc::new(settings), Arc::new(carriers));
        let (token_key, ledger_key) = (Arc::new(keys.token), Arc::new(keys.ledger));
        let watch = Arc::new(Watch::new(node.id(), clock.now()));
        let changes = Changes::default();
        App {
            db,
            clock,
            bell,
            node,
            settings,
            config,
            carriers,
            mailers,
            changes,
            door,
            token_key,
            desk,
            links,
            ledger_key,
            watch,
        }
    }

    /// The same with carriers that send mail. Message-IDs end in the domain of the first.
    pub fn with_mailers(mut self, mailers: Vec<Arc<dyn Mailer>>) -> App {
        self.door.mail_domain = mailers.first().map(|first| first.domain().into());
        App { mailers: Arc::new(mailers), ..self }
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
        let ledger = SigningKey::of(&[7; 32]).expect("a key");
        let keys = Keys { token: TokenKey::new(&[7; 32]), ledger };
        (App::new(settings, clock, db, config, carriers, keys), hand, folder)
    }
}
