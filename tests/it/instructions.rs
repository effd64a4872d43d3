//! How many instructions an answer takes, by kind of question: a measure that neither other programs nor a slower machine
//! disturb.
//!
//! The released program plays one scenario under callgrind: a small region of the benches, and some questions of each kind,
//! every one asked twice and counted the second time. Counted is the whole answer in memory, near misses, sentences and sites
//! included, without transport and encoding. Invariant: a count that leaves its budget on either side fails, so that a
//! gain is written down as a loss is. Deliberately absent: time, which cache misses decide; see `benches/README.md`.

mod ground;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::server_process::program_command;
use crate::harness::{report, skip, variable};

/// By how many per cent a count may differ from its budget: other processors have other ways of copying memory.
const TOLERANCE_PERCENT: u64 = 5;
/// What is counted, as callgrind names it.
const COUNTED: &str = "sas_router::service::find::Finder::find";
/// What writes the counts into the budget instead of comparing them.
const REWRITE: &str = "SAS_ROUTER_REWRITE_BUDGET=1 tests/run instructions";
const TEST: &str = "the_instructions_of_an_answer_are_those_of_the_budget";

fn budget_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.toml")
}

#[test]
fn the_instructions_of_an_answer_are_those_of_the_budget() {
    if variable("SAS_ROUTER_BIN").is_none() {
        return skip(TEST, "tests/run builds the released program");
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        return skip(TEST, "valgrind is not installed");
    }
    let counted = counts();
    if variable("SAS_ROUTER_REWRITE_BUDGET").is_some() {
        return fs::write(budget_file(), written(&counted)).unwrap();
    }
    let budget: BTreeMap<String, u64> = toml::from_str(&fs::read_to_string(budget_file()).unwrap()).unwrap();
    assert_eq!(budget.keys().collect::<Vec<_>>(), counted.keys().collect::<Vec<_>>(), "rewrite it: {REWRITE}");
    let mut table = String::new();
    let mut left = 0;
    for (kind, count) in &counted {
        let known = budget[kind];
        let is_left = count.abs_diff(known) * 100 > known * TOLERANCE_PERCENT;
        left += usize::from(is_left);
        let verdict = if is_left { "  LEFT" } else { "" };
        writeln!(table, "{kind:<18} counted {count:>9}, budget {known:>9}{verdict}").unwrap();
    }
    assert!(left == 0, "instructions of an answer:\n{table}When the change is meant: {REWRITE}");
    report(&format!("instructions of an answer, within {TOLERANCE_PERCENT} % of benches/instructions.toml:\n{table}"));
}

/// The budget as its file says it.
fn written(counts: &BTreeMap<String, u64>) -> String {
    let mut text = format!(
        "# Instructions of one answer by kind of question, on the mean; tests/it/instructions.rs counts and compares them.\n\
         # Written by: {REWRITE}\n"
    );
    for (kind, count) in counts {
        writeln!(text, "{kind} = {count}").unwrap();
    }
    text
}

/// The mean count of each kind of question.
fn counts() -> BTreeMap<String, u64> {
    let folder = tempfile::tempdir().unwrap();
    let kinds = ground::write(folder.path());
    let dumps = folder.path().join("counted");
    let program = program_command();
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--dump-line=no", "--compress-strings=no"]);
    command.arg(format!("--toggle-collect={COUNTED}")).arg(format!("--dump-after={COUNTED}"));
    command.arg(format!("--callgrind-out-file={}", dumps.display()));
    command.arg(program.get_program()).args(["scenario", "run"]).arg(folder.path());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    // All questions are asked once before any is counted, so that what is made once only is there.
    for (number, kind) in (1 + kinds.len()..).zip(&kinds) {
        let count = total(&folder.path().join(format!("counted.{number}")));
        assert!(count > 0, "nothing was counted: is {COUNTED} not called any more?\n{said}");
        let (sum, answers) = sums.entry(kind.clone()).or_default();
        *sum += count;
        *answers += 1;
    }
    sums.into_iter().map(|(kind, (sum, answers))| (kind, sum / answers)).collect()
}

/// The instructions in one dump of callgrind.
fn total(dump: &Path) -> u64 {
    let text = fs::read_to_string(dump).unwrap_or_else(|error| panic!("{}: {error}", dump.display()));
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    totals.unwrap_or("0").trim().parse().unwrap()
}
