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
    /// Keys that came since a reload began.
    reloaded: Mutex<HashSet<Key>>,
}

impl Recorder {
    /// Everything that it was told.
    pub(in crate::ledger) fn changes(&self) -> Vec<Change> {
        self.changes.lock().clone()
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
        self.take(changes, false);
    }

    fn begin_reload(&self, _: Position) {
        self.reloaded.lock().clear();
    }

    fn reload(&self, records: &[Change]) {
        self.reloaded.lock().extend(records.iter().map(|record| record.key.clone()));
        self.take(records, true);
    }

    fn finish_reload(&self) {
        let reloaded = self.reloaded.lock();
        self.records.lock().retain(|key, _| reloaded.contains(key));
    }

    fn records(&self, take: &mut dyn FnMut(Versioned<Body>)) {
        self.records.lock().values().cloned().for_each(take);
    }
}
