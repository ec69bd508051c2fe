//! A thread of its own that looks after the loops once a second. It needs neither the runtime nor the database: when
//! those stand still, it is what is left to say so.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::{
    LOOPS, Watch, disk, outside,
    stall::{Feeding, News, STALL, Stall, pace},
    step::Steps,
};
use crate::{
    clock::Clock,
    server::{App, bell::Bell},
};

/// How often the disk is measured, and whoever outside is told again that a loop is stuck.
const ROOM: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_secs(60);

/// How long the word of a stall has to get out before the process ends itself.
const LAST_WORDS: Duration = Duration::from_secs(12);

/// A look longer than this may have been torn between its two clocks.
const TORN: Duration = Duration::from_millis(100);

/// What the thread needs; none of it waits for the runtime.
pub struct Overseer {
    pub watch: Arc<Watch>,
    pub clock: Clock,
    pub bell: Bell,
    pub patience: Duration,
    pub database: Option<PathBuf>,
    /// Told of a stall, by a ping.
    pub stalled_url: Option<SecretString>,
    /// Whether the process ends itself after a stall that matters, for whoever restarts it.
    pub abort: bool,
}

/// Starts it; it ends within a second of `stop`.
pub fn start(app: &App, stop: CancellationToken) {
    let settings = &app.settings.watch;
    let overseer = Overseer {
        watch: app.watch.clone(),
        clock: app.clock.clone(),
        bell: app.bell.clone(),
        patience: STALL,
        database: disk::file(&app.settings.database),
        stalled_url: settings.stalled_url.clone(),
        abort: settings.abort_when_stalled,
    };
    if let Some(file) = &overseer.database {
        overseer.watch.room.measure(file);
    }
    if let Err(error) = thread::Builder::new().name("overseer".into()).spawn(move || overseer.run(&stop)) {
        tracing::error!(%error, "nobody looks after the loops: no thread can be started");
    }
}

impl Overseer {
    /// Looks again and again until `stop`.
    pub fn run(&self, stop: &CancellationToken) {
        let interval = sd_notify::watchdog_enabled();
        let (mut feeding, mut steps) = (Feeding::default(), Steps::default());
        let mut stalls: [Stall; 3] = Default::default();
        let (base, pace) = (Instant::now(), pace(interval));
        let (mut looked, mut measured, mut pinged) = (base, base, None::<Instant>);
        while !stop.is_cancelled() {
            let now = Instant::now();
            let since = now - std::mem::replace(&mut looked, now);
            let turns = self.watch.pulses().map(|pulse| pulse.turns());
            let vital = LOOPS.iter().zip(turns).filter(|((_, vital), _)| *vital).map(|(_, turns)| turns);
            if feeding.due(&vital.collect::<Vec<_>>()) && interval.is_some() {
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
            }
            self.look_after(&mut stalls, turns, since, &mut pinged);
            self.compare(&mut steps, base);
            if let Some(file) = self.database.as_ref().filter(|_| measured.elapsed() >= ROOM) {
                measured = Instant::now();
                self.watch.room.measure(file);
            }
            thread::sleep(pace);
        }
    }

    /// Says what is new about the loops, first to those who can do something about it.
    fn look_after(&self, stalls: &mut [Stall; 3], turns: [u64; 3], since: Duration, pinged: &mut Option<Instant>) {
        for (at, stall) in stalls.iter_mut().enumerate() {
            let (name, vital) = LOOPS[at];
            let news = stall.look(turns[at], since, self.patience);
            let stalled = stall.silent() >= self.patience;
            let seconds = if stalled { stall.silent().as_secs().max(1) } else { 0 };
            self.watch.stalled[at].store(seconds, Ordering::Relaxed);
            if stalled && pinged.is_none_or(|at| at.elapsed() >= AGAIN) {
                *pinged = Some(Instant::now());
                self.tell_outside();
            }
            match news {
                Some(News::Stalled) => {
                    metrics::counter!("ringdown_loop_stalls_total", "loop" => name).increment(1);
                    tracing::error!(
                        name,
                        silent_seconds = seconds,
                        "a loop has stalled: it has made no turn; restart this process if its supervisor does not"
                    );
                    if vital && self.abort {
                        thread::sleep(LAST_WORDS);
                        // Not an orderly end: whatever is stuck would be waited for.
                        std::process::abort();
                    }
                }
                Some(News::GoesOn) => tracing::warn!(name, "a loop that had stalled goes on"),
                None => {}
            }
        }
        if stalls.iter().all(|stall| stall.silent() < self.patience) {
            *pinged = None;
        }
    }

