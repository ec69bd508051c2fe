//! Mail, against a mail server that is a process of its own: see `world/mailserver.rs` for which one and why.

use ringdown::{
    incident::effect::{Attachment, Mail, Recipient},
    server::settings::{CarrierSettings, SmtpSettings},
};
use serde_json::{Value, json};

use crate::world::{
    mailserver::{MailServer, USER, serve_if_told},
    *,
};

pub const PASSWORD: &str = "correct horse";

/// A mail carrier's settings for this server.
fn smtp(server: &MailServer, password: Option<&str>) -> CarrierSettings {
    CarrierSettings::Smtp(SmtpSettings {
        url: format!("smtp://{}", server.address),
        username: password.map(|_| USER.into()),
        password: password.map(Into::into),
        from: "Bücher Support <support@ringdown.example>".into(),
        reply_to: Some("desk@ringdown.example".into()),
    })
}

/// The office, with this address for its team.
fn office(team: &str) -> Office {
    let mail = format!("last_resort = [\"kate\"]\nmail = [\"{team}\"]");
    Office::default().edit("teams.toml", "last_resort = [\"kate\"]", &mail)
}

async fn open(server: &MailServer, team: &str) -> World {
    World::posting(office(team), NIGHT, vec![("office".into(), smtp(server, None))]).await
}

pub fn to_team(subject: &str) -> Mail {
    let body = "Guten Tag,\n\n.die Störung begann um 09:00 — mehr folgt.\n\n日本語\n".into();
    Mail { to: Recipient::Team, subject: subject.into(), body, attachment: None }
}

/// How the API shows the mails of this subject.
async fn shown(world: &World, reference: &str, subject: &str) -> Vec<Value> {
    let incident = world.incident(reference).await;
    let all = incident["mails"].as_array().unwrap_or_else(|| panic!("no mails: {incident}")).clone();
    all.into_iter().filter(|mail| text(&mail["subject"]).contains(subject)).collect()
}

/// Those taken of this subject; the service may have written others.
fn taken(server: &MailServer, subject: &str) -> Vec<mailserver::Taken> {
    let mut all = server.taken();
    all.retain(|taken| taken.message().subject().is_some_and(|it| it.contains(subject)));
    all
}

