//! The acceptance test of the judge: faults of the program that are woken one at a time, each caught in a short run.
//!
//! Only the program that cargo builds beside the tests has them; the released one has not even their names.

use std::time::Duration;

use super::checker::Broken;
use super::nemesis::Nemesis;
use super::run::{Plan, Strike, run, tell};
use super::servers::Topology;
use super::world::{Making, shifted_clock};
use crate::harness::{skip, variable};

/// Runs in which a fault must be caught at the latest: processes interleave otherwise each time.
const RUNS_MAX: u64 = 4;

/// How long what brings a fault to light lasts: longer than an instance waits for a reply.
const LASTS: (Duration, Duration) = (Duration::from_millis(2_200), Duration::from_millis(2_600));

/// How a fault is brought to light.
struct Case {
    fault: &'static str,
    making: Making,
    nemeses: &'static [Nemesis],
    /// Any of these promises is broken by it.
    breaks: &'static [Broken],
}

/// Plays runs until the fault is caught.
async fn is_caught(case: Case) {
    let Case { fault, making, nemeses, breaks } = case;
    let mut told = Vec::new();
    for seed in 1..=RUNS_MAX {
        let making = Making { fault: Some(fault), ..making.clone() };
        let strikes = nemeses.iter().map(|fault| Strike { fault: *fault, within: None }).collect();
        let report = run(Plan { seed, making, strikes, lasts: LASTS }).await;
        let caught: Vec<_> = report.violations.iter().map(|violation| violation.broken).collect();
        if breaks.iter().any(|broken| caught.contains(broken)) {
            tell(&format!("{fault} is caught in run {seed}: {caught:?}"));
            return;
        }
        told.push(report.to_string());
    }
    panic!("{fault} is not caught: {told:#?}");
}

macro_rules! faults {
    ($($test:ident $fault:literal $making:expr, $nemeses:expr, [$($broken:ident)+];)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let case = Case {
                    fault: $fault,
                    making: $making,
                    nemeses: &$nemeses,
                    breaks: &[$(Broken::$broken),+],
                };
                is_caught(case).await;
            }
        )+
    };
}

/// One server.
fn one() -> Making {
    Making::default()
}

/// Servers under sentinels, reached through wires.
fn three() -> Making {
    Making { topology: Topology::Sentinel, ..one() }
}

/// A server with a replica that must have every write.
fn two() -> Making {
    Making { topology: Topology::Replica, ..one() }
}

faults! {
    a_write_acknowledged_without_its_replica_is_caught "ack-without-wait" two(), [Nemesis::ReplicaCut], [Forbidden];
    a_write_acknowledged_by_a_primary_that_is_cut_off_is_caught "ack-without-wait" three(), [Nemesis::Apart], [Forbidden Lost];
    a_server_that_began_anew_and_is_trusted_is_caught "no-fence" one(), [Nemesis::TailCut], [Lost Order Instances];
    a_version_that_is_not_compared_is_caught "version-not-compared" one(), [], [Order Lost Capacity];
    a_request_that_is_carried_out_twice_is_caught "request-id-ignored" one(), [Nemesis::WireBroken], [TwoEffects];
    a_request_id_that_serves_twice_is_caught "fingerprint-not-compared" one(), [], [IdReused];
    a_server_that_is_not_given_back_what_it_lost_is_caught "salvage-skipped" one(), [Nemesis::Flushed], [Lost];
    a_gap_that_is_skipped_is_caught "gap-ignored" one(), [Nemesis::WireBroken], [Instances Lost];
    an_unknown_outcome_told_as_written_is_caught "lost-told-as-written" one(), [Nemesis::WireBroken], [Lost Order];
    an_unknown_outcome_told_as_refused_is_caught "lost-told-as-refused" one(), [Nemesis::ServerFrozen], [Unasked];
    a_change_that_is_not_shown_is_caught "change-dropped" one(), [], [Instances OwnWrite Lost];
    an_outcome_told_before_it_shows_is_caught "answered-before-sink" one(), [Nemesis::WiresSlow], [OwnWrite Order];
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_judged_by_the_local_clock_is_caught() {
    if shifted_clock(1).is_none() {
        return skip("an_end_judged_by_the_local_clock_is_caught", "libfaketime is not installed");
    }
    let making = Making { skew_seconds: Some(7), ..one() };
    let breaks = &[Broken::Ends, Broken::Order];
    is_caught(Case { fault: "local-clock-only", making, nemeses: &[], breaks }).await;
}

#[test]
fn the_released_program_has_no_fault() {
    let Some(released) = variable("SAS_ROUTER_BIN") else {
        return skip("the_released_program_has_no_fault", "tests/run builds the released program");
    };
    let has = |program: &std::path::Path| {
        let program = std::fs::read(program).unwrap();
        program.windows(10).any(|bytes| bytes == b"SEEDED_BUG")
    };
    assert!(has(env!("CARGO_BIN_EXE_sas-router").as_ref()), "the one beside the tests has them");
    assert!(!has(released.as_ref()));
}
