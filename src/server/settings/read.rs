//! Reading the settings: the file, and over it the environment.

use std::{
    cell::RefCell,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};

use super::{CarrierSettings, HandsetsSettings, RING_SECONDS, Settings, SmtpSettings, TwilioSettings};
use crate::{
    carrier::smtp,
    config::{
        Finding, Severity,
        document::{Fields, Node, Notes, Source, listed, well_formed},
        secret::Vault,
    },
    people::E164,
    span::Span,
    store,
};

/// Read from the working directory when no other file is named.
const FILE: &str = "ringdown.toml";

impl Settings {
    /// Reads the settings: `path`, or `ringdown.toml` in the working directory if it is there; over it `RINGDOWN_*`
    /// of `env`. The error lists everything that is wrong, with file, line and key.
    pub fn load(path: Option<&Path>, env: impl Fn(&str) -> Option<String>) -> anyhow::Result<Settings> {
        let text = match path {
            Some(path) => read(path)?,
            None if Path::new(FILE).exists() => read(Path::new(FILE))?,
            None => String::new(),
        };
        let label = path.unwrap_or(Path::new(FILE)).display().to_string();
        Self::parse(&label, &text, &env)
    }

    fn parse(label: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Settings> {
        let notes = Notes::default();
        let source = Source::new(label, text);
        let (document, sound) = source.parse(&notes);
        let settings = sound.then(|| {
            let reader = Reader { env, strays: RefCell::default() };
            let settings = Node::root(&notes, &source, "", &document).fields(|t| reader.settings(t));
            reader.strays.into_inner().into_iter().for_each(|finding| notes.add(finding));
            settings
        });
        let mut findings = notes.finish().0;
        // What is in no line, the environment, comes last.
        findings.sort_by_key(|finding| finding.line.wrapping_sub(1));
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        match settings {
            Some(settings) if findings.is_empty() => Ok(settings),
            _ => bail!("the settings cannot be used:\n{}", findings.join("\n")),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read the settings in {}", path.display()))
}

pub(super) struct Reader<'e> {
    env: &'e dyn Fn(&str) -> Option<String>,
    /// What is wrong in the environment.
    strays: RefCell<Vec<Finding>>,
}

/// A setting as it was given, and where.
pub(super) enum Given<'t, 'a> {
    Written(&'t Node<'a>),
    Environment { variable: String, value: String },
}

impl Reader<'_> {
    /// A setting: from the environment if it is there, else from the file.
    pub(super) fn given<'t, 'a>(
        &self,
        t: &'t Fields<'a>,
        key: &'static str,
        variable: String,
    ) -> Option<Given<'t, 'a>> {
        // Asked for in any case, or the file's own would seem unknown.
        let written = t.optional(key);
        match (self.env)(&variable) {
            Some(value) if !value.is_empty() => Some(Given::Environment { variable, value }),
            _ => written.map(Given::Written),
        }
    }

    /// A text setting, read by `as_what`, whose error says what to do.
    pub(super) fn text<T>(&self, given: Given<'_, '_>, as_what: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match given {
            Given::Written(node) => as_what(node.words()?).map_err(|error| node.error(error)).ok(),
            Given::Environment { variable, value } => {
                as_what(value.trim()).map_err(|error| self.stray(&variable, error)).ok()
            }
        }
    }

    fn flag(&self, given: Given<'_, '_>) -> Option<bool> {
        match given {
            Given::Written(node) => node.flag(),
            given => self.text(given, |text| text.parse().map_err(|_| "is neither `true` nor `false`".into())),
        }
    }

    /// Whether the environment has this variable.
    pub(super) fn has(&self, variable: &str) -> bool {
        (self.env)(variable).is_some_and(|value| !value.is_empty())
    }

    pub(super) fn stray(&self, variable: &str, message: String) {
        let (file, key) = ("the environment".into(), variable.into());
        self.strays.borrow_mut().push(Finding { file, line: 0, key, severity: Severity::Error, message });
    }

    fn settings(&self, t: &Fields<'_>) -> Settings {
        let own = |key: &'static str| self.given(t, key, format!("RINGDOWN_{}", key.to_uppercase()));
        let listen = own("listen").and_then(|given| self.text(given, address));
        let standard = Settings::default();
        let listen = listen.unwrap_or(standard.listen);
        let public_url = own("public_url").and_then(|given| self.text(given, url));
        let database = own("database").and_then(|given| self.text(given, |text| self.database(text)));
        let schedules = own("schedules").and_then(|given| self.text(given, |text| Ok(PathBuf::from(text))));
        let token_secret = own("token_secret").and_then(|given| self.text(given, |text| self.token_secret(text)));
        let ledger_key = own("ledger_key").and_then(|given| self.text(given, |text| self.ledger_key(text)));
        let keep_payloads = own("keep_payloads").and_then(|given| self.text(given, keep));
        let node = own("node").and_then(|given| self.text(given, node_name));
        let lease = own("lease").and_then(|given| self.text(given, lease));
        let notify = own("notify").and_then(|given| self.flag(given));
        let proxies = own("trusted_proxies").map(|given| self.trusted_proxies(given));
        let mut settings = Settings {
            listen,
            public_url: public_url.unwrap_or_else(|| local(listen)),
            database: database.unwrap_or(standard.database),
            schedules: schedules.unwrap_or(standard.schedules),
            carriers: Default::default(),
            token_secret,
            ledger_key,
            keep_payloads: keep_payloads.map_or(standard.keep_payloads, Span::delta),
            watch: standard.watch,
            node,
            lease: lease.map_or(standard.lease, Span::delta),
            notify: notify.unwrap_or(standard.notify),
            trusted_proxies: proxies.unwrap_or(standard.trusted_proxies),
            oidc: None,
        };
        for (name, node) in t.optional("carriers").map(Node::entries).unwrap_or_default() {
            if !well_formed(&name) {
                node.error("use lower-case letters, digits, `-` and `_` in its name");
            }
            if let Some(carrier) = node.fields(|t| self.carrier(t, &name)) {
                settings.carriers.insert(name.as_str().into(), carrier);
            }
        }
        self.carriers_of_the_environment(&mut settings);
        settings.watch = self.watch(t, &settings);
        settings.oidc = self.oidc(t);
        settings
    }

    /// Carriers that only `RINGDOWN_CARRIERS` names.
    fn carriers_of_the_environment(&self, settings: &mut Settings) {
        let names = (self.env)("RINGDOWN_CARRIERS").unwrap_or_default();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if settings.carriers.contains_key(name) {
                continue;
            }
            if !well_formed(name) {
                self.stray("RINGDOWN_CARRIERS", "use lower-case letters, digits, `-` and `_` in names".into());
                continue;
            }
            // An empty table, whose fields all come from the environment.
            let (notes, source) = (Notes::default(), Source::new("the environment", ""));
            let (document, _) = source.parse(&notes);
            let carrier =
                Node::root(&notes, &source, &format!("carriers.{name}"), &document).fields(|t| self.carrier(t, name));
            let at_no_line = |finding| Finding { line: 0, ..finding };
            self.strays.borrow_mut().extend(notes.finish().0.into_iter().map(at_no_line));
            if let Some(carrier) = carrier {
                settings.carriers.insert(name.into(), carrier);
            }
        }
    }

