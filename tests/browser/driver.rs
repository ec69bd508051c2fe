//! A browser: Debian's Chromium, driven through the WebDriver protocol (W3C) of its chromedriver.
//!
//! A crate for it would turn on `preserve_order` of serde_json for all of this package's tests, and the order of fields
//! is what hashes are made of. The dozen requests needed here are short.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// How long something may take to show.
const PATIENCE: Duration = Duration::from_secs(30);

/// The name of an element in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One window of one browser, with its own chromedriver; both end with it.
pub struct Browser {
    session: String,
    http: reqwest::Client,
    driver: Child,
}

impl Browser {
    /// Opens one that knows no other host than this machine.
    pub async fn open() -> Browser {
        let program = std::env::var("RINGDOWN_TEST_CHROMEDRIVER").unwrap_or_else(|_| "/usr/bin/chromedriver".into());
        if !Path::new(&program).exists() {
            install();
        }
        let mut driver = Command::new(&program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}; install chromium and chromium-driver"));
        let port = port(&mut driver);
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(120)).build();
        let http = http.expect("a client");
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let base = format!("http://127.0.0.1:{port}/session");
        let made = http.post(&base).json(&wanted).send().await.expect("chromedriver answers");
        let made: Value = made.json().await.expect("JSON");
        let id = made["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {made}"));
        Browser { session: format!("{base}/{id}"), http, driver }
    }

    async fn ask(&self, path: &str, body: Value) -> Result<Value, String> {
        let answer = self.http.post(format!("{}/{path}", self.session)).json(&body).send().await;
        let answer: Value = answer.expect("chromedriver answers").json().await.expect("JSON");
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{path}: {error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }

    async fn done(&self, path: &str, body: Value) -> Value {
        self.ask(path, body).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Goes there, and waits until the page is loaded.
    pub async fn go(&self, url: &str) {
        self.done("url", json!({ "url": url })).await;
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.done("refresh", json!({})).await;
    }

    /// A cookie of the host that the present page is of.
    pub async fn cookie(&self, name: &str, value: &str) {
        let cookie = json!({ "name": name, "value": value, "path": "/", "httpOnly": true });
        self.done("cookie", json!({ "cookie": cookie })).await;
    }

    /// Forgets who is signed in.
    pub async fn forget(&self) {
        let answer = self.http.delete(format!("{}/cookie", self.session)).send().await.expect("chromedriver answers");
        assert!(answer.status().is_success());
    }

    /// What a script gives: `return …`.
    pub async fn script(&self, script: &str) -> Value {
        self.done("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// What a script that waits gives to its callback, `arguments[arguments.length - 1]`.
    pub async fn slow_script(&self, script: &str) -> Value {
        self.done("execute/async", json!({ "script": script, "args": [] })).await
    }

    /// A command of the browser's own protocol.
    pub async fn command(&self, name: &str, parameters: Value) -> Value {
        self.done("goog/cdp/execute", json!({ "cmd": name, "params": parameters })).await
    }

    /// How wide the window is, and which colours its reader likes.
    pub async fn look(&self, width: u32, dark: bool) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.command("Emulation.setEmulatedMedia", features).await;
    }

    /// Whether pages may run scripts, from the next one on.
    pub async fn scripts(&self, on: bool) {
        self.command("Emulation.setScriptExecutionDisabled", json!({ "value": !on })).await;
    }

    async fn element(&self, css: &str) -> Result<String, String> {
        let found = self.ask("element", json!({ "using": "css selector", "value": css })).await?;
        Ok(found[ELEMENT].as_str().expect("an element").to_owned())
    }

    /// Does something with an element, again until it is there and can be used.
    async fn with(&self, css: &str, act: &str, body: Value) {
        let begun = Instant::now();
        loop {
            let done = match self.element(css).await {
                Ok(element) => self.ask(&format!("element/{element}/{act}"), body.clone()).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(_) => return,
                Err(error) if begun.elapsed() > PATIENCE => {
                    panic!("{css}: {error}\non {}:\n{}", self.url().await, self.text().await)
                }
                // Swapped at this very moment, or not there yet.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Clicks on it, as soon as it can be.
    pub async fn click(&self, css: &str) {
        self.with(css, "click", json!({})).await;
    }

    /// Presses keys one after the other, as somebody at a keyboard does: what has the focus gets them.
    pub async fn keys(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|stroke| json!({ "type": stroke, "value": key })))
            .collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.done("actions", json!({ "actions": [keyboard] })).await;
    }

    /// Writes into it, in place of what stood there.
    pub async fn write(&self, css: &str, text: &str) {
        self.with(css, "clear", json!({})).await;
        self.with(css, "value", json!({ "text": text })).await;
    }

    /// Picks an option by its value.
    pub async fn pick(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value=\"{value}\"]")).await;
    }

    /// Opens a folded part, if it is not open.
    pub async fn unfold(&self, css: &str) {
        self.shows(css).await;
        if self.script(&format!("return document.querySelector({}).open", json!(css))).await != true {
            self.click(&format!("{css} > summary")).await;
        }
    }

    /// Waits until there is such an element.
    pub async fn shows(&self, css: &str) {
        self.until(&format!("document.querySelector({}) !== null", json!(css))).await;
    }

    /// Waits until an element has such words in it.
    pub async fn says(&self, css: &str, words: &str) {
        let words = json!(words.to_lowercase());
        let found = format!(
            "[...document.querySelectorAll({})].some(e => e.innerText.toLowerCase().includes({words}))",
            json!(css)
        );
        self.until(&found).await;
    }

    /// Waits until an expression is true.
    pub async fn until(&self, expression: &str) {
        let begun = Instant::now();
        loop {
            let script = json!({ "script": format!("return !!({expression})"), "args": [] });
            if self.ask("execute/sync", script).await == Ok(Value::Bool(true)) {
                return;
            }
            if begun.elapsed() > PATIENCE {
                panic!("not within {PATIENCE:?}: {expression}\non {}:\n{}", self.url().await, self.text().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What can be read on the page.
    pub async fn text(&self) -> String {
        self.script("return document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }

    /// Where it is.
    pub async fn url(&self) -> String {
        self.script("return location.href").await.as_str().unwrap_or_default().to_owned()
    }

    /// What the console was told since it was last asked.
    pub async fn console(&self) -> Vec<String> {
        let log = self.done("se/log", json!({ "type": "browser" })).await;
        let entries = log.as_array().into_iter().flatten();
        entries.map(|entry| format!("{} {}", entry["level"], entry["message"])).collect()
    }

    /// A picture of the whole page.
    pub async fn picture(&self, file: &Path) {
        let shot = self.command("Page.captureScreenshot", json!({ "captureBeyondViewport": true })).await;
        let bytes = BASE64_STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64");
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, bytes).expect("a file");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its driver's shutdown; a driver that is killed leaves it running.
        if let Some(address) = self.session.strip_prefix("http://").and_then(|rest| rest.split('/').next()) {
            let path = self.session.split_once(address).map_or("", |(_, path)| path);
            let request = format!("DELETE {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            if let Ok(mut stream) = std::net::TcpStream::connect(address) {
                use std::io::{Read, Write};
                let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                let _ = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut Vec::new()));
            }
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The port that chromedriver says it found.
fn port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
    let said = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    // It must be able to go on talking.
    std::thread::spawn(move || lines.for_each(drop));
    said.expect("chromedriver says on which port it listens")
}

/// The two packages, where this is Debian and we may: tests never leave the browser out silently.
fn install() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let script = "export DEBIAN_FRONTEND=noninteractive; \
                      apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium chromium-driver";
        let done = Command::new("sh").args(["-c", script]).stdout(Stdio::null()).status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "the tests of the pages need Debian's chromium and chromium-driver: install them, or name another \
             chromedriver in RINGDOWN_TEST_CHROMEDRIVER"
        );
    });
}
