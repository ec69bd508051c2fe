use super::*;
use crate::{
    incident::{Effect, effect},
    paging::{
        Outcome, Stage,
        attempt::tests::{at, attempt},
    },
    store::Tx,
};

async fn begin(world: &World) -> Tx {
    world.app.db.begin().await.unwrap()
}

/// A row that belongs to no incident, so that none need be there.
fn row(id: &str, channel: Channel) -> Attempt {
    Attempt { incident: None, ..attempt(id, channel, 0) }
}

fn claim<'a>(node: &'a str, limit: i64, except: &'a [AttemptId]) -> store::Claim<'a> {
    let priorities = (Priority::P1, Priority::P6);
    store::Claim { node, priorities, limit, except, lease: TimeDelta::seconds(15) }
}

#[tokio::test]
async fn a_row_comes_back_as_it_was_written() {
    let world = World::still(config(), &[]).await;
    let full = Attempt {
        stage: Stage::Over,
        outcome: Some(Outcome::NoAnswer),
        cancelled: true,
        carrier: Some("c".into()),
        sid: Some("CA1".into()),
        status: Some(Status::NoAnswer),
        error_code: Some("480".into()),
        reason: Some("rang out".into()),
        sends: 2,
        leased_by: Some("nod_1".into()),
        wake_at: Some(at(1)),
        sent_at: Some(at(2)),
        answered_at: Some(at(3)),
        ended_at: Some(at(4)),
        ..row("att_1", Channel::Voice)
    };
    world.insert(&full).await;
    assert_eq!(world.attempt(&"att_1".into()).await, full);
}

#[tokio::test]
async fn what_is_due_is_claimed_once_gravest_first_and_again_when_the_lease_is_over() {
    let world = World::still(config(), &[]).await;
    for (id, priority, wake) in [
        ("late", Priority::P2, 0),
        ("grave", Priority::P1, 5),
        ("first", Priority::P1, 1),
        ("future", Priority::P1, 60),
    ] {
        world.insert(&Attempt { priority, wake_at: Some(at(wake)), ..row(id, Channel::Sms) }).await;
    }
    let mut tx = begin(&world).await;
    let two = store::claim(&mut tx, claim("a", 2, &[]), at(10)).await.unwrap();
    let mut ids: Vec<&str> = two.iter().map(|attempt| attempt.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["first", "grave"]);
    let rest = store::claim(&mut tx, claim("b", 9, &[]), at(10)).await.unwrap();
    assert_eq!(rest.iter().map(|attempt| attempt.id.as_str()).collect::<Vec<_>>(), ["late"]);
    assert!(store::claim(&mut tx, claim("b", 9, &[]), at(24)).await.unwrap().is_empty());
    let in_hand = ["first".into(), "late".into()];
    let again = store::claim(&mut tx, claim("b", 9, &in_hand), at(25)).await.unwrap();
    assert_eq!(again.iter().map(|attempt| (attempt.id.as_str(), attempt.tries)).collect::<Vec<_>>(), [("grave", 2)]);
}

#[tokio::test]
async fn a_lease_that_was_lost_writes_nothing() {
    let world = World::still(config(), &[]).await;
    world.insert(&row("att_1", Channel::Sms)).await;
    let mut tx = begin(&world).await;
    let mut slow = store::claim(&mut tx, claim("a", 1, &[]), at(0)).await.unwrap().remove(0);
    store::claim(&mut tx, claim("b", 1, &[]), at(20)).await.unwrap();
    slow.reason = Some("too late".into());
    assert!(!store::save(&mut tx, &slow).await.unwrap());
    assert_eq!(store::load(&mut tx, &slow.id).await.unwrap().unwrap().reason, None);
}

#[tokio::test]
async fn at_boot_every_lease_is_free_at_once_and_nothing_else_moves() {
    let world = World::still(config(), &[]).await;
    world.insert(&row("held", Channel::Sms)).await;
    world.insert(&Attempt { wake_at: Some(at(300)), ..row("later", Channel::Voice) }).await;
    let mut tx = begin(&world).await;
    store::claim(&mut tx, claim("gone", 9, &[]), at(0)).await.unwrap();
    assert_eq!(store::release(&mut tx, at(1)).await.unwrap(), 1);
    assert_eq!(store::next_wake(&mut tx, &[]).await.unwrap(), (Some(at(1)), 2));
    assert_eq!(store::next_wake(&mut tx, &["held".into()]).await.unwrap().0, Some(at(300)));
}

#[tokio::test]
async fn ending_a_page_cancels_what_waits_and_hangs_up_what_rings() {
    let world = World::still(config(), &[]).await;
    let id = world.report("inc_x", "4821", Priority::P1).await;
    let page = |name: &str, channel, stage| Attempt {
        page: Some("inc_x.9".into()),
        stage,
        sid: (stage == Stage::Sent).then(|| name.into()),
        ..attempt(name, channel, 0)
    };
    for row in [
        page("waits", Channel::Voice, Stage::Waiting),
        page("going out", Channel::Voice, Stage::Sending),
        page("rings", Channel::Voice, Stage::Sent),
        page("text", Channel::Sms, Stage::Sent),
        Attempt { outcome: Some(Outcome::Answered), wake_at: None, ..page("answered", Channel::Voice, Stage::Over) },
    ] {
        world.insert(&row).await;
    }
    let incident = world.incident(&id).await;
    let mut tx = begin(&world).await;
    let effects = [Effect::EndPages { pages: vec![9] }];
    store::carry_out(&mut tx, &incident, &effects, &config(), None, at(7)).await.unwrap();
    let mut ended = Vec::new();
    for attempt in store::of_page(&mut tx, &"inc_x.9".into()).await.unwrap() {
        ended.push((attempt.id.to_string(), attempt.stage, attempt.outcome, attempt.cancelled, attempt.wake_at));
    }
    ended.sort_by(|a, b| a.0.cmp(&b.0));
    let row = |id: &str, stage, outcome, cancelled, wake| (id.to_string(), stage, outcome, cancelled, wake);
    assert_eq!(
        ended,
        [
            row("answered", Stage::Over, Some(Outcome::Answered), false, None),
            row("going out", Stage::Sending, None, true, Some(at(0))),
            row("rings", Stage::HangingUp, None, true, Some(at(7))),
            row("text", Stage::Sent, None, true, Some(at(0))),
            row("waits", Stage::Over, Some(Outcome::Cancelled), true, None),
        ]
    );
}

