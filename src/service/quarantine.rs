//! What the ledger lost: noticed by an instance that remembers it, written so that all know it, listed until it is settled.
//!
//! Invariant: a loss is reported by its effect on the newest image of the slot, so any number of instances may report the
//! same. Deliberately absent: how a quarantine ends, which is a booking matter (`book::settle`).

use std::sync::Arc;

use crate::domain::answer::Stamp;
use crate::domain::id::SourceId;
use crate::domain::offer::Offer;
use crate::domain::record::{Body, Key};
use crate::domain::slot::Slot;
use crate::domain::time::UtcInstant;
use crate::ledger::{Append, AppendOutcome, Entry};

use super::Service;
use super::error::{Error, Reason};
use super::limits::{QUARANTINED_SLOTS_MAX, WRITE_TRIES_MAX};
use super::write::{Shown, Sight};

/// Slots with claims in quarantine.
#[derive(Clone, Debug)]
pub struct QuarantineList {
    /// The slots in order of start, with what is known of their schedules.
    pub slots: Vec<(Arc<Slot>, Option<Arc<Offer>>)>,
    /// Claims in quarantine, those of slots beyond the list included.
    pub claim_count: usize,
    /// Whether there are more slots.
    pub truncated: bool,
    /// The state of which this is told.
    pub stamp: Stamp,
}

impl Service {
    /// Waits until the index doubts promises that were made before every record was read anew.
    pub async fn doubted(&self) {
        self.shared.doubts.notified().await;
    }

    /// Puts in quarantine what this instance remembers and the ledger lost; says how many claims.
    ///
    /// # Errors
    /// When a loss cannot be reported, the first such failure: the others are reported all the same, and what is not is kept
    /// for the next call. A ledger that refuses writes is asked no further.
    pub async fn quarantine_lost(&self) -> Result<usize, Error> {
        let index = &self.parts().index;
        let mut doubtful = index.take_doubtful().into_iter();
        let (mut lost_count, mut kept, mut failure) = (0, Vec::new(), None);
        while let Some(remembered) = doubtful.next() {
            match self.quarantine_slot(&remembered).await {
                Ok(count) => lost_count += count,
                Err(error) => {
                    kept.push(remembered);
                    if error.reason == Reason::LedgerUnavailable {
                        kept.extend(doubtful.by_ref());
                    }
                    failure.get_or_insert(error);
                }
            }
        }
        index.return_doubtful(kept);
        failure.map_or(Ok(lost_count), Err)
    }

    /// Puts in quarantine what a remembered slot promised and the ledger does not keep; says how many claims.
    async fn quarantine_slot(&self, remembered: &Slot) -> Result<usize, Error> {
        let parts = self.parts();
        let (instance_id, mut shown) = (parts.instance_id, Shown::new());
        for _ in 0..WRITE_TRIES_MAX {
            let now = parts.clock.now();
            let known = Sight::of_reader(&parts.index, &shown, now).slot(&remembered.id);
            let (version, before_count, next) = match &known {
                Some(known) => {
                    let next = known.value.quarantine(remembered, instance_id, now);
                    (known.version, known.value.quarantined_count(), next)
                }
                None => (0, 0, Slot::stranded(remembered, instance_id, now)),
            };
            let Some(next) = next else { return Ok(0) };
            let count = next.quarantined_count() - before_count.min(next.quarantined_count());
            let entries = vec![Entry::put(Body::Slot(Arc::new(next)), version)];
            match self.append(Append { entries, request: None }).await {
                AppendOutcome::Appended { .. } => {
                    let (slot_id, schedule_id) = (&remembered.id, &remembered.schedule_id);
                    tracing::error!(
                        slot.id = %slot_id, schedule.id = %schedule_id, claims = count,
                        "the ledger lost acknowledged claims, which are in quarantine: have them settled"
                    );
                    return Ok(count);
                }
                AppendOutcome::Conflict { key, current } => drop(shown.insert(key, current)),
                AppendOutcome::Unavailable(unavailable) => return Err(unavailable.into()),
                AppendOutcome::Invalid(invalid) => return Err(Error::internal(invalid.to_string())),
                AppendOutcome::OutOfTime { .. } | AppendOutcome::Replayed { .. } | AppendOutcome::RequestIdReused => {
                    return Err(Error::internal("the ledger took a report of a loss for a request"));
                }
            }
        }
        Err(Error::contention().about(Key::Slot(remembered.id.clone())))
    }

    /// The slots that are not over and on which claims are in quarantine, of one source or of all.
    #[must_use]
    pub fn quarantined(&self, source_id: Option<&SourceId>) -> QuarantineList {
        let index = &self.parts().index;
        let is_wanted = |slot: &Slot| {
            source_id.is_none_or(|wanted| {
                index.schedule(&slot.schedule_id).is_some_and(|schedule| schedule.value.source_id == *wanted)
            })
        };
        let mut slots = self.quarantined_at(self.parts().clock.now());
        slots.retain(|slot| is_wanted(slot));
        slots.sort_by(|a, b| (a.window.start_at(), &a.id).cmp(&(b.window.start_at(), &b.id)));
        let claim_count = slots.iter().map(|slot| slot.quarantined_count()).sum();
        let truncated = slots.len() > QUARANTINED_SLOTS_MAX;
        slots.truncate(QUARANTINED_SLOTS_MAX);
        let known = |slot: Arc<Slot>| {
            let offer = index.offer(&slot.schedule_id);
            (slot, offer)
        };
        let slots = slots.into_iter().map(known).collect();
        QuarantineList { slots, claim_count, truncated, stamp: self.stamp() }
    }

    /// What to say of claims in quarantine; `None` when there are none on slots that are not over.
    pub(super) fn quarantine_told(&self, now: UtcInstant) -> Option<String> {
        let slots = self.quarantined_at(now);
        let claims: usize = slots.iter().map(|slot| slot.quarantined_count()).sum();
        (claims > 0).then(|| {
            format!(
                "the ledger lost {claims} acknowledged claim(s) on {} slot(s), which are neither offered nor booked again: list \
                 them (`sas-router quarantine list`), call the professionals, and settle each as free or standing",
                slots.len()
            )
        })
    }

    fn quarantined_at(&self, now: UtcInstant) -> Vec<Arc<Slot>> {
        let slots = self.parts().index.quarantined_slots().into_iter().map(|slot| slot.value);
        slots.filter(|slot| now < slot.window.end_at()).collect()
    }
}
