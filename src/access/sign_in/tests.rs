use std::collections::BTreeMap;

use super::*;
use crate::{clock::ManualHand, on, people::ContactMethod, server::settings::Settings, sla::Zone, store::Sql};

const START: &str = "2026-11-02T12:00:00Z";

fn config() -> Config {
    let person = |key: &str, lines: &[(&str, &[Channel])]| Person {
        key: key.into(),
        name: key.to_uppercase(),
        zone: Zone::utc(),
        language: "en".into(),
        contact: lines
            .iter()
            .map(|(number, channels)| ContactMethod {
                name: "line".into(),
                address: E164::parse(number).unwrap(),
                channels: channels.to_vec(),
            })
            .collect(),
        rules: BTreeMap::new(),
        mail: None,
        role: Role::Responder,
    };
    let both: &[Channel] = &[Channel::Sms, Channel::Voice];
    let people = [
        person("anna", &[("+12015550101", both)]),
        person("ben", &[("+12015550103", &[Channel::Voice])]),
        person("carla", &[("+12015550104", both)]),
        person("dora", &[("+12015550104", both), ("+12015550105", both)]),
    ];
    Config { people: people.map(|person| (person.key.clone(), person)).into(), ..Config::default() }
}

async fn app() -> (App, ManualHand, tempfile::TempDir) {
    let (app, hand, folder) = App::for_test(Settings::default(), START, config(), vec![]).await;
    let mut tx = app.db.begin().await.unwrap();
    let hash = password::hash("correct horse").unwrap();
    password::store::set(&mut tx, "admin", &hash, Some(Role::Admin), None, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    (app, hand, folder)
}

fn from(network: &str) -> From {
    From { network: network.into(), agent: None }
}

async fn password(app: &App, name: &str, password: &str, network: &str) -> &'static str {
    match by_password(app, name, password, &from(network)).await.unwrap() {
        Tried::In(_) => "in",
        Tried::Wrong => "wrong",
        Tried::TooMany => "too many",
    }
}

async fn enter(app: &App, id: &str, digits: &str) -> &'static str {
    match by_code(app, id, digits, &from("home")).await.unwrap() {
        Tried::In(_) => "in",
        Tried::Wrong => "wrong",
        Tried::TooMany => "too many",
    }
}

async fn ask(app: &App, given: &str, network: &str) -> Option<String> {
    ask_code(app, given, &from(network)).await.unwrap()
}

/// To whom texts and calls wait to go out.
async fn outbox(app: &App) -> Vec<(String, String, String)> {
    const SENT: Sql = Sql::same("select id, channel, address from attempts where purpose = 'code' order by id");
    let mut tx = app.db.read().await.unwrap();
    on!(&mut tx, SENT, |c, sql| sqlx::query_as(sql).fetch_all(c).await).unwrap()
}

fn pass(hand: &ManualHand, app: &App, span: TimeDelta) {
    hand.set(app.clock.now() + span);
}

#[tokio::test]
async fn a_password_signs_in_whatever_its_names_capitals() {
    let (app, _hand, _folder) = app().await;
    assert_eq!(password(&app, " Admin ", "correct horse", "home").await, "in");
    assert_eq!(password(&app, "admin", "correct horsf", "home").await, "wrong");
    assert_eq!(password(&app, "nobody", "correct horse", "home").await, "wrong");
    assert_eq!(password(&app, "", "", "home").await, "wrong");
}

#[tokio::test]
async fn after_five_wrong_passwords_a_right_one_from_there_waits_and_from_elsewhere_does_not() {
    let (app, hand, _folder) = app().await;
    for _ in 0..5 {
        assert_eq!(password(&app, "admin", "wrong", "cafe").await, "wrong");
    }
    assert_eq!(password(&app, "admin", "correct horse", "cafe").await, "wrong", "held up, in the same words");
    assert_eq!(password(&app, "admin", "correct horse", "home").await, "in");
    pass(&hand, &app, TimeDelta::seconds(29));
    assert_eq!(password(&app, "admin", "correct horse", "cafe").await, "wrong");
    pass(&hand, &app, TimeDelta::seconds(1));
    assert_eq!(password(&app, "admin", "correct horse", "cafe").await, "in", "what was held up did not count");
    // What was right begins a new count.
    assert_eq!(password(&app, "admin", "wrong", "cafe").await, "wrong");
    assert_eq!(password(&app, "admin", "correct horse", "cafe").await, "in");
}

