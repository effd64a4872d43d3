//! How the first places of answers are shared among those who give care: counts in memory, of which only figures are told.
//!
//! Invariant: at most [`PART_MAX`] counters a part (about 30 MB in all when every part is full), by a number that stands for the professional and is told to nobody. Each thread
//! counts in a part of its own. Who finds no room is not counted, so that the figures stay those of the ones that are.

use std::cell::Cell;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::readings::{IntoF64 as _, Readings};
use crate::domain::offer::Offer;

/// Parts in which threads count.
const PARTS: usize = 16;
/// Most counters of a part.
const PART_MAX: usize = 50_000;

/// Who was named first how often.
pub(super) struct FirstOffers {
    parts: Box<[Mutex<FxHashMap<u64, u64>>]>,
}

impl Default for FirstOffers {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Mutex::default()).collect() }
    }
}

impl FirstOffers {
    /// Notes that an answer names this one first.
    pub(super) fn note(&self, offer: &Offer) {
        let whose = match &offer.practitioner {
            Some(practitioner) => FxBuildHasher.hash_one(&practitioner.id),
            None => FxBuildHasher.hash_one(&offer.schedule.id),
        };
        self.count(whose);
    }

    fn count(&self, whose: u64) {
        let Some(part) = self.parts.get(own_part()) else { return };
        let mut part = part.lock();
        let has_room = part.len() < PART_MAX;
        match part.get_mut(&whose) {
            Some(count) => *count += 1,
            None if has_room => drop(part.insert(whose, 1)),
            None => {}
        }
    }

    /// Reads off the most, the 99th percentile and the median of the shares, and how the first stands to the last.
    pub(super) fn read(&self, readings: &mut Readings) {
        let mut counts: FxHashMap<u64, u64> = FxHashMap::default();
        for part in &self.parts {
            // A copy of the table takes a moment; adding it up takes longer than a question may wait.
            let part = part.lock().clone();
            part.into_iter().for_each(|(whose, count)| *counts.entry(whose).or_default() += count);
        }
        let mut counts: Vec<u64> = counts.into_values().collect();
        counts.sort_unstable();
        let all: u64 = counts.iter().sum();
        let at = |hundredths: usize| {
            let place = (counts.len().saturating_sub(1) * hundredths).div_ceil(100);
            counts.get(place).copied().unwrap_or_default().into_f64()
        };
        if all == 0 {
            return;
        }
        let name = "sas.find.first_offers.share";
        for (statistic, hundredths) in [("max", 100), ("p99", 99), ("median", 50)] {
            readings.note(name, at(hundredths) / all.into_f64(), &[statistic]);
        }
        readings.note(name, at(100) / at(50), &["max_to_median"]);
    }
}

/// The part in which this thread counts.
fn own_part() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<Option<usize>> = const { Cell::new(None) };
    }
    OWN.with(|own| {
        own.get().unwrap_or_else(|| {
            let part = NEXT.fetch_add(1, Ordering::Relaxed) % PARTS;
            own.set(Some(part));
            part
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::readings::Panel;

    #[test]
    fn shares_are_told_as_figures() {
        let offers = FirstOffers::default();
        for (whose, times) in [(1, 6), (2, 3), (3, 1)] {
            (0..times).for_each(|_| offers.count(whose));
        }
        let panel = Panel::default();
        panel.add(std::sync::Arc::new(move |readings: &mut Readings| offers.read(readings)));
        let reading = panel.reading();
        let told: Vec<_> = reading["sas.find.first_offers.share"]
            .iter()
            .map(|(value, by)| (by[0].value.as_str().into_owned(), *value))
            .collect();
        let expected = [("max", 0.6), ("p99", 0.6), ("median", 0.3), ("max_to_median", 2.0)];
        assert_eq!(told, expected.map(|(statistic, value)| (statistic.to_owned(), value)));
    }

    #[test]
    fn the_counters_are_bounded() {
        let offers = FirstOffers::default();
        for whose in 0..PART_MAX + 100 {
            offers.count(u64::try_from(whose).unwrap());
        }
        assert_eq!(offers.parts.iter().map(|part| part.lock().len()).sum::<usize>(), PART_MAX);
    }
}
