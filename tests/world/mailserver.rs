//! A mail server: a process of its own that speaks SMTP on loopback, and keeps what it took as files in a folder.
//!
//! The process is this very test binary, started again. So a test needs nothing but Rust: no package to install, no
//! right to install it, and no way to skip silently where it is missing. The protocol is not ours: the crate `mailin`
//! reads every command and knows which may follow which, so that what it refuses, a real server would refuse; what it
//! took, another crate, `mail-parser`, reads. Neither knows the library that sends.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use mail_parser::{Message, MessageParser};
use mailin::{Action, AuthMechanism, Handler, Response, Session, SessionBuilder, response};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tempfile::TempDir;

/// The test that is the server when it is told where to listen.
const ITSELF: &str = "mail::the_mail_server_is_a_process_that_speaks_smtp";

const LISTEN: &str = "RINGDOWN_TEST_SMTP_LISTEN";
const FOLDER: &str = "RINGDOWN_TEST_SMTP_FOLDER";
const PASSWORD: &str = "RINGDOWN_TEST_SMTP_PASSWORD";
const ENCRYPTED: &str = "RINGDOWN_TEST_SMTP_ENCRYPTED";

pub const USER: &str = "ringdown";

/// A mail server and the folder of what it took.
pub struct MailServer {
    child: Option<Child>,
    pub address: SocketAddr,
    password: Option<String>,
    encrypted: bool,
    folder: TempDir,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    /// Who had signed in.
    pub user: Option<String>,
    pub raw: Vec<u8>,
}

impl Taken {
    pub fn message(&self) -> Message<'_> {
        MessageParser::default().parse(&self.raw).expect("a message")
    }
}

impl MailServer {
    /// One that takes mail from anybody, or with a password only from [`USER`] who knows it.
    pub fn start(password: Option<&str>) -> MailServer {
        MailServer::open(password, false)
    }

    /// One that lets people sign in only after STARTTLS. Its certificate is its own: [`MailServer::certificate`].
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn encrypted(password: &str) -> MailServer {
        MailServer::open(Some(password), true)
    }

    fn open(password: Option<&str>, encrypted: bool) -> MailServer {
        let folder = tempfile::tempdir().expect("a folder");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let password = password.map(Into::into);
        let mut server = MailServer { child: None, address, password, encrypted, folder };
        if encrypted {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
            std::fs::write(server.certificate(), made.cert.pem()).expect("it is written");
            std::fs::write(server.folder.path().join("key.pem"), made.signing_key.serialize_pem()).expect("a key");
        }
        server.up();
        server
    }

    /// What those who are to trust it need, as a PEM file.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Starts it, where it was before if it ran before.
    pub fn up(&mut self) {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["--exact", ITSELF, "--nocapture"]).env(LISTEN, self.address.to_string());
        command.env(FOLDER, self.folder.path()).stdin(Stdio::piped()).stdout(Stdio::null());
        if let Some(password) = &self.password {
            command.env(PASSWORD, password);
        }
        if self.encrypted {
            command.env(ENCRYPTED, "1");
        }
        let ready = self.folder.path().join("address");
        let _ = std::fs::remove_file(&ready);
        self.child = Some(command.spawn().expect("the mail server starts"));
        self.address = within("the mail server is up", || std::fs::read_to_string(&ready).ok()?.parse().ok());
    }

    /// Ends it without a word.
    pub fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is there to be killed");
            child.wait().expect("gone");
        }
    }

    /// Everything it took, oldest first.
    pub fn taken(&self) -> Vec<Taken> {
        let mut all = Vec::new();
        while let Ok(text) = std::fs::read(self.folder.path().join(format!("{}.mail", all.len()))) {
            let mut lines = text.splitn(4, |byte| *byte == b'\n');
            let mut line = || lines.next().expect("a line").to_vec();
            let word = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
            let (from, to, user) = (word(line()), word(line()), word(line()));
            let user = Some(user).filter(|user| !user.is_empty());
            all.push(Taken { from, to: to.split(' ').map(Into::into).collect(), user, raw: line() });
        }
        all
    }

    /// How often somebody wanted to write to this address.
    pub fn asked(&self, address: &str) -> u64 {
        asked(self.folder.path(), address)
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.down();
    }
}

/// Waits, in real time, for something of another process.
pub fn within<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = holds() {
            return value;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// In the server's own process: serves for ever, or until nobody needs it. Elsewhere it returns at once.
pub fn serve_if_told() {
    let Ok(listen) = std::env::var(LISTEN) else { return };
    let folder = PathBuf::from(std::env::var(FOLDER).expect("a folder"));
    let password = std::env::var(PASSWORD).ok();
    let tls = std::env::var(ENCRYPTED).is_ok().then(|| encryption(&folder));
    let listener = TcpListener::bind(&listen).expect("the port is free");
    let address = listener.local_addr().expect("an address");
    write(&folder.join("address"), address.to_string().as_bytes());
    // When the test that needs it ends, however it ends, so does its end of this line.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(0);
    });
    for stream in listener.incoming() {
        let (stream, folder, password) = (stream.expect("a connection"), folder.clone(), password.clone());
        let tls = tls.clone();
        std::thread::spawn(move || converse(stream, folder, password, tls));
    }
}

