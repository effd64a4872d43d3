//! The only reader of the system clock. Everything else takes a [`Clock`], so that tests own time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::domain::time::UtcInstant;

/// Tells what time it is.
pub trait Clock: Send + Sync + 'static {
    /// The current instant.
    fn now(&self) -> UtcInstant;
}

/// A clock that is shared.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> UtcInstant {
        chrono::Utc::now().into()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicI64,
}

impl ManualClock {
    /// A clock that shows this instant.
    #[must_use]
    pub fn new(now: UtcInstant) -> Self {
        Self { now_ms: AtomicI64::new(now.ms()) }
    }

    /// Moves the clock forward by milliseconds, or back when negative.
    pub fn advance_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Moves the clock forward by seconds, or back when negative.
    pub fn advance_seconds(&self, seconds: i64) {
        self.advance_ms(seconds * 1_000);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UtcInstant {
        UtcInstant::from_ms(self.now_ms.load(Ordering::SeqCst))
    }
}

/// Measures how long something takes, on the clock that never jumps.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: std::time::Instant,
}

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn start() -> Self {
        Self { started: std::time::Instant::now() }
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
