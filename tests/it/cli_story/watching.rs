//! `find --watch` as its users see it: the table, then what another caller's hold changes.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use serde_json::Value;

use super::{QUESTION, json, write_roster};
use crate::harness::server_process::{ServerProcess, program_command};

/// Longer than any line should take.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_watched_answer_shows_what_another_caller_takes() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(&folder.path().join("state"));
    let roster = folder.path().join("roster.csv");
    write_roster(&roster, false);
    json(server.address(), &["import", roster.to_str().unwrap(), "--source-id", "vendor", "--revision", "1"], 0);

    let mut watch = program_command();
    watch.args([&["find", "--watch", "--watch-seconds", "60", "--server", server.address()], &QUESTION[..]].concat());
    let mut watching = watch.args(["--output", "json"]).stdout(Stdio::piped()).spawn().unwrap();
    let (sender, lines) = sync_channel(16);
    let output = BufReader::new(watching.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let next = || serde_json::from_str::<Value>(&lines.recv_timeout(PATIENCE).expect("a message")).unwrap();
    let first = next();
    assert_eq!(first["kind"], "WATCH_CARE_KIND_FULL");
    let slot = first["answer"]["options"][0]["slotId"].as_str().unwrap().to_owned();
    json(server.address(), &["hold", &slot, "--case", "other"], 0);
    let told = next();
    assert_eq!((&told["goneOptions"][0]["slotId"], &told["newRanks"][0]), (&Value::from(slot), &Value::from(1)));
    assert_eq!(told["goneOptions"][0]["reason"], "GONE_REASON_TAKEN");
    watching.kill().unwrap();
    watching.wait().unwrap();
    reader.join().unwrap();
    assert!(server.terminate().status.success());
}

#[test]
fn the_end_of_its_time_ends_a_watch_as_its_last_answer_says() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(&folder.path().join("state"));
    let arguments = [&["find", "--watch", "--watch-seconds", "1"], &QUESTION[..]].concat();
    let output = super::run(server.address(), &arguments);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("NO_SLOT_IN_TIME"));
    assert!(server.terminate().status.success());
}
