//! What passes between those who append and the one thread that writes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::store::State;
use crate::clock::Stopwatch;
use crate::domain::time::UtcInstant;
use crate::ledger::queue::{Prepared, Room};
use crate::ledger::{AppendOutcome, LedgerHealth, Unavailable};

/// What the writer is asked to do.
pub(super) enum Job {
    /// Write, and answer.
    Append {
        /// What is written.
        prepared: Prepared,
        /// Where the outcome goes.
        answer: oneshot::Sender<AppendOutcome>,
    },
    /// Forget some of what is past its time, and say how much.
    Trim {
        /// What a steady clock shows.
        steady_at: UtcInstant,
        /// Where that goes.
        answer: oneshot::Sender<Result<usize, Unavailable>>,
    },
    /// Try to write again after a failure.
    Heal,
    /// End once everything before is done.
    Close,
}

/// What both sides see.
pub(super) struct Shared {
    /// Read by every query, so behind no lock.
    health: ArcSwap<LedgerHealth>,
    closing: AtomicBool,
    /// Room in the queue.
    pub(super) room: Room,
    heal_interval: Duration,
    /// Runs since the failure or the last attempt to heal.
    since_attempt: Mutex<Stopwatch>,
}

impl Shared {
    /// A ledger that accepts appends.
    pub(super) fn new(state: State, heal_interval: Duration) -> Self {
        Self {
            health: ArcSwap::from_pointee(standing(state, None)),
            closing: AtomicBool::new(false),
            room: Room::default(),
            heal_interval,
            since_attempt: Mutex::new(Stopwatch::start()),
        }
    }

    /// How the ledger stands.
    pub(super) fn health(&self) -> LedgerHealth {
        LedgerHealth::clone(&self.health.load())
    }

    /// Why appends are refused; `None` when they are accepted.
    pub(super) fn refusal(&self) -> Option<String> {
        self.health.load().refusal.clone()
    }

    /// Shows how the store stands.
    pub(super) fn advance(&self, state: State) {
        self.health.rcu(|health| standing(state, health.refusal.clone()));
    }

    /// Refuses appends from now on.
    pub(super) fn refuse(&self, reason: &str) {
        *self.since_attempt.lock() = Stopwatch::start();
        self.health.rcu(|health| LedgerHealth { refusal: Some(reason.to_owned()), ..LedgerHealth::clone(health) });
    }

    /// Accepts appends again.
    pub(super) fn accept(&self) {
        self.health.rcu(|health| LedgerHealth { refusal: None, ..LedgerHealth::clone(health) });
    }

    /// Whether it is time to try again; true once per interval.
    pub(super) fn heal_is_due(&self) -> bool {
        let mut since_attempt = self.since_attempt.lock();
        let is_due = since_attempt.elapsed() >= self.heal_interval;
        if is_due {
            *since_attempt = Stopwatch::start();
        }
        is_due
    }

    /// Refuses appends for good.
    pub(super) fn start_closing(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Whether appends are refused for good.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }
}

/// What is told of a store.
fn standing(state: State, refusal: Option<String>) -> LedgerHealth {
    let (clock_at, steady_at) = (Some(state.shown_at), Some(state.steady_at));
    LedgerHealth { head: state.head(), refusal, is_open: true, clock_at, steady_at }
}
