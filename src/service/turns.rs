//! One after the other for each regulator, so that a limit on what one of them holds is judged on all that went before.
//!
//! Invariant: a turn that is over leaves nothing behind. Deliberately absent: turns between instances.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use crate::domain::id::PrincipalId;

/// Whose turn it is.
#[derive(Clone, Default)]
pub(super) struct Turns {
    waiting: Arc<Mutex<HashMap<PrincipalId, Arc<tokio::sync::Mutex<()>>>>>,
}

/// A regulator's turn; it ends when it is dropped.
pub(super) struct Turn {
    turns: Turns,
    whose: PrincipalId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for a regulator's turn.
    pub(super) async fn take(&self, whose: PrincipalId) -> Turn {
        let queue = Arc::clone(self.waiting.lock().entry(whose.clone()).or_default());
        // Made before it waits, so that one who gives up leaves nothing either.
        let mut turn = Turn { turns: self.clone(), whose, guard: None };
        turn.guard = Some(queue.lock_owned().await);
        turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut waiting = self.turns.waiting.lock();
        self.guard = None;
        // Whoever waits counts on the queue, and comes to it under the same lock.
        if waiting.get(&self.whose).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            waiting.remove(&self.whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regulator(id: &str) -> PrincipalId {
        PrincipalId::parse(id).unwrap()
    }

    #[tokio::test]
    async fn each_waits_for_its_own_turn_and_nothing_is_left() {
        let turns = Turns::default();
        let first = turns.take(regulator("arm-1")).await;
        let other = turns.take(regulator("arm-2")).await;
        let second = crate::tasks::Tasks::new().spawn({
            let turns = turns.clone();
            async move { drop(turns.take(regulator("arm-1")).await) }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap();
        drop(other);
        assert!(turns.waiting.lock().is_empty());
    }
}
