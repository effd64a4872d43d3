//! The files of `deploy/prometheus`: what alarms say, that each rings when it should and not otherwise, and that the real
//! Prometheus takes them.
//!
//! Invariant: an alarm reads only metrics that the program declares, and has its place in the runbook.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sas_router::clock::Stopwatch;
use sas_router::telemetry::catalog::{Kind, METRICS};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use crate::harness::promql;

/// Within which time Prometheus must have done what it does within a second; far above that.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus")
}

/// What promtool says; it fails the test when promtool does.
pub(crate) fn promtool(arguments: &[&str], files: &[PathBuf]) -> String {
    let mut command = Command::new("promtool");
    let output = command.args(arguments).args(files).output();
    let output = output.expect("promtool is needed: `tests/run` fetches it, or install Debian's `prometheus`");
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    said
}

fn yaml(path: &Path) -> Yaml {
    let text = fs::read_to_string(path).unwrap();
    YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).remove(0)
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

fn list(yaml: &Yaml) -> Vec<Yaml> {
    yaml.as_vec().cloned().unwrap_or_default()
}

fn text(yaml: &Yaml) -> &str {
    yaml.as_str().unwrap_or_default()
}

fn rules() -> Vec<Yaml> {
    let files = files_of(&folder().join("rules"));
    let groups = files.iter().flat_map(|file| list(&yaml(file)["groups"]));
    groups.flat_map(|group| list(&group["rules"])).collect()
}

fn alerts() -> Vec<Yaml> {
    rules().into_iter().filter(|rule| !rule["alert"].is_badvalue()).collect()
}

fn alert_names() -> BTreeSet<String> {
    alerts().iter().map(|alert| text(&alert["alert"]).to_owned()).collect()
}

/// Series that rules record, with their expressions.
pub(crate) fn recorded() -> BTreeMap<String, String> {
    let rules = rules();
    let recording = rules.iter().filter(|rule| !rule["record"].is_badvalue());
    recording.map(|rule| (text(&rule["record"]).to_owned(), text(&rule["expr"]).to_owned())).collect()
}

#[test]
fn promtool_accepts_the_configuration_and_every_rule() {
    promtool(&["check", "config"], &[folder().join("prometheus.yml")]);
    promtool(&["check", "rules", "--lint=all", "--lint-fatal"], &files_of(&folder().join("rules")));
}

#[test]
fn every_alarm_rings_stays_silent_and_ends_as_its_tests_say() {
    let said = promtool(&["test", "rules"], &files_of(&folder().join("tests")));
    assert!(said.contains("SUCCESS"), "{said}");
}

#[test]
fn every_alarm_is_tested_to_ring_to_be_silent_before_and_to_end() {
    let groups: Vec<_> = files_of(&folder().join("tests")).iter().flat_map(|file| list(&yaml(file)["tests"])).collect();
    let mut proven = BTreeSet::new();
    for group in &groups {
        let mut course: BTreeMap<String, Vec<(u64, bool)>> = BTreeMap::new();
        for test in list(&group["alert_rule_test"]) {
            let rings = !list(&test["exp_alerts"]).is_empty();
            let name = text(&test["alertname"]).to_owned();
            course.entry(name).or_default().push((minutes(text(&test["eval_time"])), rings));
        }
        for (name, mut course) in course {
            course.sort_unstable();
            let rings: Vec<_> = course.into_iter().map(|(_, rings)| rings).collect();
            let first = rings.iter().position(|rings| *rings);
            let last = rings.iter().rposition(|rings| *rings);
            if first.is_some_and(|first| first > 0) && last.is_some_and(|last| last + 1 < rings.len()) {
                proven.insert(name);
            }
        }
    }
    assert_eq!(alert_names().difference(&proven).collect::<Vec<_>>(), [""; 0], "not tested from silence to silence");
}

/// Minutes of a time such as `90m` or `1h5m`.
fn minutes(time: &str) -> u64 {
    let mut minutes = 0;
    let mut number = String::new();
    for one in time.chars() {
        let factor = match one {
            'm' => 1,
            'h' => 60,
            _ => {
                number.push(one);
                continue;
            }
        };
        minutes += factor * number.parse::<u64>().unwrap_or_else(|_| panic!("{time}: hours and minutes only"));
        number.clear();
    }
    assert!(number.is_empty(), "{time}: hours and minutes only");
    minutes
}

#[test]
fn every_alarm_says_how_bad_it_is_what_follows_for_patients_and_what_to_do() {
    for alert in alerts() {
        let name = text(&alert["alert"]);
        assert!(["critical", "warning"].contains(&text(&alert["labels"]["severity"])), "{name}: no severity");
        let notes = &alert["annotations"];
        let description = text(&notes["description"]);
        assert!(!text(&notes["summary"]).is_empty(), "{name}: no summary");
        assert!(description.contains("First:"), "{name}: does not say what to do first");
        assert!(description.split("First:").next().unwrap().len() > 40, "{name}: does not say what happens");
        let runbook = format!("deploy/prometheus/RUNBOOK.md#{}", name.to_lowercase());
        assert_eq!(text(&notes["runbook"]), runbook, "{name}");
    }
}

