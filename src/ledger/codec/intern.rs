//! Keeps once in memory what many slots share: their traits and the identifier of their schedule.
//!
//! Invariant: holds at most [`INTERNED_MAX`] values of a kind; beyond that it forgets all and starts anew, which costs
//! memory, never correctness.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::domain::id::{IdError, ScheduleId};
use crate::domain::slot::SlotTraits;

/// Most values of one kind that are remembered.
const INTERNED_MAX: usize = 200_000;

/// Remembers values that decoded records share.
#[derive(Debug, Default)]
pub struct Interner {
    traits: FxHashSet<Arc<SlotTraits>>,
    schedule_ids: FxHashSet<ScheduleId>,
    empty_text: Option<Arc<str>>,
}

impl Interner {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The shared copy of these traits.
    pub(super) fn traits(&mut self, traits: SlotTraits) -> Arc<SlotTraits> {
        if let Some(known) = self.traits.get(&traits) {
            return Arc::clone(known);
        }
        if self.traits.len() >= INTERNED_MAX {
            self.traits.clear();
        }
        let traits = Arc::new(traits);
        self.traits.insert(Arc::clone(&traits));
        traits
    }

    /// The shared copy of the identifier with this text.
    pub(super) fn schedule_id(&mut self, text: &str) -> Result<ScheduleId, IdError> {
        if let Some(known) = self.schedule_ids.get(text) {
            return Ok(known.clone());
        }
        if self.schedule_ids.len() >= INTERNED_MAX {
            self.schedule_ids.clear();
        }
        let id = ScheduleId::parse(text)?;
        self.schedule_ids.insert(id.clone());
        Ok(id)
    }

    /// The text; the empty one, which most are, is kept once.
    pub(super) fn text(&mut self, text: String) -> Arc<str> {
        if text.is_empty() { Arc::clone(self.empty_text.get_or_insert_with(|| Arc::from(""))) } else { text.into() }
    }
}
