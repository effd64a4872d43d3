//! The figures of a run, for people and for programs.

use std::path::Path;

use serde_json::json;

use super::load::{IN_FLIGHT, Round};

/// What the target asks of each of the others.
const TARGET: f64 = 60.0;

/// A design of an engine.
pub struct Figure {
    pub name: &'static str,
    pub design: String,
    pub round: Round,
}

/// Cores, processor, and the load of the machine, which decides how far a figure can be believed.
pub struct Machine {
    pub cores: usize,
    pub processor: String,
    pub load: String,
}

/// This machine, now.
pub fn machine() -> Machine {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Machine {
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        processor: processor.trim_start_matches(['\t', ' ', ':']).to_owned(),
        load: load.split(' ').next().unwrap_or("unknown").to_owned(),
    }
}

/// The table of a run.
pub fn table(figures: &[Figure], answer_bytes: usize, machine: &Machine) {
    let Machine { cores, processor, load } = machine;
    println!(
        "\n{processor}, {cores} cores, load at the end {load}; {IN_FLIGHT} in flight; mean answer {answer_bytes} bytes\n"
    );
    println!("| engine | design | questions/s | p50 | p99 | sas-router is |\n|---|---|---|---|---|---|");
    for figure in figures {
        let Round { per_second, p50, p99, .. } = figure.round;
        let times = ratio(figures, figure);
        let verdict = match figure.name {
            "sas-router" => "1".to_owned(),
            "no-op gRPC" => format!("{:.0} % of it (target 50)", 100.0 * times),
            _ if is_fastest(figures, figure) => format!("{times:.1} times it (target {TARGET:.0})"),
            _ => format!("{times:.1} times it; not its best design"),
        };
        println!("| {} | {} | {per_second:.0} | {p50:.2?} | {p99:.2?} | {verdict} |", figure.name, figure.design);
    }
}

/// The same for programs.
pub fn json(file: &Path, figures: &[Figure], slots: usize, answer_bytes: usize, machine: &Machine) {
    let each = figures.iter().map(|figure| {
        json!({
            "engine": figure.name,
            "design": figure.design,
            "fastest_design": is_fastest(figures, figure),
            "questions_per_second": figure.round.per_second,
            "p50_ms": figure.round.p50.as_secs_f64() * 1e3,
            "p99_ms": figure.round.p99.as_secs_f64() * 1e3,
            "calls": figure.round.calls,
            "sas_router_times": ratio(figures, figure),
        })
    });
    let all = json!({
        "slots": slots,
        "in_flight": IN_FLIGHT,
        "answer_bytes": answer_bytes,
        "machine": { "cores": machine.cores, "processor": machine.processor, "load": machine.load },
        "engines": each.collect::<Vec<_>>(),
    });
    std::fs::write(file, format!("{all:#}\n")).unwrap();
    println!("\nwritten to {}", file.display());
}

fn ratio(figures: &[Figure], other: &Figure) -> f64 {
    let ours = figures.iter().find(|figure| figure.name == "sas-router").map_or(0.0, |ours| ours.round.per_second);
    ours / other.round.per_second
}

/// Whether it is the fastest design of its engine, which is the one to compare with.
fn is_fastest(figures: &[Figure], one: &Figure) -> bool {
    let others = figures.iter().filter(|figure| figure.name == one.name);
    others.map(|figure| figure.round.per_second).all(|rate| rate <= one.round.per_second)
}
