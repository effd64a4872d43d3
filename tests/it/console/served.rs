//! The page as the real program serves it: through the admin port's refusals and deadlines, with a ledger that goes, to its end.

use std::ffi::OsString;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use sas_router::admin::Limits;
use sas_router::clock::Stopwatch;
use serde_json::Value;

use super::*;
use crate::harness::browser::chromedriver;
use crate::harness::redis_server::Server;
use crate::harness::server_process::{ServerProcess, program_command};
use crate::harness::site::Site;
use crate::harness::{report, skip};

const WITH_ADMIN: [&str; 2] = ["--admin-listen", "127.0.0.1:0"];

/// The program in a folder, at a level of logging.
fn serve(folder: &Path, level: &str) -> ServerProcess {
    let mut command = program_command();
    command.env("SAS_ROUTER_LOGGING__LEVEL", level);
    let flags: Vec<OsString> =
        ["--data-dir".into(), folder.into()].into_iter().chain(WITH_ADMIN.map(Into::into)).collect();
    ServerProcess::try_start_by(command, &flags, "127.0.0.1:0").unwrap_or_else(|ended| panic!("{}", ended.stderr))
}

fn admin_of(server: &ServerProcess) -> SocketAddr {
    server.admin_address().parse().unwrap()
}

fn open(address: SocketAddr) -> BufReader<TcpStream> {
    send(address, "GET", "/console/events", (&[], ""))
}

fn next_update(stream: &mut BufReader<TcpStream>) -> Value {
    serde_json::from_str(&next_line(stream, "data: ")).unwrap()
}

/// The first update that is so.
fn until(stream: &mut BufReader<TcpStream>, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Stopwatch::start();
    loop {
        let update = next_update(stream);
        if is_so(&update) {
            return update;
        }
        assert!(begun.elapsed() < DEADLINE, "in vain: {update:#}");
    }
}

fn has_condition(update: &Value, code: &str) -> bool {
    update["conditions"].as_array().unwrap().iter().any(|one| one["code"] == code)
}

#[test]
fn an_open_page_outlives_the_deadlines_of_the_port_and_does_not_hold_up_a_drain() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "info");
    let address = admin_of(&server);
    let mut page = open(address);
    let Limits { answer_deadline, head_deadline, write_deadline, .. } = Limits::default();
    let begun = Stopwatch::start();
    let longest = answer_deadline.max(head_deadline).max(write_deadline);
    while begun.elapsed() <= longest {
        next_update(&mut page);
    }
    let ended = server.terminate();
    assert!(ended.status.success(), "{}", ended.stderr);
    // What is waited for is cut in the end: a stream that ends by itself was not.
    let mut last = Vec::new();
    page.read_to_end(&mut last).unwrap();
    assert!(last.ends_with(b"\r\n0\r\n\r\n") || last == b"0\r\n\r\n", "the stream was cut: {last:?}");
}

#[test]
fn all_that_the_page_is_made_of_comes_through_the_port_and_only_a_trial_is_posted() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "info");
    let address = admin_of(&server);
    let (status, head, html) = get(address, "/");
    assert_eq!(status, 200);
    assert_eq!(head.matches("content-security-policy: default-src 'self'; img-src 'self' data:;").count(), 1, "{head}");
    let files = html.split("href=\"").chain(html.split("src=\"")).filter_map(|rest| rest.split('"').next());
    let files: Vec<_> =
        files.filter(|file| file.ends_with(".css") || file.ends_with(".js") || file.ends_with(".svg")).collect();
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        assert_eq!(get(address, &format!("/{file}")).0, 200, "{file}");
    }
    let trial = question().to_string();
    assert_eq!(ask(address, "POST", "/console/try", (AS_JSON, &trial)).0, 200);
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
        let (status, head, _) = ask(address, method, "/console/try", (&[], ""));
        assert!(status == 405 && head.contains("allow: post"), "{method}: {head}");
    }
    for path in ["/", "/console/events", "/console/places", "/console/codes"] {
        let (status, head, body) = ask(address, "POST", path, (AS_JSON, &trial));
        assert!(status == 405 && head.contains("allow: get, head"), "{path}: {head}");
        assert!(body.starts_with("READ_ONLY: "), "{body}");
    }
    assert_eq!(ask(address, "POST", "/console/try", (AS_JSON, &" ".repeat(17_000))).0, 413);
}

