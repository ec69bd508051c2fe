//! The mail outbox and the postman, over a real database, with carriers that do as they are told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::{Audience, Letter, Mail, MailStage, Mailer, Refused, draft, postman, store};
use crate::{
    clock::{ManualHand, Time},
    config::{self, Config},
    id::{CarrierKey, IncidentId, MailId},
    incident::{
        Command, Contact, Effect, Incident, Report, Source,
        door::Door,
        effect::{self, Recipient},
    },
    people::MailAddress,
    server::{App, settings::Settings},
    sla::Priority,
};

const START: &str = "2026-11-02T12:00:00Z";

/// A mail that waits, about an incident that is in no database.
pub(super) fn mail(now: Time) -> Mail {
    Mail {
        id: "mai_1".into(),
        incident: "inc_1".into(),
        priority: Priority::P1,
        audience: Audience::Team,
        address: MailAddress::parse("ops@example.com").unwrap(),
        domain: "example.com".into(),
        subject: "[4821] x".into(),
        body: Some("x\n".into()),
        attachment: None,
        stage: MailStage::Waiting,
        carrier: None,
        code: None,
        reason: None,
        tries: 0,
        leased_by: None,
        wake_at: Some(now),
        created_at: now,
        ended_at: None,
        expires_at: now + TimeDelta::days(1),
    }
}

/// Answers as it was told, else takes what comes.
struct Scripted {
    key: CarrierKey,
    answers: Mutex<VecDeque<Result<(), Refused>>>,
    sent: Mutex<Vec<Letter>>,
    /// Held while a mail must not be answered yet.
    gate: tokio::sync::Mutex<()>,
}

impl Scripted {
    fn new(key: &str, answers: impl IntoIterator<Item = Result<(), Refused>>) -> Arc<Scripted> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Scripted { key: key.into(), answers, sent: Mutex::default(), gate: tokio::sync::Mutex::default() })
    }

    fn sent(&self) -> Vec<Letter> {
        self.sent.lock().unwrap().clone()
    }
}

impl Mailer for Scripted {
    fn key(&self) -> &CarrierKey {
        &self.key
    }

    fn domain(&self) -> &str {
        "pager.example.com"
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async {
            self.sent.lock().unwrap().push(letter.clone());
            let answer = self.answers.lock().unwrap().pop_front();
            drop(self.gate.lock().await);
            answer.unwrap_or(Ok(()))
        })
    }
}

fn refused(permanent: bool, code: u16) -> Result<(), Refused> {
    Err(Refused { permanent, code: Some(code), words: "as told".into() })
}

fn address(text: &str) -> MailAddress {
    MailAddress::parse(text).unwrap()
}

/// The example's people and customers, some with mail addresses.
fn furnished() -> Config {
    let folder = tempfile::tempdir().unwrap();
    config::write_example(folder.path()).unwrap();
    let (config, findings) = config::check(folder.path(), START.parse().unwrap());
    let mut config = config.unwrap_or_else(|| panic!("{findings:?}"));
    let acme = config.customers.get_mut("acme").unwrap();
    acme.mail = vec![address("ito@acme.example")];
    acme.subscribers = vec![address("b@acme.example"), address("a@acme.example"), address("b@acme.example")];
    config.teams.get_mut("payments").unwrap().mail = vec![address("team@example.com")];
    config.people.get_mut("carla").unwrap().mail = Some(address("carla@example.com"));
    config
}

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

impl World {
    async fn new(mailers: &[Arc<Scripted>]) -> World {
        let (app, hand, folder) = App::for_test(Settings::default(), START, furnished(), vec![]).await;
        let mailers = mailers.iter().map(|mailer| mailer.clone() as Arc<dyn Mailer>).collect();
        World { app: app.with_mailers(mailers), hand, stop: CancellationToken::new(), _folder: folder }
    }

    fn run(&self) {
        tokio::spawn(postman::run(self.app.clone(), self.stop.clone()));
    }

