//! What became of scenarios that were played: the families that hold, and each difference of those that do not.

use serde_json::json;

use super::Layout;
use super::table::wrapped;
use crate::scenario::{Difference, Scenario, Verdict};

/// A scenario and what became of it.
#[derive(Debug)]
pub struct Played<'s> {
    /// The scenario.
    pub scenario: &'s Scenario,
    /// What became of it.
    pub verdict: Verdict,
}

/// A report for people.
#[must_use]
pub fn report(played: &[Played<'_>], layout: &Layout) -> String {
    let mut lines = Vec::new();
    for of_file in played.chunk_by(|one, next| one.scenario.file == next.scenario.file) {
        let failed = of_file.iter().filter(|one| !one.verdict.holds()).count();
        if let Some(first) = of_file.first() {
            let Scenario { family, file, .. } = first.scenario;
            let line = format!("{family} ({file}) : {}", count(of_file.len(), failed));
            lines.push(wrapped(&line, layout.width, 2));
        }
        lines.extend(of_file.iter().filter(|one| !one.verdict.holds()).map(|one| failure(one, layout)));
    }
    let failed = played.iter().filter(|one| !one.verdict.holds()).count();
    lines.push(format!("Total : {}", count(played.len(), failed)));
    lines.join("\n")
}

fn count(all: usize, failed: usize) -> String {
    let noun = if all > 1 { "scénarios" } else { "scénario" };
    match failed {
        0 => format!("{all} {noun}, tout est conforme"),
        failed => format!("{all} {noun}, {failed} non conforme{}", if failed > 1 { "s" } else { "" }),
    }
}

/// One that does not hold, with its story and every difference.
#[must_use]
pub fn failure(played: &Played<'_>, layout: &Layout) -> String {
    let Scenario { file, line, name, story, .. } = played.scenario;
    let indented = |text: String, by: usize| {
        let width = layout.width.saturating_sub(by);
        format!("{}{}", " ".repeat(by), wrapped(&text, width, by + 4))
    };
    let mut lines = vec![indented(format!("✗ {name} ({file}:{line})"), 2), indented(story.clone(), 4)];
    for Difference { what, expected, actual } in &played.verdict.differences {
        lines.push(indented(what.clone(), 4));
        lines.push(indented(format!("attendu : {expected}"), 6));
        lines.push(indented(format!("obtenu : {actual}"), 6));
    }
    lines.join("\n")
}

/// A report for programs.
#[must_use]
pub fn report_json(played: &[Played<'_>]) -> String {
    let scenarios: Vec<_> = played.iter().map(of_one).collect();
    let failed = played.iter().filter(|one| !one.verdict.holds()).count();
    let report = json!({ "scenarioCount": played.len(), "failedCount": failed, "scenarios": scenarios });
    format!("{report:#}")
}

fn of_one(played: &Played<'_>) -> serde_json::Value {
    let Scenario { file, line, family, name, .. } = played.scenario;
    let differences: Vec<_> = played
        .verdict
        .differences
        .iter()
        .map(|Difference { what, expected, actual }| json!({ "what": what, "expected": expected, "actual": actual }))
        .collect();
    json!({
        "file": file,
        "line": line,
        "family": family,
        "name": name,
        "holds": played.verdict.holds(),
        "differences": differences,
    })
}
