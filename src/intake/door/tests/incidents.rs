//! From the payload to the incident: the one door, a real database.

use super::*;
use crate::{
    config::Team,
    escalation::{Level, Policy, Target},
    incident::{self, Incident, state::Phase, store::Filter},
    people::{Channel, ContactMethod, E164, NotificationRule, Person},
    sla::{Priority, Zone},
    span::Span,
};

/// The integrations of [`config`], and a team of one who can be paged.
async fn world() -> World {
    let world = World::new().await;
    let rule = NotificationRule { channel: Channel::Sms, method: "mobile".into(), after: Span::default() };
    let engineer = Person {
        role: crate::access::Role::Responder,
        key: "engineer".into(),
        name: "Engineer".into(),
        zone: Zone::utc(),
        language: "en-US".into(),
        contact: vec![ContactMethod {
            name: "mobile".into(),
            address: E164::parse("+12015550100").unwrap(),
            channels: vec![Channel::Sms],
        }],
        rules: [(Priority::P1, vec![rule.clone()]), (Priority::P2, vec![rule])].into(),
        mail: None,
    };
    let policy = Policy {
        key: "standard".into(),
        levels: vec![Level {
            name: "on-call".into(),
            after: Span::default(),
            notify: vec![Target::Person("engineer".into())],
        }],
        last_resort_after: Span::minutes(5),
        repeat: 1,
        ack_timeout: Span::minutes(60),
    };
    let team = Team {
        key: "sre".into(),
        name: "SRE".into(),
        zone: Zone::utc(),
        schedule: "sre".into(),
        lead: None,
        manager: None,
        executive: None,
        last_resort: vec!["engineer".into()],
        policies: [(Priority::P1, "standard".into())].into(),
        mail: Vec::new(),
    };
    world.app.config.store(Arc::new(Config {
        people: [("engineer".into(), engineer)].into(),
        policies: [("standard".into(), policy)].into(),
        teams: [("sre".into(), team)].into(),
        ..config()
    }));
    world
}

impl World {
    async fn incidents(&self) -> Vec<Incident> {
        let mut tx = self.app.db.read().await.unwrap();
        let filter = Filter { limit: 50, ..Filter::default() };
        incident::store::list(&mut tx, &filter).await.unwrap()
    }

