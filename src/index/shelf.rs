//! An ordered shelf of directory records, for look-ups and pages. Not on the way of a query.
//!
//! Invariant: records stand in order of the identifier that they say themselves, so it is kept nowhere else; no leaf is empty.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::domain::case::Case;
use crate::domain::directory::{Place, Practitioner, Schedule, Territory};
use crate::domain::emergency::EmergencySite;
use crate::domain::id::{CaseId, EmergencySiteId, PlaceId, PractitionerId, ScheduleId, SourceId, TerritoryId};
use crate::domain::orientation::Orientation;
use crate::domain::record::Versioned;
use crate::domain::source::Source;
use crate::domain::tally::{Tally, TallyId};

/// Most records of a leaf: what one more moves is 4 kB.
const LEAF_MAX: usize = 256;

/// A record that says which it is.
pub(super) trait Named {
    /// What it is called by.
    type Id: Ord;

    /// Which it is.
    fn id(&self) -> &Self::Id;
}

macro_rules! named {
    ($($record:ty: $id:ty, $field:ident;)+) => {$(
        impl Named for $record {
            type Id = $id;

            fn id(&self) -> &$id {
                &self.$field
            }
        }
    )+};
}

named! {
    Territory: TerritoryId, id;
    Place: PlaceId, id;
    Practitioner: PractitionerId, id;
    Schedule: ScheduleId, id;
    EmergencySite: EmergencySiteId, id;
    Source: SourceId, id;
    Case: CaseId, id;
    Orientation: CaseId, case_id;
    Tally: TallyId, id;
}

/// A record with its version.
type Record<V> = Versioned<Arc<V>>;

/// Records of one kind in order of identifier. The lock is held for single operations; nothing borrowed leaves.
#[derive(Debug)]
pub(super) struct Shelf<V> {
    leaves: RwLock<Leaves<V>>,
}

/// Lists of records, one after the other in order: full ones where they came in order.
#[derive(Debug)]
struct Leaves<V>(Vec<Vec<Record<V>>>);

impl<V> Default for Shelf<V> {
    fn default() -> Self {
        Self { leaves: RwLock::new(Leaves(Vec::new())) }
    }
}

impl<V: Named> Shelf<V> {
    pub(super) fn get(&self, id: &V::Id) -> Option<Record<V>> {
        let leaves = self.leaves.read();
        let (leaf, at) = leaves.find(id);
        leaves.0.get(leaf)?.get(at.ok()?).cloned()
    }

    /// The records after `after`, at most `limit`.
    pub(super) fn page(&self, after: Option<&V::Id>, limit: usize) -> Vec<Record<V>> {
        let leaves = self.leaves.read();
        let (leaf, at) = after.map_or((0, Err(0)), |after| leaves.find(after));
        let skipped = at.map_or_else(|at| at, |at| at + 1);
        leaves.0.iter().skip(leaf).flatten().skip(skipped).take(limit).cloned().collect()
    }

    /// At most `limit` records that are wanted, in order of identifier.
    pub(super) fn select(&self, is_wanted: impl Fn(&V) -> bool, limit: usize) -> Vec<Record<V>> {
        let leaves = self.leaves.read();
        leaves.0.iter().flatten().filter(|record| is_wanted(&record.value)).take(limit).cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.leaves.read().0.iter().map(Vec::len).sum()
    }

    /// Takes a change unless a newer one was taken; says whether it was.
    pub(super) fn apply(&self, id: &V::Id, version: u64, value: Option<Arc<V>>) -> bool {
        let mut leaves = self.leaves.write();
        let (leaf, at) = leaves.find(id);
        let known = at.ok().and_then(|at| leaves.0.get_mut(leaf)?.get_mut(at));
        match (known, value) {
            (Some(known), _) if known.version >= version => return false,
            (Some(known), Some(value)) => *known = Versioned { version, value },
            (None, Some(value)) => leaves.insert(leaf, at.unwrap_or_else(|at| at), Versioned { version, value }),
            (Some(_), None) => leaves.remove(leaf, at.unwrap_or_else(|at| at)),
            (None, None) => return false,
        }
        true
    }
}

