//! How many calls a second does the program answer, how soon, and what becomes of those beyond: an open loop over gRPC.
//!
//! Method: the released program runs as a process of its own over an embedded ledger with a France-like region (1,000 CPTS,
//! 10⁵ schedules, 10⁶ slots, or the size given). Calls are sent when they are due, by a plan that knows only the rate, and
//! timed from that moment on, so that a stall is in the latency of all who would have called in it. See `benches/README.md`.
//! Run: `cargo bench --bench load -- --help`.
#![allow(missing_docs, unreachable_pub, clippy::print_stdout, reason = "a bench reports to the terminal")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench that fails has no caller; it reads the clock and starts tasks"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small figures"
)]

mod compare;
mod mix;
mod overload;
mod plan;
mod population;
mod report;
mod run;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod tally;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};

use clap::Parser;

use mix::{Callers, Mix};
use report::{Report, table};
use run::Load;
use server::Target;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Offers calls to a service of this machine at a rate that does not depend on its answers.
#[derive(Parser, Debug)]
#[command(name = "load")]
struct Arguments {
    /// What callers do
    #[arg(long, value_enum, default_value = "day")]
    mix: Mix,
    /// Calls a second; with --find-capacity or --overload, those of the first step
    #[arg(long, default_value_t = 1_000.0, value_parser = rate)]
    rate: f64,
    /// Raise the rate step by step until answers no longer follow
    #[arg(long)]
    find_capacity: bool,
    /// Find capacity, then offer 1, 2 and 10 times as much for --seconds each
    #[arg(long)]
    overload: bool,
    /// How long the rate is offered
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How long it is offered before, without being counted
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=120))]
    warm_up_seconds: u64,
    /// How long a step of the search for capacity takes
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    step_seconds: u64,
    /// Connections
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// How long a caller waits, in milliseconds
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(10..=30_000))]
    patience_ms: u64,
    /// Size of the region
    #[arg(long, default_value_t = 1_000_000)]
    slots: usize,
    /// Folder of the population, made when it is empty; a temporary one unless given. One in memory (/dev/shm) leaves the disk out
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Cores of the server, as `taskset -c` takes them
    #[arg(long)]
    server_cores: Option<String>,
    /// A server of this machine that is there already, on the population of --data-dir: `http://127.0.0.1:PORT`
    #[arg(long, requires = "data_dir", conflicts_with = "server_cores")]
    server: Option<String>,
    /// Write what was found here
    #[arg(long)]
    json: Option<PathBuf>,
    /// Compare with what a run wrote before; ends with 1 when something got worse
    #[arg(long)]
    compare: Option<PathBuf>,
    /// Passed by cargo
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    if (1.0..=1_000_000.0).contains(&rate) { Ok(rate) } else { Err("is not within 1 and 1000000".to_owned()) }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let before = arguments.compare.as_deref().map(saved);
    let report = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run(&arguments));
    for target in &report.targets {
        println!("{} {:<44} {}", if target.is_kept { "kept  " } else { "MISSED" }, target.name, target.reached);
    }
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&report).unwrap() + "\n").unwrap();
    }
    let Some(before) = before else { return ExitCode::SUCCESS };
    let comparison = compare::compare(&before, &report);
    println!("\n{}", compare::table(&comparison));
    if comparison.ratios.iter().any(|ratio| ratio.is_worse) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn saved(path: &Path) -> Report {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} is no saved run: {error}", path.display()))
}

