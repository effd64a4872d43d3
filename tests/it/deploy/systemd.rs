//! The unit of systemd: what systemd itself says of it, and what the program tells a service manager.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::{DEADLINE, deployed};
use crate::harness::server_process::{ServerProcess, program, program_command};
use crate::harness::skip;

/// Most that `systemd-analyze security` may find open, in tenths; a daemon with the defaults has 96.
const EXPOSURE_MAX: &str = "15";
/// What the last writes may take once calls have ended, in seconds.
const WRITES_SECONDS: u64 = 15;

/// The unit with the program where it is here.
fn unit() -> (TempDir, PathBuf) {
    let text = fs::read_to_string(deployed("systemd/sas-router.service")).unwrap();
    let here = text.replace("ExecStart=/usr/local/bin/sas-router", &format!("ExecStart={}", program().display()));
    assert_ne!(text, here);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sas-router.service");
    fs::write(&file, here).unwrap();
    (folder, file)
}

/// What systemd says; `None` where there is no systemd.
fn analyze(arguments: &[&str]) -> Option<Output> {
    let (_folder, file) = unit();
    let said = Command::new("systemd-analyze").args(arguments).arg("--no-pager").arg(file).output();
    said.ok()
}

/// The value of a line of the unit.
fn value(name: &str) -> String {
    let text = fs::read_to_string(deployed("systemd/sas-router.service")).unwrap();
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    values.next().unwrap_or_else(|| panic!("no {name}")).to_owned()
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    let Some(said) = analyze(&["verify"]) else {
        return skip("systemd_understands_every_line_of_the_unit", "there is no systemd-analyze (Debian: systemd)");
    };
    let complaints = String::from_utf8_lossy(&said.stderr).into_owned();
    let of_unit: Vec<_> = complaints.lines().filter(|line| line.contains("sas-router")).collect();
    assert!(said.status.success() && of_unit.is_empty(), "{complaints}");
}

#[test]
fn systemd_finds_hardly_anything_open() {
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    let Some(said) = analyze(&["security", "--offline=true", &threshold]) else {
        return skip("systemd_finds_hardly_anything_open", "there is no systemd-analyze (Debian: systemd)");
    };
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
}

#[test]
fn the_unit_gives_the_drain_its_time_and_the_ledger_its_folder() {
    let settings = fs::read_to_string(deployed("systemd/sas-router.toml")).unwrap();
    let settings: toml::Table = settings.parse().unwrap();
    let server = &settings["server"];
    let seconds = |key: &str| u64::try_from(server[key].as_integer().unwrap()).unwrap();
    let drain = seconds("drain_delay_seconds") + seconds("drain_timeout_seconds");
    assert!(value("TimeoutStopSec").parse::<u64>().unwrap() >= drain + WRITES_SECONDS);
    let folder = settings["ledger"]["data_dir"].as_str().unwrap();
    assert_eq!(folder, format!("/var/lib/{}", value("StateDirectory")));
    let credential = value("LoadCredential");
    let (name, _) = credential.split_once(':').unwrap();
    assert!(value("ExecStart").ends_with(&format!("--config %d/{name}")));
}

#[test]
fn a_service_manager_is_told_when_the_service_listens_and_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let heard = || {
        let mut read = [0; 256];
        let length = manager.recv(&mut read).unwrap();
        String::from_utf8_lossy(&read[..length]).into_owned()
    };
    let mut command = program_command();
    command.env("NOTIFY_SOCKET", &path);
    let ledger = ["--data-dir".into(), folder.path().join("data").into()];
    let server = ServerProcess::try_start_by(command, &ledger, "127.0.0.1:0").unwrap();
    assert_eq!(heard(), format!("READY=1\nSTATUS=listening on {}", server.address()));
    let ended = server.terminate();
    assert_eq!(heard(), "STOPPING=1\nSTATUS=draining");
    assert!(ended.status.success(), "{}", ended.stderr);
}

#[test]
fn a_service_manager_that_cannot_be_told_is_named_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program_command();
    command.env("NOTIFY_SOCKET", folder.path().join("nobody"));
    let ledger = ["--data-dir".into(), folder.path().join("data").into()];
    let ended = ServerProcess::try_start_by(command, &ledger, "127.0.0.1:0").unwrap().terminate();
    assert!(ended.status.success() && ended.stderr.contains("service manager"), "{}", ended.stderr);
}
