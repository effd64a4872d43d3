//! The command line as its users type it: a roster goes in, care is found, held, refused to a second, confirmed, cancelled.
//!
//! Deliberately absent: how answers look (see the renderers' own tests) and which option is best (see matching).

mod exit_codes;
mod rules;
mod watching;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

use chrono_tz::Tz;
use sas_router::clock::{Clock as _, SystemClock};
use serde_json::Value;

use crate::harness::server_process::{ServerProcess, program_command};

/// Runs a command against a server and returns what it printed and how it ended.
fn run(server: &str, arguments: &[&str]) -> Output {
    let mut command = program_command();
    command.args(arguments).args(["--server", server]);
    command.output().expect("the program can be started")
}

/// The same, judged: it ends with this number, and its standard output is JSON.
fn json(server: &str, arguments: &[&str], exit: i32) -> Value {
    let output = run(server, &[arguments, &["--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
}

/// The last line of the error output, which is a JSON object when a command with `--output json` fails.
fn failure(server: &str, arguments: &[&str], exit: i32) -> Value {
    let output = run(server, &[arguments, &["--output", "json"]].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {stderr}");
    serde_json::from_str(stderr.lines().last().unwrap()).unwrap()
}

/// A roster of one professional with three slots of 20 minutes that open in an hour, and one row with a fault.
fn write_roster(file: &Path, with_fault: bool) {
    let opens_at = SystemClock.now().plus_minutes(60).to_local(Tz::Europe__Paris);
    let mut text = String::from(
        "place_id;place_name;postal_code;city;commune_code;latitude;longitude;practitioner_id;family_name;specialties;\
         date;start;end;slot_minutes;modalities;visibilities;territory_id;territory_name\n",
    );
    let (date, start) = (opens_at.format("%Y-%m-%d"), opens_at.format("%H:%M"));
    let end = (opens_at + chrono::TimeDelta::hours(1)).format("%H:%M");
    let place = "cab;Cabinet;18000;Bourges;18033;47.083;2.397;internal:a;Tilleul;SM54";
    writeln!(text, "{place};{date};{start};{end};20;AMB;PUBLIC|SNP;189990013;CPTS de Bourges").unwrap();
    if with_fault {
        writeln!(text, "{place};{date};{start};{end};20;BY-OWL;SNP;;").unwrap();
    }
    std::fs::write(file, text).unwrap();
}

const QUESTION: [&str; 8] = ["--at", "47.083,2.398", "--department", "18", "--within", "4H", "--modality", "AMB"];

#[test]
fn what_a_roster_offers_is_found_held_and_booked_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(&folder.path().join("state"));
    let roster = folder.path().join("roster.csv");
    write_roster(&roster, false);
    let import = ["import", roster.to_str().unwrap(), "--source-id", "vendor", "--revision", "1"];
    assert_eq!(json(server.address(), &import, 0)["slots"]["created"], 3);
    assert_eq!(json(server.address(), &import, 0)["slots"]["refused"], 0, "the same import again is a replay");

    let found = json(server.address(), &[&["find"], QUESTION.as_slice()].concat(), 0);
    assert_eq!(found["outcome"], "CARE_OUTCOME_APPOINTMENT");
    assert_eq!(found["options"].as_array().unwrap().len(), 1, "an agenda offers its first place");
    let slot = found["options"][0]["slotId"].as_str().unwrap();

    let hold = ["hold", slot, "--case", "first", "--request-id", "hold-1"];
    let held = json(server.address(), &hold, 0);
    let hold_id = held["hold"]["holdId"].as_str().unwrap();
    assert_eq!(json(server.address(), &hold, 0)["replayed"], true, "the same request id is done once");

    let second = [&["hold", slot, "--case", "second"], QUESTION.as_slice()].concat();
    let refused = failure(server.address(), &second, 3);
    assert_eq!(refused["reason"], "SLOT_TAKEN");
    let next_best = &refused["holdRefused"]["alternatives"][0]["slotId"];
    assert!(next_best.as_str().is_some_and(|next_best| next_best != slot), "{refused}");

    let shown = String::from_utf8(run(server.address(), &second).stderr).unwrap();
    let (_, alternatives) = shown.split_once("Autres possibilités").expect("a table of alternatives");
    assert!(alternatives.contains("CPTS de Bourges") && !alternatives.contains("189990013"), "{shown}");

    let booked = json(server.address(), &["confirm", hold_id], 0);
    assert_eq!(booked["booking"]["state"], "CLAIM_STATE_BOOKED");
    let booking_id = booked["booking"]["bookingId"].as_str().unwrap();
    let schedule = found["options"][0]["scheduleId"].as_str().unwrap();
    let shown = json(server.address(), &["schedule", schedule], 0);
    let booked_counts: Vec<_> = shown["slots"].as_array().unwrap().iter().map(|slot| &slot["bookedCount"]).collect();
    assert_eq!(booked_counts, [&Value::from(1), &Value::Null, &Value::Null]);
    let cancelled = json(server.address(), &["cancel", booking_id, "--reason", "patient mieux"], 0);
    assert_eq!(cancelled["booking"]["state"], "CLAIM_STATE_CANCELLED");
    assert_eq!(json(server.address(), &["status"], 0)["counts"]["slots"], "3");
    assert!(server.terminate().status.success());
}

#[test]
fn what_the_service_refuses_of_a_roster_is_named_by_file_row_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(&folder.path().join("state"));
    let roster = folder.path().join("roster.csv");
    write_roster(&roster, false);
    let text = std::fs::read_to_string(&roster).unwrap();
    let mut cells: Vec<_> = text.lines().nth(1).unwrap().split(';').collect();
    (cells[10], cells[11], cells[12]) = ("2026-01-05", "08:00", "12:00");
    std::fs::write(&roster, format!("{text}{}\n", cells.join(";"))).unwrap();
    let import = ["import", roster.to_str().unwrap(), "--source-id", "vendor"];
    let shown = run(server.address(), &import);
    assert_eq!(shown.status.code(), Some(5));
    let text = String::from_utf8(shown.stdout).unwrap();
    let refusals: Vec<_> = text.lines().filter(|line| line.contains("REFUSÉ")).collect();
    assert_eq!(refusals.len(), 1, "twelve slots, one cause: {text}");
    for part in ["line 3", "┆ end", "SLOT_PAST", "┆ 12"] {
        assert!(refusals[0].contains(part), "{part}: {text}");
    }
    assert!(!text.contains("rows["), "{text}");
    let report = json(server.address(), &import, 5);
    assert_eq!(report["file"], roster.to_str().unwrap());
    let refused: Vec<_> =
        report["rows"].as_array().unwrap().iter().filter(|row| row["severity"] == "REFUSED").collect();
    assert_eq!((refused.len(), &refused[0]["field"], &refused[0]["origin"]), (1, &"end".into(), &"line 3".into()));
    assert_eq!(refused[0]["slot_ids"].as_array().unwrap().len(), 12);
}

#[test]
fn a_doubtful_question_is_answered_and_the_doubt_told_beside_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(&folder.path().join("state"));
    let roster = folder.path().join("roster.csv");
    write_roster(&roster, false);
    json(server.address(), &["import", roster.to_str().unwrap(), "--source-id", "vendor"], 0);
    let ask = |territory| [&["find"], QUESTION.as_slice(), &["--territory", territory]].concat();
    let known = run(server.address(), &ask("189990013"));
    assert_eq!((known.status.code(), String::from_utf8(known.stderr).unwrap().as_str()), (Some(0), ""));

    let unknown = run(server.address(), &ask("123456789"));
    let stderr = String::from_utf8(unknown.stderr).unwrap();
    assert_eq!(unknown.status.code(), Some(0), "a patient is on the phone: {stderr}");
    assert!(stderr.starts_with("attention : La CPTS 123456789 est inconnue") && stderr.contains("(UNKNOWN_TERRITORY)"));
    assert!(String::from_utf8(unknown.stdout).unwrap().contains("(APPOINTMENT)"));
    let answer = json(server.address(), &ask("123456789"), 0);
    assert_eq!(answer["warnings"][0]["reason"], "UNKNOWN_TERRITORY");
    assert_eq!(answer["warnings"][0]["field"], "query.territory_ids");
    assert_eq!(answer["warnings"][0]["value"], "1123456789");
    assert_eq!(answer["options"].as_array().unwrap().len(), 1);

    let swapped = run(server.address(), &["find", "--at", "2.35,48.86", "--output", "json"]);
    let stderr = String::from_utf8(swapped.stderr).unwrap();
    assert!(stderr.contains("(SWAPPED_POSITION)") && stderr.contains("(France métropolitaine)"), "{stderr}");
    assert!(!stderr.contains("48.86"), "no position of a patient in what may end up in a log: {stderr}");
    let answer: Value = serde_json::from_slice(&swapped.stdout).expect("standard output is the answer alone");
    assert_eq!(answer["warnings"][0]["field"], "query.position");
}

#[test]
fn a_place_whose_coordinates_were_swapped_is_taken_and_its_row_named() {
    let folder = tempfile::tempdir().unwrap();
    let roster = folder.path().join("roster.csv");
    write_roster(&roster, false);
    let swapped = std::fs::read_to_string(&roster).unwrap().replace("47.083;2.397", "2.397;47.083");
    std::fs::write(&roster, swapped).unwrap();
    let given = ["--position-of-place", "cab=2.35,48.86"];
    let import = [&["import", roster.to_str().unwrap(), "--source-id", "vendor", "--dry-run"], &given[..]].concat();
    let output = run("http://127.0.0.1:1", &[&import[..], &["--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "a doubt is no refusal");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let doubts: Vec<_> = report["rows"].as_array().unwrap().iter().filter(|row| row["severity"] == "WARNING").collect();
    let facts = [&doubts[0]["origin"], &doubts[0]["field"], &doubts[0]["reason"]];
    assert_eq!((doubts.len(), facts), (1, [&"line 2".into(), &"latitude".into(), &"SWAPPED_POSITION".into()]));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("--position-of-place cab=2.35,48.86 is outside France"), "{stderr}");
}

#[test]
fn exported_state_is_taken_up_by_another_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let server = ServerProcess::start(&first);
    let roster = folder.path().join("roster.csv");
    write_roster(&roster, false);
    json(server.address(), &["import", roster.to_str().unwrap(), "--source-id", "vendor"], 0);
    let export = |data_dir: &Path| {
        let output = program_command().args(["export", "--data-dir"]).arg(data_dir).output().unwrap();
        (output.status.code(), output.stdout)
    };
    assert_eq!(export(&first).0, Some(1), "a folder in use is not exported");
    server.terminate();
    let (exit, state) = export(&first);
    assert_eq!(exit, Some(0));
    let file = folder.path().join("state.jsonl");
    let export_to = |data_dir: &Path| {
        let mut command = program_command();
        command.args(["export", "--data-dir"]).arg(data_dir).arg("--to").arg(&file).output().unwrap().status.code()
    };
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    assert_ne!(export_to(&folder.path().join("empty")), Some(0));
    assert!(!file.exists(), "an export that fails leaves no file in the way of the next");
    assert_eq!(export_to(&first), Some(0));
    assert!(std::fs::read(&file).unwrap() == state, "the file holds what the standard output shows");
    assert_eq!(export_to(&first), Some(2), "a file that is there is kept");
    let import = program_command().arg("import").arg(&file).arg("--data-dir").arg(&second).output().unwrap();
    assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
    assert!(export(&second) == (Some(0), state), "the same state gives the same export");
    let server = ServerProcess::start(&second);
    assert_eq!(json(server.address(), &["status"], 0)["counts"]["slots"], "3");
}

#[test]
fn every_ending_has_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(&folder.path().join("state"));
    let roster = folder.path().join("roster.csv");
    write_roster(&roster, true);
    let import = ["import", roster.to_str().unwrap(), "--source-id", "vendor"];
    assert_eq!(run(server.address(), &[&import[..], &["--dry-run"]].concat()).status.code(), Some(5));
    assert_eq!(json(server.address(), &["status"], 0)["counts"].get("slots"), None, "a dry run sends nothing");
    assert_eq!(run(server.address(), &[&import[..], &["--all-or-nothing"]].concat()).status.code(), Some(3));
    assert_eq!(run(server.address(), &import).status.code(), Some(5));

    assert_eq!(run(server.address(), &["find", "--age", "soon"]).status.code(), Some(2));
    assert_eq!(failure(server.address(), &["find"], 2)["fieldViolations"][0]["field"], "query.position");
    let nothing = ["find", "--at", "47.083,2.398", "--within", "30", "--specialty", "SM15"];
    assert_eq!(json(server.address(), &nothing, 3)["outcome"], "CARE_OUTCOME_NO_SLOT_IN_TIME");
    let emergency = json(server.address(), &["find", "--care-level", "R1"], 0);
    assert_eq!(emergency["outcome"], "CARE_OUTCOME_EMERGENCY_DISPATCH");
    let address = server.address().to_owned();
    server.terminate();
    assert_eq!(failure(&address, &["status"], 4)["exitCode"], 4);
}

#[test]
fn demonstration_shows_every_outcome_and_ends() {
    let output = program_command().args(["demo", "--exit-after-cases"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    for part in [
        "(APPOINTMENT)",
        "(WALK_IN)",
        "(TELECONSULTATION)",
        "(HOME_VISIT)",
        "(NO_SLOT_IN_TIME)",
        "(EMERGENCY_DISPATCH)",
        "UTC+4",
        "SLOT_TAKEN",
        "Autres possibilités",
        "confirmé (BOOKED)",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 120, "{} columns: {line}", line.chars().count());
    }
}
