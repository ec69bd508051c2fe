//! The loop that takes mails from the outbox to the carriers that send mail.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Letter, Mail, MailStage, Mailer, Refused, compose, draft, store};
use crate::{
    clock::Time,
    id::{CarrierKey, MailId},
    quarantine::{self, hold::Hold},
    server::{App, bell},
    store::retry::retried,
};

/// How many mails are handed over at once.
const HANDS: usize = 8;

/// How long one carrier has for one mail. Real time: a network does not run faster in a demo.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// How long what runs has to end when the process stops.
const LAST_WORDS: Duration = Duration::from_secs(8);

/// Until `stop`: claims what is due, gravest first, hands it over outside of any transaction, records the outcome.
pub async fn run(app: App, stop: CancellationToken) {
    let postman = Postman { app, in_hand: Arc::default(), done: Arc::default(), tasks: TaskTracker::new() };
    while !stop.is_cancelled() {
        let next = match postman.round().await {
            Ok(next) => {
                postman.app.watch.postman.turn();
                next
            }
            Err(error) => {
                tracing::error!(%error, "the postman cannot read the mail outbox");
                postman.app.watch.postman.failed(postman.app.db.is_ours_alone(), &error);
                None
            }
        };
        let due = async {
            match next {
                Some(at) => postman.app.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = postman.app.bell.mails() => {}
            () = postman.done.notified() => {}
            () = due => {}
            // The guarantee: whatever the bell and the clock do, the outbox is looked at every second.
            () = bell::poll() => {}
        }
    }
    postman.tasks.close();
    if tokio::time::timeout(LAST_WORDS, postman.tasks.wait()).await.is_err() {
        tracing::warn!("some mails were not handed over in time; whoever takes them over sends them again");
    }
}

struct Postman {
    app: App,
    in_hand: Arc<Mutex<BTreeSet<MailId>>>,
    done: Arc<Notify>,
    tasks: TaskTracker,
}

/// Frees its place when the task ends, however it ends.
struct InHand {
    id: MailId,
    all: Arc<Mutex<BTreeSet<MailId>>>,
    done: Arc<Notify>,
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.all.lock().expect("in hand").remove(&self.id);
        self.done.notify_one();
    }
}

impl Postman {
    /// Claims and starts whatever is due; gives the next instant at which something will be.
    async fn round(&self) -> sqlx::Result<Option<Time>> {
        loop {
            let busy: Vec<MailId> = self.in_hand.lock().expect("in hand").iter().cloned().collect();
            let mut tx = self.app.db.read().await?;
            let (next, pending) = store::next_wake(&mut tx, &busy).await?;
            drop(tx);
            metrics::gauge!("ringdown_mails_pending").set(pending as f64);
            let now = self.app.clock.now();
            if next.is_none_or(|next| next > now) {
                return Ok(next);
            }
            let limit = HANDS.saturating_sub(busy.len()) as i64;
            if limit == 0 {
                // Every hand is full; the first that is free rings.
                return Ok(None);
            }
            let claimed = retried(|| self.claim(&busy, limit, now)).await?;
            if claimed.is_empty() {
                return Ok(None);
            }
            claimed.into_iter().flatten().for_each(|mail| self.start(mail));
        }
    }

    /// Leases what is due. `None` for each that a restore from a backup holds back: a person says whether it is still to
    /// be read.
    async fn claim(&self, busy: &[MailId], limit: i64, now: Time) -> sqlx::Result<Vec<Option<Mail>>> {
        let (node, lease) = (self.app.node.id(), self.app.settings.lease);
        let mut tx = self.app.db.begin().await?;
        let claimed = store::claim(&mut tx, store::Claim { node, limit, except: busy, lease }, now).await?;
        let mut mails = Vec::new();
        for mut mail in claimed {
            let held =
                quarantine::hold(&mut tx, Some(&mail.incident), false, mail.created_at, now).await? != Hold::Send;
            if held {
                (mail.wake_at, mail.reason) = (None, Some(quarantine::REASON.into()));
                store::save(&mut tx, &mail).await?;
            }
            mails.push((!held).then_some(mail));
        }
        tx.commit().await?;
        Ok(mails)
    }

