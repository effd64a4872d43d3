//! What passes between those who append and the thread that talks to Redis.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::heart::trail::Trail;
use super::preflight::Durability;
use crate::clock::Stopwatch;
use crate::domain::record::Position;
use crate::domain::time::UtcInstant;
use crate::ledger::queue::{Prepared, Room};
use crate::ledger::{AppendOutcome, Counters, LedgerHealth, Overview, Standpoint, Unavailable};

/// What the thread is asked to do.
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
    /// End once everything before is done.
    Close,
}

impl Job {
    /// Answers without doing it; whoever no longer waits needs no answer.
    pub(super) fn refuse(self, room: &Room, why: Unavailable) {
        match self {
            Self::Append { prepared, answer } => {
                room.release(prepared.bytes);
                let _ = answer.send(AppendOutcome::Unavailable(why));
            }
            Self::Trim { steady_at: _, answer } => {
                let _ = answer.send(Err(why));
            }
            Self::Close => {}
        }
    }
}

/// What an open ledger tells about itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Opened {
    /// Identifies the ledger among all others.
    pub(super) deployment: String,
    /// How many records the sink was handed.
    pub(super) records: u64,
}

/// What both sides see.
pub(super) struct Shared {
    /// Read by every query, so behind no lock.
    health: ArcSwap<LedgerHealth>,
    durability: ArcSwap<Durability>,
    opened: OnceLock<Opened>,
    closing: AtomicBool,
    /// What the last heartbeat heard, and when.
    overview: ArcSwap<(Overview, Stopwatch)>,
    /// What was followed last.
    pub(super) trail: Trail,
    /// Instances of which it was said that their digest differs, and at which epoch and number.
    pub(super) alarmed: Mutex<HashSet<(String, u64, u64)>>,
    /// How often what happened.
    pub(super) counters: Counters,
    /// Room in the queue.
    pub(super) room: Room,
}

impl Shared {
    /// A ledger that is not open yet.
    pub(super) fn new() -> Self {
        let refusal = Some("the ledger is opening".to_owned());
        let head = Position::default();
        let health = LedgerHealth { head, refusal, reduction: None, is_open: false, clock_at: None, steady_at: None };
        Self {
            health: ArcSwap::from_pointee(health),
            durability: ArcSwap::from_pointee(Durability::Unknown),
            opened: OnceLock::new(),
            closing: AtomicBool::new(false),
            overview: ArcSwap::from_pointee((Overview::default(), Stopwatch::start())),
            trail: Trail::default(),
            alarmed: Mutex::default(),
            counters: Counters::default(),
            room: Room::default(),
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

    /// What an acknowledged write survives.
    pub(super) fn durability(&self) -> Durability {
        **self.durability.load()
    }

    /// Notes what an acknowledged write survives.
    pub(super) fn note_durability(&self, durability: Durability) {
        self.durability.store(std::sync::Arc::new(durability));
    }

    /// What operators are told.
    pub(super) fn overview(&self) -> Overview {
        let own = self.trail.last().map(|(mark, _)| Standpoint { position: mark.position(), digest: mark.digest });
        let (heard, since) = &**self.overview.load();
        let seen_age = heard.seen_at.is_some().then(|| since.elapsed());
        Overview { own, seen_age, counters: self.counters.all(), ..heard.clone() }
    }

    /// Notes what a heartbeat heard.
    pub(super) fn note_overview(&self, heard: Overview) {
        self.overview.store(std::sync::Arc::new((heard, Stopwatch::start())));
    }

    /// Notes how far the sink has been told.
    pub(super) fn advance(&self, head: Position) {
        self.alter(|health| LedgerHealth { head, ..health });
    }

    /// Notes what the ledger's clock shows, which never goes back.
    pub(super) fn show_clock(&self, now: UtcInstant) {
        if self.health.load().clock_at.is_none_or(|shown| shown < now) {
            self.alter(|health| LedgerHealth { clock_at: health.clock_at.max(Some(now)), ..health });
        }
    }

    /// Notes the last instant that a steady clock recorded.
    pub(super) fn note_steady(&self, steady_at: Option<UtcInstant>) {
        self.alter(|health| LedgerHealth { steady_at, ..health });
    }

    /// Notes that the sink has been told every record; the first time counts.
    pub(super) fn open(&self, opened: Opened) {
        let _ = self.opened.set(opened);
        self.alter(|health| LedgerHealth { is_open: true, ..health });
    }

    /// What was found when it was opened; `None` before.
    pub(super) fn opened(&self) -> Option<&Opened> {
        self.opened.get()
    }

    /// Notes why fewer replicas than wanted confirm writes; `None` when they do.
    pub(super) fn reduce(&self, reduction: Option<String>) {
        self.alter(|health| LedgerHealth { reduction: reduction.clone(), ..health });
    }

    /// Whether fewer replicas than wanted confirm writes.
    pub(super) fn is_reduced(&self) -> bool {
        self.health.load().reduction.is_some()
    }

    /// Refuses appends from now on.
    pub(super) fn refuse(&self, reason: &str) {
        self.alter(|health| LedgerHealth { refusal: Some(reason.to_owned()), ..health });
    }

    /// Accepts appends.
    pub(super) fn accept(&self) {
        self.alter(|health| LedgerHealth { refusal: None, ..health });
    }

    /// Refuses appends for good.
    pub(super) fn start_closing(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Whether appends are refused for good.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    fn alter(&self, alter: impl Fn(LedgerHealth) -> LedgerHealth) {
        self.health.rcu(|health| alter(LedgerHealth::clone(health)));
    }
}
