//! The last marks of this instance's history, by which what others say of theirs is judged, and where epochs ended.
//!
//! Invariant: a mark is kept only while it is part of the history that the sink was told.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

use super::super::history::Mark;
use crate::domain::record::Position;
use crate::domain::time::UtcInstant;

/// Most marks that are kept.
const MARKS_MAX: usize = 16_384;
/// Most ends of epochs that are kept.
const ENDS_MAX: usize = 64;

/// The last marks; cheap to ask now and then, and taken by the follower alone.
#[derive(Default)]
pub(in crate::ledger::redis) struct Trail(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    marks: VecDeque<Mark>,
    /// When the last change was written.
    written_at: Option<UtcInstant>,
    /// The last number of epochs that ended, as this history has it.
    ends: BTreeMap<u64, u64>,
}

impl Trail {
    /// Begins anew: of what was followed before nothing counts.
    pub(in crate::ledger::redis) fn begin(&self, mark: Mark, written_at: UtcInstant) {
        *self.0.lock() = Inner { marks: [mark].into(), written_at: Some(written_at), ends: BTreeMap::new() };
    }

    /// The history goes on up to this mark.
    pub(in crate::ledger::redis) fn push(&self, mark: Mark, written_at: Option<UtcInstant>) {
        let mut inner = self.0.lock();
        inner.written_at = written_at.or(inner.written_at);
        inner.marks.push_back(mark);
        while inner.marks.len() > MARKS_MAX {
            inner.marks.pop_front();
        }
    }

    /// Epochs that ended, with their last numbers.
    pub(in crate::ledger::redis) fn note_ends(&self, ends: impl IntoIterator<Item = (u64, u64)>) {
        let mut inner = self.0.lock();
        inner.ends.extend(ends);
        while inner.ends.len() > ENDS_MAX {
            inner.ends.pop_first();
        }
    }

    /// The last number of an epoch that ended; `None` when it is not known.
    pub(in crate::ledger::redis) fn end_of(&self, epoch: u64) -> Option<u64> {
        self.0.lock().ends.get(&epoch).copied()
    }

    /// Where the history stands, and when its last change was written.
    pub(in crate::ledger::redis) fn last(&self) -> Option<(Mark, UtcInstant)> {
        let inner = self.0.lock();
        inner.marks.back().cloned().zip(inner.written_at)
    }

    /// The digest of the history at a position; `None` when it is not remembered.
    pub(in crate::ledger::redis) fn digest_at(&self, position: Position) -> Option<String> {
        let inner = self.0.lock();
        let place = |mark: &Mark| (mark.epoch, mark.sequence);
        let found = inner.marks.binary_search_by_key(&(position.epoch, position.sequence), place).ok()?;
        inner.marks.get(found).map(|mark| mark.digest.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(epoch: u64, sequence: u64) -> Mark {
        Mark { epoch, sequence, digest: format!("{epoch}/{sequence}") }
    }

    fn at(epoch: u64, sequence: u64) -> Position {
        Position { partition: 0, epoch, sequence }
    }

    #[test]
    fn digests_are_found_by_position_across_epochs_and_forgotten_with_the_oldest() {
        let trail = Trail::default();
        assert!(trail.last().is_none() && trail.digest_at(at(1, 0)).is_none());
        trail.begin(mark(1, 0), UtcInstant::from_ms(5));
        (1..=3).for_each(|sequence| trail.push(mark(1, sequence), Some(UtcInstant::from_ms(6))));
        trail.push(mark(2, 3), None);
        trail.push(mark(2, 4), None);
        assert_eq!(trail.digest_at(at(1, 3)).as_deref(), Some("1/3"));
        assert_eq!(trail.digest_at(at(2, 3)).as_deref(), Some("2/3"));
        assert_eq!(trail.digest_at(at(1, 4)), None);
        assert_eq!(trail.last(), Some((mark(2, 4), UtcInstant::from_ms(6))));
        (5..5 + MARKS_MAX as u64).for_each(|sequence| trail.push(mark(2, sequence), None));
        assert_eq!((trail.digest_at(at(1, 3)), trail.0.lock().marks.len()), (None, MARKS_MAX));
    }

    #[test]
    fn ends_of_epochs_are_bounded_and_belong_to_one_history() {
        let trail = Trail::default();
        trail.note_ends((1..=100).map(|epoch| (epoch, epoch * 10)));
        assert_eq!((trail.end_of(100), trail.end_of(1)), (Some(1_000), None));
        trail.begin(mark(101, 5), UtcInstant::from_ms(0));
        assert_eq!(trail.end_of(100), None);
    }
}
