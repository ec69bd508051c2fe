//! What the settings of a process say. Pure.

use secrecy::ExposeSecret;

use super::{Finding, Topic};
use crate::{
    access::origin,
    config::{self, Config, Severity},
    intake::IntegrationSecret,
    server::settings::{CarrierSettings, Settings},
};

/// The keys of the example folder: everybody can read them.
const EXAMPLE_KEYS: [&str; 3] = ["example0pagerduty0key00000000001", "example-alertmanager-key", "example-generic-key"];

/// Words in a secret that somebody meant to replace.
const PLACEHOLDERS: [&str; 6] = ["change", "example", "default", "password", "insecure", "secret"];

/// A secret with fewer different letters is no secret.
const LEAST_LETTERS: usize = 8;

/// Everything that the settings say of themselves.
pub fn all(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![public_url(settings)];
    findings.extend(carriers(settings));
    findings.extend(mail(settings));
    findings.push(watch(settings));
    findings
}

/// Whether carriers and people can be expected to reach us.
fn public_url(settings: &Settings) -> Finding {
    let url = &settings.public_url;
    let real_carrier = settings.carriers.values().any(|carrier| matches!(carrier, CarrierSettings::Twilio(_)));
    match (real_carrier, origin::is_loopback(url), url.starts_with("https://")) {
        (true, true, _) => Topic::Address
            .warning(format!("public_url is {url}: only a carrier on this machine can reach it, and no real one")),
        (true, false, false) => {
            Topic::Address.warning(format!("public_url is {url}: without https, calls and keys can be read on the way"))
        }
        _ => Topic::Address.good(format!("public_url is {url}")),
    }
}

fn carriers(settings: &Settings) -> Vec<Finding> {
    let phones = || settings.carriers.iter().filter(|(_, carrier)| carrier.is_phone());
    if phones().next().is_none() {
        return vec![Topic::Carriers.warning("no carrier is set: pages ring only on the built-in handsets")];
    }
    let mut findings: Vec<Finding> = phones()
        .filter_map(|(key, carrier)| match carrier {
            CarrierSettings::Twilio(twilio) if twilio.from.is_empty() => {
                Some(Topic::Carriers.bad(format!("carriers.{key} has no number to call from: set `from`")))
            }
            CarrierSettings::Twilio(twilio) => Some(Topic::Carriers.good(format!(
                "carrier {key} at {}, {} numbers",
                twilio.base_url,
                twilio.from.len()
            ))),
            CarrierSettings::Handsets(_) => Some(Topic::Carriers.good(format!("carrier {key}: the built-in handsets"))),
            CarrierSettings::Smtp(_) => None,
        })
        .collect();
    if phones().count() == 1 {
        findings.push(Topic::Carriers.warning("one carrier only: when it is down, nobody's phone rings"));
    }
    findings
}

/// Passwords that would go to a mail server in the clear.
fn mail(settings: &Settings) -> Vec<Finding> {
    let servers = settings.carriers.iter().filter_map(|(key, carrier)| match carrier {
        CarrierSettings::Smtp(smtp) => Some((key, smtp)),
        _ => None,
    });
    servers
        .filter(|(_, smtp)| smtp.password.is_some())
        .filter(|(_, smtp)| smtp.url.starts_with("smtp://") && !smtp.url.ends_with("?tls=required"))
        .map(|(key, smtp)| {
            Topic::Mail.warning(format!(
                "carriers.{key}.url is {}: the password can be read on the way; write `smtps://`, or `?tls=required`",
                smtp.url
            ))
        })
        .collect()
}

/// Who notices when the service itself is not well.
fn watch(settings: &Settings) -> Finding {
    match (&settings.watch.heartbeat, &settings.watch.dead_man_url) {
        (None, _) => Topic::Watch.warning("watch.heartbeat is off: nothing shows that a page would get through"),
        (Some(_), None) => {
            Topic::Watch.warning("nobody outside is told when the service falls silent: set watch.dead_man_url")
        }
        (Some(_), Some(_)) => Topic::Watch.good("a dead-man service hears of each complete heartbeat"),
    }
}

/// What `config::check` said of a folder.
pub fn schedules(findings: &[config::Finding]) -> Vec<Finding> {
    let told = |finding: &config::Finding| match finding.severity {
        Severity::Error => Topic::Schedules.bad(finding.to_string()),
        Severity::Warning => Topic::Schedules.warning(finding.to_string()),
    };
    findings.iter().map(told).collect()
}

