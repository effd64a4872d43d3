//! The page of operations over HTTP: what it sends, to how many, and what it refuses. What a browser makes of it is in `browser`.

mod browser;
mod served;
mod starting;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use sas_router::console::{PAGES_MAX, UPDATE_MAX_BYTES};
use sas_router::domain::department::Department;
use sas_router::domain::tally::Scope;
use sas_router::service::Caller;
use serde_json::{Value, json};

use crate::harness::room::Room;
use crate::support::load::{hold_request, single};
use crate::support::region::region;

/// Within which time something comes; far above what it takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// Opens a connection and sends a request on it.
fn send(address: SocketAddr, method: &str, path: &str, (lines, body): (&[&str], &str)) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n{lines}\r\n");
    stream.write_all((head + body).as_bytes()).unwrap();
    BufReader::new(stream)
}

/// Status, head and body of an answer.
fn ask(address: SocketAddr, method: &str, path: &str, (lines, body): (&[&str], &str)) -> (u16, String, String) {
    let with_close: Vec<&str> = lines.iter().copied().chain(["connection: close"]).collect();
    let mut bytes = Vec::new();
    send(address, method, path, (&with_close, body)).read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_ascii_lowercase(), body.to_owned())
}

fn get(address: SocketAddr, path: &str) -> (u16, String, String) {
    ask(address, "GET", path, (&[], ""))
}

fn list(address: SocketAddr, path: &str) -> Value {
    let (status, _, body) = get(address, path);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn attempt(room: &Room, lines: &[&str], question: &Value) -> (u16, Value) {
    let (status, _, body) = ask(room.address, "POST", "/console/try", (lines, &question.to_string()));
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

const AS_JSON: &[&str] = &["content-type: application/json"];

fn question() -> Value {
    json!({ "position": { "latitude": 48.8566, "longitude": 2.3522 }, "age": "P40Y", "needed_within_minutes": 600 })
}

/// The next line of a stream that begins so.
fn next_line(stream: &mut BufReader<TcpStream>, start: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended");
        if let Some(rest) = line.strip_prefix(start) {
            return rest.trim().to_owned();
        }
    }
}

#[test]
fn an_update_has_the_board_and_stays_small() {
    let room = Room::of(&region(20_000, 7));
    let mut stream = send(room.address, "GET", "/console/events", (&[], ""));
    assert_eq!(next_line(&mut stream, "retry: "), "2000");
    assert!(!next_line(&mut stream, "id: ").is_empty());
    let first = next_line(&mut stream, "data: ");
    assert!(first.len() < UPDATE_MAX_BYTES, "{}", first.len());
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first["activity"].as_array().unwrap().len(), 60);
    assert_eq!(first["tension"]["rows"].as_array().unwrap().len(), 25);
    assert!(first["activity"].as_array().unwrap().iter().all(|minute| minute["holds"] == 0));
    assert!(first["map"].get("changed").is_none(), "the first update sends a page to ask for the map");

    let slots = single(&region(20_000, 7).slots);
    let is_held =
        |number| room.runtime.block_on(room.service.hold(&Caller::local(), hold_request(&slots, number))).is_ok();
    assert!((0..200).any(is_held), "no slot of the region can be held");
    room.clock.advance_seconds(3);
    let held =
        std::iter::repeat_with(|| next_line(&mut stream, "data: ")).map(|data| serde_json::from_str::<Value>(&data));
    let held = held
        .map(Result::unwrap)
        .find(|update| update["activity"].as_array().unwrap().iter().any(|minute| minute["holds"] == 1))
        .unwrap();
    assert!(held["map"]["changed"].is_array(), "only what changed of the map is sent: {}", held["map"]);
}

#[test]
fn the_page_too_many_is_told_so() {
    let room = Room::of(&region(100, 7));
    let mut open: Vec<_> = (0..PAGES_MAX).map(|_| send(room.address, "GET", "/console/events", (&[], ""))).collect();
    open.iter_mut().for_each(|stream| drop(next_line(stream, "data: ")));
    let mut refused = send(room.address, "GET", "/console/events", (&[], ""));
    assert_eq!(next_line(&mut refused, "event: "), "full");
    assert_eq!(next_line(&mut refused, "data: "), format!("{{\"max\":{PAGES_MAX}}}"));
    // Its place is free again when a page is closed, which the next update finds out.
    open.pop();
    let is_board = |()| next_line(&mut send(room.address, "GET", "/console/events", (&[], "")), "event: ") == "board";
    assert!(std::iter::repeat_n((), 10_000).any(is_board));
}

