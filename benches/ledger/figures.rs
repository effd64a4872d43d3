//! Figures on the terminal, each beside its target.

use std::time::Duration;

/// What a figure must be.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// This much or more.
    AtLeast(f64),
    /// This much or less.
    AtMost(f64),
}

/// Prints what has no target.
pub(crate) fn tell(name: &str, figure: &str) {
    println!("{name:<48} {figure}");
}

/// Prints a figure, its target, and whether it is reached.
pub(crate) fn judge(name: &str, figure: f64, unit: &str, target: Target) {
    let (sign, limit, is_reached) = match target {
        Target::AtLeast(limit) => ("≥", limit, figure >= limit),
        Target::AtMost(limit) => ("≤", limit, figure <= limit),
    };
    let verdict = if is_reached { "reached" } else { "MISSED" };
    println!("{name:<48} {:>10} {unit:<8} target {sign} {limit} {unit}: {verdict}", shown(figure));
}

/// The same of a time, in milliseconds.
pub(crate) fn judge_ms(name: &str, time: Duration, at_most: f64) {
    judge(name, ms(time), "ms", Target::AtMost(at_most));
}

/// A time in milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What else the machine does: tasks that want a core, over the last minute.
pub(crate) fn load() -> String {
    let averages = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn shown(figure: f64) -> String {
    if figure >= 100.0 { format!("{figure:.0}") } else { format!("{figure:.2}") }
}