    async fn report(&self) -> Incident {
        let config = self.app.config.load_full();
        let acme = &config.customers["acme"];
        let report = Report {
            reference: "4821".into(),
            source: Source::Api { by: "test".into() },
            priority: Priority::P1,
            customer: Some(acme.key.clone()),
            customer_name: acme.name.clone(),
            zone: acme.zone.clone(),
            team: acme.team.clone(),
            plan: acme.plan.clone(),
            title: "Card payments fail".into(),
            detail: String::new(),
            contact: Contact::default(),
            not_before: None,
        };
        let id = IncidentId::from("inc_1");
        // What the core has to say of it is not what is tested here.
        let mute = Door { mail_domain: None, ..self.app.door.clone() };
        mute.execute(&id, Command::Report(Box::new(report))).await.unwrap()
    }

    /// What the door does with such an effect.
    async fn write(&self, incident: &Incident, to: Recipient) {
        let mail = effect::Mail { to, subject: "Card\r\npayments fail".into(), body: "Ü".into(), attachment: None };
        let (config, domain) = (self.app.config.load_full(), self.app.door.mail_domain.clone());
        let mut tx = self.app.db.begin().await.unwrap();
        let effects = [Effect::Mail(mail)];
        store::carry_out(&mut tx, incident, &effects, &config, domain.as_deref(), self.hand.now()).await.unwrap();
        tx.commit().await.unwrap();
        self.app.bell.ring();
    }

    async fn mails(&self) -> Vec<Mail> {
        let mut tx = self.app.db.read().await.unwrap();
        store::of_incident(&mut tx, &"inc_1".into(), 100).await.unwrap()
    }

