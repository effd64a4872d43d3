//! The one server that simulated instances share: the product's ledger in memory behind a log, which can come back as it was
//! some writes ago, or empty.
//!
//! What it decides on appends is the product's own; what it keeps, gives to read and takes back in a recovery is what the scripts
//! of the ledger in Redis do (decisions 26, 27 and 30), told in whole appends. After a start it takes nothing until an epoch begins.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use sas_router::clock::{Clock as _, ManualClock};
use sas_router::domain::id::{PrincipalId, RequestId};
use sas_router::domain::record::{Body, Change, Position, Versioned};
use sas_router::domain::time::UtcInstant;
use sas_router::ledger::memory::MemoryLedger;
use sas_router::ledger::{Append, AppendOutcome, ChangeSink, Entry, Ledger as _, Unavailable};

use super::instance::Followed;

/// States before the present one that a server may come back with.
const STATES_KEPT: usize = 16;

/// Takes the changes of the ledger in memory.
#[derive(Default)]
struct Tray(Mutex<Vec<Change>>);

impl ChangeSink for Tray {
    fn apply(&self, changes: &[Change]) {
        self.0.lock().extend_from_slice(changes);
    }

    fn begin_reload(&self, _: Position) {}

    fn reload(&self, _: &[Change]) {}

    fn finish_reload(&self) {}

    fn advance(&self, _: Position) {}

    fn records(&self, _: &mut dyn FnMut(Versioned<Body>)) {}
}

/// Names a request.
pub(super) type RequestKey = (PrincipalId, RequestId, u16);

/// An append as it was taken. It belongs to one history: what stands before it is always the same.
pub(super) struct Taken {
    /// What the ledger's clock showed.
    pub(super) at: UtcInstant,
    pub(super) changes: Vec<Change>,
    append: Append,
    /// Number of its last change.
    pub(super) sequence: u64,
    /// Names the history before it.
    before: u64,
    /// Names the history that ends with it.
    pub(super) digest: u64,
}

impl Taken {
    pub(super) fn request(&self) -> Option<RequestKey> {
        let request = self.append.request.as_ref()?;
        Some((request.principal.clone(), request.request_id.clone(), request.part))
    }
}

/// An entry of the log.
#[derive(Clone)]
pub(super) enum Logged {
    /// An append of an epoch.
    Append(u64, Arc<Taken>),
    /// An epoch that begins where the history stands so.
    Epoch { epoch: u64, base: Mark },
}

/// Where a history stands: its epoch, its number, and its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Mark {
    pub(super) epoch: u64,
    pub(super) sequence: u64,
    pub(super) digest: u64,
}

impl Mark {
    pub(super) fn of(epoch: u64, history: &[Arc<Taken>]) -> Self {
        let (sequence, digest) = history.last().map_or((0, 0), |last| (last.sequence, last.digest));
        Self { epoch, sequence, digest }
    }

    const fn id(&self) -> (u64, u64) {
        (self.epoch, self.sequence)
    }
}

impl Logged {
    fn id(&self) -> (u64, u64) {
        match self {
            Self::Append(epoch, taken) => (*epoch, taken.sequence),
            Self::Epoch { epoch, base } => (*epoch, base.sequence),
        }
    }

    /// Whether it is the next entry of a history.
    pub(super) fn follows(&self, mark: Mark) -> bool {
        match self {
            Self::Append(epoch, taken) => *epoch == mark.epoch && taken.before == mark.digest,
            Self::Epoch { base, .. } => *base == mark,
        }
    }

    fn is_at(&self, mark: Mark) -> bool {
        let digest = match self {
            Self::Append(_, taken) => taken.digest,
            Self::Epoch { base, .. } => base.digest,
        };
        self.id() == mark.id() && digest == mark.digest
    }
}

/// What a server keeps.
#[derive(Clone, Default)]
struct State {
    epoch: u64,
    /// The number prepared for the next epoch.
    prepared: u64,
    history: Vec<Arc<Taken>>,
    /// Whose requests' outcomes it knows.
    outcomes: Vec<Arc<Taken>>,
    log: Vec<Logged>,
}

impl State {
    fn keep(&mut self, taken: &Arc<Taken>) {
        self.history.push(Arc::clone(taken));
        self.log.push(Logged::Append(self.epoch, Arc::clone(taken)));
        self.know(taken);
    }

    fn know(&mut self, taken: &Arc<Taken>) {
        if let Some(request) = taken.request() {
            self.outcomes.retain(|known| known.request().as_ref() != Some(&request));
            self.outcomes.push(Arc::clone(taken));
        }
    }
}

pub(super) struct Store {
    pub(super) clock: Arc<ManualClock>,
    /// How often it was started; links do not outlive it.
    pub(super) start: u64,
    /// Whether it takes nothing until it is recovered.
    pub(super) is_fenced: bool,
    /// Requests whose outcome no recovery gave back though their effect is there.
    pub(super) forgotten: HashSet<RequestKey>,
    /// Epochs that began twice: the server lost that they began, and nobody who took part in its recovery knew.
    pub(super) repeated: HashSet<u64>,
    begun: HashSet<u64>,
    ledger: MemoryLedger,
    tray: Arc<Tray>,
    state: State,
    before: VecDeque<State>,
    /// Histories so far.
    names: u64,
}

