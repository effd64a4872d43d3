//! A sink that remembers what it was told: every change, and the records as they stand.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;

use crate::domain::record::{Body, Change, Key, Position, Versioned};
use crate::ledger::ChangeSink;

/// Remembers what it was told.
#[derive(Default)]
pub(in crate::ledger) struct Recorder {
    changes: Mutex<Vec<Change>>,
    records: Mutex<HashMap<Key, Versioned<Body>>>,
    /// What came since the last reload began, the one at opening included.
    reloaded: Mutex<Vec<Change>>,
    heads: Mutex<Vec<Position>>,
    /// What each call told.
    batches: Mutex<Vec<u64>>,
}

impl Recorder {
    /// Everything that it was told.
    pub(in crate::ledger) fn changes(&self) -> Vec<Change> {
        self.changes.lock().clone()
    }

    /// Every record of the last reload, the one at opening included, in the order in which it was told.
    pub(in crate::ledger) fn reloaded(&self) -> Vec<Change> {
        self.reloaded.lock().clone()
    }

    /// Positions at which it was told to stand without a change.
    pub(in crate::ledger) fn heads(&self) -> Vec<Position> {
        self.heads.lock().clone()
    }

    /// The number at which it stood after each time that it was told changes.
    pub(in crate::ledger) fn stands(&self) -> Vec<u64> {
        self.batches.lock().clone()
    }

    /// Every record as it was told last.
    pub(in crate::ledger) fn held(&self) -> HashMap<Key, Versioned<Body>> {
        self.records.lock().clone()
    }

    fn take(&self, changes: &[Change], is_forced: bool) {
        let mut records = self.records.lock();
        for Change { position: _, key, version, body } in changes {
            if !is_forced && records.get(key).is_some_and(|known| known.version >= *version) {
                continue;
            }
            match body {
                Some(body) => records.insert(key.clone(), Versioned { version: *version, value: body.clone() }),
                None => records.remove(key),
            };
        }
    }
}

impl ChangeSink for Recorder {
    fn apply(&self, changes: &[Change]) {
        self.changes.lock().extend_from_slice(changes);
        self.batches.lock().extend(changes.last().map(|change| change.position.sequence));
        self.take(changes, false);
    }

    fn begin_reload(&self, _: Position) {
        self.reloaded.lock().clear();
    }

    fn reload(&self, records: &[Change]) {
        self.reloaded.lock().extend_from_slice(records);
        self.take(records, true);
    }

    fn finish_reload(&self) {
        let reloaded: HashSet<Key> = self.reloaded.lock().iter().map(|record| record.key.clone()).collect();
        self.records.lock().retain(|key, _| reloaded.contains(key));
    }

    fn advance(&self, head: Position) {
        self.heads.lock().push(head);
    }

    fn records(&self, take: &mut dyn FnMut(Versioned<Body>)) {
        self.records.lock().values().cloned().for_each(take);
    }
}
