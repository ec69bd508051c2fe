//! The outbox, the pager and the answers, over a real database, with carriers that do as they are told.

mod answers;
mod losses;
mod outbox;
mod sending;

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::{Attempt, pager, store};
use crate::{
    carrier::{Accepted, Call, Carrier, Document, ErrorClass, InboundSms, Receipt, SendError, Sent, Sms, Status, Turn},
    clock::{ManualHand, Time},
    config::{Config, Team},
    escalation::{Level, Policy, Target},
    id::{AttemptId, CarrierKey, IncidentId},
    incident::{Command, Contact, Incident, Report, Source, store as incidents},
    people::{Channel, ContactMethod, E164, NotificationRule, Person},
    server::{App, settings::Settings},
    sla::{Cadence, Plan, Priority, Promise, Zone},
    span::Span,
};

/// Ben's mobile, which takes texts and calls, and his line at home.
const MOBILE: &str = "+12015550101";
const HOME: &str = "+12015550102";
/// Ada's mobile; she is Ben's lead.
const LEAD: &str = "+12015550103";

/// What a carrier was asked.
#[derive(Clone, Debug, PartialEq)]
enum Asked {
    Sms { attempt: AttemptId, to: String, body: String },
    Call { attempt: AttemptId, to: String, action: String },
    HangUp(String),
    LookUp(AttemptId),
    Check,
}

/// A carrier that answers as it was told, else accepts.
struct Scripted {
    key: CarrierKey,
    channels: Vec<Channel>,
    answers: Mutex<VecDeque<Result<(), ErrorClass>>>,
    found: Mutex<Option<Accepted>>,
    asked: Mutex<Vec<Asked>>,
    /// Held while a request must not be answered yet.
    gate: tokio::sync::Mutex<()>,
}

impl Scripted {
    fn new(key: &str) -> Arc<Scripted> {
        Arc::new(Scripted {
            key: key.into(),
            channels: vec![Channel::Sms, Channel::Voice],
            answers: Mutex::default(),
            found: Mutex::default(),
            asked: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
        })
    }

    fn will(&self, answers: impl IntoIterator<Item = Result<(), ErrorClass>>) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    fn calls(&self) -> Vec<(AttemptId, String)> {
        let calls = self.asked().into_iter().filter_map(|asked| match asked {
            Asked::Call { attempt, to, .. } => Some((attempt, to)),
            _ => None,
        });
        calls.collect()
    }

    fn texts(&self) -> Vec<(String, String)> {
        let texts = self.asked().into_iter().filter_map(|asked| match asked {
            Asked::Sms { to, body, .. } => Some((to, body)),
            _ => None,
        });
        texts.collect()
    }

    async fn answer(&self, asked: Asked) -> Result<Accepted, SendError> {
        let sid = {
            let mut all = self.asked.lock().unwrap();
            all.push(asked);
            format!("{}{}", self.key, all.len())
        };
        let answer = self.answers.lock().unwrap().pop_front();
        drop(self.gate.lock().await);
        match answer {
            None | Some(Ok(())) => Ok(Accepted { sid, status: Status::Queued }),
            Some(Err(class)) => Err(SendError { class, code: Some("1".into()), message: "as told".into() }),
        }
    }
}

impl Carrier for Scripted {
    fn key(&self) -> &CarrierKey {
        &self.key
    }

    fn can(&self, channel: Channel) -> bool {
        self.channels.contains(&channel)
    }

    fn send_sms<'a>(&'a self, sms: &'a Sms) -> BoxFuture<'a, Result<Accepted, SendError>> {
        let to = sms.to.as_str().to_owned();
        assert!(sms.validity >= TimeDelta::seconds(60));
        Box::pin(self.answer(Asked::Sms { attempt: sms.attempt.clone(), to, body: sms.body.clone() }))
    }

    fn place_call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Accepted, SendError>> {
        let (to, action) = (call.to.as_str().to_owned(), call.action.0.clone());
        Box::pin(self.answer(Asked::Call { attempt: call.attempt.clone(), to, action }))
    }

    fn hang_up<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Result<(), SendError>> {
        self.asked.lock().unwrap().push(Asked::HangUp(sid.into()));
        Box::pin(async { Ok(()) })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(async { self.answer(Asked::Check).await.map(drop) })
    }

    fn meaning(&self, error_code: &str) -> Option<ErrorClass> {
        (error_code == "off").then_some(ErrorClass::Transient { retry_after: Some(TimeDelta::minutes(5)) })
    }

