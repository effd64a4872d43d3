//! Policies at the command line: shown, validated with every problem at once, and taken by a service that starts.

use std::fs;
use std::process::Output;

use crate::harness::server_process::program_command;

const LOCAL: &str = "format = 1\nversion = \"rhone-1\"\ndepartment = \"69\"\n[arrival]\nmargin_minutes = 9\n";

fn run(folder: &std::path::Path, line: &str) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        program_command().args(line.split(' ')).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}

#[test]
fn the_national_policy_is_shown_as_tables_json_and_toml() {
    let folder = tempfile::tempdir().unwrap();
    let (exit, table, _) = run(folder.path(), "policy show");
    assert_eq!(exit, Some(0));
    assert!(table.contains("national-2026-3") && table.contains("red-flag.stroke"), "{table}");
    let (_, json, _) = run(folder.path(), "policy show --output json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["version"], "national-2026-3");
    let (_, toml, _) = run(folder.path(), "policy show --output toml");
    fs::write(folder.path().join("again.toml"), toml.replace("national-2026-3", "mine-1")).unwrap();
    let (exit, told, _) = run(folder.path(), "policy validate again.toml");
    assert_eq!((exit, told.trim()), (Some(0), "politique nationale : mine-1 est valide"));
}

#[test]
fn a_departments_file_is_shown_over_the_national_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rhone.toml"), LOCAL).unwrap();
    let (exit, table, _) = run(folder.path(), "policy show rhone.toml");
    assert_eq!(exit, Some(0));
    assert!(table.contains("rhone-1 (département 69 Rhône)") && table.contains("9 min"), "{table}");
    let (exit, told, _) = run(folder.path(), "policy validate rhone.toml");
    assert_eq!((exit, told.trim()), (Some(0), "département 69 Rhône : rhone-1 est valide"));
}

#[test]
fn every_problem_of_every_file_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), LOCAL.replace("= 9", "= 999\ncolour = 2")).unwrap();
    fs::write(folder.path().join("b.toml"), "format = 1\nversion = \n").unwrap();
    let (exit, stdout, stderr) = run(folder.path(), "policy validate a.toml absent.toml b.toml");
    assert_eq!((exit, stdout.as_str()), (Some(2), ""));
    for expected in [
        "a.toml:5: arrival.margin_minutes: give a whole number from 0 to 120",
        "a.toml:6: arrival.colour: unknown key; nearest known: margin_minutes",
        "absent.toml:1: cannot be read",
        "b.toml:2: is no TOML",
    ] {
        assert!(stderr.contains(expected), "{expected}\n{stderr}");
    }
}

#[test]
fn a_service_does_not_start_under_a_policy_that_is_not_valid() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), LOCAL.replace("= 9", "= 999")).unwrap();
    let (exit, _, stderr) = run(folder.path(), "serve --data-dir state --listen 127.0.0.1:0 --policy a.toml");
    assert_eq!(exit, Some(2), "{stderr}");
    assert!(stderr.contains("a.toml:5: arrival.margin_minutes"), "{stderr}");
    assert!(!folder.path().join("state").exists(), "nothing is opened before the settings are valid");
}
