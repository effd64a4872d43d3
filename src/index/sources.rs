//! What is to be seen of sources; for people, not on the way of a query.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Index;
use crate::domain::id::SourceId;
use crate::domain::source::Source;
use crate::domain::time::UtcInstant;

/// What a source has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SourceExtent {
    /// How many schedules.
    pub schedule_count: usize,
    /// When it last stated something of one of them.
    pub last_received_at: Option<UtcInstant>,
}

impl Index {
    /// Whether a source has schedules or ever sent a heartbeat.
    #[must_use]
    pub fn has_source(&self, id: &SourceId) -> bool {
        self.pulses.has(id)
    }

    /// The sources that have a lease, in order of identifier.
    #[must_use]
    pub fn leases(&self) -> Vec<Arc<Source>> {
        let sources = self.sources.page(None, usize::MAX).into_iter().map(|source| source.value);
        sources.filter(|source| source.lease_seconds.is_some()).collect()
    }

    /// Every source with what it has, in order of identifier. It looks at all schedules: for people, not for questions.
    #[must_use]
    pub fn source_extents(&self) -> BTreeMap<SourceId, SourceExtent> {
        let none = |id| (id, SourceExtent::default());
        let mut extents: BTreeMap<_, _> = self.pulses.ids().into_iter().map(none).collect();
        for schedule in self.schedules.page(None, usize::MAX) {
            let extent = extents.entry(schedule.value.source_id.clone()).or_default();
            extent.schedule_count += 1;
            extent.last_received_at = extent.last_received_at.max(Some(schedule.value.received_at));
        }
        extents
    }
}
