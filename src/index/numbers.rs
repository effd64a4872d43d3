//! From identifiers to the numbers of schedules, in as few bytes as that takes: where a slot or a claim stands, who names a
//! place or a practitioner.
//!
//! An entry is six bytes, a part of the identifier's hash and the number. Whoever finds a number looks up what is wanted at the
//! schedule, which alone knows identifiers: one that is not meant is found now and then. Deliberately absent: identifiers.

use std::hash::{BuildHasher as _, Hash};

use parking_lot::RwLock;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

/// Two bytes of a hash, then the number, each with its highest byte first, so that entries are in order of both.
type Entry = [u8; 6];

/// Numbers of schedules that may be meant: mostly one.
pub(super) type ScheduleNumbers = SmallVec<[u32; 2]>;

/// Numbers of schedules by the hash of an identifier. Locks are held for single operations; nothing borrowed leaves.
///
/// Lists in order instead of a hash table: they are full but for an eighth at any size, and so short that putting one more
/// in its place costs less than the miss of the cache before it.
#[derive(Debug)]
pub(super) struct NumberTable {
    lists: Box<[RwLock<Vec<Entry>>]>,
}

impl NumberTable {
    /// A table of so many lists; some hundred entries a list are the best.
    pub(super) fn new(lists: usize) -> Self {
        Self { lists: (0..lists).map(|_| RwLock::default()).collect() }
    }

    /// The schedules that may be meant, in order of number.
    pub(super) fn numbers(&self, id: &(impl Hash + ?Sized)) -> ScheduleNumbers {
        let (Some(list), mark) = self.at(id) else { return ScheduleNumbers::new() };
        let list = list.read();
        let first = list.partition_point(|entry| *entry < entry_of(mark, 0));
        let marked = list.iter().skip(first).take_while(|entry| entry.starts_with(&mark));
        marked.map(|[_, _, number @ ..]| u32::from_be_bytes(*number)).collect()
    }

    /// Notes a number once more.
    pub(super) fn insert(&self, id: &(impl Hash + ?Sized), number: u32) {
        let (Some(list), mark) = self.at(id) else { return };
        let (mut list, entry) = (list.write(), entry_of(mark, number));
        if list.len() == list.capacity() {
            let room = list.len() / 8 + 4;
            list.reserve_exact(room);
        }
        let at = list.partition_point(|known| *known < entry);
        list.insert(at, entry);
    }

    /// Forgets one note of a number.
    pub(super) fn remove(&self, id: &(impl Hash + ?Sized), number: u32) {
        let (Some(list), mark) = self.at(id) else { return };
        let mut list = list.write();
        if let Ok(at) = list.binary_search(&entry_of(mark, number)) {
            list.remove(at);
        }
    }

    /// How many notes there are.
    pub(super) fn len(&self) -> usize {
        self.lists.iter().map(|list| list.read().len()).sum()
    }

    fn at(&self, id: &(impl Hash + ?Sized)) -> (Option<&RwLock<Vec<Entry>>>, [u8; 2]) {
        // The hash is best in some of its bits; multiplied, its upper bits depend on all of them.
        let hash = FxBuildHasher.hash_one(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let [first, second, rest @ ..] = hash.to_be_bytes();
        let [a, b, c, d, ..] = rest;
        let list = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(0) % self.lists.len().max(1);
        (self.lists.get(list), [first, second])
    }
}

fn entry_of([first, second]: [u8; 2], number: u32) -> Entry {
    let [a, b, c, d] = number.to_be_bytes();
    [first, second, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_is_found_and_hardly_any_other() {
        let table = NumberTable::new(64);
        let id = |number: u32| format!("schedule-{:06}/{:02}", number / 10, number % 10);
        (0..20_000).for_each(|number| table.insert(&id(number), number / 10));
        assert_eq!(table.len(), 20_000);
        let found: Vec<_> = (0..20_000).map(|number| table.numbers(&id(number))).collect();
        assert!((0..).zip(&found).all(|(number, found)| found.contains(&(number / 10))));
        let in_vain = found.iter().map(SmallVec::len).sum::<usize>() - 20_000;
        assert!(in_vain < 400, "{in_vain} of 20,000 numbers were not meant");
    }

    #[test]
    fn a_number_noted_twice_is_forgotten_once() {
        let table = NumberTable::new(4);
        for number in [7, 3, 7] {
            table.insert("a", number);
        }
        table.remove("a", 7);
        assert_eq!(table.numbers("a").as_slice(), [3, 7]);
        table.remove("a", 8);
        table.remove("b", 7);
        assert_eq!(table.len(), 2);
    }
}
