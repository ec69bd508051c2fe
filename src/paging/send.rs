//! One attempt in hand: the carriers are asked, in turn, and what they say is written down under the lease's fence.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;

use super::{
    Attempt, Outcome, Purpose, Stage,
    answer::{self, Refusals},
    breaker::Breaker,
    dispatch, receipt, store,
};
use crate::{
    access::{self, link},
    carrier::{Accepted, Action, Call, Carrier, ErrorClass, SendError, Sent, Sms, Status},
    clock::Time,
    id::CarrierKey,
    people::Channel,
    server::{App, settings::CarrierSettings},
    store::{Tx, retry::retried},
    watch,
};

/// How long a carrier has to answer. Real time: a network does not run faster in a demo.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long a phone rings where the settings do not say: shorter than most voicemail waits.
const RING: TimeDelta = TimeDelta::seconds(25);

/// What asks the carriers. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    pub app: App,
    breakers: Arc<Mutex<BTreeMap<CarrierKey, Breaker>>>,
}

/// The outcome, as metrics and logs say it.
pub(super) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::NoHuman => "no_human",
        Outcome::NoAnswer => "no_answer",
        Outcome::Delivered => "delivered",
        Outcome::Unreachable => "unreachable",
        Outcome::Cancelled => "cancelled",
        Outcome::Expired => "expired",
    }
}

impl Sender {
    pub fn new(app: App) -> Self {
        Sender { app, breakers: Arc::default() }
    }

    /// Which carriers to ask for this attempt, in turn.
    pub fn carriers(&self, attempt: &Attempt, now: Time) -> Vec<CarrierKey> {
        // A heartbeat tries its own carrier, also one that pages turned away from: that is how it is seen to be back.
        if attempt.purpose == Purpose::Heartbeat {
            return watch::heartbeat::line(&self.app).map(|line| line.carrier).into_iter().collect();
        }
        let config = self.app.config.load();
        let order = match attempt.channel {
            Channel::Sms => &config.carriers.sms,
            Channel::Voice => &config.carriers.voice,
        };
        let able: Vec<CarrierKey> = self
            .app
            .carriers
            .iter()
            .filter(|carrier| carrier.can(attempt.channel))
            .map(|carrier| carrier.key().clone())
            .collect();
        let breakers = self.breakers.lock().expect("breakers");
        // After an answer was lost, another carrier goes first; after a plain refusal, the order as it is.
        let last = attempt.carrier.as_ref().filter(|_| attempt.stage == Stage::Sending);
        dispatch::carriers(order, &able, |key| breakers.get(key).is_none_or(|breaker| breaker.allows(now)), last)
    }

    fn carrier(&self, key: &CarrierKey) -> Option<Arc<dyn Carrier>> {
        self.app.carriers.iter().find(|carrier| carrier.key() == key).cloned()
    }

    /// Asks `carriers` in turn until one takes it. The attempt is marked as being sent by the first of them already.
    pub async fn send(&self, claimed: &Attempt, carriers: &[CarrierKey]) {
        let mut until = claimed.wake_at.unwrap_or(claimed.created_at);
        let mut refusals = Refusals::default();
        for (place, key) in carriers.iter().enumerate() {
            let Some(carrier) = self.carrier(key) else { continue };
            if place > 0 {
                until = match self.turn_to(claimed, key).await {
                    Some(until) => until,
                    None => return,
                };
            }
            // Nothing may come between this look at the clock and the request: a process that stood still for longer
            // than its lease has lost it, and whoever has it sends. One that stands still exactly here sends too.
            if self.app.clock.now() >= until {
                return outlived(claimed);
            }
            let answer = self.within(until, self.ask(carrier.as_ref(), claimed)).await;
            if claimed.purpose != Purpose::Heartbeat {
                self.judge(key, answer.as_ref().err());
            }
            let error = match answer {
                Ok(accepted) => {
                    let now = self.app.clock.now();
                    return self.finish(claimed, |attempt| attempt.accept(key, &accepted, now)).await;
                }
                Err(error) => error,
            };
            tracing::warn!(
                attempt = %claimed.id, carrier = %key, class = ?error.class, code = error.code.as_deref(),
                message = %error.message, "a carrier did not take an attempt"
            );
            if refusals.heard(error) {
                break;
            }
        }
        let error = refusals.last_word();
        let now = self.app.clock.now();
        self.finish(claimed, |attempt| attempt.refuse(&error, now)).await;
    }

    /// What a text says on the air: the digits of a one-time code and the seal of a link are put in here, and stand nowhere
    /// in the database. The same each time, so that it is found again.
    fn text(&self, attempt: &Attempt) -> Option<String> {
        let body = attempt.body.as_deref()?;
        Some(match (attempt.purpose, &attempt.page, &attempt.incident) {
            (Purpose::Code, ..) => access::code::filled(body, &self.app.desk.digits(attempt.id.as_str())),
            (Purpose::Page, Some(page), _) => self.app.links.sealed(body, link::For::Page(page)),
            (Purpose::Customer, _, Some(incident)) => self.app.links.sealed(body, link::For::Customer(incident)),
            _ => body.into(),
        })
    }