/// Whether settings and schedules fit each other.
pub fn together(settings: &Settings, config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.wants_mail() && settings.carriers.values().all(CarrierSettings::is_phone) {
        findings.push(
            Topic::Mail.warning("the schedules have mail addresses, and no carrier sends mail: add one of kind `smtp`"),
        );
    }
    findings.push(Topic::Schedules.good(format!(
        "{}: {} people, {} teams, {} customers, {} hotlines",
        settings.schedules.display(),
        config.people.len(),
        config.teams.len(),
        config.customers.len(),
        config.hotlines.len()
    )));
    if let Some(to) = settings.watch.heartbeat.as_ref().and_then(|heartbeat| heartbeat.to.as_ref())
        && let Some(person) = config.people.values().find(|person| person.contact.iter().any(|it| it.address == *to))
    {
        let name = &person.name;
        let words = format!("watch.heartbeat.to is a phone of {name}: no heartbeat is sent there; use another");
        findings.push(Topic::Watch.bad(words));
    }
    findings
}

/// Secrets that are none.
pub fn secrets(settings: &Settings, config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut given = vec![("token_secret".to_owned(), settings.token_secret.as_ref())];
    for (key, carrier) in &settings.carriers {
        match carrier {
            CarrierSettings::Twilio(twilio) => {
                given.push((format!("carriers.{key}.auth_token"), Some(&twilio.auth_token)));
            }
            CarrierSettings::Smtp(smtp) => given.push((format!("carriers.{key}.password"), smtp.password.as_ref())),
            CarrierSettings::Handsets(_) => {}
        }
    }
    for (name, secret) in given {
        if secret.is_some_and(|secret| is_placeholder(secret.expose_secret())) {
            let words =
                format!("{name} looks like a placeholder: make a real one, for example with `openssl rand -hex 32`");
            findings.push(Topic::Secrets.bad(words));
        }
    }
    let examples = EXAMPLE_KEYS.map(IntegrationSecret::digest_of);
    for integration in config.integrations.values() {
        if integration.keys.iter().any(|key| examples.contains(&key.digest)) {
            findings.push(Topic::Secrets.warning(format!(
                "integrations.{} takes the key of the example, which everybody can read: write one of your own",
                integration.key
            )));
        }
    }
    if findings.is_empty() {
        findings.push(Topic::Secrets.good("no secret is a placeholder or an example"));
    }
    findings
}

fn is_placeholder(secret: &str) -> bool {
    let low = secret.to_lowercase();
    let letters: std::collections::BTreeSet<char> = low.chars().collect();
    letters.len() < LEAST_LETTERS || PLACEHOLDERS.iter().any(|word| low.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{readiness::Health, server::settings::TwilioSettings};

    fn twilio(auth_token: &str, from: &[&str]) -> CarrierSettings {
        CarrierSettings::Twilio(TwilioSettings {
            account_sid: "AC1".into(),
            auth_token: auth_token.into(),
            previous_auth_token: None,
            base_url: "https://api.twilio.com".into(),
            from: from.iter().map(ToString::to_string).collect(),
            ring_seconds: 20,
        })
    }

    #[test]
    fn an_address_is_judged_by_who_has_to_reach_it() {
        let real = [("main".into(), twilio("x", &["+12015550100"]))];
        for (url, carriers, health) in [
            ("http://127.0.0.1:8080", vec![], Health::Good),
            ("http://127.0.0.1:8080", real.to_vec(), Health::Warning),
            ("http://pager.example.com", real.to_vec(), Health::Warning),
            ("https://pager.example.com", real.to_vec(), Health::Good),
        ] {
            let settings =
                Settings { public_url: url.into(), carriers: carriers.into_iter().collect(), ..Settings::default() };
            assert_eq!(public_url(&settings).health, health, "{url}");
        }
    }

    #[test]
    fn a_carrier_without_a_number_is_bad_and_one_alone_is_told() {
        let settings = Settings { carriers: [("main".into(), twilio("x", &[]))].into(), ..Settings::default() };
        let health: Vec<Health> = carriers(&settings).iter().map(|finding| finding.health).collect();
        assert_eq!(health, [Health::Bad, Health::Warning]);
    }

    #[test]
    fn a_secret_that_is_none_is_found() {
        for (secret, placeholder) in [
            ("changeme-changeme-changeme-changeme", true),
            ("00000000000000000000000000000000", true),
            ("your-example-token-goes-here-12345", true),
            ("6f1f4b9a0c5d4e7f8a9b1c2d3e4f5061", false),
        ] {
            assert_eq!(is_placeholder(secret), placeholder, "{secret}");
            let settings = Settings {
                token_secret: Some(secret.into()),
                carriers: [("main".into(), twilio(secret, &["+1"]))].into(),
                ..Settings::default()
            };
            let found = secrets(&settings, &Config::default());
            assert_eq!(found.iter().filter(|it| it.health == Health::Bad).count(), if placeholder { 2 } else { 0 });
            assert!(found.iter().all(|finding| !finding.words.contains(secret)), "no secret is told");
        }
    }

    #[test]
    fn the_keys_of_the_example_folder_are_known() {
        let example = crate::config::example_files().iter().find(|(name, _)| name.ends_with("integrations.toml"));
        let text = example.expect("integrations.toml").1;
        for key in EXAMPLE_KEYS {
            assert!(text.contains(key), "{key}");
        }
    }
}
