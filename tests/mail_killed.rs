//! A mail, and a process that is killed while it hands it over. On SQLite the next one takes it over at once, on
//! PostgreSQL when the lease ends.

use ringdown::{
    clock::Time,
    incident::{
        Effect,
        effect::{Mail, Recipient},
    },
    mail,
    store::Db,
};
use serde_json::{Value, json};

use crate::{
    kill::Server,
    mail::{PASSWORD, to_team},
    world::{
        mailserver::{MailServer, USER, within},
        *,
    },
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_the_commit_and_the_answer_it_sends_the_same_mail_again() {
    // As a provider's server is: encrypted, and with a password that stands in the environment alone.
    let mail_server = MailServer::encrypted(PASSWORD);
    let folder = tempfile::tempdir().expect("a folder");
    let carrier = Carrier::start(ringdown::clock::Clock::system(), PUBLIC_URL).await;
    let mut server = Server::new(folder.path(), &carrier).await;
    Office::default()
        .edit("people.toml", "[people.ben]\n", "[people.ben]\nmail = \"slow@example.com\"\n")
        .write(&folder.path().join("schedules"));
    let settings = std::fs::read_to_string(&server.config).expect("the settings");
    let smtp = format!(
        "\n[carriers.office]\nkind = \"smtp\"\nurl = \"smtp://localhost:{}?tls=required\"\nusername = \"{USER}\"\n\
         from = \"support@ringdown.example\"\n",
        mail_server.address.port()
    );
    server.env = vec![
        ("RINGDOWN_CARRIERS__OFFICE__PASSWORD", PASSWORD.into()),
        ("SSL_CERT_FILE", mail_server.certificate().display().to_string()),
    ];
    std::fs::write(&server.config, format!("lease = \"3s\"\n{settings}{smtp}")).expect("the settings");

    let doctor = server.command().args(["doctor"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("takes mail from us"), "{said}");
    let distrustful = server.command().args(["doctor"]).env_remove("SSL_CERT_FILE").output().expect("it runs");
    let said = String::from_utf8_lossy(&distrustful.stdout).into_owned();
    assert!(said.contains("invalid peer certificate"), "{said}");
    let made = server.command().args(["token", "create", "tests", "--role", "admin", "--json"]).output();
    let made: Value = serde_json::from_slice(&made.expect("a token").stdout).expect("JSON");
    server.start();

    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let body = json!({ "customer": "acme", "priority": "P4", "title": "Card payments fail" });
    let url = format!("http://{}/api/v1/incidents", server.address);
    let answer = loop {
        match http.post(&url).bearer_auth(text(&made["token"])).json(&body).send().await {
            Ok(answer) => break answer,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    };
    let incident: Value = answer.json().await.expect("JSON");

    // The row is written as the door writes it, into the database that the process has open.
    let db = Db::open(&server.database).await.expect("the database");
    let (config, _) = ringdown::config::check(&folder.path().join("schedules"), now());
    let mut tx = db.begin().await.expect("the database");
    let found = ringdown::incident::store::load(&mut tx, &text(&incident["id"]).as_str().into()).await;
    let (found, config) = (found.expect("the database").expect("an incident"), config.expect("a configuration"));
    let to = Recipient::Person("ben".into());
    let effects = [Effect::Mail(Mail { to, ..to_team("Twice if need be") })];
    let domain = Some("ringdown.example");
    mail::store::carry_out(&mut tx, &found, &effects, &config, domain, now()).await.expect("the database");
    tx.commit().await.expect("the database");

    // The mail server has the sender and the address, and is in no hurry.
    within("it is being handed over", || (mail_server.asked("slow@example.com") > 0).then_some(()));
    server.kill();
    assert_eq!(mail_server.taken().len(), 0);
    server.start();
    let arrived = within("it arrives", || mail_server.taken().into_iter().next());
    assert!(arrived.message().subject().is_some_and(|subject| subject.ends_with("Twice if need be")));
    let row = mail::store::of_incident(&mut db.read().await.expect("the database"), &found.id, 9).await;
    let id = row.expect("a row")[0].id.clone();
    assert_eq!(arrived.user.as_deref(), Some(USER));
    assert_eq!(arrived.message().message_id(), Some(format!("{id}@ringdown.example").as_str()));
    server.kill();
    db.close().await;
}

fn now() -> Time {
    ringdown::clock::Clock::system().now()
}
