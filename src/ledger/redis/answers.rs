//! Outcomes that are known but not told yet: the sink must have been told as much first.
//!
//! Invariant: outcomes are told in the order of the ledger, and the writer stops before too many wait. Dropping them tells
//! their callers that the outcome is unknown.

use std::cell::RefCell;
use std::collections::VecDeque;

use tokio::sync::{Notify, oneshot};

use crate::ledger::AppendOutcome;
use crate::seeded::{Fault, is_awake};

/// Most outcomes that wait before the writer does.
const WAITING_MAX: usize = 4_096;

/// Outcomes that wait.
#[derive(Default)]
pub(super) struct Answers {
    inner: RefCell<Inner>,
    /// Some were told.
    settled: Notify,
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
        Self { inner: RefCell::new(Inner { told, waiting: VecDeque::new() }), settled: Notify::new() }
    }

    /// Tells an outcome once the sink has been told as far as the head at which it was judged.
    pub(super) fn tell(&self, head: u64, outcome: AppendOutcome, answer: oneshot::Sender<AppendOutcome>) {
        let mut inner = self.inner.borrow_mut();
        let head = if is_awake(Fault::AnsweredBeforeSink) { 0 } else { head };
        inner.waiting.push_back(Waiting { head, outcome, answer });
        inner.settle();
    }

    /// The sink has been told this far.
    pub(super) fn told(&self, sequence: u64) {
        let mut inner = self.inner.borrow_mut();
        inner.told = sequence;
        inner.settle();
        self.settled.notify_waiters();
    }

    /// Waits until there is room for more.
    pub(super) async fn have_room(&self) {
        self.wait_below(WAITING_MAX).await;
    }

    /// Waits until nobody waits.
    pub(super) async fn are_told(&self) {
        self.wait_below(1).await;
    }

    async fn wait_below(&self, count: usize) {
        loop {
            let settled = self.settled.notified();
            if self.inner.borrow().waiting.len() < count {
                return;
            }
            settled.await;
        }
    }
}

impl Inner {
    fn settle(&mut self) {
        while self.waiting.front().is_some_and(|waiting| waiting.head <= self.told) {
            let Some(waiting) = self.waiting.pop_front() else { break };
            // Whoever no longer waits needs no answer.
            let _ = waiting.answer.send(waiting.outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::record::Position;

    fn outcome() -> AppendOutcome {
        AppendOutcome::Appended { position: Position::default() }
    }

    #[test]
    fn an_outcome_is_told_once_the_sink_was() {
        let answers = Answers::new(3);
        let ask = |head| {
            let (answer, outcome_of) = oneshot::channel();
            answers.tell(head, outcome(), answer);
            outcome_of
        };
        let (mut now, mut later, mut last) = (ask(3), ask(5), ask(4));
        assert!(now.try_recv().is_ok() && later.try_recv().is_err());
        assert!(last.try_recv().is_err(), "nobody overtakes");
        answers.told(5);
        assert!(later.try_recv().is_ok() && last.try_recv().is_ok());
        let mut lost = ask(9);
        drop(answers);
        assert_eq!(lost.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn the_writer_waits_while_too_many_do() {
        let answers = Answers::new(0);
        let mut waiting = Vec::new();
        for _ in 0..WAITING_MAX {
            let (answer, outcome_of) = oneshot::channel();
            answers.tell(1, outcome(), answer);
            waiting.push(outcome_of);
        }
        let has_room = async || tokio::time::timeout(Duration::from_secs(60), answers.have_room()).await.is_ok();
        assert!(!has_room().await);
        answers.told(1);
        assert!(has_room().await);
    }
}