    fn carrier(&self, t: &Fields<'_>, name: &str) -> Option<CarrierSettings> {
        let name = name.to_uppercase().replace('-', "_");
        let own = |key: &'static str| self.given(t, key, format!("RINGDOWN_CARRIERS__{name}__{}", key.to_uppercase()));
        let needed = |key: &'static str, example: &str| {
            let given = own(key);
            // Asked again, the document notes that it is missing.
            given.or_else(|| t.required(key, example).map(Given::Written))
        };
        let kind = needed("kind", "\"twilio\"").and_then(|given| {
            self.text(given, |text| match text {
                "twilio" | "handsets" | "smtp" => Ok(text.to_owned()),
                _ => Err(format!("is not a kind of carrier; write {}", listed(["twilio", "handsets", "smtp"]))),
            })
        })?;
        let secret = |given| self.text(given, |text| self.secret(text));
        if kind == "smtp" {
            let url = needed("url", "\"smtps://mail.example.com\"").and_then(|given| self.text(given, smtp::url));
            let mailbox = |given| self.text(given, smtp::mailbox);
            let from = needed("from", "\"Support <support@example.com>\"").and_then(mailbox);
            let reply_to = own("reply_to").and_then(mailbox);
            let username = own("username").and_then(|given| self.text(given, |text| Ok(text.to_owned())));
            let password = own("password").and_then(secret);
            if username.is_some() != password.is_some() {
                t.node().error("`username` and `password` belong together; write both, or neither");
            }
            if username.is_some() && url.as_deref().is_some_and(smtp::exposes) {
                t.node()
                    .error("the password could be read on its way; write `smtps://HOST` or `smtp://HOST?tls=required`");
            }
            return Some(CarrierSettings::Smtp(SmtpSettings { url: url?, username, password, from: from?, reply_to }));
        }
        let ring_seconds = own("ring_seconds").and_then(|given| match given {
            Given::Written(node) => node.number(5, 60),
            given => self.text(given, |text| {
                let seconds = text.parse().ok().filter(|seconds| (5..=60).contains(seconds));
                seconds.ok_or_else(|| "out of range; write a whole number from 5 to 60".into())
            }),
        });
        let ring_seconds = ring_seconds.unwrap_or(RING_SECONDS);
        if kind == "handsets" {
            let from = own("from").and_then(|given| self.text(given, phone));
            let from = from.unwrap_or_else(|| HandsetsSettings::default().from);
            return Some(CarrierSettings::Handsets(HandsetsSettings { from, ring_seconds }));
        }
        let account_sid = needed("account_sid", "\"AC…\"").and_then(|given| self.text(given, sid));
        let auth_token = needed("auth_token", "\"env:TWILIO_AUTH_TOKEN\"").and_then(secret);
        let previous_auth_token = own("previous_auth_token").and_then(secret);
        let base_url = own("base_url").and_then(|given| self.text(given, url));
        let from = needed("from", "[\"+12015550123\"]").map(|given| self.numbers(given));
        Some(CarrierSettings::Twilio(TwilioSettings {
            account_sid: account_sid?,
            auth_token: auth_token?,
            previous_auth_token,
            base_url: base_url.unwrap_or_else(|| "https://api.twilio.com".into()),
            from: from?,
            ring_seconds,
        }))
    }

    /// A list in the file; with commas between in the environment.
    fn numbers(&self, given: Given<'_, '_>) -> Vec<String> {
        match given {
            Given::Written(node) => {
                let items = node.items();
                if items.is_empty() {
                    node.error("has no number; write one that you hire from the carrier, such as `[\"+12015550123\"]`");
                }
                items.iter().filter_map(|item| self.text(Given::Written(item), phone)).collect()
            }
            Given::Environment { variable, value } => {
                let item = |text: &str| phone(text.trim()).map_err(|error| self.stray(&variable, error)).ok();
                value.split(',').filter_map(item).collect()
            }
        }
    }

    pub(super) fn secret(&self, text: &str) -> Result<SecretString, String> {
        // `file:` is relative to the working directory, like every path here.
        Vault { env: self.env, folder: Path::new("") }.open(text).map(Into::into)
    }

    /// Where it holds a password, it may be given as secrets are.
    fn database(&self, text: &str) -> Result<String, String> {
        let elsewhere = ["env:", "file:"].iter().any(|prefix| text.starts_with(prefix));
        if !elsewhere {
            return database(text);
        }
        self.secret(text).and_then(|secret| database(secret.expose_secret().trim()))
    }

    fn ledger_key(&self, text: &str) -> Result<SecretString, String> {
        self.secret(text).and_then(seed)
    }

    fn token_secret(&self, text: &str) -> Result<SecretString, String> {
        let secret = self.secret(text)?;
        match secret.expose_secret().len() {
            32.. => Ok(secret),
            n => Err(format!("has {n} bytes; write at least 32 random ones")),
        }
    }
}

