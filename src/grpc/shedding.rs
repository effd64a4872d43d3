//! Says in the log that calls are refused for want of room: once a second with their number, since a line for each would cost
//! more than refusing it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Stopwatch;

/// Refusals that the log has not told yet.
#[derive(Debug)]
pub(super) struct Shedding {
    age: Stopwatch,
    /// From which second of the age on a line is due.
    due_s: AtomicU64,
    untold: AtomicU64,
}

impl Default for Shedding {
    fn default() -> Self {
        Self { age: Stopwatch::start(), due_s: AtomicU64::new(0), untold: AtomicU64::new(0) }
    }
}

impl Shedding {
    /// A call was refused for want of room.
    pub(super) fn refused(&self) {
        self.untold.fetch_add(1, Ordering::Relaxed);
        let (now_s, due_s) = (self.age.elapsed().as_secs(), self.due_s.load(Ordering::Relaxed));
        let is_due = now_s >= due_s
            && self.due_s.compare_exchange(due_s, now_s + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_due {
            let calls = self.untold.swap(0, Ordering::Relaxed);
            tracing::warn!(
                calls,
                reason = "OVERLOADED",
                "calls were refused for want of room since the last such line"
            );
        }
    }
}