    async fn until(&self, what: &str, mut holds: impl FnMut(&[Mail]) -> bool) -> Vec<Mail> {
        for _ in 0..1000 {
            let mails = self.mails().await;
            if holds(&mails) {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never: {what}: {:?}", self.mails().await);
    }
}

#[tokio::test]
async fn one_row_an_address_each_once() {
    let world = World::new(&[Scripted::new("office", [])]).await;
    let incident = world.report().await;
    for to in [Recipient::Customer, Recipient::Team, Recipient::Subscribers, Recipient::Person("carla".into())] {
        world.write(&incident, to).await;
    }
    // Without an address, without a row.
    world.write(&incident, Recipient::Person("ben".into())).await;
    let mut rows: Vec<_> =
        world.mails().await.iter().map(|mail| (mail.audience, mail.address.as_str().to_owned())).collect();
    rows.sort_by_key(|row| row.1.clone());
    let expected = [
        (Audience::Subscribers, "a@acme.example"),
        (Audience::Subscribers, "b@acme.example"),
        (Audience::Person, "carla@example.com"),
        (Audience::Customer, "ito@acme.example"),
        (Audience::Team, "team@example.com"),
    ];
    assert_eq!(rows, expected.map(|(audience, address)| (audience, address.to_owned())));
}

#[tokio::test]
async fn the_contact_is_written_to_rather_than_the_customers_address_and_nobody_twice() {
    let world = World::new(&[Scripted::new("office", [])]).await;
    let mut incident = world.report().await;
    incident.contact.mail = Some("a@acme.example".into());
    let words = |to| Effect::Mail(effect::Mail { to, subject: "x".into(), body: "Back.".into(), attachment: None });
    let effects = [words(Recipient::Subscribers), words(Recipient::Customer)];
    let config = world.app.config.load_full();
    let mut tx = world.app.db.begin().await.unwrap();
    store::carry_out(&mut tx, &incident, &effects, &config, Some("example.com"), world.hand.now()).await.unwrap();
    tx.commit().await.unwrap();
    let mails = world.mails().await;
    let addresses: Vec<&str> = mails.iter().map(|mail| mail.address.as_str()).collect();
    assert_eq!(addresses, ["a@acme.example", "b@acme.example"]);
    incident.contact.mail = Some("no address".into());
    let mail = effect::Mail { to: Recipient::Customer, subject: "x".into(), body: "x".into(), attachment: None };
    let rows = draft::mails(&incident, &mail, &config, "example.com", world.hand.now());
    assert_eq!(rows[0].address.as_str(), "ito@acme.example");
}

#[tokio::test]
async fn without_a_carrier_that_sends_mail_none_is_written() {
    let world = World::new(&[]).await;
    let incident = world.report().await;
    world.write(&incident, Recipient::Team).await;
    assert_eq!(world.mails().await, []);
}

#[tokio::test]
async fn a_mail_is_handed_over_with_clean_headers() {
    let office = Scripted::new("office", []);
    let world = World::new(std::slice::from_ref(&office)).await;
    let incident = world.report().await;
    world.run();
    world.write(&incident, Recipient::Team).await;
    let mails = world.until("sent", |mails| mails[0].stage == MailStage::Sent).await;
    assert_eq!((mails[0].carrier.as_ref().map(CarrierKey::as_str), mails[0].wake_at), (Some("office"), None));
    let sent = office.sent();
    let [letter] = sent.as_slice() else { panic!("not one") };
    assert_eq!(letter.subject, "[4821] Card payments fail");
    assert_eq!(letter.message_id, format!("<{}@pager.example.com>", mails[0].id));
    assert_eq!(letter.thread, "<inc_1@pager.example.com>");
    assert_eq!(letter.body, "Ü\n");
}

#[tokio::test]
async fn the_next_carrier_is_asked_before_a_mail_has_to_wait() {
    let (first, second) = (Scripted::new("a", [refused(false, 451)]), Scripted::new("b", []));
    let world = World::new(&[first.clone(), second.clone()]).await;
    let incident = world.report().await;
    world.run();
    world.write(&incident, Recipient::Team).await;
    let mails = world.until("sent", |mails| mails[0].stage == MailStage::Sent).await;
    assert_eq!((mails[0].carrier.as_ref().map(CarrierKey::as_str), mails[0].tries), (Some("b"), 1));
    assert_eq!((first.sent().len(), second.sent().len()), (1, 1));
    assert_eq!(first.sent()[0].message_id, second.sent()[0].message_id);
}

#[tokio::test]
async fn the_order_of_the_schedules_holds_over_that_of_the_names() {
    let (first, second) = (Scripted::new("a", []), Scripted::new("b", []));
    let world = World::new(&[first.clone(), second.clone()]).await;
    let mut config = Config::clone(&world.app.config.load());
    config.carriers.mail = vec!["b".into()];
    world.app.config.store(Arc::new(config));
    let incident = world.report().await;
    world.run();
    world.write(&incident, Recipient::Team).await;
    world.until("sent", |mails| mails[0].stage == MailStage::Sent).await;
    assert_eq!((first.sent().len(), second.sent().len()), (0, 1));
}

#[tokio::test]
async fn what_may_be_taken_later_outweighs_what_never_will_be() {
    let carriers = [
        Scripted::new("a", [refused(false, 451), refused(true, 550)]),
        Scripted::new("b", [refused(true, 550), refused(true, 550)]),
    ];
    let world = World::new(&carriers).await;
    let incident = world.report().await;
    world.run();
    world.write(&incident, Recipient::Team).await;
    let mails = world.until("put off", |mails| mails[0].code.is_some()).await;
    assert_eq!((mails[0].stage, mails[0].code), (MailStage::Waiting, Some(451)));
    assert_eq!(mails[0].wake_at, Some(world.hand.now() + TimeDelta::minutes(1)));
    world.hand.set(world.hand.now() + TimeDelta::minutes(1));
    let mails = world.until("given up", |mails| mails[0].stage == MailStage::GivenUp).await;
    assert_eq!((mails[0].code, mails[0].tries, mails[0].wake_at), (Some(550), 2, None));
}

#[tokio::test]
async fn a_claim_is_fenced_and_one_that_ran_out_is_sent_again_as_the_same_mail() {
    let office = Scripted::new("office", []);
    let world = World::new(std::slice::from_ref(&office)).await;
    let incident = world.report().await;
    world.write(&incident, Recipient::Team).await;
    // A node takes it and dies.
    let claim = |node| store::Claim { node, limit: 10, except: &[], lease: TimeDelta::minutes(5) };
    let mut tx = world.app.db.begin().await.unwrap();
    let dead = store::claim(&mut tx, claim("dead"), world.hand.now()).await.unwrap();
    assert_eq!(store::claim(&mut tx, claim("other"), world.hand.now()).await.unwrap(), []);
    tx.commit().await.unwrap();
    world.run();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(office.sent().len(), 0, "the lease holds");
    world.hand.set(world.hand.now() + TimeDelta::minutes(5));
    let mails = world.until("sent", |mails| mails[0].stage == MailStage::Sent).await;
    assert_eq!(office.sent()[0].message_id, format!("<{}@pager.example.com>", dead[0].id));
    // What the dead one has to say comes too late.
    let mut tx = world.app.db.begin().await.unwrap();
    assert!(!store::save(&mut tx, &Mail { stage: MailStage::GivenUp, ..dead[0].clone() }).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(world.mails().await, mails);
}

#[tokio::test]
async fn a_mail_in_hand_is_not_taken_twice_however_fast_the_clock_runs() {
    let office = Scripted::new("office", []);
    let world = World::new(std::slice::from_ref(&office)).await;
    let incident = world.report().await;
    let held = office.gate.lock().await;
    world.run();
    world.write(&incident, Recipient::Team).await;
    world.until("claimed", |mails| mails[0].leased_by.is_some()).await;
    world.hand.set(world.hand.now() + TimeDelta::hours(1));
    world.app.bell.ring();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(office.sent().len(), 1);
    drop(held);
    let mails = world.until("sent", |mails| mails[0].stage == MailStage::Sent).await;
    assert_eq!(mails[0].tries, 1);
}

#[tokio::test]
async fn after_a_while_the_text_of_a_mail_that_ended_is_forgotten_and_the_mail_is_not() {
    let office = Scripted::new("office", []);
    let world = World::new(std::slice::from_ref(&office)).await;
    let incident = world.report().await;
    world.run();
    world.write(&incident, Recipient::Team).await;
    world.until("sent", |mails| mails[0].stage == MailStage::Sent).await;
    world.hand.set(world.hand.now() + TimeDelta::hours(1));
    world.stop.cancel();
    // One that still waits keeps its text.
    world.write(&incident, Recipient::Customer).await;
    let mut tx = world.app.db.begin().await.unwrap();
    assert_eq!(store::forget(&mut tx, world.hand.now()).await.unwrap(), 1);
    assert_eq!(store::forget(&mut tx, world.hand.now()).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let mails = world.mails().await;
    assert_eq!((mails[0].body.as_deref(), mails[0].subject.as_str()), (None, "[4821] Card payments fail"));
    assert_eq!(mails[1].body.as_deref(), Some("Ü\n"));
}

#[tokio::test]
async fn leases_of_a_process_that_ended_are_over_at_boot() {
    let world = World::new(&[Scripted::new("office", [])]).await;
    let incident = world.report().await;
    world.write(&incident, Recipient::Team).await;
    let now = world.hand.now();
    let mut tx = world.app.db.begin().await.unwrap();
    let claim = store::Claim { node: "dead", limit: 10, except: &[], lease: TimeDelta::minutes(5) };
    let claimed = store::claim(&mut tx, claim, now).await.unwrap();
    assert_eq!(store::next_wake(&mut tx, &[]).await.unwrap(), (Some(now + TimeDelta::minutes(5)), 1));
    assert_eq!(store::release(&mut tx, now).await.unwrap(), 1);
    assert_eq!(store::next_wake(&mut tx, &[]).await.unwrap(), (Some(now), 1));
    let except: Vec<MailId> = claimed.iter().map(|mail| mail.id.clone()).collect();
    assert_eq!(store::next_wake(&mut tx, &except).await.unwrap(), (None, 1));
    let loaded = store::load(&mut tx, &claimed[0].id).await.unwrap().unwrap();
    assert_eq!((loaded.leased_by, loaded.tries), (None, 1));
}

#[tokio::test]
async fn an_attachment_goes_with_the_mail_until_it_is_forgotten() {
    let office = Scripted::new("office", []);
    let world = World::new(std::slice::from_ref(&office)).await;
    let incident = world.report().await;
    let attachment = Some(effect::Attachment { name: "../rca 4821.md".into(), text: "# Cause\r\n".into() });
    let mail = effect::Mail { to: Recipient::Team, subject: "RCA".into(), body: "Attached.".into(), attachment };
    let rows = draft::mails(&incident, &mail, &world.app.config.load(), "example.com", world.hand.now());
    let mut tx = world.app.db.begin().await.unwrap();
    store::insert(&mut tx, &rows[0]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.mails().await, rows);
    world.run();
    world.until("sent", |mails| mails[0].stage == MailStage::Sent).await;
    assert_eq!(office.sent()[0].attachment, Some(("rca-4821.md".into(), "# Cause\n".into())));
}
