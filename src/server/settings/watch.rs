//! `[watch]`: how the service watches itself.

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Settings,
    read::{Given, Reader, phone},
};
use crate::{
    config::document::{Fields, Node, Notes, Source},
    id::CarrierKey,
    people::E164,
    span::Span,
};

/// Less than this, and the disk is nearly full, in megabytes.
const DISK_FLOOR_MB: u64 = 64;

/// How the service watches itself.
#[derive(Clone, Debug)]
pub struct WatchSettings {
    /// `None`: it never beats.
    pub heartbeat: Option<HeartbeatSettings>,
    /// Pinged after each complete heartbeat: a dead-man service calls somebody when that stops.
    pub dead_man_url: Option<SecretString>,
    /// Pinged when a loop has stalled.
    pub stalled_url: Option<SecretString>,
    /// Whether the process ends itself when a loop that pages has stalled, for whoever restarts it.
    pub abort_when_stalled: bool,
    /// With fewer bytes free where the database lies, this node is not ready.
    pub disk_floor: u64,
}

/// The heartbeat through the path of a page.
#[derive(Clone, Debug)]
pub struct HeartbeatSettings {
    pub every: TimeDelta,
    /// Where the text goes. `None`: the built-in handsets have a number for it, and a real carrier is only asked for
    /// our account.
    pub to: Option<E164>,
    /// `None`: the carrier that texts go out by first.
    pub via: Option<CarrierKey>,
}

impl Default for HeartbeatSettings {
    fn default() -> Self {
        HeartbeatSettings { every: TimeDelta::minutes(1), to: None, via: None }
    }
}

impl Default for WatchSettings {
    fn default() -> Self {
        WatchSettings {
            heartbeat: Some(HeartbeatSettings::default()),
            dead_man_url: None,
            stalled_url: None,
            abort_when_stalled: false,
            disk_floor: DISK_FLOOR_MB * 1_000_000,
        }
    }
}

impl Reader<'_> {
    /// The table, or what the environment says where the file has none. `settings` are those read before.
    pub(super) fn watch(&self, t: &Fields<'_>, settings: &Settings) -> WatchSettings {
        match t.optional("watch") {
            Some(node) => node.fields(|t| self.watch_fields(t, settings)),
            None => self.without_file("watch", |node| node.fields(|t| self.watch_fields(t, settings))),
        }
    }

    /// Reads fields that all come from the environment.
    pub(super) fn without_file<T>(&self, key: &str, read: impl FnOnce(&Node<'_>) -> T) -> T {
        let (notes, source) = (Notes::default(), Source::new("the environment", ""));
        let (document, _) = source.parse(&notes);
        read(&Node::root(&notes, &source, key, &document))
    }

    fn watch_fields(&self, t: &Fields<'_>, settings: &Settings) -> WatchSettings {
        let own = |key: &'static str| self.given(t, key, format!("RINGDOWN_WATCH__{}", key.to_uppercase()));
        let standard = WatchSettings::default();
        let address = |given| self.text(given, |text| self.secret(text).and_then(web_address));
        let heartbeat = match t.optional("heartbeat") {
            Some(node) => node.fields(|t| self.heartbeat(t, settings)),
            None => self.without_file("watch.heartbeat", |node| node.fields(|t| self.heartbeat(t, settings))),
        };
        let floor = own("disk_floor_mb").and_then(|given| match given {
            Given::Written(node) => node.number(1, 1_000_000),
            given => self.text(given, |text| {
                let floor = text.parse().ok().filter(|floor| (1..=1_000_000).contains(floor));
                floor.ok_or_else(|| "out of range; write a whole number of megabytes from 1 to 1000000".into())
            }),
        });
        let abort = own("abort_when_stalled").and_then(|given| match given {
            Given::Written(node) => node.flag(),
            given => self.text(given, |text| text.parse().map_err(|_| "write `true` or `false`".into())),
        });
        WatchSettings {
            heartbeat,
            dead_man_url: own("dead_man_url").and_then(address),
            stalled_url: own("stalled_url").and_then(address),
            abort_when_stalled: abort.unwrap_or(standard.abort_when_stalled),
            disk_floor: floor.map_or(standard.disk_floor, |megabytes: u64| megabytes * 1_000_000),
        }
    }

    fn heartbeat(&self, t: &Fields<'_>, settings: &Settings) -> Option<HeartbeatSettings> {
        let own = |key: &'static str| self.given(t, key, format!("RINGDOWN_WATCH__HEARTBEAT__{}", key.to_uppercase()));
        let standard = HeartbeatSettings::default();
        let every = own("every").and_then(|given| self.text(given, every));
        let to = own("to").and_then(|given| self.text(given, |text| phone(text).and_then(number)));
        let via = own("via").and_then(|given| {
            self.text(given, |text| match settings.carriers.get(text) {
                Some(carrier) if carrier.is_phone() => Ok(CarrierKey::from(text)),
                Some(_) => Err("sends no texts; name a carrier that does".into()),
                None => Err("is no carrier of these settings; write its name under [carriers]".to_owned()),
            })
        });
        // `never` is read as no span at all.
        match every {
            Some(None) => None,
            every => Some(HeartbeatSettings { every: every.flatten().unwrap_or(standard.every), to, via }),
        }
    }
}

fn number(text: String) -> Result<E164, String> {
    E164::parse(&text).map_err(|error| error.to_string())
}

/// One may take fifty seconds, and a dead-man service waits for minutes, not hours.
fn every(text: &str) -> Result<Option<TimeDelta>, String> {
    if text == "never" {
        return Ok(None);
    }
    let span: Span = text.parse().map_err(|error: crate::span::BadSpan| error.to_string())?;
    let span = span.delta();
    if (TimeDelta::minutes(1)..=TimeDelta::hours(1)).contains(&span) {
        Ok(Some(span))
    } else {
        Err("is out of range; write from `1m` to `1h`, or `never`".into())
    }
}

/// An address to ping. What is wrong is said without it: it is a secret.
fn web_address(secret: SecretString) -> Result<SecretString, String> {
    let text = secret.expose_secret();
    let scheme = text.starts_with("https://") || text.starts_with("http://");
    let fine = text.len() <= 2000 && text.bytes().all(|byte| byte.is_ascii_graphic());
    match scheme && fine && text.parse::<axum::http::Uri>().is_ok_and(|uri| uri.host().is_some()) {
        true => Ok(secret),
        false => Err("is not a web address; write `https://…` as the service shows it".into()),
    }
}
