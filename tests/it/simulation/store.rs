//! The one ledger that simulated instances share: the product's ledger in memory behind a log that can lose its end.
//!
//! It is rebuilt from what it took whenever it loses something, so that what it then knows, outcomes of requests included, is
//! what it knew. A server that lost something takes nothing until it is recovered, as decision 27 has it.

use std::sync::Arc;

use parking_lot::Mutex;
use sas_router::clock::{Clock as _, ManualClock};
use sas_router::domain::record::{Body, Change, Position, Versioned};
use sas_router::domain::time::UtcInstant;
use sas_router::ledger::memory::MemoryLedger;
use sas_router::ledger::{Append, AppendOutcome, ChangeSink, Entry, Ledger as _, Unavailable, Write};

/// Takes the changes of the ledger in memory.
#[derive(Default)]
struct Log(Mutex<Vec<Change>>);

impl ChangeSink for Log {
    fn apply(&self, changes: &[Change]) {
        self.0.lock().extend_from_slice(changes);
    }

    fn begin_reload(&self, _: Position) {}

    fn reload(&self, _: &[Change]) {}

    fn finish_reload(&self) {}

    fn records(&self, _: &mut dyn FnMut(Versioned<Body>)) {}
}

pub(super) struct Store {
    pub(super) clock: Arc<ManualClock>,
    pub(super) epoch: u64,
    /// The head at which the epoch began.
    pub(super) epoch_began_at: usize,
    /// Whether it takes nothing until it is recovered.
    pub(super) is_fenced: bool,
    ledger: MemoryLedger,
    log: Arc<Log>,
    taken: Vec<(UtcInstant, Append)>,
    /// Epochs that began before it, each with the head at which it did.
    earlier: Vec<(u64, usize)>,
    /// Greatest epoch that ever began.
    greatest: u64,
    /// All that it ever took and lost.
    lost: Vec<Append>,
}

impl Store {
    pub(super) fn new(now: UtcInstant) -> Self {
        let clock = Arc::new(ManualClock::new(now));
        let log = Arc::new(Log::default());
        let ledger = MemoryLedger::new(Arc::clone(&clock) as _, Arc::clone(&log) as _);
        Self {
            clock,
            epoch: 1,
            epoch_began_at: 0,
            is_fenced: false,
            ledger,
            log,
            taken: Vec::new(),
            earlier: Vec::new(),
            greatest: 1,
            lost: Vec::new(),
        }
    }

    /// The changes so far.
    pub(super) fn changes(&self) -> Vec<Change> {
        self.log.0.lock().clone()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.log.0.lock().len()
    }

    /// When each change was taken, with it.
    pub(super) fn history(&self) -> Vec<(UtcInstant, Change)> {
        let times = self.taken.iter().flat_map(|(at, append)| std::iter::repeat_n(*at, written(append)));
        times.zip(self.changes()).collect()
    }

    pub(super) fn append(&mut self, append: Append) -> AppendOutcome {
        if self.is_fenced {
            return AppendOutcome::Unavailable(Unavailable::Refused("the server has begun anew".to_owned()));
        }
        self.take(append)
    }

    fn take(&mut self, append: Append) -> AppendOutcome {
        let now = self.ledger.health().clock_at.map_or(self.clock.now(), |shown| shown.max(self.clock.now()));
        let pending = self.ledger.append(append.clone());
        let outcome = futures_now(pending);
        if matches!(outcome, AppendOutcome::Appended { .. }) {
            self.taken.push((now, append));
        }
        outcome
    }

    /// Begins anew without the last appends.
    pub(super) fn lose(&mut self, appends: usize) {
        let kept = self.taken.len().saturating_sub(appends).max(1);
        let now = self.clock.now();
        let mut taken = std::mem::take(&mut self.taken);
        let mut lost: Vec<Append> = taken.split_off(kept).into_iter().map(|(_, append)| append).collect();
        lost.append(&mut self.lost);
        let earlier = std::mem::take(&mut self.earlier);
        let (epoch, epoch_began_at, greatest) = (self.epoch, self.epoch_began_at, self.greatest);
        *self = Self { epoch, epoch_began_at, is_fenced: true, lost, earlier, greatest, ..Self::new(UtcInstant::MIN) };
        for (at, append) in taken {
            self.set_clock(at);
            assert!(matches!(self.take(append), AppendOutcome::Appended { .. }), "what was taken is taken again");
        }
        self.set_clock(now);
        // That an epoch began is lost with what was before.
        while self.epoch_began_at > self.len()
            && let Some(before) = self.earlier.pop()
        {
            (self.epoch, self.epoch_began_at) = before;
        }
    }

    fn give(&mut self, append: Append) {
        let outcome = self.take(append);
        assert!(matches!(outcome, AppendOutcome::Appended { .. }), "one history continues: {outcome:?}");
    }

    fn set_clock(&self, to: UtcInstant) {
        self.clock.advance_ms(to.ms_since(self.clock.now()));
    }

    /// Begins an epoch, with what an instance gives back behind what is left: whole appends with their outcomes, and of one
    /// that it saw a part of, that part.
    pub(super) fn recover(&mut self, mut given: &[Change]) {
        while let Some(change) = given.first() {
            if let Some(append) = self.lost.iter().find(|append| is_of(append, given)).cloned() {
                given = &given[written(&append)..];
                let unguarded = |entry| Entry { not_before: None, not_after: None, ..entry };
                let entries = append.entries.into_iter().map(unguarded).collect();
                self.give(Append { entries, request: append.request });
                continue;
            }
            let before = change.version - 1;
            let entry = match &change.body {
                Some(body) => Entry::put(body.clone(), before),
                None => Entry::remove(change.key.clone(), before),
            };
            self.give(Append { entries: vec![entry], request: None });
            given = &given[1..];
        }
        self.earlier.push((self.epoch, self.epoch_began_at));
        self.greatest += 1;
        self.epoch = self.greatest;
        self.epoch_began_at = self.len();
        self.is_fenced = false;
    }
}

/// Whether these changes begin with those of an append.
fn is_of(append: &Append, changes: &[Change]) -> bool {
    let mut entries = append.entries.iter().filter(|entry| entry.write != Write::Check);
    let mut next = changes.iter();
    written(append) > 0
        && entries.all(|entry| {
            next.next().is_some_and(|change| {
                let is_same = match &entry.write {
                    Write::Put(body) => change.body.as_ref() == Some(body),
                    Write::Remove | Write::Check => change.body.is_none(),
                };
                is_same && change.key == entry.key && change.version == entry.expected_version + 1
            })
        })
}

/// How many changes an append made.
fn written(append: &Append) -> usize {
    append.entries.iter().filter(|entry| entry.write != Write::Check).count()
}

/// The outcome of a future that is ready.
fn futures_now<T>(mut future: std::pin::Pin<Box<dyn Future<Output = T> + Send>>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(outcome) => outcome,
        std::task::Poll::Pending => panic!("the ledger in memory answers at once"),
    }
}