impl Store {
    pub(super) fn new(now: UtcInstant) -> Self {
        let (clock, tray) = (Arc::new(ManualClock::new(now)), Arc::<Tray>::default());
        let ledger = MemoryLedger::new(Arc::clone(&clock) as _, Arc::clone(&tray) as _);
        let state = State { epoch: 1, ..State::default() };
        Self {
            clock,
            start: 0,
            is_fenced: false,
            forgotten: HashSet::new(),
            repeated: HashSet::new(),
            begun: HashSet::new(),
            ledger,
            tray,
            state,
            before: VecDeque::new(),
            names: 0,
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark::of(self.state.epoch, &self.state.history)
    }

    pub(super) fn history(&self) -> &[Arc<Taken>] {
        &self.state.history
    }

    /// Whether its history begins with the one of this name.
    pub(super) fn has(&self, digest: u64) -> bool {
        self.state.history.iter().any(|taken| taken.digest == digest)
    }

    /// The entry of the log after a position.
    pub(super) fn next(&self, mark: Mark) -> Option<&Logged> {
        self.state.log.iter().find(|logged| logged.id() > mark.id())
    }

    /// Whether a history can be followed on from where it stands.
    pub(super) fn holds(&self, mark: Mark) -> bool {
        if self.mark().id() == mark.id() {
            return self.mark() == mark;
        }
        let first = self.state.log.iter().find(|logged| logged.id() >= mark.id());
        first.is_some_and(|logged| logged.is_at(mark) || logged.follows(mark))
    }

    pub(super) fn append(&mut self, append: Append) -> AppendOutcome {
        if self.is_fenced {
            return AppendOutcome::Unavailable(Unavailable::Refused("the server has begun anew".to_owned()));
        }
        let at = self.ledger.health().clock_at.map_or(self.clock.now(), |shown| shown.max(self.clock.now()));
        let outcome = now(self.ledger.append(append.clone()));
        let changes = std::mem::take(&mut *self.tray.0.lock());
        if let (AppendOutcome::Appended { .. }, Some(last)) = (&outcome, changes.last()) {
            self.names += 1;
            let (sequence, before, digest) = (last.position.sequence, self.mark().digest, self.names);
            self.write(|state| state.keep(&Arc::new(Taken { at, changes, append, sequence, before, digest })));
        }
        outcome
    }

    /// Writes what a later start may be without.
    fn write(&mut self, write: impl FnOnce(&mut State)) {
        self.before.push_back(self.state.clone());
        if self.before.len() > STATES_KEPT {
            self.before.pop_front();
        }
        write(&mut self.state);
    }

    /// Starts again without the last writes.
    pub(super) fn lose(&mut self, writes: usize) {
        for _ in 0..writes {
            if let Some(before) = self.before.pop_back() {
                self.state = before;
            }
        }
        self.start_again();
    }

    /// Starts again without anything.
    pub(super) fn lose_all(&mut self) {
        self.before.clear();
        self.state = State::default();
        self.start_again();
    }

    fn start_again(&mut self) {
        (self.start, self.is_fenced) = (self.start + 1, true);
        self.rebuild();
    }

    /// Makes the ledger what the state says.
    fn rebuild(&mut self) {
        let shown = self.clock.now();
        self.ledger = MemoryLedger::new(Arc::clone(&self.clock) as _, Arc::clone(&self.tray) as _);
        for taken in &self.state.history {
            self.clock.advance_ms(taken.at.ms_since(self.clock.now()));
            let unguarded = |entry: &Entry| Entry { not_before: None, not_after: None, ..entry.clone() };
            let is_known = self.state.outcomes.iter().any(|known| Arc::ptr_eq(known, taken));
            let request = taken.append.request.clone().filter(|_| is_known);
            let entries = taken.append.entries.iter().map(unguarded).collect();
            let outcome = now(self.ledger.append(Append { entries, request }));
            assert!(matches!(outcome, AppendOutcome::Appended { .. }), "what was taken is taken again: {outcome:?}");
        }
        self.tray.0.lock().clear();
        self.clock.advance_ms(shown.ms_since(self.clock.now()));
    }

    /// Finds the number of the next epoch: above those that it and these instances know.
    pub(super) fn prepare(&mut self, known: impl Iterator<Item = u64>) {
        let mine = self.state.epoch.max(self.state.prepared);
        let epoch = known.fold(mine, u64::max) + 1;
        self.write(|state| state.prepared = epoch);
    }

    /// Takes back what an instance followed beyond it: the last changes when it remembers them all and they continue what is
    /// here, otherwise all, with the outcomes that it remembers instead of those that are here.
    pub(super) fn give(&mut self, given: &Followed) {
        let head = self.mark();
        let missing = given.after(head.epoch, head.sequence);
        let continues = |missing: &&[Arc<Taken>]| missing.first().is_none_or(|first| first.before == head.digest);
        match missing.filter(continues) {
            Some(missing) => self.write(|state| missing.iter().for_each(|taken| state.keep(taken))),
            None => {
                self.write(|state| {
                    let State { prepared, .. } = *state;
                    let (epoch, history) = (given.mark().epoch, given.history.clone());
                    *state = State { epoch, prepared, history, ..State::default() };
                    given.outcomes().iter().for_each(|taken| state.know(taken));
                });
                let known: HashSet<_> = self.state.outcomes.iter().filter_map(|taken| taken.request()).collect();
                let told = self.state.history.iter().filter_map(|taken| taken.request());
                self.forgotten.extend(told.filter(|request| !known.contains(request)));
            }
        }
        self.rebuild();
    }

    /// Begins the epoch that was prepared.
    pub(super) fn activate(&mut self) {
        let base = self.mark();
        self.write(|state| {
            state.epoch = std::mem::take(&mut state.prepared);
            state.log.push(Logged::Epoch { epoch: state.epoch, base });
        });
        if !self.begun.insert(self.state.epoch) {
            self.repeated.insert(self.state.epoch);
        }
        self.is_fenced = false;
    }
}

/// The outcome of a future that is ready.
fn now<T>(mut future: std::pin::Pin<Box<dyn Future<Output = T> + Send>>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(outcome) => outcome,
        std::task::Poll::Pending => panic!("the ledger in memory answers at once"),
    }
}
