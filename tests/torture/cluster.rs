//! The real binary, one process or several on one database, and what can be done to a process.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::front;
use crate::world::*;

/// How long a lease lasts in these runs.
pub const LEASE: Duration = Duration::from_secs(3);

/// Further settings of every node, as lines of its file.
const MORE: &str = "lease = \"3s\"\n";

/// After so many seconds without an acknowledgement each level is reached, counted from the report. The last one is
/// that of the last resort, which may not be nearer to the one before.
pub const LEVELS: [i64; 5] = [0, 2, 4, 6, 36];

/// Within so many seconds the callback is promised. No plan may promise it sooner.
pub const CALLBACK: i64 = 60;

/// Who stands on which level.
pub const PEOPLE: [(&str, &str); 5] =
    [("ben", BEN), ("carla", CARLA), ("ines", INES), ("jonas", JONAS), ("kate", KATE)];

/// Everything is due within seconds, and no number is tried too often.
fn hasty() -> Office {
    const RULES: &str = "rules = { P1 = [{ by = 'sms', to = 'mobile' }, { by = 'voice', to = 'mobile' }], \
                         P2 = [{ by = 'sms', to = 'mobile' }] }";
    let limits = "[carriers]\n[carriers.limits]\nvoice = [{ count = 1000, per = \"1m\" }]\nsms = [{ count = 1000, per = \"1m\" }]\n";
    Office::default()
        .edit("policies.toml", "repeat = 1", "repeat = 0")
        .edit("people.toml", "zone = \"America/New_York\"\n", &format!("zone = \"UTC\"\n{RULES}\n"))
        .edit("policies.toml", "last_resort_after = \"5m\"", "last_resort_after = \"30s\"")
        .edit("policies.toml", "after = \"5m\"", &format!("after = \"{}s\"", LEVELS[1]))
        .edit("policies.toml", "after = \"10m\"", &format!("after = \"{}s\"", LEVELS[2]))
        .edit("policies.toml", "after = \"15m\"", &format!("after = \"{}s\"", LEVELS[3]))
        .edit("plans/standard.toml", "response = \"30m\"", &format!("response = \"{CALLBACK}s\""))
        .edit("carriers.toml", "[carriers]\n", limits)
}

/// One process, as far as it runs.
pub struct Node {
    pub address: SocketAddr,
    config: PathBuf,
    log: PathBuf,
    pub env: Vec<(&'static str, String)>,
    child: Option<Child>,
    paused: bool,
}

/// Processes on one database.
pub struct Cluster {
    pub nodes: Vec<Node>,
    /// Where senders and the carrier go.
    pub address: SocketAddr,
    /// A bearer token of an administrator.
    pub token: String,
    /// How often a process ended without being killed.
    pub ended: u32,
}

impl Cluster {
    /// So many nodes, none of them started. `env` is given to every one.
    pub async fn new(
        folder: &Path,
        database: &str,
        carrier: &Carrier,
        count: usize,
        env: &[(&'static str, String)],
    ) -> Cluster {
        hasty().write(&folder.join("schedules"));
        let nodes: Vec<Node> = (0..count).map(|n| Node::new(folder, n, database, carrier, env)).collect();
        let address = front::before(nodes.iter().map(|node| node.address).collect()).await;
        carrier.connect(Some(address));
        // It needs no server, and makes the tables.
        let made = nodes[0].command().args(["token", "create", "torture", "--role", "admin", "--json"]).output();
        let made = made.expect("it runs");
        let token: Value = serde_json::from_slice(&made.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&made.stderr)));
        Cluster { nodes, address, token: text(&token["token"]), ended: 0 }
    }

    pub fn start_all(&mut self) {
        self.nodes.iter_mut().for_each(Node::start);
    }

    pub fn kill(&mut self, node: usize) {
        self.ended += u32::from(!self.nodes[node].kill());
    }

    /// What a supervisor does: whoever ended is started again.
    pub fn revive(&mut self) {
        for node in &mut self.nodes {
            if node.has_ended() {
                self.ended += 1;
                node.start();
            }
        }
    }

    /// What the last ones said.
    pub fn said(&self) -> String {
        let tail = |node: &Node| {
            let log = std::fs::read_to_string(&node.log).unwrap_or_default();
            // What is well is said as JSON with a level; what is said by a process that cannot start is not.
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains("\"level\":\"INFO\"")).collect();
            lines[lines.len().saturating_sub(30)..].join("\n")
        };
        self.nodes.iter().map(tail).collect::<Vec<_>>().join("\n---\n")
    }

    /// A command of the binary against the running service.
    pub fn ask(&self, arguments: &[&str]) -> Command {
        let mut command = self.nodes[0].command();
        command.args(arguments);
        command.env("RINGDOWN_URL", format!("http://{}", self.address)).env("RINGDOWN_TOKEN", &self.token);
        command
    }
}

impl Node {
    fn new(folder: &Path, n: usize, database: &str, carrier: &Carrier, env: &[(&'static str, String)]) -> Node {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        let config = folder.join(format!("node{n}.toml"));
        let text = format!(
            "listen = \"{address}\"\npublic_url = \"{PUBLIC_URL}\"\ndatabase = \"{database}\"\n\
             token_secret = \"only the torture signs with this secret\"\nledger_key = \"{}\"\n\
             schedules = \"{}/schedules\"\nnode = \"node{n}\"\n{MORE}\n[carriers.main]\nkind = \"twilio\"\naccount_sid = \"{}\"\n\
             auth_token = \"{}\"\nbase_url = \"{}\"\nfrom = [\"{}\"]\n",
            "5a".repeat(32),
            folder.display(),
            carrier::ACCOUNT,
            carrier::TOKEN,
            carrier.base_url(),
            carrier::OURS,
        );
        std::fs::write(&config, text).expect("the settings");
        let log = folder.join(format!("node{n}.log"));
        Node { address, config, log, env: env.to_vec(), child: None, paused: false }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringdown"));
        command.env_clear().env("RINGDOWN_CONFIG", &self.config).env("PATH", "/usr/bin:/bin");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn start(&mut self) {
        let log = || File::options().create(true).append(true).open(&self.log).expect("a log");
        let mut command = self.command();
        let child = command.arg("serve").stdin(Stdio::null()).stdout(log()).stderr(log()).spawn();
        (self.child, self.paused) = (Some(child.expect("it starts")), false);
    }

    fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().expect("a process").is_some())
    }

    /// SIGKILL. False: it had ended by itself.
    pub fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return true };
        let running = child.try_wait().expect("a process").is_none();
        if running {
            child.kill().expect("it is there to be killed");
            child.wait().expect("gone");
        }
        running
    }

    /// SIGSTOP, and SIGCONT.
    pub fn pause(&mut self, paused: bool) {
        if let Some(child) = &self.child
            && self.paused != paused
        {
            let signal = if paused { "-STOP" } else { "-CONT" };
            let sent = Command::new("sh").args(["-c", "kill \"$0\" \"$1\"", signal, &child.id().to_string()]).status();
            assert!(sent.is_ok_and(|status| status.success()), "kill {signal}");
            self.paused = paused;
        }
    }

    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether it answers within `patience`.
    pub async fn answers(&self, http: &reqwest::Client, patience: Duration) -> bool {
        let begun = Instant::now();
        let url = format!("http://{}/healthz", self.address);
        loop {
            if http.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
                return true;
            }
            if begun.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