    fn start(&self, mail: Mail) {
        self.in_hand.lock().expect("in hand").insert(mail.id.clone());
        let place = InHand { id: mail.id.clone(), all: self.in_hand.clone(), done: self.done.clone() };
        let app = self.app.clone();
        self.tasks.spawn(async move {
            let _place = place;
            hand_over(&app, &mail).await;
        });
    }
}

/// Sees a claimed mail through, and keeps the claim for as long as the mail servers take.
async fn hand_over(app: &App, mail: &Mail) {
    let until = Mutex::new(mail.wake_at.unwrap_or(mail.created_at));
    let outcome = match compose::letter(mail) {
        Some(letter) => tokio::select! {
            outcome = deliver(app, &letter, &until) => outcome,
            () = hold(app, mail, &until) => None,
        },
        None => Some(Err((None, Refused { permanent: true, code: None, words: "its text was forgotten".into() }))),
    };
    let Some(outcome) = outcome else {
        metrics::counter!("ringdown_leases_outlived_total", "work" => "mail").increment(1);
        tracing::warn!(mail = %mail.id, "the lease of a mail was lost; whoever has it sends it");
        return;
    };
    if let Err(error) = retried(|| finish(app, mail, &outcome)).await {
        // The lease runs out, and it is sent again under the same Message-ID.
        tracing::error!(mail = %mail.id, %error, "cannot write down what became of a mail");
    }
}

/// Renews a claim until it is lost.
async fn hold(app: &App, mail: &Mail, until: &Mutex<Time>) {
    let lease = app.settings.lease;
    loop {
        app.clock.sleep(lease / 3).await;
        let renewed = app.clock.now() + lease;
        let kept = retried(|| async {
            let mut tx = app.db.begin().await?;
            let kept = store::renew(&mut tx, mail, renewed).await?;
            tx.commit().await.map(|()| kept)
        });
        match kept.await {
            Ok(true) => *until.lock().expect("the lease's end") = renewed,
            Ok(false) => return,
            Err(error) => tracing::warn!(mail = %mail.id, %error, "the lease of a mail cannot be renewed"),
        }
        if app.clock.now() >= *until.lock().expect("the lease's end") {
            return;
        }
    }
}

/// Who took it; or who was asked last, and why nobody did.
type Outcome = Result<CarrierKey, (Option<CarrierKey>, Refused)>;

/// Asks the carriers in turn until one takes it. `None`: the lease ended before that, so that it is another's to send.
async fn deliver(app: &App, letter: &Letter, until: &Mutex<Time>) -> Option<Outcome> {
    let mut refused: Option<(Option<CarrierKey>, Refused)> = None;
    for mailer in in_turn(app) {
        if app.clock.now() >= *until.lock().expect("the lease's end") {
            return None;
        }
        let sent = tokio::time::timeout(ANSWER_WITHIN, mailer.send(letter)).await;
        match sent.unwrap_or_else(|_| Err(silent())) {
            Ok(()) => return Some(Ok(mailer.key().clone())),
            Err(error) => {
                let why = (Some(mailer.key().clone()), error);
                // What may be taken later outweighs what never will be.
                refused = match refused {
                    Some(kept) if why.1.permanent || !kept.1.permanent => Some(kept),
                    _ => Some(why),
                };
            }
        }
    }
    let none = || Refused { permanent: false, code: None, words: "no carrier sends mail".into() };
    Some(Err(refused.unwrap_or_else(|| (None, none()))))
}

/// The carriers that send mail: those of `[carriers] mail` first, then the others by their names.
fn in_turn(app: &App) -> Vec<Arc<dyn Mailer>> {
    let config = app.config.load();
    let place = |mailer: &Arc<dyn Mailer>| {
        config.carriers.mail.iter().position(|key| key == mailer.key()).unwrap_or(usize::MAX)
    };
    let mut all: Vec<Arc<dyn Mailer>> = app.mailers.iter().cloned().collect();
    all.sort_by_key(place);
    all
}

fn silent() -> Refused {
    Refused { permanent: false, code: None, words: "the mail server did not answer in time".into() }
}