#[test]
fn where_a_trial_was_asked_for_is_in_no_line_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "trace");
    let address = admin_of(&server);
    let asked = |latitude: f64| {
        json!({ "position": { "latitude": latitude, "longitude": 1.735_191 }, "age": "P40Y", "motive": "M99" })
            .to_string()
    };
    let right = json!({ "position": { "latitude": 47.319_273, "longitude": 1.735_191 }, "age": "P40Y" }).to_string();
    assert_eq!(ask(address, "POST", "/console/try", (AS_JSON, &right)).0, 200);
    assert_eq!(ask(address, "POST", "/console/try", (AS_JSON, &asked(147.319_273))).0, 400);
    assert_eq!(ask(address, "POST", "/console/try", (&[], &right)).0, 415);
    assert_eq!(ask(address, "POST", "/console/try", (AS_JSON, &right[..60])).0, 400);
    // Not even one that somebody put into an address.
    assert_eq!(get(address, "/console/try?latitude=47.319273&longitude=1.735191").0, 405);
    assert_eq!(get(address, "/console/tension?q=47.319273").0, 200);
    let log = server.terminate().stderr;
    assert!(log.contains(" TRACE "), "nothing is logged at that level: {log}");
    let told: Vec<_> = log.lines().filter(|line| line.contains("319273") || line.contains("735191")).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[tokio::test]
async fn what_the_ledger_told_last_is_not_shown_as_new_while_it_is_away() {
    let flags = WITH_ADMIN.map(Into::into).to_vec();
    let mut site = Site { instances: Vec::new(), redis: Server::absent_with(&[]), flags };
    site.instances.push(site.instance().await);
    let mut page = open(admin_of(&site.instances[0].process));
    let starting = next_update(&mut page);
    assert!(has_condition(&starting, "STARTING") && starting["degraded"] == true, "{starting:#}");
    assert_eq!(starting["instances"][0]["state"], "unknown", "nothing was read yet");

    site.redis.run();
    let is_current = |update: &Value| {
        update["conditions"].as_array().unwrap().is_empty() && update["instances"][0]["state"] == "current"
    };
    let current = until(&mut page, is_current);
    assert!(current["unseen_s"].is_null() && !current["instances"][0]["digest"].as_str().unwrap().is_empty());

    site.redis.kill();
    let away = until(&mut page, |update| update["unseen_s"].is_u64());
    assert!(has_condition(&away, "WRITES_REFUSED"), "{away:#}");
    let rows = away["instances"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["state"] == "unknown"), "{rows:#?}");
    if let Some(driver) = chromedriver() {
        let browser = crate::harness::browser::Browser::start(&driver);
        browser.open(&format!("http://{}/", site.instances[0].process.admin_address()));
        browser.until(
            "return document.querySelector('#instances-problem').textContent.includes('Le registre ne répond pas')",
        );
        let said = browser.run("return document.querySelector('#conditions-body').innerText");
        assert!(said.as_str().unwrap().contains("Plus de réservation ni de publication"), "{said}");
        browser.picture("fr-ledger-away-1600", 1_600);
    } else {
        skip(
            "what_the_ledger_told_last_is_not_shown_as_new_while_it_is_away (in a browser)",
            "`tests/run` installs Chromium and its driver",
        );
    }

    site.redis.run();
    assert!(until(&mut page, is_current)["unseen_s"].is_null());
}

