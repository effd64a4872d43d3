//! Policy files at the command line: shown, validated with every problem at once, and played through scenarios.

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
    assert_eq!(exit, Some(0));
    assert!(told.starts_with("politique nationale : mine-1+") && told.trim().ends_with(" est valide"), "{told}");
}

#[test]
fn a_departments_file_is_shown_over_the_national_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rhone.toml"), LOCAL).unwrap();
    let (exit, table, _) = run(folder.path(), "policy show rhone.toml");
    assert_eq!(exit, Some(0));
    assert!(
        table.contains("rhone-1+") && table.contains("(département 69 Rhône)") && table.contains("9 min"),
        "{table}"
    );
    let (exit, told, _) = run(folder.path(), "policy validate rhone.toml");
    assert_eq!(exit, Some(0));
    assert!(told.starts_with("département 69 Rhône : rhone-1+") && told.trim().ends_with(" est valide"), "{told}");
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

/// The national policy, its stroke rule altered.
fn candidate(outcome: &str) -> String {
    let national = include_str!("../../src/routing/policy/national.toml");
    let stroke = "motives = [\"M03.08\"]\noutcome = \"EMERGENCY_DISPATCH\"";
    assert!(national.contains(stroke));
    let altered = stroke.replace("EMERGENCY_DISPATCH", outcome);
    national.replacen(stroke, &altered, 1).replacen("version = \"national-2026-3\"", "version = \"candidate-1\"", 1)
}

#[test]
fn a_candidate_is_played_through_the_corpus_that_ships() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.toml"), candidate("EMERGENCY_DISPATCH")).unwrap();
    fs::write(folder.path().join("bad.toml"), candidate("EMERGENCY_DEPARTMENT")).unwrap();
    let (exit, told, noted) = run(folder.path(), "policy check good.toml");
    assert_eq!(exit, Some(0), "{told}{noted}");
    let (exit, told, _) = run(folder.path(), "policy check bad.toml --width 200");
    assert_eq!(exit, Some(3), "{told}");
    for part in ["✗ Signs of a stroke", "attendu : EMERGENCY_DISPATCH", "obtenu : EMERGENCY_DEPARTMENT"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let same_name = candidate("EMERGENCY_DEPARTMENT").replace("candidate-1", "national-2026-3");
    fs::write(folder.path().join("same-name.toml"), same_name).unwrap();
    let (exit, _, noted) = run(folder.path(), "policy check same-name.toml");
    assert_eq!(exit, Some(2));
    assert!(noted.contains("give the candidate a version name of its own"), "{noted}");
    let (exit, json, _) = run(folder.path(), "policy check bad.toml --output json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((exit, json["failedCount"].as_u64() > Some(0)), (Some(3), true));
}

/// A scenario with a policy of its own, which makes its only slot too late to reach.
const OWN_POLICY: &str = r#"
family = "Politique"
[[scenario]]
name = "Nobody arrives within an hour and a half"
story = "La politique du scénario demande une marge de 90 minutes."
when = { position = [45.7, 4.88], department = "69", within = "4H" }
[scenario.given]
now = "2026-11-23 10:00"
policy = """
format = 1
version = "rhone-1"
department = "69"
[arrival]
margin_minutes = 90
"""
[scenario.given.schedules]
martin = { at = "Bron", slots = ["11:00"] }
[scenario.then]
outcome = "NO_SLOT_IN_TIME"
"#;

#[test]
fn a_scenario_plays_under_its_own_policy_and_keeps_it_when_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("_common.toml", include_str!("../scenarios/_common.toml"));
    write("own.toml", OWN_POLICY);
    write("kept.toml", &OWN_POLICY.replace("policy = ", "policy_kept = true\npolicy = "));
    write("wrong.toml", &OWN_POLICY.replace("= 90", "= 999"));
    fs::create_dir(folder.path().join("candidates")).unwrap();
    write("candidates/rhone.toml", &LOCAL.replace("= 9", "= 5"));
    let line = |scenario: &str| format!("policy check candidates/rhone.toml --scenarios {scenario}");
    assert_eq!(run(folder.path(), "scenario run own.toml").0, Some(0));
    assert_eq!(run(folder.path(), &line("own.toml")).0, Some(3), "the candidate takes its place");
    let (exit, told, noted) = run(folder.path(), &line("kept.toml"));
    assert_eq!(exit, Some(0), "{told}{noted}");
    let (exit, _, noted) = run(folder.path(), "scenario run wrong.toml");
    assert_eq!(exit, Some(2));
    assert!(noted.contains("policy:5: arrival.margin_minutes"), "{noted}");
}
