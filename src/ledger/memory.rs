//! A ledger in memory: for tests, simulation and trials. It forgets everything when it is dropped.
//!
//! Invariant: appends are carried out one after the other under one lock, which is held while the sink is told, so that
//! the sink sees them in order. Deliberately absent: a queue; an append is carried out by whoever calls.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::Arc;

use parking_lot::Mutex;

use super::decision::{KeptOutcome, Records, has_lapsed, judge};
use super::{
    Append, AppendOutcome, ChangeSink, Entry, Ledger, LedgerHealth, PendingAppend, PendingTrim, Request, TRIM_STEP_MAX,
    Write, is_news,
};
use crate::clock::SharedClock;
use crate::domain::id::{PrincipalId, RequestId};
use crate::domain::record::{Body, Change, Key, Position, Versioned};
use crate::domain::time::UtcInstant;

/// Most lapsed request ids that one append forgets; more than one, so that they run out.
const REQUESTS_FORGOTTEN_MAX: usize = 4;

/// A ledger in memory.
pub struct MemoryLedger {
    clock: SharedClock,
    sink: Arc<dyn ChangeSink>,
    state: Mutex<State>,
}

type RequestKey = (PrincipalId, RequestId, u16);

struct State {
    records: HashMap<Key, Versioned<Body>>,
    requests: HashMap<RequestKey, KeptOutcome>,
    /// Request ids by the instant since which they are kept.
    requests_by_time: BTreeSet<(UtcInstant, RequestKey)>,
    head: Position,
    shown_at: UtcInstant,
    steady_at: Option<UtcInstant>,
}

impl MemoryLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new(clock: SharedClock, sink: Arc<dyn ChangeSink>) -> Self {
        let state = State {
            records: HashMap::new(),
            requests: HashMap::new(),
            requests_by_time: BTreeSet::new(),
            head: Position { partition: 0, epoch: 1, sequence: 0 },
            shown_at: UtcInstant::MIN,
            steady_at: None,
        };
        Self { clock, sink, state: Mutex::new(state) }
    }

    fn carry_out(&self, append: Append) -> AppendOutcome {
        if let Err(invalid) = append.check() {
            return AppendOutcome::Invalid(invalid);
        }
        let mut state = self.state.lock();
        state.shown_at = state.shown_at.max(self.clock.now());
        let now = state.shown_at;
        match judge(&*state, &append, now) {
            Ok(Some(outcome)) => return outcome,
            Ok(None) => {}
            Err(never) => match never {},
        }
        let changes = state.write(append, now);
        if !changes.is_empty() {
            self.sink.apply(&changes);
        }
        AppendOutcome::Appended { position: state.head }
    }
}

impl State {
    fn write(&mut self, append: Append, now: UtcInstant) -> Vec<Change> {
        let mut changes = Vec::with_capacity(append.entries.len());
        for Entry { key, expected_version, not_before: _, not_after: _, write } in append.entries {
            let body = match write {
                Write::Put(body) => Some(body),
                Write::Remove if expected_version > 0 => None,
                Write::Remove | Write::Check => continue,
            };
            let version = expected_version + 1;
            self.head.sequence += 1;
            match &body {
                Some(body) => self.records.insert(key.clone(), Versioned { version, value: body.clone() }),
                None => self.records.remove(&key),
            };
            changes.push(Change { position: self.head, key, version, body });
        }
        if let Some(request) = append.request {
            self.keep(request, now);
        }
        changes
    }

    fn keep(&mut self, request: Request, now: UtcInstant) {
        let Request { principal, request_id, part, fingerprint, result } = request;
        let key = (principal, request_id, part);
        let kept = KeptOutcome { fingerprint, result, kept_at: now, position: self.head };
        if let Some(lapsed) = self.requests.insert(key.clone(), kept) {
            self.requests_by_time.remove(&(lapsed.kept_at, key.clone()));
        }
        self.requests_by_time.insert((now, key));
        self.forget_lapsed(REQUESTS_FORGOTTEN_MAX, now);
    }

    /// Forgets at most so many lapsed request ids; says how many.
    fn forget_lapsed(&mut self, max: usize, now: UtcInstant) -> usize {
        for count in 0..max {
            match self.requests_by_time.pop_first() {
                Some((kept_at, key)) if has_lapsed(kept_at, now) => {
                    self.requests.remove(&key);
                }
                Some(first) => {
                    self.requests_by_time.insert(first);
                    return count;
                }
                None => return count,
            }
        }
        max
    }
}

impl Records for State {
    type Error = Infallible;

    fn version(&self, key: &Key) -> Result<u64, Infallible> {
        Ok(self.records.get(key).map_or(0, |record| record.version))
    }

    fn current(&self, key: &Key) -> Result<Option<Versioned<Body>>, Infallible> {
        Ok(self.records.get(key).cloned())
    }

    fn kept(&self, request: &Request) -> Result<Option<KeptOutcome>, Infallible> {
        let Request { principal, request_id, part, fingerprint: _, result: _ } = request;
        Ok(self.requests.get(&(principal.clone(), request_id.clone(), *part)).cloned())
    }
}

impl Ledger for MemoryLedger {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn durability(&self) -> &'static str {
        "nothing: state is lost when the process ends"
    }

    fn durability_class(&self) -> &'static str {
        "MEMORY"
    }

    fn append(&self, append: Append) -> PendingAppend {
        let outcome = self.carry_out(append);
        Box::pin(std::future::ready(outcome))
    }

    fn trim(&self, steady_at: UtcInstant) -> PendingTrim {
        let mut state = self.state.lock();
        if is_news(steady_at, state.steady_at) {
            state.steady_at = Some(steady_at);
        }
        state.shown_at = state.shown_at.max(self.clock.now());
        let now = state.shown_at;
        Box::pin(std::future::ready(Ok(state.forget_lapsed(TRIM_STEP_MAX, now))))
    }

    fn health(&self) -> LedgerHealth {
        let state = self.state.lock();
        let clock_at = (state.shown_at > UtcInstant::MIN).then_some(state.shown_at);
        LedgerHealth {
            head: state.head,
            refusal: None,
            reduction: None,
            is_open: true,
            clock_at,
            steady_at: state.steady_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::conformance::{Factory, conformance_suite};

    struct InMemory;

    impl Factory for InMemory {
        type Ledger = MemoryLedger;

        fn make(&self, clock: SharedClock, sink: Arc<dyn ChangeSink>) -> MemoryLedger {
            MemoryLedger::new(clock, sink)
        }
    }

    conformance_suite!(InMemory);
}
