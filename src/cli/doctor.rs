//! `ringdown doctor`: is this installation fit to page somebody tonight? Reads everything, changes nothing but its own
//! test write.

use anyhow::bail;
use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::Local;
use crate::{
    access::oidc::Oidc,
    carrier::smtp::Smtp,
    clock::{Clock, Time},
    config::{self, Severity},
    node::{self, State, presence, skew},
    server::settings::{CarrierSettings, Settings},
    sla::zone,
    store::Db,
    watch::{
        self,
        beat::{Beat, short},
        health::bytes,
    },
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

/// Whether the issuer that people sign in with can be asked, and is who the settings say.
async fn single_sign_on(settings: &Settings) -> Option<Health> {
    let oidc = settings.oidc.as_ref()?;
    let issuer = &oidc.issuer;
    let begun = Oidc::new(oidc.clone(), &settings.public_url).begin("/", Clock::system().now()).await;
    Some(match begun {
        Ok(_) => Good(format!("single sign-on: {issuer} answers")),
        Err(error) => Warning(format!("single sign-on: {issuer}: {error:#}; people sign in by other ways")),
    })
}

/// Prints one line a thing; fails if any is bad.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut findings = vec![time_zones()];
    match args.here.settings() {
        Ok(settings) => {
            findings.push(Good("the settings can be read".into()));
            findings.push(public_url(&settings.public_url, &settings));
            findings.extend(carriers(&settings));
            findings.extend(mail_servers(&settings).await);
            findings.extend(single_sign_on(&settings).await);
            findings.extend(schedules(&settings));
            findings.extend(watching(&settings));
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
    if settings.watch.heartbeat.is_some() {
        let last = async { watch::store::last(&mut db.read().await?).await };
        findings.push(match last.await {
            Ok((last, complete)) => heartbeat(last.as_ref(), complete.as_ref(), settings, Utc::now()),
            Err(error) => Bad(format!("the last heartbeat cannot be read: {error}")),
        });
    }
    findings
}

/// How the last heartbeat went, of whichever node.
fn heartbeat(last: Option<&Beat>, complete: Option<&Beat>, settings: &Settings, now: Time) -> Health {
    let every = settings.watch.heartbeat.as_ref().map_or(TimeDelta::zero(), |heartbeat| heartbeat.every);
    let ago = |beat: &Beat| short((now - beat.begun_at).max(TimeDelta::zero()));
    match (last, complete) {
        (None, _) => Warning("no heartbeat yet in the last day: the service does not run on this database".into()),
        (Some(last), _) if now - last.begun_at > every * 3 => {
            Warning(format!("the last heartbeat was {} ago: does the service run? {}", ago(last), last.words()))
        }
        (Some(last), _) if last.is_complete() => Good(format!("heartbeat {} ago: {}", ago(last), last.words())),
        (Some(last), Some(complete)) => Bad(format!(
            "heartbeat {} ago: {}; the last complete one was {} ago",
            ago(last),
            last.words(),
            ago(complete)
        )),
        (Some(last), None) => Bad(format!("heartbeat {} ago: {}; none was complete", ago(last), last.words())),
    }
}

/// Who notices when the service itself is not well.
fn watching(settings: &Settings) -> Vec<Health> {
    let (watch, mut findings) = (&settings.watch, Vec::new());
    findings.push(match (&watch.heartbeat, &watch.dead_man_url) {
        (None, _) => Warning("watch.heartbeat is off: nothing shows that a page would get through".into()),
        (Some(_), None) => {
            Warning("nobody outside is told when the service falls silent: set watch.dead_man_url".into())
        }
        (Some(_), Some(_)) => Good("a dead-man service hears of each complete heartbeat".into()),
    });
    if let Some(to) = watch.heartbeat.as_ref().and_then(|heartbeat| heartbeat.to.as_ref())
        && let (Some(config), _) = config::check(&settings.schedules, Utc::now())
        && let Some(person) = config.people.values().find(|person| person.contact.iter().any(|it| it.address == *to))
    {
        let name = &person.name;
        findings.push(Bad(format!("watch.heartbeat.to is a phone of {name}: no heartbeat is sent there; use another")));
    }
    if let Some(free) = watch::disk::file(&settings.database).and_then(|file| watch::disk::free(&file)) {
        let told = bytes(free);
        findings.push(match free {
            free if free < watch.disk_floor => Bad(format!("the disk of the database is nearly full: {told} free")),
            free if free < 1_000_000_000 => Warning(format!("the disk of the database has {told} free")),
            _ => Good(format!("the disk of the database has {told} free")),
        });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::beat::{
        Covers,
        tests::{at, done},
    };

    fn said(last: Option<&Beat>, complete: Option<&Beat>, seconds: i64) -> String {
        match heartbeat(last, complete, &Settings::default(), at(seconds * 1000)) {
            Good(words) => format!("ok: {words}"),
            Warning(words) => format!("warning: {words}"),
            Bad(words) => format!("bad: {words}"),
        }
    }

    #[test]
    fn the_last_heartbeat_is_told_with_what_was_in_its_way() {
        let mut good = done(Covers::LookUp);
        good.end(at(250));
        let mut stuck =
            Beat { taken_at: None, reason: Some("error 20003".into()), begun_at: at(60_000), ..good.clone() };
        stuck = Beat { ended_at: None, ..stuck };
        stuck.end(at(110_000));
        let lines = [
            said(None, None, 0),
            said(Some(&good), Some(&good), 42),
            said(Some(&good), Some(&good), 4000),
            said(Some(&stuck), Some(&good), 120),
            said(Some(&stuck), None, 120),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        warning: no heartbeat yet in the last day: the service does not run on this database
        ok: heartbeat 42 s ago: a look-up at main (no text), complete in 250 ms: door 5 ms, timers 4 ms, outbox 7 ms, carrier 241 ms
        warning: the last heartbeat was 66 min ago: does the service run? a look-up at main (no text), complete in 250 ms: door 5 ms, timers 4 ms, outbox 7 ms, carrier 241 ms
        bad: heartbeat 60 s ago: a look-up at main (no text), stuck at the carrier (error 20003); done: door 0 ms, timers 4 ms, outbox 7 ms; the last complete one was 2 min ago
        bad: heartbeat 60 s ago: a look-up at main (no text), stuck at the carrier (error 20003); done: door 0 ms, timers 4 ms, outbox 7 ms; none was complete
        ");
    }
}
