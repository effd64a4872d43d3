//! The rules of booking at the command line: a late slot for a physician, a booking moved, and what an export keeps of it.

use super::{QUESTION, failure, json, run, write_roster};
use crate::harness::server_process::{ServerProcess, program_command};

#[test]
fn a_patient_is_moved_to_a_later_slot_by_a_physician_and_the_export_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let server = ServerProcess::start(&state);
    let roster = folder.path().join("roster.csv");
    write_roster(&roster, false);
    json(server.address(), &["import", roster.to_str().unwrap(), "--source-id", "vendor", "--revision", "1"], 0);
    let found = json(server.address(), &[&["find"], QUESTION.as_slice()].concat(), 0);
    let schedule = found["options"][0]["scheduleId"].as_str().unwrap();
    let shown = json(server.address(), &["schedule", schedule], 0);
    let slots: Vec<_> =
        shown["slots"].as_array().unwrap().iter().map(|slot| slot["input"]["slotId"].as_str().unwrap()).collect();

    let held = json(server.address(), &["hold", slots[0], "--case", "dossier-1"], 0);
    let booked = json(server.address(), &["confirm", held["hold"]["holdId"].as_str().unwrap()], 0);
    let booking = booked["booking"]["bookingId"].as_str().unwrap();
    let second = failure(server.address(), &["hold", slots[1], "--case", "dossier-1"], 3);
    assert_eq!(second["reason"], "CASE_BOOKED");
    assert_eq!(second["holdRefused"]["standingClaimIds"][0], booking);

    let soon = ["--at", "47.083,2.398", "--department", "18", "--within", "30M"];
    let late = [&["rebook", booking, slots[2]], soon.as_slice()].concat();
    assert_eq!(failure(server.address(), &late, 3)["reason"], "BEYOND_DELAY");
    let role = ["--regulator-role", "physician", "--beyond-delay", "seul créneau", "--reason", "patient au travail"];
    let moved = json(server.address(), &[late.as_slice(), role.as_slice()].concat(), 0);
    assert_eq!(moved["booking"]["beyondDelay"]["reason"], "seul créneau");
    assert_eq!(moved["replaced"]["state"], "CLAIM_STATE_CANCELLED");
    let wrong = run(server.address(), &["hold", slots[1], "--case", "x", "--regulator-role", "king"]);
    assert_eq!(wrong.status.code(), Some(2));
    let status = String::from_utf8(run(server.address(), &["status"]).stdout).unwrap();
    assert!(status.contains("Pris hors délai"), "{status}");
    assert!(server.terminate().status.success());

    let output = program_command().args(["export", "--data-dir", state.to_str().unwrap()]).output().unwrap();
    let export = String::from_utf8(output.stdout).unwrap();
    let case = export.lines().find(|line| line.contains(r#""key":"case:dossier-1""#)).expect("the case is exported");
    assert!(case.contains(slots[2]), "{case}");
    assert!(export.contains("seul créneau") && export.contains("PHYSICIAN"), "{export}");
}
