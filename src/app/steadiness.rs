//! Whether the machine's clock can be trusted with forgetting: it can when it goes as fast as time does.
//!
//! A clock that jumps days ahead (a battery that died, a machine that was frozen) would make today's slots look long over.
//! After a jump nothing is forgotten until the clock has gone evenly for a while, so that somebody can set it right.

use std::time::Duration;

use crate::domain::time::UtcInstant;

/// How far the clock may drift from elapsed time between two looks, in milliseconds.
const DRIFT_MAX_MS: u128 = 5 * 60 * 1_000;
/// How long the clock must have gone evenly after a jump.
const EVEN_AFTER_JUMP: Duration = Duration::from_secs(3_600);

/// What is remembered of the clock.
#[derive(Debug)]
pub(super) struct Steadiness {
    last: (UtcInstant, Duration),
    jumped: Option<Duration>,
}

impl Steadiness {
    /// Trusts the clock as it is at the start, when no time has elapsed.
    pub(super) const fn new(now: UtcInstant) -> Self {
        Self { last: (now, Duration::ZERO), jumped: None }
    }

    /// Takes what the clock shows after so much elapsed time; says whether it can be trusted.
    pub(super) fn observe(&mut self, now: UtcInstant, elapsed: Duration) -> bool {
        let (last_at, last_elapsed) = self.last;
        let by_clock_ms = i128::from(now.ms_since(last_at));
        let by_time_ms = i128::try_from(elapsed.saturating_sub(last_elapsed).as_millis()).unwrap_or(i128::MAX);
        self.last = (now, elapsed);
        if by_clock_ms.abs_diff(by_time_ms) > DRIFT_MAX_MS {
            self.jumped = Some(elapsed);
        }
        let even_for = self.jumped.map(|jumped| elapsed.saturating_sub(jumped));
        even_for.is_none_or(|even_for| even_for >= EVEN_AFTER_JUMP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UtcInstant = UtcInstant::from_ms(1_800_000_000_000);

    fn after(minutes: u64, ahead_ms: i64) -> (UtcInstant, Duration) {
        let elapsed = Duration::from_secs(minutes * 60);
        let by_clock_ms = i64::try_from(elapsed.as_millis()).unwrap() + ahead_ms;
        (START.plus_ms(by_clock_ms), elapsed)
    }

    #[test]
    fn a_clock_that_jumps_is_trusted_after_an_even_hour_only() {
        let day_ms = 24 * 3_600 * 1_000;
        for jump_ms in [2 * day_ms, -2 * day_ms] {
            let mut steadiness = Steadiness::new(START);
            let mut trusted = |minutes, ahead_ms| {
                let (now, elapsed) = after(minutes, ahead_ms);
                steadiness.observe(now, elapsed)
            };
            assert!(trusted(5, 0) && trusted(10, 1_000));
            assert!(!trusted(15, jump_ms) && !trusted(70, jump_ms));
            assert!(trusted(75, jump_ms));
            assert!(!trusted(80, 0), "being set right is a jump too");
        }
    }
}
