//! Keeps once in memory what many records share: traits of slots, identifiers that others name, texts that come again.
//!
//! Invariant: holds at most [`INTERNED_MAX`] values of a kind; beyond that it forgets all and starts anew, which costs
//! memory, never correctness.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::domain::id::{IdError, PlaceId, ScheduleId, SourceId};
use crate::domain::slot::SlotTraits;

/// Most values of one kind that are remembered.
const INTERNED_MAX: usize = 200_000;

/// Remembers values that decoded records share.
#[derive(Debug, Default)]
pub struct Interner {
    traits: Known<Arc<SlotTraits>>,
    schedule_ids: Known<ScheduleId>,
    place_ids: Known<PlaceId>,
    source_ids: Known<SourceId>,
    texts: Known<Arc<str>>,
}

impl Interner {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The shared copy of these traits.
    pub(super) fn traits(&mut self, traits: SlotTraits) -> Arc<SlotTraits> {
        self.traits.get(&traits).unwrap_or_else(|| self.traits.keep(Arc::new(traits)))
    }

    /// The shared copy of the identifier with this text.
    pub(super) fn schedule_id(&mut self, text: &str) -> Result<ScheduleId, IdError> {
        self.schedule_ids.get_or_try(text, ScheduleId::parse)
    }

    /// The shared copy of the identifier with this text.
    pub(super) fn place_id(&mut self, text: &str) -> Result<PlaceId, IdError> {
        self.place_ids.get_or_try(text, PlaceId::parse)
    }

    /// The shared copy of the identifier with this text.
    pub(super) fn source_id(&mut self, text: &str) -> Result<SourceId, IdError> {
        self.source_ids.get_or_try(text, SourceId::parse)
    }

    /// The shared copy of a text that others say too: a town, a given name, above all none.
    pub(super) fn text(&mut self, text: String) -> Arc<str> {
        self.texts.get(text.as_str()).unwrap_or_else(|| self.texts.keep(text.into()))
    }
}

/// Values of one kind.
#[derive(Debug)]
struct Known<T>(FxHashSet<T>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(FxHashSet::default())
    }
}

impl<T: Hash + Eq + Clone> Known<T> {
    fn get<Q: Hash + Eq + ?Sized>(&self, value: &Q) -> Option<T>
    where
        T: Borrow<Q>,
    {
        self.0.get(value).cloned()
    }

    fn keep(&mut self, value: T) -> T {
        if self.0.len() >= INTERNED_MAX {
            self.0.clear();
        }
        self.0.insert(value.clone());
        value
    }

    fn get_or_try<E>(&mut self, text: &str, make: impl FnOnce(&str) -> Result<T, E>) -> Result<T, E>
    where
        T: Borrow<str>,
    {
        match self.get(text) {
            Some(known) => Ok(known),
            None => make(text).map(|value| self.keep(value)),
        }
    }
}
