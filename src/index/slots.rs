//! In which schedule every slot stands, by identifier, in as few bytes as that takes.
//!
//! Slots stand packed in the rows of their schedules; here are eight bytes a slot: a part of the identifier's hash and the
//! number of the schedule. What is found is to be looked up in the row, which alone knows identifiers.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use parking_lot::RwLock;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

/// Number of shards, a power of two: readers of different slots mostly do not meet.
const SHARDS: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    hash: u32,
    schedule: u32,
}

impl Entry {
    /// The hash that the table goes by, which uses the lowest and the topmost bits.
    fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }
}

/// Numbers of schedules in one of which a slot may stand: mostly one.
pub(super) type ScheduleNumbers = SmallVec<[u32; 2]>;

/// Where all slots stand. Locks are held for single operations; nothing borrowed leaves.
#[derive(Debug)]
pub(super) struct SlotTable {
    shards: Box<[RwLock<HashTable<Entry>>]>,
}

impl SlotTable {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }

    /// The schedules in which a slot may stand.
    pub(super) fn schedules(&self, id: &str) -> ScheduleNumbers {
        let (Some(shard), hash) = self.at(id) else { return ScheduleNumbers::new() };
        let table = shard.read();
        table.iter_hash(Entry::spread(hash)).filter(|entry| entry.hash == hash).map(|entry| entry.schedule).collect()
    }

    /// Notes that a slot stands in a schedule; once for every slot.
    pub(super) fn insert(&self, id: &str, schedule: u32) {
        let (Some(shard), hash) = self.at(id) else { return };
        let entry = Entry { hash, schedule };
        shard.write().insert_unique(Entry::spread(hash), entry, |entry| Entry::spread(entry.hash));
    }

    /// Notes that a slot no longer stands in a schedule.
    pub(super) fn remove(&self, id: &str, schedule: u32) {
        let (Some(shard), hash) = self.at(id) else { return };
        let entry = Entry { hash, schedule };
        if let Ok(known) = shard.write().find_entry(Entry::spread(hash), |known| *known == entry) {
            known.remove();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    fn at(&self, id: &str) -> (Option<&RwLock<HashTable<Entry>>>, u32) {
        let hash = FxBuildHasher.hash_one(id);
        let (high, low) = ((hash >> 32) & u64::from(u32::MAX), hash & u64::from(u32::MAX));
        let shard = usize::try_from(high).unwrap_or(0) % SHARDS;
        (self.shards.get(shard), u32::try_from(low).unwrap_or(0))
    }
}
