//! The heart: one heartbeat at a time, from the knock at our own door to its last leg.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::{
    beat::{Beat, Covers},
    door::{self, KEY, Knock, PATH},
    outside, store,
};
use crate::{
    carrier::handsets,
    id::{AttemptId, CarrierKey, fresh},
    people::{Channel, E164},
    server::{App, settings::CarrierSettings},
};

/// How long one may take: less than from one to the next, so that they do not pile up.
pub const LIFE: TimeDelta = TimeDelta::seconds(50);

/// The same by a clock that nobody sets, with room for one that runs slow.
const LONGEST: Duration = Duration::from_secs(100);

/// How often it is looked whether it got further, in real time: often at first.
const LOOKS: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(200)];

/// Where heartbeats go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub carrier: CarrierKey,
    /// `None`: nobody; the carrier is only asked for our account.
    pub to: Option<E164>,
}

impl Line {
    /// What a heartbeat on it covers.
    pub fn covers(&self) -> Covers {
        if self.to.is_some() { Covers::Text } else { Covers::LookUp }
    }
}

/// Where heartbeats go now; `None` when they are off.
pub fn line(app: &App) -> Option<Line> {
    let wanted = app.settings.watch.heartbeat.as_ref()?;
    let config = app.config.load();
    let able = || app.carriers.iter().filter(|carrier| carrier.can(Channel::Sms)).map(|carrier| carrier.key());
    let carrier = match &wanted.via {
        Some(via) => able().find(|key| *key == via)?,
        None => config.carriers.sms.iter().find_map(|wanted| able().find(|key| *key == wanted)).or(able().next())?,
    };
    let built_in =
        !matches!(app.settings.carriers.get(carrier), Some(CarrierSettings::Twilio(_) | CarrierSettings::Smtp(_)));
    let its_own = || built_in.then(|| E164::parse(handsets::HEARTBEAT).ok()).flatten();
    // Nobody is woken by it, whatever the settings say.
    let somebodys =
        |number: &E164| config.people.values().flat_map(|person| &person.contact).any(|it| it.address == *number);
    let to = wanted.to.clone().filter(|number| !somebodys(number)).or_else(its_own);
    Some(Line { carrier: carrier.clone(), to })
}

/// Until `stop`: one heartbeat after the other. Each complete one is told to the dead-man service.
pub async fn run(app: App, stop: CancellationToken) {
    let Some(every) = app.settings.watch.heartbeat.as_ref().map(|wanted| wanted.every) else {
        return stop.cancelled().await;
    };
    let mut at = app.clock.now();
    loop {
        if stop.run_until_cancelled(app.clock.sleep(at - app.clock.now())).await.is_none() {
            return;
        }
        let Some(line) = line(&app) else { return stop.cancelled().await };
        // One that is under way when the process stops is nobody's: the next process forgets it.
        let Some(beat) = stop.run_until_cancelled(one(&app, &line)).await else { return };
        told(&app, &beat).await;
        let now = app.clock.now();
        at = (at + every).clamp(now, now + every);
    }
}

/// One heartbeat, to its end.
async fn one(app: &App, line: &Line) -> Beat {
    let id = AttemptId::from(fresh(super::PREFIX));
    let mut beat = Beat::begin(id, &app.watch.node, line.carrier.clone(), line.covers(), app.clock.now());
    match knock(app, &beat).await {
        Ok(()) => follow(app, &mut beat).await,
        Err(words) => beat.reason = Some(words),
    }
    beat.end(app.clock.now());
    app.watch.ended(&beat);
    if let Err(error) = settle(app, &beat).await {
        tracing::warn!(%error, "how a heartbeat went cannot be written down");
    }
    beat
}

async fn knock(app: &App, beat: &Beat) -> Result<(), String> {
    let url = format!("http://{}{PATH}", ourselves(app.settings.listen));
    let knock = Knock { id: beat.id.clone(), begun_at: beat.begun_at };
    let request = outside::to_ourselves().map_err(outside::words)?.post(url).header(KEY, door::key(app)).json(&knock);
    let status = request.send().await.map_err(outside::words)?.status();
    if status.is_success() { Ok(()) } else { Err(format!("our own door answered {}", status.as_u16())) }
}

