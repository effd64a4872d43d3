//! The scenario corpus holds, is whole, and what is wrong with a scenario is refused before it is played.

mod refusals;

use std::path::{Path, PathBuf};

use sas_router::cli::render::Layout;
use sas_router::cli::render::scenario::{Played, failure};
use sas_router::scenario::{Corpus, load, run};

use crate::harness::server_process::program_command;

fn corpus_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

fn corpus() -> Corpus {
    load(&[corpus_folder()]).unwrap_or_else(|problems| panic!("the corpus is not valid:\n{problems}"))
}

#[tokio::test]
async fn every_scenario_of_the_corpus_holds() {
    let corpus = corpus();
    let mut failing = Vec::new();
    for scenario in &corpus.scenarios {
        let played = Played { scenario, verdict: run(scenario).await };
        if !played.verdict.holds() {
            failing.push(failure(&played, &Layout::new(160)));
        }
    }
    assert!(failing.is_empty(), "{} scenarios do not hold:\n{}", failing.len(), failing.join("\n"));
}

/// A world with one slot, asked for by one patient; the rest is what a scenario states.
const SMALL: &str = r#"family = "Essai"
[[scenario]]
name = "The only slot"
story = "Un seul créneau."
given.now = "2026-11-23 10:00"
given.schedules.martin = { at = "Vénissieux", slots = ["11:00"] }
when.patient = "Vénissieux"
"#;

/// A folder with the towns of the corpus and one scenario file.
fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(corpus_folder().join("_common.toml"), folder.path().join("_common.toml")).unwrap();
    std::fs::write(folder.path().join("one.toml"), text).unwrap();
    folder
}

/// Every statement that may be made of an answer, made wrongly.
const WRONG_STATEMENTS: &[&str] = &[
    "outcome = \"WALK_IN\"",
    "rule = \"options.other\"",
    "sentence = \"Rien.\"",
    "decision = \"INTER\"",
    "orientation = \"DOMICILE\"",
    "options = []",
    "options = [\"martin\", \"martin\"]",
    "first = [\"martin\", \"martin\"]",
    "not_offered = [\"martin\"]",
    "near_misses = [{ slot = \"martin\", rule = \"DELAY\" }]",
    "missed = [{ slot = \"martin\", rule = \"DELAY\" }]",
    "excluded = { DELAY = 1 }",
    "warnings = [\"OUTSIDE_FRANCE\"]",
    "radius_km = 6",
    "radius_source = \"QUERY\"",
    "widened = 1",
    "needed_by = \"12:00\"",
    "degraded = true",
    "examined_all = false",
    "data_age_minutes = [1, 2]",
    "options = [{ slot = \"martin\", modality = \"VR\" }]",
    "options = [{ slot = \"martin\", walk_in = true }]",
    "options = [{ slot = \"martin\", travel_minutes = 59 }]",
    "options = [{ slot = \"martin\", wait_minutes = [1, 59] }]",
    "options = [{ slot = \"martin\", remaining = 2 }]",
    "options = [{ slot = \"martin\", territory = \"OWN\" }]",
    "options = [{ slot = \"martin\", unknown = [\"AGE\"] }]",
    "options = [{ slot = \"martin\", sentence = \"Rendez-vous.\" }]",
    "options = [{ slot = \"martin\", begins = \"11:01 to 12:00\" }]",
    "offered = [{ slot = \"martin\", remaining = 2 }]",
];

#[tokio::test]
async fn a_statement_that_is_not_so_is_told_and_no_other() {
    for statement in WRONG_STATEMENTS {
        let widened = "radius_km = [0, 99]\nwidened = [0, 9]\n";
        let others = if statement.contains("radius_km") || statement.contains("widened") { "" } else { widened };
        let folder = folder_with(&format!("{SMALL}[scenario.then]\n{others}{statement}\n"));
        let corpus = load(&[folder.path().to_owned()]).unwrap_or_else(|problems| panic!("{statement}: {problems}"));
        let verdict = run(&corpus.scenarios[0]).await;
        assert_eq!(verdict.differences.len(), 1, "{statement}: {:?}", verdict.differences);
    }
}

#[tokio::test]
async fn a_step_that_ends_otherwise_is_told_and_ends_the_scenario() {
    let steps = "[[scenario.then_when]]\nhold = \"martin 11:00\"\nrefused = \"SLOT_TAKEN\"\n\
                 [[scenario.then_when]]\nconfirm = \"martin\"\nrefused = \"HOLD_EXPIRED\"\n";
    let folder = folder_with(&format!("{SMALL}{steps}"));
    let corpus = load(&[folder.path().to_owned()]).unwrap();
    let differences = run(&corpus.scenarios[0]).await.differences;
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert!(differences[0].what.starts_with("step 1 (line 8)"), "{differences:?}");
}

#[test]
fn the_command_ends_with_0_2_or_3_and_tells_programs_why() {
    let ends = |text: &str, output: &str| {
        let folder = folder_with(text);
        let mut command = program_command();
        let done = command.args(["scenario", "run", "--output", output]).arg(folder.path()).output().unwrap();
        let [stdout, stderr] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (done.status.code(), stdout, stderr)
    };
    let holds = format!("{SMALL}then.options = [\"martin 11:00\"]\n");
    let (code, stdout, _) = ends(&holds, "json");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &report["failedCount"], &report["scenarioCount"]), (Some(0), &0.into(), &1.into()));
    let (code, stdout, _) = ends(&format!("{SMALL}then.options = []\n"), "table");
    assert_eq!(code, Some(3));
    assert!(stdout.contains("attendu : none") && stdout.contains("obtenu : martin 11:00"), "{stdout}");
    let (code, stdout, stderr) = ends(SMALL, "json");
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    let refused: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert!(refused["message"].as_str().unwrap().contains("states nothing"), "{stderr}");
}
