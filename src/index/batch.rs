//! What a batch of changes touches: the last word on every slot, and the schedules to be resolved anew.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Index;
use super::holds::{self, HoldChange};
use super::quarantined::{self, QuarantineChange};
use crate::domain::id::{CaseId, ClaimId, ScheduleId, SlotId};
use crate::domain::offer::{Row, SlotName, SlotView};
use crate::domain::record::Versioned;
use crate::domain::slot::{Claim, Slot};

/// What became of a slot: its version, and the slot unless it is gone.
pub(super) type Word = Versioned<Option<Arc<Slot>>>;

/// What a batch touched.
#[derive(Default)]
pub(super) struct Touched {
    /// Schedules whose facts changed.
    pub(super) offers: FxHashSet<ScheduleId>,
    /// The last word on every slot that changed.
    pub(super) slots: FxHashMap<SlotId, Word>,
    /// Cases that refuse other offers than before.
    pub(super) cases: Vec<CaseId>,
    /// Whether an emergency site changed.
    pub(super) sites: bool,
    /// Whether a territory changed.
    pub(super) territories: bool,
    /// Whether the policies did.
    pub(super) policy: bool,
}

/// What becomes of the slots of schedules.
#[derive(Default)]
pub(super) struct Moves {
    /// Slots that come to a schedule or change there.
    pub(super) coming: FxHashMap<ScheduleId, SlotChanges>,
    /// Slots that are gone or go elsewhere, by the schedule that they leave.
    pub(super) leaving: FxHashMap<ScheduleId, SlotChanges>,
    /// Claims that come to a schedule.
    pub(super) claims_coming: Vec<(ClaimId, ScheduleId)>,
    /// Claims that stand at a schedule no more.
    pub(super) claims_leaving: Vec<(ClaimId, ScheduleId)>,
    /// What became of the holds of regulators.
    pub(super) holds: Vec<HoldChange>,
    /// Slots on which claims are in quarantine, or no longer.
    pub(super) quarantined: Vec<QuarantineChange>,
}

/// Changes to slots of one schedule, in order of identifier.
#[derive(Default)]
pub(super) struct SlotChanges(Vec<SlotChange>);

/// A change to a slot of a schedule.
pub(super) struct SlotChange {
    pub(super) id: SlotId,
    /// The slot with its version; `None` when the schedule no longer has it.
    pub(super) slot: Option<Versioned<Arc<Slot>>>,
    /// Whether the schedule had it.
    pub(super) was_there: bool,
}

impl Touched {
    /// The moves that make the index say what the batch says.
    pub(super) fn moves(self, index: &Index) -> (Moves, FxHashSet<ScheduleId>) {
        let mut moves = Moves::default();
        for (id, Versioned { version, value }) in self.slots {
            let known = index.locate(&id, |_, slot| slot.claims.cloned());
            let (node, claims) = known.map_or((None, None), |(node, claims)| (Some(node), claims));
            let stood = node.as_ref().map(|node| &node.id);
            moves.claims_of(&id, (stood, claims.as_deref().unwrap_or_default()), value.as_deref());
            let had = |schedule_id: &ScheduleId| node.as_ref().is_some_and(|node| node.id == *schedule_id);
            let stays = value.as_ref().is_some_and(|slot| had(&slot.schedule_id));
            if let Some(value) = value {
                let list = moves.coming.entry(value.schedule_id.clone()).or_default();
                let slot = Some(Versioned { version, value });
                list.0.push(SlotChange { id: id.clone(), was_there: stays, slot });
            }
            if let Some(node) = node.filter(|_| !stays) {
                let list = moves.leaving.entry(node.id.clone()).or_default();
                list.0.push(SlotChange { id, slot: None, was_there: true });
            }
        }
        for changes in moves.coming.values_mut().chain(moves.leaving.values_mut()) {
            changes.0.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        }
        (moves, self.offers)
    }
}

impl Moves {
    fn claims_of(&mut self, id: &SlotId, (stood, old): (Option<&ScheduleId>, &[Claim]), new: Option<&Slot>) {
        let claims = new.map_or(&[][..], |new| &new.claims);
        self.holds.extend(holds::changes(old, claims));
        self.quarantined.extend(quarantined::change(id, old, claims));
        let stands = new.map(|new| &new.schedule_id);
        let stays =
            |claim: &Claim, others: &[Claim]| stood == stands && others.iter().any(|other| other.id == claim.id);
        let leaving = old.iter().filter(|claim| !stays(claim, claims));
        self.claims_leaving.extend(leaving.filter_map(|claim| Some((claim.id, stood?.clone()))));
        let coming = claims.iter().filter(|claim| !stays(claim, old));
        self.claims_coming.extend(coming.filter_map(|claim| Some((claim.id, stands?.clone()))));
    }
}

impl SlotChanges {
    pub(super) fn iter(&self) -> impl Iterator<Item = &SlotChange> {
        self.0.iter()
    }

    /// Whether it has a word on a slot.
    pub(super) fn has(&self, id: SlotName<'_>) -> bool {
        self.0.binary_search_by(|change| SlotName::of(&change.id).cmp(&id)).is_ok()
    }

    /// The slots of a row after these changes.
    pub(super) fn applied_to<'a>(&'a self, row: Option<&'a Row>) -> Vec<SlotView<'a>> {
        let kept = row.into_iter().flat_map(Row::slots).filter(|slot| !self.has(slot.id));
        let new = self.0.iter().filter_map(|change| change.slot.as_ref()).map(SlotView::of);
        kept.chain(new).collect()
    }
}
