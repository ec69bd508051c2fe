//! Boot and shutdown: everything a process runs, started in order and stopped together.

use std::{io, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use anyhow::Context;
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    App,
    app::Keys,
    listener, router,
    settings::{CarrierSettings, HandsetsSettings, Settings},
    switchboard::Exchange,
};
use crate::{
    access,
    carrier::{Carrier, handsets::Handsets, smtp::Smtp, twilio::Twilio},
    clock::Clock,
    config::{self, Config, Finding},
    id::CarrierKey,
    incident, intake,
    mail::{self, Mailer},
    node, paging,
    people::E164,
    report,
    store::{Db, retry::retried},
    timer, watch,
};

/// How long what is under way may take to end once the process is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How long a loop that broke rests before it begins anew.
const PAUSE: Duration = Duration::from_secs(1);

/// A server that runs. Dropped without [`Running::stop`], its loops go on until the process ends.
pub struct Running {
    pub app: App,
    /// Where it listens: the port that was given, or found.
    pub address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Opens the database, adopts `schedules/`, binds the port and starts every loop. Returns once requests are answered.
///
/// With port 0 in `listen` a free one is taken, and the public URL follows it unless it was set to something else.
pub async fn start(mut settings: Settings, clock: Clock) -> anyhow::Result<Running> {
    // The port first: whoever calls meanwhile waits in the queue instead of being turned away.
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}", settings.listen))
        .map_err(|error| match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::AddrInUse) => error.context("another server runs there already"),
            Some(io::ErrorKind::PermissionDenied) => {
                error.context("this user may not; take a port above 1023, or allow it (CAP_NET_BIND_SERVICE)")
            }
            _ => error,
        })?;
    let address = listener.local_addr()?;
    if settings.public_url == format!("http://{}", settings.listen) {
        settings.public_url = format!("http://{address}");
    }
    settings.listen = address;

    let db = Db::open(&settings.database).await?;
    let (config, findings) = config::adopt_at_boot(&db, &settings.schedules, clock.now()).await?;
    report(&findings, &config);
    let app = assemble(settings, clock, db, config)?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());

    let mut tx = app.db.begin().await?;
    // Where others may be at work, their leases run out by themselves.
    if app.db.is_ours_alone() {
        timer::claim::release(&mut tx).await?;
        paging::store::release(&mut tx, app.clock.now()).await?;
        mail::store::release(&mut tx, app.clock.now()).await?;
    }
    tx.commit().await?;
    node::begin(&app).await?;
    node::wire::tell(&app, node::wire::Topic::Revision).await;

    keep_up(&tasks, "timers", &app, &stop, timer::wheel::run);
    keep_up(&tasks, "pager", &app, &stop, paging::pager::run);
    keep_up(&tasks, "postman", &app, &stop, mail::postman::run);
    keep_up(&tasks, "changes", &app, &stop, incident::changes::run);
    keep_up(&tasks, "upkeep", &app, &stop, upkeep);
    keep_up(&tasks, "heartbeat", &app, &stop, watch::heartbeat::run);
    keep_up(&tasks, "uptime", &app, &stop, node::keep);
    if !app.db.is_ours_alone() {
        keep_up(&tasks, "revision", &app, &stop, node::revision::follow);
    }
    if node::wire::is_in_use(&app) {
        keep_up(&tasks, "ring", &app, &stop, node::wire::ring);
        keep_up(&tasks, "listen", &app, &stop, node::wire::listen);
    }
    tasks.spawn(listener::serve(listener, router::all(app.clone()), stop.clone()));
    watch::overseer::start(&app, stop.clone());
    tracing::info!(%address, revision = app.config.load().revision, "ready");
    Ok(Running { app, address, stop, tasks })
}

impl Running {
    /// Ends every loop: no new work is taken, what is under way is finished or, after ten seconds, given back for others.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        let ended = async {
            if tokio::time::timeout(GRACE, self.tasks.wait()).await.is_err() {
                tracing::warn!("something did not end in time; it is left to others");
            }
        };
        tokio::join!(ended, node::leave(&self.app));
        node::hand_back(&self.app).await;
        self.app.db.close().await;
    }
}

