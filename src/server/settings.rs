//! The settings of one process: `ringdown.toml`, then `RINGDOWN_*`. Secrets are given by value, `env:NAME` or
//! `file:PATH`, and are never printed.

mod read;
mod sign_in;
mod stray;
mod watch;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use chrono::TimeDelta;
use secrecy::SecretString;

pub use self::{
    sign_in::OidcSettings,
    stray::{Stray, strays},
    watch::{HeartbeatSettings, WatchSettings},
};
use crate::{access::network::Range, id::CarrierKey, store};

/// The settings that hold when nothing is said, commented: what `ringdown init` writes.
pub const DEFAULT_TOML: &str = include_str!("../../ringdown.default.toml");

/// Long enough to wake somebody, short enough that no voicemail picks up.
const RING_SECONDS: u32 = 22;

/// The settings of one process.
#[derive(Clone, Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    /// How carriers and people reach us: scheme, host, perhaps a path, no slash at the end. Signatures are checked
    /// over it; it is never taken from a request.
    pub public_url: String,
    /// `sqlite:PATH` or `postgres://…`. May hold a password: [`Settings::database_name`] is what people are shown.
    pub database: String,
    /// The folder of `*.toml` files.
    pub schedules: PathBuf,
    /// By key. No phone among them: the built-in handsets, under the key `handsets`.
    pub carriers: BTreeMap<CarrierKey, CarrierSettings>,
    /// Signs tokens (HS256), at least 32 bytes. `None`: made at the first start and kept beside the database.
    pub token_secret: Option<SecretString>,
    /// Signs exports and anchors: the seed of an Ed25519 key, 64 hexadecimal digits. `None`: made at the first start
    /// and kept beside the database.
    pub ledger_key: Option<SecretString>,
    /// How long a payload that intake received is kept.
    pub keep_payloads: TimeDelta,
    /// How the service watches itself.
    pub watch: WatchSettings,
    /// What this node is called. `None`: as its machine is.
    pub node: Option<String>,
    /// How long what a node claimed is left to it, should it say nothing more: 3 seconds to 5 minutes.
    pub lease: TimeDelta,
    /// Whether nodes ring each other's bell through the database (LISTEN and NOTIFY). Without it they look by the second.
    pub notify: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Range>,
    /// Whom people may sign in with.
    pub oidc: Option<OidcSettings>,
}

/// One carrier.
#[derive(Clone, Debug)]
pub enum CarrierSettings {
    Twilio(TwilioSettings),
    Handsets(HandsetsSettings),
    Smtp(SmtpSettings),
}

impl CarrierSettings {
    /// Whether it has to do with phones: texts and calls.
    pub fn is_phone(&self) -> bool {
        !matches!(self, CarrierSettings::Smtp(_))
    }
}

/// A mail server that takes what we send.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// `smtps://HOST`, `smtp://HOST?tls=required`, `smtp://HOST?tls=opportunistic` or `smtp://HOST`, with a port if it
    /// is an unusual one. Holds no password.
    pub url: String,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    /// Whom our mails are from: `Support <support@example.com>`.
    pub from: String,
    /// Where answers go, if not there.
    pub reply_to: Option<String>,
}

/// An account with Twilio, or with anything that speaks as Twilio does.
#[derive(Clone, Debug)]
pub struct TwilioSettings {
    pub account_sid: String,
    pub auth_token: SecretString,
    /// Accepted for signatures too, while a token is being changed.
    pub previous_auth_token: Option<SecretString>,
    /// `https://api.twilio.com` unless an emulator or a regional host is meant. A path prefix is kept.
    pub base_url: String,
    /// Our numbers (E.164), the first is used first.
    pub from: Vec<String>,
    /// Seconds a call rings.
    pub ring_seconds: u32,
}

/// The built-in carrier.
#[derive(Clone, Debug)]
pub struct HandsetsSettings {
    /// The number our texts and calls come from.
    pub from: String,
    pub ring_seconds: u32,
}

impl Settings {
    /// Whether pages ring on the built-in handsets: because a carrier says so, or because there is no other.
    pub fn has_handsets(&self) -> bool {
        self.carriers.values().any(|carrier| matches!(carrier, CarrierSettings::Handsets(_)))
            || !self.carriers.values().any(CarrierSettings::is_phone)
    }

    /// The database as people are shown it: without what may be a password.
    pub fn database_name(&self) -> &str {
        let address = self.database.split('?').next().unwrap_or_default();
        match address.rsplit_once('@') {
            Some((_, place)) if store::is_postgres(address) => place,
            _ => address,
        }
    }
}

impl Default for HandsetsSettings {
    fn default() -> Self {
        HandsetsSettings { from: "+12015550199".into(), ring_seconds: RING_SECONDS }
    }
}

impl Default for Settings {
    /// What holds when nothing is said.
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        Settings {
            listen,
            public_url: format!("http://{listen}"),
            database: "sqlite:ringdown.db".into(),
            schedules: "./schedules".into(),
            carriers: BTreeMap::new(),
            token_secret: None,
            ledger_key: None,
            keep_payloads: TimeDelta::days(7),
            watch: WatchSettings::default(),
            node: None,
            lease: TimeDelta::seconds(15),
            notify: true,
            trusted_proxies: sign_in::proxies(),
            oidc: None,
        }
    }
}
