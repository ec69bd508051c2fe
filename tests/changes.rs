//! What changes, followed live.

use std::time::Duration;

use ringdown::access::Role;
use serde_json::{Value, json};

use crate::world::*;

/// One who follows.
pub struct Follower {
    response: reqwest::Response,
    text: String,
    /// The id of the last event.
    pub last: Option<String>,
}

impl Follower {
    /// Begins where `last` ended.
    pub async fn of(url: &str, token: &str, last: Option<&str>) -> Follower {
        Self::with(url, last, |request| request.bearer_auth(token)).await
    }

    /// The pages' own stream, with the cookies of somebody who is signed in.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub async fn of_page(url: &str, browser: &Browser, last: Option<&str>) -> Follower {
        let cookies = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        Self::with(url, last, |request| request.header("cookie", cookies.join("; "))).await
    }

    async fn with(
        url: &str,
        last: Option<&str>,
        known: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Follower {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let mut request = known(http.get(url));
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Follower { response, text: String::new(), last: None }
    }

    /// The next change; `None`: the stream ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                // A sign of life is no change.
                let Some(data) = field("data:").filter(|_| field("event:") != Some("alive")) else { continue };
                self.last = field("id:").map(Into::into);
                return Some(serde_json::from_str(data).expect("JSON"));
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await.expect("in time");
            self.text += std::str::from_utf8(&chunk.ok().flatten()?).expect("text");
        }
    }

    /// Until an incident has had this event.
    pub async fn until(&mut self, id: &str, seq: u64) {
        loop {
            let change = self.next().await.expect("a change");
            if change["id"] == id && change["seq"].as_u64() >= Some(seq) {
                return;
            }
        }
    }
}

/// Its id, and the number of its last event.
pub async fn newest(world: &World, reference: &str) -> (String, u64) {
    let incident = world.get(&format!("/api/v1/incidents/{reference}")).await;
    let id = text(&incident["id"]);
    let events = world.get(&format!("/api/v1/incidents/{reference}/events?limit=200")).await;
    let last = events["items"].as_array().expect("a list").last().expect("an event")["seq"].as_u64();
    (id, last.expect("a number"))
}

async fn report(world: &World, title: &str) -> String {
    let body = json!({ "customer": "acme", "priority": "P1", "title": title });
    let reference = text(&world.post("/api/v1/incidents", body).await["reference"]);
    world.settle().await;
    reference
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_hears_of_every_change_and_misses_none_while_away() {
    let world = World::start().await;
    let (url, token) = (world.url("/api/v1/changes"), world.grant("board", Role::Viewer, None).await);
    let first = report(&world, "Card payments fail").await;
    let (id, seq) = newest(&world, &first).await;
    let mut follower = Follower::of(&url, &token, None).await;
    follower.until(&id, seq).await;

    world.post(&format!("/api/v1/incidents/{first}/acknowledge"), json!({})).await;
    let (_, acknowledged) = newest(&world, &first).await;
    assert!(acknowledged > seq);
    follower.until(&id, acknowledged).await;

    let last = follower.last.take().expect("an id");
    drop(follower);
    let second = report(&world, "The shop is gone").await;
    world.post(&format!("/api/v1/incidents/{first}/resolve"), json!({ "note": "A cable." })).await;
    world.minutes(10).await;
    let mut again = Follower::of(&url, &token, Some(&last)).await;
    // In the order in which they changed: the first, which is closed by now and in no list of open ones, among them.
    let (id, resolved) = newest(&world, &first).await;
    let (other, reported) = newest(&world, &second).await;
    let mut missing = vec![(id, resolved), (other, reported)];
    while !missing.is_empty() {
        let change = again.next().await.expect("a change");
        missing.retain(|(id, seq)| change["id"] != **id || change["seq"].as_u64() < Some(*seq));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_the_stream_and_is_not_held_up_by_it() {
    let mut world = World::start().await;
    let token = world.grant("board", Role::Viewer, None).await;
    let mut follower = Follower::of(&world.url("/api/v1/changes"), &token, None).await;
    let begun = std::time::Instant::now();
    world.stop().await;
    assert_eq!(follower.next().await, None);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}
