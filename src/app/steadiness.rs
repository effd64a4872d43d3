//! Whether the machine's clock can be trusted with forgetting: it can when it goes as fast as time does, and stood at the
//! start where it may well stand.
//!
//! A clock that is days ahead (a battery that died, a machine that was frozen) makes today's slots look long over. While
//! the process runs, a jump shows against elapsed time; at the start, against the last instant that was recorded while
//! the clock was trusted. After either nothing is forgotten until the clock has gone evenly for a while, so that somebody
//! can set it right. Only a trusted clock is recorded, so starting again does not shorten the wait.

use std::fmt;
use std::time::Duration;

use crate::domain::time::{MS_PER_DAY, MS_PER_MINUTE, UtcInstant};

/// How far the clock may drift from elapsed time between two looks, or be behind at the start, in milliseconds.
const DRIFT_MAX_MS: u64 = 5 * MS_PER_MINUTE.unsigned_abs();
/// For how long the service may have been stopped before its clock is doubted, in milliseconds: 5 days, from Wednesday
/// evening to Monday with a public holiday on Thursday and the day between.
const STOPPED_MAX_MS: i64 = 5 * MS_PER_DAY;
/// How long a doubted clock must go evenly.
const EVEN_AFTER_DOUBT: Duration = Duration::from_secs(3_600);

/// Why the clock is not trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doubt {
    /// It was far from the last recorded instant at the start.
    FarAtStart {
        /// What it showed.
        now: UtcInstant,
        /// What was recorded.
        recorded_at: UtcInstant,
    },
    /// It jumped.
    Jumped {
        /// What it showed next.
        now: UtcInstant,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FarAtStart { now, recorded_at } => write!(
                f,
                "at the start the machine's clock showed {now}, far from {recorded_at}, the last instant that the ledger \
                 recorded"
            )?,
            Self::Jumped { now } => write!(f, "the machine's clock jumped to {now}")?,
        }
        f.write_str(": nothing is forgotten until it has gone evenly for an hour; set it right if it is wrong")
    }
}

/// What is remembered of the clock.
#[derive(Debug)]
pub(super) struct Steadiness {
    last: (UtcInstant, Duration),
    doubt: Option<(Doubt, Duration)>,
}

impl Steadiness {
    /// Judges the clock as it is at the start, when no time has elapsed, by the last instant that was recorded.
    pub(super) fn new(now: UtcInstant, recorded_at: Option<UtcInstant>) -> Self {
        let is_far = |recorded_at: &UtcInstant| {
            let ahead_ms = now.ms_since(*recorded_at);
            ahead_ms > STOPPED_MAX_MS || (ahead_ms < 0 && ahead_ms.unsigned_abs() > DRIFT_MAX_MS)
        };
        let doubt = recorded_at.filter(is_far).map(|recorded_at| Doubt::FarAtStart { now, recorded_at });
        Self { last: (now, Duration::ZERO), doubt: doubt.map(|doubt| (doubt, Duration::ZERO)) }
    }

    /// Why the clock is not trusted; `None` when it is.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        self.doubt.map(|(doubt, _)| doubt)
    }

    /// Takes what the clock shows after so much elapsed time.
    pub(super) fn observe(&mut self, now: UtcInstant, elapsed: Duration) {
        let (last_at, last_elapsed) = self.last;
        let by_clock_ms = i128::from(now.ms_since(last_at));
        let by_time_ms = i128::try_from(elapsed.saturating_sub(last_elapsed).as_millis()).unwrap_or(i128::MAX);
        self.last = (now, elapsed);
        if by_clock_ms.abs_diff(by_time_ms) > u128::from(DRIFT_MAX_MS) {
            self.doubt = Some((Doubt::Jumped { now }, elapsed));
        }
        self.doubt = self.doubt.filter(|(_, since)| elapsed.saturating_sub(*since) < EVEN_AFTER_DOUBT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UtcInstant = UtcInstant::from_ms(1_800_000_000_000);

    /// Whether the clock is trusted when it is so far ahead of what it showed at the start after so many minutes.
    fn trusts(steadiness: &mut Steadiness, minutes: u64, ahead_ms: i64) -> bool {
        let elapsed = Duration::from_secs(minutes * 60);
        let by_clock_ms = i64::try_from(elapsed.as_millis()).unwrap() + ahead_ms;
        steadiness.observe(START.plus_ms(by_clock_ms), elapsed);
        steadiness.doubt().is_none()
    }

    #[test]
    fn a_clock_that_jumps_is_trusted_after_an_even_hour_only() {
        for jump_ms in [2 * MS_PER_DAY, -2 * MS_PER_DAY] {
            let mut steadiness = Steadiness::new(START, None);
            let mut trusted = |minutes, ahead_ms| trusts(&mut steadiness, minutes, ahead_ms);
            assert!(trusted(5, 0) && trusted(10, 1_000));
            assert!(!trusted(15, jump_ms) && !trusted(70, jump_ms));
            assert!(trusted(75, jump_ms));
            assert!(!trusted(80, 0), "being set right is a jump too");
        }
    }

    #[test]
    fn a_clock_that_starts_far_from_what_was_recorded_is_trusted_after_an_even_hour_only() {
        let minute_ms = MS_PER_MINUTE;
        let table = [
            (0, true),
            (5 * MS_PER_DAY, true),
            (5 * MS_PER_DAY + 1, false),
            (400 * MS_PER_DAY, false),
            (-5 * minute_ms, true),
            (-5 * minute_ms - 1, false),
            (i64::MIN, false),
        ];
        for (ahead_ms, expected) in table {
            let mut steadiness = Steadiness::new(START, Some(START.plus_ms(ahead_ms.saturating_neg())));
            assert_eq!(steadiness.doubt().is_none(), expected, "{ahead_ms}");
            assert_eq!(trusts(&mut steadiness, 0, 0), expected, "{ahead_ms}");
            assert_eq!(trusts(&mut steadiness, 59, 0), expected, "{ahead_ms}");
            assert!(trusts(&mut steadiness, 60, 0), "{ahead_ms}");
        }
    }

    #[test]
    fn a_doubted_clock_that_jumps_waits_anew() {
        let mut steadiness = Steadiness::new(START, Some(START.plus_ms(-9 * MS_PER_DAY)));
        assert!(!trusts(&mut steadiness, 30, -9 * MS_PER_DAY));
        assert!(matches!(steadiness.doubt(), Some(Doubt::Jumped { .. })), "it was set right");
        assert!(!trusts(&mut steadiness, 60, -9 * MS_PER_DAY) && trusts(&mut steadiness, 90, -9 * MS_PER_DAY));
    }

    #[test]
    fn a_doubt_says_what_was_seen_and_what_to_do() {
        let recorded_at = START.plus_ms(-9 * MS_PER_DAY);
        let told = Doubt::FarAtStart { now: START, recorded_at }.to_string();
        assert!(told.contains("2027-01-15T08:00:00") && told.contains("2027-01-06T08:00:00"), "{told}");
        assert!(told.contains("set it right"), "{told}");
    }
}