/// Waits until it has gone all the way, failed, or its time is over.
async fn follow(app: &App, beat: &mut Beat) {
    let (answered_at, timers, pager) = (app.clock.now(), app.watch.timers.good(), app.watch.pager.good());
    (beat.answered_at, beat.kept_at) = (Some(answered_at), Some(beat.begun_at));
    // Whatever the clock is set to meanwhile, it ends.
    let (deadline, begun) = (beat.begun_at + LIFE, Instant::now());
    let mut pause = LOOKS[0];
    loop {
        if beat.turned_at.is_none() && app.watch.timers.good() > timers {
            beat.turned_at = Some(app.clock.now());
        }
        match look(app, &beat.id).await {
            // Another node's pager may have claimed it; ours must be at work too.
            Ok(Some(seen)) => {
                let ours = app.watch.pager.good() > pager;
                let own = (beat.answered_at, beat.turned_at);
                *beat = Beat { answered_at: own.0, turned_at: own.1, ..seen };
                beat.claimed_at = beat.claimed_at.filter(|_| ours);
            }
            Ok(None) => beat.reason = Some("it is gone from the database".into()),
            Err(error) => beat.reason = Some(format!("the database: {error}")),
        }
        if beat.missing().is_none() || beat.failed.is_some() || app.clock.now() >= deadline || begun.elapsed() > LONGEST
        {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOKS[1]);
    }
}

async fn look(app: &App, id: &AttemptId) -> sqlx::Result<Option<Beat>> {
    store::load(&mut app.db.read().await?, id).await
}

/// Writes its end down, and waits until nothing of it is under way: there is one at a time.
async fn settle(app: &App, beat: &Beat) -> sqlx::Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    store::keep(&mut tx, beat).await?;
    store::forget(&mut tx, now).await?;
    tx.commit().await?;
    loop {
        let mut tx = app.db.begin().await?;
        let gone = store::clear(&mut tx, &beat.id, app.clock.now()).await?;
        tx.commit().await?;
        if gone {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Says how it went: to the log, the metrics, and whoever outside waits for a sign of life.
async fn told(app: &App, beat: &Beat) {
    let outcome = beat.failed.map_or("complete", |leg| leg.as_str());
    metrics::counter!("ringdown_heartbeats_total", "outcome" => outcome).increment(1);
    for (leg, took) in beat.legs() {
        metrics::histogram!("ringdown_heartbeat_leg_seconds", "leg" => leg.as_str()).record(took.as_seconds_f64());
    }
    if !beat.is_complete() {
        tracing::error!(heartbeat = %beat.id, words = beat.words(), "a heartbeat did not get through");
        return;
    }
    tracing::debug!(heartbeat = %beat.id, words = beat.words(), "a heartbeat");
    let Some(url) = &app.settings.watch.dead_man_url else { return };
    let outcome = match outside::ping(url).await {
        Ok(()) => "taken",
        Err(words) => {
            tracing::warn!(words, "the dead-man service did not take our sign of life");
            "failed"
        }
    };
    metrics::counter!("ringdown_dead_man_pings_total", "outcome" => outcome).increment(1);
}

/// Where our own port is reached from this machine.
fn ourselves(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        carrier::Carrier,
        clock::Clock,
        config,
        server::{boot, settings::Settings},
    };

    #[test]
    fn our_own_port_is_knocked_at_where_we_listen() {
        for (listen, there) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("192.0.2.7:8080", "192.0.2.7:8080")]
        {
            assert_eq!(ourselves(listen.parse().unwrap()).to_string(), there);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn with_nothing_set_up_the_heart_beats_on_the_handsets_and_no_phone_shows_it() {
        let folder = tempfile::tempdir().unwrap();
        let schedules = folder.path().join("schedules");
        config::write_example(&schedules).unwrap();
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            database: format!("sqlite:{}/ringdown.db", folder.path().display()),
            schedules,
            ..Settings::default()
        };
        let running = boot::start(settings, Clock::system()).await.unwrap();
        let begun = Instant::now();
        let beat = loop {
            if let Some(beat) = running.app.watch.known().last {
                break beat;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "no heartbeat");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(beat.is_complete() && beat.covers == Covers::Text, "{}", beat.words());
        let legs: Vec<TimeDelta> = beat.legs().into_iter().map(|(_, took)| took).collect();
        assert!(legs.len() == 5 && legs[0] > TimeDelta::zero(), "{}", beat.words());
        let carrier: std::sync::Arc<dyn Carrier> = running.app.carriers[0].clone();
        let phones = carrier.as_handsets().expect("the handsets").look(|network| network.phones().count());
        assert_eq!(phones, 0, "it is on no phone");
        running.stop().await;
    }
}