/// The last word on a claim, if it still holds.
async fn finish(app: &App, claimed: &Mail, outcome: &Outcome) -> sqlx::Result<()> {
    let now = app.clock.now();
    let mut mail = claimed.clone();
    settle(&mut mail, outcome, now);
    let mut tx = app.db.begin().await?;
    let kept = store::save(&mut tx, &mail).await?;
    tx.commit().await?;
    if !kept {
        tracing::warn!(mail = %mail.id, "the lease of a mail was lost; it may be sent a second time");
        return Ok(());
    }
    tell(&mail);
    app.bell.ring();
    Ok(())
}

/// What becomes of a mail that was tried. Every mail is tried at least once, however late.
fn settle(mail: &mut Mail, outcome: &Outcome, now: Time) {
    match outcome {
        Ok(carrier) => {
            mail.stage = MailStage::Sent;
            (mail.carrier, mail.code, mail.reason) = (Some(carrier.clone()), None, None);
        }
        Err((carrier, refused)) => {
            (mail.carrier, mail.code) = (carrier.clone(), refused.code);
            mail.reason = Some(refused.words.clone());
            let again = now + draft::backoff(mail.tries);
            if !refused.permanent && again < mail.expires_at {
                mail.wake_at = Some(again);
                return;
            }
            mail.stage = MailStage::GivenUp;
        }
    }
    mail.wake_at = None;
    mail.ended_at = Some(now);
}

fn tell(mail: &Mail) {
    let (carrier, reason) = (mail.carrier.as_ref().map(ToString::to_string), mail.reason.as_deref());
    let outcome = match mail.stage {
        MailStage::Sent => "sent",
        MailStage::Waiting => "put_off",
        MailStage::GivenUp => "given_up",
    };
    metrics::counter!("ringdown_mails_total", "outcome" => outcome).increment(1);
    match mail.stage {
        MailStage::Waiting => {
            tracing::warn!(mail = %mail.id, carrier, code = mail.code, reason, tries = mail.tries, "a mail has to wait")
        }
        MailStage::GivenUp => {
            tracing::error!(mail = %mail.id, incident = %mail.incident, carrier, code = mail.code, reason,
                "a mail was given up")
        }
        MailStage::Sent => tracing::info!(mail = %mail.id, carrier, "a mail was taken"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn refusal(permanent: bool) -> Outcome {
        Err((Some("office".into()), Refused { permanent, code: Some(451), words: "come back later".into() }))
    }

    #[test]
    fn a_mail_that_nobody_takes_is_tried_for_a_day_with_longer_and_longer_waits() {
        let start = at("2026-11-02T12:00:00Z");
        let mut mail = super::super::tests::mail(start);
        let (mut now, mut waits) = (start, Vec::new());
        while mail.stage == MailStage::Waiting {
            mail.tries += 1;
            settle(&mut mail, &refusal(false), now);
            if let Some(wake) = mail.wake_at {
                waits.push((wake - now).num_minutes());
                now = wake;
            }
        }
        assert_eq!(waits, [1, 5, 15, 60, 120, 240, 240, 240, 240, 240]);
        assert_eq!((mail.stage, mail.code, mail.ended_at), (MailStage::GivenUp, Some(451), Some(now)));
        assert!(now < start + TimeDelta::days(1));
    }

    #[test]
    fn a_mail_that_no_server_will_ever_take_is_given_up_at_once() {
        let now = at("2026-11-02T12:00:00Z");
        let mut mail = super::super::tests::mail(now);
        mail.tries = 1;
        settle(&mut mail, &refusal(true), now);
        assert_eq!((mail.stage, mail.wake_at), (MailStage::GivenUp, None));
    }

    #[test]
    fn after_an_outage_of_our_own_a_mail_is_still_tried_once() {
        let start = at("2026-11-02T12:00:00Z");
        let mut mail = super::super::tests::mail(start);
        mail.tries = 1;
        settle(&mut mail, &Ok("office".into()), start + TimeDelta::days(3));
        assert_eq!((mail.stage, mail.reason), (MailStage::Sent, None));
    }
}
