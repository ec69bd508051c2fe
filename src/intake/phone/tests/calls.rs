//! Calls with a database behind them: what is kept, and that nothing is done twice.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::*;
use crate::{
    carrier::{Receipt, Recording, Status, Turn},
    clock::{Clock, ManualHand},
    customer::pin,
    incident::{Actor, Incident, Phase, door::Door, store as incidents},
    intake::phone::{shell, store},
    people::Channel,
    server::bell::Bell,
    store::Db,
};

struct World {
    door: Door,
    hand: ManualHand,
    _folder: tempfile::TempDir,
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&format!("sqlite:{}", folder.path().join("db").display())).await.unwrap();
    let (clock, hand) = Clock::manual(at("2026-11-05T14:02:00Z"));
    let mut config = config();
    config.customers.get_mut("acme").unwrap().pin_hash = Some(pin::hash(PIN).unwrap());
    let config = Arc::new(ArcSwap::from_pointee(config));
    World {
        door: Door { db, clock, bell: Bell::default(), config, mail_domain: None, links: None },
        hand,
        _folder: folder,
    }
}

/// A carrier's view of one call: where it goes on is all it knows.
struct Phone<'a> {
    world: &'a World,
    turn: Turn,
    heard: Document,
}

impl World {
    async fn dial<'a>(&'a self, sid: &str, from: &str) -> Phone<'a> {
        let turn = Turn {
            carrier: "main".into(),
            path: "voice".into(),
            call_sid: sid.into(),
            from: from.into(),
            to: "+18885550100".into(),
            ..Turn::default()
        };
        let heard = shell::turn(&self.door, turn.clone()).await.unwrap();
        Phone { world: self, turn, heard }
    }

    async fn end(&self, sid: &str) {
        let receipt = Receipt {
            carrier: "main".into(),
            attempt: None,
            sid: sid.into(),
            channel: Channel::Voice,
            status: Some(Status::Completed),
            answered_by: None,
            error_code: None,
            seconds: Some(9),
        };
        shell::call_ended(&self.door, receipt).await.unwrap();
    }

    async fn call(&self, sid: &str) -> CallRecord {
        let mut tx = self.door.db.read().await.unwrap();
        store::peek(&mut tx, "main", sid).await.unwrap().unwrap()
    }

    async fn incidents(&self) -> Vec<Incident> {
        let mut tx = self.door.db.read().await.unwrap();
        let filter = incidents::Filter { limit: 100, ..Default::default() };
        incidents::list(&mut tx, &filter).await.unwrap()
    }

    async fn incident_of(&self, sid: &str) -> Incident {
        let id = self.call(sid).await.incident.unwrap();
        let mut tx = self.door.db.read().await.unwrap();
        incidents::load(&mut tx, &id).await.unwrap().unwrap()
    }
}

impl Phone<'_> {
    /// Presses keys; the carrier asks twice, and is told the same twice.
    async fn press(mut self, keys: &str) -> Self {
        self.turn.digits = Some(keys.into());
        self.go_on().await
    }

    async fn say(mut self, recording: &str) -> Self {
        self.turn.recording_url = Some(format!("https://recordings.test/{recording}"));
        self.go_on().await
    }

    async fn go_on(mut self) -> Self {
        (self.turn.path, self.turn.query) = crate::carrier::Action(action(&self.heard).unwrap()).split();
        self.heard = shell::turn(&self.world.door, self.turn.clone()).await.unwrap();
        let again = shell::turn(&self.world.door, self.turn.clone()).await.unwrap();
        assert_eq!(self.heard, again);
        (self.turn.digits, self.turn.recording_url) = (None, None);
        self
    }

    fn words(&self) -> String {
        self.heard.words()
    }
}

#[tokio::test]
async fn a_call_opens_one_incident_though_every_turn_comes_twice() {
    let world = world().await;
    let phone = world.dial("CA1", ACME).await;
    assert_eq!(world.call("CA1").await.incident, None);
    let phone = phone.press("1").await;
    let incident = world.incident_of("CA1").await;
    assert_eq!((incident.priority, incident.phase), (Priority::P1, Phase::Open));
    assert_eq!(incident.contact.number.as_deref(), Some(ACME));
    assert!(phone.words().contains(&super::super::phrases::spaced(&incident.reference)));

    let phone = phone.press("1").await.say("name").await.say("words").await;
    assert!(phone.words().contains("An engineer will call you back by 14:32, London time."), "{}", phone.words());
    let told = world.incident_of("CA1").await;
    assert!(
        told.detail.contains("https://recordings.test/name") && told.detail.contains("https://recordings.test/words")
    );
    world.end("CA1").await;
    world.end("CA1").await;
    assert_eq!(world.incidents().await.len(), 1);
    assert_eq!(world.incident_of("CA1").await.seq, told.seq);
    assert!(world.call("CA1").await.ended_at.is_some());
}