    async fn ask(&self, carrier: &dyn Carrier, attempt: &Attempt) -> Result<Accepted, SendError> {
        let asked = match attempt.channel {
            Channel::Sms if attempt.purpose == Purpose::Heartbeat && attempt.body.is_none() => {
                let known = tokio::time::timeout(ANSWER_WITHIN, carrier.check()).await;
                let sid = attempt.id.to_string();
                known.map(|known| known.map(|()| Accepted { sid, status: Status::Delivered }))
            }
            Channel::Sms => {
                let body = self.text(attempt).unwrap_or_default();
                let left = attempt.expires_at - self.app.clock.now();
                let validity = left.clamp(TimeDelta::seconds(60), TimeDelta::hours(10));
                let sms = Sms { attempt: attempt.id.clone(), to: attempt.address.clone(), body, validity };
                tokio::time::timeout(ANSWER_WITHIN, carrier.send_sms(&sms)).await
            }
            Channel::Voice => {
                let action = Action(format!("voice/page?a={}&n=1&t=1", attempt.id));
                let call = Call {
                    attempt: attempt.id.clone(),
                    to: attempt.address.clone(),
                    ring: self.ring(carrier.key()),
                    action,
                };
                tokio::time::timeout(ANSWER_WITHIN, carrier.place_call(&call)).await
            }
        };
        asked.unwrap_or_else(|_| Err(silent()))
    }

    /// An answer is waited for until the lease ends: then it is another node's to look up what became of it.
    async fn within<T>(&self, until: Time, asked: impl Future<Output = Result<T, SendError>>) -> Result<T, SendError> {
        tokio::select! {
            biased;
            answer = asked => answer,
            () = self.app.clock.sleep_until(until) => Err(silent()),
        }
    }

    /// How long a call of this carrier rings.
    fn ring(&self, key: &CarrierKey) -> TimeDelta {
        match self.app.settings.carriers.get(key) {
            Some(CarrierSettings::Twilio(twilio)) => TimeDelta::seconds(twilio.ring_seconds.into()),
            Some(CarrierSettings::Handsets(phones)) => TimeDelta::seconds(phones.ring_seconds.into()),
            Some(CarrierSettings::Smtp(_)) | None => RING,
        }
    }

    /// The breaker learns from an answer. A refusal for the address's sake is the carrier at work.
    fn judge(&self, key: &CarrierKey, error: Option<&SendError>) {
        let now = self.app.clock.now();
        let mut breakers = self.breakers.lock().expect("breakers");
        let breaker = breakers.entry(key.clone()).or_default();
        breaker.heard(error.map(|error| error.class), now);
        let failed = error.and_then(|error| match error.class {
            ErrorClass::PermanentContact | ErrorClass::PermanentRequest => None,
            _ => Some(error.code.as_ref().map_or_else(|| "no clear answer".into(), |code| format!("error {code}"))),
        });
        self.app.watch.carriers.note(key, failed, breaker.open_until(), now);
    }

    /// A breaker whose pause is over lets one request through.
    pub fn asked(&self, key: &CarrierKey, now: Time) {
        self.breakers.lock().expect("breakers").entry(key.clone()).or_default().asked(now);
    }

    /// Writes down that another carrier is asked now, so that a crash knows whom to look it up at. Gives the end of the
    /// lease, if it still holds.
    async fn turn_to(&self, claimed: &Attempt, key: &CarrierKey) -> Option<Time> {
        let now = self.app.clock.now();
        let until = now + self.app.settings.lease;
        let mut go = false;
        let kept = self
            .fenced(claimed, |attempt| {
                go = answer::turn_to(attempt, key, until, now);
            })
            .await;
        if go {
            self.asked(key, now);
        }
        (kept && go).then_some(until)
    }

    /// The outcome of an earlier send is not known: it is looked up, and sent again if nobody took it.
    pub async fn look_up(&self, claimed: &Attempt) {
        if let Some((key, accepted)) = self.found(claimed).await {
            let now = self.app.clock.now();
            return self.finish(claimed, |attempt| attempt.accept(&key, &accepted, now)).await;
        }
        let now = self.app.clock.now();
        let (carriers, until) = (self.carriers(claimed, now), now + self.app.settings.lease);
        let mut again = false;
        let kept = self
            .fenced(claimed, |attempt| {
                again = answer::not_found(attempt, &carriers, until, now);
            })
            .await;
        if kept && again {
            // One carrier a time: the others are asked when this one is clear.
            let renewed = Attempt { wake_at: Some(until), ..claimed.clone() };
            self.send(&renewed, &carriers[..1]).await;
        }
    }