    fn opted_out(&self, error_code: &str) -> bool {
        error_code == "stop"
    }

    fn look_up<'a>(&'a self, sent: &'a Sent) -> BoxFuture<'a, Result<Option<Accepted>, SendError>> {
        self.asked.lock().unwrap().push(Asked::LookUp(sent.attempt.clone()));
        Box::pin(async { Ok(self.found.lock().unwrap().clone()) })
    }
}

/// One process, with its own database and a clock that is moved by hand.
struct World {
    app: App,
    hand: ManualHand,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

const START: &str = "2026-11-02T12:00:00Z";

fn start() -> Time {
    START.parse().unwrap()
}

fn person(key: &str, name: &str, lines: &[(&str, &str, &[Channel])], rules: &[(Channel, &str, u32)]) -> Person {
    let method = |(name, address, channels): &(&str, &str, &[Channel])| ContactMethod {
        name: (*name).into(),
        address: E164::parse(address).unwrap(),
        channels: channels.to_vec(),
    };
    let rule = |(channel, method, after): &(Channel, &str, u32)| NotificationRule {
        channel: *channel,
        method: (*method).into(),
        after: Span::seconds(*after),
    };
    let rules: Vec<NotificationRule> = rules.iter().map(rule).collect();
    Person {
        role: crate::access::Role::Responder,
        key: key.into(),
        name: name.into(),
        zone: "Europe/Berlin".parse().unwrap(),
        language: "en-GB".into(),
        contact: lines.iter().map(method).collect(),
        rules: [(Priority::P1, rules.clone()), (Priority::P2, rules)].into(),
        mail: None,
    }
}

/// Ben is on call: a text and a call at once. After five minutes Ada, who is the last resort too.
fn config() -> Config {
    use Channel::*;
    let mut config = Config::default();
    let at_once = [(Sms, "mobile", 0), (Voice, "mobile", 0)];
    let ben = person("ben", "Ben", &[("mobile", MOBILE, &[Sms, Voice])], &at_once);
    let ada = person("ada", "Ada", &[("mobile", LEAD, &[Sms, Voice])], &at_once);
    config.people = [(ben.key.clone(), ben), (ada.key.clone(), ada)].into();
    let level = |name: &str, minutes, who: &str| Level {
        name: name.into(),
        after: Span::minutes(minutes),
        notify: vec![Target::Person(who.into())],
    };
    let policy = Policy {
        key: "standard".into(),
        levels: vec![level("on-call", 0, "ben"), level("lead", 5, "ada")],
        last_resort_after: Span::minutes(5),
        repeat: 0,
        ack_timeout: Span::minutes(60),
    };
    let team = Team {
        key: "payments".into(),
        name: "Payments".into(),
        zone: Zone::utc(),
        schedule: "payments".into(),
        lead: None,
        manager: None,
        executive: None,
        last_resort: vec!["ada".into()],
        policies: [(Priority::P1, policy.key.clone())].into(),
        mail: Vec::new(),
    };
    config.policies = [(policy.key.clone(), policy)].into();
    config.teams = [(team.key.clone(), team)].into();
    config
}

impl World {
    /// A process whose pager runs.
    async fn start(config: Config, carriers: &[Arc<Scripted>]) -> World {
        let world = World::still(config, carriers).await;
        world.run();
        world
    }

    /// A process whose pager does not run yet.
    async fn still(config: Config, carriers: &[Arc<Scripted>]) -> World {
        let carriers = carriers.iter().map(|carrier| carrier.clone() as Arc<dyn Carrier>).collect();
        let (app, hand, folder) = App::for_test(Settings::default(), START, config, carriers).await;
        World { app, hand, stop: CancellationToken::new(), _folder: folder }
    }

    fn run(&self) {
        tokio::spawn(pager::run(self.app.clone(), self.stop.clone()));
    }

    fn pass(&self, seconds: i64) {
        self.hand.set(self.hand.now() + TimeDelta::seconds(seconds));
    }

