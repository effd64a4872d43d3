//! An append whose changes come one after the other: held back until its last one is there.
//!
//! Invariant: what is let go is whole appends of one history, so that no sink, no position and no recovery ever stands in the
//! middle of one.

use super::super::history::{Logged, Mark};
use crate::domain::record::Change;

/// The changes of an append that has not come to its end; none between appends.
#[derive(Default)]
pub(in crate::ledger::redis) struct Incoming(Vec<(Logged, Change)>);

impl Incoming {
    /// Whether an append has begun and not ended.
    pub(in crate::ledger::redis) const fn is_open(&self) -> bool {
        !self.0.is_empty()
    }

    /// Where it stands; `None` between appends.
    pub(in crate::ledger::redis) fn reached(&self, epoch: u64) -> Option<Mark> {
        let (Logged { sequence, digest, .. }, _) = self.0.last()?;
        Some(Mark { epoch, sequence: *sequence, digest: digest.clone() })
    }

    /// Whether a change is the next one after those that came, the last whole append having ended at the mark.
    pub(in crate::ledger::redis) fn precedes(&self, mark: &Mark, epoch: u64, logged: &Logged) -> bool {
        let Some((last, _)) = self.0.last() else { return mark.precedes(epoch, logged) };
        logged.more + 1 == last.more && self.reached(mark.epoch).is_some_and(|mark| mark.precedes(epoch, logged))
    }

    /// Takes the next change; gives the whole append once that is its last.
    pub(in crate::ledger::redis) fn push(&mut self, logged: Logged, change: Change) -> Option<Vec<(Logged, Change)>> {
        let is_last = logged.more == 0;
        self.0.push((logged, change));
        is_last.then(|| std::mem::take(&mut self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::{Key, Position};

    fn logged(sequence: u64, more: usize) -> Logged {
        Logged { key: "policy".to_owned(), more, ..Logged::numbered(sequence) }
    }

    fn change() -> Change {
        Change { position: Position::default(), key: Key::Policy, version: 1, body: None }
    }

    #[test]
    fn an_append_is_let_go_with_its_last_change() {
        let mut incoming = Incoming::default();
        let sequences = |append: Option<Vec<(Logged, Change)>>| {
            append.map(|append| append.iter().map(|(logged, _)| logged.sequence).collect::<Vec<_>>())
        };
        assert_eq!(sequences(incoming.push(logged(1, 0), change())), Some(vec![1]));
        assert_eq!(sequences(incoming.push(logged(2, 2), change())), None);
        assert_eq!(sequences(incoming.push(logged(3, 1), change())), None);
        assert_eq!(incoming.reached(7).map(|mark| mark.id()).as_deref(), Some("7-3"));
        assert_eq!(sequences(incoming.push(logged(4, 0), change())), Some(vec![2, 3, 4]));
        assert!(!incoming.is_open());
    }
}
