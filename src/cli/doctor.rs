//! `ringdown doctor`: is this installation fit to page somebody tonight? Reads everything, changes nothing but its own
//! test write.

use anyhow::bail;
use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::Local;
use crate::{
    carrier::smtp::Smtp,
    clock::Clock,
    config::{self, Severity},
    node::{self, State, presence, skew},
    server::settings::{CarrierSettings, Settings},
    sla::zone,
    store::Db,
};

/// Find out what is wrong with an installation.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ringdown doctor
  ringdown doctor --config /etc/ringdown/ringdown.toml --json

The exit code is 0 when nothing is bad.")]
pub struct Args {
    #[command(flatten)]
    pub here: Local,
    /// As JSON: a list of `health` and `words`
    #[arg(long)]
    pub json: bool,
}

/// How one thing is.
enum Health {
    Good(String),
    /// It will page, and something is not as it should be.
    Warning(String),
    Bad(String),
}

use Health::{Bad, Good, Warning};

/// Prints one line a thing; fails if any is bad.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut findings = vec![time_zones()];
    match args.here.settings() {
        Ok(settings) => {
            findings.push(Good("the settings can be read".into()));
            findings.push(public_url(&settings.public_url, &settings));
            findings.extend(carriers(&settings));
            findings.extend(mail_servers(&settings).await);
            findings.extend(schedules(&settings));
            findings.extend(database(&settings).await);
        }
        Err(error) => findings.push(Bad(format!("{error:#}"))),
    }
    let lines = findings.iter().map(|finding| match finding {
        Good(words) => ("ok", words),
        Warning(words) => ("warning", words),
        Bad(words) => ("bad", words),
    });
    let text = if args.json {
        let list: Vec<_> = lines.map(|(health, words)| json!({"health": health, "words": words})).collect();
        format!("{}\n", serde_json::to_string_pretty(&list)?)
    } else {
        lines.map(|(health, words)| format!("{health:<8} {words}\n")).collect()
    };
    super::print(&text);
    match findings.iter().filter(|finding| matches!(finding, Bad(_))).count() {
        0 => Ok(()),
        count => bail!("{count} of these must be mended before it can be trusted"),
    }
}

fn time_zones() -> Health {
    let version = zone::database_version();
    let year = version.get(..4).and_then(|year| year.parse::<i32>().ok());
    let this_year = (Utc::now() - TimeDelta::days(180)).format("%Y").to_string().parse::<i32>().unwrap_or_default();
    if year.is_some_and(|year| year >= this_year) {
        Good(format!("time zones of {version}"))
    } else {
        Warning(format!("time zones of {version} are old; hand-offs may be an hour wrong somewhere: update Ringdown"))
    }
}

fn public_url(url: &str, settings: &Settings) -> Health {
    let real_carrier = settings.carriers.values().any(|carrier| matches!(carrier, CarrierSettings::Twilio(_)));
    let local = ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| url.contains(host));
    match (real_carrier, local, url.starts_with("https://")) {
        (true, true, _) => {
            Warning(format!("public_url is {url}: only a carrier on this machine can reach it, and no real one"))
        }
        (true, false, false) => {
            Warning(format!("public_url is {url}: without https, calls and keys can be read on the way"))
        }
        _ => Good(format!("public_url is {url}")),
    }
}

fn carriers(settings: &Settings) -> Vec<Health> {
    let phones = || settings.carriers.iter().filter(|(_, carrier)| carrier.is_phone());
    if phones().next().is_none() {
        return vec![Warning("no carrier is set: pages ring only on the built-in handsets".into())];
    }
    let mut findings: Vec<Health> = phones()
        .filter_map(|(key, carrier)| match carrier {
            CarrierSettings::Twilio(twilio) if twilio.from.is_empty() => {
                Some(Bad(format!("carriers.{key} has no number to call from: set `from`")))
            }
            CarrierSettings::Twilio(twilio) => {
                Some(Good(format!("carrier {key} at {}, {} numbers", twilio.base_url, twilio.from.len())))
            }
            CarrierSettings::Handsets(_) => Some(Good(format!("carrier {key}: the built-in handsets"))),
            CarrierSettings::Smtp(_) => None,
        })
        .collect();
    if phones().count() == 1 {
        findings.push(Warning("one carrier only: when it is down, nobody's phone rings".into()));
    }
    findings
}