    /// Somebody reports a trouble; Ben is paged.
    async fn report(&self, id: &str, reference: &str, priority: Priority) -> IncidentId {
        let promise = Promise {
            title: "Business stopped".into(),
            response: Some(Span::minutes(30).into()),
            updates: Some(Cadence::every(Span::minutes(60), Span::minutes(15))),
            wakes: true,
            ..Promise::default()
        };
        let mut plan = Plan::empty("gold".into(), "Gold");
        plan.priorities = [(Priority::P1, promise.clone()), (Priority::P2, promise)].into();
        let report = Report {
            reference: reference.into(),
            source: Source::Api { by: "test".into() },
            priority,
            customer: None,
            customer_name: "Acme Bank".into(),
            zone: "America/New_York".parse().unwrap(),
            team: "payments".into(),
            plan,
            title: "checkout down".into(),
            detail: String::new(),
            contact: Contact { name: Some("Ann".into()), ..Contact::default() },
            not_before: None,
        };
        let id = IncidentId::from(id);
        self.app.door.execute(&id, Command::Report(Box::new(report))).await.unwrap();
        id
    }

    /// The same, with a number that the customer can be called on, and no text to it.
    async fn contact(&self, id: &IncidentId, number: &str) {
        let contact = Contact { name: Some("Ann".into()), number: Some(number.into()), mail: None };
        self.app.door.execute(id, Command::Amend { contact, title: None, detail: None }).await.unwrap();
    }

    async fn incident(&self, id: &IncidentId) -> Incident {
        let mut tx = self.app.db.read().await.unwrap();
        incidents::load(&mut tx, id).await.unwrap().unwrap()
    }

    /// Everything in the outbox for an incident, but texts to the customer.
    async fn attempts(&self, id: &IncidentId) -> Vec<Attempt> {
        let mut tx = self.app.db.read().await.unwrap();
        let mut all = store::of_incident(&mut tx, id).await.unwrap();
        all.retain(|attempt| attempt.is_page());
        all
    }

    async fn attempt(&self, id: &AttemptId) -> Attempt {
        let mut tx = self.app.db.read().await.unwrap();
        store::load(&mut tx, id).await.unwrap().unwrap()
    }

    /// Writes one row.
    async fn insert(&self, attempt: &Attempt) {
        let mut tx = self.app.db.begin().await.unwrap();
        store::insert(&mut tx, attempt).await.unwrap();
        store::save(&mut tx, attempt).await.unwrap();
        tx.commit().await.unwrap();
        self.app.bell.ring();
    }

    async fn receipt(&self, attempt: &Attempt, status: Status) {
        self.receipt_with(attempt, status, None).await;
    }

    async fn receipt_with(&self, attempt: &Attempt, status: Status, error_code: Option<&str>) {
        let receipt = Receipt {
            carrier: attempt.carrier.as_ref().map_or("c".into(), ToString::to_string),
            attempt: Some(attempt.id.clone()),
            sid: attempt.sid.clone().unwrap_or_else(|| "early".into()),
            channel: attempt.channel,
            status: Some(status),
            answered_by: None,
            error_code: error_code.map(Into::into),
            seconds: None,
        };
        super::receipt::record(&self.app, receipt).await.unwrap();
    }

    /// The line of an attempt's call asks what to say.
    async fn turn(&self, attempt: &Attempt, path: &str, n: u32, digits: Option<&str>) -> Document {
        let turn = Turn {
            carrier: "c".into(),
            path: path.into(),
            query: vec![("a".into(), attempt.id.to_string()), ("n".into(), n.to_string()), ("t".into(), n.to_string())],
            call_sid: attempt.sid.clone().unwrap_or_default(),
            digits: digits.map(Into::into),
            ..Turn::default()
        };
        super::call::turn(&self.app, turn).await.unwrap()
    }

    async fn write(&self, sid: &str, from: &str, body: &str) -> Option<String> {
        let sms = InboundSms {
            carrier: "c".into(),
            sid: sid.into(),
            from: from.into(),
            to: "+12015550190".into(),
            body: body.into(),
        };
        super::reply::receive(&self.app, sms).await.unwrap()
    }

    /// Ben's text and call for an incident, once a carrier took both.
    async fn both_sent(&self, id: &IncidentId) -> (Attempt, Attempt) {
        until("text and call are sent", async || {
            let all = self.attempts(id).await;
            let [text, call, ..] = all.as_slice() else { return None };
            (text.sid.is_some() && call.sid.is_some() && text.leased_by.is_none() && call.leased_by.is_none())
                .then(|| (text.clone(), call.clone()))
        })
        .await
    }
}

/// Waits for something to come about, at most ten seconds.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut check: impl FnMut() -> F) -> T {
    for _ in 0..1000 {
        if let Some(value) = check().await {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// Long enough for a pager that wrongly does something to have done it.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(250)).await;
}
