//! The scenario corpus holds, is whole, and what is wrong with a scenario is refused before it is played.

mod refusals;

use std::path::{Path, PathBuf};

use sas_router::cli::render::Layout;
use sas_router::cli::render::scenario::{Played, failure};
use sas_router::scenario::{Corpus, load, run, shipped};

use crate::harness::server_process::program_command;

/// Scenarios that the corpus has at least.
const SCENARIOS_MIN: usize = 80;
/// Scenarios that a family has at least.
const FAMILY_MIN: usize = 2;
/// The families, as the files name them.
const FAMILIES: [&str; 31] = [
    "Partage et diversité",
    "Sources silencieuses",
    "Réservation et changement",
    "Offres refusées",
    "Médecin traitant et exclusions",
    "Adulte en journée",
    "Nourrisson",
    "Personne âgée à domicile",
    "Femme enceinte",
    "Sans voiture",
    "Fauteuil roulant",
    "Garde de nuit, passage de minuit",
    "Dimanches et jours fériés",
    "Changements d'heure",
    "Outre-mer",
    "Corse",
    "Montagne",
    "Île",
    "Paris dense",
    "Campagne vide",
    "Créneaux réservés à une CPTS",
    "Créneaux de deux CPTS",
    "Zones sans CPTS",
    "Limites de département",
    "Niveaux de soin et priorités",
    "Motifs d'alerte",
    "Urgences fermées ou régulées",
    "Fin de plage sans rendez-vous",
    "Plage sans rendez-vous complète",
    "Téléconsultation puis visite",
    "Fraîcheur des données et doutes",
];

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

#[test]
fn the_corpus_that_ships_is_the_whole_of_it() {
    let names =
        |corpus: Corpus| -> Vec<String> { corpus.scenarios.into_iter().map(|scenario| scenario.name).collect() };
    assert_eq!(names(shipped().unwrap()), names(corpus()));
}

#[test]
fn the_corpus_covers_every_family() {
    let corpus = corpus();
    assert!(corpus.scenarios.len() >= SCENARIOS_MIN, "only {} scenarios", corpus.scenarios.len());
    let count = |family: &str| corpus.scenarios.iter().filter(|scenario| scenario.family == family).count();
    let thin: Vec<_> = FAMILIES.iter().filter(|family| count(family) < FAMILY_MIN).collect();
    assert!(thin.is_empty(), "families with fewer than {FAMILY_MIN} scenarios: {thin:?}");
    let other: Vec<_> = corpus.scenarios.iter().filter(|one| !FAMILIES.contains(&&*one.family)).collect();
    let readme = include_str!("../../README.md");
    let told = format!("{} scenarios in {} families", corpus.scenarios.len(), FAMILIES.len());
    assert!(readme.contains(&told), "the README does not say: {told}");
    assert!(other.is_empty(), "of no known family: {:?}", other.iter().map(|one| &one.file).collect::<Vec<_>>());
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
    "availability = \"NONE\"",
    "silent_sources = [\"scenario\"]",
    "what_ifs = [\"VR: 1\"]",
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

/// What the statements on near misses and emergency sites are about.
const MORE: &str = r#"when.within = "4H"
given.schedules.late = { at = "Vénissieux", slots = ["20:00"] }
given.emergency_sites.sau = { at = "Bron", access = ["daily 08:00 to 20:00 OPEN"] }
"#;

/// Statements of a near miss and of an emergency site, made wrongly.
const WRONG_STATEMENTS_OF_MORE: &[&str] = &[
    "near_misses = []",
    "near_misses = [{ slot = \"late\", rule = \"AGE\" }]",
    "near_misses = [{ slot = \"late\", excess = 1 }]",
    "near_misses = [{ slot = \"late\", sentence = \"Trop tard.\" }]",
    "near_misses = [{ slot = \"late\", modality = \"VR\" }]",
    "missed = [{ slot = \"late\", excess = 1 }]",
    "what_ifs = []",
    "emergency_sites = []",
    "emergency_sites = [{ site = \"sau\", access = \"CLOSED\" }]",
    "emergency_sites = [{ site = \"sau\", changes_at = \"21:00\" }]",
    "emergency_sites = [{ site = \"sau\", travel_minutes = 99 }]",
];

#[tokio::test]
async fn a_statement_that_is_not_so_is_told_and_no_other() {
    let of_small = WRONG_STATEMENTS.iter().map(|statement| (statement, ""));
    for (statement, more) in of_small.chain(WRONG_STATEMENTS_OF_MORE.iter().map(|statement| (statement, MORE))) {
        let folder = folder_with(&format!("{SMALL}{more}[scenario.then]\n{statement}\n"));
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

#[tokio::test]
async fn a_refused_hold_that_names_other_alternatives_is_told() {
    let steps = "[[scenario.then_when]]\nhold = \"martin\"\n\
                 [[scenario.then_when]]\nhold = \"martin\"\nrefused = \"SLOT_TAKEN\"\nalternatives = [\"martin\"]\n";
    let folder = folder_with(&format!("{SMALL}{steps}"));
    let differences = run(&load(&[folder.path().to_owned()]).unwrap().scenarios[0]).await.differences;
    assert_eq!(differences.len(), 1, "{differences:?}");
    let told = &differences[0];
    assert_eq!((told.what.as_str(), told.actual.as_str()), ("step 2 (line 10), alternatives", "none"));
}

#[tokio::test]
async fn what_the_format_and_the_readme_show_holds() {
    for (page, rest) in [
        (include_str!("../scenarios/FORMAT.md"), ""),
        (
            include_str!("../../README.md"),
            "family = \"Essai\"\ngiven.now = \"2026-11-23 10:00\"\nwhen.patient = \"Vénissieux\"\n",
        ),
    ] {
        let shown: Vec<_> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let shown: Vec<_> = shown.into_iter().filter(|block| block.contains("[[scenario]]")).collect();
        assert_eq!(shown.len(), 1);
        let folder = folder_with(&format!("{rest}{}", shown[0]));
        let corpus = load(&[folder.path().to_owned()]).unwrap();
        assert_eq!(run(&corpus.scenarios[0]).await.differences, []);
    }
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
