//! Real processes, real failures: whatever clients were told must be explained by one history of each slot.
//!
//! `tests/run` plays a short set of seeds; `tests/chaos` plays as many as there is time for. A run that breaks a promise
//! prints its seed and the command that plays it again.

mod bugs;
mod call;
mod checker;
mod checker_tests;
mod disk;
mod history;
mod load;
mod nemesis;
mod order;
mod patience;
mod pause;
mod proxy;
mod replacing;
mod run;
mod servers;
mod world;

use std::time::Duration;

use nemesis::Nemesis;
use run::{Plan, Strike, run, tell};
use sas_router::clock::Stopwatch;
use servers::Topology;
use world::{Making, shifted_clock};

use crate::harness::{skip, variable};
use crate::support::random::Random;

/// How long a fault lasts at least.
const SHORTEST: Duration = Duration::from_secs(1);
/// Faults of a run.
const FAULTS: usize = 8;
/// How many faults of a long run happen while another one lasts, where they can.
const JOINED: f64 = 0.5;

/// What `tests/chaos` asks for; without it the short set is played.
struct Asked {
    topology: String,
    seed: u64,
    plays_for: Duration,
    longest: Duration,
}

impl Asked {
    fn of_environment() -> Option<Self> {
        let text = |name| variable(name).and_then(|value| value.into_string().ok());
        let number = |name| text(name).and_then(|value| value.parse().ok());
        Some(Self {
            topology: text("CHAOS_TOPOLOGY")?,
            seed: number("CHAOS_SEED")?,
            plays_for: Duration::from_secs(60 * number("CHAOS_MINUTES")?),
            longest: Duration::from_secs(number("CHAOS_LONGEST_SECONDS")?),
        })
    }
}

/// Plays what is asked for, or these seeds.
async fn play(topology: Topology, seeds: std::ops::RangeInclusive<u64>) {
    let Some(asked) = Asked::of_environment() else {
        for seed in seeds {
            is_kept(topology, seed, Duration::from_secs(3), 0.0).await;
        }
        return;
    };
    let played = Stopwatch::start();
    let mut seed = asked.seed;
    while asked.topology == topology.name() && (seed == asked.seed || played.elapsed() < asked.plays_for) {
        is_kept(topology, seed, asked.longest, JOINED).await;
        seed += 1;
    }
}

async fn is_kept(topology: Topology, seed: u64, longest: Duration, joined: f64) {
    let mut random = Random::new(seed);
    let mut nemeses = Nemesis::all(topology).to_vec();
    if shifted_clock(1).is_none() {
        skip("clocks that jump", "libfaketime is not installed");
        nemeses.retain(|nemesis| *nemesis != Nemesis::ClockAhead);
    }
    random.shuffle(&mut nemeses);
    let faults = nemeses.iter().take(FAULTS).map(|fault| {
        let others: Vec<_> = nemeses.iter().copied().filter(|other| fault.may_join(*other)).collect();
        let other = others.get(random.below(others.len().max(1))).copied();
        let within = other.filter(|_| random.chance(joined));
        Strike { fault: *fault, within }
    });
    let strikes = faults.collect();
    let making = Making { topology, ..Making::default() };
    let report = run(Plan { seed, making, strikes, lasts: (SHORTEST, longest) }).await;
    tell(&format!("{} seed {seed}: {report}", topology.name()));
    assert!(
        report.is_clean(),
        "{report}\nplay it again: tests/chaos --minutes 0 --topology {} --seed {seed} --longest {}",
        topology.name(),
        longest.as_secs()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promises_are_kept_on_one_server() {
    play(Topology::Single, 1..=2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promises_are_kept_with_a_replica() {
    play(Topology::Replica, 1..=1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promises_are_kept_under_sentinels() {
    play(Topology::Sentinel, 1..=1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promises_are_kept_in_a_cluster() {
    play(Topology::Cluster, 1..=1).await;
}
