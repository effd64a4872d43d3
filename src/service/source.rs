//! Sources: their heartbeats, and how far each is believed.
//!
//! A heartbeat is written when it moves the end of the lease by a good part, so that a source that calls too often costs
//! the ledger nothing. It carries no request id: sent again it says the same. Deliberately absent: what belief means for
//! a patient, which is matching's.

use std::sync::Arc;

use crate::domain::answer::Stamp;
use crate::domain::id::SourceId;
use crate::domain::record::{Body, Versioned};
use crate::domain::source::{Confidence, Pulse, Source};
use crate::domain::time::{MS_PER_SECOND, UtcInstant};
use crate::index::SourceExtent;
use crate::ledger::{Append, AppendOutcome, Entry};

use super::Service;
use super::error::{Error, Reason};
use super::limits::WRITE_TRIES_MAX;

/// A heartbeat is written when this part of its lease has passed since the last one.
const WRITTEN_AFTER_PART: i64 = 4;

/// How a source stands.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceView {
    /// The source; one that never sent a heartbeat has no lease.
    pub source: Source,
    /// How many schedules it has, and when it last stated something of one.
    pub extent: SourceExtent,
    /// How far what it last stated is believed.
    pub confidence: Confidence,
    /// The instant after which that is hidden unless it is heard again.
    pub hidden_after: UtcInstant,
}

impl Service {
    /// Takes a heartbeat: the word of the source counts for so many seconds from now; with none its lease ends. The state
    /// in which that is visible, and the source as it stands.
    ///
    /// # Errors
    /// When no schedule is the source's, or the ledger cannot write.
    pub async fn heartbeat(&self, id: &SourceId, lease_seconds: Option<u32>) -> Result<(Stamp, Source), Error> {
        let parts = self.parts();
        if !parts.index.has_source(id) {
            let message = format!("no schedule is of source `{id}`: create one first, or correct the identifier");
            return Err(Error::new(Reason::UnknownSource, message).about(id));
        }
        let mut known = parts.index.source(id);
        for _ in 0..WRITE_TRIES_MAX {
            let now = parts.clock.now();
            let (version, old) = known.map_or((0, None), |known| (known.version, Some(known.value)));
            if let Some(old) = old.filter(|old| says_enough(old, lease_seconds, now)) {
                return Ok((self.stamp(), Source::clone(&old)));
            }
            let source = Source { id: id.clone(), lease_seconds, heard_at: now };
            let entries = vec![Entry::put(Body::Source(Arc::new(source.clone())), version)];
            match self.append(Append { entries, request: None }).await {
                AppendOutcome::Appended { position } => return Ok((self.stamp_at(position), source)),
                AppendOutcome::Conflict { key: _, current } => known = current.and_then(source_of),
                AppendOutcome::Unavailable(unavailable) => return Err(unavailable.into()),
                AppendOutcome::Invalid(invalid) => return Err(Error::internal(invalid.to_string())),
                AppendOutcome::OutOfTime { .. } | AppendOutcome::Replayed { .. } | AppendOutcome::RequestIdReused => {
                    return Err(Error::internal("the ledger took a heartbeat for a request"));
                }
            }
        }
        Err(Error::contention())
    }

    /// Every source that has schedules or was heard, in order of identifier.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceView> {
        self.sources_of(self.parts().index.source_extents())
    }

    /// The same of sources whose schedules were counted already.
    pub(super) fn sources_of(&self, extents: impl IntoIterator<Item = (SourceId, SourceExtent)>) -> Vec<SourceView> {
        let parts = self.parts();
        let (now, fading) = (parts.clock.now(), self.policy().fading);
        let view = |(id, extent): (SourceId, SourceExtent)| {
            let kept = parts.index.source(&id).map(|source| source.value);
            let pulse = Pulse::of(kept.as_deref());
            let last_at = extent.last_received_at.unwrap_or(UtcInstant::MIN);
            let bare = || Source { id, lease_seconds: None, heard_at: last_at };
            SourceView {
                confidence: pulse.confidence(last_at, now, &fading),
                hidden_after: pulse.hidden_after(last_at, &fading),
                source: kept.as_deref().cloned().unwrap_or_else(bare),
                extent,
            }
        };
        extents.into_iter().map(view).collect()
    }

    /// What to say of sources that have a lease and do not keep it; `None` when all do.
    pub(super) fn silent_sources(&self, now: UtcInstant) -> Option<String> {
        let fading = self.policy().fading;
        let mut silent = self.parts().index.leases();
        silent
            .retain(|source| Pulse::of(Some(source)).confidence(UtcInstant::MIN, now, &fading) != Confidence::Certain);
        silent.sort_by(|a, b| (a.heard_at, &a.id).cmp(&(b.heard_at, &b.id)));
        let first = silent.first()?;
        let names = silent.iter().take(NAMED_MAX).map(|source| source.id.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        let others = silent.len().saturating_sub(NAMED_MAX);
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        Some(format!(
            "past their lease: {names}{others}; the one that is silent longest was last heard at {}. What these sources \
             published is uncertain, then hidden: ask their editors; `ListSources` shows all sources",
            first.heard_at
        ))
    }
}

/// Most sources that a condition names.
const NAMED_MAX: usize = 5;

/// Whether a heartbeat would say little that the last one did not.
fn says_enough(old: &Source, lease_seconds: Option<u32>, now: UtcInstant) -> bool {
    let part_ms = lease_seconds.map_or(i64::MAX, |lease| i64::from(lease) * MS_PER_SECOND / WRITTEN_AFTER_PART);
    old.lease_seconds == lease_seconds && now.ms_since(old.heard_at) < part_ms
}

fn source_of(record: Versioned<Body>) -> Option<Versioned<Arc<Source>>> {
    let Versioned { version, value } = record;
    if let Body::Source(value) = value { Some(Versioned { version, value }) } else { None }
}
