//! When the schedules of a cell might begin care: the words of their rings side by side, eight schedules together.
//!
//! Only words in which any of them has a tick are kept, which for a day's availability are a few of the ring.

use std::sync::atomic::{AtomicU64, Ordering};

use super::block::LANES;
use super::tick::{TickBits, WORDS, first_between};
use crate::domain::time::UtcInstant;

/// The same word of eight schedules, in one line of the cache.
#[derive(Debug, Default)]
#[repr(C, align(64))]
struct Line([AtomicU64; LANES]);

/// Where a word stands that no schedule of the cell has.
const ABSENT: u8 = u8::MAX;

/// The ticks of a cell's schedules.
#[derive(Debug)]
pub(super) struct Hours {
    /// Which line of a block has a word.
    line_of: [u8; WORDS],
    lines_per_block: usize,
    /// Block by block.
    lines: Box<[Line]>,
}

/// The ticks of one block.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockHours<'a> {
    line_of: &'a [u8; WORDS],
    lines: &'a [Line],
}

impl Default for Hours {
    fn default() -> Self {
        Self { line_of: [ABSENT; WORDS], lines_per_block: 0, lines: Box::default() }
    }
}

impl Hours {
    /// Those of schedules in this order.
    pub(super) fn of(ticks: &[TickBits]) -> Self {
        let mut hours = Self::default();
        for (word, line) in hours.line_of.iter_mut().enumerate() {
            if ticks.iter().any(|ticks| ticks.0.get(word).is_some_and(|bits| *bits != 0)) {
                *line = u8::try_from(hours.lines_per_block).unwrap_or(ABSENT);
                hours.lines_per_block += 1;
            }
        }
        let count = ticks.len().div_ceil(LANES) * hours.lines_per_block;
        hours.lines = (0..count).map(|_| Line::default()).collect();
        for (at, ticks) in ticks.iter().enumerate() {
            hours.refresh(at, ticks);
        }
        hours
    }

    /// Whether there is a word for each of these ticks.
    pub(super) fn have_room_for(&self, ticks: &TickBits) -> bool {
        self.line_of.iter().zip(ticks.0).all(|(line, bits)| bits == 0 || *line != ABSENT)
    }

    /// Takes over the ticks of a schedule, for which there is room.
    pub(super) fn refresh(&self, at: usize, ticks: &TickBits) {
        let block = self.of_block(at / LANES);
        for (word, bits) in ticks.0.iter().enumerate() {
            if let Some(known) = block.word(at % LANES, word) {
                known.store(*bits, Ordering::Relaxed);
            }
        }
    }

    /// The ticks of a schedule.
    pub(super) fn ticks(&self, at: usize) -> TickBits {
        let block = self.of_block(at / LANES);
        TickBits(std::array::from_fn(|word| block.bits(at % LANES, word)))
    }

    /// Those of a block.
    #[inline]
    pub(super) fn of_block(&self, number: usize) -> BlockHours<'_> {
        let first = number * self.lines_per_block;
        BlockHours { line_of: &self.line_of, lines: self.lines.get(first..).unwrap_or_default() }
    }
}

impl BlockHours<'_> {
    /// The earliest instant from `from` to `until` at which the schedule in a lane might begin care.
    #[inline]
    pub(super) fn first_between(&self, lane: usize, from: UtcInstant, until: UtcInstant) -> Option<UtcInstant> {
        first_between(|word| self.bits(lane, word), from, until)
    }

    #[inline]
    fn bits(&self, lane: usize, word: usize) -> u64 {
        self.word(lane, word).map_or(0, |bits| bits.load(Ordering::Relaxed))
    }

    #[inline]
    fn word(&self, lane: usize, word: usize) -> Option<&AtomicU64> {
        self.lines.get(usize::from(*self.line_of.get(word)?)).and_then(|line| line.0.get(lane))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_ticks() -> impl Strategy<Value = TickBits> {
        prop::collection::vec(0i64..1_024, 0..6).prop_map(|ticks| {
            let mut bits = TickBits::default();
            ticks.into_iter().for_each(|tick| bits.insert(tick));
            bits
        })
    }

    proptest! {
        #[test]
        fn every_schedule_keeps_its_own_ticks(
            ticks in prop::collection::vec(any_ticks(), 0..20), other in any_ticks(), at in 0usize..20,
        ) {
            let hours = Hours::of(&ticks);
            for (at, ticks) in ticks.iter().enumerate() {
                prop_assert!(hours.have_room_for(ticks));
                prop_assert_eq!(hours.ticks(at), *ticks);
            }
            let has_word = |word: usize| ticks.iter().any(|ticks| ticks.0[word] != 0);
            let has_room = (0..WORDS).all(|word| other.0[word] == 0 || has_word(word));
            prop_assert_eq!(hours.have_room_for(&other), has_room);
            if has_room && at < ticks.len() {
                hours.refresh(at, &other);
                for (number, ticks) in ticks.iter().enumerate() {
                    prop_assert_eq!(hours.ticks(number), if number == at { other } else { *ticks });
                }
            }
        }
    }
}