    /// The only incident.
    async fn incident(&self) -> Incident {
        let mut all = self.incidents().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    async fn generic(&self, body: Value) -> Value {
        let (status, answer) = self.post("/intake/generic/gen-secret", body.to_string()).await;
        assert_eq!(status, 202, "{answer}");
        answer
    }

    async fn event(&self, action: &str, severity: &str) -> Value {
        let payload = json!({"summary": "Disk full", "source": "db-7", "severity": severity});
        let event =
            json!({"routing_key": ROUTING_KEY, "event_action": action, "dedup_key": "disk", "payload": payload});
        let (status, answer) = self.post("/v2/enqueue", event.to_string()).await;
        assert_eq!(status, 202, "{answer}");
        answer
    }
}

#[tokio::test]
async fn a_trigger_opens_an_incident_pages_and_is_kept_with_it() {
    let world = world().await;
    let answer = world
        .generic(json!({"action": "trigger", "title": "Disk full", "severity": "critical",
                        "contact": {"name": "Ann", "number": "+12015550123"}}))
        .await;
    let incident = world.incident().await;
    assert_eq!(answer["status"], "opened");
    assert_eq!(answer["incident"], json!(incident.reference));
    assert_eq!(answer["id"], json!(incident.id));
    assert_eq!((incident.priority, incident.title.as_str()), (Priority::P1, "Disk full"));
    assert_eq!(incident.contact.number.as_deref(), Some("+12015550123"));
    assert_eq!(incident.pages.len(), 1);
    let log = world.log().await;
    assert_eq!(log[0].incident_ids, std::slice::from_ref(&incident.id));
    assert_eq!(log[0].verdict, format!("opened {}", incident.reference));
    assert!(!log[0].body.is_empty());
}

#[tokio::test]
async fn the_same_trouble_again_pages_nobody_and_after_the_end_it_is_a_new_one() {
    let world = world().await;
    world.event("trigger", "critical").await;
    world.event("trigger", "critical").await;
    let incident = world.incident().await;
    assert_eq!((incident.phase, incident.pages.len()), (Phase::Open, 1));
    assert_eq!(world.log().await[0].verdict, format!("repeated {}", incident.reference));

    world.event("acknowledge", "critical").await;
    assert!(world.incident().await.holder.is_some());
    world.event("acknowledge", "critical").await;
    assert!(world.log().await[0].verdict.starts_with("acknowledged"), "{}", world.log().await[0].verdict);

    world.event("resolve", "critical").await;
    assert_eq!(world.incident().await.phase, Phase::Resolved);
    world.event("resolve", "critical").await;
    assert_eq!(world.log().await[0].verdict, "dropped: no open incident has this dedup key");

    world.event("trigger", "critical").await;
    assert_eq!(world.incidents().await.len(), 2);
}

#[tokio::test]
async fn the_same_trigger_many_times_at_once_opens_one() {
    let world = world().await;
    futures::future::join_all((0..12).map(|_| world.event("trigger", "critical"))).await;
    assert_eq!(world.incident().await.pages.len(), 1);
}

#[tokio::test]
async fn what_need_not_wake_anybody_is_recorded_and_what_gets_worse_does() {
    let world = world().await;
    world.event("trigger", "warning").await;
    let incident = world.incident().await;
    assert_eq!((incident.priority, incident.pages.len()), (Priority::P3, 0));

    world.event("trigger", "critical").await;
    let incident = world.incident().await;
    assert_eq!((incident.priority, incident.pages.len()), (Priority::P1, 1));
    assert_eq!(world.log().await[0].verdict, format!("repeated {}: raised from P3 to P1", incident.reference));

    // A person thinks otherwise, and the sender repeats itself.
    let lower = incident::command::Command::SetPriority {
        by: incident::command::Actor::Person("engineer".into()),
        priority: Priority::P3,
        reason: "only a test system".into(),
    };
    world.app.door.execute(&incident.id, lower).await.unwrap();
    world.event("trigger", "critical").await;
    assert_eq!(world.incident().await.priority, Priority::P3);
}

#[tokio::test]
async fn an_alertmanager_group_is_one_incident_from_firing_to_resolved() {
    let world = world().await;
    let notify = async |status: &str, alerts: &[(&str, &str)]| {
        let alerts: Vec<Value> = alerts
            .iter()
            .map(|(name, status)| {
                json!({"status": status, "fingerprint": name,
                       "labels": {"alertname": name, "severity": "critical"}, "annotations": {}})
            })
            .collect();
        let body = json!({"version": "4", "status": status, "groupKey": "{}:{}", "alerts": alerts});
        assert_eq!(world.post("/intake/alertmanager/am-secret", body.to_string()).await.0, 202);
    };
    notify("firing", &[("A", "firing")]).await;
    notify("firing", &[("A", "resolved"), ("B", "firing")]).await;
    assert_eq!(world.incident().await.phase, Phase::Open);
    notify("resolved", &[("A", "resolved"), ("B", "resolved")]).await;
    assert_eq!(world.incident().await.phase, Phase::Resolved);

    // One an alert, when the integration says so.
    let mut changed = (*world.app.config.load_full()).clone();
    changed.integrations.get_mut("am").unwrap().per = crate::intake::Grouping::Alert;
    world.app.config.store(Arc::new(changed));
    notify("firing", &[("A", "firing"), ("B", "firing"), ("A", "firing")]).await;
    assert_eq!(world.incidents().await.len(), 3);
    notify("firing", &[("A", "resolved"), ("B", "firing")]).await;
    let open = world.incidents().await.into_iter().filter(|incident| incident.phase == Phase::Open);
    assert_eq!(open.map(|incident| incident.title).collect::<Vec<_>>(), ["B"]);
}

#[tokio::test]
async fn a_signed_trigger_that_is_replayed_after_the_end_opens_nothing() {
    let world = world().await;
    let body = r#"{"action":"trigger","dedup_key":"a","title":"x"}"#;
    let at = world.app.clock.now();
    let send = async || {
        let request = post_to("/intake/generic/signed-secret")
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", at.timestamp().to_string())
            .header("webhook-signature", sign("msg_1", at, body));
        world.send(request.body(Body::from(body)).unwrap()).await
    };
    let first = send().await;
    let resolve = incident::command::Command::Resolve {
        by: incident::command::Actor::Person("engineer".into()),
        note: "done".into(),
    };
    world.app.door.execute(&world.incident().await.id, resolve).await.unwrap();
    let again = send().await;
    assert_eq!((again.0, again.2), (202, first.2));
    assert_eq!(world.incident().await.phase, Phase::Resolved);
}