#[test]
fn lists_are_sorted_filtered_and_paged() {
    let room = Room::of(&region(20_000, 7));
    let all = list(room.address, "/console/tension");
    let total = all["total"].as_u64().unwrap();
    let second = list(room.address, "/console/tension?page=1");
    assert!(total > 50 && second["rows"][0] != all["rows"][0]);
    let by_threshold = list(room.address, "/console/tension?sort=free&order=desc");
    let free: Vec<u64> =
        by_threshold["rows"].as_array().unwrap().iter().map(|row| row["free"].as_u64().unwrap()).collect();
    assert!(free.is_sorted_by(|a, b| a >= b) && free[0] > 0, "{free:?}");
    let name = all["rows"][3]["name"].as_str().unwrap();
    let found = list(room.address, &format!("/console/tension?q={}", name.replace(' ', "+")));
    assert!(found["rows"].as_array().unwrap().iter().any(|row| row["name"] == name));
    assert!(found["total"].as_u64().unwrap() < total);
    assert_eq!(list(room.address, "/console/sources?sort=heard")["total"], 1);
    for wrong in ["tension?sort=colour", "sources?page=x", "tension?order=up"] {
        let (status, _, body) = get(room.address, &format!("/console/{wrong}"));
        assert_eq!(status, 400, "{wrong}");
        assert!(body.contains("give"), "{body}");
    }
}

#[test]
fn a_trial_is_answered_in_full_and_counted_nowhere() {
    let room = Room::of(&region(20_000, 7));
    for _ in 0..12 {
        let (status, answer) = attempt(&room, AS_JSON, &question());
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["options"].as_array().unwrap().len(), 5, "{answer}");
        let first = &answer["options"][0];
        assert!(first["cost_seconds"].as_u64().unwrap() > 0 && !first["sentence"].as_str().unwrap().is_empty());
        assert!(
            !answer["sites"].as_array().unwrap().is_empty() && !answer["exclusions"].as_array().unwrap().is_empty()
        );
    }
    let paris = Scope::Department(Department::parse("75").unwrap());
    let unmet = room.service.unmet_needs(paris, "2026-11-23".parse().unwrap()).unwrap();
    assert_eq!(unmet.asked_count, None, "a trial counts as a question");
    let board = room.runtime.block_on(room.service.board());
    assert!(board.activity.minutes.iter().all(|minute| minute.answer_count() == 0));
    // The same question still finds the same first: a trial took nobody's turn.
    let again = |_| attempt(&room, AS_JSON, &question()).1["options"][0]["slot_id"].clone();
    assert_eq!(again(0), again(1));
}

#[test]
fn a_wrong_trial_names_every_wrong_field() {
    let room = Room::of(&region(100, 7));
    let wrong =
        json!({ "age": "forty", "motive": "M99", "position": { "latitude": 99.0, "longitude": 2.0 }, "limit": 0 });
    let (status, answer) = attempt(&room, AS_JSON, &wrong);
    assert_eq!((status, answer["code"].as_str()), (400, Some("INVALID_ARGUMENT")));
    let fields: Vec<_> =
        answer["violations"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["position", "motive", "age", "limit"]);
    for (body, part) in [(json!({ "case_id": "x" }), "case_id"), (json!([1]), "cannot be read")] {
        let (status, answer) = attempt(&room, AS_JSON, &body);
        assert_eq!(status, 400);
        assert!(answer["message"].as_str().unwrap().contains(part), "{answer}");
    }
    let (status, _, _) = ask(room.address, "POST", "/console/try", (AS_JSON, &" ".repeat(17_000)));
    assert_eq!(status, 413);
}

#[test]
fn another_site_cannot_have_a_browser_try_a_question() {
    let room = Room::of(&region(100, 7));
    let own = format!("origin: http://{}", room.address);
    let status = |lines: &[&str]| attempt(&room, lines, &question()).0;
    assert_eq!(status(&["content-type: application/json", &own, "sec-fetch-site: same-origin"]), 200);
    assert_eq!(status(&["content-type: application/json", "origin: https://elsewhere.example"]), 403);
    assert_eq!(status(&["content-type: application/json", "sec-fetch-site: cross-site"]), 403);
    assert_eq!(status(&["content-type: text/plain"]), 415, "what a form of another site could send");
    assert_eq!(status(&[]), 415);
}

#[test]
fn whatever_would_write_is_refused() {
    let room = Room::of(&region(100, 7));
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in [
            "/",
            "/page.js",
            "/console/events",
            "/console/places",
            "/console/tension",
            "/console/sources",
            "/console/codes",
        ] {
            let (status, head, _) = ask(room.address, method, path, (&[], ""));
            assert_eq!(status, 405, "{method} {path}");
            assert!(head.contains("allow: get,head"), "{head}");
        }
    }
    assert_eq!(get(room.address, "/console/try").0, 405);
}

#[test]
fn a_browser_may_load_nothing_from_elsewhere() {
    let room = Room::of(&region(100, 7));
    let (status, head, body) = get(room.address, "/");
    assert_eq!(status, 200);
    assert!(
        head.contains("content-security-policy: default-src 'self'; img-src 'self' data:; base-uri 'none'"),
        "{head}"
    );
    assert!(!body.contains("://"), "the page names another address");
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let (status, _, body) = ask(room.address, "GET", "/page.js", (&[&format!("if-none-match: {tag}")], ""));
    assert_eq!((status, body.as_str()), (304, ""));
}
