//! `ringdown doctor`: is this installation fit to page somebody tonight? Reads everything, changes nothing but its own
//! test write.

use anyhow::bail;
use chrono::Utc;
use serde_json::json;

use super::Local;
use crate::{
    access::oidc::Oidc,
    carrier::smtp::Smtp,
    clock::Clock,
    config,
    node::{self, presence},
    readiness::{self, Finding, Health, Topic, running},
    server::settings::{CarrierSettings, Settings},
    store::{Db, backup},
    watch,
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

/// Whether the issuer that people sign in with can be asked, and is who the settings say.
async fn single_sign_on(settings: &Settings) -> Option<Finding> {
    let oidc = settings.oidc.as_ref()?;
    let issuer = &oidc.issuer;
    let begun = Oidc::new(oidc.clone(), &settings.public_url).begin("/", Clock::system().now()).await;
    Some(match begun {
        Ok(_) => Topic::Keeping.good(format!("single sign-on: {issuer} answers")),
        Err(error) => {
            Topic::Keeping.warning(format!("single sign-on: {issuer}: {error:#}; people sign in by other ways"))
        }
    })
}

/// Prints one line a thing; fails if any is bad.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut findings = vec![running::zones(Utc::now())];
    match args.here.settings() {
        Ok(settings) => {
            findings.push(Topic::Keeping.good("the settings can be read"));
            findings.extend(readiness::settings::all(&settings));
            findings.extend(mail_servers(&settings).await);
            findings.extend(single_sign_on(&settings).await);
            findings.extend(schedules(&settings));
            findings.extend(disk(&settings));
            findings.extend(database(&settings).await);
            let is_file = watch::disk::file(&settings.database).is_some();
            findings.push(running::backup(backup::last(&settings.database), is_file, Utc::now()));
        }
        Err(error) => findings.push(Topic::Keeping.bad(format!("{error:#}"))),
    }
    let lines = findings.iter().map(|finding| match finding.health {
        Health::Good => ("ok", &finding.words),
        Health::Warning => ("warning", &finding.words),
        Health::Bad => ("bad", &finding.words),
    });
    let text = if args.json {
        let list: Vec<_> = lines.map(|(health, words)| json!({"health": health, "words": words})).collect();
        format!("{}\n", serde_json::to_string_pretty(&list)?)
    } else {
        lines.map(|(health, words)| format!("{health:<8} {words}\n")).collect()
    };
    super::print(&text);
    match findings.iter().filter(|finding| finding.health == Health::Bad).count() {
        0 => Ok(()),
        count => bail!("{count} of these must be mended before it can be trusted"),
    }
}

/// Each mail server is greeted, and signed in at.
async fn mail_servers(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, carrier) in &settings.carriers {
        let CarrierSettings::Smtp(smtp) = carrier else { continue };
        findings.push(match Smtp::new(key.clone(), smtp) {
            Ok(server) => match server.test().await {
                Ok(()) => {
                    Topic::Mail.good(format!("carrier {key}: the mail server at {} takes mail from us", smtp.url))
                }
                Err(refused) => Topic::Mail.bad(format!("carrier {key}: {}: {}", smtp.url, refused.words)),
            },
            Err(error) => Topic::Mail.bad(format!("{error:#}")),
        });
    }
    findings
}

fn schedules(settings: &Settings) -> Vec<Finding> {
    let (config, findings) = config::check(&settings.schedules, Utc::now());
    let mut health = readiness::settings::schedules(&findings);
    if let Some(config) = config {
        health.extend(readiness::settings::together(settings, &config));
        health.extend(readiness::settings::secrets(settings, &config));
    }
    health
}

fn disk(settings: &Settings) -> Option<Finding> {
    let free = watch::disk::file(&settings.database).and_then(|file| watch::disk::free(&file))?;
    Some(running::disk(free, settings.watch.disk_floor))
}

async fn database(settings: &Settings) -> Vec<Finding> {
    let db = match Db::open(&settings.database).await {
        Ok(db) => db,
        Err(error) => return vec![Topic::Keeping.bad(format!("{error:#}"))],
    };
    let written = match db.begin().await {
        // Dropped, so rolled back: that it could begin to write is all we want to know.
        Ok(_) => Topic::Keeping.good(format!("the database {} can be written", settings.database_name())),
        Err(error) => {
            Topic::Keeping.bad(format!("the database {} cannot be written: {error}", settings.database_name()))
        }
    };
    let mut findings = vec![written];
    if !db.is_ours_alone() {
        findings.push(clock(&db).await);
        findings.extend(nodes(&db).await);
        if settings.has_handsets() {
            findings.push(
                Topic::Carriers
                    .warning("the built-in handsets ring on one node only: with several nodes, set a real carrier"),
            );
        }
    }
    if settings.watch.heartbeat.is_some() {
        let last = async { watch::store::last(&mut db.read().await?).await };
        findings.push(match last.await {
            Ok((last, complete)) => running::heartbeat(last.as_ref(), complete.as_ref(), settings, Utc::now()),
            Err(error) => Topic::Watch.bad(format!("the last heartbeat cannot be read: {error}")),
        });
    }
    findings
}

/// This machine's clock, held against the database's.
async fn clock(db: &Db) -> Finding {
    match db.clock_ahead(&Clock::system()).await {
        Ok(ahead) => running::clock(ahead),
        Err(error) => Topic::Clock.bad(format!("the database does not say what time it is: {error}")),
    }
}

/// The nodes that are not as they should be.
async fn nodes(db: &Db) -> Vec<Finding> {
    let now = Utc::now();
    let runs = async { node::store::recent(&mut db.read().await?, now).await };
    match runs.await {
        Ok(runs) => running::nodes(&presence::nodes(&runs, now)),
        Err(error) => vec![Topic::Nodes.bad(format!("the nodes cannot be listed: {error}"))],
    }
}
