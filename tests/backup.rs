//! The file of an SQLite database, copied while it is in use and put back: the real binary, as an operator runs it.

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

use ringdown::clock::Clock;
use serde_json::{Value, json};

use crate::{kill::Server, world::*};

/// A server, its folder and its carrier.
struct House {
    server: Server,
    carrier: Carrier,
    http: reqwest::Client,
    token: String,
    folder: tempfile::TempDir,
}

impl House {
    async fn new() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let carrier = Carrier::start(Clock::system(), PUBLIC_URL).await;
        let mut server = Server::new(folder.path(), &carrier).await;
        let made = server.command().args(["token", "create", "tests", "--role", "admin", "--json"]).output();
        let made: Value = serde_json::from_slice(&made.expect("it runs").stdout).expect("JSON");
        server.env =
            vec![("RINGDOWN_URL", format!("http://{}", server.address)), ("RINGDOWN_TOKEN", text(&made["token"]))];
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        House { server, carrier, http, token: text(&made["token"]), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a command says, on both channels, and whether it did what it was asked.
    fn run(&self, args: &[&str]) -> (bool, String) {
        let Output { status, stdout, stderr } = self.server.command().args(args).output().expect("it runs");
        (status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
    }

    fn done(&self, args: &[&str]) -> String {
        let (done, said) = self.run(args);
        assert!(done, "{args:?}: {said}");
        said
    }

    fn refused(&self, args: &[&str], why: &str) {
        let (done, said) = self.run(args);
        assert!(!done && said.contains(why), "{args:?}: {said}");
    }

    /// Opens an incident of this title; its reference.
    async fn report(&self, title: &str) -> String {
        let body = json!({ "customer": "acme", "priority": "P1", "title": title });
        let url = format!("http://{}/api/v1/incidents", self.server.address);
        let begun = Instant::now();
        loop {
            if let Ok(answer) = self.http.post(&url).bearer_auth(&self.token).json(&body).send().await {
                let incident: Value = answer.json().await.expect("JSON");
                return text(&incident["reference"]);
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not answer: {}", self.server.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn named(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_the_running_service_is_put_back_and_sends_nothing_old_by_itself() {
    let mut house = House::new().await;
    house.server.start();
    let first = house.report("The first").await;
    let copy = house.path("copy.db");
    let said = house.done(&["backup", named(&copy)]);
    assert!(said.contains("is sound. Incidents: 1, open: 1; up to"), "{said}");
    house.refused(&["backup", named(&copy)], "nothing was written over");
    let second = house.report("The second").await;

    house.refused(&["restore", named(&copy)], "with --replace it is kept aside");
    house.refused(&["restore", named(&copy), "--replace"], "stop it first");
    house.server.kill();
    let sent = house.carrier.sent().len();
    let said = house.done(&["restore", named(&copy), "--replace"]);
    assert!(said.contains(&format!("{first}  P1  since ")) && said.contains("The first"), "{said}");
    assert!(said.contains("ringdown quarantine list") && !said.contains(&second), "{said}");
    house.refused(&["restore", named(&copy)], "with --replace it is kept aside");

    house.server.start();
    let begun = Instant::now();
    let listed = loop {
        match house.run(&["quarantine", "list"]) {
            (true, listed) => break listed,
            (false, said) => assert!(begun.elapsed() < Duration::from_secs(30), "{said}"),
        }
    };
    assert!(listed.contains(&first) && listed.contains("Pages about open incidents are held until"), "{listed}");
    assert!(!house.run(&["show", &second]).0, "the copy did not know it");
    // The levels are two seconds apart: without the hold, somebody would have been paged.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(house.carrier.sent().len(), sent, "nothing went out");
    let said = house.done(&["quarantine", "drop", "--all"]);
    assert!(said.starts_with(&format!("{first}: dropped; ")), "{said}");
    let said = house.done(&["quarantine", "list"]);
    assert!(said.contains("Nothing is left in quarantine."), "{said}");
    house.server.kill();

    // What was set aside is whole.
    let aside = std::fs::read_dir(house.folder.path()).expect("the folder");
    let aside = aside.filter_map(|entry| Some(entry.ok()?.path())).find(|path| named(path).contains(".db.before-"));
    let said = house.done(&["restore", named(&aside.expect("kept")), "--replace"]);
    assert!(said.contains(&second), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_or_foreign_file_is_no_backup_and_a_damaged_database_can_be_replaced() {
    let mut house = House::new().await;
    house.server.start();
    let first = house.report("The first").await;
    let copy = house.path("copy.db");
    house.done(&["backup", named(&copy)]);
    house.server.kill();

    let (torn, text) = (house.path("torn.db"), house.path("text.db"));
    let mut bytes = std::fs::read(&copy).expect("the copy");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xff);
    std::fs::write(&torn, &bytes).expect("a file");
    house.refused(&["restore", named(&torn), "--replace"], "is damaged");
    std::fs::write(&text, "no database").expect("a file");
    house.refused(&["restore", named(&text), "--replace"], "is damaged");
    // A database beside which its log stands is not a whole copy.
    let (live, log) = (house.path("live.db"), house.path("live.db-wal"));
    std::fs::copy(&copy, &live).expect("a copy");
    std::fs::write(&log, "x").expect("a file");
    house.refused(&["restore", named(&live), "--replace"], "not a backup");
    house.refused(&["restore", named(&house.path("none.db"))], "there is no");

    std::fs::write(house.path("ringdown.db"), &bytes[middle..]).expect("the database");
    let said = house.done(&["restore", named(&copy), "--replace"]);
    assert!(said.contains("is damaged") && said.contains(&first), "{said}");
    let files = std::fs::read_dir(house.folder.path()).expect("the folder").count();
    house.done(&["migrate"]);
    let left = std::fs::read_dir(house.folder.path()).expect("the folder").count();
    assert_eq!(files, left, "no draft is left behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_keeps_the_newest_copies() {
    let house = House::new().await;
    let folder = house.path("copies");
    std::fs::create_dir(&folder).expect("a folder");
    for old in ["ringdown-20200101T000000Z.db", "ringdown-20210101T000000Z.db", "mine.db"] {
        std::fs::write(folder.join(old), "").expect("a file");
    }
    let said = house.done(&["backup", "--into", named(&folder), "--keep", "2"]);
    assert!(said.contains("is sound. Incidents: 0, open: 0; no event yet."), "{said}");
    let mut left: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("a name"))
        .collect();
    left.sort();
    assert_eq!((left.len(), left[0].as_str(), left[1].as_str()), (3, "mine.db", "ringdown-20210101T000000Z.db"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_restored_by_other_means_is_marked() {
    let mut house = House::new().await;
    house.server.start();
    let first = house.report("The first").await;
    house.server.kill();
    house.refused(&["restore", "--mark", "2100-01-01T00:00:00Z"], "is yet to come");
    let said = house.done(&["restore", "--mark", "2026-11-01T00:00:00Z"]);
    assert!(said.contains("Incidents in quarantine: 1. Their pages are held until"), "{said}");
    house.server.start();
    let begun = Instant::now();
    loop {
        let (done, listed) = house.run(&["quarantine", "list"]);
        if done {
            assert!(listed.contains(&first), "{listed}");
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{listed}");
    }
}
