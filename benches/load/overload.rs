//! What becomes of calls beyond capacity, and how soon all is well afterwards, beside the targets.

use std::time::Duration;

use super::plan;
use super::report::{ALL, Figures, Phase, Target, table};
use super::run::Load;
use super::tally::OVERLOADED;

/// The nominal rate, as a share of capacity.
const NOMINAL: f64 = 0.7;
/// For how long the nominal rate is offered before and after each overload.
const AROUND: Duration = Duration::from_secs(5);
/// What is offered, as a multiple of capacity, with the least goodput as a share of capacity.
const FACTORS: [(f64, Option<f64>); 3] = [(1.0, None), (2.0, Some(0.9)), (10.0, Some(0.7))];
const SLOWER_MAX: u64 = 3;
const SHED_P99_MAX_US: u64 = 5_000;
const RECOVERY_MAX_MS: u64 = 2_000;

pub async fn run(load: &Load, capacity: f64, time: Duration) -> (Vec<Phase>, Vec<Target>) {
    let nominal_rate = capacity * NOMINAL;
    let tally = load.phase(nominal_rate, AROUND, Duration::MAX).await;
    let nominal = tally.phase("nominal", nominal_rate, AROUND);
    println!("{}", table(&nominal));
    let p99_us = all(&nominal).p99_us;
    let slow = Duration::from_micros(p99_us.saturating_mul(SLOWER_MAX));
    let (mut phases, mut targets) = (vec![nominal], Vec::new());
    for (factor, least) in FACTORS {
        let name = format!("{factor}x");
        let phase = load.phase(capacity * factor, time, slow).await.phase(&name, capacity * factor, time);
        println!("{}", table(&phase));
        let tally = load.phase(nominal_rate, AROUND, slow).await;
        let mut after = tally.phase(&format!("after {name}"), nominal_rate, AROUND);
        let recovery = plan::recovery(tally.pieces()).map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        after.recovery_ms = recovery;
        println!("{}", table(&after));
        judge(&phase, capacity, p99_us, least, &mut targets);
        targets.push(Target {
            name: format!("{name}: back to nominal <= {RECOVERY_MAX_MS} ms"),
            reached: recovery.map_or("not at all".to_owned(), |ms| format!("{ms} ms")),
            is_kept: recovery.is_some_and(|ms| ms <= RECOVERY_MAX_MS),
        });
        phases.extend([phase, after]);
    }
    (phases, targets)
}

fn all(phase: &Phase) -> Figures {
    phase.operations.get(ALL).copied().unwrap_or_default()
}

fn judge(phase: &Phase, capacity: f64, nominal_p99_us: u64, least: Option<f64>, targets: &mut Vec<Target>) {
    let name = &phase.name;
    let mut tell = |what: String, reached: String, is_kept: bool| {
        targets.push(Target { name: format!("{name}: {what}"), reached, is_kept });
    };
    let share = phase.goodput_per_second / capacity;
    if let Some(least) = least {
        let reached = format!("{:.0} %", 100.0 * share);
        tell(format!("goodput >= {:.0} % of capacity", 100.0 * least), reached, share >= least);
        let slower = all(phase).p99_us as f64 / nominal_p99_us.max(1) as f64;
        let reached = format!("{slower:.1} times");
        tell(format!("p99 of accepted <= {SLOWER_MAX} times nominal"), reached, slower <= SLOWER_MAX as f64);
    }
    if phase.errors.contains_key(OVERLOADED) {
        let reached = format!("{:.2} ms", phase.shed.p99_us as f64 / 1_000.0);
        tell("refusals < 5 ms p99".to_owned(), reached, phase.shed.p99_us < SHED_P99_MAX_US);
    }
}
