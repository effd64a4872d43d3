//! Outcomes that are known but not told yet: the sink must have been told as much first.
//!
//! Invariant: outcomes are told in the order of the ledger. Dropping them tells their callers that the outcome is unknown.

use std::cell::RefCell;
use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::ledger::AppendOutcome;

/// Outcomes that wait.
#[derive(Default)]
pub(super) struct Answers {
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    /// How far the sink has been told.
    told: u64,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    /// How far the sink must have been told.
    head: u64,
    outcome: AppendOutcome,
    answer: oneshot::Sender<AppendOutcome>,
}

impl Answers {
    /// None yet; the sink has been told so far.
    pub(super) fn new(told: u64) -> Self {
        Self { inner: RefCell::new(Inner { told, waiting: VecDeque::new() }) }
    }

    /// Tells an outcome once the sink has been told as far as the head at which it was judged.
    pub(super) fn tell(&self, head: u64, outcome: AppendOutcome, answer: oneshot::Sender<AppendOutcome>) {
        let mut inner = self.inner.borrow_mut();
        inner.waiting.push_back(Waiting { head, outcome, answer });
        inner.settle();
    }

    /// The sink has been told this far.
    pub(super) fn told(&self, sequence: u64) {
        let mut inner = self.inner.borrow_mut();
        inner.told = sequence;
        inner.settle();
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.inner.borrow().waiting.is_empty()
    }
}

impl Inner {
    fn settle(&mut self) {
        while let Some(waiting) = self.waiting.pop_front_if(|waiting| waiting.head <= self.told) {
            // Whoever no longer waits needs no answer.
            let _ = waiting.answer.send(waiting.outcome);
        }
    }
}
