//! The database was restored from a backup, by a copy or by going back in a PostgreSQL's log: what it would send is of
//! then, and nobody knows what of it holds.

use chrono::TimeDelta;
use ringdown::{
    clock::Time,
    quarantine,
    server::settings::{CarrierSettings, SmtpSettings},
    store::Db,
};
use serde_json::{Value, json};

use crate::world::{mailserver::MailServer, *};

/// While the server is off: this database is as it was at `backup_at`.
async fn restored(world: &World, backup_at: Time) {
    let db = Db::open(world.database()).await.expect("the database");
    let mut tx = db.begin().await.expect("the database");
    quarantine::store::mark(&mut tx, backup_at, world.now()).await.expect("the database");
    tx.commit().await.expect("the database");
    db.close().await;
}

/// The server dies a minute after the report; the backup of that minute is put in place forty minutes later.
async fn went_back(world: &mut World) {
    world.minutes(1).await;
    let backup_at = world.now();
    world.stop().await;
    world.sleep_through(TimeDelta::minutes(40));
    restored(world, backup_at).await;
    world.start_again().await;
}

async fn quarantine(world: &World) -> Value {
    world.get("/api/v1/quarantine").await
}

async fn settle(world: &World, reference: &str, verdict: &str) -> Value {
    world.post(&format!("/api/v1/quarantine/{reference}"), json!({ "verdict": verdict })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn old_troubles_page_nobody_for_fifteen_minutes_and_then_they_do_while_new_ones_page_at_once() {
    let mut world = World::start().await;
    let old = world.report("P1").await;
    went_back(&mut world).await;
    let before = world.carrier.sent().len();
    let restored_at = world.now();

    // Its climbs are overdue: they are recorded, and page nobody yet.
    world.minutes(1).await;
    assert!(world.events(&old, "level_reached").await.len() > 1, "{}", world.timeline(&old).await);
    assert_eq!(world.carrier.sent().len(), before, "{}", world.dump().await);
    let listed = quarantine(&world).await;
    assert_eq!(listed["restored"]["unsettled"], 1, "{listed}");
    assert_eq!(listed["restored"]["pages_held"], true);
    assert_eq!(
        (&listed["items"][0]["reference"], &listed["items"][0]["title"]),
        (&json!(old), &json!("Card payments fail"))
    );
    assert!(listed["items"][0]["pages"].as_i64() > Some(0), "{listed}");
    let why = world.get(&format!("/api/v1/incidents/{old}/pages")).await.to_string();
    assert!(why.contains("held after a restore"), "{why}");
    assert_eq!(world.get("/api/v1/status").await["restored"]["unsettled"], 1);
    let figures = world.peek("/metrics").await.body.to_string();
    assert!(figures.contains("ringdown_quarantined_incidents 1"), "{figures}");

    // A new one is nobody's past.
    world.report("P1").await;
    world.seconds(2).await;
    let new = world.carrier.sent()[before..].to_vec();
    assert!(new.iter().any(|sent| sent.to == BEN && !sent.voice), "{new:?}");
    assert!(new.iter().any(|sent| sent.to == ACME), "the customer hears of the new one: {new:?}");

    // Nobody looked: better a page too many.
    world.minutes(15).await;
    let late = world.carrier.texts_to(CARLA);
    let of_old: Vec<_> = late.iter().filter(|text| text.body.contains(&old)).collect();
    assert!(!of_old.is_empty(), "{}", world.dump().await);
    assert!(of_old.iter().all(|text| text.at >= restored_at + TimeDelta::minutes(15)), "{of_old:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn old_words_to_a_customer_wait_for_a_person_who_releases_or_drops_them() {
    for (verdict, texts) in [("released", 1), ("dropped", 0)] {
        let mut world = World::start().await;
        world.carrier.die().await;
        let reference = world.report("P1").await;
        went_back(&mut world).await;
        world.carrier.come_back().await;
        world.minutes(30).await;
        assert!(world.carrier.texts_to(ACME).is_empty(), "{}", world.dump().await);
        assert!(!world.carrier.sent().is_empty(), "our own people are paged by now");
        let listed = quarantine(&world).await;
        assert_eq!(listed["items"][0]["texts"], 1, "{listed}");

        let settled = settle(&world, &reference, verdict).await;
        assert_eq!((&settled["verdict"], &settled["open"]), (&json!(verdict), &json!(true)));
        world.minutes(1).await;
        assert_eq!(world.carrier.texts_to(ACME).len(), texts, "{verdict}: {}", world.dump().await);
        assert_eq!(quarantine(&world).await["items"], json!([]));
        let again = world.try_post(&format!("/api/v1/quarantine/{reference}"), json!({ "verdict": verdict })).await;
        assert_eq!(again.status, 409, "{again:?}");
        world.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn released_pages_go_out_at_once_and_dropped_ones_never_but_an_open_incident_climbs_on() {
    let mut world = World::start().await;
    let reference = world.report("P1").await;
    went_back(&mut world).await;
    let before = world.carrier.sent().len();
    world.minutes(1).await;
    settle(&world, &reference, "released").await;
    world.seconds(2).await;
    assert!(world.carrier.sent().len() > before, "{}", world.dump().await);
    world.finish();

    let mut world = World::start().await;
    let reference = world.report("P1").await;
    went_back(&mut world).await;
    let before = world.carrier.sent().len();
    world.minutes(1).await;
    settle(&world, &reference, "dropped").await;
    world.seconds(2).await;
    assert_eq!(world.carrier.sent().len(), before, "{}", world.dump().await);
    world.minutes(6).await;
    assert!(world.carrier.sent().len() > before, "it is open: the next level is paged when it is due");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_does_about_an_old_incident_is_new_and_goes_out() {
    let mut world = World::start().await;
    let reference = world.report("P1").await;
    went_back(&mut world).await;
    let before = world.carrier.texts_to(ACME).len();
    assert_eq!(world.act(&reference, "acknowledge", "ben", json!({})).await.status, 200);
    let update = json!({ "text": "We were away ourselves and are back on it." });
    assert_eq!(world.act(&reference, "updates", "ben", update).await.status, 200);
    world.seconds(2).await;
    let texts = world.carrier.texts_to(ACME);
    assert_eq!(texts.len(), before + 1, "{}", world.dump().await);
    assert!(texts[before].body.contains("back on it"), "{texts:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_that_says_it_again_has_the_page_sent_before_the_fifteen_minutes_are_over() {
    let mut world = World::start().await;
    let event = json!({
        "routing_key": PAGERDUTY_KEY, "event_action": "trigger", "dedup_key": "db-1",
        "payload": { "summary": "The database is gone", "source": "x", "severity": "critical" },
    });
    assert_eq!(world.deliver("/v2/enqueue", event.clone()).await.status, 202);
    went_back(&mut world).await;
    let before = world.carrier.sent().len();
    world.minutes(1).await;
    assert_eq!(world.carrier.sent().len(), before);
    assert_eq!(world.deliver("/v2/enqueue", event).await.status, 202);
    world.minutes(1).await;
    assert!(world.carrier.sent().len() > before, "{}", world.dump().await);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_of_then_wait_for_a_person_too() {
    let mut server = MailServer::start(None);
    let mail = "last_resort = [\"kate\"]\nmail = [\"team@example.com\"]";
    let office = Office::default().edit("teams.toml", "last_resort = [\"kate\"]", mail);
    let smtp = SmtpSettings {
        url: format!("smtp://{}", server.address),
        username: None,
        password: None,
        from: "support@ringdown.example".into(),
        reply_to: None,
    };
    let mut world = World::posting(office, NIGHT, vec![("office".into(), CarrierSettings::Smtp(smtp))]).await;
    let reference = world.report("P1").await;
    server.down();
    world.mail(&reference, crate::mail::to_team("Of then")).await;
    went_back(&mut world).await;
    server.up();
    world.minutes(20).await;
    let of_then = |server: &MailServer| {
        let taken = server.taken();
        taken.iter().filter(|mail| mail.message().subject().is_some_and(|it| it.contains("Of then"))).count()
    };
    assert_eq!(of_then(&server), 0, "{}", world.dump().await);
    let settled = settle(&world, &reference, "released").await;
    assert!(settled["mails"].as_i64() > Some(0), "{settled}");
    world.eventually("the mail is taken", async |_| of_then(&server) == 1).await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_in_quarantine_where_nothing_was_restored() {
    let world = World::start().await;
    let reference = world.report("P1").await;
    let listed = quarantine(&world).await;
    assert_eq!((&listed["restored"], &listed["items"]), (&Value::Null, &json!([])));
    assert_eq!(world.get("/api/v1/status").await["restored"], Value::Null);
    let refused = world.try_post(&format!("/api/v1/quarantine/{reference}"), json!({ "verdict": "dropped" })).await;
    assert_eq!(refused.status, 409);
    world.finish();
}
