//! `/readiness`: is this installation fit to page somebody tonight? What can be seen is looked at when the page is made;
//! others are asked only when somebody presses the button.

mod asked;
mod echo;

use askama::Template;
use axum::extract::State;

pub(super) use self::echo::echo;
use super::{Form, Frame, Page, Place, Trouble, people::proven};
use crate::{
    access::{Role, session::Visitor},
    clock::Time,
    config, node, oncall,
    readiness::{Finding, Health, Topic, roster, running, settings},
    server::App,
    store::backup,
    watch,
};

/// What is equally well, or not, in words.
type Group = (Health, Vec<String>);

/// The page.
#[derive(Template)]
#[template(path = "web/readiness/page.html")]
pub(super) struct Shown {
    frame: Frame,
    /// By topic and health, what is worst first.
    topics: Vec<(Topic, Vec<Group>)>,
    bad: usize,
    warnings: usize,
    /// Whether others were asked for this page.
    asked: bool,
}

pub(super) async fn readiness(State(app): State<App>, visitor: Visitor) -> Result<Page<Shown>, Trouble> {
    visitor.require(Role::Viewer)?;
    let frame = Frame::new(&app, &visitor, Place::Readiness);
    let findings = gather(&app, frame.now).await;
    Ok(Page(shown(frame, findings, false)))
}

/// Asks carriers, mail servers and our own address now.
pub(super) async fn ask(State(app): State<App>, form: Form) -> Result<Page<Shown>, Trouble> {
    form.visitor.require(Role::Commander)?;
    let frame = Frame::new(&app, &form.visitor, Place::Readiness);
    let (mut findings, answers) = tokio::join!(gather(&app, frame.now), asked::ask(&app));
    findings.extend(answers);
    Ok(Page(shown(frame, findings, true)))
}

fn shown(frame: Frame, mut findings: Vec<Finding>, asked: bool) -> Shown {
    if !frame.may(Role::Admin) {
        findings.iter_mut().filter(|finding| finding.topic == Topic::Secrets).for_each(Finding::withhold);
    }
    findings.sort_by_key(|finding| (finding.topic, finding.health));
    findings.dedup();
    let count = |health| findings.iter().filter(|finding| finding.health == health).count();
    let (bad, warnings) = (count(Health::Bad), count(Health::Warning));
    let mut topics: Vec<(Topic, Vec<Group>)> = Vec::new();
    for Finding { topic, health, words } in findings {
        if topics.last().is_none_or(|(last, _)| *last != topic) {
            topics.push((topic, Vec::new()));
        }
        let Some((_, groups)) = topics.last_mut() else { continue };
        match groups.last_mut().filter(|(last, _)| *last == health) {
            Some((_, all)) => all.push(words),
            None => groups.push((health, vec![words])),
        }
    }
    topics.sort_by_key(|(_, groups)| groups.iter().map(|(health, _)| *health).min());
    Shown { frame, topics, bad, warnings, asked }
}

/// What can be seen from here without asking anybody else.
async fn gather(app: &App, now: Time) -> Vec<Finding> {
    let mut findings = settings::all(&app.settings);
    let (config, known) = (app.config.load_full(), app.watch.known());
    findings.extend(settings::schedules(&checked(app, now).await));
    findings.extend(settings::together(&app.settings, &config));
    findings.extend(settings::secrets(&app.settings, &config));
    findings.push(running::zones(now));
    findings.extend(running::steps(known.steps, known.last_step, now));
    for carrier in app.carriers.iter() {
        let key = carrier.key();
        findings.push(running::carrier(key.as_str(), &app.watch.carriers.of(key), now));
    }
    let is_file = watch::disk::file(&app.settings.database).is_some();
    findings.extend(app.watch.room.free().map(|free| running::disk(free, app.settings.watch.disk_floor)));
    findings.push(running::backup(backup::last(&app.settings.database), is_file, now));
    findings.extend(watch::health::stalls(&app.watch.stalled()).into_iter().map(|words| Topic::Watch.bad(words)));
    match stored(app, now).await {
        Ok(stored) => findings.extend(stored),
        Err(error) => {
            tracing::error!(%error, "the readiness page cannot read the database");
            findings.push(Topic::Keeping.bad("the database cannot be read; the log says why"));
        }
    }
    if !app.db.is_ours_alone() {
        let ahead = app.db.clock_ahead(&app.clock).await.ok().flatten();
        findings.push(running::clock(ahead));
    }
    findings
}

/// What the database knows.
async fn stored(app: &App, now: Time) -> sqlx::Result<Vec<Finding>> {
    let config = app.config.load_full();
    let mut tx = app.db.read().await?;
    let overrides = oncall::store::current(&mut tx, now).await?;
    let proven = proven(&mut tx).await?;
    let (last, complete) = watch::store::last(&mut tx).await?;
    let runs = node::store::recent(&mut tx, now).await?;
    drop(tx);
    let mut findings = roster::coverage(&config, &overrides, now);
    findings.extend(roster::lines(&config, &roster::paged(&config, &overrides, now), &proven));
    if app.settings.watch.heartbeat.is_some() {
        findings.push(running::heartbeat(last.as_ref(), complete.as_ref(), &app.settings, now));
    }
    if !app.db.is_ours_alone() {
        findings.extend(running::nodes(&node::presence::nodes(&runs, now)));
    }
    Ok(findings)
}

/// What `ringdown check` says about the folder of this node.
async fn checked(app: &App, now: Time) -> Vec<config::Finding> {
    let folder = app.settings.schedules.clone();
    tokio::task::spawn_blocking(move || config::check(&folder, now).1).await.unwrap_or_default()
}

impl Shown {
    fn sign(&self, health: &Health) -> &'static str {
        match health {
            Health::Good => "✓",
            Health::Warning => "!",
            Health::Bad => "✕",
        }
    }

    fn word(&self, health: &Health) -> &'static str {
        match health {
            Health::Good => "good",
            Health::Warning => "to look at",
            Health::Bad => "wrong",
        }
    }

    fn style(&self, health: &Health) -> &'static str {
        match health {
            Health::Good => "good",
            Health::Warning => "soon",
            Health::Bad => "late",
        }
    }

    fn count(&self, n: &usize, one: &str, many: &str) -> String {
        format!("{n} {}", if *n == 1 { one } else { many })
    }
}
