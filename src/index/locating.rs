//! Where slots, claims and practitioners are to be found: at which schedules, by tables that name only numbers.
//!
//! Invariant: what is given back is what was asked for; a schedule that a table names by chance is looked at and left.

use std::hash::Hash;
use std::sync::Arc;

use super::Index;
use super::node::Node;
use super::numbers::NumberTable;
use crate::domain::id::{ClaimId, PractitionerId, SlotId};
use crate::domain::offer::{Offer, Row, SlotView};
use crate::domain::record::Versioned;
use crate::domain::slot::Slot;

impl Index {
    /// The slot with this identifier.
    #[must_use]
    pub fn slot(&self, id: &SlotId) -> Option<Versioned<Arc<Slot>>> {
        self.locate(id, |node, slot| slot.to_slot(&node.id)).map(|(_, slot)| slot)
    }

    /// The slot on which a claim stands.
    #[must_use]
    pub fn slot_of_claim(&self, id: ClaimId) -> Option<SlotId> {
        let found = self.nodes_of(&self.claims, &id).filter_map(|node| {
            node.look(|row: &Row| row.claimed(id).map(|slot| (slot.statement.version, slot.id.to_slot_id())))
        });
        found.max_by_key(|(version, _)| *version).map(|(_, id)| id)
    }

    /// The resolved schedules of a practitioner, with their numbers.
    #[must_use]
    pub fn offers_of(&self, id: &PractitionerId) -> Vec<(u64, Arc<Offer>)> {
        let nodes = self.nodes_of(&self.by_practitioner, id);
        let offers = nodes.filter_map(|node| Some((u64::from(node.number), node.offer()?)));
        offers.filter(|(_, offer)| offer.schedule.practitioner_id.as_ref() == Some(id)).collect()
    }

    /// Where a slot stands, and what is to be seen there; of two places, while it moves, the newer one.
    pub(super) fn locate<T>(&self, id: &SlotId, see: impl Fn(&Node, SlotView<'_>) -> T) -> Option<(Arc<Node>, T)> {
        let found = self.nodes_of(&self.slots, id.as_str()).filter_map(|node| {
            let look = |row: &Row| row.find(id.as_str()).map(|slot| (slot.statement.version, see(&node, slot)));
            let (version, seen) = node.look(look)?;
            Some((version, node, seen))
        });
        found.max_by_key(|(version, _, _)| *version).map(|(_, node, seen)| (node, seen))
    }

    /// The schedules that a table has for an identifier, and now and then another.
    pub(super) fn nodes_of(&self, table: &NumberTable, id: &(impl Hash + ?Sized)) -> impl Iterator<Item = Arc<Node>> {
        table.numbers(id).into_iter().filter_map(|number| self.nodes.numbered(number))
    }
}
