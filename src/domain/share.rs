//! Whose turn it is: when each of those who share the patients of an area was last chosen.
//!
//! Who shares is the professional over all their schedules, or the schedule where no professional is named. A turn is an
//! instant and a number within it, so that turns of one moment have an order; it is kept in words that change in place, so
//! that reading it waits for nobody and a turn makes nothing in memory.
//! Deliberately absent: durability. What is held stands on the claims, and from them turns are known again.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::AcqRel, Ordering::Relaxed, Ordering::Release};

use super::id::CaseId;
use super::time::{MS_PER_DAY, UtcInstant};

/// Bits of a turn that number the turns of one millisecond.
const NUMBER_BITS: u32 = 16;

/// When somebody was chosen; the greater, the later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Turn(u64);

impl Turn {
    /// Never, or so long ago that it does not count.
    pub const NEVER: Self = Self(0);
    /// How long a turn counts, in milliseconds: a day, which is within what records keep of claims.
    pub const COUNTS_MS: i64 = MS_PER_DAY;

    /// The first turn of an instant.
    #[must_use]
    #[inline]
    pub fn at(instant: UtcInstant) -> Self {
        Self(u64::try_from(instant.ms()).unwrap_or(0) << NUMBER_BITS)
    }

    /// The turn after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// When it was; `None` for never.
    #[must_use]
    pub fn instant(self) -> Option<UtcInstant> {
        (self != Self::NEVER).then(|| UtcInstant::from_ms(i64::try_from(self.0 >> NUMBER_BITS).unwrap_or(i64::MAX)))
    }

    /// The turn as it counts at an instant.
    #[must_use]
    #[inline]
    pub fn counted_at(self, now: UtcInstant) -> Self {
        if self < Self::at(now.plus_ms(-Self::COUNTS_MS)) { Self::NEVER } else { self }
    }
}

/// A regulation file as shares remember it: a number in place of its identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct CaseNumber(u64);

impl CaseNumber {
    /// That of a question without a case, which is the same as no other.
    pub const NONE: Self = Self(0);

    /// The number of a case: the same in every instance and version, for the choice of newcomers hangs on it.
    #[must_use]
    pub fn of(case_id: &CaseId) -> Self {
        // FNV-1a, which is defined byte by byte.
        let fnv = case_id
            .as_str()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self(fnv.max(1))
    }

    /// A figure below 100, evenly spread over cases; without a case, over instants.
    #[must_use]
    pub fn percentile(self, now: UtcInstant) -> u32 {
        let number = if self == Self::NONE { u64::try_from(now.ms()).unwrap_or(0) } else { self.0 };
        // Neighbouring numbers must not have neighbouring figures: the finish of splitmix64.
        let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % 100).unwrap_or(0)
    }
}

/// When one of those who share was last chosen, and since when patients are sent there.
///
/// The turn before the last is remembered with the case of the last, so that this case, asking again, is answered as before.
/// Two cases that are answered at one moment may both find the same first; each takes a turn then.
#[derive(Debug)]
pub struct Share {
    turn: AtomicU64,
    /// The last turn of another case than that of the last.
    before: AtomicU64,
    /// The case of the last turn.
    case: AtomicU64,
    first_published_ms: AtomicI64,
}

impl Default for Share {
    /// Nobody was chosen or published yet.
    fn default() -> Self {
        Self {
            turn: AtomicU64::new(0),
            before: AtomicU64::new(0),
            case: AtomicU64::new(0),
            first_published_ms: AtomicI64::new(i64::MAX),
        }
    }
}

impl Share {
    /// The last turn in the eyes of a case: its own is none.
    #[must_use]
    #[inline]
    pub fn turn(&self, case: CaseNumber) -> Turn {
        Turn(if self.is_of(case) { self.before.load(Relaxed) } else { self.turn.load(Relaxed) })
    }

    /// Whether the last turn was by a case.
    #[must_use]
    #[inline]
    pub fn is_of(&self, case: CaseNumber) -> bool {
        case != CaseNumber::NONE && self.case.load(Relaxed) == case.0
    }

    /// Notes a turn; in any order, and more than once, with the same end.
    pub fn note(&self, turn: Turn, case: CaseNumber) {
        let mut last = self.turn.load(Relaxed);
        loop {
            let is_same = self.is_of(case);
            if turn.0 <= last {
                if !is_same && turn.0 < last {
                    self.before.fetch_max(turn.0, Relaxed);
                }
                return;
            }
            match self.turn.compare_exchange_weak(last, turn.0, AcqRel, Relaxed) {
                Ok(_) if is_same => return,
                Ok(_) => {
                    self.before.fetch_max(last, Relaxed);
                    self.case.store(case.0, Release);
                    return;
                }
                Err(newer) => last = newer,
            }
        }
    }

    /// Notes when something of theirs was first published; `None` when nobody wrote that down, so long is it ago.
    pub fn note_first_published(&self, at: Option<UtcInstant>) {
        self.first_published_ms.fetch_min(at.map_or(i64::MIN, UtcInstant::ms), Relaxed);
    }

    /// Whether all of theirs was first published less than so many days ago.
    #[must_use]
    #[inline]
    pub fn is_newcomer(&self, now: UtcInstant, days: u32) -> bool {
        let first_ms = self.first_published_ms.load(Relaxed);
        first_ms != i64::MAX && first_ms > now.plus_ms(-i64::from(days) * MS_PER_DAY).ms()
    }
}

/// Numbers the turns of an instance: each later than all before, whatever its clock does.
#[derive(Debug, Default)]
pub struct TurnClock(AtomicU64);

impl TurnClock {
    /// A turn at an instant.
    pub fn turn(&self, now: UtcInstant) -> Turn {
        let first = Turn::at(now);
        let after = |last: u64| first.max(Turn(last).next());
        // The update always gives a value, so that it cannot fail.
        let last = self.0.fetch_update(AcqRel, Relaxed, |last| Some(after(last).0)).unwrap_or(0);
        after(last)
    }
}

#[cfg(test)]
mod tests;
