//! A further node of a world: the same server once more, on threads of its own, so that it can die without a word.

use std::net::SocketAddr;

use reqwest::RequestBuilder;
use ringdown::{
    clock::Clock,
    server::{
        boot::{self, Running},
        settings::Settings,
    },
};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::{Answer, World};

/// A node beside the world's own server.
pub struct Node {
    runtime: Option<Runtime>,
    running: Option<Running>,
    pub address: SocketAddr,
    /// What its leases carry.
    pub id: String,
    token: String,
    http: reqwest::Client,
}

impl Node {
    /// Starts it.
    pub async fn start(settings: Settings, clock: Clock, token: &str) -> Node {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
        let started = tokio::task::block_in_place(|| runtime.block_on(boot::start(settings, clock)));
        let running = started.expect("the server starts");
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).pool_max_idle_per_host(0).build();
        Node {
            address: running.address,
            id: running.app.node.id().into(),
            runtime: Some(runtime),
            running: Some(running),
            token: token.into(),
            http: http.expect("a client"),
        }
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("the node is on")
    }

    /// It is gone, in the middle of whatever it does: no lease is given back, no connection closed in order.
    pub fn die(mut self) {
        self.die_now();
    }

    fn die_now(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Ends it in order.
    pub async fn stop(mut self) {
        let (runtime, running) =
            (self.runtime.as_ref().expect("threads"), self.running.take().expect("the node is on"));
        tokio::task::block_in_place(|| runtime.block_on(running.stop()));
    }

    async fn ask(&self, request: RequestBuilder) -> Answer {
        let response = request.bearer_auth(&self.token).send().await.expect("the node answers");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.ask(self.http.get(self.url(path))).await;
        assert_eq!(answer.status, 200, "GET {path}: {answer:?}");
        answer.body
    }

    /// What it is asked to do; nothing is waited for.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(self.http.post(self.url(path)).json(&body)).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.die_now();
    }
}

impl World {
    /// One more node on the world's database, with the world's clock.
    pub async fn node(&self, name: &str) -> Node {
        self.node_with(name, |settings| settings).await
    }

    /// One more node, with other settings.
    pub async fn node_with(&self, name: &str, change: impl FnOnce(Settings) -> Settings) -> Node {
        let settings = Settings { node: Some(name.into()), ..self.settings() };
        Node::start(change(settings), self.clock.clone(), &self.token).await
    }
}
