//! The carrier's face: the port we send through, and what the owners of the phones do.

use std::{fmt, sync::Arc};

use chrono::TimeDelta;
use futures::future::BoxFuture;

use super::{
    happening::{Input, Refused},
    line::{Exchange, OnItsWay},
    network::{Network, bounded},
    phone::{Act, Behaviour, Text},
};
use crate::{
    carrier::{
        Accepted, Call, Carrier, ErrorClass, InboundSms, SendError, Sent, Sms, Status, Switchboard, Unavailable,
    },
    clock::Clock,
    id::{CarrierKey, fresh},
    people::{Channel, E164},
};

/// The built-in carrier. Its calls live on tasks of their own, which end with it.
pub struct Handsets {
    key: CarrierKey,
    exchange: Arc<Exchange>,
}

/// What the owner of a phone wanted to do was not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    #[error("there is no such call, or it ended long ago")]
    Unknown,
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Handsets {
    /// A carrier with no phones yet. Our texts and calls come `from`; a call rings for `ring_seconds` if nothing else
    /// is asked for, and that is also when a voicemail box picks up.
    pub fn new(key: CarrierKey, from: E164, ring_seconds: u32, clock: Clock) -> Arc<Handsets> {
        let ring = TimeDelta::seconds(ring_seconds.clamp(1, 600).into());
        let exchange = Exchange::new(Network::new(key.clone(), from, ring), clock);
        Arc::new(Handsets { key, exchange })
    }

    /// Connects it with us. Before that nothing can be sent; a second time changes nothing.
    pub fn connect(&self, switchboard: Arc<dyn Switchboard>) {
        if self.exchange.switchboard.set(switchboard).is_err() {
            tracing::warn!("the handsets are connected already");
        }
    }

    /// Ends every task, calls and all, and waits for that. Nothing is reported any more.
    pub async fn close(&self) {
        self.exchange.closing.cancel();
        self.exchange.tasks.close();
        self.exchange.tasks.wait().await;
    }

    /// How many tasks there are: one for each call that has not ended, one for each text or receipt on its way.
    pub fn tasks(&self) -> usize {
        self.exchange.tasks.len()
    }

    /// Looks at the phones and calls.
    pub fn look<T>(&self, look: impl FnOnce(&Network) -> T) -> T {
        self.exchange.look(look)
    }

    /// Counts up with every change, for those who wait for one.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.exchange.changes.subscribe()
    }

    /// What the time is on the phones.
    pub fn clock(&self) -> &Clock {
        &self.exchange.clock
    }

    /// Sets what a phone does from now on; calls that ring already go on as they began.
    pub fn behave(&self, number: &E164, behaviour: Behaviour) {
        self.exchange.change(|network, now| network.phone(number, now).behaviour = behaviour);
    }

    /// Makes the phone known, if it was not.
    pub fn phone(&self, number: &E164) {
        self.exchange.change(|network, now| {
            network.phone(number, now);
        });
    }

    /// Dials one of our numbers; the call's id. `script` is what the caller does when the call asks for it, in order;
    /// what is not in it a person does.
    pub fn dial(&self, from: &E164, to: &E164, script: Vec<Act>) -> Result<String, Refused> {
        let sid = fresh("call");
        self.exchange.change(|network, now| network.dial(sid.clone(), from, to, script, now))?;
        Ok(sid)
    }

    /// The owner of the phone does something on a call.
    pub fn act(&self, id: &str, input: Input) -> Result<(), ActError> {
        let done = self.exchange.change(|network, now| network.act(id, input, now));
        Ok(done.ok_or(ActError::Unknown)??)
    }

    /// The owner of a phone writes to one of our numbers. The answer, if there is one, is in the thread and returned.
    pub async fn write(&self, from: &E164, to: &E164, body: &str) -> Result<Option<Text>, Unavailable> {
        let (sid, body) = (fresh("sms"), bounded(body));
        let text = |id: String, written_here, body, status| Text {
            id,
            written_here,
            peer: to.clone(),
            body,
            at: self.exchange.clock.now(),
            status,
        };
        let written = text(sid.clone(), true, body.clone(), Status::Queued);
        self.exchange.change(|network, now| network.phone(from, now).add(written));
        let sms = InboundSms {
            carrier: self.key.to_string(),
            sid: sid.clone(),
            from: from.as_str().into(),
            to: to.as_str().into(),
            body,
        };
        let answer = self.exchange.ask(|switchboard| switchboard.sms(sms)).await;
        let status = if answer.is_ok() { Status::Delivered } else { Status::Undelivered };
        let answer =
            answer.map(|words| words.map(|words| text(fresh("sms"), false, bounded(&words), Status::Delivered)));
        self.exchange.change(|network, now| {
            network.text_is(from, &sid, status, now);
            if let Ok(Some(answer)) = &answer {
                network.phone(from, now).add(answer.clone());
            }
        });
        answer
    }

    fn connected(&self) -> Result<(), SendError> {
        match self.exchange.switchboard.get() {
            Some(_) => Ok(()),
            None => Err(SendError {
                class: ErrorClass::Transient { retry_after: Some(TimeDelta::seconds(1)) },
                code: None,
                message: "the handsets are not connected yet".into(),
            }),
        }
    }

    fn take_sms(&self, sms: &Sms) -> Result<Accepted, SendError> {
        self.connected()?;
        let sid = fresh("sms");
        let (accepted, on_its_way) = self.exchange.change(|network, now| {
            let (accepted, arrives) = network.take_sms(sid, sms, now)?;
            let on_its_way = arrives.map(|arrives| OnItsWay {
                attempt: sms.attempt.clone(),
                sid: accepted.sid.clone(),
                to: sms.to.clone(),
                arrives,
                expires: now + sms.validity.max(TimeDelta::zero()),
            });
            Ok::<_, SendError>((accepted, on_its_way))
        })?;
        if let Some(text) = on_its_way {
            self.exchange.deliver(text);
        }
        Ok(accepted)
    }
}

impl Drop for Handsets {
    fn drop(&mut self) {
        self.exchange.closing.cancel();
    }
}

impl fmt::Debug for Handsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handsets({})", self.key)
    }
}

impl Carrier for Handsets {
    fn key(&self) -> &CarrierKey {
        &self.key
    }

    fn can(&self, channel: Channel) -> bool {
        matches!(channel, Channel::Sms | Channel::Voice)
    }

    fn send_sms<'a>(&'a self, sms: &'a Sms) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(async move { self.take_sms(sms) })
    }

    fn place_call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(async move {
            self.connected()?;
            self.exchange.change(|network, now| network.place_call(fresh("call"), call, now))
        })
    }

    fn hang_up<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            // Ended already, or of a process before this one: it does not ring, and that is what was wanted.
            let _ = self.act(sid, Input::Cancel);
            Ok(())
        })
    }

    fn look_up<'a>(&'a self, attempt: &'a Sent) -> BoxFuture<'a, Result<Option<Accepted>, SendError>> {
        Box::pin(async move { Ok(self.exchange.look(|network| network.look_up(&attempt.attempt))) })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(async move { self.connected() })
    }

    fn as_handsets(self: Arc<Self>) -> Option<Arc<Handsets>> {
        Some(self)
    }
}
