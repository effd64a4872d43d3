//! What a ledger tells operators of itself: how far it is, who shares it and how far each of them has followed, and how
//! often something went wrong.
//!
//! Deliberately absent: anything that a write or an answer depends on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::record::Position;
use crate::domain::time::UtcInstant;

/// Where a history stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standpoint {
    /// Its last change.
    pub position: Position,
    /// Digest of all of it; histories with one digest are one history.
    pub digest: String,
}

/// An instance, as it last said of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstanceView {
    /// Identifies the process.
    pub instance_id: String,
    /// Whether it is this one.
    pub is_self: bool,
    /// Version of its program; empty when it did not say.
    pub version: String,
    /// Where clients reach it; empty when that is not configured.
    pub address: String,
    /// When it was started; `None` when it did not say.
    pub started_at: Option<UtcInstant>,
    /// Stable code of what it takes an acknowledged write to survive; empty when it did not say.
    pub durability_class: String,
    /// What it has followed; the digest is empty when it did not say.
    pub standpoint: Standpoint,
    /// How many changes of the ledger it had not followed.
    pub lag_changes: u64,
    /// How long before that the last change that it had followed was written, in milliseconds; 0 when none was missing.
    pub lag_ms: u64,
    /// When it said so, by the ledger's server.
    pub heard_at: UtcInstant,
    /// Whether that is long ago.
    pub is_silent: bool,
    /// Whether its digest is another than this instance's at the same position: one of them does not show what is there.
    pub differs: bool,
}

/// What a ledger tells of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overview {
    /// What this instance has followed; `None` where there is no digest.
    pub own: Option<Standpoint>,
    /// Where the shared ledger itself stood; `None` for a ledger that nobody shares.
    pub head: Option<Standpoint>,
    /// When the ledger was asked for that and for the instances, by its server.
    pub seen_at: Option<UtcInstant>,
    /// How long ago that was, by this process: it grows while the ledger's server is away.
    pub seen_age: Option<Duration>,
    /// The instances that share it, in order of their start; empty for a ledger that nobody shares.
    pub instances: Vec<InstanceView>,
    /// How often what happened since this process opened it.
    pub counters: Vec<(&'static str, u64)>,
}

/// What is counted of a shared ledger since it was opened; names follow the conventions of OpenTelemetry.
#[derive(Debug, Default)]
pub struct Counters {
    /// The log did not continue what was followed, by number or digest.
    pub divergences: AtomicU64,
    /// Every record was read anew in place of what was there.
    pub reloads: AtomicU64,
    /// Another instance had another digest at the same position.
    pub digest_mismatches: AtomicU64,
    /// A session with the server ended and another began.
    pub reconnections: AtomicU64,
    /// An epoch began.
    pub epochs: AtomicU64,
}

impl Counters {
    /// One more.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// All of them by name.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        let Self { divergences, reloads, digest_mismatches, reconnections, epochs } = self;
        let counters = [
            ("sas.ledger.divergences", divergences),
            ("sas.ledger.reloads", reloads),
            ("sas.ledger.digest_mismatches", digest_mismatches),
            ("sas.ledger.reconnections", reconnections),
            ("sas.ledger.epochs", epochs),
        ];
        counters.map(|(name, counter)| (name, counter.load(Ordering::Relaxed))).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_names_of_their_own() {
        let counters = Counters::default();
        Counters::count(&counters.reloads);
        let all = counters.all();
        let names: std::collections::HashSet<_> = all.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), all.len());
        assert!(names.iter().all(|name| name.starts_with("sas.ledger.")));
        assert_eq!(all.iter().map(|(_, value)| value).sum::<u64>(), 1);
        assert!(all.contains(&("sas.ledger.reloads", 1)));
    }
}
