//! The task behind each call: carries what the call asks to the switchboard, in order, and wakes it when its time
//! comes. It ends with the call.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    happening::{Effect, Input},
    network::Network,
};
use crate::{
    carrier::{Receipt, Recording, Status, Switchboard, Unavailable},
    clock::{Clock, Time},
    id::AttemptId,
    people::{Channel, E164},
};

/// How long the machine waits for an answer to one question, in the machine's time.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a receipt that was not taken is sent again, each time after twice as long but never longer than
/// [`RECEIPT_PAUSE`]: for about a quarter of an hour.
const RECEIPT_TRIES: u32 = 20;
/// In seconds.
const RECEIPT_PAUSE: i64 = 60;

/// What the lines share.
pub(super) struct Exchange {
    pub clock: Clock,
    pub switchboard: OnceLock<Arc<dyn Switchboard>>,
    /// Counts up whenever anything changes; those who wait for something look again.
    pub changes: watch::Sender<u64>,
    pub tasks: TaskTracker,
    pub closing: CancellationToken,
    state: Mutex<Lines>,
}

struct Lines {
    network: Network,
    /// Wakes a call's task; there is one for each call that has a task.
    bells: HashMap<String, Arc<Notify>>,
}

/// A text on its way to a phone.
pub(super) struct OnItsWay {
    pub attempt: AttemptId,
    pub sid: String,
    pub to: E164,
    pub arrives: Time,
    pub expires: Time,
}

impl Exchange {
    pub fn new(network: Network, clock: Clock) -> Arc<Self> {
        Arc::new(Exchange {
            clock,
            switchboard: OnceLock::new(),
            changes: watch::Sender::new(0),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            state: Mutex::new(Lines { network, bells: HashMap::new() }),
        })
    }

    /// Looks at the network.
    pub fn look<T>(&self, look: impl FnOnce(&Network) -> T) -> T {
        look(&self.lock().network)
    }

    /// Does something to the network, and wakes the calls it touched. Needs a runtime.
    pub fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut Network, Time) -> T) -> T {
        let mut lines = self.lock();
        let done = change(&mut lines.network, self.clock.now());
        for id in lines.network.take_touched() {
            match lines.bells.get(&id) {
                Some(bell) => bell.notify_one(),
                None => self.begin(&mut lines, id),
            }
        }
        drop(lines);
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        done
    }

    /// Brings a text to its phone.
    pub fn deliver(self: &Arc<Self>, text: OnItsWay) {
        self.spawn(move |exchange| {
            Box::pin(async move {
                exchange.text_is(&text, Status::Sent).await;
                exchange.clock.sleep_until(text.arrives.min(text.expires)).await;
                let status = if text.arrives <= text.expires { Status::Delivered } else { Status::Undelivered };
                exchange.text_is(&text, status).await;
            })
        });
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(self: &Arc<Self>, work: impl FnOnce(Arc<Self>) -> BoxFuture<'static, ()>) {
        let (closing, work) = (self.closing.clone(), work(self.clone()));
        self.tasks.spawn(async move {
            closing.run_until_cancelled(work).await;
        });
    }

    fn begin(self: &Arc<Self>, lines: &mut Lines, id: String) {
        let bell = Arc::new(Notify::new());
        lines.bells.insert(id.clone(), bell.clone());
        self.spawn(move |exchange| Box::pin(async move { exchange.run(id, bell).await }));
    }

    /// One call, from its first ring until nothing is left to say of it.
    async fn run(self: Arc<Self>, id: String, bell: Arc<Notify>) {
        loop {
            let effect = self.change_of(&id);
            match effect {
                Next::Do(effect) => self.carry_out(&id, *effect).await,
                Next::Wait(Some(due)) => tokio::select! {
                    () = bell.notified() => {}
                    () = self.clock.sleep_until(due) => {}
                },
                Next::Wait(None) => bell.notified().await,
                Next::Over => return,
            }
        }
    }

    fn change_of(self: &Arc<Self>, id: &str) -> Next {
        let passed =
            self.look(|network| network.call(id).and_then(super::Call::due).is_some_and(|due| due <= self.clock.now()));
        if passed {
            self.change(|network, now| network.pass(id, now));
        }
        let mut lines = self.lock();
        if let Some(effect) = lines.network.next_effect(id) {
            return Next::Do(Box::new(effect));
        }
        match lines.network.call(id) {
            Some(call) if !call.has_ended() => Next::Wait(call.due()),
            _ => {
                lines.bells.remove(id);
                Next::Over
            }
        }
    }

    async fn carry_out(self: &Arc<Self>, id: &str, effect: Effect) {
        match effect {
            Effect::Ask(turn) => {
                let answer = self.ask(|switchboard| switchboard.voice(turn)).await;
                self.change(|network, now| network.act(id, Input::Heard(answer.ok()), now));
            }
            Effect::Report(receipt) => self.report(receipt).await,
            Effect::Recorded(recording) => {
                self.tell(recording, |switchboard, recording: Recording| switchboard.recording(recording)).await;
            }
        }
    }

    async fn text_is(self: &Arc<Self>, text: &OnItsWay, status: Status) {
        self.change(|network, now| network.text_is(&text.to, &text.sid, status, now));
        let carrier = self.look(|network| network.carrier().to_string());
        let undelivered = status == Status::Undelivered;
        self.report(Receipt {
            carrier,
            attempt: Some(text.attempt.clone()),
            sid: text.sid.clone(),
            channel: Channel::Sms,
            status: Some(status),
            answered_by: None,
            error_code: undelivered.then(|| "expired".into()),
            seconds: None,
        })
        .await;
    }

    async fn report(self: &Arc<Self>, receipt: Receipt) {
        if let (Some(attempt), Some(status)) = (&receipt.attempt, receipt.status) {
            self.lock().network.attempt_is(attempt, status);
        }
        self.tell(receipt, |switchboard, receipt: Receipt| switchboard.receipt(receipt)).await;
    }

    /// Tells the switchboard something; if it is not taken, again a few times in the background.
    async fn tell<M, F>(self: &Arc<Self>, message: M, send: F)
    where
        M: Clone + Send + Sync + 'static,
        F: for<'a> Fn(&'a dyn Switchboard, M) -> BoxFuture<'a, Result<(), Unavailable>> + Send + Sync + 'static,
    {
        if self.ask(|switchboard| send(switchboard, message.clone())).await.is_ok() {
            return;
        }
        self.spawn(move |exchange| {
            Box::pin(async move {
                for again in 0..RECEIPT_TRIES {
                    exchange.clock.sleep(TimeDelta::seconds((1 << again).min(RECEIPT_PAUSE))).await;
                    if exchange.ask(|switchboard| send(switchboard, message.clone())).await.is_ok() {
                        return;
                    }
                }
                tracing::warn!("a receipt of the handsets was not taken in the end");
            })
        });
    }

    /// One question to the switchboard. Whatever goes wrong there is an answer that did not come.
    pub async fn ask<'a, T>(
        &'a self,
        question: impl FnOnce(&'a dyn Switchboard) -> BoxFuture<'a, Result<T, Unavailable>>,
    ) -> Result<T, Unavailable> {
        let switchboard =
            self.switchboard.get().ok_or_else(|| Unavailable::because("the handsets are not connected"))?;
        let answer = AssertUnwindSafe(question(switchboard.as_ref())).catch_unwind();
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Unavailable::because("the switchboard panicked")),
            Err(_) => Err(Unavailable::because("the switchboard took too long")),
        }
    }
}

/// What a call's task does next.
enum Next {
    Do(Box<Effect>),
    Wait(Option<Time>),
    Over,
}
