//! Real processes, real failures: whatever clients were told must be explained by one history of each slot.
//!
//! `tests/run` plays a short set of seeds; `tests/chaos` plays as many as there is time for. A run that breaks a promise
//! prints its seed and the command that plays it again.

mod bugs;
mod call;
mod checker;
mod checker_tests;
mod history;
mod load;
mod nemesis;
mod order;
mod pause;
mod proxy;
mod run;
mod world;

use std::time::Duration;

use nemesis::Nemesis;
use run::{Plan, run};
use world::Making;

/// How long faults last in the short set.
const SHORT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));

async fn is_kept(seed: u64, making: Making, nemeses: &[Nemesis]) {
    let plan = Plan { seed, making, nemeses: nemeses.to_vec(), lasts: SHORT };
    let report = run(plan.clone()).await;
    println!("{plan:?}: {report}");
    assert!(report.is_clean(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promises_are_kept_in_calm() {
    is_kept(1, Making::default(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promises_are_kept_while_processes_fail() {
    is_kept(2, Making::default(), &Nemesis::OF_ONE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promises_are_kept_with_a_replica() {
    is_kept(3, Making { has_replica: true, ..Making::default() }, &Nemesis::OF_TWO).await;
}
