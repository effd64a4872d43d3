//! When a server is left alone: after failures in a row for a while, then one question at a time until one succeeds.

use crate::domain::road::RoadDoubt;
use crate::domain::time::UtcInstant;

/// Failures in a row after which nothing is asked for a while.
const FAILURES_MAX: u32 = 3;
/// How long, in milliseconds.
pub(super) const PAUSE_MS: i64 = 10_000;

/// What the last answers were.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    last_failure: Option<RoadDoubt>,
    retry_at: Option<UtcInstant>,
}

impl Breaker {
    /// Whether to ask now. Whoever may ask after a pause begins the next one, so that one question is tried at a time; it needs
    /// no end when that question is dropped.
    pub(super) fn admits(&mut self, now: UtcInstant) -> bool {
        if self.paused_until(now).is_some() {
            return false;
        }
        if self.retry_at.is_some() {
            self.retry_at = Some(now.plus_ms(PAUSE_MS));
        }
        true
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(super) fn failed(&mut self, doubt: RoadDoubt, now: UtcInstant) {
        self.failures = self.failures.saturating_add(1);
        self.last_failure = Some(doubt);
        if self.failures >= FAILURES_MAX {
            self.retry_at = Some(now.plus_ms(PAUSE_MS));
        }
    }

    pub(super) const fn last_failure(&self) -> Option<RoadDoubt> {
        self.last_failure
    }

    /// Whether there were so many failures in a row that one question at a time is tried.
    pub(super) const fn is_failing(&self) -> bool {
        self.retry_at.is_some()
    }

    /// Until when nothing is asked; a clock that was set back does not make the pause longer.
    pub(super) fn paused_until(&self, now: UtcInstant) -> Option<UtcInstant> {
        self.retry_at.filter(|at| (1..=PAUSE_MS).contains(&at.ms_since(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_failures_in_a_row_one_question_at_a_time_is_tried() {
        let now = UtcInstant::from_ms(1_000_000);
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            assert!(breaker.admits(now));
            breaker.failed(RoadDoubt::Late, now);
        }
        assert!(breaker.admits(now), "two may be chance");
        breaker.failed(RoadDoubt::Wrong, now);
        assert!(!breaker.admits(now));
        assert_eq!(breaker.paused_until(now), Some(now.plus_ms(PAUSE_MS)));
        assert_eq!(breaker.last_failure(), Some(RoadDoubt::Wrong));
        let later = now.plus_ms(PAUSE_MS);
        assert!(breaker.admits(later));
        assert!(!breaker.admits(later), "one at a time");
        breaker.failed(RoadDoubt::Late, later);
        assert!(!breaker.admits(later.plus_ms(PAUSE_MS - 1)));
        assert!(breaker.admits(later.plus_ms(PAUSE_MS)));
        breaker.succeeded();
        assert!(breaker.admits(later) && breaker.admits(later));
        assert_eq!(breaker.last_failure(), None);
    }

    #[test]
    fn a_success_between_failures_forgets_them() {
        let now = UtcInstant::from_ms(1_000_000);
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            breaker.failed(RoadDoubt::Late, now);
            breaker.failed(RoadDoubt::Late, now);
            breaker.succeeded();
        }
        assert!(breaker.admits(now));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_prolong_the_pause() {
        let now = UtcInstant::from_ms(100_000_000);
        let mut breaker = Breaker::default();
        (0..3).for_each(|_| breaker.failed(RoadDoubt::Late, now));
        assert!(breaker.admits(now.plus_ms(-3_600_000)));
    }
}
