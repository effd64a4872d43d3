//! Thousands of simulated runs: three instances on one server, with lost, repeated and late messages, restarts, clocks that
//! differ and jump, and a server that comes back without its last writes, or empty, and is recovered.
//!
//! A seed that fails is printed; `SEED=… cargo test --test it simulation` plays it alone.

mod deed;
mod instance;
mod judge;
mod recovery;
mod run;
mod store;
mod town;

use std::num::NonZero;
use std::panic::resume_unwind;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::harness::{report, variable};
use judge::judge;
use run::Run;

/// Runs of the test, when there is time for them.
const RUNS: u64 = 3_000;
/// Runs of the test in any case.
const RUNS_MIN: u64 = 2_000;
/// After so long no run is begun.
const TIME_MAX: Duration = Duration::from_secs(30);
/// Says that this process is there for nothing but the runs.
const APART: &str = "SAS_ROUTER_TEST_SIMULATION_APART";
/// Steps of a run.
const STEPS: usize = 120;

/// Says which run failed, after which none is begun.
struct Playing<'a> {
    seed: u64,
    next: &'a AtomicU64,
}

impl Drop for Playing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.next.fetch_max(RUNS, Ordering::Relaxed);
            report(&format!("play this run again with SEED={} cargo test --test it simulation", self.seed));
        }
    }
}

/// What happened in runs.
#[derive(Default)]
struct Sum {
    runs: u64,
    done: usize,
    losses: usize,
    lost: usize,
    quarantined: usize,
    forgotten: usize,
    repeated: usize,
}

impl Sum {
    fn play(&mut self, seed: u64, next: &AtomicU64) {
        let _playing = Playing { seed, next };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let run = runtime.block_on(async {
            let mut run = Run::new(seed);
            for _ in 0..STEPS {
                run.step().await;
            }
            run.finish().await;
            judge(&run);
            run.claim_the_rest().await;
            judge(&run);
            run
        });
        self.runs += 1;
        self.done += run.done.len();
        self.losses += run.losses;
        self.lost += run.lost.len();
        self.quarantined += run.quarantined;
        self.forgotten += run.store.forgotten.len();
        self.repeated += run.store.repeated.len();
    }

    fn plus(mut self, other: Self) -> Self {
        let Self { runs, done, losses, lost, quarantined, forgotten, repeated } = other;
        self.runs += runs;
        self.done += done;
        self.losses += losses;
        self.lost += lost;
        self.quarantined += quarantined;
        self.forgotten += forgotten;
        self.repeated += repeated;
        self
    }

    fn told(&self) -> String {
        let Self { runs, done, losses, lost, quarantined, forgotten, repeated } = self;
        format!(
            "{runs} simulated runs: {done} deeds told and there, {losses} losses, {lost} deeds lost with them, \
             {quarantined} claims in quarantine, {forgotten} outcomes forgotten, {repeated} epochs begun twice"
        )
    }
}

/// Plays one run after the other, as many threads at once as there are cores.
fn play_all() -> Sum {
    let (next, began_at) = (AtomicU64::new(0), Instant::now());
    let play = || {
        let mut sum = Sum::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= RUNS || (seed >= RUNS_MIN && began_at.elapsed() >= TIME_MAX) {
                return sum;
            }
            sum.play(seed, &next);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let playing: Vec<_> = (0..threads).map(|_| scope.spawn(play)).collect();
        let sums = playing.into_iter().map(|one| one.join().unwrap_or_else(|failed| resume_unwind(failed)));
        sums.fold(Sum::default(), Sum::plus)
    })
}

/// The seed that a variable names.
fn seed() -> Option<u64> {
    variable("SEED").map(|seed| seed.to_str().unwrap().parse().unwrap())
}

#[test]
fn no_simulated_run_books_twice_or_loses_what_was_acknowledged() {
    if let Some(seed) = seed() {
        let mut sum = Sum::default();
        sum.play(seed, &AtomicU64::new(RUNS));
        return report(&sum.told());
    }
    if variable(APART).is_none() {
        let played = apart().stdin(Stdio::null()).status().unwrap();
        return assert!(played.success(), "a run failed: its words are above");
    }
    let sum = play_all();
    report(&sum.told());
    let Sum { done, losses, lost, quarantined, .. } = sum;
    assert!(done > 3_000 && losses > 1_000 && lost > 20 && quarantined > 20, "too little happens");
}

/// The test of all runs, in a process of its own.
///
/// Whatever an index lets go of, it asks every thread that the process ever had: among other tests that would take most of the time.
fn apart() -> Command {
    let mut playing = Command::new(std::env::current_exe().unwrap());
    playing.args(["simulation::no_simulated_run_books_twice_or_loses_what_was_acknowledged", "--exact", "--nocapture"]);
    playing.env(APART, "1");
    playing
}

/// Plays all runs with a fault of the program awake, and sees that one of them breaks a promise in these words.
fn is_caught(fault: &str, words: &[&str]) {
    if seed().is_some() {
        return;
    }
    let played = apart().env("SEEDED_BUG", fault).output().unwrap();
    let told = String::from_utf8_lossy(&played.stderr);
    assert!(
        !played.status.success() && words.iter().any(|words| told.contains(words)),
        "{fault} is not caught: {told}"
    );
}

#[test]
fn a_ledger_that_does_not_compare_versions_is_caught() {
    is_caught("version-ignored", &["live claims", "another booking", "went away", "something else"]);
}

#[test]
fn a_ledger_that_carries_out_retries_again_is_caught() {
    is_caught("request-id-ignored", &["effects"]);
}

#[test]
fn a_ledger_that_confirms_late_is_caught() {
    is_caught("time-ignored", &["confirmed late"]);
}
