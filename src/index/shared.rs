//! Values that many slots have in common, kept once: a million slots know a few thousand traits.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::domain::slot::{Slot, SlotTraits};

/// Number of values at which unused ones are looked for the first time.
const FIRST_SWEEP: usize = 1_024;

/// The values in use.
#[derive(Debug)]
pub(super) struct Shared {
    traits: FxHashSet<Arc<SlotTraits>>,
    sweep_at: usize,
}

impl Default for Shared {
    fn default() -> Self {
        Self { traits: FxHashSet::default(), sweep_at: FIRST_SWEEP }
    }
}

impl Shared {
    /// The slot, sharing what others have too.
    pub(super) fn slot(&mut self, slot: &Arc<Slot>) -> Arc<Slot> {
        let traits = self.traits(&slot.traits);
        if Arc::ptr_eq(&traits, &slot.traits) {
            return Arc::clone(slot);
        }
        Arc::new(Slot { traits, ..Slot::clone(slot) })
    }

    fn traits(&mut self, traits: &Arc<SlotTraits>) -> Arc<SlotTraits> {
        if let Some(known) = self.traits.get(traits) {
            return Arc::clone(known);
        }
        if self.traits.len() >= self.sweep_at {
            self.traits.retain(|known| Arc::strong_count(known) > 1);
            self.sweep_at = FIRST_SWEEP.max(2 * self.traits.len());
        }
        self.traits.insert(Arc::clone(traits));
        Arc::clone(traits)
    }
}