    /// What the carrier that was asked knows of it.
    async fn found(&self, attempt: &Attempt) -> Option<(CarrierKey, Accepted)> {
        let key = attempt.carrier.clone()?;
        let carrier = self.carrier(&key)?;
        let sent = Sent {
            attempt: attempt.id.clone(),
            channel: attempt.channel,
            to: attempt.address.clone(),
            body: self.text(attempt).filter(|_| attempt.channel == Channel::Sms),
            since: attempt.sent_at.unwrap_or(attempt.created_at),
        };
        match tokio::time::timeout(ANSWER_WITHIN, carrier.look_up(&sent)).await {
            Ok(Ok(found)) => found.map(|accepted| (key, accepted)),
            Ok(Err(error)) => {
                tracing::warn!(attempt = %attempt.id, carrier = %key, message = %error.message, "cannot look up");
                None
            }
            Err(_) => None,
        }
    }

    /// A carrier took it and never said more.
    pub async fn overdue(&self, claimed: &Attempt) {
        let known = self.found(claimed).await.map(|(_, accepted)| accepted);
        let now = self.app.clock.now();
        self.finish(claimed, |attempt| attempt.overdue(known.as_ref(), now)).await;
    }

    /// Nobody need answer this call any more.
    pub async fn hang_up(&self, claimed: &Attempt) {
        let known = match (&claimed.carrier, &claimed.sid) {
            (Some(key), Some(sid)) => Some((key.clone(), sid.clone())),
            _ => self.found(claimed).await.map(|(key, accepted)| (key, accepted.sid)),
        };
        let done = match known {
            None => Ok(()),
            Some((key, sid)) => match self.carrier(&key) {
                None => Ok(()),
                Some(carrier) => {
                    tokio::time::timeout(ANSWER_WITHIN, carrier.hang_up(&sid)).await.unwrap_or_else(|_| Err(silent()))
                }
            },
        };
        let now = self.app.clock.now();
        let error = done.err().map(|error| error.class);
        self.finish(claimed, |attempt| answer::hung_up(attempt, error, now)).await;
    }

    /// The last word on a claim: changes the row as it is now, gives the lease back, and lets the page go on.
    async fn finish(&self, claimed: &Attempt, mut change: impl FnMut(&mut Attempt) + Send) {
        self.fenced(claimed, |attempt| {
            change(attempt);
            attempt.leased_by = None;
        })
        .await;
    }

    /// Changes the row as it is now, if the claim still holds. A database that does not take it leaves the lease to
    /// run out, and the attempt is looked up then.
    async fn fenced(&self, claimed: &Attempt, change: impl FnMut(&mut Attempt) + Send) -> bool {
        let change = Mutex::new(change);
        match retried(|| self.try_fenced(claimed, &change)).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::error!(attempt = %claimed.id, %error, "cannot write down what became of an attempt");
                false
            }
        }
    }

    async fn try_fenced(
        &self,
        claimed: &Attempt,
        change: &Mutex<impl FnMut(&mut Attempt) + Send>,
    ) -> sqlx::Result<bool> {
        let now = self.app.clock.now();
        let mut tx = self.app.db.begin().await?;
        let current = store::load_in_order(&mut tx, &claimed.id).await?;
        let Some(mut attempt) = current.filter(|current| answer::held(claimed, current)) else {
            tracing::warn!(attempt = %claimed.id, "the lease of an attempt was lost; whoever has it looks it up");
            return Ok(false);
        };
        let before = (attempt.outcome, claimed.sid.is_none() && claimed.stage == Stage::Sending);
        (change.lock().unwrap_or_else(PoisonError::into_inner))(&mut attempt);
        if before.1 && attempt.sid.is_some() {
            self.measure(&mut tx, &attempt, now).await?;
        }
        let kept = receipt::keep(&self.app, &mut tx, &attempt, before.0, now).await?;
        tx.commit().await?;
        self.app.bell.ring();
        Ok(kept)
    }

    /// From the report to the first page that a carrier took.
    async fn measure(&self, tx: &mut Tx, attempt: &Attempt, now: Time) -> sqlx::Result<()> {
        let Some(incident) = attempt.incident.as_ref().filter(|_| attempt.purpose == Purpose::Page) else {
            return Ok(());
        };
        if let Some(opened) = store::unanswered_since(tx, incident, &attempt.id).await? {
            let seconds = (now - opened).as_seconds_f64();
            metrics::histogram!("ringdown_intake_to_first_attempt_seconds").record(seconds.max(0.0));
        }
        Ok(())
    }
}

fn outlived(claimed: &Attempt) {
    metrics::counter!("ringdown_leases_outlived_total", "work" => "page").increment(1);
    tracing::warn!(attempt = %claimed.id, "the lease ended before the carrier was asked; whoever has it sends");
}

fn silent() -> SendError {
    SendError { class: ErrorClass::Ambiguous, code: None, message: "the carrier did not answer in time".into() }
}
