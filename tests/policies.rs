//! The five support policies that Ringdown ships, each lived through from the report to the last promise.

use chrono::TimeDelta;
use ringdown::{
    clock::Time,
    incident::ledger::{
        canonical,
        reckon::Reckoning,
        signature::Published,
        verify::{Verified, verify},
    },
    server::settings::{CarrierSettings, SmtpSettings},
};
use serde_json::{Value, json};

use crate::world::{mailserver::MailServer, *};

/// A Thursday in November, 09:00 in Chicago, a week before Thanksgiving.
const THURSDAY: &str = "2026-11-19T15:00:00Z";

fn time(text: &str) -> Time {
    text.parse().expect("an instant")
}

fn at(value: &Value) -> Time {
    time(&text(value))
}

fn attested() -> Value {
    json!({ "evidence": { "kind": "attested", "note": "spoke with Ms Ito" } })
}

/// The export proves itself, verdicts and all.
async fn proven(world: &World, reference: &str) -> Reckoning {
    let export = world.get(&format!("/api/v1/incidents/{reference}/export")).await;
    let key = Published::read(&world.peek("/.well-known/ringdown-ledger-key").await.body.to_string()).expect("a key");
    let file = canonical::text(&export).expect("canonical") + "\n";
    let Verified { findings, incident, .. } = verify(file.as_bytes(), Some(&key));
    assert_eq!(findings, []);
    incident.expect("the incident").1
}

async fn report(world: &World, body: Value) -> Answer {
    let mut report = json!({
        "customer": "acme", "title": "Card payments fail", "contact": { "name": "Ms Ito", "number": ACME },
    });
    report.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    world.try_post("/api/v1/incidents", report).await
}

