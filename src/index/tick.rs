//! Time as a ring of five-minute ticks, one bit each: a quick "not before" for a schedule.
//!
//! A set bit says that care might begin in that tick, in an opening that might be claimable; a clear bit says not. Ticks that
//! are a whole ring apart share a bit, so the answer is a lower bound: it may send the judge to look in vain, but never
//! past something.

use crate::domain::code::AppointmentType;
use crate::domain::offer::Opening;
use crate::domain::time::{MS_PER_MINUTE, UtcInstant};

/// Length of a tick in milliseconds.
pub(super) const TICK_MS: i64 = 5 * MS_PER_MINUTE;
/// Words of a ring, of 64 ticks each.
pub(super) const WORDS: usize = 16;
/// Ticks in a ring: three and a half days, more than the longest clinical delay.
pub(super) const RING_TICKS: i64 = 1_024;

/// Number of the tick that holds an instant.
pub(super) const fn tick_of(at: UtcInstant) -> i64 {
    at.ms().div_euclid(TICK_MS)
}

/// First instant of a tick.
pub(super) const fn tick_start(tick: i64) -> UtcInstant {
    UtcInstant::from_ms(tick.saturating_mul(TICK_MS))
}

/// Place of a tick in its ring.
pub(super) fn ring_index(tick: i64) -> usize {
    usize::try_from(tick.rem_euclid(RING_TICKS)).unwrap_or(0)
}

/// The ticks in which care could begin in an opening: the first one of an appointment, all of a walk-in window.
pub(super) fn ticks_of(opening: &Opening) -> std::ops::RangeInclusive<i64> {
    let first = tick_of(opening.start_at);
    match opening.kind.appointment_type() {
        AppointmentType::Routine => first..=first,
        AppointmentType::Walkin => first..=tick_of(opening.end_at()).min(first + RING_TICKS - 1),
    }
}

/// Whether an instant is the first one of a tick.
pub(super) const fn is_tick_start(at: UtcInstant) -> bool {
    at.ms().rem_euclid(TICK_MS) == 0
}

/// The ticks of a schedule as bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct TickBits(pub(super) [u64; WORDS]);

impl TickBits {
    pub(super) fn insert(&mut self, tick: i64) {
        let index = ring_index(tick);
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }
}

/// The earliest instant from `from` to `until` at which something might begin, by the words of a ring.
#[inline]
pub(super) fn first_between(word: impl Fn(usize) -> u64, from: UtcInstant, until: UtcInstant) -> Option<UtcInstant> {
    let (first, last) = (tick_of(from), tick_of(until));
    let mut tick = first;
    while tick <= last {
        let index = ring_index(tick);
        let bit = index % 64;
        let bits = word(index / 64) >> bit;
        if bits != 0 {
            tick += i64::from(bits.trailing_zeros());
            return (tick <= last).then(|| tick_start(tick).max(from));
        }
        tick += 64 - i64::try_from(bit).unwrap_or(0);
        if tick - first >= RING_TICKS {
            return None;
        }
    }
    None
}

/// The instant itself, or for appointments on ticks the first tick that does not begin before it.
#[inline]
pub(super) const fn first_start(from: UtcInstant, on_ticks: bool) -> UtcInstant {
    if on_ticks { tick_start(from.ms().saturating_add(TICK_MS - 1).div_euclid(TICK_MS)) } else { from }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_tick_is_the_least_set_one(
            base in 5_000_000i64..6_000_000,
            offsets in prop::collection::btree_set(0i64..900, 0..20),
            from_ms in 0i64..(900 * TICK_MS),
            length in 0i64..(900 * TICK_MS),
        ) {
            let mut bits = TickBits::default();
            for offset in &offsets {
                bits.insert(base + offset);
            }
            let from = tick_start(base).plus_ms(from_ms);
            let until = from.plus_ms(length.min(tick_start(base + 900).ms_since(from)));
            let expected = offsets
                .iter()
                .map(|offset| base + offset)
                .find(|tick| *tick >= tick_of(from) && *tick <= tick_of(until))
                .map(|tick| tick_start(tick).max(from));
            prop_assert_eq!(first_between(|word| bits.0[word], from, until), expected);
        }
    }
}
