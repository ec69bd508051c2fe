//! A PostgreSQL for the tests: the one of `RINGDOWN_TEST_POSTGRES`, or a private server of this process, from Debian's
//! binaries, on a free port, with its data in a folder of its own. It ends when this process does, however that ends.

use std::{
    fs::File,
    io::{self, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use ringdown::store::Db;
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// A server that others keep running: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, of somebody who may create
/// databases. Those that are made there stay.
const GIVEN: &str = "RINGDOWN_TEST_POSTGRES";

/// Runs the server until standard input ends, which it does when the tests are over or killed; then its folder goes
/// too. A word there ends the server alone: in order, or, if it is `crash`, at once.
const KEEPER: &str = r#"
trap '' INT
folder=$1; shift
"$@" &
server=$!
read -r word || word=
if [ "$word" = crash ]; then kill -QUIT "$server"; else kill -INT "$server"; fi
wait "$server"
[ -n "$word" ] || rm -rf "$folder"
"#;

const WHAT_TO_DO: &str = "the tests need PostgreSQL 15 or newer: install it (Debian: `apt-get install postgresql`), or \
                          name a server in RINGDOWN_TEST_POSTGRES";

static SHARED: OnceCell<Shared> = OnceCell::const_new();

/// What every world has its database from.
struct Shared {
    /// Without the name of a database.
    base: String,
    template: String,
    made: AtomicU32,
    /// Lives as long as the process.
    _server: Option<Server>,
}

/// The address of a new database with all tables, and nothing in them.
pub async fn database() -> String {
    let shared = SHARED.get_or_init(share).await;
    let name = format!("{}_{}", shared.template, shared.made.fetch_add(1, Ordering::Relaxed));
    create(&shared.base, &name, &format!("template {}", shared.template)).await;
    format!("{}/{name}", shared.base)
}

async fn share() -> Shared {
    let (server, base) = match std::env::var(GIVEN) {
        Ok(url) => (None, url.rsplit_once('/').expect("RINGDOWN_TEST_POSTGRES ends with /DATABASE").0.to_owned()),
        Err(_) => {
            let server = tokio::task::spawn_blocking(Server::start).await.expect("a server");
            let base = server.base();
            (Some(server), base)
        }
    };
    let template = format!("ringdown_test_{}_{}", std::process::id(), rand::random::<u16>());
    // Sorted as an office sorts its names: nothing of ours may count on the order of bytes.
    create(&base, &template, "template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US'").await;
    Db::open(&format!("{base}/{template}")).await.expect("the tables").close().await;
    Shared { base, template, made: AtomicU32::new(0), _server: server }
}

async fn create(base: &str, name: &str, how: &str) {
    let begun = Instant::now();
    loop {
        let made = async {
            let mut connection = PgConnection::connect(&format!("{base}/postgres")).await?;
            let create = format!("create database {name} {how}");
            connection.execute(sqlx::AssertSqlSafe(create)).await?;
            connection.close().await
        };
        match made.await {
            Ok(()) => return,
            // A server that starts refuses; one database is copied at a time.
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(120), "cannot create {name}: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// A server of ours.
pub struct Server {
    folder: TempDir,
    binaries: PathBuf,
    port: u16,
    durable: bool,
    running: Option<(Child, ChildStdin)>,
}

impl Server {
    /// A new one, without any database of ours. Blocks until it answers.
    pub fn start() -> Server {
        Server::new(false)
    }

    /// The same, and what it committed is on the disk.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn durable() -> Server {
        Server::new(true)
    }

    fn new(durable: bool) -> Server {
        let binaries = binaries();
        let folder = tempfile::Builder::new().prefix("ringdown-postgres-").tempdir().expect("a folder");
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(folder.path()));
        }
        let data = folder.path().join("data");
        run(as_nobody_great(&binaries.join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg("--pgdata")
            .arg(&data));
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let mut server = Server { folder, binaries, port, durable, running: None };
        server.start_again();
        server
    }

    /// Where it answers, without the name of a database.
    pub fn base(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }

    /// A new database on it, with nothing in it.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub async fn database(&self) -> String {
        create(&self.base(), "ringdown", "").await;
        format!("{}/ringdown", self.base())
    }

    /// Ends every connection and the server.
    pub fn stop(&mut self) {
        self.end(b"stop\n");
    }

    /// Ends it at once, in the middle of whatever it does: it has to recover when it is started again.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn crash(&mut self) {
        self.end(b"crash\n");
    }

    fn end(&mut self, how: &[u8]) {
        if let Some((mut keeper, mut stdin)) = self.running.take() {
            stdin.write_all(how).expect("it listens");
            drop(stdin);
            keeper.wait().expect("it ends");
        }
    }

    /// The same data, on the same port.
    pub fn start_again(&mut self) {
        let log = File::options().create(true).append(true).open(self.log()).expect("a log");
        let server = as_nobody_great(&self.binaries.join("postgres"));
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(self.folder.path()).arg(server.get_program()).args(server.get_args());
        keeper.arg("-D").arg(self.folder.path().join("data")).arg("-k").arg(self.folder.path());
        keeper.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=400"]);
        keeper.args(["-c", "shared_buffers=64MB"]);
        if !self.durable {
            // The tests end before a machine does.
            keeper.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        let (out, err) = (log.try_clone().expect("the log"), log);
        keeper.current_dir("/").stdin(Stdio::piped()).stdout(out).stderr(err);
        let mut child = keeper.spawn().expect("sh");
        let stdin = child.stdin.take().expect("its input");
        self.running = Some((child, stdin));
        self.wait();
    }

    /// What it wrote down of transactions that waited for each other, each with both statements. Not of a server that
    /// others keep running.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn deadlocks(&self) -> Vec<String> {
        let log = std::fs::read(self.log()).unwrap_or_default();
        deadlocks(&String::from_utf8_lossy(&log))
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        let ready = self.binaries.join("pg_isready");
        let port = self.port.to_string();
        loop {
            let asked = Command::new(&ready).args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
            if asked.is_ok_and(|answer| answer.success()) {
                return;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(180),
                "PostgreSQL does not start:\n{}",
                std::fs::read_to_string(self.log()).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

/// Each deadlock in a server's log, from its first line to the statement that was given up.
fn deadlocks(log: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = false;
    for line in log.lines() {
        let begins = line.contains("deadlock detected");
        if begins {
            found.push(String::new());
        }
        let goes_on = line.starts_with('\t')
            || ["DETAIL: ", "HINT: ", "CONTEXT: ", "STATEMENT: "].iter().any(|word| line.contains(word));
        inside = begins || (inside && goes_on);
        if let Some(last) = found.last_mut().filter(|_| inside) {
            last.push_str(line);
            last.push('\n');
        }
    }
    found
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn is_root() -> bool {
    let asked = Command::new("id").arg("-u").output().expect("id");
    asked.stdout.trim_ascii() == b"0"
}

/// PostgreSQL runs for no root.
fn as_nobody_great(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program).current_dir("/");
    command
}

fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; {WHAT_TO_DO}"));
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
}

/// The newest that is installed, installed if that can be done.
fn binaries() -> PathBuf {
    if let Some(found) = installed() {
        return found;
    }
    assert!(is_root() && Path::new("/etc/debian_version").exists(), "{WHAT_TO_DO}");
    install().unwrap_or_else(|error| panic!("{error}; {WHAT_TO_DO}"));
    installed().unwrap_or_else(|| panic!("{WHAT_TO_DO}"))
}

/// From Debian, without a server of its own being started.
fn install() -> io::Result<()> {
    std::fs::create_dir_all("/etc/postgresql-common")?;
    std::fs::write("/etc/postgresql-common/createcluster.conf", "create_main_cluster = false\n")?;
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    run(apt().args(["update", "-qq"]));
    run(apt().args(["install", "-qq", "-y", "-o", "Dpkg::Options::=--force-confold", "postgresql"]));
    Ok(())
}

fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let version = |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse::<u32>().ok();
    let newest = versions.filter_map(version).filter(|version| *version >= 15).max()?;
    Some(Path::new("/usr/lib/postgresql").join(newest.to_string()).join("bin"))
}