async fn reported(world: &World, body: Value) -> String {
    let answer = report(world, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    text(&answer.body["reference"])
}

async fn ok(world: &World, reference: &str, what: &str, person: &str, body: Value) -> Value {
    let answer = world.act(reference, what, person, body).await;
    assert_eq!(answer.status, 200, "{what}: {answer:?}");
    answer.body
}

/// Whom a page reached first at or after an instant.
fn reached_from(world: &World, from: Time) -> Vec<String> {
    let ours = |sent: &Sent| sent.at >= from && sent.to != ACME;
    let mut reached: Vec<String> = Vec::new();
    for sent in world.carrier.sent().into_iter().filter(ours) {
        if !reached.contains(&sent.to) {
            reached.push(sent.to);
        }
    }
    reached
}

#[tokio::test(flavor = "multi_thread")]
async fn synchronet_click_hourly_updates_ruled_out_called_back_and_an_analysis_that_is_late() {
    let world = World::open(Office::default().on_plan("synchronet-click"), THURSDAY).await;
    let start = world.now();
    let mut caller = world.dial(ACME).await;
    for key in ["1", "1"] {
        caller.press(key).await;
    }
    caller.says("Keiko Ito").await;
    caller.says("No card payment goes through.").await;
    assert!(caller.hears().contains("An engineer will call you back by 10:30"), "{}", caller.hears());
    caller.hang_up().await;
    world.settle().await;
    let reference = text(&world.the_incident().await["reference"]);
    ok(&world, &reference, "acknowledge", "ben", json!({})).await;
    world.minutes(10).await;
    ok(&world, &reference, "response", "ben", attested()).await;

    // Three hours kept, the fourth missed: it climbs.
    for hour in 0..3 {
        world.minutes(if hour == 0 { 20 } else { 55 }).await;
        ok(&world, &reference, "updates", "ben", json!({ "text": format!("Hour {hour}: we work on it.") })).await;
    }
    world.minutes(50).await;
    let note = json!({ "text": "Certificates next.", "customer_visible": false });
    ok(&world, &reference, "updates", "ben", note).await;
    world.advance(start + TimeDelta::minutes(241) - world.now()).await;
    assert_eq!(world.events(&reference, "update_missed").await.len(), 1);
    assert_eq!(
        world.carrier.texts_to(CARLA)[0].at,
        start + TimeDelta::hours(4),
        "{}",
        world.timeline(&reference).await
    );
    ok(&world, &reference, "acknowledge", "carla", json!({})).await;

    // The storage of the cloud had a hand in it; our part did not.
    let noted = json!({ "service": "Amazon S3", "text": "Slow in one region, says their status page." });
    ok(&world, &reference, "upstream", "carla", noted).await;
    ok(&world, &reference, "rule-out", "carla", json!({ "note": "Our side answers; their proxy does not." })).await;
    let ruled_out = world.now();
    world.advance(TimeDelta::hours(5)).await;
    assert_eq!(world.events(&reference, "update_missed").await.len(), 1, "nothing is promised meanwhile");

    // The customer calls again: worse.
    let mut caller = world.dial(ACME).await;
    caller.press("2").await;
    caller.hang_up().await;
    world.settle().await;
    let incident = world.incident(&reference).await;
    assert!(incident["ruled_out"].is_null(), "{}", world.timeline(&reference).await);
    assert_eq!(at(&incident["response"]["due"]), world.now() + TimeDelta::minutes(30));
    assert_eq!(reached_from(&world, ruled_out + TimeDelta::minutes(1)), [BEN]);
    ok(&world, &reference, "acknowledge", "ben", json!({})).await;
    ok(&world, &reference, "response", "ben", attested()).await;
    ok(&world, &reference, "updates", "ben", json!({ "text": "It was the new certificate after all." })).await;
    ok(&world, &reference, "resolve", "ben", json!({ "note": "Certificate replaced." })).await;

    // A draft within 72 hours of weekdays: Tuesday. Nobody writes it, and the ladder is climbed.
    let resolved = world.now();
    assert_eq!(resolved, time("2026-11-20T00:01:00Z"));
    let incident = world.incident(&reference).await;
    assert_eq!(at(&incident["rca"]["draft"]["due"]), time("2026-11-25T00:01:00Z"));
    assert_eq!(at(&incident["rca"]["final"]["due"]), time("2026-11-26T23:00:00Z"));
    let draft = world.get(&format!("/api/v1/incidents/{reference}/rca")).await;
    assert!(text(&draft["markdown"]).contains("Certificate replaced."), "{draft}");
    // The lead answers the call about it, though the incident is over.
    world.carrier.phone(CARLA, presses('4'), Texts::Delivered);
    world.advance(time("2026-11-25T00:07:00Z") - world.now()).await;
    assert_eq!(world.events(&reference, "rca_missed").await.len(), 1);
    assert_eq!(reached_from(&world, time("2026-11-25T00:00:00Z")), [BEN, CARLA]);
    assert_eq!(world.holder(&reference).await.as_deref(), Some("carla"), "{}", world.timeline(&reference).await);
    let page = text(&draft["markdown"]);
    ok(&world, &reference, "rca", "carla", json!({ "stage": "draft", "text": page })).await;
    ok(&world, &reference, "rca", "carla", json!({ "stage": "final", "text": page })).await;
    world.advance(TimeDelta::days(10)).await;
    let incident = world.incident(&reference).await;
    assert!(incident["next_action"].is_null(), "{incident}");
    assert_eq!(
        (&incident["rca"]["draft"]["missed"], &incident["rca"]["final"]["missed"]),
        (&json!(true), &json!(false))
    );
    proven(&world, &reference).await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn synchronet_click_wants_a_first_priority_by_phone_and_knows_it_by_its_impact() {
    let world = World::open(Office::default().on_plan("synchronet-click"), THURSDAY).await;
    let first = reported(&world, json!({ "impact_percent": 40 })).await;
    assert_eq!(world.incident(&first).await["priority"], "P1");
    assert_eq!(world.events(&first, "terms_unmet").await.len(), 1);
    assert_eq!(world.carrier.texts_to(BEN).len(), 1, "it pages all the same");
    let second = reported(&world, json!({ "impact_percent": 20 })).await;
    assert_eq!(world.incident(&second).await["priority"], "P2");
    let third = reported(&world, json!({ "impact_percent": 2 })).await;
    assert_eq!(world.incident(&third).await["priority"], "P3");
    assert_eq!(report(&world, json!({ "impact_percent": 0 })).await.status, 422);
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn priority_matrix_scheduled_work_begins_when_the_customer_wants_it() {
    let world = World::open(Office::default().on_plan("priority-matrix"), THURSDAY).await;
    let fifth = reported(&world, json!({ "priority": "P5" })).await;
    assert_eq!(at(&world.incident(&fifth).await["response"]["due"]), time("2026-11-26T15:00:00Z"));
    ok(&world, &fifth, "cancel", "ines", json!({ "reason": "tried out" })).await;

    // Wanted on a Saturday: the working day after it is meant.
    let reference = reported(&world, json!({ "priority": "P6", "not_before": "2026-11-28T12:00:00Z" })).await;
    let incident = world.incident(&reference).await;
    assert_eq!(at(&incident["begins_at"]), time("2026-11-30T14:00:00Z"));
    assert_eq!(at(&incident["response"]["due"]), time("2026-11-30T22:00:00Z"));
    assert!(reached_from(&world, world.now()).is_empty());
    world.advance(time("2026-11-30T14:00:00Z") - world.now()).await;
    assert_eq!(reached_from(&world, time("2026-11-20T00:00:00Z")), [BEN]);
    ok(&world, &reference, "acknowledge", "ben", json!({})).await;
    ok(&world, &reference, "response", "ben", attested()).await;
    ok(&world, &reference, "resolve", "ben", json!({})).await;
    proven(&world, &reference).await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn tiered_support_standard_waits_for_the_next_business_day() {
    // Thanksgiving, 10:00 in Chicago.
    let world = World::open(Office::default().on_plan("tiered-support:standard"), "2026-11-26T16:00:00Z").await;
    let reference = reported(&world, json!({ "priority": "P1" })).await;
    let incident = world.incident(&reference).await;
    assert_eq!(at(&incident["begins_at"]), time("2026-11-27T14:00:00Z"));
    assert_eq!(at(&incident["response"]["due"]), time("2026-11-27T23:00:00Z"));
    world.advance(time("2026-11-27T13:59:00Z") - world.now()).await;
    assert!(reached_from(&world, time("2026-11-26T00:00:00Z")).is_empty());
    world.minutes(1).await;
    assert_eq!(reached_from(&world, time("2026-11-26T00:00:00Z")), [BEN]);

    // Standard offers nobody higher: whoever has it is told.
    ok(&world, &reference, "acknowledge", "ben", json!({})).await;
    world.post(&format!("/api/v1/incidents/{reference}/customer-escalation"), json!({ "why": "too slow" })).await;
    assert!(world.carrier.texts_to(CARLA).is_empty(), "{}", world.timeline(&reference).await);
    assert!(world.timeline(&reference).await.contains("the plan offers nobody higher"));
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn tiered_support_enterprise_customers_ask_for_the_lead_the_manager_and_the_executive() {
    let world = World::open(Office::default().on_plan("tiered-support:enterprise"), "2026-11-26T05:00:00Z").await;
    let start = world.now();
    let reference = reported(&world, json!({ "priority": "P3" })).await;
    assert_eq!(at(&world.incident(&reference).await["response"]["due"]), start + TimeDelta::minutes(30));
    ok(&world, &reference, "acknowledge", "ben", json!({})).await;
    for (minute, who, number) in [(1, "carla", CARLA), (2, "ines", INES), (3, "jonas", JONAS)] {
        world.minutes(1).await;
        let path = format!("/api/v1/incidents/{reference}/customer-escalation");
        world.post(&path, json!({ "why": "not satisfied" })).await;
        assert_eq!(world.carrier.texts_to(number)[0].at, start + TimeDelta::minutes(minute), "{who}");
        ok(&world, &reference, "acknowledge", who, json!({})).await;
    }
    // And the promise that is missed climbs for the low priority too.
    world.minutes(31).await;
    assert_eq!(world.events(&reference, "response_missed").await.len(), 1);
    assert!(!world.carrier.texts_to(KATE).is_empty(), "{}", world.timeline(&reference).await);
    proven(&world, &reference).await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncro_soft_night_messages_become_mail_and_two_questions_without_an_answer_close_it() {
    let server = MailServer::start(None);
    let smtp = CarrierSettings::Smtp(SmtpSettings {
        url: format!("smtp://{}", server.address),
        username: None,
        password: None,
        from: "Support <support@ringdown.example>".into(),
        reply_to: None,
    });
    let office = Office::default().on_plan("syncro-soft").edit(
        "teams.toml",
        "last_resort = [\"kate\"]",
        "last_resort = [\"kate\"]\nmail = [\"team@example.com\"]",
    );
    // The evening before Orthodox Good Friday in Bucharest, 20:00.
    let world = World::posting(office, "2026-04-09T17:00:00Z", vec![("office".into(), smtp)]).await;
    let mut caller = world.dial(ACME).await;
    caller.press("1").await;
    caller.hang_up().await;
    world.settle().await;
    let incident = world.the_incident().await;
    let reference = text(&incident["reference"]);
    // Friday to Monday are holidays and a weekend: four hours from Tuesday, 09:00.
    assert_eq!(at(&incident["begins_at"]), time("2026-04-14T06:00:00Z"), "{incident}");
    assert_eq!(at(&incident["response"]["due"]), time("2026-04-14T10:00:00Z"));
    assert!(reached_from(&world, world.now()).is_empty(), "nobody is woken");
    let mails: Vec<_> = server.taken().into_iter().filter(|mail| mail.to == ["team@example.com"]).collect();
    let body = mails.first().expect("a mail to the team").message().body_text(0).expect("a text").into_owned();
    assert!(body.contains(&reference) && !body.contains(ACME), "personal data stays at home: {body}");

    world.advance(time("2026-04-14T06:00:00Z") - world.now()).await;
    assert_eq!(reached_from(&world, time("2026-04-09T00:00:00Z")), [BEN]);
    ok(&world, &reference, "acknowledge", "ben", json!({})).await;
    ok(&world, &reference, "response", "ben", attested()).await;
    ok(&world, &reference, "wait", "ben", json!({ "reason": "Which version is it?" })).await;
    // Tuesday 09:00, two working days, five working days.
    world.advance(time("2026-04-15T14:00:00Z") - world.now()).await;
    assert_eq!(world.events(&reference, "customer_asked").await.len(), 1);
    let closes = time("2026-04-22T14:00:00Z");
    assert_eq!(at(&world.incident(&reference).await["waiting"]["closes_at"]), closes);
    world.advance(closes - world.now()).await;
    assert_eq!(world.incident(&reference).await["phase"], "idle");
    world.post(&format!("/api/v1/incidents/{reference}/reply"), json!({ "text": "27.1" })).await;
    let incident = world.incident(&reference).await;
    assert_eq!(incident["phase"], "open");
    assert!(world.timeline(&reference).await.contains("Which version is it?"), "its history is intact");
    proven(&world, &reference).await;
    world.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhelp_closes_after_ten_silent_days_and_any_reply_opens_it() {
    let office = Office::default().on_plan("clickhelp:growth").edit(
        "customers.toml",
        "team = \"payments\"",
        "team = \"payments\"\nadministrators = [\"admin@acme.example\"]",
    );
    // A Friday, 22:00 UTC.
    let world = World::open(office, "2026-11-20T22:00:00Z").await;
    let change = |mail: &str| {
        json!({ "priority": "P2", "kind": "configuration_change",
            "contact": { "name": "Ms Ito", "number": ACME, "mail": mail } })
    };
    let refused = report(&world, change("ito@acme.example")).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["pointer"]), (422, &json!("/contact/mail")), "{refused:?}");
    let reference = reported(&world, change("admin@acme.example")).await;
    // Two hours of Friday, then Monday and ten hours of Tuesday.
    assert_eq!(at(&world.incident(&reference).await["response"]["due"]), time("2026-11-24T10:00:00Z"));
    ok(&world, &reference, "response", "ben", attested()).await;
    ok(&world, &reference, "call-link", "ben", json!({})).await;
    assert!(world.carrier.texts_to(ACME).iter().any(|sent| sent.body.contains("https://")));

    let asked = world.now();
    ok(&world, &reference, "wait", "ben", json!({ "reason": "What shall it be called?" })).await;
    world.advance(TimeDelta::days(10) - TimeDelta::minutes(1)).await;
    assert_eq!(world.events(&reference, "idle_warned").await.len(), 1);
    assert_eq!(world.incident(&reference).await["phase"], "open");
    world.minutes(1).await;
    assert_eq!(world.incident(&reference).await["phase"], "idle");
    let closed = &world.events(&reference, "closed_idle").await[0];
    assert_eq!(at(&closed["due"]), asked + TimeDelta::days(10));
    world.post(&format!("/api/v1/incidents/{reference}/reply"), json!({ "text": "Acme Docs" })).await;
    assert_eq!(world.incident(&reference).await["phase"], "open");
    world.post(&format!("/api/v1/incidents/{reference}/close"), json!({ "note": "thanks" })).await;
    let incident = world.incident(&reference).await;
    assert_eq!(incident["phase"], "resolved");
    assert!(world.timeline(&reference).await.contains("resolved by the customer"));
    proven(&world, &reference).await;

    // Critical counts through the weekend.
    let critical = reported(&world, json!({ "priority": "P1" })).await;
    assert_eq!(at(&world.incident(&critical).await["response"]["due"]), world.now() + TimeDelta::hours(36));
    world.finish();
}
