//! The slots on which claims are in quarantine: few, and asked for every second, so they are not looked for among all.
//!
//! Invariant: a slot is in it exactly when a claim on its record is in quarantine.

use std::collections::BTreeSet;

use parking_lot::RwLock;

use super::Index;
use crate::domain::id::SlotId;
use crate::domain::record::Versioned;
use crate::domain::slot::{Claim, ClaimState, Slot};
use std::sync::Arc;

/// Slots with claims in quarantine, in order of identifier.
#[derive(Debug, Default)]
pub(super) struct Quarantined(RwLock<BTreeSet<SlotId>>);

/// Whether claims on a slot are in quarantine.
pub(super) type QuarantineChange = (SlotId, bool);

/// What becomes of a slot when its claims change; nothing when none is or was in quarantine.
pub(super) fn change(id: &SlotId, old: &[Claim], new: &[Claim]) -> Option<QuarantineChange> {
    let has_any = |claims: &[Claim]| claims.iter().any(|claim| claim.state == ClaimState::Quarantined);
    let is_now = has_any(new);
    (is_now || has_any(old)).then(|| (id.clone(), is_now))
}

impl Quarantined {
    /// Takes changes.
    pub(super) fn apply(&self, changes: Vec<QuarantineChange>) {
        if changes.is_empty() {
            return;
        }
        let mut slots = self.0.write();
        for (id, is_now) in changes {
            if is_now {
                slots.insert(id);
            } else {
                slots.remove(&id);
            }
        }
    }
}

impl Index {
    /// The slots on which claims are in quarantine, in order of identifier.
    #[must_use]
    pub fn quarantined_slots(&self) -> Vec<Versioned<Arc<Slot>>> {
        let ids: Vec<SlotId> = self.quarantined.0.read().iter().cloned().collect();
        ids.iter().filter_map(|id| self.slot(id)).collect()
    }
}