#[test]
fn the_runbook_has_a_part_for_every_alarm_and_for_nothing_else() {
    let book = fs::read_to_string(folder().join("RUNBOOK.md")).unwrap();
    let parts: BTreeMap<_, _> = book.split("\n### ").skip(1).map(|part| part.split_once('\n').unwrap()).collect();
    let named: BTreeSet<_> = parts.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(named, alert_names());
    for (name, part) in parts {
        for say in ["**Means.**", "**Look at.**", "**Do.**", "**Ends.**"] {
            assert!(part.contains(say), "{name} does not say {say}");
        }
    }
}

#[test]
fn rules_read_only_what_the_program_declares() {
    let recorded = recorded();
    for rule in rules() {
        let wrong = promql::misread(text(&rule["expr"]), &recorded);
        assert!(wrong.is_empty(), "{:?} {:?}: {wrong:?}", rule["alert"], rule["record"]);
    }
}

/// A process that ends with the test.
struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Prometheus {
    fn start(data: &Path, config: &Path) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()));
        command.arg(format!("--web.listen-address={address}")).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(data.with_extension("log")).unwrap());
        let child = command.spawn().expect("prometheus is needed: `tests/run` fetches it, or install Debian's");
        Self { child, address }
    }

    /// The `data` of an answer of its interface; `None` while it does not answer.
    fn ask(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(stream, "GET /api/v1/{path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        let mut body: Value = serde_json::from_str(body).ok()?;
        Some(body["data"].take())
    }

    /// Waits until an answer is as wanted.
    fn wait(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let waited = Stopwatch::start();
        loop {
            let answer = self.ask(path);
            if let Some(answer) = answer.as_ref().filter(|answer| is_so(answer)) {
                return answer.clone();
            }
            assert!(waited.elapsed() < DEADLINE, "in vain: {path}: {answer:?}");
            std::thread::yield_now();
        }
    }
}

/// An instance that is scraped: every declared metric, once.
fn serve_metrics(listener: TcpListener) {
    let mut page = String::new();
    for metric in METRICS {
        let labels: Vec<_> = metric.scraped_labels().map(|label| format!("{label}=\"x\"")).collect();
        let labels = labels.join(",");
        let name = metric.scraped_name();
        match metric.kind {
            Kind::Counter | Kind::Gauge => page += &format!("{name}{{{labels}}} 1\n"),
            Kind::Histogram(_) => {
                let comma = if labels.is_empty() { "" } else { "," };
                page += &format!(
                    "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} 1\n{name}_sum{{{labels}}} 1\n{name}_count{{{labels}}} 1\n"
                );
            }
        }
    }
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap_or_default();
            let is_scrape = request[..length].starts_with(b"GET /metrics ");
            let status = if is_scrape { "200 OK" } else { "404 Not Found" };
            let head = format!(
                "HTTP/1.0 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\r\n",
                page.len()
            );
            // A scraper that went away is not the test's concern.
            let _ = stream.write_all((head + &page).as_bytes());
        }
    });
}

#[test]
fn the_real_prometheus_scrapes_an_instance_and_works_out_every_rule() {
    let site = tempfile::tempdir().unwrap();
    let instance = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = instance.local_addr().unwrap();
    serve_metrics(instance);
    fs::create_dir(site.path().join("rules")).unwrap();
    for file in files_of(&folder().join("rules")) {
        fs::copy(&file, site.path().join("rules").join(file.file_name().unwrap())).unwrap();
    }
    let deployed = fs::read_to_string(folder().join("prometheus.yml")).unwrap();
    let mut config = deployed.clone();
    for (from, to) in [("sas-1:7411", address.to_string()), ("_interval: 15s", "_interval: 1s".to_owned())] {
        assert!(config.contains(from), "{from} is not in prometheus.yml");
        config = config.replace(from, &to);
    }
    config = config.replace("scrape_timeout: 10s", "scrape_timeout: 1s");
    let file = site.path().join("prometheus.yml");
    fs::write(&file, config).unwrap();
    let prometheus = Prometheus::start(&site.path().join("data"), &file);
    let list = |answer: &Value, key: &str| answer[key].as_array().cloned().unwrap_or_default();
    let is_up = |answer: &Value| {
        let own = |target: &Value| target["labels"]["instance"] == address.to_string();
        list(answer, "activeTargets").iter().any(|target| own(target) && target["health"] == "up")
    };
    prometheus.wait("targets", is_up);
    let rules_of = |answer: &Value| -> Vec<Value> {
        list(answer, "groups").iter().flat_map(|group| list(group, "rules")).collect()
    };
    let worked_out = |answer: &Value| {
        let rules = rules_of(answer);
        !rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown")
    };
    let answer = prometheus.wait("rules", worked_out);
    let loaded = rules_of(&answer);
    assert_eq!(loaded.len(), rules().len());
    for rule in loaded {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    // One of three targets answers: the alarm of instances that do not is on its way.
    prometheus.wait("alerts", |answer| {
        list(answer, "alerts").iter().any(|alert| alert["labels"]["alertname"] == "InstanceDown")
    });
}
