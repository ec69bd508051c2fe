use chrono::TimeDelta;

use super::*;
use crate::server::settings::DEFAULT_TOML;

fn bare(_: &str) -> Option<String> {
    None
}

fn wrong(text: &str, env: &dyn Fn(&str) -> Option<String>) -> String {
    format!("{:#}", Settings::parse("ringdown.toml", text, env).unwrap_err())
}

#[test]
fn the_default_file_says_what_holds_without_it() {
    let without = Settings::parse("ringdown.toml", "", &bare).unwrap();
    let with = Settings::parse("ringdown.toml", DEFAULT_TOML, &bare).unwrap();
    assert_eq!(format!("{without:?}"), format!("{with:?}"));
    insta::assert_snapshot!(format!("{with:#?}"), @r#"
    Settings {
        listen: 127.0.0.1:8080,
        public_url: "http://127.0.0.1:8080",
        database: "sqlite:ringdown.db",
        schedules: "./schedules",
        carriers: {},
        token_secret: None,
        ledger_key: None,
        keep_payloads: TimeDelta {
            secs: 604800,
            nanos: 0,
        },
        watch: WatchSettings {
            heartbeat: Some(
                HeartbeatSettings {
                    every: TimeDelta {
                        secs: 60,
                        nanos: 0,
                    },
                    to: None,
                    via: None,
                },
            ),
            dead_man_url: None,
            stalled_url: None,
            abort_when_stalled: false,
            disk_floor: 64000000,
        },
        node: None,
        lease: TimeDelta {
            secs: 15,
            nanos: 0,
        },
        notify: true,
        trusted_proxies: [
            127.0.0.0/8,
            ::1/128,
        ],
        oidc: None,
    }
    "#);
}

#[test]
fn every_commented_line_of_the_default_file_is_a_setting() {
    // Taking the comment sign off whatever looks like TOML must give a file that reads.
    let setting = |line: &&str| line.contains(" = ") || line.starts_with("# [");
    let text: Vec<&str> = DEFAULT_TOML.lines().filter(setting).map(|line| &line[2..]).collect();
    let env = |name: &str| match name {
        "RINGDOWN_TOKEN_SECRET" | "TWILIO_AUTH_TOKEN" | "TWILIO_OLD_AUTH_TOKEN" | "MAIL_PASSWORD" | "OIDC_SECRET" => {
            Some("x".repeat(32))
        }
        "RINGDOWN_LEDGER_KEY" => Some("a1".repeat(32)),
        "RINGDOWN_DEAD_MAN_URL" | "RINGDOWN_STALLED_URL" => Some("https://dead-man.example.com/hush".into()),
        _ => None,
    };
    let text = text.join("\n").replace("AC...", "AC00");
    let settings = Settings::parse("ringdown.toml", &text, &env).unwrap();
    assert_eq!(settings.carriers.len(), 3);
    let without = Settings::parse("ringdown.toml", "", &bare).unwrap();
    assert_eq!((settings.listen, &settings.database), (without.listen, &without.database));
    assert_eq!((settings.schedules, settings.keep_payloads), (without.schedules, without.keep_payloads));
    assert_eq!((settings.lease, settings.notify), (without.lease, without.notify));
    assert_eq!(settings.trusted_proxies, without.trusted_proxies);
    assert!(settings.oidc.is_some_and(|oidc| oidc.claim == "email"));
    let handsets = &settings.carriers["handsets"];
    assert_eq!(format!("{handsets:?}"), format!("{:?}", CarrierSettings::Handsets(HandsetsSettings::default())));
}

#[test]
fn the_environment_wins_over_the_file() {
    let env = |name: &str| {
        let value = match name {
            "RINGDOWN_LISTEN" => "0.0.0.0:9000",
            "RINGDOWN_CARRIERS" => "spare",
            "RINGDOWN_CARRIERS__TWILIO__AUTH_TOKEN" => "env:TOKEN",
            "RINGDOWN_CARRIERS__TWILIO__FROM" => "+12015550123, +12015550124",
            "RINGDOWN_CARRIERS__SPARE__KIND" => "handsets",
            "RINGDOWN_CARRIERS__SPARE__RING_SECONDS" => "30",
            "TOKEN" => "from the environment",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let text = "listen = '127.0.0.1:1'\n[carriers.twilio]\nkind = 'twilio'\naccount_sid = 'AC1'\nauth_token = 'x'";
    let settings = Settings::parse("ringdown.toml", text, &env).unwrap();
    assert_eq!(settings.public_url, "http://127.0.0.1:9000");
    let CarrierSettings::Twilio(twilio) = &settings.carriers["twilio"] else { panic!() };
    assert_eq!(twilio.auth_token.expose_secret(), "from the environment");
    assert_eq!(twilio.from, ["+12015550123", "+12015550124"]);
    assert!(matches!(&settings.carriers["spare"], CarrierSettings::Handsets(spare) if spare.ring_seconds == 30));
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_line() {
    let text = "lisen = '127.0.0.1:8080'\npublic_url = 'ringdown.example.com'\ndatabase = 'mysql:x'\n\
                token_secret = 'short'\nkeep_payloads = '5'\n\n[carriers.twilio]\nkind = 'twilio'\n\
                auth_token = 'env:NOWHERE'\nfrom = ['12015550123']\nring_seconds = 200\nsid = 'AC'\n\n\
                [carriers.x]\nkind = 'pigeon'\n";
    let env = |name: &str| (name == "RINGDOWN_LISTEN").then(|| "8080".to_owned());
    insta::assert_snapshot!(wrong(text, &env), @r#"
    the settings cannot be used:
    ringdown.toml:1: lisen: there is no such key; did you mean `listen`?
    ringdown.toml:2: public_url: is not a web address; write `https://`, the host, and a path if there is one
    ringdown.toml:3: database: is not a database we can open; write `sqlite:PATH` or `postgres://USER@HOST/NAME`
    ringdown.toml:4: token_secret: has 5 bytes; write at least 32 random ones
    ringdown.toml:5: keep_payloads: `5` is not a span of time; write for example `90s`, `5m`, `1h30m` or `2d`
    ringdown.toml:7: carriers.twilio.account_sid: is missing; add `account_sid = "AC…"`
    ringdown.toml:9: carriers.twilio.auth_token: the environment variable `NOWHERE` is not set; set it
    ringdown.toml:10: carriers.twilio.from[0]: not a phone number in international form; write `+`, country code and number, for example `+12015550123`
    ringdown.toml:11: carriers.twilio.ring_seconds: out of range; write a whole number from 5 to 60
    ringdown.toml:12: carriers.twilio.sid: there is no such key; these exist: `account_sid`, `auth_token`, `base_url`, `from`, `kind`, `previous_auth_token` or `ring_seconds`
    ringdown.toml:15: carriers.x.kind: is not a kind of carrier; write `twilio`, `handsets` or `smtp`
    the environment: RINGDOWN_LISTEN: is not an address and a port; write for example `127.0.0.1:8080`
    "#);
}

#[test]
fn a_mail_carrier_is_read_with_its_password_from_the_environment() {
    let env = |name: &str| match name {
        "RINGDOWN_CARRIERS__OFFICE__PASSWORD" => Some("hush-hush".to_owned()),
        _ => None,
    };
    let text = "[carriers.office]\nkind = 'smtp'\nurl = 'smtps://mail.example.com'\nusername = 'ringdown'\n\
                from = 'Support <support@example.com>'\n";
    let settings = Settings::parse("ringdown.toml", text, &env).unwrap();
    let CarrierSettings::Smtp(smtp) = &settings.carriers["office"] else { panic!() };
    assert_eq!(smtp.password.as_ref().map(ExposeSecret::expose_secret), Some("hush-hush"));
    assert!(!format!("{settings:?}").contains("hush-hush"));
    let text = "[carriers.office]\nkind = 'smtp'\nurl = 'smtp://u:hush@mail.example.com'\nusername = 'u'\n\
                from = 'Support'\nring_seconds = 20\n";
    insta::assert_snapshot!(wrong(text, &bare), @"
    the settings cannot be used:
    ringdown.toml:1: carriers.office: `username` and `password` belong together; write both, or neither
    ringdown.toml:3: carriers.office.url: holds a password; write it as `username` and `password`, which are never shown
    ringdown.toml:5: carriers.office.from: is not a mailbox; write `Support <support@example.com>`
    ringdown.toml:6: carriers.office.ring_seconds: there is no such key; these exist: `from`, `kind`, `password`, `reply_to`, `url` or `username`
    ");
}

#[test]
fn a_database_may_be_given_as_secrets_are() {
    let env = |name: &str| (name == "DB").then(|| "postgres://ann:hush@db/ringdown".to_owned());
    let settings = Settings::parse("ringdown.toml", "database = 'env:DB'", &env).unwrap();
    assert_eq!(settings.database, "postgres://ann:hush@db/ringdown");
    let env = |name: &str| (name == "DB").then(|| "mysql://ann:hush@db".to_owned());
    let said = wrong("database = 'env:DB'", &env);
    assert!(said.contains("ringdown.toml:1: database: is not a database") && !said.contains("hush"), "{said}");
}

#[test]
fn the_watch_is_read_and_its_addresses_are_secrets() {
    let env = |name: &str| match name {
        "RINGDOWN_WATCH__DEAD_MAN_URL" => Some("env:URL".to_owned()),
        "URL" => Some("https://hc.example.com/ping/hush".to_owned()),
        "RINGDOWN_WATCH__HEARTBEAT__EVERY" => Some("5m".to_owned()),
        _ => None,
    };
    for text in ["", "[watch]\ndisk_floor_mb = 500\nheartbeat = { every = '2m' }\n"] {
        let settings = Settings::parse("ringdown.toml", text, &env).unwrap();
        let heartbeat = settings.watch.heartbeat.as_ref().unwrap();
        assert_eq!(heartbeat.every, TimeDelta::minutes(5));
        assert_eq!(settings.watch.disk_floor, if text.is_empty() { 64_000_000 } else { 500_000_000 });
        assert!(settings.watch.dead_man_url.is_some() && !format!("{settings:?}").contains("hush"));
    }
    let off = Settings::parse("ringdown.toml", "[watch]\nheartbeat = { every = 'never' }", &bare).unwrap();
    assert!(off.watch.heartbeat.is_none());
    let text = "[carriers.office]\nkind = 'smtp'\nurl = 'smtps://mail.example.com'\nfrom = 'a@example.com'\n\
                [watch]\ndead_man_url = 'hush.example.com'\ndisk_floor_mb = 0\nstaled_url = 'x'\n\
                [watch.heartbeat]\nevery = '5s'\nto = '12015550123'\nvia = 'office'\n";
    let said = wrong(text, &bare);
    assert!(!said.contains("hush"), "{said}");
    insta::assert_snapshot!(said, @r"
    the settings cannot be used:
    ringdown.toml:6: watch.dead_man_url: is not a web address; write `https://…` as the service shows it
    ringdown.toml:7: watch.disk_floor_mb: out of range; write a whole number from 1 to 1000000
    ringdown.toml:8: watch.staled_url: there is no such key; did you mean `stalled_url`?
    ringdown.toml:10: watch.heartbeat.every: is out of range; write from `1m` to `1h`, or `never`
    ringdown.toml:11: watch.heartbeat.to: not a phone number in international form; write `+`, country code and number, for example `+12015550123`
    ringdown.toml:12: watch.heartbeat.via: sends no texts; name a carrier that does
    ");
}

#[test]
fn single_sign_on_is_read_and_its_secret_is_shown_nowhere() {
    let env = |name: &str| match name {
        "RINGDOWN_OIDC__ISSUER" => Some("https://login.example.com/realms/main".to_owned()),
        "RINGDOWN_OIDC__CLIENT_ID" => Some("ringdown".to_owned()),
        "RINGDOWN_OIDC__CLIENT_SECRET" => Some("env:SECRET".to_owned()),
        "SECRET" => Some("hush".to_owned()),
        "RINGDOWN_TRUSTED_PROXIES" => Some("10.0.0.0/8, 192.0.2.7".to_owned()),
        _ => None,
    };
    let settings = Settings::parse("ringdown.toml", "", &env).unwrap();
    assert!(!format!("{settings:?}").contains("hush"));
    let oidc = settings.oidc.unwrap();
    assert_eq!((oidc.client_secret.expose_secret(), oidc.name.as_str()), ("hush", "Sign in with your organisation"));
    assert_eq!(format!("{:?}", settings.trusted_proxies), "[10.0.0.0/8, 192.0.2.7/32]");
    let text = "trusted_proxies = ['everybody']\n[oidc]\nissuer = 'http://login.example.com'\n\
                client_secret = 'hush'\nclaims = 'sub'\n";
    let said = wrong(text, &bare);
    assert!(!said.contains("hush"), "{said}");
    insta::assert_snapshot!(said, @r#"
    the settings cannot be used:
    ringdown.toml:1: trusted_proxies[0]: is not an address or a range of them; write for example `10.0.0.0/8` or `127.0.0.1`
    ringdown.toml:2: oidc: `client_id` is missing; write for example `client_id = "ringdown"`
    ringdown.toml:3: oidc.issuer: is not the address of an issuer; write `https://…` exactly as its discovery document does
    ringdown.toml:5: oidc.claims: there is no such key; did you mean `claim`?
    "#);
}

#[test]
fn a_node_has_a_name_and_a_lease_within_bounds() {
    let env = |name: &str| (name == "RINGDOWN_NOTIFY").then(|| "false".to_owned());
    let settings = Settings::parse("ringdown.toml", "node = 'east-1'\nlease = '1m'\n", &env).unwrap();
    assert_eq!((settings.node.as_deref(), settings.lease.num_seconds(), settings.notify), (Some("east-1"), 60, false));
    insta::assert_snapshot!(wrong("node = 'the first'\nlease = '1s'\nnotify = 'no'\n", &bare), @"
    the settings cannot be used:
    ringdown.toml:1: node: is not a name for a node; write at most 63 letters, digits, `-`, `_` and `.`
    ringdown.toml:2: lease: is out of range; write `3s` to `5m`
    ringdown.toml:3: notify: this is a text; write `true` or `false`
    ");
}

#[test]
fn a_syntax_error_is_said_with_its_line() {
    insta::assert_snapshot!(wrong("listen = '127.0.0.1:8080'\npublic_url = \n", &bare), @r#"
    the settings cannot be used:
    ringdown.toml:2: string values must be quoted, expected literal string; correct the TOML here
    "#);
}

#[test]
fn a_secret_is_never_shown_by_a_mistake_beside_it() {
    let text = "token_secret = 'too-short-but-secret'\n[carriers.t]\nkind = 'twilio'\nauth_token = 'hush-hush'\n";
    let said = wrong(text, &bare);
    assert!(!said.contains("secret'") && !said.contains("hush") && !said.contains("too-short"), "{said}");
}

#[test]
fn a_database_is_shown_without_its_password() {
    for (database, shown) in [
        ("sqlite:/var/lib/a@b.db", "sqlite:/var/lib/a@b.db"),
        ("postgres://ann:se@cret@db.example.com/ringdown?sslmode=require", "db.example.com/ringdown"),
        ("postgres:///ringdown?host=/run&password=secret", "postgres:///ringdown"),
    ] {
        let settings = Settings { database: database.into(), ..Settings::default() };
        assert_eq!(settings.database_name(), shown);
    }
}
