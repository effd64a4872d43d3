//! The last questions that regulators asked, so that a candidate policy can be tried on them.
//!
//! Invariant: they stay in memory, in a bounded number and for a bounded time, and never leave this process as they are. Who
//! asks waits for nobody: a question that meets somebody who reads its place is not kept.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::domain::query::CareQuery;
use crate::domain::time::UtcInstant;

/// A question and when it was asked.
pub(super) type Question = (UtcInstant, CareQuery);

/// The questions, in a ring.
pub(in crate::service) struct Asked {
    places: Box<[Mutex<Option<Question>>]>,
    next: AtomicUsize,
}

impl Asked {
    /// Room for so many.
    pub(in crate::service) fn new(places: usize) -> Self {
        Self { places: (0..places).map(|_| Mutex::new(None)).collect(), next: AtomicUsize::new(0) }
    }

    /// Keeps a question in place of the oldest.
    pub(super) fn keep(&self, asked_at: UtcInstant, query: CareQuery) {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.places.len().max(1);
        if let Some(mut place) = self.places.get(at).and_then(Mutex::try_lock) {
            *place = Some((asked_at, query));
        }
    }

    /// The questions since an instant, the last ones first, at most so many; and how many there are.
    pub(super) fn since(&self, since: UtcInstant, limit: usize) -> (Vec<Question>, usize) {
        let copied = self.places.iter().filter_map(|place| place.lock().clone());
        let mut questions: Vec<Question> = copied.filter(|(asked_at, _)| *asked_at >= since).collect();
        questions.sort_by_key(|(asked_at, _)| std::cmp::Reverse(*asked_at));
        let count = questions.len();
        questions.truncate(limit);
        (questions, count)
    }

    /// Drops what was asked before an instant.
    pub(super) fn forget_before(&self, before: UtcInstant) {
        for place in &self.places {
            place.lock().take_if(|(asked_at, _)| *asked_at < before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::{Modality, ModalitySet};
    use crate::domain::query::CareQueryDraft;

    fn at(ms: i64) -> UtcInstant {
        UtcInstant::from_ms(ms)
    }

    fn query() -> CareQuery {
        let modalities = ModalitySet::of(&[Modality::Vr]);
        CareQuery::parse(CareQueryDraft { modalities, ..CareQueryDraft::default() }).unwrap()
    }

    fn times(asked: &Asked, since: i64, limit: usize) -> (Vec<i64>, usize) {
        let (questions, count) = asked.since(at(since), limit);
        (questions.iter().map(|(asked_at, _)| asked_at.ms()).collect(), count)
    }

    #[test]
    fn the_last_questions_are_kept_and_old_ones_are_dropped() {
        let asked = Asked::new(3);
        (1..=5).for_each(|ms| asked.keep(at(ms), query()));
        assert_eq!(times(&asked, 0, 9), (vec![5, 4, 3], 3));
        assert_eq!(times(&asked, 4, 1), (vec![5], 2));
        asked.forget_before(at(5));
        assert_eq!(times(&asked, 0, 9), (vec![5], 1));
    }

    #[test]
    fn who_asks_does_not_wait_for_who_reads() {
        let asked = Asked::new(1);
        asked.keep(at(1), query());
        let reader = asked.places[0].lock();
        asked.keep(at(2), query());
        drop(reader);
        assert_eq!(times(&asked, 0, 9), (vec![1], 1));
    }
}