#[tokio::test]
async fn many_at_once_are_counted_before_they_are_checked() {
    let (app, _hand, _folder) = app().await;
    let wrong = (0..8).map(|_| password(&app, "admin", "wrong", "cafe"));
    assert!(futures::future::join_all(wrong).await.iter().all(|tried| *tried == "wrong"));
    let mut tx = app.db.read().await.unwrap();
    let this = Try { name: &app.desk.hashed("admin"), network: "cafe", kind: Kind::Password };
    let counted = store::wrong_here(&mut tx, this, app.clock.now() - limit::SPAN).await.unwrap().count;
    assert_eq!(counted, 5, "the sixth was held up");
    let since = app.clock.now() - limit::NETWORK_SPAN;
    assert_eq!(store::of_network(&mut tx, "cafe", Kind::Password, false, since).await.unwrap(), 8, "and counts there");
}

#[tokio::test]
async fn whoever_goes_on_at_a_name_that_is_held_up_is_stopped_and_the_name_is_not() {
    let (app, hand, _folder) = app().await;
    for n in 0..30 {
        assert_eq!(password(&app, "admin", "wrong", "cafe").await, "wrong", "{n}");
    }
    assert_eq!(password(&app, "admin", "correct horse", "cafe").await, "too many");
    assert_eq!(password(&app, "nobody", "wrong", "cafe").await, "too many");
    assert_eq!(password(&app, "admin", "correct horse", "home").await, "in");
    pass(&hand, &app, TimeDelta::minutes(15));
    assert_eq!(password(&app, "admin", "correct horse", "cafe").await, "in");
}