    fn tell_outside(&self) {
        let Some(url) = self.stalled_url.clone() else { return };
        // On a thread of its own: the supervisor must be fed meanwhile if another loop is the one that is stuck.
        let told = thread::Builder::new().name("stall".into()).spawn(move || match outside::ping_from_a_thread(&url) {
            Ok(()) => {}
            Err(words) => tracing::error!(words, "nobody outside could be told that a loop has stalled"),
        });
        if let Err(error) = told {
            tracing::error!(%error, "nobody outside could be told that a loop has stalled");
        }
    }

    /// Notices that the wall clock was moved; every loop then looks again at once.
    fn compare(&self, steps: &mut Steps, base: Instant) {
        if !self.clock.is_wall() {
            return;
        }
        let before = base.elapsed();
        let wall = self.clock.now();
        let steady = base.elapsed();
        if steady - before > TORN {
            return;
        }
        if let Some(step) = steps.look(wall, steady) {
            self.bell.ring();
            self.watch.stepped(wall, step);
            let direction = if step > TimeDelta::zero() { "forward" } else { "backward" };
            metrics::counter!("ringdown_clock_steps_total", "direction" => direction).increment(1);
            let seconds = step.as_seconds_f64();
            tracing::warn!(seconds, "the wall clock was moved, or this machine slept; every loop looks again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        sync::mpsc,
    };

    use super::*;

    fn overseer(stalled_url: Option<String>) -> Overseer {
        Overseer {
            watch: Arc::new(Watch::new("nod_a", "2026-11-18T08:00:00Z".parse().unwrap())),
            clock: Clock::system(),
            bell: Bell::default(),
            patience: Duration::from_millis(1200),
            database: None,
            stalled_url: stalled_url.map(Into::into),
            abort: false,
        }
    }

    /// Who answers one request and tells that it came.
    fn outside() -> (String, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/stalled", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = [0; 1024];
                let read = stream.read(&mut head).unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
                let _ = sender.send(String::from_utf8_lossy(&head[..read]).lines().next().unwrap_or_default().into());
            }
        });
        (url, receiver)
    }

    #[test]
    fn a_runtime_that_stands_still_is_noticed_and_told_outside_and_so_is_its_going_on() {
        let (url, told) = outside();
        let overseer = overseer(Some(url));
        let (watch, stop) = (overseer.watch.clone(), CancellationToken::new());
        let looks = thread::spawn({
            let stop = stop.clone();
            move || overseer.run(&stop)
        });
        // A runtime of one thread whose loops turn, until one of them blocks all of it.
        let (block, blocked) = mpsc::channel::<()>();
        let loops = thread::spawn({
            let watch = watch.clone();
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    for turn in 0..80 {
                        watch.pulses().iter().for_each(|pulse| pulse.turn());
                        if turn == 20 {
                            let _ = blocked.recv();
                        }
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                });
            }
        });
        assert_eq!(watch.stalled(), []);
        let request = told.recv_timeout(Duration::from_secs(20)).expect("it is told outside");
        assert!(request.starts_with("GET /stalled "), "{request}");
        let names: Vec<&str> = watch.stalled().iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["timers", "pager", "postman"]);
        drop(block);
        let begun = Instant::now();
        while !watch.stalled().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(10), "it goes on");
            thread::sleep(Duration::from_millis(50));
        }
        stop.cancel();
        looks.join().unwrap();
        loops.join().unwrap();
    }

    #[tokio::test]
    async fn a_clock_that_is_set_is_noticed_and_every_loop_looks_again() {
        let machine = crate::clock::tests::Set::default();
        let overseer = Overseer { clock: machine.clock(), ..overseer(None) };
        let (mut steps, base) = (Steps::default(), Instant::now());
        let mut seen = Vec::new();
        for set in [0, 3600, 0, -60, 0] {
            machine.by(set);
            overseer.compare(&mut steps, base);
            let known = overseer.watch.known();
            let rung = tokio::time::timeout(Duration::from_millis(10), overseer.bell.timers()).await.is_ok();
            seen.push((known.steps, known.last_step.map(|(_, step)| step.num_seconds().abs()), rung));
        }
        // A whole second is cut off where the step is a hair short of it.
        let forward = seen[1].1;
        assert!(matches!(forward, Some(3599 | 3600)), "{seen:?}");
        assert_eq!(
            seen.iter().map(|seen| (seen.0, seen.2)).collect::<Vec<_>>(),
            [(0, false), (1, true), (1, false), (2, true), (2, false)]
        );
    }
}