/// Milliseconds of a processor that a process has used, user and system.
fn processor_ms(pid: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
    // A tick is a hundredth of a second on every Linux.
    ticks.sum::<u64>() * 10
}

#[test]
fn one_more_open_page_costs_less_than_a_hundredth_of_a_core() {
    const UPDATES: u32 = 5;
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "info");
    let (address, pid) = (admin_of(&server), server.pid());
    // The demonstration's directory, so that an update has as many rows as it may; its slots are of another day.
    let region = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/sample/region.csv");
    let mut import = program_command();
    import.arg("import").arg(region).args(["--source-id", "sample", "--server", server.address()]);
    let imported = import.output().unwrap();
    let update = until(&mut open(address), |update| update["schedules"].as_u64() > Some(0));
    let rows = update["tension"]["rows"].as_array().unwrap().len();
    assert_eq!(rows, 25, "{}", String::from_utf8_lossy(&imported.stderr));
    let (mut told, mut streams) = (Vec::new(), Vec::new());
    for pages in [1, 8, PAGES_MAX] {
        streams.resize_with(pages, || open(address));
        // All are open when the first of these has come to each.
        streams.iter_mut().for_each(|stream| drop(next_line(stream, "id: ")));
        let (before, begun) = (processor_ms(&pid), Stopwatch::start());
        for _ in 0..UPDATES {
            streams.iter_mut().for_each(|stream| drop(next_update(stream)));
        }
        told.push((pages, processor_ms(&pid) - before, begun.elapsed()));
    }
    let share = |(_, used_ms, elapsed): &(usize, u64, Duration)| *used_ms as f64 / (elapsed.as_secs_f64() * 1_000.0);
    let (one, all) = (&told[0], &told[2]);
    let each = (share(all) - share(one)) / (all.0 - one.0) as f64;
    let bytes = update.to_string().len();
    report(&format!(
        "console: pages, processor ms, time: {told:?}, updates of {bytes} bytes; one more page: {:.4} % of a core",
        each * 100.0
    ));
    assert!(each < 0.01, "{told:?}");
}

#[test]
fn a_site_that_has_its_name_resolved_to_this_port_reads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program_command();
    command.env("SAS_ROUTER_ADMIN__HOSTS", "console.sas.example");
    let flags: Vec<OsString> =
        ["--data-dir".into(), folder.path().into()].into_iter().chain(WITH_ADMIN.map(Into::into)).collect();
    let server =
        ServerProcess::try_start_by(command, &flags, "127.0.0.1:0").unwrap_or_else(|ended| panic!("{ended:?}"));
    let address = admin_of(&server);
    let asked = |what: &str, host: &str| {
        // What a browser says of itself after the name was resolved anew: all of it fits.
        let lines = format!("origin: http://{host}\r\nsec-fetch-site: same-origin\r\ncontent-type: application/json");
        let mut stream = TcpStream::connect(address).unwrap();
        let body = if what.starts_with("POST") { question().to_string() } else { String::new() };
        let head = format!(
            "{what} HTTP/1.1\r\nhost: {host}\r\n{lines}\r\nconnection: close\r\ncontent-length: {}",
            body.len()
        );
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for path in [
        "/",
        "/page.js",
        "/console/codes",
        "/console/places",
        "/console/tension",
        "/console/sources",
        "/console/events",
    ] {
        let refused = asked(&format!("GET {path}"), "evil.example:7411");
        assert!(refused.starts_with("HTTP/1.1 421 ") && refused.contains("HOST_NOT_LISTED"), "{path}: {refused}");
    }
    let refused = asked("POST /console/try", "evil.example:7411");
    assert!(refused.starts_with("HTTP/1.1 421 "), "{refused}");
    for host in [address.to_string().as_str(), "localhost:7411", "console.sas.example"] {
        let answered = asked("POST /console/try", host);
        assert!(answered.starts_with("HTTP/1.1 200 ") && answered.contains("\"outcome\""), "{host}: {answered}");
    }
}
