//! One scenario: a cluster under load, a plan of faults, and the judgement.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};
use ringdown::{clock::Clock, incident, store::Db};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::task::{JoinHandle, block_in_place};

use super::{
    cluster::{CALLBACK, Cluster, PEOPLE},
    disk::Disk,
    judge::{self, Ahead, Found, Taken, Witnesses},
    plan::{self, Fault, Kind, Step, Trouble},
    senders::{self, Senders},
    table::{self, Row},
    wall,
};
use crate::world::*;

/// What the service is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Sqlite,
    Postgres,
}

/// What is tried.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// As the table calls it.
    pub name: &'static str,
    pub store: Store,
    pub nodes: usize,
    pub kinds: &'static [Kind],
    pub times: usize,
    pub senders: usize,
    /// Of one sender, between two events.
    pub pause: Duration,
}

/// How often a process is killed in the longest scenario of each database.
pub fn kills() -> usize {
    std::env::var("RINGDOWN_TORTURE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// The long version, on a machine of its own: there times are judged as they are promised. The short one is a part of
/// every test run, on whatever machine and beside whatever else: there only a time that no load explains is wrong. What is
/// lost, early, twice or missing is the same in both.
fn is_long() -> bool {
    std::env::var("RINGDOWN_TORTURE_KILLS").is_ok()
}

/// What the run is drawn from; printed, so that it can be given again.
fn seed() -> u64 {
    let given = std::env::var("RINGDOWN_TORTURE_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| rand::random::<u32>().into())
}

/// How long after the last fault everybody has to be paged: a lease, the ladder, and a slow machine.
fn settled_within() -> Duration {
    Duration::from_secs(if is_long() { 75 } else { 400 })
}

/// How long a process may take to answer after its start.
const ANSWERS_WITHIN: Duration = Duration::from_secs(180);

/// What was due so long ago has been done, on a service that is well.
const SETTLED: Duration = Duration::from_secs(8);

/// Lost work must be taken over within so many seconds of the end of its lease.
fn taken_over_within() -> f64 {
    if is_long() { 3.0 } else { 30.0 }
}

/// Incidents whose exports are verified.
const EXPORTS: usize = 8;

struct Run {
    cluster: Cluster,
    carrier: Carrier,
    senders: Senders,
    http: reqwest::Client,
    postgres: Option<postgres::Server>,
    disk: Option<Disk>,
    /// How far ahead their clock is: of those that were started to look there.
    clock: PathBuf,
    ahead: Ahead,
    /// What did not go as it should, beside what is judged at the end.
    complaints: Vec<String>,
    /// Processes may end by themselves where they cannot work.
    may_end: bool,
    /// What wakes the stopped processes.
    naps: Vec<(Instant, usize)>,
}

/// Carries it out, adds its row to the table, and panics if anything was lost, early, twice or missing.
pub async fn run(scenario: Scenario) {
    let seed = seed();
    let begun = Instant::now();
    let label = format!("{} on {:?}, seed {seed}", scenario.name, scenario.store);
    let folder = TempDir::with_prefix("ringdown-torture-").expect("a folder");
    let mut run = begin(&scenario, &folder, seed).await;
    let pumps = pumps(&run.carrier);
    let watch = watch_overdue(&scenario, run.postgres.as_ref());

    let steps = plan::plan(seed, scenario.kinds, scenario.times, scenario.nodes);
    for step in &steps {
        run.carry_out(step).await;
    }
    run.end_of_faults().await;
    let overdue = watch.map(|watch| watch.end());
    let log = run.senders.finish().await;
    settle(&log, &run.carrier, &label).await;
    run.sleep_through_the_promises().await;
    // What is left of it is held until the end: servers, disk and database.
    let furthest = run.furthest();
    let Run { cluster, carrier, mut complaints, ahead, postgres, disk, may_end, .. } = run;
    println!("{label}: {} faults, {} events, {:.0} s", steps.len(), log.accepted.len(), begun.elapsed().as_secs_f64());

    let again = log.unanswered + log.refused;
    // A slow machine is given time; what is lost, doubled, early or twice stays so.
    let begun = Instant::now();
    let (mut verdict, found) = loop {
        // The carrier's log first: whatever stands in it was in the store before.
        let until = Utc::now() + TimeDelta::seconds(furthest) - TimeDelta::from_std(SETTLED).expect("a span");
        let taken = carrier.sent_since(0, taken);
        let found = found(&cluster).await;
        let witnesses = Witnesses { log: log.clone(), found, taken, ahead: ahead.clone(), until };
        let verdict = judge::judge(&witnesses);
        if verdict.is_good() || begun.elapsed() > settled_within() {
            break (verdict, witnesses.found);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    };
    exports(&cluster, &found, &mut complaints);
    verdict.complaints.append(&mut complaints);
    if cluster.ended > 0 && !may_end {
        verdict.complaints.push(format!("{} processes ended by themselves", cluster.ended));
    }
    forgotten(&scenario, &folder, postgres.as_ref(), &mut verdict.complaints).await;
    if let Some(server) = &postgres {
        // The locks are taken in one order: PostgreSQL never has to give one of two transactions up.
        let deadlocks = server.deadlocks();
        if let Some(first) = deadlocks.first() {
            println!("{label}: {} deadlocks\n{}", deadlocks.len(), deadlocks.join("\n"));
            verdict.complaints.push(format!("{} deadlocks in PostgreSQL, the first:\n{first}", deadlocks.len()));
        }
    }
    let said = cluster.said();
    drop((cluster, disk, postgres));
    pumps.into_iter().for_each(|pump| pump.abort());
    // A receipt that meets a server without its database is refused, and told: carriers do not mind.
    let minded = carrier.violations().into_iter().filter(|words| !words.contains("was answered 5"));
    verdict.complaints.extend(minded.take(10).map(|words| format!("the carrier complains: {words}")));
    if let Some(seconds) = overdue.filter(|seconds| *seconds > taken_over_within()) {
        verdict.complaints.push(format!("something due lay about for {seconds:.1} s"));
    }

    let database = if scenario.store == Store::Sqlite { "SQLite" } else { "PostgreSQL" };
    let row =
        Row { fault: scenario.name, database, nodes: scenario.nodes, times: scenario.times, again, verdict, overdue };
    table::add(row.clone());
    let verdict = row.verdict;
    assert!(verdict.is_good(), "{label}:\n{}\nthe servers said last:\n{said}", verdict.complaints.join("\n"));
    assert!(verdict.doubled <= scenario.times, "{label}: {} doubled in {} faults", verdict.doubled, scenario.times);
}

async fn begin(scenario: &Scenario, folder: &TempDir, seed: u64) -> Run {
    let has = |kind| scenario.kinds.contains(&kind);
    let carrier = Carrier::start(Clock::system(), PUBLIC_URL).await;
    let postgres = match scenario.store {
        Store::Postgres => Some(block_in_place(postgres::Server::durable)),
        Store::Sqlite => None,
    };
    let disk = has(Kind::Disk).then(|| Disk::mount(&folder.path().join("disk")));
    let database = match (&postgres, &disk) {
        (Some(server), _) => server.database().await,
        (None, Some(disk)) => format!("sqlite:{}/ringdown.db", disk.folder.display()),
        (None, None) => format!("sqlite:{}/ringdown.db", folder.path().display()),
    };
    let clock = folder.path().join("clock");
    let env = if has(Kind::Clock) { block_in_place(|| wall::environment(&clock)) } else { Vec::new() };
    let mut cluster = Cluster::new(folder.path(), &database, &carrier, scenario.nodes, &env).await;
    cluster.start_all();
    let http = senders::client();
    for node in &cluster.nodes {
        assert!(node.answers(&http, ANSWERS_WITHIN).await, "it does not start: {}", cluster.said());
    }
    let senders = Senders::start(seed, scenario.senders, scenario.pause, cluster.address, &cluster.token);
    Run {
        cluster,
        carrier,
        senders,
        http,
        postgres,
        disk,
        clock,
        ahead: Vec::new(),
        complaints: Vec::new(),
        may_end: has(Kind::Disk) || has(Kind::Postgres),
        naps: Vec::new(),
    }
}

/// What happens on the carrier's lines. Several at once: one receipt that waits for a stopped node holds up no other.
fn pumps(carrier: &Carrier) -> Vec<JoinHandle<()>> {
    let pump = |carrier: Carrier| async move {
        loop {
            carrier.run_due().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    (0..16).map(|_| tokio::spawn(pump(carrier.clone()))).collect()
}

impl Run {
    async fn carry_out(&mut self, step: &Step) {
        self.rest(step.rest).await;
        let node = step.node;
        match step.fault {
            Fault::Kill { after } => {
                self.until_it_answers(node).await;
                self.rest(after).await;
                self.restart(node, Duration::ZERO).await;
            }
            Fault::KillInRequest { after } => {
                self.until_it_answers(node).await;
                // Nobody sends while all wait: then it is killed all the same.
                let begins = self.senders.begins.clone();
                let _ = tokio::time::timeout(Duration::from_secs(2), begins.notified()).await;
                self.rest(after).await;
                self.restart(node, Duration::ZERO).await;
            }
            Fault::KillAtStart { after } => {
                self.restart(node, after).await;
                self.restart(node, Duration::ZERO).await;
            }
            Fault::KillNow => {
                // Never all of them at once, however slowly they start.
                self.until_it_answers((node + 1) % self.cluster.nodes.len()).await;
                self.restart(node, Duration::ZERO).await;
            }
            Fault::Down(span) => {
                self.until_it_answers(node).await;
                self.cluster.kill(node);
                self.rest(span).await;
                self.cluster.nodes[node].start();
            }
            Fault::Pause(span) => {
                // Never all of them: there would be nobody to take over.
                if self.naps.len() + 1 < self.cluster.nodes.len() && !self.cluster.nodes[node].is_paused() {
                    self.cluster.nodes[node].pause(true);
                    self.naps.push((Instant::now() + span, node));
                } else {
                    let longest = self.naps.iter().map(|(until, _)| *until).max().unwrap_or_else(Instant::now);
                    self.rest(longest.saturating_duration_since(Instant::now())).await;
                    self.cluster.nodes[node].pause(true);
                    self.naps.push((Instant::now() + span, node));
                }
            }
            Fault::Postgres { immediate, away } => self.without_postgres(immediate, away).await,
            Fault::FullDisk { lasts, killed } => self.without_space(node, lasts, killed).await,
            Fault::Clock { ahead } => self.step_clock(ahead),
            Fault::Carrier(trouble, span) => self.without_carrier(trouble, span).await,
        }
        self.cluster.revive();
    }

    /// Waits, and meanwhile wakes whoever has slept long enough.
    async fn rest(&mut self, span: Duration) {
        let until = Instant::now() + span;
        loop {
            self.wake(Instant::now());
            let next = self.naps.iter().map(|(at, _)| *at).chain([until]).min().unwrap_or(until);
            if Instant::now() >= until {
                return;
            }
            tokio::time::sleep_until(next.into()).await;
        }
    }

    fn wake(&mut self, now: Instant) {
        let nodes = &mut self.cluster.nodes;
        self.naps.retain(|(until, node)| {
            if *until <= now {
                nodes[*node].pause(false);
            }
            *until > now
        });
    }

    /// Killed, and after so long killed again before it is done starting; running in the end.
    async fn restart(&mut self, node: usize, then: Duration) {
        self.cluster.kill(node);
        self.naps.retain(|(_, sleeper)| *sleeper != node);
        self.cluster.nodes[node].start();
        self.rest(then).await;
    }

    async fn until_it_answers(&mut self, node: usize) {
        self.cluster.revive();
        if !self.cluster.nodes[node].answers(&self.http, ANSWERS_WITHIN).await && !self.may_end {
            self.complaints.push(format!("node {node} does not answer: {}", self.cluster.said()));
        }
    }

    async fn without_postgres(&mut self, immediate: bool, away: Duration) {
        let Some(server) = &mut self.postgres else { return };
        block_in_place(|| if immediate { server.crash() } else { server.stop() });
        let ready = format!("http://{}/readyz", self.cluster.nodes[0].address);
        match self.http.get(ready).send().await {
            Ok(answer) if answer.status() == 503 => {}
            Ok(answer) => self.complaints.push(format!("without its database it says {}", answer.status())),
            // Not even three seconds: a probe takes that for a no.
            Err(_) => {}
        }
        self.rest(away).await;
        if let Some(server) = &mut self.postgres {
            block_in_place(|| server.start_again());
        }
        self.rest(Duration::from_secs(2)).await;
    }

    async fn without_space(&mut self, node: usize, lasts: Duration, killed: bool) {
        self.until_it_answers(node).await;
        let Some(disk) = &self.disk else { return };
        disk.fill();
        let before = self.senders.log().refused;
        let until = Instant::now() + lasts;
        // Until it was felt: what is free in the journal is still written.
        while Instant::now() < until || self.senders.log().refused == before {
            if Instant::now() > until + Duration::from_secs(120) {
                self.complaints.push("the disk was full, and nobody was refused".into());
                break;
            }
            if let Some(disk) = &self.disk {
                disk.fill();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if killed {
            self.cluster.kill(node);
            self.cluster.nodes[node].start();
            self.rest(Duration::from_millis(500)).await;
        }
        if let Some(disk) = &self.disk {
            disk.free();
        }
        self.until_it_answers(node).await;
        self.rest(Duration::from_secs(1)).await;
    }

    fn step_clock(&mut self, ahead: i64) {
        self.ahead.push((Utc::now(), ahead));
        wall::set(&self.clock, ahead);
    }

    async fn without_carrier(&mut self, trouble: Trouble, span: Duration) {
        match trouble {
            Trouble::Gone => self.carrier.die().await,
            Trouble::Hangs => self.carrier.always(Some(carrier::Fault::Silent)),
            Trouble::Refuses => self.carrier.always(Some(carrier::Fault::Refuse(503, 20503))),
            Trouble::LiesAboutIt => self.carrier.always(Some(carrier::Fault::TakenButAnswers(500))),
            Trouble::TakesAndHangs => self.carrier.always(Some(carrier::Fault::TakenAndSilent)),
        }
        self.rest(span).await;
        match trouble {
            Trouble::Gone => self.carrier.come_back().await,
            _ => self.carrier.always(None),
        }
        // Long enough for what was in doubt to be looked up: a fourth doubt would be the end of a page.
        self.rest(Duration::from_secs(if is_long() { 4 } else { 8 })).await;
    }

    /// Everything is as it should be again.
    async fn end_of_faults(&mut self) {
        let longest = self.naps.iter().map(|(until, _)| *until).max().unwrap_or_else(Instant::now);
        self.rest(longest.saturating_duration_since(Instant::now())).await;
        if !self.ahead.is_empty() {
            // What was made while it was ahead is not waited for.
            self.step_clock(self.furthest());
        }
        for node in 0..self.cluster.nodes.len() {
            self.until_it_answers(node).await;
        }
    }

    /// The furthest that the servers' clock was ahead, in seconds.
    fn furthest(&self) -> i64 {
        self.ahead.iter().map(|(_, seconds)| *seconds).fold(0, i64::max)
    }

    /// All of them are off until every promise has run out, and then on again.
    async fn sleep_through_the_promises(&mut self) {
        for node in 0..self.cluster.nodes.len() {
            self.cluster.kill(node);
        }
        self.step_clock(self.furthest() + CALLBACK + 5);
        // The carrier's clock goes on meanwhile, as everybody's does.
        self.carrier.ahead_by(CALLBACK + 5);
        let env = block_in_place(|| wall::environment(&self.clock));
        wall::set(&self.clock, self.furthest());
        for node in &mut self.cluster.nodes {
            node.env.clone_from(&env);
            node.start();
        }
        for node in 0..self.cluster.nodes.len() {
            self.until_it_answers(node).await;
        }
        tokio::time::sleep(SETTLED + Duration::from_secs(5)).await;
    }
}

/// Until everybody below the last resort heard of every event that nobody acknowledged.
async fn settle(log: &senders::Log, carrier: &Carrier, label: &str) {
    let begun = Instant::now();
    let (mut told, mut seen) = (HashSet::new(), 0);
    let acknowledged: HashSet<&str> = log.acknowledged.iter().map(String::as_str).collect();
    loop {
        let text = |sent: &Sent| {
            let title = judge::title_in(&sent.body).filter(|_| !sent.voice);
            title.map(|title| (title.to_owned(), sent.to.clone()))
        };
        let news = carrier.sent_since(seen, text);
        seen += news.len();
        told.extend(news.into_iter().flatten());
        let done = |id: &Option<String>| id.as_deref().is_some_and(|id| acknowledged.contains(id));
        let waiting = log.accepted.iter().filter(|accepted| !done(&accepted.id));
        let missing = waiting
            .flat_map(|accepted| PEOPLE[..4].iter().map(|(_, number)| (accepted.title.clone(), (*number).to_owned())))
            .filter(|page| !told.contains(page))
            .count();
        if missing == 0 {
            return;
        }
        if begun.elapsed() > settled_within() {
            println!("{label}: {missing} levels were not told within {} s", settled_within().as_secs());
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn taken(sent: &Sent) -> Taken {
    Taken {
        attempt: sent.attempt().unwrap_or_default(),
        voice: sent.voice,
        to: sent.to.clone(),
        body: sent.body.clone(),
        at: sent.at,
    }
}

/// Every incident with its events, through the API.
async fn found(cluster: &Cluster) -> Vec<Found> {
    let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let http = builder.timeout(Duration::from_secs(30)).build().expect("a client");
    let get = async |path: String| -> Value {
        let url = format!("http://{}/api/v1/{path}", cluster.address);
        let mut last = String::new();
        for _ in 0..20 {
            match http.get(&url).bearer_auth(&cluster.token).send().await {
                Ok(answer) if answer.status() == 200 => return answer.json().await.expect("JSON"),
                other => last = format!("{other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("GET {path}: {last}")
    };
    let with_events = async |incident: &Value| {
        let id = text(&incident["id"]);
        let events = get(format!("incidents/{id}/events?limit=200")).await;
        let events = events["items"].as_array().expect("a list").clone();
        Found { id, title: text(&incident["title"]), events }
    };
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = get(format!("incidents?limit=200{cursor}")).await;
        let incidents = page["items"].as_array().expect("a list");
        for some in incidents.chunks(8) {
            found.extend(futures::future::join_all(some.iter().map(&with_events)).await);
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Some of them, taken out and verified as an auditor does.
fn exports(cluster: &Cluster, found: &[Found], complaints: &mut Vec<String>) {
    for found in found.iter().step_by((found.len() / EXPORTS).max(1)) {
        let export = cluster.ask(&["export", &found.id]).output().expect("it runs");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &export.stdout).expect("a file");
        let path = file.path().display().to_string();
        let verified = cluster.ask(&["verify", &path]).output().expect("it runs");
        if !export.status.success() || !verified.status.success() {
            let said = [export.stderr, verified.stdout, verified.stderr].concat();
            complaints.push(format!("{} does not verify: {}", found.id, String::from_utf8_lossy(&said)));
        }
    }
}

/// Open incidents that nothing would ever look at again.
async fn forgotten(
    scenario: &Scenario,
    folder: &TempDir,
    server: Option<&postgres::Server>,
    complaints: &mut Vec<String>,
) {
    let address = match server {
        Some(server) => format!("{}/ringdown", server.base()),
        None if scenario.kinds.contains(&Kind::Disk) => format!("sqlite:{}/disk/ringdown.db", folder.path().display()),
        None => format!("sqlite:{}/ringdown.db", folder.path().display()),
    };
    let db = Db::open(&address).await.expect("the database");
    let mut tx = db.read().await.expect("the database");
    let forgotten = incident::store::without_timer(&mut tx).await.expect("the database");
    drop(tx);
    db.close().await;
    complaints.extend(forgotten.iter().map(|id| format!("{id} is open and has no next action")));
}

/// Looks how long what is due lies about.
struct Watch {
    task: JoinHandle<()>,
    worst: Arc<AtomicU64>,
}

impl Watch {
    fn end(&self) -> f64 {
        self.task.abort();
        self.worst.load(Ordering::Relaxed) as f64 / 1000.0
    }
}

/// On a database that several nodes share: a row whose lease is over is taken over by another node.
fn watch_overdue(scenario: &Scenario, server: Option<&postgres::Server>) -> Option<Watch> {
    let watched = scenario.nodes > 1 && !scenario.kinds.contains(&Kind::Postgres);
    let url = server.filter(|_| watched).map(|server| format!("{}/ringdown", server.base()))?;
    let worst = Arc::new(AtomicU64::new(0));
    let task = tokio::spawn({
        let worst = worst.clone();
        async move {
            let mut connection = PgConnection::connect(&url).await.expect("the database");
            loop {
                let oldest: Option<ringdown::clock::Time> = sqlx::query_scalar(
                    "select min(wake_at) from (select wake_at from timers \
                     union all select wake_at from attempts where wake_at is not null) as due",
                )
                .fetch_one(&mut connection)
                .await
                .expect("a query");
                let overdue = oldest.map_or(0, |oldest| (Utc::now() - oldest).num_milliseconds().max(0));
                worst.fetch_max(overdue.unsigned_abs(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
    Some(Watch { task, worst })
}
