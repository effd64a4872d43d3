//! How long a run waits for something that is promised within a time: that time, and longer only by what the machine kept
//! the processes of the run waiting for a processor.
//!
//! Invariant: a limit is scaled by what the kernel measured while it was waited, never by a guess, and at most fourfold.

use std::time::Duration;

use sas_router::clock::Stopwatch;

/// Longest that a limit becomes, as a multiple: a machine that is slower than that shows nothing.
const SCALE_MAX: f64 = 4.0;

/// A wait that has begun.
pub(super) struct Patience {
    most: Duration,
    waited: Stopwatch,
    pids: Vec<String>,
    at_start: Scheduled,
}

/// How long threads ran, and how long they were ready to run and did not, in nanoseconds.
#[derive(Clone, Copy, Default)]
struct Scheduled {
    ran: u64,
    waited: u64,
}

impl Patience {
    /// Waits so long from now on for something that these processes do.
    pub(super) fn of(most: Duration, pids: Vec<String>) -> Self {
        let at_start = Scheduled::of(&pids);
        Self { most, waited: Stopwatch::start(), pids, at_start }
    }

    /// Whether it is at an end.
    pub(super) fn is_over(&self) -> bool {
        let waited = self.waited.elapsed();
        waited > self.most && waited > self.most.mul_f64(self.slowness())
    }

    /// How much longer than alone on the machine the processes took for what they did since the beginning.
    fn slowness(&self) -> f64 {
        let now = Scheduled::of(&self.pids);
        let ran = Duration::from_nanos(now.ran.saturating_sub(self.at_start.ran)).as_secs_f64();
        let waited = Duration::from_nanos(now.waited.saturating_sub(self.at_start.waited)).as_secs_f64();
        // Who did nothing was not kept from it.
        if ran > 0.0 { (1.0 + waited / ran).min(SCALE_MAX) } else { 1.0 }
    }

    /// How long it has been, and how long it may be, as a report says it.
    pub(super) fn tell(&self) -> String {
        format!("{:?} (limit {:?}, machine {:.1} times slower)", self.waited.elapsed(), self.most, self.slowness())
    }
}

impl Scheduled {
    /// Of all threads of these processes; one that has ended did nothing.
    fn of(pids: &[String]) -> Self {
        let threads = pids.iter().filter_map(|pid| std::fs::read_dir(format!("/proc/{pid}/task")).ok()).flatten();
        let figures = threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok());
        figures.fold(Self::default(), |sum, figures| {
            let mut figures = figures.split_whitespace().map_while(|figure| figure.parse::<u64>().ok());
            let (ran, waited) = (figures.next().unwrap_or_default(), figures.next().unwrap_or_default());
            Self { ran: sum.ran + ran, waited: sum.waited + waited }
        })
    }
}