async fn run(arguments: &Arguments) -> Report {
    let temporary = tempfile::tempdir().unwrap();
    let folder = arguments.data_dir.as_deref().unwrap_or(temporary.path());
    let region = population::settled(arguments.slots, folder).await;
    let target = match &arguments.server {
        Some(url) => Target::there(url).unwrap_or_else(|problem| panic!("{problem}")),
        None => {
            let (ledger, cores) = (folder.join(population::LEDGER), arguments.server_cores.as_deref());
            Target::start(&ledger, &folder.join("server.log"), cores)
        }
    };
    let patience = Duration::from_millis(arguments.patience_ms);
    let seconds_of_run = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let callers = Callers::of(&region, seconds_of_run, patience);
    drop(region);
    let mut machine = machine();
    let load = Load::over(&target.url, arguments.connections.into(), callers, arguments.mix, patience).await;
    let (time, warm_up) = (Duration::from_secs(arguments.seconds), Duration::from_secs(arguments.warm_up_seconds));
    if !warm_up.is_zero() {
        load.phase(arguments.rate, warm_up, Duration::MAX).await;
    }
    let (mut phases, mut targets, mut capacity) = (Vec::new(), Vec::new(), None);
    if arguments.find_capacity || arguments.overload {
        capacity = Some(find_capacity(&load, arguments, &mut phases).await);
    }
    if let (true, Some(capacity)) = (arguments.overload, capacity) {
        let overload = overload::run(&load, capacity, time).await;
        phases.extend(overload.0);
        targets = overload.1;
    } else if !arguments.find_capacity {
        let phase = load.phase(arguments.rate, time, Duration::MAX).await.phase("load", arguments.rate, time);
        println!("{}", table(&phase));
        phases.push(phase);
    }
    machine.extend(target.resident_kb().map(|kb| ("resident memory of the server".to_owned(), kb)));
    machine.insert("load after".to_owned(), first_line("/proc/loadavg", ""));
    let commit = commit();
    Report { commit, machine, parameters: parameters(arguments), capacity_per_second: capacity, phases, targets }
}

async fn find_capacity(load: &Load, arguments: &Arguments, phases: &mut Vec<report::Phase>) -> f64 {
    let (mut search, time) = (plan::Search::from(arguments.rate), Duration::from_secs(arguments.step_seconds));
    loop {
        let rate = search.rate();
        let phase =
            load.phase(rate, time, Duration::MAX).await.phase(&format!("step {}", phases.len() + 1), rate, time);
        println!("{}", table(&phase));
        let goodput = phase.goodput_per_second;
        phases.push(phase);
        if !search.answered(goodput) {
            println!("\ncapacity: {:.0} calls a second", search.capacity());
            return search.capacity();
        }
    }
}

fn parameters(arguments: &Arguments) -> BTreeMap<String, String> {
    let Arguments { mix, rate, seconds, warm_up_seconds, step_seconds, connections, patience_ms, slots, .. } =
        arguments;
    let server = if arguments.server.is_some() { "there already".to_owned() } else { "started".to_owned() };
    let kind = match (arguments.overload, arguments.find_capacity) {
        (true, _) => "overload",
        (false, true) => "capacity",
        (false, false) => "rate",
    };
    let cores = arguments.server_cores.clone().unwrap_or_else(|| "all".to_owned());
    let pairs = [
        ("run", kind.to_owned()),
        ("mix", format!("{mix:?}")),
        ("rate", rate.to_string()),
        ("seconds", seconds.to_string()),
        ("warm-up seconds", warm_up_seconds.to_string()),
        ("step seconds", step_seconds.to_string()),
        ("connections", connections.to_string()),
        ("patience ms", patience_ms.to_string()),
        ("slots", slots.to_string()),
        ("server", server),
        ("cores of the server", cores),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn machine() -> BTreeMap<String, String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let pairs = [
        ("processor", first_line("/proc/cpuinfo", "model name")),
        ("cores of the client", cores.to_string()),
        ("memory", first_line("/proc/meminfo", "MemTotal")),
        ("kernel", first_line("/proc/sys/kernel/osrelease", "")),
        ("load before", first_line("/proc/loadavg", "")),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What the first line of a file that begins so says.
fn first_line(path: &str, start: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let rest = text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
    rest.trim_start_matches([' ', '\t', ':']).trim().to_owned()
}

fn commit() -> String {
    let described = Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output();
    let described = described.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    described.ok().filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}