#[tokio::test]
async fn a_page_is_one_attempt_a_step_with_one_code_that_no_open_page_of_the_number_has() {
    let world = World::still(config(), &[]).await;
    let mut codes = Vec::new();
    for n in 0..12 {
        let id = world.report(&format!("inc_{n}"), &(4000 + n).to_string(), Priority::P1).await;
        let all = world.attempts(&id).await;
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].reply_code, all[1].reply_code);
        assert!(all.iter().all(|attempt| attempt.wake_at == Some(start())));
        codes.push(all[0].reply_code.clone().unwrap());
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 12);
}

#[tokio::test]
async fn a_code_rests_for_two_days_after_its_incident_is_closed() {
    let world = World::still(config(), &[]).await;
    let id = world.report("inc_a", "4821", Priority::P1).await;
    let by = crate::incident::Actor::Person("ben".into());
    world.app.door.execute(&id, Command::Resolve { by, note: "fixed".into() }).await.unwrap();
    let ben = "ben".into();
    let mobile = E164::parse(MOBILE).unwrap();
    let mut tx = begin(&world).await;
    let pages = async |tx: &mut Tx, after: i64| {
        let now = start() + TimeDelta::hours(after);
        store::pages_at(tx, &mobile, &ben, now).await.unwrap().len()
    };
    assert_eq!(pages(&mut tx, 47).await, 2);
    // The call and the text were never sent here: the page was ended, so they are over.
    assert_eq!(pages(&mut tx, 49).await, 0);
}

#[tokio::test]
async fn customers_and_people_are_told_by_text_where_they_have_a_number_for_it() {
    let world = World::still(config(), &[]).await;
    let id = world.report("inc_x", "4821", Priority::P1).await;
    let mut incident = world.incident(&id).await;
    let effects = [
        Effect::TellCustomer { text: "We have your report.".into() },
        Effect::Tell { person: "ada".into(), text: "You command it.".into() },
    ];
    let told = async |tx: &mut Tx, incident: &Incident| {
        store::carry_out(tx, incident, &effects, &config(), None, start()).await.unwrap();
        let all = store::of_incident(tx, &incident.id).await.unwrap();
        let mut told: Vec<(String, String)> = all
            .into_iter()
            .filter(|attempt| !attempt.is_page())
            .map(|attempt| (attempt.address.as_str().into(), attempt.body.unwrap()))
            .collect();
        told.sort();
        told
    };
    let mut tx = begin(&world).await;
    let to_ada = (LEAD.to_owned(), "You command it.".to_owned());
    assert_eq!(
        told(&mut tx, &incident).await,
        std::slice::from_ref(&to_ada),
        "a customer without a number is told nothing"
    );
    incident.contact.number = Some("+12015550199".into());
    let customer = ("+12015550199".to_owned(), "We have your report.".to_owned());
    assert_eq!(told(&mut tx, &incident).await, [to_ada.clone(), to_ada, customer]);
}

#[tokio::test]
async fn a_page_later_in_the_rules_waits_for_its_time_and_lives_ten_minutes_from_then() {
    let world = World::still(config(), &[]).await;
    let id = world.report("inc_x", "4821", Priority::P1).await;
    let incident = world.incident(&id).await;
    let step = |channel, after_seconds| effect::Step { channel, address: E164::parse(HOME).unwrap(), after_seconds };
    let page = effect::Page {
        number: 9,
        person: "ben".into(),
        cause: effect::Cause::Asked,
        steps: vec![step(Channel::Sms, 0), step(Channel::Voice, 120)],
    };
    let mut tx = begin(&world).await;
    store::carry_out(&mut tx, &incident, &[Effect::Page(page)], &config(), None, start()).await.unwrap();
    let all = store::of_page(&mut tx, &"inc_x.9".into()).await.unwrap();
    let after = |at: Option<Time>| (at.unwrap() - start()).num_seconds();
    let times: Vec<_> = all.iter().map(|a| (a.position, after(a.wake_at), after(Some(a.expires_at)))).collect();
    assert_eq!(times, [(0, 0, 600), (1, 120, 720)]);
}

#[tokio::test]
async fn every_statement_prepares() {
    let world = World::still(config(), &[]).await;
    let mut tx = begin(&world).await;
    let Tx::Sqlite(sqlite) = &mut tx else { unreachable!() };
    for (name, sql) in store::STATEMENTS {
        use sqlx::{Executor, SqlSafeStr};
        let prepared = (&mut **sqlite).prepare(sql.sqlite.into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
}