/// 32 bytes as hexadecimal digits.
fn seed(secret: SecretString) -> Result<SecretString, String> {
    let digits = secret.expose_secret();
    let fine = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fine { Ok(secret) } else { Err("is not 64 hexadecimal digits; `openssl rand -hex 32` makes them".into()) }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "is not an address and a port; write for example `127.0.0.1:8080`".into())
}

/// Where a server that listens there is reached from the same machine.
fn local(listen: SocketAddr) -> String {
    let host = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(host, listen.port()))
}

/// A web address without a slash at its end.
fn url(text: &str) -> Result<String, String> {
    let bad = || "is not a web address; write `https://`, the host, and a path if there is one".to_owned();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(bad)?;
    let fine = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@' | '"' | '<' | '>' | '\\');
    if rest.trim_matches('/').is_empty() || rest.starts_with('/') || !rest.chars().all(fine) {
        return Err(bad());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn database(text: &str) -> Result<String, String> {
    match text.strip_prefix("sqlite:") {
        Some(path) if !path.trim_matches('/').is_empty() => Ok(text.to_owned()),
        None if store::is_postgres(text) => Ok(text.to_owned()),
        _ => Err("is not a database we can open; write `sqlite:PATH` or `postgres://USER@HOST/NAME`".into()),
    }
}

fn keep(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|error: crate::span::BadSpan| error.to_string())?;
    if span < Span::minutes(60) { Err("is too short; write at least `1h`".into()) } else { Ok(span) }
}

/// What a node may be called: as machines are.
fn node_name(text: &str) -> Result<String, String> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match (1..=63).contains(&text.len()) && text.bytes().all(fine) {
        true => Ok(text.into()),
        false => Err("is not a name for a node; write at most 63 letters, digits, `-`, `_` and `.`".into()),
    }
}

fn lease(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|error: crate::span::BadSpan| error.to_string())?;
    match (Span::seconds(3)..=Span::minutes(5)).contains(&span) {
        true => Ok(span),
        false => Err("is out of range; write `3s` to `5m`".into()),
    }
}

fn sid(text: &str) -> Result<String, String> {
    let fine = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fine { Ok(text.into()) } else { Err("is not an account SID; write `AC` and 32 hexadecimal digits".into()) }
}

pub(super) fn phone(text: &str) -> Result<String, String> {
    // Not checked against the numbering plans: a carrier's test number need not exist.
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')')).collect();
    E164::parse(&bare).map(|number| number.as_str().to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
