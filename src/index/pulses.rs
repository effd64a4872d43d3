//! When each source was last heard, shared by the offers of its schedules.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::domain::id::SourceId;
use crate::domain::source::{Pulse, Source};

/// The pulses of all sources that have schedules or were heard. Only the writer and questions about sources lock them.
#[derive(Debug, Default)]
pub(super) struct Pulses(Mutex<FxHashMap<SourceId, Arc<Pulse>>>);

impl Pulses {
    /// That of a source.
    pub(super) fn of(&self, id: &SourceId) -> Arc<Pulse> {
        Arc::clone(self.0.lock().entry(id.clone()).or_default())
    }

    /// Whether a source has schedules or was heard.
    pub(super) fn has(&self, id: &SourceId) -> bool {
        self.0.lock().contains_key(id)
    }

    /// All sources, in any order.
    pub(super) fn ids(&self) -> Vec<SourceId> {
        self.0.lock().keys().cloned().collect()
    }

    /// Takes over a heartbeat; false when the source has another pulse now, which its schedules do not know yet.
    pub(super) fn beat(&self, source: &Source) -> bool {
        if self.of(&source.id).beat(source) {
            return true;
        }
        self.0.lock().insert(source.id.clone(), Arc::new(Pulse::of(Some(source))));
        false
    }

    /// Forgets that a source was heard; whether it has another pulse now.
    pub(super) fn end(&self, id: &SourceId) -> bool {
        self.0.lock().remove(id).is_some_and(|pulse| pulse.is_leased())
    }
}
