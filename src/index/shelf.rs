//! An ordered shelf of directory records, for look-ups and pages. Not on the way of a query.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::domain::record::Versioned;

/// Records of one kind in order of identifier. The lock is held for single operations; nothing borrowed leaves.
#[derive(Debug)]
pub(super) struct Shelf<K, V> {
    records: RwLock<BTreeMap<K, Versioned<Arc<V>>>>,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self { records: RwLock::new(BTreeMap::new()) }
    }
}

impl<K: Ord + Clone, V> Shelf<K, V> {
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<Versioned<Arc<V>>>
    where
        K: Borrow<Q>,
    {
        self.records.read().get(key).cloned()
    }

    /// The records after `after`, at most `limit`.
    pub(super) fn page(&self, after: Option<&K>, limit: usize) -> Vec<Versioned<Arc<V>>> {
        let lower = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.records.read().range((lower, Bound::Unbounded)).take(limit).map(|(_, record)| record.clone()).collect()
    }

    /// What is wanted of the records, in order of identifier.
    pub(super) fn select<T>(&self, wanted: impl Fn(&V) -> Option<T>) -> Vec<T> {
        self.records.read().values().filter_map(|record| wanted(&record.value)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.records.read().len()
    }

    /// Takes a change unless a newer one was taken; says whether it was.
    pub(super) fn apply(&self, key: &K, version: u64, value: Option<Arc<V>>) -> bool {
        let mut records = self.records.write();
        if records.get(key).is_some_and(|record| record.version >= version) {
            return false;
        }
        match value {
            Some(value) => {
                records.insert(key.clone(), Versioned { version, value });
                true
            }
            None => records.remove(key).is_some(),
        }
    }
}
