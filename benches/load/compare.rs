//! A run beside a saved one: the ratio of each figure, and what got worse.
//!
//! Invariant: only like is compared with like; runs with other parameters are, with a word on which differ.

use super::report::{Phase, Report};

/// A latency is worse when it is longer by more than this share; a rate, when it is less by more than it.
const TOLERANCE: f64 = 0.10;

/// Two figures of the same thing.
#[derive(Clone, PartialEq, Debug)]
pub struct Ratio {
    pub name: String,
    pub before: f64,
    pub now: f64,
    pub is_worse: bool,
}

/// What comparing two runs says.
#[derive(Clone, PartialEq, Debug)]
pub struct Comparison {
    /// Parameters that differ, and phases that only one has.
    pub differences: Vec<String>,
    pub ratios: Vec<Ratio>,
}

pub fn compare(before: &Report, now: &Report) -> Comparison {
    let mut differences: Vec<String> = now
        .parameters
        .iter()
        .filter_map(|(name, value)| {
            let other = before.parameters.get(name).map_or("not said", String::as_str);
            (other != value).then(|| format!("{name} was {other}, is {value}"))
        })
        .collect();
    let mut ratios = Vec::new();
    if let (Some(before), Some(now)) = (before.capacity_per_second, now.capacity_per_second) {
        ratios.push(rate("capacity".to_owned(), before, now));
    }
    for phase in &now.phases {
        match before.phases.iter().find(|other| other.name == phase.name) {
            Some(other) => phases(other, phase, &mut ratios),
            None => differences.push(format!("the saved run has no phase {}", phase.name)),
        }
    }
    Comparison { differences, ratios }
}

fn phases(before: &Phase, now: &Phase, ratios: &mut Vec<Ratio>) {
    let name = &now.name;
    ratios.push(rate(format!("{name}: answered a second"), before.goodput_per_second, now.goodput_per_second));
    for (operation, figures) in &now.operations {
        let Some(other) = before.operations.get(operation) else { continue };
        if other.count == 0 || figures.count == 0 {
            continue;
        }
        for (quantile, before, now) in [("p50", other.p50_us, figures.p50_us), ("p99", other.p99_us, figures.p99_us)] {
            ratios.push(time(format!("{name}: {operation} {quantile}, µs"), before as f64, now as f64));
        }
    }
}

fn rate(name: String, before: f64, now: f64) -> Ratio {
    Ratio { name, before, now, is_worse: now < before * (1.0 - TOLERANCE) }
}

fn time(name: String, before: f64, now: f64) -> Ratio {
    Ratio { name, before, now, is_worse: now > before * (1.0 + TOLERANCE) }
}

pub fn table(comparison: &Comparison) -> String {
    let mut lines: Vec<String> = comparison.differences.iter().map(|one| format!("not alike: {one}")).collect();
    lines.push(format!("{:<44} {:>12} {:>12} {:>7}", "", "before", "now", "ratio"));
    for Ratio { name, before, now, is_worse } in &comparison.ratios {
        let ratio = if *before > 0.0 { now / before } else { f64::INFINITY };
        let worse = if *is_worse { format!("  worse by {:.0} %", 100.0 * (ratio - 1.0).abs()) } else { String::new() };
        lines.push(format!("{name:<44} {before:>12.0} {now:>12.0} {ratio:>7.2}{worse}"));
    }
    lines.join("\n")
}