#[tokio::test]
async fn the_password_of_somebody_who_is_gone_from_people_toml_begins_nothing() {
    let (app, _hand, _folder) = app().await;
    let mut tx = app.db.begin().await.unwrap();
    let hash = password::hash("correct horse").unwrap();
    for key in ["anna", "gone"] {
        password::store::set(&mut tx, key, &hash, None, Some(key), app.clock.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(password(&app, "anna", "correct horse", "home").await, "in");
    assert_eq!(password(&app, "gone", "correct horse", "home").await, "wrong");
    const NOTED: Sql = Sql::same("select count(*) from audit where what = 'signed in'");
    const BEGUN: Sql = Sql::same("select count(*) from sessions");
    for count in [NOTED, BEGUN] {
        let mut tx = app.db.read().await.unwrap();
        let count: i64 = on!(&mut tx, count, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await).unwrap();
        assert_eq!(count, 1);
    }
}

#[tokio::test]
async fn a_whole_name_is_held_up_much_later_and_not_for_a_network_it_was_signed_in_from() {
    let (app, _hand, _folder) = app().await;
    assert_eq!(password(&app, "admin", "correct horse", "home").await, "in");
    let mut tx = app.db.begin().await.unwrap();
    let name = app.desk.hashed("admin");
    for n in 0..50 {
        let network = format!("attacker {n}");
        let this = Try { name: &name, network: &network, kind: Kind::Password };
        store::tried(&mut tx, this, false, app.clock.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(password(&app, "admin", "correct horse", "a hotel").await, "wrong");
    assert_eq!(password(&app, "admin", "correct horse", "home").await, "in");
}

#[tokio::test]
async fn a_network_that_tries_many_names_is_stopped_whichever_it_tries_next() {
    let (app, hand, _folder) = app().await;
    let mut tx = app.db.begin().await.unwrap();
    for n in 0..30 {
        let name = app.desk.hashed(&format!("name {n}"));
        let this = Try { name: &name, network: "cafe", kind: Kind::Password };
        store::tried(&mut tx, this, false, app.clock.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(password(&app, "admin", "correct horse", "cafe").await, "too many");
    assert_eq!(password(&app, "admin", "correct horse", "home").await, "in");
    pass(&hand, &app, TimeDelta::minutes(15));
    assert_eq!(password(&app, "admin", "correct horse", "cafe").await, "in");
}

#[tokio::test]
async fn a_code_goes_to_a_line_of_the_person_by_text_if_it_can() {
    let (app, _hand, _folder) = app().await;
    for (given, went) in [
        ("anna", Some(("sms", "+12015550101"))),
        (" Anna ", Some(("sms", "+12015550101"))),
        ("+1 (201) 555-0101", Some(("sms", "+12015550101"))),
        ("0012015550103", Some(("voice", "+12015550103"))),
        ("dora", Some(("sms", "+12015550104"))),
        ("+12015550105", Some(("sms", "+12015550105"))),
        // Two share it.
        ("+12015550104", None),
        ("+12015550199", None),
        ("nobody", None),
        ("", None),
    ] {
        let before = outbox(&app).await.len();
        let id = ask(&app, given, given).await.unwrap();
        let sent: Vec<_> = outbox(&app).await.into_iter().skip(before).collect();
        let sent = sent.first().map(|(sent, channel, address)| {
            assert_eq!(*sent, id);
            (channel.as_str().to_owned(), address.as_str().to_owned())
        });
        assert_eq!(sent, went.map(|(channel, address)| (channel.to_owned(), address.to_owned())), "{given}");
        assert!(id.starts_with("cod_") && id.len() == 30, "whoever it is: {id}");
    }
}

#[tokio::test]
async fn a_number_that_refused_texts_is_called() {
    let (app, _hand, _folder) = app().await;
    let mut tx = app.db.begin().await.unwrap();
    let number = E164::parse("+12015550101").unwrap();
    let stop = crate::paging::store::Handled::stop("main", "SM1", &number);
    crate::paging::store::keep_reply(&mut tx, stop, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    ask(&app, "anna", "home").await.unwrap();
    assert_eq!(outbox(&app).await[0].1, "voice");
}

#[tokio::test]
async fn a_code_signs_in_once_within_ten_minutes_and_proves_the_line() {
    let (app, hand, _folder) = app().await;
    let id = ask(&app, "anna", "home").await.unwrap();
    let digits = app.desk.digits(&id);
    pass(&hand, &app, TimeDelta::seconds(599));
    assert_eq!(enter(&app, &id, &digits).await, "in");
    assert_eq!(enter(&app, &id, &digits).await, "wrong", "used");
    let proven = proof::proven(&mut app.db.read().await.unwrap(), "anna").await.unwrap();
    assert_eq!((proven.len(), proven[0].address.as_str(), proven[0].channel.as_str()), (1, "+12015550101", "sms"));

    let id = ask(&app, "anna", "home").await.unwrap();
    let other = ask(&app, "anna", "home").await.unwrap();
    assert_eq!(enter(&app, &other, &app.desk.digits(&id)).await, "wrong", "of another code");
    pass(&hand, &app, TimeDelta::minutes(10));
    assert_eq!(enter(&app, &id, &app.desk.digits(&id)).await, "wrong", "too old");
}

#[tokio::test]
async fn a_code_may_be_guessed_five_times() {
    let (app, _hand, _folder) = app().await;
    let id = ask(&app, "anna", "home").await.unwrap();
    let digits = app.desk.digits(&id);
    let wrong = if digits == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(enter(&app, &id, wrong).await, "wrong");
    }
    assert_eq!(enter(&app, &id, &digits).await, "wrong");
    assert_eq!(enter(&app, "cod_nobody", &app.desk.digits("cod_nobody")).await, "wrong", "never sent");
}

#[tokio::test]
async fn a_person_is_sent_three_codes_in_a_quarter_of_an_hour_and_is_told_nothing_of_it() {
    let (app, hand, _folder) = app().await;
    for _ in 0..5 {
        assert!(ask(&app, "anna", "home").await.is_some());
    }
    assert_eq!(outbox(&app).await.len(), 3);
    assert!(ask(&app, "+12015550101", "home").await.is_some());
    assert_eq!(outbox(&app).await.len(), 3, "her number is she");
    assert!(ask(&app, "anna", "away").await.is_some());
    assert_eq!(outbox(&app).await.len(), 4, "from elsewhere");
    pass(&hand, &app, TimeDelta::minutes(15));
    assert!(ask(&app, "anna", "home").await.is_some());
    assert_eq!(outbox(&app).await.len(), 5);
}

#[tokio::test]
async fn who_asks_again_for_a_code_too_soon_waits_no_longer_for_it() {
    let (app, hand, _folder) = app().await;
    for _ in 0..3 {
        ask(&app, "anna", "home").await.unwrap();
    }
    pass(&hand, &app, TimeDelta::minutes(14));
    for _ in 0..3 {
        ask(&app, "anna", "home").await.unwrap();
    }
    assert_eq!(outbox(&app).await.len(), 3);
    pass(&hand, &app, TimeDelta::minutes(1));
    ask(&app, "anna", "home").await.unwrap();
    assert_eq!(outbox(&app).await.len(), 4);
}

#[tokio::test]
async fn a_stranger_who_asks_without_end_keeps_nobody_from_a_code_elsewhere() {
    let (app, hand, _folder) = app().await;
    for quarter in 0..4 {
        let asked = futures::future::join_all((0..10).map(|_| ask(&app, "anna", "cafe"))).await;
        assert!(asked.iter().all(Option::is_some));
        assert_eq!(outbox(&app).await.len(), quarter * 4 + 3);
        assert_eq!(ask(&app, "anna", "cafe").await, None, "refused ones count for the network");
        ask(&app, "anna", "a train").await.unwrap();
        assert_eq!(outbox(&app).await.len(), quarter * 4 + 4);
        pass(&hand, &app, TimeDelta::minutes(15));
    }
}

#[tokio::test]
async fn ten_codes_from_one_network_are_all_there_are_whoever_is_meant() {
    let (app, _hand, _folder) = app().await;
    for n in 0..10 {
        assert!(ask(&app, &format!("nobody {n}"), "cafe").await.is_some());
    }
    assert_eq!(ask(&app, "anna", "cafe").await, None);
    assert!(ask(&app, "anna", "home").await.is_some());
}

#[tokio::test]
async fn whoever_signed_in_from_a_network_is_sent_codes_there_whatever_others_ask_for() {
    let (app, _hand, _folder) = app().await;
    let id = ask(&app, "anna", "home").await.unwrap();
    assert_eq!(enter(&app, &id, &app.desk.digits(&id)).await, "in");
    let attackers: Vec<String> = (0..32).map(|n| format!("attacker {n}")).collect();
    futures::future::join_all(attackers.iter().map(|network| ask(&app, "anna", network))).await;
    let sent = outbox(&app).await.len();
    assert_eq!(sent, 30, "thirty in an hour");
    ask(&app, "anna", "a hotel").await.unwrap();
    assert_eq!(outbox(&app).await.len(), sent);
    ask(&app, "anna", "home").await.unwrap();
    assert_eq!(outbox(&app).await.len(), sent + 1);
}

#[tokio::test]
async fn nothing_in_the_database_gives_a_code_away() {
    let (app, _hand, _folder) = app().await;
    let id = ask(&app, "anna", "home").await.unwrap();
    let digits = app.desk.digits(&id);
    const BODY: Sql = Sql::same("select body from attempts where purpose = 'code'");
    let mut tx = app.db.read().await.unwrap();
    let body: String = on!(&mut tx, BODY, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await).unwrap();
    assert!(body.contains("{code}") && !body.contains(&digits), "{body}");
}

#[tokio::test]
async fn a_link_signs_in_once_within_ten_minutes() {
    let (app, hand, _folder) = app().await;
    let make = |person: Option<&'static str>| {
        let app = app.clone();
        async move {
            let mut tx = app.db.begin().await.unwrap();
            let person = person.map(PersonKey::from);
            let token = make_link(&mut tx, person.as_ref(), "guest", Some(Role::Viewer), app.clock.now()).await;
            tx.commit().await.unwrap();
            token.unwrap()
        }
    };
    let enter = |token: String| {
        let app = app.clone();
        async move { matches!(by_link(&app, &token, &from("home")).await.unwrap(), Tried::In(_)) }
    };
    let token = make(Some("anna")).await;
    assert!(link_holds(&app, &token).await.unwrap());
    assert!(enter(token.clone()).await);
    assert!(!link_holds(&app, &token).await.unwrap() && !enter(token).await);
    assert!(!enter(make(Some("nobody")).await).await && !enter(String::new()).await);
    let late = make(None).await;
    pass(&hand, &app, LINK_LIFE);
    assert!(!link_holds(&app, &late).await.unwrap() && !enter(late).await);
}

#[tokio::test]
async fn a_browser_comes_back_from_the_issuer_once_and_thirty_times_in_vain() {
    let (app, hand, _folder) = app().await;
    let back = |state: String, network: &'static str| {
        let app = app.clone();
        async move { back_from_oidc(&app, &state, &from(network)).await.unwrap() }
    };
    let CameBack::First(id) = back("mine".into(), "cafe").await else { panic!("it is the first") };
    assert_eq!(back("mine".into(), "cafe").await, CameBack::Again);
    assert_eq!(back("mine".into(), "home").await, CameBack::Again, "wherever");
    by_oidc(&app, &id, &"anna".into(), &from("cafe")).await.unwrap();
    assert_eq!(back("mine".into(), "cafe").await, CameBack::Again);
    // What was right does not count.
    let all = futures::future::join_all((0..40).map(|n| back(format!("flow {n}"), "cafe"))).await;
    assert_eq!(all.iter().filter(|one| matches!(one, CameBack::First(_))).count(), 30);
    assert_eq!(all.iter().filter(|one| **one == CameBack::TooMany).count(), 10);
    assert_eq!(back("mine".into(), "cafe").await, CameBack::TooMany);
    assert!(matches!(back("another".into(), "home").await, CameBack::First(_)));
    pass(&hand, &app, TimeDelta::minutes(15));
    assert!(matches!(back("another day".into(), "cafe").await, CameBack::First(_)));
    // The network is known as hers, for codes and passwords too.
    let mut tx = app.db.read().await.unwrap();
    let known = store::is_known(&mut tx, &app.desk.hashed("anna"), "cafe", app.clock.now() - limit::KNOWN_FOR).await;
    assert!(known.unwrap());
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_the_audit_is_kept_for_more_than_a_year() {
    let (app, hand, _folder) = app().await;
    let id = ask(&app, "anna", "home").await.unwrap();
    assert_eq!(enter(&app, &id, &app.desk.digits(&id)).await, "in");
    assert_eq!(password(&app, "admin", "wrong", "home").await, "wrong");
    let count = |table: Sql| {
        let app = app.clone();
        async move {
            let mut tx = app.db.read().await.unwrap();
            let count: i64 = on!(&mut tx, table, |c, sql| sqlx::query_scalar(sql).fetch_one(c).await).unwrap();
            count
        }
    };
    let counts = || async {
        [
            count(Sql::same("select count(*) from sessions")).await,
            count(Sql::same("select count(*) from codes")).await,
            count(Sql::same("select count(*) from sign_ins")).await,
            count(Sql::same("select count(*) from audit")).await,
        ]
    };
    assert_eq!(counts().await, [1, 1, 3, 3]);
    for (days, left) in [(1, [1, 1, 3, 3]), (3, [1, 0, 2, 3]), (61, [0, 0, 2, 3]), (91, [0, 0, 0, 3]), (401, [0; 4])] {
        hand.set(START.parse::<Time>().unwrap() + TimeDelta::days(days));
        crate::access::purge(&app).await.unwrap();
        assert_eq!(counts().await, left, "{days}");
    }
}