/// Started by the other tests, this is the server.
#[test]
fn the_mail_server_is_a_process_that_speaks_smtp() {
    serve_if_told();
    use std::io::{BufRead, BufReader, Write};
    let server = MailServer::start(None);
    let mut line = std::net::TcpStream::connect(server.address).expect("it listens");
    line.write_all(b"EHLO test\r\nRCPT TO:<x@example.com>\r\n").expect("it reads");
    let mut said = BufReader::new(line).lines().map(|line| line.expect("a line"));
    assert_eq!(said.next().as_deref(), Some("220 mail.example.com ESMTP"));
    assert!(said.by_ref().find(|line| line.starts_with("250 ")).is_some());
    assert!(said.next().expect("an answer").starts_with("503"), "no recipient before a sender");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_arrives_as_it_was_written_in_the_thread_of_its_incident() {
    let server = MailServer::start(None);
    let world = open(&server, "team@example.com").await;
    let reference = world.report("P1").await;
    let id = text(&world.incident(&reference).await["id"]);
    let attachment = Attachment { name: "rca.md".into(), text: "# Ursache: Größe überschritten\n".into() };
    world.mail(&reference, Mail { attachment: Some(attachment), ..to_team("Störung\r\nBcc: all@example.com") }).await;
    world.mail(&reference, to_team("Second word")).await;

    let first = &taken(&server, "Störung")[0];
    assert_eq!(
        (first.from.as_str(), first.to.as_slice()),
        ("support@ringdown.example", &["team@example.com".into()][..])
    );
    let message = first.message();
    assert_eq!(message.subject(), Some(format!("[{reference}] Störung Bcc: all@example.com").as_str()));
    assert!(message.bcc().is_none(), "no header can be smuggled in");
    let from = message.from().and_then(|from| from.first()).expect("a sender");
    assert_eq!((from.name(), from.address()), (Some("Bücher Support"), Some("support@ringdown.example")));
    let reply_to = message.reply_to().and_then(|to| to.first()).expect("where answers go");
    assert_eq!(reply_to.address(), Some("desk@ringdown.example"));
    assert_eq!(message.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
    assert_eq!(message.in_reply_to().as_text(), Some(format!("{id}@ringdown.example").as_str()));
    assert_eq!(message.references().as_text(), Some(format!("{id}@ringdown.example").as_str()));
    assert_eq!(message.date().map(|date| date.to_timestamp()), Some(world.now().timestamp()));
    let body = message.body_text(0).expect("a text");
    let body = body.replace("\r\n", "\n");
    assert_eq!(body.trim_end(), "Guten Tag,\n\n.die Störung begann um 09:00 — mehr folgt.\n\n日本語");
    let attached = message.attachment(0).expect("an attachment");
    assert_eq!(attached.text_contents().map(str::trim_end), Some("# Ursache: Größe überschritten"));

    let second = &taken(&server, "Second word")[0];
    assert_eq!(second.message().in_reply_to().as_text(), message.in_reply_to().as_text());
    assert_ne!(second.message().message_id(), message.message_id());

    // Who asks sees that it went out, and to whom as far as they may.
    let row = &shown(&world, &reference, "Second word").await[0];
    assert_eq!((text(&row["stage"]), text(&row["to"])), ("sent".into(), "team@example.com".into()));
    assert_eq!(second.message().message_id(), Some(format!("{}@ringdown.example", text(&row["id"])).as_str()));
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_reaches_the_contact_and_the_subscribers() {
    let server = MailServer::start(None);
    let addresses = "mail = [\"desk@acme.example\"]\nsubscribers = [\"status@acme.example\"]\nteam = \"payments\"";
    let office = Office::default().edit("customers.toml", "team = \"payments\"", addresses);
    let world = World::posting(office, NIGHT, vec![("office".into(), smtp(&server, None))]).await;
    let body = json!({
        "customer": "acme", "priority": "P1", "title": "Card payments fail",
        "contact": { "name": "Ms Ito", "mail": "ito@acme.example" },
    });
    let reference = text(&world.post("/api/v1/incidents", body.clone()).await["reference"]);
    let told = world.act(&reference, "updates", "ben", json!({ "text": "Größe erhöht, es läuft wieder." })).await;
    assert!(told.status < 300, "{told:?}");
    let with_the_news = server.taken().into_iter().filter(|taken| {
        taken.message().body_text(0).is_some_and(|body| body.contains("Größe erhöht, es läuft wieder."))
    });
    let mut readers: Vec<String> = with_the_news.flat_map(|taken| taken.to).collect();
    readers.sort();
    assert_eq!(readers, ["ito@acme.example", "status@acme.example"]);
    for taken in server.taken() {
        assert!(taken.message().subject().is_some_and(|subject| subject.contains(&format!("[{reference}]"))));
    }
    let mut wrong = body;
    wrong["contact"]["mail"] = "Ms Ito <ito@acme.example>".into();
    let answer = world.try_post("/api/v1/incidents", wrong).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_greylists_is_asked_again_after_one_and_after_five_minutes() {
    let server = MailServer::start(None);
    let world = open(&server, "grey2@example.com").await;
    let reference = world.report("P1").await;
    world.mail(&reference, to_team("Patience")).await;
    let row = &shown(&world, &reference, "Patience").await[0];
    assert_eq!((text(&row["stage"]), row["code"].as_u64()), ("waiting".into(), Some(451)), "{row}");
    assert!(text(&row["reason"]).contains("Greylisted"), "{row}");
    world.seconds(59).await;
    assert_eq!(server.asked("grey2@example.com"), 1);
    world.seconds(1).await;
    assert_eq!(server.asked("grey2@example.com"), 2);
    world.minutes(5).await;
    assert_eq!(taken(&server, "Patience").len(), 1);
    let row = &shown(&world, &reference, "Patience").await[0];
    assert_eq!((text(&row["stage"]), row["tries"].as_u64(), &row["reason"]), ("sent".into(), Some(3), &Value::Null));
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_loses_nothing() {
    let mut server = MailServer::start(None);
    let mut world = open(&server, "team@example.com").await;
    let reference = world.report("P1").await;
    server.down();
    world.mail(&reference, to_team("While it was down")).await;
    let row = &shown(&world, &reference, "While").await[0];
    assert_eq!((text(&row["stage"]), &row["code"]), ("waiting".into(), &Value::Null), "{row}");
    // Nor does a restart of ours, or a quarter of an hour.
    world.minutes(10).await;
    world.restart().await;
    assert_eq!(taken(&server, "While").len(), 0);
    server.up();
    world.minutes(16).await;
    assert_eq!(taken(&server, "While").len(), 1);
    assert_eq!(text(&shown(&world, &reference, "While").await[0]["stage"]), "sent");
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_is_asked_before_a_mail_has_to_wait() {
    let (mut first, second) = (MailServer::start(None), MailServer::start(None));
    let carriers = vec![("a".into(), smtp(&first, None)), ("b".into(), smtp(&second, None))];
    let world = World::posting(office("team@example.com"), NIGHT, carriers).await;
    let reference = world.report("P1").await;
    first.down();
    world.mail(&reference, to_team("By the other way")).await;
    assert_eq!(taken(&second, "By the other way").len(), 1);
    let row = &shown(&world, &reference, "By the other way").await[0];
    assert_eq!((text(&row["carrier"]), row["tries"].as_u64()), ("b".into(), Some(1)));
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_that_is_gone_is_given_up_and_said_so_without_its_name() {
    let server = MailServer::start(None);
    let world = open(&server, "gone@example.com").await;
    let reference = world.report("P1").await;
    world.mail(&reference, to_team("To nobody")).await;
    world.minutes(30).await;
    let row = &shown(&world, &reference, "To nobody").await[0];
    assert_eq!(
        (text(&row["stage"]), row["code"].as_u64(), row["tries"].as_u64()),
        ("given_up".into(), Some(550), Some(1))
    );
    assert_eq!(text(&row["reason"]), "the mail server refused it (550): 5.1.1 … no such mailbox");
    assert_eq!(taken(&server, "To nobody").len(), 0);
    world.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_signs_in_where_it_must_and_a_wrong_password_drops_no_mail() {
    let server = MailServer::start(Some(PASSWORD));
    let carriers = vec![("office".into(), smtp(&server, Some(PASSWORD)))];
    let world = World::posting(office("team@example.com"), NIGHT, carriers).await;
    let reference = world.report("P1").await;
    world.mail(&reference, to_team("With a password")).await;
    let with = taken(&server, "With a password");
    assert_eq!(with[0].user.as_deref(), Some(USER));
    world.finish();

    for password in [None, Some("wrong")] {
        let carriers = vec![("office".into(), smtp(&server, password))];
        let world = World::posting(office("team@example.com"), NIGHT, carriers).await;
        let reference = world.report("P1").await;
        world.mail(&reference, to_team("Without")).await;
        let row = &shown(&world, &reference, "Without").await[0];
        assert_eq!(text(&row["stage"]), "waiting", "{password:?}: {row}");
        // Without even trying to sign in, the next command is one too early.
        let why = password.map_or("refused it (503)", |_| "does not let us sign in (535)");
        assert!(text(&row["reason"]).contains(why), "{row}");
        world.finish();
    }
    assert_eq!(taken(&server, "Without").len(), 0);
}
