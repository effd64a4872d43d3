//! What passes between those who append and the one thread that writes.
//!
//! Invariant: waiting appends are bounded in number and in bytes; beyond that an append is refused, never delayed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::store::State;
use crate::clock::Stopwatch;
use crate::domain::time::UtcInstant;
use crate::ledger::{Append, AppendOutcome, LedgerHealth, Unavailable, Write, codec};

/// Most appends that wait.
pub(super) const QUEUE_APPENDS_MAX: usize = 4_096;
/// Most bytes of appends that wait: 64 MiB.
pub(super) const QUEUE_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// What an entry weighs beside its image, in bytes; an estimate of its key, guards and log entry.
const ENTRY_BYTES: usize = 256;

/// An append whose images are made, by the caller's own thread.
pub(super) struct Prepared {
    /// The append.
    pub(super) append: Append,
    /// Stored form of each entry that puts a body; empty for the others.
    pub(super) images: Vec<Vec<u8>>,
    /// About how much memory it takes.
    pub(super) bytes: usize,
}

impl Prepared {
    /// Makes the images of an append.
    pub(super) fn new(append: Append) -> Self {
        let image = |write: &Write| match write {
            Write::Put(body) => codec::encode(body),
            Write::Remove | Write::Check => Vec::new(),
        };
        let images: Vec<_> = append.entries.iter().map(|entry| image(&entry.write)).collect();
        let result_bytes = append.request.as_ref().map_or(0, |request| request.result.len());
        let bytes = images.iter().map(|image| image.len() + ENTRY_BYTES).sum::<usize>() + ENTRY_BYTES + result_bytes;
        Self { append, images, bytes }
    }
}

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
    waiting_bytes: AtomicUsize,
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
            waiting_bytes: AtomicUsize::new(0),
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

    /// Takes room in the queue; whether there was any.
    pub(super) fn reserve(&self, bytes: usize) -> bool {
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        // An append that is larger than the whole queue passes when it is alone.
        let fits = before == 0 || before.saturating_add(bytes) <= QUEUE_BYTES_MAX;
        if !fits {
            self.release(bytes);
        }
        fits
    }

    /// Gives room in the queue back.
    pub(super) fn release(&self, bytes: usize) {
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What is told of a store.
fn standing(state: State, refusal: Option<String>) -> LedgerHealth {
    let (clock_at, steady_at) = (Some(state.shown_at), Some(state.steady_at));
    LedgerHealth { head: state.head(), refusal, clock_at, steady_at }
}