fn assemble(settings: Settings, clock: Clock, db: Db, config: Config) -> anyhow::Result<App> {
    let mut carriers: Vec<Arc<dyn Carrier>> = Vec::new();
    let mut mailers: Vec<Arc<dyn Mailer>> = Vec::new();
    let mut handsets = Vec::new();
    let built_in = (CarrierKey::from("handsets"), CarrierSettings::Handsets(HandsetsSettings::default()));
    let built_in = (!settings.carriers.values().any(CarrierSettings::is_phone)).then_some(built_in);
    let all = settings.carriers.iter().map(|(key, carrier)| (key.clone(), carrier.clone())).chain(built_in);
    for (key, carrier) in all {
        match carrier {
            CarrierSettings::Twilio(twilio) => {
                carriers.push(Arc::new(Twilio::new(key, &twilio, &settings.public_url)?))
            }
            CarrierSettings::Handsets(phones) => {
                let from = E164::parse(&phones.from).with_context(|| format!("carriers.{key}.from"))?;
                let phones = Handsets::new(key, from, phones.ring_seconds, clock.clone());
                handsets.push(phones.clone());
                carriers.push(phones);
            }
            CarrierSettings::Smtp(smtp) => mailers.push(Arc::new(Smtp::new(key, &smtp)?)),
        }
    }
    let keys = Keys { token: access::token_key(&settings)?, ledger: report::key(&settings)? };
    let app = App::new(settings, clock, db, config, carriers, keys).with_mailers(mailers);
    if app.mailers.is_empty() && app.config.load().wants_mail() {
        tracing::warn!("the schedules have mail addresses, and no carrier sends mail: see [carriers] in the settings");
    }
    for phones in handsets {
        phones.connect(Arc::new(Exchange(app.clone())));
    }
    Ok(app)
}

fn report(findings: &[Finding], config: &Config) {
    for finding in findings {
        match finding.is_error() {
            true => tracing::error!("{finding}"),
            false => tracing::warn!("{finding}"),
        }
    }
    if findings.iter().any(Finding::is_error) {
        let revision = config.revision;
        tracing::error!(revision, "the schedules have errors and were not taken: what was good last stays in force");
        return;
    }
    tracing::info!(
        revision = config.revision,
        people = config.people.len(),
        teams = config.teams.len(),
        "schedules in force"
    );
}

/// Runs a loop until `stop`, and begins it anew should it ever break: after a bug over one incident, the others are
/// still paged. What it had in hand comes back when its leases end.
fn keep_up<F: Future<Output = ()> + Send>(
    tasks: &TaskTracker,
    name: &'static str,
    app: &App,
    stop: &CancellationToken,
    work: impl Fn(App, CancellationToken) -> F + Send + 'static,
) {
    let (app, stop) = (app.clone(), stop.clone());
    tasks.spawn(async move {
        while !stop.is_cancelled() {
            if AssertUnwindSafe(work(app.clone(), stop.clone())).catch_unwind().await.is_err() {
                metrics::counter!("ringdown_loops_broken_total", "loop" => name).increment(1);
                tracing::error!(name, "a loop broke; it begins anew");
                stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
    });
}

/// What is looked after once a minute: lost calls, old payloads, forgotten timers, the day's anchor.
async fn upkeep(app: App, stop: CancellationToken) {
    const EVERY: chrono::TimeDelta = chrono::TimeDelta::minutes(1);
    let mut at = app.clock.now() + EVERY;
    while stop.run_until_cancelled(app.clock.sleep(at - app.clock.now())).await.is_some() {
        // Each by itself: that one cannot be done is no reason to leave the others.
        let done = [
            timer::wheel::audit(&app).await.map(drop),
            intake::phone::sweep(&app).await.map(drop),
            retried(|| forget_payloads(&app)).await,
            retried(|| access::purge(&app)).await,
            retried(|| report::anchor::make(&app)).await.map(drop),
        ];
        for error in done.into_iter().filter_map(Result::err) {
            tracing::error!(%error, "a part of the minute's upkeep failed; it comes again");
        }
        // From one minute to the next, however long it took; what was slept through is not made up for.
        // A clock that was set back does not put it off.
        let now = app.clock.now();
        at = (at + EVERY).clamp(now, now + EVERY);
    }
}

async fn forget_payloads(app: &App) -> sqlx::Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    intake::store::purge(&mut tx, now - app.settings.keep_payloads).await?;
    mail::store::forget(&mut tx, now - app.settings.keep_payloads).await?;
    tx.commit().await
}

/// Reads `schedules/` again. A bad directory leaves the revision in force as it is and is told in the findings.
pub async fn reload(app: &App) -> anyhow::Result<Vec<Finding>> {
    let (config, findings) = config::adopt(&app.db, &app.settings.schedules, app.clock.now()).await?;
    report(&findings, &config);
    app.config.store(Arc::new(config));
    app.bell.ring();
    node::wire::tell(app, node::wire::Topic::Revision).await;
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_loop_that_breaks_begins_anew() {
        let (app, _hand, _folder) =
            App::for_test(Settings::default(), "2026-11-02T12:00:00Z", Config::default(), vec![]).await;
        let (stop, tasks, begun) = (CancellationToken::new(), TaskTracker::new(), Arc::new(AtomicUsize::new(0)));
        let counter = begun.clone();
        keep_up(&tasks, "test", &app, &stop, move |_, stop| {
            let counter = counter.clone();
            async move {
                assert!(counter.fetch_add(1, Ordering::Relaxed) >= 1, "broken on purpose");
                stop.cancelled().await;
            }
        });
        while begun.load(Ordering::Relaxed) < 2 {
            tokio::time::sleep(PAUSE).await;
        }
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        assert_eq!(begun.load(Ordering::Relaxed), 2);
    }
}
