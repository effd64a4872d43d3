//! Waiting until this instance shows what a caller knows already, for instance its own write through another instance.
//!
//! Invariant: a position counts as shown only when every change up to it was told to the index. The wait is for the index's
//! own word and bounded; nothing that writes to the index waits for anybody here.

use std::time::Duration;

use tokio::sync::Notify;

use super::Service;
use super::error::{Error, Reason};
use super::limits::RETRY_BUSY_AFTER_MS;
use crate::domain::query::CareQuery;
use crate::domain::record::Position;
use crate::routing::triage::triage;

/// Longest wait for a position.
pub const MIN_POSITION_WAIT: Duration = Duration::from_millis(250);

/// Who waits for the index to go on.
#[derive(Debug, Default)]
pub(super) struct Arrivals(Notify);

impl Arrivals {
    /// The index shows more; costs nothing while nobody waits.
    pub(super) fn ring(&self) {
        self.0.notify_waiters();
    }
}

/// Whether a state contains a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// It does.
    Reached,
    /// It may come to.
    NotYet,
    /// It never will: the ledger went on without it, or its epoch ended too long ago to tell.
    Lost,
}

/// Whether a state contains a position, given where the position's epoch ended, if it has.
fn judge(head: Position, wanted: Position, end_of_epoch: impl Fn(u64) -> Option<u64>) -> Reach {
    if wanted.epoch > head.epoch {
        return Reach::NotYet;
    }
    if wanted.epoch == head.epoch {
        return if wanted.sequence <= head.sequence { Reach::Reached } else { Reach::NotYet };
    }
    match end_of_epoch(wanted.epoch) {
        Some(end) if wanted.sequence <= end => Reach::Reached,
        Some(_) | None => Reach::Lost,
    }
}

impl Service {
    /// Whether this instance shows a position.
    #[must_use]
    pub fn reach_of(&self, wanted: Position) -> Reach {
        let parts = self.parts();
        judge(parts.index.head(), wanted, |epoch| parts.ledger.end_of_epoch(epoch))
    }

    /// Whether an answer that was given at a position takes another into account.
    #[must_use]
    pub fn takes_account(&self, answered: Position, wanted: Position) -> bool {
        let reach = judge(answered, wanted, |epoch| self.parts().ledger.end_of_epoch(epoch));
        reach == Reach::Reached || (answered.epoch < wanted.epoch && self.reach_of(wanted) == Reach::Reached)
    }

    /// Waits until this instance shows a position, at most so long.
    ///
    /// # Errors
    /// `POSITION_NOT_REACHED` when it does not by then, `POSITION_LOST` when it never will.
    pub async fn reach(&self, wanted: Position, within: Duration) -> Result<(), Error> {
        let waiting = async {
            loop {
                let arrival = self.shared.arrivals.0.notified();
                tokio::pin!(arrival);
                // From here on no arrival is missed.
                arrival.as_mut().enable();
                match self.reach_of(wanted) {
                    Reach::NotYet => arrival.await,
                    reach @ (Reach::Reached | Reach::Lost) => return reach,
                }
            }
        };
        let reach = tokio::time::timeout(within, waiting).await;
        let Position { partition: _, epoch, sequence } = wanted;
        match reach.unwrap_or_else(|_| self.reach_of(wanted)) {
            Reach::Reached => Ok(()),
            Reach::NotYet => {
                let head = self.parts().index.head();
                let message = format!(
                    "this instance stands at position {}-{} and has not followed to {epoch}-{sequence}: repeat, or ask \
                     another instance",
                    head.epoch, head.sequence
                );
                let retry_after_ms = Some(RETRY_BUSY_AFTER_MS);
                Err(Error { retry_after_ms, ..Error::new(Reason::PositionNotReached, message) })
            }
            Reach::Lost => {
                let message = format!(
                    "position {epoch}-{sequence} is not part of the ledger's history, or of an epoch that ended too long ago: \
                     read again without it, and check what was written"
                );
                Err(Error::new(Reason::PositionLost, message))
            }
        }
    }

    /// Whether a question is answered from the slots, so that the answer depends on what this instance shows.
    #[must_use]
    pub fn answers_from_slots(&self, query: &CareQuery) -> bool {
        triage(query, &self.policy_of(query)).searches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u64, sequence: u64) -> Position {
        Position { partition: 0, epoch, sequence }
    }

    #[test]
    fn a_position_of_an_epoch_that_ended_counts_as_far_as_its_end() {
        let end = |epoch| (epoch == 2).then_some(50);
        let cases = [
            (at(3, 60), at(3, 60), Reach::Reached),
            (at(3, 60), at(3, 61), Reach::NotYet),
            (at(3, 60), at(4, 1), Reach::NotYet),
            (at(3, 60), at(2, 50), Reach::Reached),
            (at(3, 60), at(2, 51), Reach::Lost),
            (at(3, 60), at(1, 1), Reach::Lost),
        ];
        for (head, wanted, expected) in cases {
            assert_eq!(judge(head, wanted, end), expected, "{wanted:?} at {head:?}");
        }
    }
}
