//! Forgetting slots that are over, with the claims on them and the cases that named them, and what the ledger keeps past its time: what regulation files
//! said ends with the day.
//!
//! Invariant: only what ended [`ENDED_SLOT_KEPT_MS`] ago is removed, by a clock that the ledger's agrees with.
//! Deliberately absent: a timetable; whoever runs the service calls it every few minutes.

use std::collections::HashSet;

use crate::domain::record::Key;
use crate::domain::time::UtcInstant;
use crate::ledger::{Append, AppendOutcome, Entry};

use super::Service;
use super::error::{Error, Reason};
use super::limits::{
    ENDED_SLOT_KEPT_MS, PURGE_CASES_MAX, PURGE_CHUNK_MAX, PURGE_CLOCK_TOLERANCE_MS, PURGE_SLOTS_MAX,
    RETRY_BUSY_AFTER_MS, TRIM_STEPS_MAX, WRITE_TRIES_MAX,
};

impl Service {
    /// Removes slots that ended more than 24 hours ago, at most [`PURGE_SLOTS_MAX`]; says how many.
    ///
    /// # Errors
    /// When the ledger cannot write or its clock is far behind; what was removed until then stays removed.
    pub async fn purge_ended(&self) -> Result<usize, Error> {
        let parts = self.parts();
        let now = parts.clock.now();
        let ended = parts.index.slots_ended_before(now.plus_ms(-ENDED_SLOT_KEPT_MS), PURGE_SLOTS_MAX);
        let keyed: Vec<_> = ended.into_iter().map(|(id, version)| (Key::Slot(id), version)).collect();
        self.remove_all(&keyed, now).await
    }

    /// Removes what is kept of cases whose last slot ended more than 24 hours ago, at most [`PURGE_CASES_MAX`]; says how
    /// many.
    ///
    /// # Errors
    /// When the ledger cannot write or its clock is far behind; what was removed until then stays removed.
    pub async fn purge_ended_cases(&self) -> Result<usize, Error> {
        let parts = self.parts();
        let now = parts.clock.now();
        let ended = parts.index.cases_ended_before(now.plus_ms(-ENDED_SLOT_KEPT_MS), PURGE_CASES_MAX);
        let keyed: Vec<_> = ended.into_iter().map(|(id, version)| (Key::Case(id), version)).collect();
        self.remove_all(&keyed, now).await
    }

    /// Has the ledger forget the changes and outcomes that are past their time, step by step; says how many. The ledger
    /// records what this machine's clock shows: call it only while that clock is trusted.
    ///
    /// # Errors
    /// When the ledger cannot write; what was forgotten until then stays forgotten.
    pub async fn trim_ledger(&self) -> Result<usize, Error> {
        let mut forgotten_count = 0;
        for _ in 0..TRIM_STEPS_MAX {
            match self.parts().ledger.trim(self.parts().clock.now()).await? {
                0 => break,
                step_count => forgotten_count += step_count,
            }
        }
        Ok(forgotten_count)
    }

    async fn remove_all(&self, keyed: &[(Key, u64)], now: UtcInstant) -> Result<usize, Error> {
        let mut removed_count = 0;
        for chunk in keyed.chunks(PURGE_CHUNK_MAX) {
            removed_count += self.remove(chunk, now).await?;
        }
        Ok(removed_count)
    }

    /// Removes records in one append; one that changed meanwhile is left for the next purge.
    async fn remove(&self, keyed: &[(Key, u64)], now: UtcInstant) -> Result<usize, Error> {
        let mut changed: HashSet<Key> = HashSet::new();
        for _ in 0..WRITE_TRIES_MAX {
            let entries: Vec<Entry> = keyed
                .iter()
                .filter(|(key, _)| !changed.contains(key))
                .map(|(key, version)| Entry {
                    not_before: Some(now.plus_ms(-PURGE_CLOCK_TOLERANCE_MS)),
                    ..Entry::remove(key.clone(), *version)
                })
                .collect();
            let count = entries.len();
            match self.parts().ledger.append(Append { entries, request: None }).await {
                AppendOutcome::Appended { .. } => return Ok(count),
                AppendOutcome::Conflict { key, .. } => {
                    changed.insert(key);
                }
                AppendOutcome::OutOfTime { now } => {
                    let message = format!("the ledger's clock shows {now}, far behind this machine's: set the clocks");
                    let retry_after_ms = Some(RETRY_BUSY_AFTER_MS);
                    return Err(Error { retry_after_ms, ..Error::new(Reason::LedgerUnavailable, message) });
                }
                AppendOutcome::Unavailable(unavailable) => return Err(unavailable.into()),
                AppendOutcome::Invalid(invalid) => return Err(Error::internal(invalid.to_string())),
                AppendOutcome::Replayed { .. } | AppendOutcome::RequestIdReused => {
                    return Err(Error::internal("the ledger took a purge for a request"));
                }
            }
        }
        Ok(0)
    }
}