impl<V: Named> Leaves<V> {
    /// The leaf of an identifier, and where in it the record stands or would.
    fn find(&self, id: &V::Id) -> (usize, Result<usize, usize>) {
        let begins_before = |leaf: &Vec<Record<V>>| leaf.first().is_some_and(|first| first.value.id() <= id);
        let leaf = self.0.partition_point(begins_before).saturating_sub(1);
        let at = self.0.get(leaf).map(|leaf| leaf.binary_search_by(|record| record.value.id().cmp(id)));
        (leaf, at.unwrap_or(Err(0)))
    }

    fn insert(&mut self, number: usize, at: usize, record: Record<V>) {
        let is_last = number + 1 >= self.0.len();
        let Some(leaf) = self.0.get_mut(number) else {
            self.0.push(vec![record]);
            return;
        };
        if leaf.len() < LEAF_MAX {
            leaf.insert(at, record);
        } else if is_last && at == leaf.len() {
            self.0.push(vec![record]);
        } else {
            let mut upper = leaf.split_off(LEAF_MAX / 2);
            leaf.shrink_to_fit();
            match at.checked_sub(leaf.len()) {
                Some(at) => upper.insert(at, record),
                None => leaf.insert(at, record),
            }
            self.0.insert(number + 1, upper);
        }
    }

    fn remove(&mut self, number: usize, at: usize) {
        let Some(leaf) = self.0.get_mut(number) else { return };
        leaf.remove(at);
        if leaf.is_empty() {
            self.0.remove(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn case(number: u16) -> Arc<Case> {
        Arc::new(Case::new(CaseId::parse(&format!("c{number:05}")).unwrap()))
    }

    proptest! {
        #[test]
        fn a_shelf_is_an_ordered_map_of_the_newest_versions(
            changes in prop::collection::vec((0u16..1_200, 0u64..4, prop::bool::weighted(0.8)), 0..3_000),
            begun in 0u16..1_000, after in 0u16..1_200, limit in 0usize..700,
        ) {
            let (shelf, mut model) = (Shelf::default(), BTreeMap::new());
            let begun = (0..begun).map(|number| (number, 1, true));
            for (number, version, stays) in begun.chain(changes) {
                let case = case(number);
                let is_newer = model.get(&case.id).is_none_or(|(known, _)| *known < version);
                let is_known = model.contains_key(&case.id);
                let taken = shelf.apply(&case.id, version, stays.then(|| Arc::clone(&case)));
                prop_assert_eq!(taken, is_newer && (stays || is_known));
                if is_newer && stays {
                    model.insert(case.id.clone(), (version, case));
                } else if is_newer {
                    model.remove(&case.id);
                }
            }
            prop_assert_eq!(shelf.len(), model.len());
            let seen = |record: &Record<Case>| (record.value.id.clone(), record.version);
            let known = |(id, (version, _)): (&CaseId, &(u64, Arc<Case>))| (id.clone(), *version);
            let all: Vec<_> = shelf.page(None, usize::MAX).iter().map(seen).collect();
            prop_assert_eq!(&all, &model.iter().map(known).collect::<Vec<_>>());
            let after = case(after).id.clone();
            let page: Vec<_> = shelf.page(Some(&after), limit).iter().map(seen).collect();
            prop_assert_eq!(page, all.iter().filter(|(id, _)| *id > after).take(limit).cloned().collect::<Vec<_>>());
            prop_assert_eq!(shelf.get(&after).map(|record| record.version), model.get(&after).map(|known| known.0));
            let even = |case: &Case| case.id.as_str().ends_with(['0', '2', '4', '6', '8']);
            let selected: Vec<_> = shelf.select(even, limit).iter().map(seen).collect();
            let wanted = all.iter().filter(|(id, _)| even(&Case::new(id.clone())));
            prop_assert_eq!(selected, wanted.take(limit).cloned().collect::<Vec<_>>());
        }
    }
}