/// Each mail server is greeted, and signed in at.
async fn mail_servers(settings: &Settings) -> Vec<Health> {
    let mut findings = Vec::new();
    for (key, carrier) in &settings.carriers {
        let CarrierSettings::Smtp(smtp) = carrier else { continue };
        findings.push(match Smtp::new(key.clone(), smtp) {
            Ok(server) => match server.test().await {
                Ok(()) => Good(format!("carrier {key}: the mail server at {} takes mail from us", smtp.url)),
                Err(refused) => Bad(format!("carrier {key}: {}: {}", smtp.url, refused.words)),
            },
            Err(error) => Bad(format!("{error:#}")),
        });
        if smtp.password.is_some() && smtp.url.starts_with("smtp://") && !smtp.url.ends_with("?tls=required") {
            findings.push(Warning(format!(
                "carriers.{key}.url is {}: the password can be read on the way; write `smtps://`, or `?tls=required`",
                smtp.url
            )));
        }
    }
    findings
}

fn schedules(settings: &Settings) -> Vec<Health> {
    let (config, findings) = config::check(&settings.schedules, Utc::now());
    let mut health: Vec<Health> = findings
        .iter()
        .map(|finding| match finding.severity {
            Severity::Error => Bad(finding.to_string()),
            Severity::Warning => Warning(finding.to_string()),
        })
        .collect();
    if let Some(config) = config {
        if config.wants_mail() && settings.carriers.values().all(CarrierSettings::is_phone) {
            health.push(Warning(
                "the schedules have mail addresses, and no carrier sends mail: add one of kind `smtp`".into(),
            ));
        }
        health.push(Good(format!(
            "{}: {} people, {} teams, {} customers, {} hotlines",
            settings.schedules.display(),
            config.people.len(),
            config.teams.len(),
            config.customers.len(),
            config.hotlines.len()
        )));
    }
    health
}

async fn database(settings: &Settings) -> Vec<Health> {
    let db = match Db::open(&settings.database).await {
        Ok(db) => db,
        Err(error) => return vec![Bad(format!("{error:#}"))],
    };
    let written = match db.begin().await {
        // Dropped, so rolled back: that it could begin to write is all we want to know.
        Ok(_) => Good(format!("the database {} can be written", settings.database_name())),
        Err(error) => Bad(format!("the database {} cannot be written: {error}", settings.database_name())),
    };
    let mut findings = vec![written];
    if !db.is_ours_alone() {
        findings.push(clock(&db).await);
        findings.extend(nodes(&db).await);
        if settings.has_handsets() {
            findings.push(Warning(
                "the built-in handsets ring on one node only: with several nodes, set a real carrier".into(),
            ));
        }
    }
    findings
}

/// This machine's clock, held against the database's.
async fn clock(db: &Db) -> Health {
    match db.clock_ahead(&Clock::system()).await {
        Ok(Some(ahead)) if ahead.abs() > skew::TOLERANCE => Warning(format!(
            "this machine's clock and the database's differ by {:.1} s: set both by NTP",
            ahead.abs().as_seconds_f64()
        )),
        Ok(Some(_)) => Good("this machine's clock agrees with the database's".into()),
        Ok(None) => Warning("the database takes too long to say what time it is".into()),
        Err(error) => Bad(format!("the database does not say what time it is: {error}")),
    }
}

/// The nodes that are not as they should be.
async fn nodes(db: &Db) -> Vec<Health> {
    let now = Utc::now();
    let runs = async { node::store::recent(&mut db.read().await?, now).await };
    let nodes = match runs.await {
        Ok(runs) => presence::nodes(&runs, now),
        Err(error) => return vec![Bad(format!("the nodes cannot be listed: {error}"))],
    };
    let name = |node: &node::Presence| node.name.clone().unwrap_or_else(|| "of an older version".into());
    let running = nodes.iter().filter(|node| node.state == State::Running).count();
    let mut findings = vec![Good(format!("{running} nodes run on this database"))];
    for node in &nodes {
        if node.state == State::Gone {
            findings.push(Warning(format!("node {} was last heard of {} s ago", name(node), node.silent_seconds)));
        } else if node.clock_wrong && node.state == State::Running {
            let ahead = node.clock_ahead_seconds.unwrap_or_default();
            findings.push(Warning(format!("node {}: its clock is {ahead:+.1} s off the database's", name(node))));
        }
    }
    findings
}
