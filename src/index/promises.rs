//! What was promised before every record is read anew: the slots that somebody may rely on, kept until they are compared.
//!
//! Invariant: what a reload takes back stays here until it ends, also when it begins more than once, since the index itself
//! holds a mixture meanwhile. Deliberately absent: the judgement what is lost, which needs an instant.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::Index;
use crate::domain::id::SlotId;
use crate::domain::offer::Row;
use crate::domain::slot::Slot;

/// Promises around a reload.
#[derive(Debug, Default)]
pub(super) struct Promises {
    /// Slots with promises as they were before the reload that is under way.
    remembered: Mutex<FxHashMap<SlotId, Arc<Slot>>>,
    /// Of those, the ones that came back with other claims, or not at all.
    doubtful: Mutex<Vec<Arc<Slot>>>,
}

impl Promises {
    /// Remembers the slots with promises; one that is remembered already stays as it was first.
    pub(super) fn remember(&self, index: &Index) {
        let mut remembered = self.remembered.lock();
        for node in index.nodes.all() {
            let promising = |row: &Row| {
                let slots = row.slots().filter(|slot| Slot::has_promises(slot.claims()));
                Some(slots.map(|slot| slot.to_slot(&node.id).value).collect::<Vec<_>>())
            };
            for slot in node.look(promising).unwrap_or_default() {
                remembered.entry(slot.id.clone()).or_insert(slot);
            }
        }
    }

    /// Compares what is remembered with what came back, and says so when anything differs.
    pub(super) fn compare(&self, index: &Index) {
        let remembered = std::mem::take(&mut *self.remembered.lock());
        let differs = |slot: &Arc<Slot>| index.slot(&slot.id).is_none_or(|now| now.value.claims != slot.claims);
        let mut differing: Vec<_> = remembered.into_values().filter(differs).collect();
        if differing.is_empty() {
            return;
        }
        differing.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        self.doubtful.lock().append(&mut differing);
        if let Some(observer) = index.observer.get() {
            observer.doubted();
        }
    }
}

impl Index {
    /// Takes the slots as they were before a reload whose claims came back otherwise: whoever takes them judges what is lost.
    #[must_use]
    pub fn take_doubtful(&self) -> Vec<Arc<Slot>> {
        std::mem::take(&mut *self.promises.doubtful.lock())
    }

    /// Gives back what could not be judged yet.
    pub fn return_doubtful(&self, slots: Vec<Arc<Slot>>) {
        self.promises.doubtful.lock().extend(slots);
    }
}
