//! What there is to tell of the process itself, from its start on, before its ledger is open.
//!
//! Invariant: a process that starts for hours tells of itself as one that serves does. Deliberately absent: how far it has come, which
//! the admin port knows.

use super::readings::{Gauge, Readings};
use crate::clock::Stopwatch;

/// Reads off the process.
#[derive(Debug)]
pub struct OfProcess {
    version: &'static str,
    since: Stopwatch,
}

impl OfProcess {
    /// The process, which begins now and runs this version of the program.
    #[must_use]
    pub fn new(version: &'static str) -> Self {
        Self { version, since: Stopwatch::start() }
    }
}

impl Gauge for OfProcess {
    fn read(&self, readings: &mut Readings) {
        readings.note("sas.build.info", 1.0, &[self.version]);
        readings.note("process.uptime", self.since.elapsed().as_secs_f64(), &[]);
        if let Some(bytes) = resident_bytes() {
            readings.count("process.memory.usage", bytes, &[]);
        }
    }
}

/// Resident memory; `None` where the system does not tell it as Linux does.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}
