//! Every slot by identifier, in as few bytes as that takes.
//!
//! The identifier stands in the slot itself, so the table keeps a pointer and a version only. Locks are held for single
//! operations; nothing borrowed leaves.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::HashTable;
use parking_lot::RwLock;
use rustc_hash::FxBuildHasher;

use crate::domain::id::SlotId;
use crate::domain::record::Versioned;
use crate::domain::slot::Slot;

/// Number of shards, a power of two: readers of different slots mostly do not meet.
const SHARDS: usize = 64;

type Shard = RwLock<HashTable<Versioned<Arc<Slot>>>>;

/// The table of all slots.
#[derive(Debug)]
pub(super) struct SlotTable {
    shards: Box<[Shard]>,
}

impl SlotTable {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }

    pub(super) fn get(&self, id: &SlotId) -> Option<Versioned<Arc<Slot>>> {
        let hash = hash(id);
        self.shard(hash)?.read().find(hash, |known| known.value.id == *id).cloned()
    }

    pub(super) fn insert(&self, slot: Versioned<Arc<Slot>>) {
        let hash = hash(&slot.value.id);
        let Some(shard) = self.shard(hash) else { return };
        let mut table = shard.write();
        match table.find_mut(hash, |known| known.value.id == slot.value.id) {
            Some(known) => *known = slot,
            None => drop(table.insert_unique(hash, slot, |known| self::hash(&known.value.id))),
        }
    }

    pub(super) fn remove(&self, id: &SlotId) {
        let hash = hash(id);
        let Some(shard) = self.shard(hash) else { return };
        if let Ok(known) = shard.write().find_entry(hash, |known| known.value.id == *id) {
            known.remove();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    /// At most `limit` slots that a condition holds for, a shard at a time.
    pub(super) fn select(&self, limit: usize, wanted: impl Fn(&Slot) -> bool) -> Vec<Versioned<Arc<Slot>>> {
        let mut selected = Vec::new();
        for shard in &self.shards {
            let table = shard.read();
            selected.extend(table.iter().filter(|slot| wanted(&slot.value)).take(limit - selected.len()).cloned());
            if selected.len() >= limit {
                break;
            }
        }
        selected
    }

    fn shard(&self, hash: u64) -> Option<&Shard> {
        // The table uses the low and the topmost bits of the hash; the shard takes others.
        self.shards.get(usize::try_from(hash >> 32).unwrap_or(0) % SHARDS)
    }
}

fn hash(id: &SlotId) -> u64 {
    FxBuildHasher.hash_one(id)
}
