//! What a run found, as it is written to a file and shown as a table.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// A run.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Report {
    pub commit: String,
    pub machine: BTreeMap<String, String>,
    /// What was asked for, by flag.
    pub parameters: BTreeMap<String, String>,
    /// Most calls a second that were answered, where that was looked for.
    pub capacity_per_second: Option<f64>,
    pub phases: Vec<Phase>,
    /// Each target with what was reached, and whether that keeps it.
    pub targets: Vec<Target>,
}

/// A part of a run at one rate.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Phase {
    pub name: String,
    pub offered_per_second: f64,
    /// Calls a second that got an answer, a refusal by a rule of booking included.
    pub goodput_per_second: f64,
    pub seconds: f64,
    /// Latency of what was answered, by operation and of all, from the planned moment on.
    pub operations: BTreeMap<String, Figures>,
    /// Latency of calls that were refused for want of room, from the moment they were sent.
    pub shed: Figures,
    /// Refusals by a rule.
    pub refusals: BTreeMap<String, u64>,
    /// Calls without an answer: refused for want of room, failed, given up.
    pub errors: BTreeMap<String, u64>,
    /// How long after the overload before it the server was itself again.
    pub recovery_ms: Option<u64>,
}

/// How a latency is distributed, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Figures {
    pub count: u64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p99_us: u64,
    pub p999_us: u64,
    pub max_us: u64,
}

impl Figures {
    pub fn of(times_us: &Histogram<u64>) -> Self {
        let at = |share| times_us.value_at_quantile(share);
        Self {
            count: times_us.len(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: times_us.max(),
        }
    }
}

/// A target and what was reached.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Target {
    pub name: String,
    pub reached: String,
    pub is_kept: bool,
}

/// The row of all operations together.
pub const ALL: &str = "all";

pub fn table(phase: &Phase) -> String {
    let ms = |us: u64| format!("{:.2}", us as f64 / 1_000.0);
    let mut lines = vec![format!(
        "\n{}: offered {:.0}/s, answered {:.0}/s ({:.0} %) for {:.1} s",
        phase.name,
        phase.offered_per_second,
        phase.goodput_per_second,
        100.0 * phase.goodput_per_second / phase.offered_per_second,
        phase.seconds
    )];
    lines.push(format!(
        "{:>12} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8}  ms",
        "", "calls", "p50", "p90", "p99", "p99.9", "max"
    ));
    let shed = ("(shed)".to_owned(), phase.shed);
    for (name, figures) in phase.operations.clone().into_iter().chain((shed.1.count > 0).then_some(shed)) {
        let Figures { count, p50_us, p90_us, p99_us, p999_us, max_us } = figures;
        let [p50, p90, p99, p999, max] = [p50_us, p90_us, p99_us, p999_us, max_us].map(ms);
        lines.push(format!("{name:>12} {count:>9} {p50:>8} {p90:>8} {p99:>8} {p999:>8} {max:>8}"));
    }
    let by_reason = |reasons: &BTreeMap<String, u64>| {
        reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect::<Vec<_>>().join(", ")
    };
    for (what, reasons) in [("refused by a rule", &phase.refusals), ("without an answer", &phase.errors)] {
        if !reasons.is_empty() {
            lines.push(format!("{what}: {}", by_reason(reasons)));
        }
    }
    lines.extend(phase.recovery_ms.map(|ms| format!("back to nominal after {ms} ms")));
    lines.join("\n")
}
