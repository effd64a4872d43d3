//! A headless Chromium, driven through chromedriver by the HTTP of web drivers.
//!
//! Deliberately absent: waiting for time; whoever waits names a condition, and every question to the browser is the pause.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sas_router::clock::Stopwatch;
use serde_json::{Value, json};

use super::variable;

/// Within which time a condition comes about; far above what it takes.
const DEADLINE: Duration = Duration::from_secs(60);
/// What keeps a Chromium from asking anybody for anything by itself.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--window-size=1600,1100",
];

/// A browser with one page.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

/// Where chromedriver is; `None` where the tests run without a browser.
pub(crate) fn chromedriver() -> Option<PathBuf> {
    let named = variable("SAS_ROUTER_TEST_CHROMEDRIVER").map(PathBuf::from);
    let path = variable("PATH").unwrap_or_default();
    named.or_else(|| std::env::split_paths(&path).map(|folder| folder.join("chromedriver")).find(|file| file.is_file()))
}

/// The script that judges how usable a page is; `None` where it is not installed.
pub(crate) fn axe() -> Option<String> {
    let named = variable("SAS_ROUTER_TEST_AXE").map(PathBuf::from);
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/axe/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(named.unwrap_or(built)).ok()
}

impl Browser {
    /// Starts a browser with a profile of its own.
    pub(crate) fn start(chromedriver: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut driver =
            Command::new(chromedriver).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let said = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let started = said.filter_map(|line| line.split_once("successfully on port ").map(|(_, port)| port.to_owned()));
        let port = started.map(|port| port.trim_end_matches('.').parse().unwrap()).next().unwrap();
        let mut browser = Self { driver, port, session: String::new(), _profile: profile };
        let mut arguments: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", browser._profile.path().display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } });
        let session = browser.call("POST", "/session", &wanted);
        browser.session = session["sessionId"].as_str().unwrap_or_else(|| panic!("{session}")).to_owned();
        // What the browser's own first page asked for is not the console's.
        browser.command("url", &json!({ "url": "about:blank" }));
        browser.requests();
        browser
    }

    /// Opens an address.
    pub(crate) fn go(&self, url: &str) {
        self.command("url", &json!({ "url": url }));
    }

    /// The same, and waits until the page says that it is ready.
    pub(crate) fn open(&self, url: &str) {
        self.go(url);
        self.until(
            "return document.body.dataset.ready === 'yes' && document.querySelector('#live').dataset.state === 'live'",
        );
    }

    /// What a script returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.command("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// What a script hands to its last argument, a function.
    pub(crate) fn run_async(&self, script: &str) -> Value {
        self.command("execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Waits until a script returns something true, and gives it.
    pub(crate) fn until(&self, script: &str) -> Value {
        let begun = Stopwatch::start();
        loop {
            let value = self.run(script);
            if !matches!(value, Value::Null | Value::Bool(false)) {
                return value;
            }
            if begun.elapsed() > DEADLINE {
                let shown = self.run("return document.body.innerText.slice(0, 3000)");
                panic!("in vain: {script}\n{shown}\n{:?}", self.console());
            }
        }
    }

    /// A command of the browser's own protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.command("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Sets width and height of the page.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size);
    }

    /// Sets what the system says of light and dark.
    pub(crate) fn prefer(&self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
    }

    /// Presses Tab once, and says what has the focus then: its id, else its text.
    pub(crate) fn tab(&self) -> String {
        let key = |kind: &str| json!({ "type": kind, "value": "\u{E004}" });
        let actions =
            json!({ "actions": [{ "type": "key", "id": "keys", "actions": [key("keyDown"), key("keyUp")] }] });
        self.command("actions", &actions);
        let focused =
            self.run("const e = document.activeElement; return e.id || e.name || e.className || e.textContent");
        focused.as_str().unwrap_or_default().to_owned()
    }

    /// Takes a picture of the whole page into the build folder.
    pub(crate) fn picture(&self, name: &str, width: u32) {
        self.resize(width, 900);
        let height = self.run("return document.documentElement.scrollHeight").as_u64().unwrap();
        self.resize(width, u32::try_from(height).unwrap());
        // Two frames: the map draws itself anew after it was resized.
        self.run_async("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(1)))");
        let picture = self.devtools("Page.captureScreenshot", json!({ "format": "png" }));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/console-screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), from_base64(picture["data"].as_str().unwrap())).unwrap();
    }

    /// What the page complained of since the last call.
    pub(crate) fn console(&self) -> Vec<String> {
        let log = self.command("se/log", &json!({ "type": "browser" }));
        log.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// Every address that the page asked for since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = self.command("se/log", &json!({ "type": "performance" }));
        let messages = log.as_array().unwrap().iter().filter_map(|entry| entry["message"].as_str());
        let events = messages.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        let sent = events.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        sent.filter_map(|event| event["message"]["params"]["request"]["url"].as_str().map(str::to_owned)).collect()
    }

    fn command(&self, name: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}/{name}", self.session), body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).unwrap();
        let mut answer: Value = serde_json::from_slice(&bytes).unwrap();
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call("DELETE", &format!("/session/{}", self.session), &json!({}));
        }
        // Chromium ends with its driver.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The bytes behind a text in base 64.
fn from_base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').collect();
    let group = |chunk: &[u8]| {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 6 | value(*byte)) << (6 * (4 - chunk.len()));
        bits.to_be_bytes()[1..chunk.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}