fn encryption(folder: &Path) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(folder.join("certificate.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.expect("versions of TLS").with_no_client_auth().with_single_cert(vec![certificate], key);
    Arc::new(config.expect("they belong together"))
}

fn converse(mut stream: TcpStream, folder: PathBuf, password: Option<String>, tls: Option<Arc<ServerConfig>>) {
    let mut builder = SessionBuilder::new("mail.example.com");
    if password.is_some() {
        builder.enable_auth(AuthMechanism::Plain);
    }
    match &tls {
        Some(_) => builder.enable_start_tls(),
        None => builder.insecure_enable_plaintext_auth(),
    };
    let clerk = Clerk { folder, password, user: String::new(), from: String::new(), to: Vec::new(), data: Vec::new() };
    let mut session = builder.build(IpAddr::V4(Ipv4Addr::LOCALHOST), clerk);
    let _ = session.greeting().write_to(&mut stream);
    let upgrade = talk(&mut session, &mut stream);
    if let (true, Some(config)) = (upgrade, tls) {
        session.tls_active();
        let tls = ServerConnection::new(config).expect("a line");
        talk(&mut session, &mut StreamOwned::new(tls, stream));
    }
}

/// Until one of them leaves, or wants to go on encrypted: then true.
fn talk(session: &mut Session<Clerk>, stream: &mut (impl Read + Write)) -> bool {
    let (mut line, mut byte) = (Vec::new(), [0]);
    // One at a time: what follows STARTTLS is not ours to read.
    while stream.read(&mut byte).is_ok_and(|read| read == 1) {
        line.push(byte[0]);
        if byte[0] != b'\n' {
            continue;
        }
        let answer = session.process(&line);
        line.clear();
        let mut said = Vec::new();
        if answer.action != Action::NoReply {
            answer.write_to(&mut said).expect("an answer");
        }
        if stream.write_all(&said).and_then(|()| stream.flush()).is_err() || answer.action == Action::Close {
            return false;
        }
        if answer.action == Action::UpgradeTls {
            return true;
        }
    }
    false
}

/// Decides by the address, as servers do: `grey2@` is refused twice for now, `gone@` for ever, `slow@` waits for
/// minutes at the first time.
struct Clerk {
    folder: PathBuf,
    password: Option<String>,
    user: String,
    from: String,
    to: Vec<String>,
    data: Vec<u8>,
}

impl Handler for Clerk {
    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        if self.password.is_some() && self.user.is_empty() {
            return response::AUTHENTICATION_REQUIRED;
        }
        (self.from, self.to, self.data) = (from.into(), Vec::new(), Vec::new());
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        let before = asked(&self.folder, to);
        write(&self.folder.join(format!("{to}.asked")), (before + 1).to_string().as_bytes());
        let name = to.split('@').next().unwrap_or_default();
        match name.strip_prefix("grey").and_then(|times| times.parse::<u64>().ok()) {
            Some(times) if before < times => {
                return Response::custom(451, "4.7.1 Greylisted, come back later".into());
            }
            _ if name == "gone" => return Response::custom(550, format!("5.1.1 <{to}>: no such mailbox")),
            _ if name == "slow" && before == 0 => std::thread::sleep(Duration::from_secs(300)),
            _ => {}
        }
        self.to.push(to.into());
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.data.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let mut text = format!("{}\n{}\n{}\n", self.from, self.to.join(" "), self.user).into_bytes();
        text.append(&mut self.data);
        let part = self.folder.join(format!("{:?}.part", std::thread::current().id()));
        std::fs::write(&part, text).expect("it is written");
        // The first number that is free; linking to one that is taken fails.
        let free = |n: &usize| std::fs::hard_link(&part, self.folder.join(format!("{n}.mail"))).is_ok();
        (0..).find(free);
        std::fs::remove_file(&part).expect("it is moved");
        response::OK
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        if user == USER && Some(password) == self.password.as_deref() {
            self.user = user.into();
            response::AUTH_OK
        } else {
            response::INVALID_CREDENTIALS
        }
    }
}

fn asked(folder: &Path, address: &str) -> u64 {
    let kept = std::fs::read_to_string(folder.join(format!("{address}.asked")));
    kept.ok().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// A whole file or none.
fn write(path: &Path, bytes: &[u8]) {
    let part = path.with_extension("part");
    let mut file = std::fs::File::create(&part).expect("a file");
    file.write_all(bytes).expect("it is written");
    std::fs::rename(part, path).expect("it is moved");
}