#[tokio::test]
async fn the_words_of_a_recording_come_later_and_only_once() {
    let world = world().await;
    world.dial("CA1", ACME).await.press("1").await.press("1").await.say("name").await.say("words").await;
    let heard = |n: &str, text: &str| Recording {
        carrier: "main".into(),
        call_sid: "CA1".into(),
        query: vec![("n".into(), n.into())],
        url: None,
        transcript: Some(text.into()),
    };
    shell::recording(&world.door, heard("2", "Ann Example")).await.unwrap();
    shell::recording(&world.door, heard("3", &"The shop is down. ".repeat(1000))).await.unwrap();
    let incident = world.incident_of("CA1").await;
    assert_eq!(incident.contact.name.as_deref(), Some("Ann Example"));
    assert!(incident.title.starts_with("The shop is down.") && incident.title.chars().count() <= 80);
    assert!(incident.detail.chars().count() < 5_000);
    shell::recording(&world.door, heard("2", "Ann Example")).await.unwrap();
    assert_eq!(world.incident_of("CA1").await.seq, incident.seq);
}

#[tokio::test]
async fn a_call_that_ends_before_the_priority_leaves_a_p1_once() {
    let world = world().await;
    let phone = world.dial("CA1", STRANGER).await;
    world.end("CA1").await;
    world.end("CA1").await;
    let incident = world.incident_of("CA1").await;
    assert_eq!(
        (incident.priority, incident.title.as_str()),
        (Priority::P1, "Caller hung up before telling the priority")
    );
    assert_eq!(incident.contact.number.as_deref(), Some(STRANGER));
    // A turn that was on its way when the call ended.
    phone.press("").await;
    assert_eq!(world.incidents().await.len(), 1);
    world.end("CA-of-somebody-else").await;
}

#[tokio::test]
async fn a_call_whose_end_was_never_told_is_swept_up() {
    let world = world().await;
    world.dial("CA1", "anonymous").await.press("").await;
    world.dial("CA2", ACME).await.press("3").await;
    world.hand.set(at("2026-11-05T14:11:59Z"));
    assert_eq!(shell::sweep(&world.door).await.unwrap(), 0);
    world.hand.set(at("2026-11-05T14:12:01Z"));
    assert_eq!(shell::sweep(&world.door).await.unwrap(), 1);
    assert_eq!(shell::sweep(&world.door).await.unwrap(), 0);
    assert_eq!(world.incident_of("CA1").await.priority, Priority::P1);
    assert_eq!(world.incident_of("CA1").await.contact.number, None);
    assert_eq!(world.incident_of("CA2").await.priority, Priority::P3);
}

#[tokio::test]
async fn a_pin_identifies_and_too_many_wrong_ones_lock_it() {
    let world = world().await;
    let phone = world.dial("CA0", STRANGER).await.press("999999").await.press(&format!("{PIN}#")).await;
    assert!(phone.words().contains("You are calling for Acme"), "{}", phone.words());
    let call = world.call("CA0").await;
    assert_eq!((call.customer, call.verified), (Some("acme".into()), true));

    for sid in ["CA1", "CA2", "CA3"] {
        let phone = world.dial(sid, STRANGER).await.press("1111").await.press("2222").await.press("3333").await;
        assert!(phone.words().contains("We go on without a PIN."));
    }
    let locked = world.dial("CA4", STRANGER).await;
    assert!(locked.words().contains("press 1") && !locked.words().contains("PIN"), "{}", locked.words());
    let other = world.dial("CA5", "+12015550199").await;
    assert!(other.words().contains("PIN"));
    world.hand.set(at("2026-11-05T14:18:00Z"));
    assert!(world.dial("CA6", STRANGER).await.words().contains("PIN"));
}

#[tokio::test]
async fn a_caller_who_opened_too_many_is_added_to_the_open_one_but_two_hidden_ones_are_not() {
    let world = world().await;
    for sid in ["CA1", "CA2", "CA3", "CA4", "CA5"] {
        world.dial(sid, STRANGER).await.press("").await.press("2").await;
        world.dial(&format!("{sid}-hidden"), "anonymous").await.press("").await.press("2").await;
    }
    world.dial("CA6", STRANGER).await.press("").await.press("1").await;
    world.dial("CA6-hidden", "anonymous").await.press("").await.press("1").await;
    assert_eq!(world.incidents().await.len(), 11);
    let joined = world.incident_of("CA6").await;
    assert_eq!((joined.id, joined.priority), (world.incident_of("CA5").await.id, Priority::P1));
    world.hand.set(at("2026-11-05T14:18:00Z"));
    world.dial("CA7", STRANGER).await.press("").await.press("1").await;
    assert_eq!(world.incidents().await.len(), 12);
}

#[tokio::test]
async fn a_caller_about_an_incident_that_was_closed_just_then_opens_another() {
    let world = world().await;
    world.dial("CA1", ACME).await.press("2").await;
    let first = world.incident_of("CA1").await;
    let phone = world.dial("CA2", ACME).await;
    assert!(phone.words().contains("There is an open problem"), "{}", phone.words());
    let resolve = Command::Resolve { by: Actor::System, note: String::new() };
    world.door.execute(&first.id, resolve).await.unwrap();
    let phone = phone.press("1").await;
    let second = world.incident_of("CA2").await;
    assert_ne!(second.id, first.id);
    assert!(phone.words().contains(&super::super::phrases::spaced(&second.reference)));
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let world = world().await;
    for (name, sql) in store::STATEMENTS {
        let Db::Sqlite { read, .. } = &world.door.db else { unreachable!() };
        let explain = sqlx::query(sqlx::AssertSqlSafe(format!("explain {}", sql.sqlite)));
        explain.fetch_all(read).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(sql.sqlite.to_lowercase(), sql.sqlite, "{name}");
    }
}
